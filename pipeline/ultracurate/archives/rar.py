"""What the headers of a RAR 5 archive say that libarchive does not: encryption, checksums, copies, missing volumes.

libarchive hands out the data of an encrypted member as if it were content, checks no checksum of a stored one, and
takes an archive whose first volume is missing for an empty one. Format: https://www.rarlab.com/technote.htm.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from ultracurate.archives.member import normalise
from ultracurate.core.errors import RowError

SIGNATURE = b"Rar!\x1a\x07\x01\x00"
LONGEST_HEADER = 2 << 20
_MAIN, _FILE, _ENCRYPTION, _END = 1, 2, 4, 5  # types of blocks
_HAS_EXTRA, _HAS_DATA, _GOES_ON = 1, 2, 8  # flags of blocks
_REDIRECTIONS = {1: "a symbolic link", 2: "a symbolic link", 3: "a symbolic link", 4: "a hard link"}


@dataclass(slots=True)
class RarIndex:
    """By normalised path: what is wrong with a member, and the CRC-32 of its content."""

    problems: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, int] = field(default_factory=dict)
    complete: bool = True  # the last volume there is the last one


def rar_index(file: BinaryIO, most: int) -> RarIndex:
    """Read the headers of all volumes; empty for a RAR 4, of which libarchive tells everything itself.

    It stops where a header is damaged: libarchive will meet the same.

    Args:
        file: seekable, of one or all volumes.
        most: members that are allowed.

    Raises:
        RowError: it begins with a later volume, or has far more blocks than members may be.
    """
    index = RarIndex()
    at = 0
    for count in range(2 * most + 1_000):
        file.seek(at)
        if file.read(len(SIGNATURE)) == SIGNATURE:  # also where a next volume begins
            at += len(SIGNATURE)
        elif not count:
            return index
        file.seek(at)
        block = _block(file)
        if block is None:
            return index
        kind, flags, fields, extra, size, length = block
        at += length + size
        if kind == _ENCRYPTION:
            return index
        try:
            if kind == _MAIN and count == 0 and fields.number() & 2 and fields.number():
                raise RowError("expected the first volume of the archive, found a later one; add the volumes before it")
            if kind == _FILE and not flags & _GOES_ON:
                _note(fields, extra, index)
            elif kind == _FILE and (path_crc := _name_and_checksum(fields))[1] is not None:
                index.checksums[path_crc[0]] = path_crc[1]  # of a member in several volumes the last part has it
            elif kind == _END:
                index.complete = not fields.number() & 1
        except IndexError:
            return index
    raise RowError(f"expected at most {most} members, found far more blocks")


class _Fields:
    """The fields of a header in their order."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        """Seven bits in a byte, the lowest first; an `IndexError` if the header ends before."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise IndexError

    def take(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - size : self._at]

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def _block(file: BinaryIO) -> tuple[int, int, _Fields, bytes, int, int] | None:
    """(type, flags, own fields, extra area, bytes of data, bytes of the header); None if it is no sound header."""
    start = file.read(7)
    try:
        prefix = _Fields(start[4:])
        size = prefix.number()
    except IndexError:
        return None
    used = len(start) - 4 - prefix.left
    if not 2 <= size <= LONGEST_HEADER:
        return None
    header = start[4:] + file.read(max(0, used + size - 3))
    header = header[: used + size]
    if len(header) < used + size or zlib.crc32(header) != int.from_bytes(start[:4], "little"):
        return None
    try:
        fields = _Fields(header[used:])
        kind, flags = fields.number(), fields.number()
        extra_size = fields.number() if flags & _HAS_EXTRA else 0
        data_size = fields.number() if flags & _HAS_DATA else 0
        own = fields.take(fields.left - extra_size) if extra_size <= fields.left else b""
        return kind, flags, _Fields(own), fields.take(fields.left), data_size, 4 + len(header)
    except IndexError:
        return None


def _name_and_checksum(fields: _Fields) -> tuple[str, int | None]:
    flags, _, _ = fields.number(), fields.number(), fields.number()  # size, attributes
    if flags & 2:
        fields.take(4)  # time
    checksum = int.from_bytes(fields.take(4), "little") if flags & 4 else None
    fields.number(), fields.number()  # method, system
    return normalise(fields.take(fields.number()).decode("utf-8", "surrogateescape")), checksum


def _note(fields: _Fields, extra: bytes, index: RarIndex) -> None:
    path, checksum = _name_and_checksum(fields)
    if checksum is not None:
        index.checksums.setdefault(path, checksum)  # a second member of one path is refused
    area = _Fields(extra)
    while area.left:
        record = _Fields(area.take(area.number()))
        kind = record.number()
        if kind == 1:
            index.problems[path] = "encrypted"
        elif kind == 5:
            index.problems[path] = _REDIRECTIONS.get(record.number(), "a reference to another member")
