"""Pictures of one size that a file holds in a row: what they are, and how they become 8-bit frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import RowError
from ultracurate.decoding.levels import U8, drop_empty_colour, to_8bit, value_range
from ultracurate.decoding.limits import check_size, check_work
from ultracurate.decoding.media import Media, MediaInfo, Reading
from ultracurate.decoding.radio import recognise

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted  # Pillow is not needed here

MAX_BYTES = 2 << 30
"""Bytes of one array once unpacked."""

MAX_LABELS = 32
"""Different values of a label map at the most; a grey picture of so few levels would still not be flat."""

_FLAT = 0.9  # share of neighbours that are equal in a label map; masks of thin vessels reach 0.95
_LOOKED_AT = 9

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Planes:
    """Pictures of one size, taken one by one.

    Attributes:
        count: how many.
        height: rows.
        width: columns.
        channels: 1 or 3.
        dtype: of the values as they are stored.
        take: values of one picture by its number, (H, W) or (H, W, 3).
    """

    count: int
    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    take: Callable[[int], Values]


def planes_of(values: Values) -> Planes:
    """The pictures of an array (N, H, W) or (N, H, W, 3); no value is copied before it is taken."""
    count, height, width = values.shape[:3]
    channels = values.shape[3] if values.ndim == 4 else 1
    return Planes(count, height, width, channels, values.dtype, lambda index: np.asarray(values[index]))


def check_planes(planes: Planes, size: int, fmt: str) -> None:
    """Refuse sizes and amounts of work above the limits; `size` is the length of the file in bytes.

    Raises:
        RowError: see `limits`.
    """
    check_size(planes.width, planes.height, planes.count, fmt)
    check_work(planes.width * planes.height * planes.count, size, fmt)


def check_bytes(count: int, fmt: str) -> None:
    """Refuse an array of more than `MAX_BYTES` before memory is asked for.

    Raises:
        RowError: it is larger, or its size is negative.
    """
    if not 0 <= count <= MAX_BYTES:
        raise RowError(
            f"{fmt}: expected an array of at most {MAX_BYTES} bytes, its header says {count}; it was not read. "
            "Cut it into parts if it is genuine"
        )


def media_of(count: int, kind: Media | None, default: Media) -> Media:
    """One picture is an image; for several the manifest's word counts, and without one what the format means."""
    if count == 1:
        return "image"
    return default if kind is None or kind == "image" else kind


def describe(
    planes: Planes, fmt: str, reading: Reading, default: Media, *, fps: float | None = None, aside: str | None = None,
    spacing: tuple[float | None, float | None, float | None] = (None, None, None),
) -> MediaInfo:  # fmt: skip
    """The facts of a file of planes; spacing is (x, y, z) in mm, of which z only counts between slices."""
    media = media_of(planes.count, reading.kind, default)
    return MediaInfo(
        format=fmt,
        media=media,
        width=planes.width,
        height=planes.height,
        channels=planes.channels,
        frames=planes.count,
        fps=(reading.fps or fps) if media == "clip" else None,
        spacing_x=spacing[0],
        spacing_y=spacing[1],
        spacing_z=spacing[2] if media == "volume" else None,
        set_aside=aside,
    )


def even_times(count: int, fps: float | None, media: Media) -> Sequence[float | None]:
    """Seconds since the first frame of a clip of a steady rate; None for everything else."""
    return [index / fps if fps and media == "clip" else None for index in range(count)]


def frames(
    planes: Planes, times: Sequence[float | None], wanted: Wanted, fmt: str
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted pictures as (index, seconds or None, (H, W) or (H, W, 3) uint8 RGB).

    One scaling for the whole file, `levels.to_8bit` over the range of all its pictures: whole numbers within 0..255
    stay as they are; everything else, 16 bits, 0..1 or negative decibels, is stretched between its ends.

    Raises:
        RowError: complex values, which are a signal and no picture.
    """
    if planes.dtype.kind == "c":
        raise RowError(f"{fmt}: expected a picture, found complex values (an IQ signal)")
    chosen = [index for index in range(planes.count) if wanted(index, times[index])]
    if not chosen:
        return
    low, high = 0.0, 255.0
    if planes.dtype != np.uint8:
        ranges = [value_range(planes.take(index)) for index in range(planes.count)]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    for index in chosen:
        yield index, times[index], drop_empty_colour(to_8bit(planes.take(index), low, high))


def set_aside(planes: Planes, name: str = "") -> str | None:
    """Why these planes are no pictures ("rf_data", "iq_data", "mask"), by a look at some of them, else None.

    Args:
        planes: at most nine of them are read, all of them only where those nine look like a label map.
        name: of the array, where it has one; "rf" in it makes shorter lines credible.
    """
    if planes.dtype.kind == "c":
        return "iq_data"
    if planes.channels != 1:
        return None
    some = sorted({round(part * (planes.count - 1) / (_LOOKED_AT - 1)) for part in range(_LOOKED_AT)})
    # The middle holds something in nearly every volume, the ends often do not.
    for index in (some[len(some) // 2], some[-1]):
        if found := recognise(planes.take(index), name):
            return found
    if _label_map(map(planes.take, some)) and _label_map(map(planes.take, range(planes.count))):
        return "mask"
    return None


def _label_map(pictures: Iterable[Values]) -> bool:
    """Few whole numbers in flat areas: an annotation. Two values alone are one however ragged the areas are."""
    counts = np.zeros(256, np.int64)
    equal = pairs = values = 0
    for picture in pictures:
        if picture.dtype.kind == "f" and not np.array_equal(picture, np.rint(picture)):
            return False
        if not (picture.min() >= 0 and picture.max() <= 255):
            return False
        counts += np.bincount(picture.astype(np.uint8).ravel(), minlength=256)
        values = int(np.count_nonzero(counts))
        if values > MAX_LABELS:
            return False
        equal += int(np.count_nonzero(picture[:, 1:] == picture[:, :-1]))
        pairs += picture.shape[0] * (picture.shape[1] - 1)
    return values == 2 or (values > 2 and equal >= _FLAT * pairs)
