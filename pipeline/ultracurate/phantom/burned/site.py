"""Where things are on an insonated field of which only the mask is known: its beams, sides, foot and inner places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ultracurate.phantom.canvas import Point
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Mask

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Fan:
    """A curved field: apex (x, y), least and largest radius in px, angles of its two sides in rad (0 points down)."""

    apex: Point
    near: float
    far: float
    sides: tuple[float, float]


@dataclass(frozen=True)
class Site:
    """One field: `mask` (H, W) bool, its `box`, first and last column per row, first and last row per column.

    `left`, `right` count from row box[1], `top`, `bottom` from column box[0]; all are screen pixels. `fan` is None for
    fields whose beams are parallel, or of which too little is seen.
    """

    mask: Mask
    box: Box
    left: Ints
    right: Ints
    top: Ints
    bottom: Ints
    fan: Fan | None

    def at(self, lateral: float, depth: float) -> Point:
        """Screen pixel (x, y) of a place given across the beams and along them, both 0..1."""
        if self.fan is None:
            row = int(np.clip(depth * (len(self.left) - 1), 0, len(self.left) - 1))
            x0, x1 = float(self.left[row]), float(self.right[row])
            return x0 + lateral * (x1 - x0), self.box[1] + depth * (len(self.left) - 1)
        radius = self.fan.near + depth * (self.fan.far - self.fan.near)
        theta = self.fan.sides[0] + lateral * (self.fan.sides[1] - self.fan.sides[0])
        return self.fan.apex[0] + radius * float(np.sin(theta)), self.fan.apex[1] + radius * float(np.cos(theta))

    def holds(self, x: float, y: float) -> bool:
        """Whether (x, y) lies on the field."""
        row, column = round(y), round(x)
        return 0 <= row < self.mask.shape[0] and 0 <= column < self.mask.shape[1] and bool(self.mask[row, column])

    def spot(self, rng: np.random.Generator, depth: tuple[float, float] = (0.12, 0.9), lateral: float = 0.42) -> Point:
        """A random place on the field, (x, y) pixels."""
        for _ in range(8):
            x, y = self.at(0.5 + float(rng.uniform(-lateral, lateral)), float(rng.uniform(*depth)))
            if self.holds(x, y):
                return x, y
        rows, columns = np.nonzero(self.mask)
        index = int(rng.integers(len(rows)))
        return float(columns[index]), float(rows[index])

    def side(self, last: bool, count: int) -> list[Point]:
        """`count` places from the top to the lower corner of the left or, with `last`, the right side."""
        edge = self.right if last else self.left
        # Below its outermost row a fan's side has turned into its foot. Cut fields end in a long vertical piece.
        far = edge.max() if last else edge.min()
        corner = int(np.flatnonzero(edge == far)[-1])
        if corner < 0.3 * len(edge):
            corner = len(edge) - 1
        rows = np.round(np.linspace(0, corner, count)).astype(int)
        return [(float(edge[row]), float(self.box[1] + row)) for row in rows]

    def foot(self, count: int) -> list[Point]:
        """`count` places along the deep edge, from left to right."""
        columns = np.round(np.linspace(0.04, 0.96, count) * (len(self.bottom) - 1)).astype(int)
        return [(float(self.box[0] + column), float(self.bottom[column])) for column in columns]


def site_of(mask: Mask) -> Site:
    """What a field's mask (H, W) bool tells; it must hold a pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    part = mask[y0:y1, x0:x1]
    left = x0 + part.argmax(axis=1)
    right = x1 - 1 - part[:, ::-1].argmax(axis=1)
    top = y0 + part.argmax(axis=0)
    bottom = y1 - 1 - part[::-1].argmax(axis=0)
    fan = _fan(left, right, top, bottom, (x0, y0, x1, y1))
    return Site(mask, (x0, y0, x1, y1), left, right, top, bottom, fan)


def _fan(left: Ints, right: Ints, top: Ints, bottom: Ints, box: Box) -> Fan | None:
    """The fan whose straight sides these are, or None."""
    height = len(left)
    widths = (right - left).astype(float)
    if height < 40 or widths[int(0.15 * height)] > 0.9 * widths.max():
        return None
    low = _line(left, int(np.flatnonzero(left == left.min())[0]))
    high = _line(right, int(np.flatnonzero(right == right.max())[0]))
    if low is None or high is None or high[0] - low[0] < 0.15:
        return None
    y = (low[1] - high[1]) / (high[0] - low[0])
    apex = low[0] * y + low[1], y + box[1]
    middle = slice(len(bottom) // 3, max(len(bottom) * 2 // 3, len(bottom) // 3 + 1))
    xs = np.arange(box[0], box[2], dtype=float)[middle]
    far = float(np.median(np.hypot(xs - apex[0], bottom[middle] - apex[1])))
    near = float(np.hypot(xs - apex[0], top[middle] - apex[1]).min())
    if not (np.isfinite(far) and 0 <= near < 0.8 * far and apex[1] < box[1] + 0.3 * height):
        return None
    return Fan((float(apex[0]), float(apex[1])), near, far, (float(np.arctan(low[0])), float(np.arctan(high[0]))))


def _line(edge: Ints, corner: int) -> tuple[float, float] | None:
    """Slope and offset of x over the row along the straight part of a side above its corner."""
    start, stop = round(0.15 * corner), round(0.9 * corner)
    if stop - start < 12:
        return None
    rows = np.arange(start, stop, dtype=float)
    slope, offset = np.polyfit(rows, edge[start:stop].astype(float), 1)
    wide: Any = np.abs(edge[start:stop] - (slope * rows + offset)).max()
    return (float(slope), float(offset)) if wide < 6 else None
