"""Unpacks gzip, zlib and bzip2 data up to a known length, and not one byte further."""

from __future__ import annotations

import bz2
import zlib
from typing import Literal

from ultracurate.core.errors import RowError

Packing = Literal["gzip", "zlib", "deflate", "bzip2"]
Buffer = bytes | bytearray | memoryview

_WINDOW: dict[Packing, int] = {"gzip": 31, "zlib": 15, "deflate": -15}
_FIRST_STEP, _STEP = 1 << 12, 1 << 20
_MOST = 1_032  # bytes that one byte of a deflate stream can hold
_MAX_STREAMS = 10_000


def inflate(packed: Buffer, length: int, packing: Packing, fmt: str, *, exact: bool = True) -> bytearray:
    """The first `length` bytes of a packed stream.

    Args:
        packed: the stream; what follows its end, or the wanted length, is ignored. Members of a gzip file and
            streams of a bzip2 file that follow each other are one.
        length: bytes that are wanted, by the header of the file.
        packing: how it is packed; "deflate" is a raw stream.
        fmt: for the message.
        exact: less than `length` is an error; without it the stream may be shorter.

    Raises:
        RowError: the stream ends before, or is cut into thousands of streams.
        zlib.error, OSError: it is damaged.
    """
    view = memoryview(packed)
    if exact and packing != "bzip2" and length > _MOST * (len(view) + 1):
        raise _short(fmt, length, "far less")
    out = bytearray()
    at = streams = 0
    while len(out) < length and at < len(view):
        expander = _expander(packing)
        step = _FIRST_STEP  # small at first: what a short stream leaves over is copied
        # The limit of `decompress` is above zero here (zero would mean none), so it takes all of a chunk, or ends.
        while len(out) < length and at < len(view) and not expander.eof:
            chunk = bytes(view[at : at + step])
            at, step = at + len(chunk), min(_STEP, 2 * step)
            out += expander.decompress(chunk, length - len(out))
        at -= len(expander.unused_data)
        streams += 1
        if packing in ("zlib", "deflate"):
            break
        if streams > _MAX_STREAMS:
            raise RowError(f"{fmt}: expected at most {_MAX_STREAMS} packed streams in a row, found more")
    if exact and len(out) < length:
        raise _short(fmt, length, str(len(out)))
    return out


def _expander(packing: Packing) -> bz2.BZ2Decompressor | zlib._Decompress:
    return bz2.BZ2Decompressor() if packing == "bzip2" else zlib.decompressobj(_WINDOW[packing])


def _short(fmt: str, length: int, found: str) -> RowError:
    return RowError(f"{fmt}: truncated: expected {length} bytes of packed values, found {found}; fetch the file again")
