"""The border of a field in the net's map, and the straight runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.imaging._shapes import Points

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Border:
    """The border of one field in the net's map, evenly spaced points in order.

    Attributes:
        at: (N, 2) pixels.
        normal: (N, 2) outward unit vectors.
        free: (N,) which points do not lie on the frame of the picture.
        size: width and height of the picture.
        cell: pixels of one cell of the map.
        extent: x0, y0, x1, y1 that nothing of the field lies outside of; beyond the frame where the frame cuts it.
    """

    at: Points
    normal: Points
    free: npt.NDArray[np.bool_]
    size: tuple[int, int]
    cell: float
    extent: Floats

    @cached_property
    def sparse(self) -> Points:
        """Every third of the points that are not on the frame."""
        return self.at[self.free][::3]


@dataclass(frozen=True)
class Line:
    """A straight run: outward normal, offset along it, which points lie on it, their middle, its ends along it."""

    normal: Floats
    offset: float
    on: npt.NDArray[np.bool_]
    middle: Floats
    span: tuple[float, float]

    @property
    def place(self) -> float:
        """Of an upright run, x or y of its middle."""
        return float(self.middle[int(abs(self.normal[1]) > abs(self.normal[0]))])

    @property
    def angle(self) -> float:
        """Direction of the normal, rad, 0 to the right, growing downwards."""
        return float(np.arctan2(self.normal[1], self.normal[0]))


def straight_runs(border: Border, most: int = 7) -> list[Line]:
    """Lines that many points of the border lie on, best first; few points may lie outside any of them."""
    at, normal, free, cell = border.at, border.normal, border.free, border.cell
    seeds = np.flatnonzero(free)[:: max(1, int(free.sum()) // 64)]
    if len(seeds) < 6:
        return []
    least = 6 * cell / max(_spacing(at), 1e-6)
    found: list[Line] = []
    taken = np.zeros(len(at), np.bool_)
    normals = normal[seeds]
    gaps = at @ normals.T - (at[seeds] * normals).sum(axis=1)
    facing = (normal @ normals.T > 0.9) & free[:, None]
    on = (np.abs(gaps) < 0.8 * cell) & facing
    beyond = (gaps > 1.6 * cell).sum(axis=0)
    while len(found) < most:
        support = (on & ~taken[:, None]).sum(axis=0) - 0.5 * beyond
        best = int(support.argmax())
        if support[best] < least:
            break
        line = _straightened(at, normal, free, on[:, best], cell)
        on[:, best] = False
        if line is None:
            continue
        fresh = int((line.on & ~taken).sum())
        if fresh >= max(least, 0.5 * int(line.on.sum())):
            found.append(line)
            taken |= line.on
    found += _spans(border, found)
    return sorted(found, key=lambda line: -int(line.on.sum()))


def _spans(border: Border, known: list[Line], most: int = 3) -> list[Line]:
    """Long straight edges of the border's hull: a side that dark tissue bites into touches them in few places."""
    hull = cv2.convexHull(border.at.astype(np.float32))
    corners = cv2.approxPolyDP(hull, 0.9 * border.cell, closed=True)[:, 0].astype(float)
    along = np.roll(corners, -1, axis=0) - corners
    middle = border.at.mean(axis=0)
    found: list[Line] = []
    for index in np.argsort(-np.hypot(along[:, 0], along[:, 1]))[: most + 3]:
        length = float(np.hypot(*along[index]))
        if length < 8 * border.cell:
            break
        normal = np.asarray([along[index, 1], -along[index, 0]]) / length
        normal = normal if normal @ (corners[index] - middle) > 0 else -normal
        offset = float(normal @ corners[index])
        on = (np.abs(border.at @ normal - offset) < 0.8 * border.cell) & border.free
        alike = any(normal @ line.normal > 0.995 and (on & line.on).any() for line in known)
        if not alike and int(on.sum()) > 3 and len(found) < most:
            found.append(Line(normal, offset, on, corners[index] + along[index] / 2, _span(border.at[on], normal)))
    return found


def _straightened(
    at: Points, normal: Points, free: npt.NDArray[np.bool_], on: npt.NDArray[np.bool_], cell: float
) -> Line | None:
    """The least-squares line of the points that are on it, looked for once more."""
    for _ in range(2):
        if int(on.sum()) < 4:
            return None
        middle = at[on].mean(axis=0)
        spread = at[on] - middle
        _, axes = np.linalg.eigh(spread.T @ spread)
        across = axes[:, 0]
        if across @ normal[on].sum(axis=0) < 0:
            across = -across
        offset = float(across @ middle)
        on = (np.abs(at @ across - offset) < 0.6 * cell) & (normal @ across > 0.85) & free
    return Line(across, offset, on, middle, _span(at[on], across))


def _span(at: Points, normal: Floats) -> tuple[float, float]:
    """Least and greatest place along a line of the points on it."""
    along = at @ np.asarray([-normal[1], normal[0]])
    return (float(along.min()), float(along.max())) if len(along) else (0.0, 0.0)


def _spacing(at: Points) -> float:
    return float(np.median(np.hypot(*np.diff(at, axis=0).T)))
