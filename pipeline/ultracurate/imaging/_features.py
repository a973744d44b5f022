"""Numbers that tell kinds of ultrasound apart, and ultrasound from other pictures; from a small copy and tiles."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging._colour_features import colour_features, medians, no_colour
from ultracurate.imaging._layout_features import dual_features, layout_features

Vector = npt.NDArray[np.float32]
Real = npt.NDArray[np.floating[Any]]

SIDE = 192
"""Pixels of the longer side of the small copy."""

GRID = 8
"""Cells a side of the map of means, spreads, directions and colours."""

_TILE = 40  # pixels a side of the tiles at full resolution
_LAGS = (1, 2, 4)
_REACH = 9  # pixels a side of the local mean


def features(image: U8) -> Vector:
    """The description of one picture, always of the same length and finite.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB, any size from 1 pixel.

    Returns:
        (N,) float32.
    """
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    # Small pictures are enlarged: the shapes are then as large as in any other.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    if image.ndim == 2:
        grey, dim = np.ascontiguousarray(image), small.astype(np.float32)
        coloured, colour = no_colour(dim)
    else:
        # A third of a sum is never halfway between two levels: no way of rounding can matter.
        grey = np.asarray(cv2.convertScaleAbs(_sum(image), alpha=1 / 3), np.uint8)
        dim = _sum(small).astype(np.float32) / np.float32(3)
        coloured, colour = colour_features(small, dim)
    lit = (np.asarray(cv2.GaussianBlur(dim, (0, 0), 1.5)) > 8).astype(np.uint8)
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


def _sum(image: U8) -> npt.NDArray[np.uint16]:
    """The sum of the three channels, (H, W)."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.add(cv2.add(red, green, dtype=cv2.CV_16U), blue, dtype=cv2.CV_16U), np.uint16)


