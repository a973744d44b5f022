"""How large a picture may be, and the one way in which a decoder's failure becomes a row error."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import TypeVar

from ultracurate.core.errors import RowError, UltracurateError

_Item = TypeVar("_Item")

MAX_SIDE = 16_384
"""Pixels along one side; the largest device screens are below 4,000."""

MAX_PIXELS = 100_000_000
"""Pixels of one frame: 300 MB once decoded to RGB."""

MAX_FRAMES = 100_000
"""Frames of one clip or volume: close to one hour at 30 frames per second."""


def check_size(width: int, height: int, frames: int, fmt: str) -> None:
    """Refuse a picture by what its header says, before anything is decoded.

    Raises:
        RowError: a side, the area or the number of frames is zero or above the limits of this module.
    """
    if width < 1 or height < 1 or frames < 1:
        raise RowError(f"{fmt}: expected at least one pixel and one frame, found {width} x {height} x {frames}")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise RowError(
            f"{fmt}: expected at most {MAX_SIDE} pixels a side and {MAX_PIXELS} in all, found {width} x {height}; "
            "the file was not decoded. Tile or scale it down if it is genuine"
        )
    if frames > MAX_FRAMES:
        raise RowError(f"{fmt}: expected at most {MAX_FRAMES} frames, found {frames}; cut the clip into parts")


PIXELS_PER_BYTE = 4_000
"""Ultrasound videos hold about 100 pixels in a byte, blank ones up to 1,000; a bomb holds millions."""

FREE_PIXELS = 1_000_000_000
"""Pixels that any file may make a decoder visit, however small it is: seconds of work."""


def check_work(pixels: int, size: int, fmt: str) -> None:
    """Refuse a file of `size` bytes that would keep a decoder busy out of all proportion to its length.

    Args:
        pixels: that decoding visits: area times frames, or times the scans of a progressive JPEG.
        size: bytes of the file.
        fmt: for the message.

    Raises:
        RowError: more than `FREE_PIXELS`, and more than `PIXELS_PER_BYTE` for each byte.
    """
    if pixels > max(FREE_PIXELS, PIXELS_PER_BYTE * size):
        raise RowError(
            f"{fmt}: expected at most {PIXELS_PER_BYTE} pixels to decode for each byte, "
            f"found {pixels} in {size} bytes; it looks like a decompression bomb. Encode it again if it is genuine"
        )


@contextlib.contextmanager
def decoding(fmt: str) -> Iterator[None]:
    """Turn whatever a decoding library raises into a `RowError` that names the format and the cause.

    Libraries raise dozens of classes on damaged files, `IndexError` and `struct.error` among them, so everything
    except our own errors is caught. Their warnings about odd headers are silenced: a file decodes or it does not.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UltracurateError:
        raise
    except Exception as exc:
        raise undecodable(fmt, exc) from exc


def each(fmt: str, items: Iterator[_Item]) -> Iterator[_Item]:
    """The items of a decoding generator, each taken inside `decoding`, which is left again before it is handed on.

    A generator that kept it open would silence the warnings of whoever consumes the frames.
    """
    try:
        while True:
            with decoding(fmt):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        if hasattr(items, "close"):
            items.close()


def undecodable(fmt: str, cause: Exception) -> RowError:
    """The row error for one failed decode; of the cause only its class, as its words may quote what the file says."""
    return RowError(
        f"{fmt}: could not be decoded ({type(cause).__name__}); the file is damaged, truncated or of an unknown kind"
    )
