"""Moves a fitted shape onto the borders that the full picture shows: where flat ground ends and picture begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.imaging._fit import refine
from ultracurate.imaging._runs import Border
from ultracurate.imaging._shapes import Box, Params, Points

Floats = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_LIT = 24.0
"""Grey levels above the ground that count as fully lit, so that no bright line outweighs dim tissue."""

_CROSS = 0.4
"""Share of the inside's level at which the border is set: below a half, as cutting is worse than keeping."""

_SEEN = 0.25
"""Support above which an edge counts as seen."""

_DARK = 0.04
"""Mean of lit (0..1) below which a row shows nothing."""

_TIMES = 31  # samples across an edge
_BINS = 20  # stretches of an edge, at most
_PAD = 12  # samples that a curve may leave its middle by
_OUTWARD = 0.2
"""How much support an edge at the inner end of a strip must have more than at the middle, to be preferred."""


@dataclass(frozen=True)
class Sight:
    """What the full picture shows along one edge of a shape.

    Attributes:
        region: which edge.
        rows: how many places along it were looked at.
        at: (S, 2) where the picture ends, pixels.
        trust: (S,) 0..1, how clearly it does.
        support: 0..1, the mean of it over the stretches that are lit.
        lit: share of the edge that shows anything.
        open: whether the picture goes on outside.
    """

    region: int
    rows: int
    at: Points
    trust: Floats
    support: float
    lit: float
    open: bool


