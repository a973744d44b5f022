"""Reads the field net's map: separate fields, how sure it is, where its border runs, how an outline fits it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.imaging._field_input import GRID
from ultracurate.imaging._runs import Border
from ultracurate.imaging._shapes import Points

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
U8 = npt.NDArray[np.uint8]

_FINE = 3  # the net's map is enlarged this much before its border is traced
_LOW = 0.4  # probability at which a pixel counts as field: below a half, as cutting is worse than keeping
_BORDER = 0.3  # probability at which the border is traced, lower still: full size moves it back in where an edge shows
_LEAST_PART = 0.25  # of the larger field of a dual view, or of both
LEAST_AREA = 0.03
"""Share of the picture that a field takes at least."""


def parts(field: Floats, second: Floats) -> list[Floats]:
    """The probability of each separate field."""
    inside = field > _LOW
    other = inside & (second > 0.5)
    if min(int(other.sum()), int((inside & ~other).sum())) > _LEAST_PART * inside.sum() > 0:
        return [field * (second <= 0.5), field * (second > 0.5)]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas) or areas.max() < LEAST_AREA * field.size:
        return []
    large = [index + 1 for index in np.flatnonzero(areas > _LEAST_PART * areas.max())]
    if len(large) > 2:
        return []
    near = np.ones((5, 5), np.uint8)
    return [field * cv2.dilate((labels == index).astype(np.uint8), near) for index in large]


def sureness(field: Floats) -> float:
    """1 where only pixels along the border are undecided, lower the more of the field is a guess."""
    inside = field > 0.5
    area = int(inside.sum())
    vague = float((4 * field * (1 - field)).sum()) - _rim(inside)
    return float(np.clip(1 - vague / max(area, 1), 0, 1))


def _rim(inside: Mask) -> int:
    """Cells along the border of a mask."""
    solid = inside.astype(np.uint8)
    return int(solid.sum()) - int(cv2.erode(solid, np.ones((3, 3), np.uint8), borderValue=1).sum())


def _fine(part: Floats, level: float) -> U8:
    side = GRID * _FINE
    return (cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR) > level).astype(np.uint8)


def border(part: Floats, width: int, height: int) -> Border | None:
    """The border of the largest region; None where there is no region."""
    side = GRID * _FINE
    contours, _ = cv2.findContours(_fine(part, _BORDER), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)[:, 0].astype(float)
    contour = contour[:: max(1, len(contour) // 240)]
    free = np.asarray(((contour > 1.5 * _FINE) & (contour < side - 1 - 1.5 * _FINE)).all(axis=1))
    at = (contour + 0.5) * (width / side, height / side)
    reach = max(
        1,
        min(
            len(at) // 8,
            round(len(at) * 4.5 * _FINE / max(1.0, cv2.arcLength(contour[:, None].astype(np.float32), True))),
        ),
    )
    along = np.roll(at, -reach, axis=0) - np.roll(at, reach, axis=0)
    area = float((at[:, 0] * np.roll(at[:, 1], -1) - at[:, 1] * np.roll(at[:, 0], -1)).sum())
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) * (1 if area > 0 else -1)
    normal /= np.maximum(np.hypot(*normal.T), 1e-9)[:, None]
    return Border(
        at, normal, free, (width, height), float(np.sqrt(width * height) / GRID), _extent(part, width, height)
    )


def _extent(part: Floats, width: int, height: int) -> npt.NDArray[np.float64]:
    """x0, y0, x1, y1 of all that may be field, a cell wider; well beyond the frame where it touches that."""
    may = part > 0.1
    columns, rows = np.flatnonzero(may.any(axis=0)), np.flatnonzero(may.any(axis=1))
    low = np.asarray([columns[0], rows[0]], float)
    high = np.asarray([columns[-1], rows[-1]], float) + 1
    low, high = np.where(low < 2, -4.0, low - 1), np.where(high > GRID - 2, GRID + 4.0, high + 1)
    return np.asarray(np.concatenate([low, high]) * np.asarray([width, height, width, height]) / GRID)


def hull(part: Floats, width: int, height: int) -> Points:
    """The convex hull of all that may be field, a cell wider, for fields that no shape explains."""
    side = GRID * _FINE
    wide = cv2.dilate(_fine(part, 0.2), np.ones((2 * _FINE + 1, 2 * _FINE + 1), np.uint8))
    contours, _ = cv2.findContours(wide, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(contours))[:, 0].astype(float)
    hull = np.where(hull >= side - 1 - _FINE, side, np.where(hull <= _FINE, 0, hull))
    return np.asarray(hull * (width / side, height / side))


def agreement(outline: Points, part: Mask, width: int, height: int) -> tuple[float, float]:
    """Overlap of an outline with the net's field, and the share of that field outside the outline, both 0..1."""
    inside = np.zeros((GRID, GRID), np.uint8)
    if len(outline) > 2:
        corners = outline * (GRID / width, GRID / height)
        cv2.fillPoly(inside, [np.round(corners * 16 - 8).astype(np.int32).reshape(-1, 1, 2)], 1, shift=4)
    drawn = inside > 0
    # Half a cell to either side is the grid's doing, which weighs more the smaller the field is.
    wrong = max(0.0, float((drawn ^ part).sum()) - 0.5 * _rim(part))
    lost = max(0.0, float((part & ~drawn).sum()) - 0.25 * _rim(part))
    return 1 - wrong / max(1, int((drawn | part).sum())), lost / max(1, int(part.sum()))
