"""The entry points of decoding: which format, what size, which pixels, frame by frame, and their digest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ultracurate.core.errors import RowError
from ultracurate.imaging.dicom import iter_dicom, probe_dicom
from ultracurate.imaging.levels import U8
from ultracurate.imaging.limits import MAX_FRAMES, MAX_PIXELS, MAX_SIDE, each
from ultracurate.imaging.media import HEAD_BYTES, MediaInfo, sniff
from ultracurate.imaging.pictures import decode_picture, iter_pages, probe_picture
from ultracurate.imaging.video import iter_video, probe_video

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MediaInfo",
    "decode_image",
    "encode_png",
    "iter_frames",
    "pixel_digest",
    "probe",
    "read_frames",
    "sniff",
]

PICTURES = frozenset({"png", "jpg", "bmp", "tif", "gif"})
VIDEOS = frozenset({"mp4", "avi"})
FORMATS = PICTURES | VIDEOS | {"dicom"}
"""Every format that `sniff` can name and the other functions of this module accept."""

Frame = tuple[int, float | None, U8]
Selection = Collection[int] | Callable[[int, float | None], bool]

PNG_LEVEL = 6
"""zlib level of every PNG we write: fixed, so that the same pixels give the same bytes."""


def probe(data: bytes, fmt: str) -> MediaInfo:
    """Size, frames, timing and spacing of a file, from headers only.

    Raises:
        RowError: the header is damaged, or the size is above the limits.
        MissingExtraError: DICOM or video without its optional package.
    """
    if _known(fmt) in PICTURES:
        return probe_picture(data, fmt)
    return probe_dicom(data) if fmt == "dicom" else probe_video(data, fmt)


def decode_image(data: bytes, fmt: str) -> U8:
    """A still, or the first frame of a clip or volume: (H, W) grey or (H, W, 3) RGB, uint8.

    Grey stays 2-D, and so does a picture whose three channels are equal everywhere.

    Raises:
        RowError: damaged, truncated, too large, or without pictures; the message names the format and the cause.
        MissingExtraError: DICOM or video without its optional package.
    """
    if _known(fmt) in PICTURES:
        return decode_picture(data, fmt)
    for _, _, image in read_frames(data, fmt, {0}):
        return image
    raise RowError(f"{fmt}: expected at least one frame, found none")


def iter_frames(data: bytes, fmt: str) -> Iterator[Frame]:
    """Every frame in order as (index from 0, seconds since the first frame or None, array as in `decode_image`).

    Grey or colour is decided frame by frame. Memory holds one decoded frame, however long the clip is.
    """
    return _iter(data, fmt, _every)


def read_frames(data: bytes, fmt: str, wanted: Selection) -> Iterator[Frame]:
    """Only the wanted frames, in order, much cheaper than converting all of them.

    Args:
        data: the encoded file.
        fmt: one of `FORMATS`.
        wanted: frame numbers, or a function of (index, seconds or None) that says whether to keep a frame; it is
            called once per frame in order, so it may carry state. A stream is not read past the last wanted number.
    """
    if callable(wanted):
        yield from _iter(data, fmt, wanted)
        return
    numbers = frozenset(wanted)
    missing = len(numbers)
    if missing:
        for frame in _iter(data, fmt, lambda index, _: index in numbers):
            yield frame
            missing -= 1
            if not missing:
                return
        raise RowError(f"{fmt}: {missing} of the {len(numbers)} frames asked for lie outside the file")


def pixel_digest(arrays: npt.NDArray[Any] | Iterable[npt.NDArray[Any]]) -> str:
    """Hex sha256 over shape, dtype and bytes of each frame in order; equal pixels give equal digests in any format.

    Args:
        arrays: the frames of one file in order, or a single frame.
    """
    digest = hashlib.sha256()
    for array in [arrays] if isinstance(arrays, np.ndarray) else arrays:
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def encode_png(array: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of (H, W) or (H, W, 3) uint8 RGB, without any metadata; the same pixels give the same bytes."""
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise ValueError(f"expected (H, W) or (H, W, 3) uint8, found {array.shape} {array.dtype}")
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def _every(index: int, time_s: float | None) -> bool:
    return True


def _iter(data: bytes, fmt: str, wanted: Callable[[int, float | None], bool]) -> Iterator[Frame]:
    if _known(fmt) == "dicom":
        return each(fmt, iter_dicom(data, wanted))
    if fmt in VIDEOS:
        return each(fmt, iter_video(data, fmt, wanted))
    if fmt in ("jpg", "bmp"):
        return ((0, None, decode_picture(data, fmt)) for _ in range(1) if wanted(0, None))
    return each(fmt, iter_pages(data, fmt, wanted))


def _known(fmt: str) -> str:
    if fmt not in FORMATS:
        raise RowError(f"expected a format among {', '.join(sorted(FORMATS))}, found '{fmt}'; see `sniff`")
    return fmt
