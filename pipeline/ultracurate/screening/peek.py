"""The names and sizes inside a remote zip, from its directory at the end: a few ranges instead of the whole archive."""

from __future__ import annotations

import http.client
import io
import struct
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import urllib3

from ultracurate.core.errors import RowError
from ultracurate.core.log import event
from ultracurate.screening.contents import has_images, kind, kinds
from ultracurate.sources import Candidate, RemoteFile, Source

OpenAt = Callable[[RemoteFile, int], IO[bytes]]
"""`Source.open`: the bytes of a file from an offset on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much looking into one archive may cost."""

    max_bytes: int = 4 << 20
    max_names: int = 20_000
    seconds: float = 60.0
    block: int = 64 << 10
    """Bytes asked for at once, at least."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen inside an archive."""

    members: tuple[RemoteFile, ...] | None
    """Its members with their names and sizes; None where nobody could look."""
    note: str
    """Why not, or how much was seen; for people."""


LIMITS = Limits()
MAX_ARCHIVES = 8
"""Archives of one record that are looked into, the largest first."""
_FAILURES = (
    RowError, OSError, EOFError, ValueError, OverflowError, struct.error, zipfile.BadZipFile, NotImplementedError,
    urllib3.exceptions.HTTPError, http.client.HTTPException,
)  # fmt: skip


class _TooMuchError(RowError):
    """Looking costs more than it may."""


class RangeReader(io.RawIOBase):
    """A remote file as a seekable one: reads become ranges, in blocks that are kept.

    Raises:
        RowError: more bytes or seconds than allowed, or fewer bytes than the host stated.
    """

    def __init__(self, open_at: OpenAt, file: RemoteFile, size: int, limits: Limits = LIMITS) -> None:
        super().__init__()
        self._open_at, self._file, self._size, self._limits = open_at, file, size, limits
        self._blocks: dict[int, bytes] = {}
        self._place = 0
        self._end = time.monotonic() + limits.seconds
        self.transferred = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The place in bytes."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; before the start is a ValueError."""
        place = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence] + offset
        if place < 0:
            raise ValueError("a place before the start of the file")
        self._place = place
        return place

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes from here; all the rest for -1, within the limits."""
        left = max(0, self._size - self._place)
        size = left if size is None or size < 0 else min(size, left)
        if not size:
            return b""
        block = self._limits.block
        first, last = self._place // block, (self._place + size - 1) // block
        if size > self._limits.max_bytes:
            raise _TooMuchError(f"its directory needs more than {self._limits.max_bytes} bytes")
        missing = [number for number in range(first, last + 1) if number not in self._blocks]
        if missing:
            self._fetch(missing[0], missing[-1])
        joined = b"".join(self._blocks[number] for number in range(first, last + 1))
        start = self._place - first * block
        self._place += size
        return joined[start : start + size]

    def _length(self, number: int) -> int:
        return min(self._limits.block, self._size - number * self._limits.block)

    def _fetch(self, first: int, last: int) -> None:
        """Blocks `first` to `last` in one request; the host may send them as slowly as the time allows."""
        wanted = sum(self._length(number) for number in range(first, last + 1))
        if self.transferred + wanted > self._limits.max_bytes:
            raise _TooMuchError(f"its directory needs more than {self._limits.max_bytes} bytes")
        body = bytearray()
        with closing(self._open_at(self._file, first * self._limits.block)) as stream:
            read = getattr(stream, "read1", stream.read)  # read1: what is there, so that the clock is looked at
            while len(body) < wanted:
                if time.monotonic() > self._end:
                    raise _TooMuchError(f"the host took more than {self._limits.seconds:g} seconds")
                data = read(min(wanted - len(body), 16 << 10))
                if not data:
                    raise RowError(f"expected {wanted} bytes, found {len(body)}: the host ended early")
                body += data
        self.transferred += len(body)
        for number in range(first, last + 1):
            start = (number - first) * self._limits.block
            self._blocks[number] = bytes(body[start : start + self._length(number)])


def look_into(open_at: OpenAt, file: RemoteFile, limits: Limits = LIMITS) -> Look:
    """The names inside one archive; only zips can be read without fetching them, everything else stays unknown."""
    if not file.name.lower().endswith(".zip"):
        return Look(None, "only zips show their names without being fetched; it may hold images")
    if not file.size:
        return Look(None, "the host states no size, so its end cannot be found")
    if file.problem:
        return Look(None, "the file cannot be used")
    reader = RangeReader(open_at, file, file.size, limits)
    try:
        with zipfile.ZipFile(reader) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir()]
    except _FAILURES as exc:
        # The words of a host or archive may hold addresses or member names: only our own are repeated.
        said = str(exc) if isinstance(exc, _TooMuchError) else type(exc).__name__
        event("screening.no_look", kind=type(exc).__name__, transferred=reader.transferred)
        return Look(None, f"could not look inside ({said})")
    kept = tuple(RemoteFile(info.filename[:1024], file.url, info.file_size) for info in listed[: limits.max_names])
    return Look(kept, f"{len(listed)} members, seen in {reader.transferred} bytes")


def peek(source: Source, candidate: Candidate, limits: Limits = LIMITS) -> list[RemoteFile] | None:
    """What is inside a record's archives; None where nobody could tell whether there are images.

    Members with images among them tell, even if not every archive could be looked into. Of more than `MAX_ARCHIVES`
    archives the largest are looked into.
    """
    archives = [file for file in candidate.files if kind(file.name) == "archive"]
    archives.sort(key=lambda file: (-(file.size or 0), file.name))
    looks = [look_into(source.open, file, limits).members for file in archives[:MAX_ARCHIVES]]
    members = [member for found in looks for member in found or ()]
    seen = kinds(members)
    complete = 0 < len(archives) <= MAX_ARCHIVES and None not in looks and not seen["archive"]
    return members if has_images(seen) or complete else None