def look(grey: U8, shape: Box, params: Params, size: tuple[int, int], reach: float) -> list[Sight]:
    """Find each edge of a shape within `reach` pixels to either side.

    All straight (and for arcs, bent) curves across a strip along the edge are tried, and the one is taken along which
    most stretches fall from lit to ground: text, shadows and dark tissue hide parts of an edge, seldom all of it.

    Args:
        grey: brightest channel (H, W).
        shape: which shape.
        params: where it lies.
        size: width and height.
        reach: pixels.
    """
    at, normal, region = _walk(shape, params, *size)
    if len(at) < 16:
        return []
    # Stretches: runs of rows of one edge.
    order = np.argsort(region, kind="stable")
    at, normal, region = at[order], normal[order], region[order]
    counts = np.bincount(region, minlength=8)
    bins = np.where(counts >= 6, np.minimum(counts // 2, _BINS), np.minimum(counts, 1))
    firsts = np.cumsum(counts) - counts
    starts = np.concatenate([f + np.arange(b) * c // b for f, b, c in zip(firsts, bins, counts, strict=True) if b])
    strip = _observe(grey, at, normal, reach, starts)
    length = np.diff(np.append(starts, len(at)))[:, None]
    centre, facing = np.add.reduceat(at, starts) / length, np.add.reduceat(normal, starts) / length
    sights, first = [], 0
    for index in np.flatnonzero(bins):
        own = slice(first, first + int(bins[index]))
        first = own.stop
        if counts[index] >= 6:
            bent = shape.name == "fan" and int(index) >= 6
            shift, trust, support, lit, goes_on = strip.settle(own, bent)
            places = centre[own] + facing[own] * shift[:, None]
            sights.append(Sight(int(index), int(counts[index]), places, trust, support, lit, goes_on))
    return sights


@dataclass(frozen=True)
class _Strip:
    """Stretches of an outline, each seen across: means over the rows of one, weighted by how much they show.

    `fall` (B, P): how far it falls from lit to ground at each place across; `lit` (B, T); `weight` (B,).
    """

    fall: F32
    lit: F32
    tail: F32
    weight: F32
    share: F32
    near: int
    reach: float

    def settle(self, own: slice, bent: bool) -> tuple[Floats, Floats, float, float, bool]:
        """Of one edge: how far outside it the picture ends, px, the trust in each stretch, support, lit, and open."""
        fall, weight = self.fall[own], self.weight[own]
        count, every, lit = len(weight), float(weight.sum()), float(self.share[own].mean())
        step = 2 * self.reach / (_TIMES - 1)
        if lit < 0.02:
            return np.zeros(count), np.zeros(count), 0.0, lit, False
        curves, shifts = _curves(count, bent)
        padded = np.pad(fall, ((0, 0), (_PAD, _PAD)))
        places = fall.shape[1]
        score = padded.ravel()[_lookup(count, bent, places)].sum(axis=1) / every
        # Of equals the outer and the straighter.
        biased = score + _bias(count, bent, places)
        best, place = divmod(int(biased.argmax()), places)
        votes = padded[np.arange(count), _PAD + place + shifts[best]]
        middle = self.near + place
        exact = middle + _crossing(self.lit[own], every, shifts[best], middle, self.near)
        shift = -self.reach + (exact - 0.5 + curves[best]) * step
        trust = np.where(votes > 0.25 * weight, weight / max(float(weight.max()), 1e-6), 0.0)
        support = float(score[best, place])
        goes_on = float(self.tail[own].sum()) > 0.6 * every
        return shift, trust, support, lit, goes_on and support < _SEEN


def _observe(grey: U8, at: Points, normal: Points, reach: float, starts: npt.NDArray[np.intp]) -> _Strip:
    """The strip along an outline, its rows joined to stretches that begin at `starts`."""
    offsets = np.linspace(-reach, reach, _TIMES)
    places = (at[:, None] + normal[:, None] * offsets[:, None] - 0.5).astype(np.float32)
    values = cv2.remap(
        grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)  # fmt: skip
    lit = np.minimum(np.abs(values - _ground(values)) / np.float32(_LIT), np.float32(1))
    step = 2 * reach / (_TIMES - 1)
    near, far = min(max(2, round(4 / step)), 8), min(max(3, round(8 / step)), 12)
    total = np.zeros((len(at), _TIMES + 1), np.float32)
    np.cumsum(lit, axis=1, out=total[:, 1:])
    # The border may lie before sample t, for t from `near` to the last but one.
    t = np.arange(near, _TIMES - 1)
    ends = np.minimum(t + far, _TIMES)
    inner = (total[:, t] - total[:, t - near]) / np.float32(near)
    outer = (total[:, ends] - total[:, t]) / (ends - t).astype(np.float32)
    spare = (total[:, -1:] - total[:, t]) / np.maximum(_TIMES - t, far).astype(np.float32)
    plateau = np.partition(inner, -max(1, len(t) // 4), axis=1)[:, -max(1, len(t) // 4)]
    level = np.maximum(plateau, np.float32(_DARK))[:, None]
    fall = np.clip((inner - np.float32(1.2) * outer) / level, 0, 1) - np.float32(0.4) * np.minimum(spare / level, 1)
    weight = np.minimum(plateau / np.float32(2 * _DARK), 1) * (plateau > 0.5 * _DARK)
    tail = (total[:, -1] - total[:, -6]) / np.float32(5) > 0.5 * plateau
    size = np.diff(np.append(starts, len(at)))
    return _Strip(
        np.add.reduceat(fall * weight[:, None], starts),
        np.add.reduceat(lit * weight[:, None], starts),
        np.add.reduceat(tail * weight, starts),
        np.add.reduceat(weight, starts),
        np.asarray(np.add.reduceat(weight, starts) / size, np.float32),
        near,
        reach,
    )


def _walk(shape: Box, params: Params, width: int, height: int) -> tuple[Points, Points, npt.NDArray[np.intp]]:
    """Points inside the frame along a shape's outline, their outward normals, and whose edge each is."""
    corners = shape.outline(params)
    if len(corners) < 3:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.intp)
    edge = np.roll(corners, -1, axis=0) - corners
    length = np.hypot(edge[:, 0], edge[:, 1])
    total = np.concatenate([[0.0], np.cumsum(length)])
    places = np.arange(0.5, 220) * (total[-1] / 220)
    index = np.clip(np.searchsorted(total, places, side="right") - 1, 0, len(corners) - 1)
    along = edge / np.maximum(length, 1e-9)[:, None]
    at = corners[index] + along[index] * (places - total[index])[:, None]
    area = float((corners[:, 0] * edge[:, 1] - corners[:, 1] * edge[:, 0]).sum())
    normal = (np.stack([along[:, 1], -along[:, 0]], axis=1) * (1 if area > 0 else -1))[index]
    x, y = at.T
    inside = (x > 1.0) & (y > 1.0) & (x < width - 1.0) & (y < height - 1.0)
    at, normal = at[inside], normal[inside]
    if not len(at):
        return at, normal, np.zeros(0, np.intp)
    return at, normal, shape.distances(params, at).argmax(axis=0)


@lru_cache(maxsize=64)
def _curves(count: int, bent: bool) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Curves to try, (K, count) samples across, and the same rounded."""
    along = np.linspace(-1, 1, count)
    slopes = np.linspace(-6, 6, 7 if bent else 13)
    bends = np.asarray([-5.0, -2.5, 0.0, 2.5, 5.0]) if bent else np.zeros(1)
    curves = (slopes[:, None, None] * along + bends[:, None] * (along**2 - 1 / 3)).reshape(-1, count)
    return curves, np.round(curves).astype(np.intp)


@lru_cache(maxsize=128)
def _lookup(count: int, bent: bool, places: int) -> npt.NDArray[np.intp]:
    """Where the curves run in a padded strip, (K, count, places) indices into it, flat."""
    _, shifts = _curves(count, bent)
    rows = np.arange(count)[:, None] * (places + 2 * _PAD)
    return np.asarray(shifts[:, :, None] + rows + _PAD + np.arange(places))


@lru_cache(maxsize=256)
def _bias(count: int, bent: bool, places: int) -> Floats:
    curves, _ = _curves(count, bent)
    return np.asarray(_OUTWARD * np.linspace(-1, 1, places) - 0.004 * np.abs(curves).max(axis=1)[:, None])


def _ground(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The level outside each row of a strip (S, T), (S, 1): the median of its outer third and its neighbours'."""
    third = values.shape[1] // 3
    outer = np.partition(values[:, -third:], third // 2, axis=1)[:, third // 2]
    padded = np.pad(outer, 3, mode="edge")
    together = np.partition(np.lib.stride_tricks.sliding_window_view(padded, 7), 3, axis=1)[:, 3]
    return np.asarray(together[:, None])


def _crossing(lit: F32, every: float, shifts: npt.NDArray[np.intp], place: int, near: int) -> float:
    """Samples from `place` to where the strip, straightened, falls through a share of its level inside."""
    window = np.arange(-near - 1, near + 3)
    index = np.clip(place + shifts[:, None] + window, 0, _TIMES - 1)
    profile = lit[np.arange(len(lit))[:, None], index].sum(axis=0) / every
    high, low = float(profile[: near + 1].mean()), float(profile[-2:].min())
    level = low + _CROSS * (high - low)
    above = np.flatnonzero(profile >= level)
    if not len(above) or above[-1] == len(profile) - 1 or high <= low:
        return 0.0
    last = int(above[-1])
    part = (float(profile[last]) - level) / max(float(profile[last] - profile[last + 1]), 1e-6)
    return float(np.clip(window[last] + part + 0.5, -near, near + 1))


def outward(shape: Box, params: Params, sights: list[Sight], most: float) -> Params:
    """Each edge moved out by up to `most` pixels, the further the less it is supported: cutting is the worse error."""
    params = params.copy()
    for sight in sights:
        lack = most * max(0.0, 1 - sight.support / 0.75) * min(1.0, 4 * sight.lit)
        if sight.region < 4:
            params[sight.region] += lack * (-1, -1, 1, 1)[sight.region]
        elif shape.name == "quad":
            params[sight.region + 4] += lack
        elif sight.region < 6:  # a side of a fan: turned about the apex
            params[sight.region + 3] += lack * (-1, 1)[sight.region - 4] / max(0.7 * float(params[10]), 1.0)
        else:
            params[sight.region + 3] += lack * (-1, 1)[sight.region - 6]
    return params


def doubt(sights: list[Sight]) -> float:
    """0..1, how little an outline's edges are supported; dark stretches speak neither for nor against it."""
    rows = sum(sight.rows for sight in sights)
    if not rows:
        return 0.3
    lack = 0.0
    for sight in sights:
        against = 1 - min(1.0, max(0.0, sight.support) / 0.85)
        lack += sight.rows * (sight.lit * against + (1 - sight.lit) * 0.1)
    return lack / rows


def sharpen(
    grey: U8, shape: Box, params: Params, border: Border, reach: float, steps: int
) -> tuple[Params, list[Sight]]:
    """The shape moved onto the border that full size shows within `reach` pixels, and what was seen.

    Where nothing shows, the shape stays with the net's border; where the picture goes on outside, it moves outwards.
    """
    sights = look(grey, shape, params, border.size, reach)
    seen = [sight for sight in sights if sight.support > _SEEN or sight.open]
    if not seen:
        return params, sights
    trusts = [np.full(len(s.at), 0.4) if s.open else s.trust * min(1.0, 2 * s.support) for s in seen]
    at, weights = np.concatenate([sight.at for sight in seen]), np.concatenate(trusts)
    at, weights = at[weights > 0], weights[weights > 0]
    anchor = border.sparse
    regions = [sight.region for sight in seen]
    anchor = anchor[~np.isin(shape.distances(params, anchor).argmax(axis=0), regions)]
    every = np.concatenate([at, anchor])
    weights = np.concatenate([weights, np.full(len(anchor), 0.2)])
    if len(every) < 4:
        return params, sights
    moved, _ = refine(shape, params, every, weights, max(0.12 * reach, 1.0), steps)
    return moved, sights
