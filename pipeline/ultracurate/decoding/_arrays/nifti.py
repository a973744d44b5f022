"""NIfTI-1 and NIfTI-2 headers through nibabel and values by bounded decompression (.nii, .nii.gz, .hdr + .img)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._arrays.grid import Grid, grid_bytes, known_spacing, on_grid
from ultracurate.decoding._arrays.inflate import inflate

_GZIP = b"\x1f\x8b"
_SIZES = {348: 1, 540: 2}  # of the header, by version
_TIME = 3  # axis
_LABEL, _VECTOR, _RGB_VECTOR = 1002, 1007, 2003  # intent codes
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 1e-3}
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def read_nifti(data: bytes) -> Grid:
    """The values of a NIfTI file; for a pair, the bytes of the header followed by those of the image.

    Values of 8 bits stay as stored; others get the slope and intercept of the header. A fourth axis is time. Spacing
    without a unit is taken for mm, as every program does, unless it is 1 everywhere.

    Raises:
        RowError: damaged, truncated or too large.
        MissingExtraError: nibabel is not installed.
    """
    packed = data.startswith(_GZIP)
    head = bytes(inflate(data, 540, "gzip", "nifti", exact=False)) if packed else data[:540]
    header, size = _header(head)
    axes = int(header["dim"][0])
    sizes = [int(part) for part in header["dim"][1 : axes + 1]] if 1 <= axes <= 7 else []
    dtype = header.get_data_dtype()
    length = grid_bytes(sizes, dtype.itemsize, "nifti")
    offset = float(header["vox_offset"])
    offset = int(offset) if math.isfinite(offset) else -1
    pair = bytes(header["magic"]).startswith(b"ni")
    if not pair and not size <= offset <= 1 << 30:
        raise RowError("nifti: expected values after the header, found an offset that cannot be; the file is damaged")
    if packed:
        data = bytes(inflate(data, length + (size if pair else offset), "gzip", "nifti"))
    start = len(data) - length if pair else offset
    if start < size or len(data) < start + length:
        raise RowError(f"nifti: truncated: expected {length} bytes of values, found fewer; fetch the file again")
    return _grid(data, start, sizes, dtype, header)


def _header(head: bytes) -> tuple[Any, int]:
    try:
        from nibabel.nifti1 import Nifti1Header
        from nibabel.nifti2 import Nifti2Header
    except ImportError:
        raise MissingExtraError("Reading NIfTI files", "arrays") from None
    sizes = (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    size = next((size for size in sizes if size in _SIZES), 0)
    if not size or len(head) < size:
        raise RowError(f"nifti: expected a header of 348 or 540 bytes, found {len(head)} bytes of another kind")
    # Without `check`: nibabel would repair what it finds odd, and log it.
    kind: Any = Nifti1Header if _SIZES[size] == 1 else Nifti2Header
    return kind(head[:size], check=False), size


def _grid(data: bytes, start: int, sizes: list[int], dtype: np.dtype[Any], header: Any) -> Grid:
    intent = int(header["intent_code"])
    colour: int | None = None
    if dtype.names:  # RGB24 and RGBA32, of which alpha is left out
        parts = len(dtype.names)
        values, dtype = on_grid(data, [parts, *sizes], np.uint8, offset=start)[:3], np.dtype(np.uint8)
        values, colour = np.moveaxis(values, 0, -1), len(sizes)
    else:
        values = on_grid(data, sizes, dtype, offset=start)
        if intent in (_VECTOR, _RGB_VECTOR) and len(sizes) == 5 and sizes[4] == 3 and dtype == np.uint8:
            colour = 4
    length_unit, time_unit = header.get_xyzt_units()
    scale = _MILLIMETRES.get(length_unit, 1.0)
    steps = [abs(float(part)) for part in header["pixdim"][1 : len(sizes) + 1]]
    in_space = known_spacing([step * scale for step in steps[:3]], stated=length_unit in _MILLIMETRES)
    spacing = (*in_space, *[None] * (values.ndim - len(in_space)))
    seconds = steps[_TIME] * _SECONDS.get(time_unit, 0.0) if len(steps) > _TIME else 0.0
    return Grid(
        values, spacing, colour,
        time=_TIME if len(sizes) > _TIME else None,
        fps=1 / seconds if 0 < seconds < math.inf else None,
        aside="mask" if intent == _LABEL else None,
        scale=_slope(header, dtype),
    )  # fmt: skip


def _slope(header: Any, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if dtype == np.uint8 or dtype.kind == "c" or not (math.isfinite(slope) and math.isfinite(intercept)):
        return None
    return (slope, intercept) if slope != 0 and (slope, intercept) != (1.0, 0.0) else None
