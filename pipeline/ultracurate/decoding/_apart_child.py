"""The process that decodes for another one: bounded memory, bounded time, nothing but numbers over its pipes."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from ultracurate.core.errors import MissingExtraError, RowError, UltracurateError
from ultracurate.decoding import _apart_wire as wire
from ultracurate.decoding.limits import each, undecodable
from ultracurate.decoding.media import Reading

READERS: dict[str, tuple[str, str, str]] = {
    "hdf5": ("ultracurate.decoding._arrays.hdf5", "probe_hdf5", "iter_hdf5"),
}
"""What may be run: name of a reader -> module, function that probes, function that iterates."""

MEMORY = 2 << 30
"""Bytes of address space that decoding may take, besides the file itself."""

_MAX_FILE = 1 << 40
_SHORTEST = 1e-3  # seconds; none at all would mean no alarm


def serve(source: BinaryIO, sink: BinaryIO, seconds: int, file_seconds: int) -> None:
    """Answer requests until the other side closes the pipe.

    Args:
        source: messages from the worker.
        sink: messages to the worker.
        seconds: after which an answer is late; the operating system then ends this process, even inside a library.
        file_seconds: the same for all answers about one file, with one more for each MiB of it.
    """

    def read(length: int) -> bytes:
        data = source.read(length)
        if len(data) < length:  # the worker is gone
            raise SystemExit
        return data

    def send(message: bytes) -> None:
        sink.write(message)
        sink.flush()

    send(wire.pack(wire.READY))
    while True:
        _, request = wire.unpack(read)
        _, data = wire.unpack(read, _MAX_FILE)
        asked = json.loads(request)
        _limit(MEMORY + 2 * len(data))
        clock = _Clock(seconds, file_seconds + len(data) / (1 << 20))
        clock.start()
        try:
            _answer(asked, data, read, send, clock)
        except UltracurateError as exc:
            send(_error(exc))
        except Exception as exc:
            send(_error(undecodable(asked["fmt"], exc)))
        clock.stop()
        _limit(None)
        del data


def _answer(
    asked: dict[str, Any], data: bytes, read: Callable[[int], bytes], send: Callable[[bytes], None], clock: _Clock,
) -> None:  # fmt: skip
    module, probe, iterate = READERS[asked["reader"]]
    reading, fmt = Reading(**asked["reading"]), asked["fmt"]
    functions: Any = importlib.import_module(module)
    if asked["task"] == "probe":
        send(wire.pack_facts(getattr(functions, probe)(data, fmt, reading)))
        return

    def wanted(index: int, time_s: float | None) -> bool:
        clock.stop()  # waiting for the worker takes as long as it takes
        send(wire.pack(wire.WANTED, json.dumps([index, time_s]).encode()))
        kind, body = wire.unpack(read)
        clock.start()
        return kind == wire.ANSWER and body == b"1"

    frames: Any = each(fmt, getattr(functions, iterate)(data, fmt, wanted, reading))
    with contextlib.closing(frames):
        clock.stop()
        while wire.unpack(read)[0] == wire.NEXT:
            clock.start()
            frame = next(frames, None)
            if frame is None:
                send(wire.pack(wire.END))
                return
            clock.stop()
            send(wire.pack_frame(*frame))


def _error(exc: UltracurateError) -> bytes:
    fields = {"what": exc.what, "extra": exc.extra} if isinstance(exc, MissingExtraError) else {"text": str(exc)}
    return wire.pack(wire.ERROR, json.dumps(fields).encode())


def raised(body: bytes) -> UltracurateError:
    """The error in a message of the child."""
    fields = json.loads(body)
    return MissingExtraError(fields["what"], fields["extra"]) if "what" in fields else RowError(fields["text"])


def _limit(size: int | None) -> None:
    """Bound the address space, or free it; where the system knows no such limit (macOS) only time is bounded."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = hard if size is None else size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _Clock:
    """Ends this process after a time of work: so much without a stop, and so much in all."""

    def __init__(self, seconds: float, left: float) -> None:
        self._seconds, self._left = seconds, left
        self._started: float | None = None

    def start(self) -> None:
        """Work begins."""
        self._started = time.monotonic()
        _alarm(max(_SHORTEST, min(self._seconds, self._left)))

    def stop(self) -> None:
        """Work ends, if it had begun."""
        _alarm(0)
        if self._started is not None:
            self._left -= time.monotonic() - self._started
            self._started = None


def _alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def main() -> None:
    """Serve over the standard pipes; whatever a library prints goes nowhere."""
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin.buffer, sink, int(sys.argv[1]), int(sys.argv[2]))
