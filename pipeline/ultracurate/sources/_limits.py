"""Limits that all processes of a machine keep together: requests a minute, files at once, bytes a second.

A host counts our machine, not our processes; so what was used is written to small files that are locked while they
are read and changed. Without such a folder the limits hold inside one process.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import BaseFileLock, FileLock, Timeout

if TYPE_CHECKING:
    from ultracurate.sources._context import SourceContext

BURST = 0.25
"""Share of a minute's requests that may go at once; the rest is spread, so no minute ever holds more than the limit."""
LOOK_AGAIN = 0.05
"""Seconds between two looks for a free place that another process holds."""


class Pacer:
    """Lets tokens pass at a rate, up to `capacity` of them at once (generic cell rate algorithm, ITU-T I.371)."""

    def __init__(
        self,
        rate: float,
        capacity: float,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        file: Path | None = None,
    ) -> None:
        self.rate = rate
        """Tokens a second."""
        self.capacity = capacity
        self._clock = clock
        self._sleep = sleep
        self._file = file
        self._lock = threading.Lock()
        self._memory = (float("-inf"), float("-inf"))

    def take(self, tokens: float = 1.0) -> None:
        """Wait until so many tokens may pass; callers are served in their order of arrival."""
        with self._state() as state:
            now = self._clock()
            due, not_before = state[0], state[1]
            # Clocks that count from the start of the machine: after a restart, what was written means nothing.
            horizon = now + 3600 + tokens / self.rate
            due, not_before = (t if t < horizon else now for t in (due, not_before))
            due = max(due, now) + tokens / self.rate
            wait = max(due - now - max(self.capacity, tokens) / self.rate, not_before - now)
            state[:] = [due, not_before]
        if wait > 0:
            self._sleep(wait)

    def hold(self, seconds: float) -> None:
        """Let nothing go for a while, because the host said that its limit is used up."""
        with self._state() as state:
            state[1] = max(state[1], self._clock() + seconds)

    @contextmanager
    def _state(self) -> Iterator[list[float]]:
        with self._lock:
            if self._file is None:
                state = list(self._memory)
                yield state
                self._memory = (state[0], state[1])
                return
            with FileLock(f"{self._file}.lock"):
                state = _numbers(self._file)
                yield state
                self._file.write_text(f"{state[0]!r} {state[1]!r}", encoding="ascii")


def _numbers(file: Path) -> list[float]:
    try:
        first, second = file.read_text(encoding="ascii").split()
        return [float(first), float(second)]
    except (OSError, ValueError):  # not there yet, or cut in the middle
        return [float("-inf"), float("-inf")]


_pacers: dict[tuple[object, ...], Pacer] = {}
_places: dict[tuple[object, ...], threading.BoundedSemaphore] = {}
_guard = threading.Lock()


def shared_pacer(context: SourceContext, host: str, kind: str, per_minute: float) -> Pacer:
    """The pacer of this machine for one class of requests to one host: any 60 seconds hold at most `per_minute`."""
    capacity = max(1.0, per_minute * BURST)
    rate = max(per_minute - capacity, per_minute * (1 - BURST) / 2) / 60
    return _shared(context, ("requests", host, kind, per_minute), rate, capacity)


def bandwidth_pacer(context: SourceContext) -> Pacer | None:
    """The pacer of this machine for bytes, all hosts together; None when there is no cap."""
    if not context.bandwidth:
        return None
    rate = context.bandwidth * 1e6
    return _shared(context, ("bytes", rate), rate, rate / 4)


def _shared(context: SourceContext, key: tuple[object, ...], rate: float, capacity: float) -> Pacer:
    file = None
    if context.shared is not None:
        context.shared.mkdir(parents=True, exist_ok=True)
        file = context.shared / hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    with _guard:
        full = (*key, context.clock, context.sleep, file)
        if full not in _pacers:
            _pacers[full] = Pacer(rate, capacity, context.clock, context.sleep, file)
        return _pacers[full]


@contextmanager
def place(context: SourceContext, host: str, default: int) -> Iterator[None]:
    """One of the few places for downloads from a host at the same time; waits for a free one."""
    most = context.at_once(host, default)
    if most is None:
        yield
        return
    with _guard:
        semaphore = _places.setdefault((host, most, context.shared), threading.BoundedSemaphore(most))
    with semaphore, ExitStack() as held:
        if context.shared is not None:
            context.shared.mkdir(parents=True, exist_ok=True)
            name = hashlib.sha256(host.encode()).hexdigest()[:16]
            held.callback(_free_place(context, name, most).release)
        yield


def _free_place(context: SourceContext, name: str, most: int) -> BaseFileLock:
    """A lock that is held; the kernel gives it back if this process dies."""
    while True:
        for number in range(most):
            lock = FileLock(f"{context.shared}/{name}.{number}.place")
            try:
                lock.acquire(blocking=False)
                return lock
            except Timeout:
                continue
        context.sleep(LOOK_AGAIN)
