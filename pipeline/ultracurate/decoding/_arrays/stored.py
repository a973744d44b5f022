"""The arrays of a file of arrays: which one holds the pictures, and along which of its axes they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays import planes as _planes
from ultracurate.decoding._arrays.planes import Planes, Values
from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

MIN_SIDE = 16
"""Rows and columns below which an array is a table or a curve, no picture."""

MAX_ARRAYS = 100_000
"""Arrays of one file."""

_SHOWN = 6
_PAIRS = (("i", "q"), ("real", "imag"), ("re", "im"), ("idata", "qdata"), ("i_data", "q_data"))


@dataclass(frozen=True, slots=True)
class Stored:
    """One array of a file.

    Attributes:
        name: its path inside the file, "/" between groups.
        shape: as the language counts its axes that wrote the file: MATLAB (rows, columns, pictures), else C order.
        dtype: of the values.
        load: gives something that is indexed like an array and reads what is asked for.
        by_columns: MATLAB's order.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    load: Callable[[], Any]
    by_columns: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """Which axis of an array is what; `frame` and `colour` may be missing."""

    frame: int | None
    rows: int
    columns: int
    colour: int | None


def axes_of(shape: Sequence[int], axis: int | None, *, by_columns: bool) -> Axes | None:
    """The axes of (H, W), (N, H, W), (H, W, 3), (N, H, W, 3) and (N, 3, H, W); None for any other shape.

    Axes of one value are left out. By columns (MATLAB) it is (H, W), (H, W, N), (H, W, 3) and (H, W, 3, N). Of two
    readings the colour picture wins; `axis` names the axis of the pictures and ends any doubt.
    """
    left = [number for number in range(len(shape)) if number != axis]
    if axis is not None and not 0 <= axis < len(shape):
        return None
    for number in reversed(left) if by_columns else list(left):
        if shape[number] == 1 and len(left) > 2:
            left.remove(number)
    frame = axis
    if axis is None and len(left) == 4:
        frame = left.pop() if by_columns else left.pop(0)
    colour = None
    if len(left) == 3:
        if shape[left[2]] == 3:
            colour = left.pop()
        elif frame is None:
            frame = left.pop() if by_columns else left.pop(0)
        elif shape[left[0]] == 3:
            colour = left.pop(0)
    if len(left) != 2 or min(shape[left[0]], shape[left[1]]) < MIN_SIDE or 0 in shape:
        return None
    return Axes(frame, left[0], left[1], colour)


def choose(found: Sequence[Stored], reading: Reading, fmt: str) -> Stored:
    """The array that the manifest names, or the only one that can be a picture; of an I and a Q, the I.

    Raises:
        RowError: none, or several. Names are not quoted, because some datasets name their arrays after patients.
    """
    if reading.array is not None:
        wanted = reading.array.strip("/")
        for stored in found:
            if stored.name.strip("/") == wanted:
                return stored
        raise RowError(
            f"{fmt}: expected the array '{reading.array}' that the layout rule names, found {len(found)} others; "
            "correct `array`"
        )
    fitting = [item for item in found if _pictures(item, reading)]
    real = [item for item in fitting if item.dtype.kind != "c"]
    if len(real) == 1 or (not real and fitting):
        return (real or fitting)[0]
    if len(real) == 2 and partner(real[0], real) is not None:
        return min(real, key=lambda item: _PAIR_ORDER.get(_last(item.name), 0))
    shapes = [str(item.shape).replace(" ", "") for item in (real or found)]
    shown = ", ".join(shapes[:_SHOWN]) + (", ..." if len(shapes) > _SHOWN else "")
    if not real:
        raise RowError(
            f"{fmt}: expected an array of pictures, found {len(found)} arrays of other kinds or shapes ({shown}); "
            "name one with `array`, and the axis of its pictures with `axis`, in the layout rule"
        )
    raise RowError(
        f"{fmt}: expected one array of pictures, found {len(real)} ({shown}); name one with `array` in the layout rule"
    )


def partner(stored: Stored, found: Sequence[Stored]) -> Stored | None:
    """The Q that belongs to an I, or the imaginary part that belongs to a real one, beside it in the file."""
    folder, _, last = stored.name.rpartition("/")
    for item in found:
        pair = {last.lower(), _last(item.name)}
        beside = item is not stored and item.name.rpartition("/")[0] == folder and item.shape == stored.shape
        if beside and any(pair == set(names) for names in _PAIRS):
            return item
    return None


_PAIR_ORDER = {name: place for pair in _PAIRS for place, name in enumerate(pair)}


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()


def _pictures(stored: Stored, reading: Reading) -> bool:
    return (
        stored.dtype.kind in "buifc" and axes_of(stored.shape, reading.axis, by_columns=stored.by_columns) is not None
    )


def planes_in(stored: Stored, reading: Reading, fmt: str) -> Planes:
    """The pictures of one array; nothing is read yet.

    Raises:
        RowError: no numbers, or a shape that `axes_of` cannot read.
    """
    axes = axes_of(stored.shape, reading.axis, by_columns=stored.by_columns)
    if stored.dtype.kind not in "buifc" or axes is None:
        raise RowError(
            f"{fmt}: expected numbers in a shape of pictures of at least {MIN_SIDE} pixels a side, "
            f"found {stored.dtype.kind} {stored.shape}; name the axis of the pictures with `axis` in the layout rule"
        )
    kept = [axis for axis in (axes.rows, axes.columns, axes.colour) if axis is not None]
    order = [sorted(kept).index(axis) for axis in kept]
    opened: list[Any] = []

    def take(number: int) -> Values:
        opened[:] = opened or [stored.load()]
        at = {axes.frame: number}
        index = tuple(slice(None) if axis in kept else at.get(axis, 0) for axis in range(len(stored.shape)))
        return np.asarray(opened[0][index]).transpose(order)

    count = 1 if axes.frame is None else stored.shape[axes.frame]
    channels = 1 if axes.colour is None else 3
    return Planes(count, stored.shape[axes.rows], stored.shape[axes.columns], channels, stored.dtype, take)


def probe_stored(found: Sequence[Stored], size: int, fmt: str, reading: Reading) -> MediaInfo:
    """The facts of a file of arrays of `size` bytes."""
    stored = choose(found, reading, fmt)
    planes = planes_in(stored, reading, fmt)
    _planes.check_planes(planes, size, fmt)
    aside = _planes.set_aside(planes, stored.name)
    other = partner(stored, found)
    # Some writers keep an imaginary part of zeros beside real RF lines.
    if other is not None and np.any(planes_in(other, reading, fmt).take(planes.count // 2)):
        aside = "iq_data"
    return _planes.describe(planes, fmt, reading, "stack", aside=aside)


def iter_stored(
    found: Sequence[Stored], size: int, fmt: str, wanted: Wanted, reading: Reading
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted pictures of a file of arrays."""
    planes = planes_in(choose(found, reading, fmt), reading, fmt)
    _planes.check_planes(planes, size, fmt)
    media = _planes.media_of(planes.count, reading.kind, "stack")
    yield from _planes.frames(planes, _planes.even_times(planes.count, reading.fps, media), wanted, fmt)
