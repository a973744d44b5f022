"""Turns samples of any depth into 8 bits, and RGB without colour into grey."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import EllipsisType
from typing import Any

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

_BAND = 1 << 20
"""Samples that are worked on at once: in 64 bits the whole of a large picture would take eight times its size."""


def to_8bit(values: npt.NDArray[Any], low: float, high: float) -> U8:
    """Scale grey samples to 8 bits by the range of their whole file.

    One rule for 16-bit PNG and TIFF and for deep DICOM: a file whose values all lie in 0..255 is kept as it is;
    otherwise [min(0, low), high] maps linearly to [0, 255], rounded half up. Frames of one clip share `low` and
    `high`, so their brightness stays comparable, and equal values stay equal.

    Args:
        values: any shape, integer or float; not-a-number becomes black.
        low: smallest value of the file.
        high: largest value of the file.

    Returns:
        Same shape, uint8, 0..255.
    """
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    if low >= 0 and high <= 255 and not np.issubdtype(values.dtype, np.floating):
        return values.astype(np.uint8)
    floor = min(0.0, float(low))
    span = float(high) - floor
    if span <= 0:
        return np.zeros(values.shape, np.uint8)
    levels = np.empty(values.shape, np.uint8)
    if values.dtype == np.uint16 and values.size > 1 << 16:  # each of its values is scaled once
        table = _scaled(np.arange(1 << 16), floor, span)
        for rows in bands(values.shape):
            levels[rows] = table[values[rows]]
        return levels
    for rows in bands(values.shape):
        levels[rows] = _scaled(values[rows], floor, span)
    return levels


def _scaled(values: npt.NDArray[Any], floor: float, span: float) -> U8:
    scaled = (values.astype(np.float64) - floor) * 255.0 / span
    scaled = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    return np.floor(np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)


def bands(shape: tuple[int, ...]) -> Iterator[slice | EllipsisType]:
    """Slices along the first axis that cover an array, each of about a million samples or of one row."""
    if not shape:
        yield ...
        return
    step = max(1, _BAND // max(1, math.prod(shape[1:])))
    for at in range(0, shape[0], step):
        yield slice(at, at + step)


def value_range(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest finite value; (0, 0) if there is none."""
    if not np.issubdtype(values.dtype, np.floating):
        return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    low, high = math.inf, -math.inf
    for rows in bands(values.shape):
        band = values[rows]
        finite = band[np.isfinite(band)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def drop_empty_colour(image: U8) -> U8:
    """Grey of a picture whose three channels are equal everywhere, else the picture itself.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.

    Returns:
        (H, W) or (H, W, 3) uint8, C-contiguous.
    """
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim == 3:
        # The first rows of a coloured screen nearly always show colour already: look there before looking everywhere.
        red, green, blue = image[..., 0], image[..., 1], image[..., 2]
        if np.array_equal(red[::16], green[::16]) and np.array_equal(red, green) and np.array_equal(green, blue):
            image = red
    return np.ascontiguousarray(image)
