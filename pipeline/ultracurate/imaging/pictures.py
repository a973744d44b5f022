"""PNG, JPEG, BMP, TIFF and GIF through Pillow, with the size checked before a single pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from ultracurate.core.errors import RowError
from ultracurate.imaging.levels import U8, drop_empty_colour, to_8bit, value_range
from ultracurate.imaging.limits import MAX_FRAMES, MAX_PIXELS, check_size, decoding
from ultracurate.imaging.media import Media, MediaInfo

Wanted = Callable[[int, float | None], bool]

_PILLOW = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "gif": "GIF"}
_ORIENTATION = 274
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Pillow's own guard refuses twice this number in `open`, before ours has seen the size.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def probe_picture(data: bytes, fmt: str) -> MediaInfo:
    """Facts of a still, an animation (GIF, APNG) or a multi-page TIFF, without decoding pixels."""
    with decoding(fmt), _open(data, fmt) as image:
        frames = _count(image, fmt)
        check_size(*image.size, frames, fmt)
        width, height = image.size
        if fmt == "jpg" and image.getexif().get(_ORIENTATION) in _SIDEWAYS:
            width, height = height, width
        return MediaInfo(
            format=fmt,
            media=_media(fmt, frames),
            width=width,
            height=height,
            channels=1 if image.mode in _GREY else 3,
            frames=frames,
            fps=_animation_fps(image, frames) if _media(fmt, frames) == "clip" else None,
        )


def decode_picture(data: bytes, fmt: str) -> U8:
    """The first frame as (H, W) or (H, W, 3) uint8 RGB: alpha over black, JPEG rotated as its EXIF says."""
    with decoding(fmt), _open(data, fmt) as image:
        check_size(*image.size, 1, fmt)
        image.load()
        turned = ImageOps.exif_transpose(image) if fmt == "jpg" else image
        return _pixels(turned, None)


def iter_pages(data: bytes, fmt: str, wanted: Wanted) -> Iterator[tuple[int, float | None, U8]]:
    """Frames of an animation or pages of a TIFF as (index, seconds or None, array), one in memory at a time."""
    with _open(data, fmt) as image:
        frames = _count(image, fmt)
        check_size(*image.size, frames, fmt)
        deep = _page_range(image, frames, fmt) if image.mode.startswith(("I", "F")) else None
        clip = _media(fmt, frames) == "clip"
        first, seconds = image.size, 0.0
        for index, page in enumerate(ImageSequence.Iterator(image)):
            if page.size != first:
                raise RowError(f"{fmt}: expected pages of one size, found {first} and, on page {index}, {page.size}")
            page.load()
            time_s = seconds if clip else None
            if wanted(index, time_s):
                yield index, time_s, _pixels(page, deep)
            seconds += float(page.info.get("duration") or 0) / 1000


_GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


def _open(data: bytes, fmt: str) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[_PILLOW[fmt]])


def _count(image: Any, fmt: str) -> int:
    """Frames of a file; a JPEG is always one, whatever previews a camera has appended to it."""
    return 1 if fmt == "jpg" else int(getattr(image, "n_frames", 1))


def _media(fmt: str, frames: int) -> Media:
    if frames == 1:
        return "image"
    return "volume" if fmt == "tif" else "clip"


def _animation_fps(image: Image.Image, frames: int) -> float | None:
    """Mean rate over all frames; None when the file gives no duration."""
    total = 0.0
    for index in range(min(frames, MAX_FRAMES)):
        image.seek(index)
        total += float(image.info.get("duration") or 0)
    return 1000.0 * frames / total if total > 0 else None


def _page_range(image: Image.Image, frames: int, fmt: str) -> tuple[float, float]:
    """Range of values over all pages, so that pages of one volume keep their brightness relative to each other."""
    low, high = np.inf, -np.inf
    for index in range(frames):
        image.seek(index)
        check_size(*image.size, 1, fmt)
        page_low, page_high = value_range(np.asarray(image))
        low, high = min(low, page_low), max(high, page_high)
    image.seek(0)
    return low, high


def _pixels(image: Image.Image, deep: tuple[float, float] | None) -> U8:
    """One loaded Pillow frame of any mode as grey or RGB, 8 bits.

    Modes: 1 becomes 0 and 255; I;16, I and F are scaled by `levels.to_8bit`; palettes are applied; alpha, and a
    transparent palette entry or colour, is composited on black; everything else is converted by Pillow to RGB.
    Pillow keeps the high byte of 16-bit RGB.
    """
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        return np.ascontiguousarray(to_8bit(values, *(deep or value_range(values))))
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.ascontiguousarray(np.asarray(image.convert("L")))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return drop_empty_colour(np.asarray(Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")))
    return drop_empty_colour(np.asarray(image.convert("RGB")))
