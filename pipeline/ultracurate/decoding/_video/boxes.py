"""The boxes of an MP4 or QuickTime file: whether it is whole, and how many frames its tables announce."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding.limits import MAX_FRAMES, check_size

_FOLDERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"mvex", b"udta", b"tapt"}
)
_MAX_DEPTH = 8
_MAX_BOXES = 200_000
MAX_SAMPLES = 10_000_000
"""Entries that FFmpeg may have to keep for tracks other than pictures: sound of 50 hours."""


def refuse_incomplete_boxes(data: bytes, fmt: str) -> None:
    """Check the sizes of all boxes against the file, and their counts against what memory can hold.

    FFmpeg keeps 24 bytes for each announced sample before it reads the first one, and a table of equal samples takes
    no room in the file: a kilobyte could ask for gigabytes (ISO/IEC 14496-12, 8.6 and 8.7).

    Raises:
        RowError: a box does not fit, there is no index, or too many frames are announced.
    """
    index = False
    pictures = other = 0
    track, pcm, edits = b"", False, 1
    for number, (kind, start, end) in enumerate(_boxes(data, 0, len(data), fmt)):
        if number > _MAX_BOXES or kind == b"cmov":
            raise RowError(
                f"{fmt}: expected {_MAX_BOXES} plain boxes at most, found more or packed ones; write it anew"
            )
        index |= kind == b"moov"
        if kind == b"hdlr" and data[start + 4 : start + 8] != b"dhlr":
            track, pcm = data[start + 8 : start + 12], False
        if kind == b"stts":
            # Uncompressed sound has one sample for each number; FFmpeg keeps those by chunks.
            pcm = data[start + 4 : start + 8] == b"\0\0\0\1" and data[start + 12 : start + 16] == b"\0\0\0\1"
        # FFmpeg repeats the entries of all samples for each edit.
        edits = 1 if kind == b"trak" else max(1, _count(data, start)) if kind == b"elst" else edits
        count = _announced(data, kind, start, end)
        if track == b"vide" and kind != b"trun":
            pictures = max(pictures, count)
            other += count * (edits - 1)
        elif not pcm or kind == b"trun":
            other += count * edits
    if not index:
        raise RowError(f"{fmt}: expected an index (a moov box), found none: the recording was never finished")
    if pictures > MAX_FRAMES:
        check_size(1, 1, pictures, fmt)
    if other > MAX_SAMPLES:
        raise RowError(f"{fmt}: expected at most {MAX_SAMPLES} samples, found {other}; cut the file into parts")


def _boxes(data: bytes, at: int, end: int, fmt: str, depth: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of the content of every box, folders before what lies in them.

    A box in a folder that is longer than it is cut, as FFmpeg does; an outermost one means a file cut short.
    """
    while at + 8 <= end:
        size, kind, header = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size == 0:  # it reaches to the end
            size = end - at
        if size < header and depth:
            return
        if size < header or (at + size > end and not depth):
            raise RowError(
                f"{fmt}: truncated or damaged: a box of {size} bytes at byte {at} does not fit into {end} bytes; "
                "fetch the file again"
            )
        size = min(size, end - at)
        yield kind, at + header, at + size
        if kind in _FOLDERS and depth < _MAX_DEPTH:
            yield from _boxes(data, at + header, at + size, fmt, depth + 1)
        at += size


def _announced(data: bytes, kind: bytes, start: int, end: int) -> int:
    """Samples that one table speaks of; 0 for every other box."""
    count = _count(data, start)
    if kind == b"trun":
        return count
    if kind in (b"stsz", b"stz2"):
        return int.from_bytes(data[start + 8 : start + 12], "big")
    if kind in (b"stts", b"ctts"):
        table = np.frombuffer(data, ">u4", min(2 * count, (end - start - 8) // 4 & ~1), start + 8)
        return int(table[::2].sum(dtype=np.int64))
    return 0


def _count(data: bytes, start: int) -> int:
    return int.from_bytes(data[start + 4 : start + 8], "big")
