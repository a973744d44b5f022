"""Looks along the normals of a fitted outline, at full size, for where flat ground ends and picture begins."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.imaging._fit import Fitted, refine
from ultracurate.imaging._shapes import Points

Floats = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

_LIT = 24.0
"""Grey levels above the ground that count as fully lit, so that no bright line outweighs dim tissue."""

_LEAST = 0.05
"""Mean of lit (0..1) below which a stretch of the border shows nothing."""

_CROSS = 0.35
"""Share of the inside's level at which the border is set: below a half, as cutting is worse than keeping."""


@dataclass(frozen=True)
class Stretch:
    """Short stretches of an outline: centres (N, 2) px, outward normals, whose edge, and what was seen.

    `shift` is how far outside the outline the picture ends, px, NaN where that was not seen: either all is dark, or
    (`open`) the picture goes on outside.
    """

    at: Points
    normal: Points
    region: npt.NDArray[np.intp]
    shift: Floats
    open: npt.NDArray[np.bool_]

    def doubt(self, cell: float) -> float:
        """0..1, how little the stretches speak for this outline: those that speak against it, and a little for dark."""
        if not len(self.shift):
            return 0.3
        off = np.clip(np.abs(self.shift) / cell - 0.15, 0, 1)
        return float(np.where(np.isnan(off), np.where(self.open, 0.8, 0.15), off).mean())


def look(grey: U8, fitted: Fitted, reach: float) -> Stretch:
    """Observe the border of `fitted` within `reach` pixels on the brightest channel `grey` (H, W)."""
    height, width = grey.shape
    at, normal = _walk(fitted.outline(width, height), max(1.0, (width + height) / 560))
    inside = (at > 1.0).all(axis=1) & (at[:, 0] < width - 1.0) & (at[:, 1] < height - 1.0)
    at, normal = at[inside], normal[inside]
    if len(at) < 24:
        return Stretch(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.intp), np.zeros(0), np.zeros(0, np.bool_))
    region = fitted.shape.distances(fitted.params, at).argmax(axis=0)
    # Runs of one region, cut into stretches of about a dozen points.
    run = np.concatenate([[0], np.cumsum((np.diff(region) != 0) | (np.hypot(*np.diff(at, axis=0).T) > 6 * reach))])
    order = np.arange(len(at)) - np.concatenate([[0], np.flatnonzero(np.diff(run)) + 1])[run]
    length = np.bincount(run)[run]
    piece = order // np.maximum(1, np.ceil(length / np.maximum(1, np.round(length / 12)))).astype(int)
    start = np.concatenate([[0], np.flatnonzero((np.diff(run) != 0) | (np.diff(piece) != 0)) + 1])
    size = np.diff(np.concatenate([start, [len(at)]]))
    step = max(0.5, reach / 11)
    offsets = np.arange(-reach, reach + step / 2, step)
    places = at[:, None] + normal[:, None] * offsets[:, None] - 0.5
    values = cv2.remap(
        grey, places[..., 0].astype(np.float32), places[..., 1].astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)  # fmt: skip
    outer = offsets > 0.45 * reach
    ground = np.median(np.add.reduceat(values[:, outer], start) / size[:, None], axis=1)
    lit = np.minimum(np.abs(values - np.repeat(ground, size)[:, None]) / _LIT, 1.0)
    level = np.add.reduceat(lit, start) / size[:, None]
    middle = np.add.reduceat(at, start) / size[:, None]
    facing = np.add.reduceat(normal, start) / size[:, None]
    facing /= np.maximum(np.hypot(*facing.T), 1e-6)[:, None]
    shift, open_ = _crossings(level, offsets, outer)
    enough = size >= 4
    return Stretch(middle[enough], facing[enough], region[start][enough], shift[enough], open_[enough])


