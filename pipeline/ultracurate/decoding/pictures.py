"""PNG, JPEG, BMP, TIFF, GIF, WebP and JPEG 2000 through Pillow, the size checked before a single pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ultracurate.core.errors import RowError
from ultracurate.decoding._pictures.animations import check_shown, frame_delays
from ultracurate.decoding._pictures.tiff import Note, check_directories, imagej_note
from ultracurate.decoding._pictures.turn import UPRIGHT, Turn, by_orientation, turned, turned_size
from ultracurate.decoding.levels import U8, bands, drop_empty_colour, to_8bit, value_range
from ultracurate.decoding.limits import MAX_PIXELS, check_size, check_work, decoding
from ultracurate.decoding.media import PLAIN, Media, MediaInfo, Reading

Wanted = Callable[[int, float | None], bool]

_PILLOW = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "gif": "GIF", "webp": "WEBP", "jp2": "JPEG2000"}
_ANIMATED = frozenset({"gif", "png", "webp"})
_ORIENTATION = 274
_JPEG_SCAN = b"\xff\xda"
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})

MAX_JP2_PIXELS = MAX_PIXELS // 4
"""OpenJPEG keeps every sample of every channel as 32 bits, three times."""

MAX_DEEP_PIXELS = MAX_PIXELS // 2
"""Samples of more than 8 bits are held in up to 8 bytes a pixel, beside the 8 bits that they become."""

# Pillow's own guard refuses twice this number in `open`, before ours has seen the size.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def probe_picture(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """Facts of a still, an animation (GIF, PNG, WebP) or a TIFF of many pages, without decoding pixels.

    Pages of a TIFF are a volume, unless ImageJ counted them as frames or `reading.kind` says "clip" or "stack".
    Spacing is known only where ImageJ gave a unit: other resolutions are those of a printer.
    """
    with decoding(fmt), _open(data, fmt) as image:
        delays = _checked(image, data, fmt)
        note = imagej_note(_tags(image)) if fmt == "tif" else Note()
        media = _media(fmt, len(delays), reading, note)
        turn = _turn(image, data, fmt)
        width, height = turned_size(*image.size, turn)
        spacing_x, spacing_y = note.spacing[1::-1] if turn[0] else note.spacing[:2]
        return MediaInfo(
            format=fmt,
            media=media,
            width=width,
            height=height,
            channels=1 if image.mode in _GREY else 3,
            frames=len(delays),
            fps=_fps(delays, fmt, reading, note) if media == "clip" else None,
            spacing_x=spacing_x,
            spacing_y=spacing_y,
            spacing_z=note.spacing[2] if media == "volume" else None,
        )


def decode_picture(data: bytes, fmt: str) -> U8:
    """The first frame as (H, W) or (H, W, 3) uint8 RGB: alpha over black, turned as its EXIF says."""
    with decoding(fmt):
        for _, _, image in iter_pages(data, fmt, lambda index, _: index == 0):
            return image
    raise RowError(f"{fmt}: expected at least one picture, found none")


def iter_pages(
    data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN
) -> Iterator[tuple[int, float | None, U8]]:
    """Stills, frames of an animation or pages of a TIFF as (index, seconds or None, array), one in memory at a time.

    Seconds are None for anything but a clip, and for a TIFF clip whose rate nobody knows.

    Raises:
        RowError: damaged, too large, fewer frames than announced, or pages of different sizes.
    """
    with _open(data, fmt) as image:
        delays = _checked(image, data, fmt)
        note = imagej_note(_tags(image)) if fmt == "tif" else Note()
        clip = _media(fmt, len(delays), reading, note) == "clip"
        fps = _fps(delays, fmt, reading, note)
        deep = _is_deep(image)
        only = _values(image, data, 0) if deep and len(delays) == 1 else None  # large ones take seconds: once
        levels = value_range(only) if only is not None else _levels(image, data, len(delays), fmt) if deep else None
        # The default picture of some animated PNGs is for viewers that show no animations; it is none of the frames.
        hidden = 1 if fmt == "png" and len(delays) > 1 and image.info.get("default_image") else 0
        first, seconds = image.size, 0.0
        for index, delay in enumerate(delays):
            try:
                image.seek(index + hidden)
            except EOFError:
                raise RowError(f"{fmt}: expected {len(delays)} frames, found {index}; fetch the file again") from None
            _check_page(image, first, index, fmt)
            time_s = (seconds if fmt in _ANIMATED else index / fps if fps else None) if clip else None
            if wanted(index, time_s):
                if levels:
                    pixels = to_8bit(_values(image, data, index) if only is None else only, *levels)
                else:
                    pixels = _pixels(image)
                yield index, time_s, turned(drop_empty_colour(pixels), _turn(image, data, fmt))
            seconds += delay / 1000


def _open(data: bytes, fmt: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=[_PILLOW[fmt]])
    except Image.DecompressionBombError as exc:  # its words hold nothing but Pillow's limit and the size
        raise RowError(f"{fmt}: expected at most {MAX_PIXELS} pixels; {exc} Tile or scale it down") from None


def _tags(image: Any) -> Mapping[int, Any]:
    tags: Mapping[int, Any] = image.tag_v2
    return tags


def _checked(image: Any, data: bytes, fmt: str) -> list[float]:
    """Milliseconds of each frame, after the size of the file and the work of decoding it were found bearable.

    A JPEG is always one frame, whatever previews a camera has appended to it; each scan visits the whole picture.
    """
    width, height = image.size
    check_size(width, height, 1, fmt)
    if fmt == "jpg":
        check_work(width * height * data.count(_JPEG_SCAN), len(data), fmt)
    if fmt == "jp2" and width * height > MAX_JP2_PIXELS:
        raise RowError(
            f"jp2: expected at most {MAX_JP2_PIXELS} pixels, found {width} x {height}; tile it or scale it down"
        )
    if _is_deep(image) and width * height > MAX_DEEP_PIXELS:
        raise RowError(
            f"{fmt}: expected at most {MAX_DEEP_PIXELS} pixels of more than 8 bits, found {width} x {height}; "
            "tile it or scale it down"
        )
    if fmt == "tif":
        check_directories(data)
    if fmt in _ANIMATED:
        delays = frame_delays(data, fmt)
    else:
        delays = [0.0] * (int(getattr(image, "n_frames", 1)) if fmt == "tif" else 1)
    check_size(width, height, len(delays), fmt)
    check_work(width * height * len(delays), len(data), fmt)
    if fmt in _ANIMATED and len(delays) > 1:
        check_shown(width * height * len(delays), fmt)
    return delays


def _media(fmt: str, frames: int, reading: Reading, note: Note) -> Media:
    if frames == 1:
        return "image"
    if fmt != "tif":
        return "clip"
    # Pictures of one file that are not slices and not frames have nothing to do with each other.
    return "stack" if reading.kind == "image" else reading.kind or note.kind or "volume"


def _fps(delays: list[float], fmt: str, reading: Reading, note: Note) -> float | None:
    """Mean rate of an animation over all its frames, or what is known about a TIFF; None where nobody says."""
    if fmt == "tif":
        return note.fps or reading.fps
    return 1000.0 * len(delays) / sum(delays) if sum(delays) > 0 else reading.fps


def _turn(image: Image.Image, data: bytes, fmt: str) -> Turn:
    """How a camera says that its picture is to be turned; Pillow has already turned TIFFs.

    Pillow decodes a whole PNG in search of this note, so that format is asked only where it has one.
    """
    if fmt in ("jpg", "webp") or (fmt == "png" and b"eXIf" in data):
        return by_orientation(image.getexif().get(_ORIENTATION))
    return UPRIGHT


def _is_deep(image: Any) -> bool:
    """Whether a channel has more than 8 bits; of 16-bit colour Pillow's own mode no longer shows it."""
    return image.mode.startswith(("I", "F")) or _is_deep_colour(image)


