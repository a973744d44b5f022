"""Cuts encapsulated pixel data into frames, and reads in each coded frame what it will unpack to."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ultracurate.core.errors import RowError
from ultracurate.decoding.limits import MAX_FRAMES

MAX_FRAGMENTS = 8 * MAX_FRAMES
MAX_TILES = 4096
"""Tiles of one JPEG 2000 picture: each costs a decoder some kilobytes before its first pixel."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")  # JPEG and JPEG-LS, JPEG 2000, JP2
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})
_HEAD = 1 << 20  # comments and profiles may stand before a JPEG's frame header

Fragment = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Coded:
    """What a codestream says about itself.

    Attributes:
        kind: jpeg, jpeg12 (sequential or progressive, up to 8 or 12 bits), lossless, jpegls or jpeg2000.
        width: pixels.
        height: pixels.
        samples: per pixel.
        bits: precision of a sample.
        rgb: the samples are red, green and blue as they come out; None: the header of the file must say.
        scans: how often decoding visits the picture.
    """

    kind: str
    width: int
    height: int
    samples: int
    bits: int
    rgb: bool | None = None
    scans: int = 1


def cut(value: memoryview, frames: int, offsets: Sequence[int], *, one_each: bool) -> list[list[Fragment]]:
    """The fragments of each frame as (start, end) in `value`.

    By the extended offset table, else by the basic one, else, where neither is there or fits the items, by count and
    by the first bytes of the fragments.

    Args:
        value: encapsulated pixel data from the item of the basic offset table on.
        frames: by the header.
        offsets: of the extended offset table, or nothing.
        one_each: each frame is one fragment (RLE, PS3.5 A.4.2).

    Raises:
        RowError: damaged or truncated items, or more or fewer frames than the header says.
    """
    items = fragments(value)
    if not items:
        raise RowError("dicom: expected encapsulated pixel data, found none")
    (table_start, table_end), items = items[0], items[1:]
    words = (table_end - table_start) // 4
    basic = struct.unpack(f"<{words}I", value[table_start : table_start + 4 * words])
    for table in (offsets, basic):
        groups = _by_table(items, table, table_end) if len(table) == frames else None
        if groups is not None and (frames > 1 or len(items) == 1):
            return groups
    items = [item for item in items if item[1] > item[0]]
    if len(items) == frames:
        return [[item] for item in items]
    starts = [number for number, (at, _) in enumerate(items) if bytes(value[at : at + 8]).startswith(_STARTS)]
    if not one_each and starts and starts[0] == 0 and len(starts) == frames:
        return [items[one:other] for one, other in zip(starts, [*starts[1:], len(items)], strict=True)]
    if not one_each and frames == 1 and items and not starts:
        return [items]
    found = len(items) if one_each or not starts else len(starts)
    raise RowError(f"dicom: its header says {frames} frames, its pixel data hold {found}; one of them is wrong")


def fragments(value: memoryview) -> list[Fragment]:
    """(start, end) of every item in encapsulated pixel data, that of the basic offset table among them.

    Raises:
        RowError: an item reaches past the end, is of undefined length, or there are far too many.
    """
    found: list[Fragment] = []
    at = 0
    while at + 8 <= len(value):
        tag, (length,) = bytes(value[at : at + 4]), struct.unpack("<I", value[at + 4 : at + 8])
        if tag == _END:
            return found
        if tag != _ITEM or at + 8 + length > len(value):
            raise RowError(f"dicom: item {len(found)} of its pixel data is damaged or cut short; fetch the file again")
        found.append((at + 8, at + 8 + length))
        if len(found) > MAX_FRAGMENTS:
            raise RowError(f"dicom: expected at most {MAX_FRAGMENTS} parts of pixel data, found more")
        at += 8 + length
    # The end mark is missing: some writers leave it out, and all items were whole.
    return found


def _by_table(items: list[Fragment], table: Sequence[int], start: int) -> list[list[Fragment]] | None:
    """Items grouped by a table of offsets, or None if it does not point at items in rising order."""
    number_at = {item_start - 8 - start: number for number, (item_start, _) in enumerate(items)}
    numbers = [number_at.get(offset, -1) for offset in table]
    if not numbers or numbers[0] != 0 or any(one >= other for one, other in pairwise(numbers)):
        return None
    return [items[one:other] for one, other in zip(numbers, [*numbers[1:], len(items)], strict=True)]


