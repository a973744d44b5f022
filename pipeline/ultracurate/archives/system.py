"""The members of a 7z or RAR archive, which a child process reads with the system's libarchive."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, BinaryIO

from ultracurate.archives.libarchive_child import BLOCK, RANGE
from ultracurate.archives.member import MIB, UNKNOWN, ArchiveLimits, Member, is_noise, measure, normalise
from ultracurate.archives.rar import RarIndex, rar_index
from ultracurate.core.child import Child, ChildError
from ultracurate.core.errors import MissingExtraError, RowError

MOST_MEMORY = 2 << 30
"""Bytes of address space of the child; the largest dictionary of 7-Zip's own settings needs 1.5 GiB."""

STEP_SECONDS = 4
"""Of computing, for a step, beside what the bytes to unpack in it need."""

SLOWEST = 4 * MIB
"""Bytes a second: PPMd, the slowest method, unpacks more than twice as many."""

_FAILURES = {
    "absent": (
        "expected the system's libarchive, which opens 7z and rar archives, found none. Install it (Debian, Ubuntu: "
        "libarchive13; macOS: brew install libarchive; conda: libarchive), then run again"
    ),
    "unsupported": (
        "expected a compression that libarchive unpacks, found another (a solid RAR 4, a very large dictionary or a "
        "rare method). Pack the files as zip"
    ),
    "memory": f"expected to unpack it within {MOST_MEMORY >> 20} MiB, found a larger dictionary. Pack the files as zip",
    "damaged": "damaged, truncated, or its last volumes are missing; fetch the file again",
    "encrypted": "encrypted; unpack it with its password, and add the folder as a local source",
}


