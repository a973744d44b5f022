"""Runs a decoder in a process of its own, so that a file that crashes or stops its library costs one row.

HDF5's C library has had memory errors on damaged files in every year of its life. The process is started once per
worker and used again, it lives no longer than the worker, has 2 GiB of memory besides the file (where the system knows
such a limit), 30 seconds for an answer, and about a minute for all answers about a file.
It is a plain subprocess: daemonic workers may not use `multiprocessing`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from ultracurate.core.child_environment import bare_environment
from ultracurate.core.errors import RowError
from ultracurate.decoding import _apart_wire as wire
from ultracurate.decoding._apart_child import main, raised
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import MAX_PIXELS
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

SECONDS = 30
"""For one answer: the facts of a file, or its next frame."""

FILE_SECONDS = 60
"""For all answers about one file together, and one second more for each MiB of it."""

_START_SECONDS = 60  # a cold disk under load
_GRACE_SECONDS = 2  # the process ends itself first
_MOST = 4 * MAX_PIXELS  # bytes of one message
_READ = 1 << 20
_SETTINGS = {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # no plug-ins
_ENDS: dict[int, str] = {signal.SIGALRM: "took too long", signal.SIGKILL: "took too long or too much memory"}


class _GoneError(Exception):
    """The process ended or fell silent."""


class _Process:
    """One decoding process, its pipes, and whether it is in the middle of a file."""

    def __init__(self) -> None:
        self.busy = False
        # -P: the folder we happen to be in must not shadow a module. Credentials of the environment stay here.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ultracurate.decoding.apart", str(SECONDS), str(FILE_SECONDS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            env=bare_environment() | _SETTINGS,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.sink, self.source = self.process.stdin, self.process.stdout
        self.poll = select.poll()
        self.poll.register(self.source, select.POLLIN)
        try:
            self.receive(_START_SECONDS)
        except _GoneError:
            self.end()
            raise RowError(
                "the process that decodes hostile formats did not start; run `ultracurate doctor`, or try again"
            ) from None

    def send(self, *messages: bytes) -> None:
        """Write messages, or the parts of one.

        Raises:
            _GoneError: nobody reads them.
        """
        try:
            for message in messages:
                rest = memoryview(message)
                while rest:
                    rest = rest[self.sink.write(rest) or 0 :]
        except OSError:
            raise _GoneError from None

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        """The next message as (kind, body).

        Raises:
            _GoneError: the process ended, or said nothing for so long.
        """
        deadline = time.monotonic() + seconds
        return wire.unpack(lambda length: self._read(length, deadline), _MOST)

    def _read(self, length: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < length:
            if not self.poll.poll(1000 * max(0.0, deadline - time.monotonic())):
                raise _GoneError
            chunk = os.read(self.source.fileno(), min(_READ, length - len(data)))
            if not chunk:
                raise _GoneError
            data += chunk
        return bytes(data)

    def end(self) -> int:
        """Kill it, if it still runs, and return its exit status; negative is the signal that ended it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)  # a process that crashed is allowed to say why
        self.process.kill()
        self.close()
        return self.process.wait()

    def close(self) -> None:
        """Close our ends of the pipes; a process that waits for work ends by that."""
        for pipe in (self.sink, self.source):
            with contextlib.suppress(OSError):
                pipe.close()


_idle: list[_Process] = []


def probe(reader: str, data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """The facts of a file, found out in a process of its own.

    Args:
        reader: one of `_apart_child.READERS`.
        data: the file.
        fmt: its format, for the reader and for messages.
        reading: for the reader.

    Raises:
        RowError: what the reader raises; or it crashed, was out of memory, or took longer than `SECONDS`
            or, over all frames, `FILE_SECONDS` allow.
        MissingExtraError: its package is not installed.
    """
    with _at_work(reader, "probe", data, fmt, reading) as process:
        _, body = _answer(process)
        process.busy = False
        return wire.unpack_facts(body)


def iterate(
    reader: str, data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted frames of a file, each decoded in a process of its own when it is asked for; see `probe`.

    `wanted` is called in this process. Whoever leaves early leaves the process free for the next file.
    """
    with _at_work(reader, "iterate", data, fmt, reading) as process:
        while True:
            process.send(wire.pack(wire.NEXT))
            while (answer := _answer(process))[0] == wire.WANTED:
                index, time_s = json.loads(answer[1])
                process.send(wire.pack(wire.ANSWER, b"1" if wanted(index, time_s) else b"0"))
            if answer[0] == wire.END:
                process.busy = False
                return
            frame = wire.unpack_frame(answer[1], fmt)
            try:
                yield frame
            except GeneratorExit:
                with contextlib.suppress(_GoneError):
                    process.send(wire.pack(wire.STOP))
                    process.busy = False
                raise


def _answer(process: _Process) -> tuple[bytes, bytes]:
    """The next message, unless it is an error, which is raised; after one the process waits for another file."""
    kind, body = process.receive(SECONDS + _GRACE_SECONDS)
    if kind == wire.ERROR:
        process.busy = False
        raise raised(body)
    return kind, body


@contextlib.contextmanager
def _at_work(reader: str, task: str, data: bytes, fmt: str, reading: Reading) -> Iterator[_Process]:
    """A process that was given the file; it is kept for the next one only if it has finished with this one."""
    request = json.dumps({"reader": reader, "task": task, "fmt": fmt, "reading": asdict(reading)}).encode()
    process = _started((wire.pack(wire.REQUEST, request), wire.head(wire.FILE, len(data)), data))
    try:
        yield process
    except _GoneError:
        status = process.end()
        raise RowError(
            f"{fmt}: reading it {_ENDS.get(-status, 'crashed the library that reads it')}; the process was ended and "
            "the file was not read. Convert it to another format if it is genuine"
        ) from None
    finally:
        if process.busy:
            process.end()
        else:
            _idle.append(process)


def _started(messages: tuple[bytes, ...]) -> _Process:
    """An idle process, or a new one, that has taken the messages."""
    while True:
        try:
            process, fresh = _idle.pop(), False  # one step, so threads cannot take the same one
        except IndexError:
            process, fresh = _Process(), True
        process.busy = True
        try:
            process.send(*messages)
        except _GoneError:  # it ended while it was idle
            process.end()
            if fresh:
                raise RowError(
                    "the process that decodes hostile formats ended at once; run the command again"
                ) from None
        else:
            return process


def _forget() -> None:
    """After a fork: the processes belong to the parent, and must see their pipes closed when it ends."""
    for process in _idle:
        process.close()
        process.process.returncode = 0
    _idle.clear()


def _end_all() -> None:
    while _idle:
        process = _idle.pop()
        process.process.kill()
        process.end()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

if __name__ == "__main__":
    main()