def _is_deep_colour(image: Any) -> bool:
    raw = image.tile[0].args if image.tile else ""
    name = raw if isinstance(raw, str) else str(raw[0]) if raw else ""
    return ";16" in name and not image.mode.startswith("I")


def _levels(image: Image.Image, data: bytes, pages: int, fmt: str) -> tuple[float, float]:
    """Range of values over all pages, so that pages of one volume keep their brightness relative to each other."""
    low, high, first = np.inf, -np.inf, image.size
    for index in range(pages):
        image.seek(index)
        _check_page(image, first, index, fmt)
        page_low, page_high = value_range(_values(image, data, index))
        low, high = min(low, page_low), max(high, page_high)
    image.seek(0)
    return low, high


def _check_page(image: Image.Image, first: tuple[int, int], index: int, fmt: str) -> None:
    """Limits were checked for the first page alone: another size is refused before its pixels are decoded."""
    if image.size != first:
        raise RowError(f"{fmt}: expected pages of one size, found {first} and, on page {index}, {image.size}")


def _values(image: Any, data: bytes, page: int) -> npt.NDArray[Any]:
    """Deep values of the page that `image` stands at: (H, W) or (H, W, 3) RGB; alpha over black."""
    if not _is_deep_colour(image):
        values: npt.NDArray[Any] = np.asarray(image)
        if image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and values.dtype == np.uint16:
            values = np.iinfo(np.uint16).max - values
        return values
    # Pillow would keep the upper eight bits, which are empty where a program wrote 8-bit values into 16.
    import cv2

    found, pages = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(page, page + 1))
    if not found or pages[0].shape[:2] != image.size[::-1] or pages[0].ndim != 3:
        raise RowError(f"{image.format}: could not be decoded as 16-bit colour; the file is damaged or truncated")
    colours: npt.NDArray[Any] = pages[0][..., 2::-1]
    if pages[0].shape[2] == 4:
        for rows in bands(colours.shape):  # in place: a copy in 32 bits would take twice the memory of the picture
            colours[rows] = colours[rows].astype(np.uint32) * pages[0][rows][..., 3:] // 65535
    return colours


def _pixels(image: Image.Image) -> U8:
    """One frame of 8 bits or fewer as grey or RGB.

    Modes: 1 becomes 0 and 255; palettes are applied; alpha, and a transparent palette entry or colour, is composited on
    black; everything else, CMYK among it, is converted by Pillow to RGB.
    """
    image.load()  # a palette is complete, and a turn known, only now
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))
    clear = "transparency" in image.info
    if clear or (image.mode in _ALPHA and image.getchannel("A").getextrema() != (255, 255)):
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return np.asarray(Image.alpha_composite(black, image.convert("RGBA")).convert("RGB"))
    return np.asarray(image.convert("L" if image.mode == "LA" else "RGB"))
