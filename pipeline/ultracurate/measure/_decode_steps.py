"""Where the seconds of index and frames go: a clock around each step, switched on for one run in a process."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

STEPS = {
    "read": (("ultracurate.archives.member", "Member.read"), ("ultracurate.core.blobs", "Blobs.read")),
    "decode": (("ultracurate.decoding.decode", "decode_image"), ("ultracurate.decoding.decode", "read_frames")),
    "digest": (("ultracurate.decoding.decode", "pixel_digest"), ("ultracurate.decoding.video", "packet_digest")),
    "quality": (("ultracurate.imaging.look", "check"),),
    "triage": (("ultracurate.imaging.look", "triage"),),
    "sector": (("ultracurate.imaging.look", "find_sector"),),
    "encode": (("ultracurate.decoding.decode", "encode_png"),),
}
"""Step to the functions that make it up, by module and name."""


class Clock:
    """Processor seconds by step; what a step calls that is itself a step counts for the inner one only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._inner = [0.0]

    @contextmanager
    def running(self, step: str) -> Iterator[None]:
        """Count what happens inside."""
        self._inner.append(0.0)
        began = time.process_time()
        try:
            yield
        finally:
            spent = time.process_time() - began
            self.seconds[step] += spent - self._inner.pop()
            self._inner[-1] += spent
            self.calls[step] += 1

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the clock around it; of a generator, around each item."""

        def items(source: Iterator[Any]) -> Iterator[Any]:
            while True:
                with self.running(step):
                    try:
                        item = next(source)
                    except StopIteration:
                        return
                yield item

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with self.running(step):
                answer = function(*args, **options)
            return items(answer) if isinstance(answer, Iterator) else answer

        return call


@contextmanager
def watched() -> Iterator[Clock]:
    """A clock around every step while this is open; the modules look them up by name when they call them."""
    clock = Clock()
    before: list[tuple[Any, str, Any]] = []
    try:
        for step, places in STEPS.items():
            for module, name in places:
                owner: Any = import_module(module)
                *outer, last = name.split(".")
                for part in outer:
                    owner = getattr(owner, part)
                before.append((owner, last, getattr(owner, last)))
                setattr(owner, last, clock.timed(step, getattr(owner, last)))
        yield clock
    finally:
        for owner, last, function in reversed(before):
            setattr(owner, last, function)
