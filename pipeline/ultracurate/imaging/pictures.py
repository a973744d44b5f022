"""PNG, JPEG, BMP, TIFF and GIF through Pillow, with the size checked before a single pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from ultracurate.core.errors import RowError
from ultracurate.imaging.levels import U8, drop_empty_colour, to_8bit, value_range
from ultracurate.imaging.limits import MAX_FRAMES, MAX_PIXELS, check_size, check_work, decoding
from ultracurate.imaging.media import Media, MediaInfo

Wanted = Callable[[int, float | None], bool]

_PILLOW = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "gif": "GIF"}
_ORIENTATION = 274
_JPEG_SCAN = b"\xff\xda"
MAX_PAGES = 10_000
"""Pages of a TIFF; volumes have some hundreds."""
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Pillow's own guard refuses twice this number in `open`, before ours has seen the size.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def probe_picture(data: bytes, fmt: str) -> MediaInfo:
    """Facts of a still, an animation (GIF, APNG) or a multi-page TIFF, without decoding pixels."""
    with decoding(fmt), _open(data, fmt) as image:
        frames = _checked(image, data, fmt)
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
        _checked(image, data, fmt, all_frames=False)
        image.load()
        turned = ImageOps.exif_transpose(image) if fmt == "jpg" else image
        return _pixels(turned, None)


def iter_pages(data: bytes, fmt: str, wanted: Wanted) -> Iterator[tuple[int, float | None, U8]]:
    """Frames of an animation or pages of a TIFF as (index, seconds or None, array), one in memory at a time."""
    with _open(data, fmt) as image:
        frames = _checked(image, data, fmt)
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


def _checked(image: Any, data: bytes, fmt: str, *, all_frames: bool = True) -> int:
    """Frames of a file, after its size and the work of decoding them were found bearable.

    A JPEG is always one frame, whatever previews a camera has appended to it; each scan visits the whole picture.
    """
    width, height = image.size
    check_size(width, height, 1, fmt)
    if fmt == "jpg":
        check_work(width * height * data.count(_JPEG_SCAN), len(data), fmt)
    if fmt == "jpg" or not all_frames:
        return 1
    if fmt == "tif" and more_pages(data, MAX_PAGES):
        raise RowError(f"tif: expected at most {MAX_PAGES} pages, found more; cut the volume into parts")
    frames = int(getattr(image, "n_frames", 1))
    check_size(width, height, frames, fmt)
    check_work(width * height * frames, len(data), fmt)
    return frames


def more_pages(data: bytes, most: int) -> bool:
    """Whether the chain of directories of a TIFF or BigTIFF is longer than `most`; Pillow's way is quadratic."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    large = data[2:4] in (b"+\0", b"\0+")
    count_size, entry_size, offset_size = (8, 20, 8) if large else (2, 12, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at, pages = number(8 if large else 4, offset_size), 0
    while 0 < at < len(data) and pages <= most:
        pages += 1
        at = number(at + count_size + entry_size * number(at, count_size), offset_size)
    return pages > most


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