def _levels(grey: U8) -> Vector:
    """Histogram of brightness, how much is exactly flat, and how many levels are used."""
    rows = grey[:: max(1, grey.shape[0] // 256)]
    counts = cv2.calcHist([rows], [0], None, [256], [0, 256]).ravel().astype(np.float64)
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
    flat, sharp = _steps(rows)
    used = float((counts > 0).mean())
    odd = float((inside > 4 * (np.convolve(inside, np.full(9, 1 / 9), "same") + 1e-6)).sum())
    shape = [share[:6].sum(), share[:2].sum(), share[250:].sum(), share[255], mean, spread, skew, entropy, flat, sharp]
    return np.asarray([*shape, used, odd, top[0], top[:3].sum(), *bins], np.float32)


def _steps(rows: U8) -> tuple[float, float]:
    """Share of the lit pixels that are like their left neighbour, and of all those that are quite unlike it."""
    if rows.shape[1] < 2:
        return 1.0, 0.0
    step = np.asarray(cv2.absdiff(rows[:, 1:], rows[:, :-1]), np.uint8)
    _, bright = cv2.threshold(rows[:, 1:], 5, 255, cv2.THRESH_BINARY)
    number, unlike = cv2.countNonZero(bright), cv2.countNonZero(cv2.min(step, bright))
    _, far = cv2.threshold(step, 60, 255, cv2.THRESH_BINARY)
    return (number - unlike) / number if number else 1.0, cv2.countNonZero(far) / step.size


def _texture(grey: U8) -> Vector:
    """Speckle at full resolution: how far neighbours agree along and across, and how the spread follows the mean.

    Log-compressed speckle has a spread that hardly depends on the mean (Burckhardt 1978, doi:10.1109/T-SU.1978.30978)
    and reaches further across the beam than along it.
    """
    tiles = _tiles(grey)
    if not len(tiles):
        return np.zeros(6 * 3 + 8, np.float32)
    mean = _means(tiles.astype(np.float32))
    rest = _rest(tiles)
    square = np.square(rest)
    power = _means(square) + 0.05
    found = np.zeros((2 * len(_LAGS), len(tiles)), np.float32)
    for step, lag in enumerate(_LAGS):
        found[2 * step] = _means(rest[:, lag:] * rest[:, :-lag]) / power
        found[2 * step + 1] = _means(rest[:, :, lag:] * rest[:, :, :-lag]) / power
    spread = np.sqrt(power)
    kurtosis = _means(np.square(square)) / power**2
    skew = _means(square * rest) / power**1.5
    sure = spread > 1.0
    shares = np.percentile(found[:, sure] if sure.any() else found, (15, 50, 85), axis=1).T.ravel()
    slope = np.corrcoef(mean, spread)[0, 1] if len(mean) > 2 and mean.std() > 1e-3 and spread.std() > 1e-3 else 0.0
    of_spread, *middles = medians(np.stack([spread, kurtosis, skew, spread / (mean + 4), found[3] - found[2]]))
    other = [of_spread, np.percentile(spread, 85), *middles[:2], slope, middles[2], sure.mean(), middles[3]]
    return np.concatenate([shares, np.asarray(other)]).astype(np.float32)


def _means(tiles: Vector) -> Vector:
    return np.asarray(tiles.reshape(len(tiles), -1).mean(axis=1), np.float32)


def _rest(tiles: U8) -> Vector:
    """What each tile's pixels are above their mean over 9 x 9, (T, h, w) float32."""
    count, tall, wide = tiles.shape
    near = _REACH // 2
    # All tiles in one column, each in a mirrored rim, so that one call sums them all.
    column = np.empty((count, tall + 2 * near, wide + 2 * near), np.uint8)
    column[:, near:-near, near:-near] = tiles
    column[:, :near, near:-near] = tiles[:, near - 1 :: -1]
    column[:, -near:, near:-near] = tiles[:, : -near - 1 : -1]
    column[:, :, :near] = column[:, :, 2 * near - 1 : near - 1 : -1]
    column[:, :, -near:] = column[:, :, -near - 1 : -2 * near - 1 : -1]
    sums = cv2.boxFilter(column.reshape(-1, wide + 2 * near), cv2.CV_16U, (_REACH, _REACH), normalize=False)
    inside = np.asarray(sums, np.uint16).reshape(column.shape)[:, near:-near, near:-near]
    return tiles.astype(np.float32) - (inside * (1.0 / _REACH**2)).astype(np.float32)


def _tiles(grey: U8) -> U8:
    """Up to 36 tiles (T, 40, 40) on an even grid, those that are lit; fewer from small pictures."""
    height, width = grey.shape
    tall, wide = min(_TILE, height), min(_TILE, width)
    if tall < 12 or wide < 12:
        return np.zeros((0, tall, wide), np.uint8)
    ys = np.unique(np.linspace(0.08 * (height - tall), 0.92 * (height - tall), 6).round().astype(int))
    xs = np.unique(np.linspace(0.08 * (width - wide), 0.92 * (width - wide), 6).round().astype(int))
    tiles = np.stack([grey[y : y + tall, x : x + wide] for y in ys for x in xs])
    lit = (tiles > 8).reshape(len(tiles), -1).view(np.uint8)
    return tiles[cv2.reduce(lit, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] > lit.shape[1] / 2]


def _grid(dim: Real, coloured: U8) -> Vector:
    """Mean, spread, direction of edges, run along rows and share of colour in each of 8 x 8 cells, and over all."""
    gx = cv2.Sobel(dim, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(dim, cv2.CV_32F, 0, 1, ksize=3)
    centred = dim - cv2.blur(dim, (25, 25))
    run = np.zeros_like(dim)
    run[:, 6:] = centred[:, 6:] * centred[:, :-6]  # high where structures lie along the rows, as in time sweeps
    layers = [dim, dim * dim, gx * gx, gy * gy, run, centred * centred, coloured.astype(np.float32)]
    height, width = dim.shape
    side = (GRID * max(1, width // GRID), GRID * max(1, height // GRID))
    mean, square, across, along, runs, power, colour = (_pooled(layer, side) for layer in layers)
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    lean = (along - across) / (along + across + 40)
    coherent = runs / (power + 20)
    rows_lean, rows_run = lean.mean(axis=1), coherent.mean(axis=1)
    summary = [lean.mean(), lean.std(), coherent.mean(), coherent.max(), np.sort(coherent.ravel())[-16:].mean(),
               np.ptp(rows_run), rows_run.max(), np.ptp(rows_lean), spread.mean(), np.median(spread)]  # fmt: skip
    cells = [mean, spread, lean, coherent, colour]
    return np.concatenate([*(layer.ravel() for layer in cells), rows_lean, rows_run, np.asarray(summary)]).astype(
        np.float32
    )


def _pooled(layer: Real, side: tuple[int, int]) -> Real:
    even = cv2.resize(layer, side, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(even, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)