class _Library:
    """The process that holds the archive, and the questions to it."""

    def __init__(self, fileobj: BinaryIO) -> None:
        self._file = fileobj
        # Names are stored in UTF-16 or UTF-8; libarchive can only hand them over in a locale that has all characters.
        locale = {"LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"}
        self._child = Child("ultracurate.archives.libarchive_child", locale)
        self.close = self._child.end

    def open(self, kind: str) -> None:
        self._ask(b"O", STEP_SECONDS, {"kind": kind, "size": measure(self._file), "memory": MOST_MEMORY})

    def next(self, unread: int) -> dict[str, Any] | None:
        """The next `members`, of which only the last has data, and `folders`; None at the end of the archive.

        `unread` bytes may have to be unpacked before.
        """
        kind, payload = self._ask(b"N", STEP_SECONDS + unread // SLOWEST)
        return json.loads(payload) if kind == b"H" else None

    def data(self, unread: int) -> bytes:
        """The next piece of the member, b"" at its end."""
        return self._ask(b"D", STEP_SECONDS + unread // SLOWEST)[1]

    def _ask(self, what: bytes, seconds: int, settings: dict[str, Any] | None = None) -> tuple[bytes, bytes]:
        try:
            kind, payload = self._child.ask(what, json.dumps(settings).encode(), seconds=seconds, back=self._read)
        except ChildError:
            raise RowError(
                f"expected an answer of libarchive within {seconds} s of computing, found that it had ended: the "
                "archive is damaged, or made to keep it busy; fetch it again"
            ) from None
        if kind == b"X":
            raise _FailureError(payload.decode("ascii", "replace"))
        return kind, payload

    def _read(self, asked: bytes) -> bytes:
        at, length = RANGE.unpack(asked)
        self._file.seek(at)
        return self._file.read(min(length, BLOCK))


class _FailureError(RowError):
    """What the child said, in its one word."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(_FAILURES.get(word, _FAILURES["damaged"]))

    def __reduce__(self) -> tuple[type[_FailureError], tuple[str]]:
        """Rebuilt from its own argument: errors travel between worker processes."""
        return type(self), (self.word,)


def system_members(fileobj: BinaryIO, kind: str, limits: ArchiveLimits) -> Iterator[Member | None]:
    """Members in order, None for a folder or a system file; each can be read until the next one is taken.

    An archive whose list of files is encrypted is one member without a path, with that problem.

    Args:
        fileobj: seekable.
        kind: 7z or rar.
        limits: what is refused.

    Raises:
        RowError: damaged, or of a kind that libarchive does not read, or libarchive is not installed.
        MissingExtraError: libarchive-c is not installed.
    """
    if find_spec("libarchive") is None:
        raise MissingExtraError(f"A {kind} archive", "archives")
    packed = measure(fileobj)
    library = _Library(fileobj)
    reading = _Reading(library, limits)
    try:
        index = rar_index(fileobj, limits.max_members) if kind == "rar" else RarIndex()
        library.open(kind)
        while True:
            try:
                batch = library.next(reading.unread)
            except _FailureError as exc:
                if exc.word == "encrypted" and not reading.number:
                    yield Member("", UNKNOWN, None, "encrypted", _nothing)
                    return
                raise
            if batch is None:
                if not index.complete:
                    raise RowError("expected the last volume of the archive, found none; add the missing volumes")
                return
            yield from [None] * batch["folders"]
            for facts in batch["members"]:
                path = normalise(facts["path"])
                size = facts["size"] if facts["size_is_set"] else UNKNOWN
                reading.take(size)
                if reading.declared > max(MIB, limits.max_ratio * packed):
                    # In one stream the library unpacks what lies before a member, also where it was refused.
                    raise RowError(f"a compression ratio above {limits.max_ratio}; the rest was not read")
                problem = index.problems.get(path) or _problem(facts)
                chunks = reading.reader(index.checksums.get(path))
                yield None if is_noise(path) else Member(path, size, None, problem, chunks)
    finally:
        reading.take(0)  # no member can be read any more
        library.close()


class _Reading:
    """Where the one pass over the archive stands."""

    def __init__(self, library: _Library, limits: ArchiveLimits) -> None:
        self._library, self._limits = library, limits
        self.number = self.declared = self.unread = 0

    def take(self, size: int) -> None:
        """A next member of so many bytes."""
        self.number += 1
        self.declared += max(size, 0)
        self.unread += size if size >= 0 else self._limits.max_member_bytes
        self._left = size
        self._started = False

    def reader(self, checksum: int | None) -> Callable[[], Iterator[bytes]]:
        """Reads the member taken last, once; `checksum` is its CRC-32 where libarchive does not check it."""
        number = self.number

        def chunks() -> Iterator[bytes]:
            if number == self.number and self._started:
                raise RowError("a member of a 7z or rar archive was read a second time; keep what was read")
            size, declared, found = 0, self._left, 0
            most = declared if declared >= 0 else self._limits.max_member_bytes
            while True:
                if number != self.number:
                    raise RowError("a member of a 7z or rar archive was read after the next one; read it in order")
                self._started = True
                data = self._library.data(self.unread) if declared else b""
                if not data:
                    break
                size, found = size + len(data), zlib.crc32(data, found)
                self.unread = max(0, self.unread - len(data))
                if size > most:
                    raise RowError(f"archive member: expected at most {most} bytes, found more; the archive is damaged")
                yield data
            if declared >= 0 and size < declared:
                raise RowError(f"archive member: expected {declared} bytes, found {size}; the archive is truncated")
            if checksum is not None and found != checksum:
                raise RowError("archive member: its content does not fit its checksum; the archive is damaged")

        return chunks


def _problem(facts: dict[str, Any]) -> str | None:
    kind = facts["filetype"] & 0o170000
    if facts["symlink"] or kind == 0o120000:
        return "a symbolic link"
    if facts["hardlink"]:
        return "a hard link"
    if kind not in (0, 0o100000):
        return "a device or another special file"
    if facts["is_encrypted"]:
        return "encrypted"
    return "a sparse file" if facts["sparse_count"] else None


def _nothing() -> Iterator[bytes]:
    return iter(())
