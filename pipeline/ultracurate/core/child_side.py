"""What a child process needs to serve its parent (`child`): frames over its standard pipes, and its own bounds.

A frame is a letter, a number of seconds (8 bytes), a length (8 bytes) and so many bytes. A request says how many
seconds of computing its answer may take; an answer says how many it took. Between the two the child may ask back (`?`),
and gets a reply (`!`). Nothing here needs more than the standard library, so that a child starts quickly.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import struct
import sys
import time
from collections.abc import Iterator

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

FRAME = struct.Struct("<cdQ")
QUESTION, REPLY = b"?", b"!"

_SHORTEST = 1e-3  # seconds; none at all would mean no alarm


class Parent:
    """The parent as its child sees it; made once, before any library is loaded that could print something."""

    def __init__(self) -> None:
        self._source = sys.stdin.buffer
        self._sink = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # what a library prints goes where its complaints go: nowhere
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt of the run means
        self._began = 0.0

    def requests(self) -> Iterator[tuple[bytes, bytes]]:
        """What the parent asks, as (kind, body); without a parent there is nothing left to do, and the process ends."""
        while True:
            yield self._receive()

    def answer(self, kind: bytes, *body: bytes | memoryview) -> None:
        """Answer the last request with one frame, whose body may come in parts of bytes."""
        self._sink.write(FRAME.pack(kind, time.process_time() - self._began, sum(map(len, body))))
        for part in body:
            self._sink.write(part)
        self._sink.flush()

    def ask(self, body: bytes) -> bytes:
        """Ask back before the answer; waiting for the reply is no computing."""
        self.answer(QUESTION, body)
        return self._receive()[1]

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._source.read(FRAME.size)
        if len(head) < FRAME.size:
            sys.exit()
        kind, seconds, length = FRAME.unpack(head)
        body = self._source.read(length)
        if kind != REPLY:
            self._began = time.process_time()
            allow(seconds)
        return kind, body


def allow(seconds: float) -> None:
    """Let this process compute so long from now on; then the system ends it, even inside a library."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, max(_SHORTEST, seconds))


def confine() -> None:
    """From here on no file can be opened or written, and none is left by a crash; imports must be over."""
    for name in ("ascii", "latin-1", "utf-8"):  # each is a module of its own, imported when it is first asked for
        codecs.lookup(name)
    if resource is not None:
        for what, most in ((resource.RLIMIT_NOFILE, 3), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(what, (most, most))


def limit_memory(size: int | None) -> None:
    """Bound the address space, or free it; where the system knows no such limit (macOS) only time is bounded."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = hard if size is None else size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
