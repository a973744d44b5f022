"""A process of its own for a library that a stranger's file may crash, stop or fill: started, asked, bounded, ended.

HDF5, GDCM and libarchive are C, and run like this. The child is a module that serves its parent with `child_side`. It
inherits no credentials, computes no longer than each request allows, bounds its own memory and opens no file. Whatever
becomes of it, its parent gets an answer or a `ChildError`. It is a plain subprocess: daemonic workers may not use
`multiprocessing`, and no pickles ever pass.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

from ultracurate.core.child_side import FRAME, QUESTION, REPLY

PATIENCE = (60.0, 10.0)
"""Seconds to wait for any answer, and for each second of computing that it may take: disks may be cold, cores shared.

Only a process that sleeps or was stopped reaches this; one that computes is ended by the system."""

MOST = 16 << 20
"""Bytes of an answer, unless its request expects more."""

_INHERITED = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "SYSTEMROOT", "TMPDIR", "LIBARCHIVE",
)  # fmt: skip
_LATE = "took too long"
_ENDS = {
    "SIGPROF": _LATE, "SIGXCPU": _LATE,
    "SIGKILL": "was ended by the system, which may have been short of memory",
}  # fmt: skip
_LAST_WORDS = 1.0  # seconds: a process that crashed is allowed to say why


def bare_environment() -> dict[str, str]:
    """The variables that a Python process needs to start; a token for a host of datasets is not among them."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


class ChildError(Exception):
    """The process ended, fell silent or sent what no honest one sends; its words follow on "reading the file"."""


class Child:
    """One process that serves a module's requests.

    Attributes:
        process: for whoever must know its number.
        used: it has answered before.
        spent: seconds of computing that the last answer took.
        busy: an answer is owed; whoever leaves it then leaves a process that nobody can use again.
    """

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        """Args: `module` is run by its name; `environment` is all that it gets besides `bare_environment`."""
        # -P: a file that lies in the working folder is never taken for a module.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment() | dict(environment or {}),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._sink, self._source = self.process.stdin, self.process.stdout
        self.used = self._given_up = False
        self.spent = 0.0
        self.busy = False

    def ask(
        self,
        kind: bytes,
        *body: bytes,
        seconds: float,
        most: int = MOST,
        back: Callable[[bytes], bytes] | None = None,
    ) -> tuple[bytes, bytes]:
        """Ask, and wait for the answer.

        Args:
            kind: one letter.
            body: its parts.
            seconds: of computing that the answer may take.
            most: bytes that it may have.
            back: answers what the child asks back on the way; whatever it raises passes through.

        Returns:
            Kind and body of the answer.

        Raises:
            ChildError: there is none; the process was ended.
        """
        self.busy = True
        found = self._exchange(kind, body, seconds, most)
        while found[0] == QUESTION and back is not None:
            found = self._exchange(REPLY, (back(found[1]),), seconds, most)
        self.busy = False
        return found

    def _exchange(self, kind: bytes, body: tuple[bytes, ...], seconds: float, most: int) -> tuple[bytes, bytes]:
        always, each = PATIENCE
        watch = threading.Timer(always + each * seconds, self._give_up)  # pipes of Windows cannot be polled
        watch.start()
        try:
            self._sink.write(FRAME.pack(kind, seconds, sum(map(len, body))))
            for part in body:
                self._sink.write(part)
            self._sink.flush()
            answer, self.spent, length = FRAME.unpack(self._read(FRAME.size))
            if length > most:
                self.end()
                raise ChildError(f"gave {length} bytes where at most {most} were expected")
            found = self._read(length)
        except (OSError, ValueError):  # ValueError: a pipe that was closed by an earlier end
            raise self._gone() from None
        finally:
            watch.cancel()
            watch.join()
        if self._given_up:  # the answer came as the time ran out: the process is ending
            raise self._gone()
        self.used = True
        return answer, found

    def _read(self, length: int) -> bytes:
        data = self._source.read(length)
        if len(data) < length:
            raise BrokenPipeError
        return data

    def _give_up(self) -> None:
        self._given_up = True
        self.process.kill()

    def _gone(self) -> ChildError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_WORDS)
        self.end()
        if self._given_up:
            return ChildError(_LATE)
        status = self.process.returncode
        name = signal.Signals(-status).name if -status in signal.valid_signals() else ""
        if not self.used and not name:
            return ChildError("did not begin, as its process did not start (see `ultracurate doctor`)")
        return ChildError(_ENDS.get(name, "crashed the library that reads it"))

    def end(self) -> None:
        """Kill it, if it still runs, and close its pipes."""
        self.process.kill()
        self.close()
        self.process.wait()

    def close(self) -> None:
        """Close our ends of the pipes; a process that waits for work ends by that."""
        for pipe in (self._sink, self._source):
            with contextlib.suppress(OSError):  # of a broken pipe that still holds something to be sent
                pipe.close()


_idle: dict[str, list[Child]] = {}


@contextlib.contextmanager
def borrowed(module: str, environment: Mapping[str, str] | None = None) -> Iterator[Child]:
    """A child of the module that waits for work, or a new one; it is kept for the next file unless it is `busy`."""
    idle = _idle.setdefault(module, [])
    child = None
    while child is None:
        try:
            child = idle.pop()  # one step, so threads cannot take the same one
        except IndexError:
            child = Child(module, environment)
            break
        if child.process.poll() is not None:  # it ended while it was idle
            child.end()
            child = None
    try:
        yield child
    finally:
        if child.busy:
            child.end()
        else:
            idle.append(child)


def end_idle() -> None:
    """End all children that wait for work."""
    for idle in _idle.values():
        while idle:
            idle.pop().end()


def _forget() -> None:
    """After a fork: the children belong to the parent, and must see their pipes closed when it ends."""
    for idle in _idle.values():
        for child in idle:
            child.close()
            child.process.returncode = 0
        idle.clear()


atexit.register(end_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