def coded(frame: bytes) -> Coded:
    """Kind and size of one coded frame, from its own header.

    Raises:
        RowError: neither JPEG nor JPEG-LS nor JPEG 2000, or without a frame header.
    """
    if frame.startswith(_STARTS[0]):
        return _jpeg(frame)
    at = frame.find(_STARTS[1], 0, _HEAD)
    if frame.startswith(_STARTS[1:]) and at >= 0:
        return _jpeg2000(frame, at)
    raise RowError("dicom: expected JPEG, JPEG-LS or JPEG 2000 in its pixel data, found something else")


def _jpeg(frame: bytes) -> Coded:
    at, adobe, jfif = 2, None, False
    while at + 4 <= min(len(frame), _HEAD):
        if frame[at] != 0xFF:
            break
        marker = frame[at + 1]
        if marker == 0xFF or marker in _NO_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        body = frame[at + 4 : at + 2 + length]
        if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        jfif = jfif or (marker == 0xE0 and body.startswith(b"JFIF"))
        kind = _jpeg_kind(marker, body[0] if body else 0)
        if kind and len(body) >= 6:
            bits, height, width, samples = struct.unpack(">BHHB", body[:6])
            rgb = _jpeg_rgb(adobe, jfif, body[6::3][:samples]) if kind in ("jpeg", "jpeg12") else None
            return Coded(kind, width, height, samples, bits, rgb, frame.count(b"\xff\xda"))
        at += 2 + length
    raise RowError("dicom: a JPEG in its pixel data has no frame header; the file is damaged")


def _jpeg_kind(marker: int, bits: int) -> str:
    if marker in (0xC0, 0xC1, 0xC2):
        if bits not in (8, 12):
            raise RowError(f"dicom: expected a JPEG of 8 or 12 bits in its pixel data, found {bits}")
        return "jpeg" if bits == 8 else "jpeg12"
    return {0xC3: "lossless", 0xF7: "jpegls"}.get(marker, "")


def _jpeg_rgb(adobe: int | None, jfif: bool, ids: bytes) -> bool | None:
    """Whether three samples are RGB: Adobe's mark, the names of the components, then JFIF, which is always YCbCr."""
    if adobe is not None:
        return adobe == 0
    if ids in (b"RGB", b"rgb"):
        return True
    return False if jfif else None


def _jpeg2000(frame: bytes, at: int) -> Coded:
    try:
        # SIZ: marker, length, capabilities, then the grid (ISO 15444-1 A.5.1).
        x1, y1, x0, y0, tile_w, tile_h, tile_x, tile_y, samples, depth = struct.unpack(
            ">8IHB", frame[at + 8 : at + 8 + 35]
        )
        dx, dy = frame[at + 8 + 35 : at + 8 + 37]
        transformed = _component_transform(frame, at + 2)
    except (struct.error, ValueError):
        raise RowError("dicom: a JPEG 2000 codestream in its pixel data is cut short") from None
    if not (tile_w and tile_h and dx and dy) or x1 <= x0 or y1 <= y0:
        raise RowError("dicom: a JPEG 2000 codestream in its pixel data has no size; the file is damaged")
    if -(-(x1 - tile_x) // tile_w) * -(-(y1 - tile_y) // tile_h) > MAX_TILES:
        raise RowError(f"dicom: expected at most {MAX_TILES} tiles in a JPEG 2000 picture, found more")
    width, height = -(-x1 // dx) - -(-x0 // dx), -(-y1 // dy) - -(-y0 // dy)
    # Undoing the transform of its components gives RGB, whatever the header calls them (PS3.5 8.2.4).
    return Coded("jpeg2000", width, height, samples, (depth & 0x7F) + 1, True if transformed else None)


def _component_transform(frame: bytes, at: int) -> bool:
    """Whether the first COD segment of the main header asks for a multiple component transform."""
    while at + 4 <= len(frame):
        marker, length = struct.unpack(">HH", frame[at : at + 4])
        if marker == 0xFF52:
            return frame[at + 8] != 0
        if marker in (0xFF90, 0xFF93) or length < 2:
            return False
        at += 2 + length
    return False