def _walk(corners: Points, step: float) -> tuple[Points, Points]:
    """Points every `step` pixels along a closed polygon, and the outward normals there."""
    if len(corners) < 3:
        return np.zeros((0, 2)), np.zeros((0, 2))
    following = np.roll(corners, -1, axis=0)
    edge = following - corners
    length = np.hypot(*edge.T)
    total = np.concatenate([[0.0], np.cumsum(length)])
    places = np.arange(step / 2, total[-1], step)
    index = np.clip(np.searchsorted(total, places, side="right") - 1, 0, len(corners) - 1)
    along = edge / np.maximum(length, 1e-9)[:, None]
    at = corners[index] + along[index] * (places - total[index])[:, None]
    area = float((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum())
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) * (1 if area > 0 else -1)
    return at, normal[index]


def _crossings(level: Floats, offsets: Floats, outer: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Where each stretch's profile (N, T) last falls below its share of the inside, NaN if unclear; and which go on."""
    inner = np.sort(level[:, offsets < 0], axis=1)
    plateau = inner[:, -max(2, inner.shape[1] // 3) :].mean(axis=1)
    beyond = np.median(level[:, outer], axis=1)
    wanted = _CROSS * plateau
    on = level >= wanted[:, None]
    solid = on.copy()
    solid[:, 1:] &= on[:, :-1]
    solid[:, 2:] &= on[:, :-2]
    solid[:, :2] = False
    last = solid.shape[1] - 1 - solid[:, ::-1].argmax(axis=1)
    rows = np.arange(len(level))
    nearer, further = level[rows, last], level[rows, np.minimum(last + 1, level.shape[1] - 1)]
    part = np.clip((nearer - wanted) / np.maximum(nearer - further, 1e-6), 0, 1)
    shift = offsets[last] + part * (offsets[1] - offsets[0])
    dark = plateau < _LEAST
    goes_on = ~dark & (beyond > 0.5 * wanted)
    return np.where(dark | goes_on | ~solid.any(axis=1), np.nan, shift), goes_on


def sharpen(grey: U8, fitted: Fitted, border: Points, cell: float) -> tuple[Fitted, float]:
    """The shape moved onto the border that full size shows, and the doubt that is left about it, 0..1.

    Two looks, the second nearer. Where nothing shows, the shape stays with `border`.

    Args:
        grey: brightest channel (H, W).
        fitted: the shape as fitted to the mask.
        border: points of the mask's border (N, 2), pixels.
        cell: pixels of one cell of the mask.
    """
    shape, params, error = fitted.shape, fitted.params, fitted.error
    for reach, unit in ((2.2 * cell, 0.4 * cell), (1.2 * cell, 0.15 * cell)):
        seen = look(grey, Fitted(shape, params, error), max(reach, 4.0))
        # Where the picture goes on outside, the border lies further out.
        shift = np.where(seen.open, 0.5 * reach, seen.shift)
        spots, trust = seen.at + seen.normal * shift[:, None], np.where(seen.open, 0.5, 1.0)
        # What ends far inside the mask's own border is tissue that fades, not the field.
        good = fitted.shape.distances(fitted.params, spots).max(axis=0) > -cell  # False where nothing was seen
        spots, trust = spots[good], trust[good]
        if len(spots) < 3:
            return fitted, seen.doubt(cell)
        at = np.concatenate([spots, border])
        weights = np.concatenate([trust, np.full(len(border), 0.06 * len(spots) / len(border))])
        params, _ = refine(shape, params, at, weights, max(unit, 1.0), 7)
    sharp = Fitted(shape, params, error)
    seen = look(grey, sharp, max(cell, 4.0))
    return _outward(sharp, seen, cell), seen.doubt(cell)


def _outward(fitted: Fitted, seen: Stretch, cell: float) -> Fitted:
    """Each edge moved out to where most of its stretches end: an edge in doubt keeps screen rather than cut tissue."""
    params = fitted.params.copy()
    for region in np.unique(seen.region):
        shifts = seen.shift[(seen.region == region) & ~np.isnan(seen.shift)]
        if len(shifts) < 4:
            continue
        out = float(np.clip(np.percentile(shifts, 70), 0, cell))
        if region < 4:
            params[region] += out * (-1, -1, 1, 1)[region]
        elif fitted.shape.name == "quad":
            params[region + 4] += out
        elif region == 6:
            params[9] -= out
        elif region == 7:
            params[10] += out
    return Fitted(fitted.shape, params, fitted.error)
