"""MetaImage headers and values (.mha, .mhd), without following any path that a header names.

ITK's reader needs a file on disk and opens whatever `ElementDataFile` says, be it anywhere on the machine; this one
has bytes in and arrays out. Source: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays.grid import Companion, Grid, beside, grid_bytes, known_spacing, on_grid
from ultracurate.decoding._arrays.inflate import inflate
from ultracurate.decoding._arrays.plus import FRAME_FIELD, plus_facts, turned

MAX_HEADER = 64 << 20
"""Bytes of a header; a long tracked sequence has some kilobytes for every frame."""
MAX_LINES = 300_000
"""Lines of a header: 20,000 frames of a tracked sequence; each takes a microsecond or three."""

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_FIELDS = frozenset(
    {
        "NDims", "DimSize", "ElementType", "ElementNumberOfChannels", "ElementSpacing", "ElementSize", "BinaryData",
        "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData", "HeaderSize", "UltrasoundImageType",
        "UltrasoundImageOrientation",
    }
)  # fmt: skip


def read_metaimage(data: bytes, companion: Companion | None = None) -> Grid:
    """The values of a MetaImage; a PLUS sequence with its times, turned as `_plus.turned` says.

    Raises:
        RowError: a header without an end or with sizes that do not fit, text values, or values out of reach.
    """
    fields, per_frame, name, end = _header(data)
    if fields.get("BinaryData", "False").lower() != "true":
        raise RowError("mha: expected binary values, found values written as text; convert the file")
    if fields["ElementType"] not in _TYPES:
        raise RowError("mha: expected a numeric ElementType, found another one; convert the file")
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")).lower() == "true"
    dtype = np.dtype((">" if big else "<") + _TYPES[fields["ElementType"]])
    sizes = [int(part) for part in fields["DimSize"].split()]
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    if len(sizes) != int(fields["NDims"]) or channels not in (1, 3):
        raise RowError(
            f"mha: expected as many sizes as dimensions and one or three channels, found {len(sizes)} sizes "
            f"and {channels} channels"
        )
    stored = sizes if channels == 1 else [channels, *sizes]
    length = grid_bytes(stored, dtype.itemsize, "mha")
    detached = name.upper() != "LOCAL"
    body = memoryview(beside(name, companion, "mha") if detached else data[end:])
    body = body[_skipped(fields, len(body), length) :]
    if fields.get("CompressedData", "False").lower() == "true":
        body = memoryview(inflate(body, length, "gzip" if bytes(body[:2]) == b"\x1f\x8b" else "zlib", "mha"))
    if len(body) < length:
        raise RowError(f"mha: truncated: expected {length} bytes of values, found {len(body)}; fetch the file again")
    spacing = _spacing(fields, len(sizes))
    grid = Grid(
        on_grid(body, stored, dtype),
        spacing if channels == 1 else (None, *spacing),
        colour=None if channels == 1 else 0,
    )
    return turned(grid, plus_facts(fields, per_frame))


def _header(data: bytes) -> tuple[dict[str, str], dict[tuple[int, str], str], str, int]:
    """(fields, fields of frames, ElementDataFile, where the header ends)."""
    fields: dict[str, str] = {}
    per_frame: dict[tuple[int, str], str] = {}
    at = lines = 0
    while at < MAX_HEADER and lines < MAX_LINES and (end := data.find(b"\n", at, at + MAX_HEADER)) >= 0:
        lines += 1
        key, _, value = data[at:end].decode("latin-1").partition("=")
        key, value, at = key.strip(), value.strip(), end + 1
        if key == "ElementDataFile":
            return fields, per_frame, value, at
        if key in _FIELDS:
            fields[key] = value
        elif (found := FRAME_FIELD.match(key)) is not None and found[2] in ("Timestamp", "ImageStatus"):
            per_frame[int(found[1]), found[2]] = value
    raise RowError("mha: expected a header that ends with ElementDataFile, found none; the file is damaged")


def _skipped(fields: dict[str, str], found: int, length: int) -> int:
    """Where the values begin in their file: HeaderSize, of which -1 means that they end with the file."""
    skip = int(fields.get("HeaderSize", "0"))
    return max(0, found - length) if skip == -1 else max(0, skip)


def _spacing(fields: dict[str, str], axes: int) -> tuple[float | None, ...]:
    text = fields.get("ElementSpacing") or fields.get("ElementSize")
    if text is None:
        return (None,) * axes
    spacing = [abs(float(part)) for part in text.split()]
    return known_spacing((spacing + [0.0] * axes)[:axes], stated=False)
