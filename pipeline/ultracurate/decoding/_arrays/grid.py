"""The values of a volume file with axes in the order of its header, and how they lie in pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays.inflate import Buffer
from ultracurate.decoding._arrays.planes import Planes, Values, check_bytes
from ultracurate.decoding.media import Media, Reading

Companion = Callable[[str], bytes]
"""Gives the bytes of a file beside a header, by the relative name that the header says."""

_MAX_AXES = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """What a volume file holds.

    Attributes:
        values: one index per axis of the header, the fastest first, colour wherever `colour` says.
        spacing: mm along each axis, None where it is no length or unknown.
        colour: axis of three colours.
        time: axis of time, or of pictures listed one after the other.
        fps: along `time`.
        times: seconds of every picture, where the file dates each of them.
        default: what several pictures are if the manifest does not say.
        aside: why this is no picture, as the header says.
        scale: slope and intercept of the values.
    """

    values: Values
    spacing: tuple[float | None, ...]
    colour: int | None = None
    time: int | None = None
    fps: float | None = None
    times: tuple[float | None, ...] | None = None
    default: Media = "volume"
    aside: str | None = None
    scale: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Arranged:
    """The pictures of a grid, what they are by default, and mm per (column, row, picture)."""

    planes: Planes
    default: Media
    spacing: tuple[float | None, float | None, float | None]


def on_grid(buffer: Buffer, sizes: Sequence[int], dtype: npt.DTypeLike, *, offset: int = 0) -> Values:
    """The values of a buffer with the first axis the fastest, indexed in that order; nothing is copied."""
    flat = np.frombuffer(buffer, dtype, count=math.prod(sizes), offset=offset)
    values: Values = flat.reshape(tuple(reversed(sizes))).T
    return values


def grid_bytes(sizes: Sequence[int], itemsize: int, fmt: str) -> int:
    """Bytes of a grid by its header.

    Raises:
        RowError: an axis without length, too few or too many axes, or more bytes than the limit.
    """
    if not 2 <= len(sizes) <= _MAX_AXES or min(sizes) < 1:
        raise RowError(f"{fmt}: expected 2 to {_MAX_AXES} axes of at least one value, found {len(sizes)} axes")
    count = math.prod(sizes) * itemsize
    check_bytes(count, fmt)
    return count


def arrange(grid: Grid, reading: Reading, fmt: str) -> Arranged:
    """Pictures with the fastest remaining axis along their rows and the second fastest down their columns.

    Axes of one value are left out. Three axes: pictures lie along the last one, or along time where the header names
    it. Four axes: pictures are the slices of the first time, then those of the second, ...; if `Reading.axis` names
    the time axis, they are the first slice at all times, then the second slice, ... No orientation is undone.

    Raises:
        RowError: `Reading.axis` is no axis of the file, or more than four axes remain.
    """
    sizes = grid.values.shape
    axes = [axis for axis in range(len(sizes)) if axis != grid.colour]
    if reading.axis is not None and reading.axis not in axes:
        raise RowError(f"{fmt}: expected an `axis` among {axes} in the layout rule, found {reading.axis}")
    for axis in reversed(axes):
        if sizes[axis] == 1 and len(axes) > 2 and axis != reading.axis:
            axes.remove(axis)
    in_space = [axis for axis in axes if axis != grid.time]
    frame = reading.axis
    if frame is None and len(axes) > 2:
        frame = in_space[2] if len(in_space) > 2 else grid.time
    rest = [axis for axis in axes if axis != frame]
    flat = [axis for axis in rest if axis != grid.time][:2]
    outer = [axis for axis in rest if axis not in flat]
    if len(flat) != 2 or len(outer) > 1:
        raise RowError(
            f"{fmt}: expected pictures, volumes or volumes in time, found {len(sizes)} axes of {sizes}; "
            "name the one along which pictures lie with `axis` in the layout rule"
        )
    default: Media = "clip" if frame is not None and frame == grid.time else grid.default
    spacing = (grid.spacing[flat[0]], grid.spacing[flat[1]], None if frame is None else grid.spacing[frame])
    return Arranged(_planes(grid, frame, outer, (flat[1], flat[0])), default, spacing)


def _planes(grid: Grid, frame: int | None, outer: list[int], flat: tuple[int, int]) -> Planes:
    values, colour = grid.values, grid.colour
    per_turn = 1 if frame is None else values.shape[frame]
    turns = values.shape[outer[0]] if outer else 1
    kept = [*flat] if colour is None else [*flat, colour]
    order = [sorted(kept).index(axis) for axis in kept]

    def take(number: int) -> Values:
        index: list[Any] = [slice(None) if axis in kept else 0 for axis in range(values.ndim)]
        turn, at = divmod(number, per_turn)
        if frame is not None:
            index[frame] = at
        if outer:
            index[outer[0]] = turn
        picture: Values = values[tuple(index)].transpose(order)
        return picture if grid.scale is None else picture.astype(np.float64) * grid.scale[0] + grid.scale[1]

    dtype = values.dtype if grid.scale is None else np.dtype(np.float64)
    return Planes(
        per_turn * turns, values.shape[flat[0]], values.shape[flat[1]], 1 if colour is None else 3, dtype, take
    )


def beside(name: str, companion: Companion | None, fmt: str) -> bytes:
    """The bytes of the data file that a header names.

    Raises:
        RowError: nothing can be read beside the header, or the name is a list, a pattern, absolute or leads out of
            the folder. Formats that name other files are how a dataset would read files that are not its own.
    """
    parts = name.replace("\\", "/").split("/")
    odd = not name or name.upper().startswith("LIST") or any(mark in name for mark in "%:\0\n")
    if odd or name.startswith(("/", "\\", "~")) or ".." in parts:
        raise RowError(
            f"{fmt}: expected values in the file itself or in one file of the same folder, found a list, a pattern "
            "or a path that leads elsewhere; convert the file"
        )
    if companion is None:
        raise RowError(f"{fmt}: its values lie in a second file, and only the header was given; read both together")
    return companion("/".join(part for part in parts if part not in ("", ".")))


def known_spacing(spacing: Sequence[float | None], *, stated: bool) -> tuple[float | None, ...]:
    """Positive finite numbers; all ones without a unit is what writers put that know nothing: no spacing."""
    if not stated and all(part == 1 for part in spacing):
        return (None,) * len(spacing)
    return tuple(part if part is not None and 0 < part < math.inf else None for part in spacing)
