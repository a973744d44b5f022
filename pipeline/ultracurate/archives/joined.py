"""Several files, or ranges of files, read as one, without a copy: the volumes of an archive, or a stored member."""

from __future__ import annotations

import errno
import io
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, cast

BUFFER = 1 << 16


class Piece(NamedTuple):
    """A range of a file."""

    file: BinaryIO
    start: int
    length: int


class _Joined(io.RawIOBase):
    """Moves in the pieces' files as it reads; closes none of them."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.size = sum(piece.length for piece in pieces)
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        target = offset + (0, self.at, self.size)[whence]
        if target < 0:
            raise OSError(errno.EINVAL, "a place in front of the first byte")  # as files do; zipfile tries it
        self.at = target
        return target

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer, but this is what comes
        found = locate(self.pieces, self.at)
        if found is None:
            return 0
        number, inside = found
        piece = self.pieces[number]
        piece.file.seek(piece.start + inside)
        data = piece.file.read(min(len(buffer), piece.length - inside))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


def joined(pieces: Sequence[Piece]) -> BinaryIO:
    """A seekable reader of the pieces, one behind the other; it is valid as long as their files are open."""
    return cast(BinaryIO, io.BufferedReader(_Joined(pieces), BUFFER))


def locate(pieces: Sequence[Piece], at: int, length: int = 0) -> tuple[int, int] | None:
    """(number of the piece, offset in it) where a byte of the joined file lies.

    None behind the end, and where the `length` bytes from there on do not lie in one piece.
    """
    for number, piece in enumerate(pieces):
        if at < piece.length:
            return (number, at) if at + length <= piece.length else None
        at -= piece.length
    return None
