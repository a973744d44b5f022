"""The features written out in plain numpy, as the trees were trained on them: slow, and the measure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tests.imaging.plain_layout import dual_features, layout_features
from ultracurate.decoding.levels import U8

Vector = npt.NDArray[np.float32]
Real = npt.NDArray[np.floating[Any]]

SIDE = 192
GRID = 8
_TILE = 40
_LAGS = (1, 2, 4)
_APART = 26
_HUES = 8
_PATCH = 16


def features(image: U8) -> Vector:
    grey = image if image.ndim == 2 else np.asarray(cv2.transform(image, np.full((1, 3), 1 / 3)), np.uint8)
    height, width = grey.shape
    scale = SIDE / max(height, width)
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    # Small pictures are enlarged: the shapes are then as large as in any other.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    if small.ndim == 2:
        small = np.repeat(small[..., None], 3, axis=2)
    dim = small.mean(axis=2, dtype=np.float32)
    coloured, colour = colour_features(small, dim)
    lit = (cv2.GaussianBlur(dim, (0, 0), 1.5) > 8).astype(np.uint8)
    parts = [
        np.asarray([np.log2(height), np.log2(width), width / height], np.float32),
        _levels(grey),
        _texture(grey),
        _grid(dim, coloured),
        colour,
        layout_features(dim, lit),
        dual_features(grey, dim, lit),
    ]
    return np.nan_to_num(np.concatenate(parts), posinf=1e6, neginf=-1e6).astype(np.float32)


def _levels(grey: U8) -> Vector:
    rows = np.ascontiguousarray(grey[:: max(1, grey.shape[0] // 256)])
    counts = np.bincount(rows.ravel(), minlength=256).astype(np.float64)
    share = counts / counts.sum()
    lit = counts[6:250]
    inside = lit / max(lit.sum(), 1.0)
    bins = np.add.reduceat(inside, np.arange(0, 244, 31))
    level = np.arange(6, 250)
    mean = float((inside * level).sum())
    spread = float(np.sqrt((inside * (level - mean) ** 2).sum()))
    skew = float((inside * (level - mean) ** 3).sum() / max(spread, 1e-3) ** 3)
    entropy = float(-(inside[inside > 0] * np.log2(inside[inside > 0])).sum())
    top = np.sort(share[6:])[::-1]
    wide = rows.astype(np.int16)
    step = np.abs(np.diff(wide, axis=1))
    bright = wide[:, 1:] > 5
    flat = float((step[bright] == 0).mean()) if bright.any() else 1.0
    sharp = float((step > 60).mean()) if step.size else 0.0
    used = float((counts > 0).mean())
    odd = float((inside > 4 * (np.convolve(inside, np.full(9, 1 / 9), "same") + 1e-6)).sum())
    shape = [share[:6].sum(), share[:2].sum(), share[250:].sum(), share[255], mean, spread, skew, entropy, flat, sharp]
    return np.asarray([*shape, used, odd, top[0], top[:3].sum(), *bins], np.float32)


def _texture(grey: U8) -> Vector:
    tiles = _tiles(grey)
    if not len(tiles):
        return np.zeros(6 * 3 + 8, np.float32)
    mean = tiles.mean(axis=(1, 2))
    rest = tiles - _blurred(tiles)
    square = np.square(rest)
    power = square.mean(axis=(1, 2)) + 0.05
    found = np.zeros((2 * len(_LAGS), len(tiles)), np.float32)
    for step, lag in enumerate(_LAGS):
        found[2 * step] = (rest[:, lag:] * rest[:, :-lag]).mean(axis=(1, 2)) / power
        found[2 * step + 1] = (rest[:, :, lag:] * rest[:, :, :-lag]).mean(axis=(1, 2)) / power
    spread = np.sqrt(power)
    kurtosis = np.square(square).mean(axis=(1, 2)) / power**2
    skew = (square * rest).mean(axis=(1, 2)) / power**1.5
    sure = spread > 1.0
    shares = np.percentile(found[:, sure] if sure.any() else found, (15, 50, 85), axis=1).T.ravel()
    slope = np.corrcoef(mean, spread)[0, 1] if len(mean) > 2 and mean.std() > 1e-3 and spread.std() > 1e-3 else 0.0
    other = [
        np.median(spread), np.percentile(spread, 85), np.median(kurtosis), np.median(skew), slope,
        np.median(spread / (mean + 4)), sure.mean(), np.median(found[3] - found[2]),
    ]  # fmt: skip
    return np.concatenate([shares, np.asarray(other)]).astype(np.float32)


def _blurred(tiles: Real) -> Real:
    smooth = np.empty_like(tiles)
    for tile, target in zip(tiles, smooth, strict=True):
        target[:] = cv2.blur(tile, (9, 9), borderType=cv2.BORDER_REFLECT)
    return smooth


def _tiles(grey: U8) -> Real:
    height, width = grey.shape
    tall, wide = min(_TILE, height), min(_TILE, width)
    if tall < 12 or wide < 12:
        return np.zeros((0, tall, wide), np.float32)
    ys = np.unique(np.linspace(0.08 * (height - tall), 0.92 * (height - tall), 6).round().astype(int))
    xs = np.unique(np.linspace(0.08 * (width - wide), 0.92 * (width - wide), 6).round().astype(int))
    tiles = [grey[y : y + tall, x : x + wide] for y in ys for x in xs]
    lit = [tile for tile in tiles if (tile > 8).mean() > 0.5]
    return np.stack(lit).astype(np.float32) if lit else np.zeros((0, tall, wide), np.float32)


def _grid(dim: Real, coloured: U8) -> Vector:
    gx = cv2.Sobel(dim, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(dim, cv2.CV_32F, 0, 1, ksize=3)
    centred = dim - cv2.blur(dim, (25, 25))
    run = np.zeros_like(dim)
    run[:, 6:] = centred[:, 6:] * centred[:, :-6]  # high where structures lie along the rows, as in time sweeps
    stack = np.dstack([dim, dim * dim, gx * gx, gy * gy, run, centred * centred, coloured.astype(np.float32)])
    height, width = dim.shape
    side = (GRID * max(1, width // GRID), GRID * max(1, height // GRID))
    cells = np.stack([_pooled(stack[..., layer], side) for layer in range(stack.shape[2])])
    mean, square, across, along, runs, power, colour = cells
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    lean = (along - across) / (along + across + 40)
    coherent = runs / (power + 20)
    rows_lean, rows_run = lean.mean(axis=1), coherent.mean(axis=1)
    summary = [lean.mean(), lean.std(), coherent.mean(), coherent.max(), np.sort(coherent.ravel())[-16:].mean(),
               np.ptp(rows_run), rows_run.max(), np.ptp(rows_lean), spread.mean(), np.median(spread)]  # fmt: skip
    layers = [mean, spread, lean, coherent, colour]
    return np.concatenate([*(layer.ravel() for layer in layers), rows_lean, rows_run, np.asarray(summary)]).astype(
        np.float32
    )


def _pooled(layer: Real, side: tuple[int, int]) -> Real:
    even = cv2.resize(layer, side, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(even, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def colour_features(small: U8, dim: Real) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    wide = small.astype(np.float32)
    warm, cool = wide[..., 0] - dim, wide[..., 2] - dim
    chroma = small.max(axis=2).astype(np.float32) - small.min(axis=2)
    if float(chroma.max()) < 6:
        return np.zeros(dim.shape, np.uint8), np.zeros(10 + 2 * _HUES + _PATCH, np.float32)
    level = np.minimum(dim / 16, 15).astype(np.intp)
    tint, strength, hue = _tint(warm[::2, ::2], cool[::2, ::2], level[::2, ::2])
    apart = np.hypot(warm - tint[level, 0], cool - tint[level, 1])
    coloured = (apart > _APART).astype(np.uint8)
    solid = cv2.morphologyEx(coloured, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    hues = (np.arctan2(cool, warm) / (2 * np.pi) * _HUES).astype(np.intp) % _HUES
    area = float(dim.size)
    lit = dim > 8
    by_hue = np.bincount(hues[coloured > 0], minlength=_HUES)[:_HUES] / area
    by_hue_solid = np.bincount(hues[solid > 0], minlength=_HUES)[:_HUES] / area
    common = [
        strength, hue[0], hue[1], coloured.sum() / area, solid.sum() / area, coloured.sum() / max(lit.sum(), 1),
        chroma.mean(), float(np.percentile(chroma[lit], 90)) if lit.any() else 0.0,
        solid.sum() / max(coloured.sum(), 1), float((by_hue_solid > 0.003).sum()),
    ]  # fmt: skip
    patch = _patch(solid, hues, warm, cool, dim, chroma)
    return coloured, np.asarray([*common, *by_hue, *by_hue_solid, *patch], np.float32)


def _tint(warm: Real, cool: Real, level: npt.NDArray[np.intp]) -> tuple[Real, float, tuple[float, float]]:
    tint = np.zeros((16, 2), np.float32)
    weight = np.zeros(16)
    order = np.argsort(level, axis=None, kind="stable")
    ends = np.searchsorted(level.ravel()[order], np.arange(17))
    both = np.stack([warm.ravel()[order], cool.ravel()[order]])
    for step in range(1, 16):
        of_level = both[:, ends[step] : ends[step + 1]]
        if of_level.shape[1] >= 12:
            tint[step] = np.median(of_level, axis=1)
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
