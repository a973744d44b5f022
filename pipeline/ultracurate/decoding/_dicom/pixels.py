"""DICOM pixel data to grey or RGB, one frame at a time, whatever their transfer syntax."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ultracurate.decoding._dicom.colour import Palette, ybr_to_rgb
from ultracurate.decoding._dicom.reading import BIG_ENDIAN, Opened, guarded
from ultracurate.decoding._dicom.shape import PARTIAL, Shape, check_length
from ultracurate.decoding._dicom.sources import Stored, source
from ultracurate.decoding.levels import U8, drop_empty_colour, to_8bit, value_range


def iter_pixels(opened: Opened, shape: Shape, indices: list[int]) -> Iterator[U8]:
    """(H, W) or (H, W, 3) uint8 RGB of the frames at `indices`, decoded one by one.

    8-bit samples are taken as stored, with no window; deeper grey is scaled by `levels.to_8bit` over all frames, deeper
    colour keeps its high bits; MONOCHROME1 is inverted so that 0 is black; palettes are applied, overlays (60xx) are
    not drawn.

    Raises:
        RowError: a transfer syntax that cannot be read, damaged data, or more or fewer frames than the header says.
        MissingExtraError: a decoder is not installed.
    """
    pixels = check_length(opened, shape)
    with guarded("its pixel data"):
        frame, palette, grey_range = source(opened, pixels, shape), None, (0.0, 255.0)
        if shape.photometric == "PALETTE COLOR":
            palette = Palette(opened.header, big_endian=opened.syntax == BIG_ENDIAN, signed=shape.signed)
        elif shape.samples == 1 and (shape.allocated > 8 or shape.signed):
            ranges = [value_range(frame(index).values) for index in range(shape.frames)]
            grey_range = min(low for low, _ in ranges), max(high for _, high in ranges)
    for index in indices:
        with guarded("its pixel data"):
            image = _rendered(frame(index), shape, palette, grey_range)
        yield image


def _rendered(stored: Stored, shape: Shape, palette: Palette | None, grey_range: tuple[float, float]) -> U8:
    values = stored.values
    if palette is not None:
        return drop_empty_colour(palette(values))
    if values.ndim == 2:
        grey = values * np.uint8(255) if shape.allocated == 1 else to_8bit(values, *grey_range)
        return np.ascontiguousarray(255 - grey if shape.photometric == "MONOCHROME1" else grey)
    deep = stored.bits > 8
    image: U8 = (values >> (stored.bits - 8) if deep else values).astype(np.uint8, copy=False)
    if not stored.rgb:
        image = ybr_to_rgb(image, partial=shape.photometric in PARTIAL)
    return drop_empty_colour(image)
