"""Compressed streams (gzip, bzip2, xz, zstd), unpacked forward in small steps, and files that are nothing else."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ultracurate.archives.member import MIB, UNKNOWN, Budget, Member, measure
from ultracurate.core.errors import RowError

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
STEP = 1 << 16
SHORTEST = 64
"""Bytes that a stream has at the least, on average beyond the first MiB; blocks of BGZF have thousands."""
MOST_DICTIONARY = 512 * MIB
"""What an xz stream may make the reader hold; `xz -9` needs 65 MiB."""


def compression(head: bytes) -> str | None:
    """The compression by the first six bytes, None if it is none of `MAGIC`."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


class Unpacked:
    """The unpacked bytes of a compressed file, read forward; streams that follow each other are one.

    Its reads raise what the codecs raise on damage, and `EOFError` on a truncated file.
    """

    def __init__(self, source: Callable[[int], bytes], kind: str) -> None:
        """Args: `source` reads up to so many packed bytes, b"" at the end; `kind` is a value of `MAGIC`."""
        self.packed = 0  # bytes taken from the source
        self.streams = 0  # that began; not counted for zstd
        self._source, self._kind = source, kind
        self._codec: Any = None
        self._rest = b""  # packed bytes behind the end of a stream
        self._over = False
        self._zstd = _zstd(self._take) if kind == "zstd" else None

    def read(self, size: int) -> bytes:
        """Between 1 and `size` bytes; b"" at the end."""
        if self._zstd is not None:
            return bytes(self._zstd.read(size))
        while not self._over:
            if self._codec is None and not self._start():
                break
            idle = self._kind == "gzip" or self._codec.needs_input
            fresh = self._rest or (self._take(STEP) if idle else b"")
            self._rest = b""
            if self._kind == "gzip":
                data = self._codec.decompress(fresh, size)
                self._rest = self._codec.unconsumed_tail
            else:
                data = self._codec.decompress(fresh, size)
            if self._codec.eof:
                self._rest, self._codec = self._codec.unused_data, None
            elif not data and not fresh and idle:
                raise EOFError
            if data:
                return bytes(data)
        return b""

    def _take(self, size: int) -> bytes:
        data = self._source(size)
        self.packed += len(data)
        return data

    def _start(self) -> bool:
        """Begin the next stream; zeros may lie between streams and after the last."""
        while True:
            if self.streams:
                self._rest = self._rest.lstrip(b"\0")
            if self._rest:
                break
            self._rest = self._take(STEP)
            if not self._rest:
                self._over = True
                return False
        self.streams += 1
        if self.streams * SHORTEST > self.packed + MIB:
            raise ValueError("next to empty streams without end")
        if self._kind == "gzip":
            self._codec = zlib.decompressobj(wbits=31)
        elif self._kind == "bzip2":
            self._codec = bz2.BZ2Decompressor()
        else:
            self._codec = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_DICTIONARY)
        return True


def _zstd(take: Callable[[int], bytes]) -> Any:
    import pyarrow as pa

    class Packed:
        """As much of a file as pyarrow asks for."""

        closed = False

        def read(self, size: int = STEP) -> bytes:
            return take(size)

        def close(self) -> None:
            """The caller closes the file."""

    return pa.CompressedInputStream(pa.PythonFile(Packed(), mode="r"), "zstd")


def packed_member(file: BinaryIO, head: bytes, budget: Budget) -> Member:
    """The content of a single compressed file, as the one member without a path.

    Its size is not known before it was read, so it is counted while it comes. A gzip file of one stream (the rule) is
    a deflate stream with something around it: once it was read, its content can be found there again.
    """
    streams: list[int] = []  # how many there were, once all was read

    def chunks() -> Iterator[bytes]:
        file.seek(0)
        return budget.meter(unpack(file.read, head, budget.limits.max_ratio, streams))

    deflate = _deflate_in_gzip(file) if compression(head) == "gzip" else None
    return Member("", UNKNOWN, None, None, chunks, deflate, single=lambda: streams[-1:] == [1])


def unpack(
    source: Callable[[int], bytes], head: bytes, max_ratio: int, streams: list[int] | None = None
) -> Iterator[bytes]:
    """The content of a compressed file in pieces of at most 1 MiB.

    Args:
        source: reads up to so many packed bytes, b"" at the end.
        head: how the file begins, to tell the compression.
        max_ratio: unpacked by packed size, above 1 MiB.
        streams: gets the number of streams in the file, at the end.

    Raises:
        RowError: no compressed file, or one that unpacks to more than `max_ratio` times its size.
        EOFError: it is truncated; other errors of the codecs: it is damaged.
    """
    kind = compression(head)
    if kind is None:
        raise RowError("expected gzip, bzip2, xz or zstd, as the name says, found other content; fetch the file again")
    stream, size = Unpacked(source, kind), 0
    while data := stream.read(MIB):
        size += len(data)
        if size > MIB and size > max_ratio * stream.packed:
            raise RowError(f"a compression ratio above {max_ratio}; the rest was not read")
        yield data
    if streams is not None:
        streams.append(stream.streams)


def _deflate_in_gzip(file: BinaryIO) -> tuple[int, int] | None:
    """Offset and length of what lies behind the header of a gzip file (RFC 1952): a deflate stream and its checksum."""
    size = measure(file)
    head = file.read(STEP)
    at = 10
    try:
        if head[3] & 4:
            at += 2 + int.from_bytes(head[at : at + 2], "little")
        for flag in (8, 16):  # the name and a comment, each up to a zero byte
            at = head.index(b"\0", at) + 1 if head[3] & flag else at
    except (IndexError, ValueError):
        return None
    at += 2 if head[3] & 2 else 0
    return (at, size - at) if at < size else None
