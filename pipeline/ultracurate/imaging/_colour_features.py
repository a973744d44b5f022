"""What colour says: a tint that all greys share, and colours that leave it, as flow, maps and drawn marks do."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

Real = npt.NDArray[np.floating[Any]]

_APART = 26  # how far a pixel leaves the common tint to count as coloured, in levels
_HUES = 8


def colour_features(small: U8, dim: Real) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The mask of coloured pixels, (h, w) uint8 0 or 1, and the numbers.

    Args:
        small: (h, w, 3) uint8 RGB.
        dim: (h, w) float32, its mean over the channels.
    """
    red, green, blue = cv2.split(small)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    chroma = np.asarray(cv2.subtract(most, least), np.uint8).astype(np.float32)
    if float(chroma.max()) < 6:
        return no_colour(dim)
    warm, cool = red - dim, blue - dim
    level = np.minimum(dim / 16, 15).astype(np.intp)
    tint, strength, hue = _tint(warm[::2, ::2], cool[::2, ::2], level[::2, ::2])
    apart = np.hypot(warm - tint[:, 0].take(level), cool - tint[:, 1].take(level))
    coloured = (apart > _APART).astype(np.uint8)
    solid = cv2.morphologyEx(coloured, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    hues = np.zeros(dim.shape, np.intp)
    some = coloured > 0  # of the others nobody asks for the hue
    hues[some] = (np.arctan2(cool[some], warm[some]) / (2 * np.pi) * _HUES).astype(np.intp) % _HUES
    area = float(dim.size)
    lit = dim > 8
    many, firm = cv2.countNonZero(coloured), cv2.countNonZero(solid)
    by_hue = np.bincount(hues[some], minlength=_HUES)[:_HUES] / area
    by_hue_solid = np.bincount(hues[solid > 0], minlength=_HUES)[:_HUES] / area
    common = [
        strength, hue[0], hue[1], many / area, firm / area, many / max(int(lit.sum()), 1),
        chroma.mean(), float(np.percentile(chroma[lit], 90)) if lit.any() else 0.0,
        firm / max(many, 1), float((by_hue_solid > 0.003).sum()),
    ]  # fmt: skip
    patch = _patch(solid, hues, warm, cool, dim, chroma)
    return coloured, np.asarray([*common, *by_hue, *by_hue_solid, *patch], np.float32)


_PATCH = 16
_LENGTH = 10 + 2 * _HUES + _PATCH


def no_colour(dim: Real) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """What `colour_features` says of a grey picture (h, w)."""
    return np.zeros(dim.shape, np.uint8), np.zeros(_LENGTH, np.float32)


def medians(rows: Real) -> Real:
    """The median of each row (N, M), M at least 1: what `np.median` gives, sooner where rows are short."""
    ordered = np.sort(rows, axis=1)
    number = rows.shape[1]
    return np.asarray((ordered[:, (number - 1) // 2] + ordered[:, number // 2]) / 2, rows.dtype)


def _tint(warm: Real, cool: Real, level: npt.NDArray[np.intp]) -> tuple[Real, float, tuple[float, float]]:
    """The median leaning of each of 16 brightness levels (16, 2), its strength, and its direction."""
    tint = np.zeros((16, 2), np.float32)
    weight = np.zeros(16)
    order = np.argsort(level.astype(np.uint8), axis=None, kind="stable")  # bytes are sorted in one go
    ends = np.searchsorted(level.ravel()[order], np.arange(17))
    both = np.stack([warm.ravel()[order], cool.ravel()[order]])
    for step in range(1, 16):
        of_level = both[:, ends[step] : ends[step + 1]]
        if of_level.shape[1] >= 12:
            tint[step] = medians(of_level)
            weight[step] = of_level.shape[1]
    # A level that is nearly all flow must not pass for tinted tissue: no level leans far more than the darker ones do.
    total = max(weight.sum(), 1.0)
    mean = (tint * weight[:, None]).sum(axis=0) / total
    middle = np.median(tint[weight > 0], axis=0) if (weight > 0).any() else np.zeros(2)
    far = np.hypot(tint[:, 0] - middle[0], tint[:, 1] - middle[1]) > 40
    tint[far] = middle
    strength = float(np.hypot(mean[0], mean[1]))
    return tint, strength, (float(mean[0]), float(mean[1]))


def _patch(
    solid: npt.NDArray[Any], hues: npt.NDArray[np.intp], warm: Real, cool: Real, dim: Real, chroma: Real
) -> list[float]:
    """Shape and make-up of the largest coloured patch after gaps are closed: a map fills its box, flow does not."""
    joined = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels, stats, middles = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return [0.0] * _PATCH
    big = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, wide, tall, size = (int(v) for v in stats[big])
    inside = (labels == big) & (solid > 0)
    spread = np.bincount(hues[inside], minlength=_HUES)[:_HUES] / max(int(inside.sum()), 1)
    mixing = float(-(spread[spread > 0] * np.log2(spread[spread > 0])).sum())
    box = (slice(y, y + tall), slice(x, x + wide))
    rough = float(
        np.hypot(cv2.Laplacian(warm[box], cv2.CV_32F), cv2.Laplacian(cool[box], cv2.CV_32F))[inside[box]].mean()
    )
    area = float(solid.size)
    height, width = solid.shape
    around = cv2.dilate(joined, np.ones((9, 9), np.uint8)) - joined
    near = dim[around > 0]
    return [
        size / area, size / (wide * tall), wide / width, tall / height, middles[big][0] / width,
        middles[big][1] / height, mixing, rough, float(chroma[inside].mean()), float(dim[inside].mean()),
        float(dim[inside].std()), float(near.mean()) if near.size else 0.0, float(near.std()) if near.size else 0.0,
        float(count - 1), float(spread.max()), float((stats[1:, cv2.CC_STAT_AREA] > area * 0.002).sum()),
    ]  # fmt: skip
