"""NRRD headers through pynrrd and values by bounded decompression (.nrrd, .nhdr).

pynrrd unpacks whatever a file holds at once and opens the data file that a header names; here it only parses the
fields that are needed. Source: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._arrays.grid import Companion, Grid, beside, grid_bytes, known_spacing, on_grid
from ultracurate.decoding._arrays.inflate import Packing, inflate
from ultracurate.decoding._arrays.metaimage import MAX_HEADER, MAX_LINES
from ultracurate.decoding._arrays.plus import FRAME_FIELD, plus_facts, turned

_FIELDS = frozenset(
    {
        "dimension", "type", "encoding", "endian", "sizes", "kinds", "spacings", "units", "space", "space units",
        "space dimension", "space directions", "line skip", "lineskip", "byte skip", "byteskip",
    }
)  # fmt: skip
_PACKED: dict[str, Packing] = {"gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3, "in": 25.4}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}
_MAX_LINE = 1 << 16
_TEXT_STEP = 1 << 20


def read_nrrd(data: bytes, companion: Companion | None = None) -> Grid:
    """The values of an NRRD, with time, list and colour axes as its `kinds` say.

    Raises:
        RowError: a damaged header, an encoding other than raw, gzip, bzip2 and text, or values out of reach.
        MissingExtraError: pynrrd is not installed.
    """
    lines, extra, data_file, end = _lines(data)
    header, dtype = _parsed(lines)
    sizes = [int(part) for part in header["sizes"]]
    if len(sizes) != int(header["dimension"]):
        raise RowError(f"nrrd: expected as many sizes as dimensions, found {len(sizes)} and {header['dimension']}")
    length = grid_bytes(sizes, dtype.itemsize, "nrrd")
    body = memoryview(beside(data_file, companion, "nrrd") if data_file is not None else data[end:])
    kinds = [str(kind).lower() for kind in header.get("kinds", [])] + ["domain"] * len(sizes)
    grid = _with_kinds(on_grid(_values(body, header, dtype, length), sizes, dtype), kinds[: len(sizes)], header)
    if any(key.startswith("Segment0_") for key in extra):
        return Grid(grid.values, grid.spacing, grid.colour, grid.time, aside="mask")
    per_frame = {(int(found[1]), found[2]): extra[key] for key in extra if (found := FRAME_FIELD.match(key))}
    return turned(grid, plus_facts(extra, per_frame))


def _lines(data: bytes) -> tuple[list[str], dict[str, str], str | None, int]:
    """(lines for pynrrd, key:=value pairs, name of the data file, where the header ends)."""
    lines: list[str] = []
    extra: dict[str, str] = {}
    data_file: str | None = None
    at = read = 0
    while at < min(len(data), MAX_HEADER):
        read += 1
        if read > MAX_LINES:
            raise RowError(f"nrrd: expected a header of at most {MAX_LINES} lines, found more; convert the file")
        end = data.find(b"\n", at, at + MAX_HEADER)
        end = len(data) if end < 0 else end  # a detached header may end without an empty line
        line, at = data[at:end].decode("latin-1").strip("\r"), end + 1
        if not line.strip():
            break
        field, mark, value = line.partition(":")
        field = field.strip()
        if not lines:
            lines.append(line)
        elif mark and value.startswith("="):
            if field.startswith("Segment0_") or field.lower().startswith("ultrasound") or FRAME_FIELD.match(field):
                extra[field] = value[1:].strip()
        elif field.lower() in ("data file", "datafile"):
            data_file = value.strip()
        elif field.lower() in _FIELDS and len(line) <= _MAX_LINE:
            lines.append(f"{field.lower()}: {value.strip()}")
    else:
        if data_file is None:
            raise RowError("nrrd: expected a header that ends with an empty line, found none; the file is damaged")
    return lines, extra, data_file, at


def _parsed(lines: list[str]) -> tuple[dict[str, Any], np.dtype[Any]]:
    try:
        from nrrd import read_header
        from nrrd.reader import _TYPEMAP_NRRD2NUMPY
    except ImportError:
        raise MissingExtraError("Reading NRRD files", "arrays") from None
    header = dict(read_header(lines))
    name = _TYPEMAP_NRRD2NUMPY.get(header["type"], "V")
    if name == "V":
        raise RowError("nrrd: expected a numeric type, found another one; convert the file")
    return header, np.dtype((">" if header.get("endian") == "big" else "<") + name)


def _values(body: memoryview, header: dict[str, Any], dtype: np.dtype[Any], length: int) -> memoryview:
    """The bytes of the values, unpacked, after skipped lines and bytes."""
    encoding = str(header["encoding"]).lower()
    lines = int(header.get("line skip", header.get("lineskip", 0)))
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    if not 0 <= lines <= 1000 or not -1 <= skip <= length:
        raise RowError(f"nrrd: expected to skip a few lines and bytes, found {lines} and {skip}")
    for _ in range(lines):
        found = bytes(body[:_MAX_LINE]).find(b"\n")
        body = body[found + 1 :] if found >= 0 else body[len(body) :]
    if encoding in _PACKED:
        skip = max(0, skip)
        return memoryview(inflate(body, skip + length, _PACKED[encoding], "nrrd"))[skip:]
    if encoding in ("ascii", "text", "txt"):
        return _numbers(body, dtype, length // dtype.itemsize)
    if encoding != "raw":
        raise RowError("nrrd: expected the encoding raw, gzip, bzip2 or ascii, found another one; convert the file")
    body = body[len(body) - length if skip == -1 else skip :] if len(body) >= length else body
    if len(body) < length:
        raise RowError(f"nrrd: truncated: expected {length} bytes of values, found {len(body)}; fetch the file again")
    return body


def _numbers(body: memoryview, dtype: np.dtype[Any], count: int) -> memoryview:
    """The first `count` numbers of a text, read piece by piece: what follows them takes neither memory nor time."""
    if len(body) < 2 * count - 1:
        raise RowError(f"nrrd: truncated: expected {count} values, found {len(body)} characters; fetch the file again")
    numbers = np.empty(count, dtype)
    at = found = 0
    while found < count and at < len(body):
        piece = bytes(body[at : at + _TEXT_STEP])
        if at + len(piece) < len(body):  # a number may go on behind the cut
            piece = piece[: 1 + max(piece.rfind(blank) for blank in (b" ", b"\n", b"\t", b"\r"))]
            if not piece:
                raise RowError("nrrd: expected numbers with blanks between them, found none; convert the file")
        at += len(piece)
        if piece := piece.strip():
            # Without a count: given one, numpy fills up with whatever lies in memory.
            more = np.fromstring(piece.decode("ascii"), dtype.newbyteorder("="), sep=" ")[: count - found]
            numbers[found : found + len(more)] = more
            found += len(more)
    if found < count:
        raise RowError(f"nrrd: truncated: expected {count} values, found {found}; fetch the file again")
    return numbers.data.cast("B")


def _with_kinds(values: Any, kinds: list[str], header: dict[str, Any]) -> Grid:
    colour = next(
        (axis for axis, kind in enumerate(kinds) if kind in ("rgb-color", "3-color", "vector", "3-vector")
         and values.shape[axis] == 3 and values.dtype == np.uint8), None,
    )  # fmt: skip
    time = next((axis for axis, kind in enumerate(kinds) if kind in ("time", "list") and axis != colour), None)
    aside = "iq_data" if any(kind == "complex" for kind in kinds) else None
    spacing, seconds = _spacing(header, values.ndim, time)
    return Grid(values, spacing, colour, time, 1 / seconds if seconds else None, aside=aside)


def _spacing(header: dict[str, Any], axes: int, time: int | None) -> tuple[tuple[float | None, ...], float | None]:
    """Millimetres along each axis, and seconds along the time axis."""
    units = [str(unit) for unit in (header.get("units") or [])]
    lengths: list[float | None] = [None] * axes
    if (directions := header.get("space directions")) is not None:
        rows = list(directions)[:axes]
        units = [str(unit) for unit in (header.get("space units") or [])]
        lengths = [None if row is None or np.isnan(row).any() else float(np.linalg.norm(row)) for row in rows]
        scale = _MILLIMETRES.get(units[0], 0.0) if units else 1.0  # left-posterior-superior and its kin are in mm
        scaled = [None if part is None else part * scale for part in lengths]
        return known_spacing(scaled + [None] * (axes - len(scaled)), stated=bool(units)), None
    spacings = [float(part) for part in header.get("spacings", [])][:axes]
    units = (units + [""] * axes)[:axes]
    for axis, part in enumerate(spacings):
        lengths[axis] = abs(part) * _MILLIMETRES.get(units[axis], 0.0 if units[axis] else 1.0)
    seconds = None
    if time is not None and time < len(spacings) and units[time] in _SECONDS and spacings[time] > 0:
        seconds = spacings[time] * _SECONDS[units[time]]
    return known_spacing(lengths, stated=any(units)), seconds
