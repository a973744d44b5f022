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
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import MAX_FRAMES, MAX_PIXELS, MAX_SIDE, each
from ultracurate.decoding.media import HEAD_BYTES, PLAIN, MediaInfo, Reading, sniff
from ultracurate.decoding.pictures import Wanted, decode_picture, iter_pages, probe_picture

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

PICTURES = frozenset({"png", "jpg", "bmp", "tif", "gif", "webp", "jp2"})
VIDEOS = frozenset({"mp4", "mov", "mkv", "avi", "wmv", "mpg"})
VOLUMES = frozenset({"nifti", "mha", "nrrd"})
ARRAYS = frozenset({"npy", "npz", "mat", "hdf5"})
FORMATS = PICTURES | VIDEOS | VOLUMES | ARRAYS | {"dicom"}
"""Every format that `sniff` can name and the other functions of this module accept."""

Frame = tuple[int, float | None, U8]
Selection = Collection[int] | Callable[[int, float | None], bool]

GREY_PNG = {"compress_level": 1, "compress_type": 3}
COLOUR_PNG = {"compress_level": 4}
"""zlib settings of every PNG we write: fixed, so that the same pixels give the same bytes.

Speckle does not compress: run lengths (3 is zlib's Z_RLE) take a sixth of the time of level 6 and no more bytes."""


def probe(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """Size, frames, timing and spacing of a file, from headers only.

    Raises:
        RowError: the header is damaged, or the size is above the limits.
        MissingExtraError: the format needs an optional package.
    """
    if _known(fmt) in PICTURES:
        return probe_picture(data, fmt, reading)
    if fmt == "dicom":
        from ultracurate.decoding.dicom import probe_dicom

        return probe_dicom(data, reading)
    if fmt in VIDEOS:
        from ultracurate.decoding.video import probe_video

        return probe_video(data, fmt, reading)
    if fmt in VOLUMES:
        from ultracurate.decoding.volumes import probe_volume

        return probe_volume(data, fmt, reading)
    from ultracurate.decoding.arrays import probe_array

    return probe_array(data, fmt, reading)


def decode_image(data: bytes, fmt: str, reading: Reading = PLAIN) -> U8:
    """A still, or the first frame of a clip or volume: (H, W) grey or (H, W, 3) RGB, uint8.

    Grey stays 2-D, and so does a picture whose three channels are equal everywhere.

    Raises:
        RowError: damaged, truncated, too large, or without pictures; the message names the format and the cause.
        MissingExtraError: the format needs an optional package.
    """
    if _known(fmt) in PICTURES:
        return decode_picture(data, fmt)
    for _, _, image in read_frames(data, fmt, {0}, reading):
        return image
    raise RowError(f"{fmt}: expected at least one frame, found none")


def iter_frames(data: bytes, fmt: str, reading: Reading = PLAIN) -> Iterator[Frame]:
    """Every frame in order as (index from 0, seconds since the first frame or None, array as in `decode_image`).

    Grey or colour is decided frame by frame. Memory holds one decoded frame, however long the clip is.
    """
    return _iter(data, fmt, _every, reading)


def read_frames(data: bytes, fmt: str, wanted: Selection, reading: Reading = PLAIN) -> Iterator[Frame]:
    """Only the wanted frames, in order, much cheaper than converting all of them.

    Args:
        data: the encoded file.
        fmt: one of `FORMATS`.
        wanted: frame numbers, or a function of (index, seconds or None) that says whether to keep a frame; it is
            called once per frame in order, so it may carry state. A stream is not read past the last wanted number.
        reading: what the manifest says about how to read the file.
    """
    if callable(wanted):
        yield from _iter(data, fmt, wanted, reading)
        return
    numbers = frozenset(wanted)
    missing = len(numbers)
    if missing:
        for frame in _numbered(data, fmt, numbers, reading):
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
    Image.fromarray(np.ascontiguousarray(array)).save(out, "PNG", **(GREY_PNG if array.ndim == 2 else COLOUR_PNG))
    return out.getvalue()


def _every(index: int, time_s: float | None) -> bool:
    return True


def _numbered(data: bytes, fmt: str, numbers: frozenset[int], reading: Reading) -> Iterator[Frame]:
    if fmt in VIDEOS:  # it need not decode what no wanted frame depends on
        from ultracurate.decoding.video import iter_video

        return each(fmt, iter_video(data, fmt, numbers, reading))
    return _iter(data, fmt, lambda index, _: index in numbers, reading)


def _iter(data: bytes, fmt: str, wanted: Wanted, reading: Reading) -> Iterator[Frame]:
    if _known(fmt) in PICTURES:
        if fmt in ("jpg", "bmp", "jp2"):
            return ((0, None, decode_picture(data, fmt)) for _ in range(1) if wanted(0, None))
        return each(fmt, iter_pages(data, fmt, wanted, reading))
    if fmt == "dicom":
        from ultracurate.decoding.dicom import iter_dicom

        return each(fmt, iter_dicom(data, wanted, reading))
    if fmt in VIDEOS:
        from ultracurate.decoding.video import iter_video

        return each(fmt, iter_video(data, fmt, wanted, reading))
    if fmt in VOLUMES:
        from ultracurate.decoding.volumes import iter_volume

        return each(fmt, iter_volume(data, fmt, wanted, reading))
    from ultracurate.decoding.arrays import iter_array

    return each(fmt, iter_array(data, fmt, wanted, reading))


def _known(fmt: str) -> str:
    if fmt not in FORMATS:
        raise RowError(f"expected a format among {', '.join(sorted(FORMATS))}, found '{fmt}'; see `sniff`")
    return fmt
