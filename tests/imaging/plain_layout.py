"""The layout features written out in plain numpy, as the trees were trained on them: slow, and the measure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

Real = npt.NDArray[np.floating[Any]]
Vector = npt.NDArray[np.float32]

_CUTS = 8


def layout_features(dim: Real, lit: npt.NDArray[np.uint8]) -> Vector:
    height, width = lit.shape
    edge = max(1, round(0.03 * min(height, width)))
    borders = [lit[:edge].mean(), lit[-edge:].mean(), lit[:, :edge].mean(), lit[:, -edge:].mean()]
    pale = dim > 200
    borders += [pale[:edge].mean(), pale[-edge:].mean(), pale[:, :edge].mean(), pale[:, -edge:].mean()]
    corner = max(2, round(0.12 * min(height, width)))
    corners = [lit[:corner, :corner], lit[:corner, -corner:], lit[-corner:, :corner], lit[-corner:, -corner:]]
    return np.asarray([*borders, *(part.mean() for part in corners), *_outline(lit), *_lines(dim)], np.float32)


def _outline(lit: npt.NDArray[np.uint8]) -> list[float]:
    opened = cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return [0.0] * (9 + 3 * _CUTS)
    big = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, wide, tall, size = (int(v) for v in stats[big])
    region = (labels[y : y + tall, x : x + wide] == big).astype(np.uint8)
    contours, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    full = max(float(cv2.contourArea(hull)), 1.0)
    filled = max(float(cv2.contourArea(max(contours, key=cv2.contourArea))), 1.0)
    around = max(float(cv2.arcLength(hull, True)), 1.0)
    mirror = float((region == region[:, ::-1]).mean())
    flip = float((region == region[::-1]).mean())
    height, width = lit.shape
    found = [x / width, y / height, wide / width, tall / height, size / (wide * tall), filled / full, mirror, flip,
             4 * np.pi * full / around**2]  # fmt: skip
    for row in np.linspace(0, tall - 1, _CUTS).round().astype(int):
        columns = np.flatnonzero(region[row])
        span = (columns[0] / wide, columns[-1] / wide, len(columns) / wide) if len(columns) else (0.5, 0.5, 0.0)
        found += [float(part) for part in span]
    return found


def _lines(dim: Real) -> list[float]:
    bright = dim > 24
    rows, columns = bright.mean(axis=1), bright.mean(axis=0)
    jump_rows = np.abs(np.diff(dim, axis=0)).mean(axis=1)
    jump_columns = np.abs(np.diff(dim, axis=1)).mean(axis=0)
    found = [float(rows.max()), float(columns.max()), float(rows.std()), float(columns.std())]
    for jumps in (jump_rows, jump_columns):
        middle = float(np.median(jumps)) + 1.0
        found += [float(jumps.max()) / middle, float((jumps > 4 * middle).sum()), float(np.argmax(jumps) / len(jumps))]
    # In a spectrum each column is lit from the baseline to its own height, in a sweep all columns are built alike.
    for part in (dim, dim[dim.shape[0] // 2 :], dim[:, dim.shape[1] // 3 :]):
        narrow = cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA)
        flat = narrow - narrow.mean(axis=0, keepdims=True)
        norm = np.sqrt(np.square(flat).sum(axis=0)) + 30
        near = [
            float(((flat[:, lag:] * flat[:, :-lag]).sum(axis=0) / (norm[lag:] * norm[:-lag])).mean())
            for lag in (2, 8, 20)
        ]
        common = narrow.mean(axis=1)
        shared = float(common.var() / (narrow.var() + 10))
        lit_run = (narrow > 24).mean(axis=0)
        changes = float((np.diff((narrow > 24).astype(np.int8), axis=0) != 0).sum(axis=0).mean())
        ragged = float(np.abs(np.diff(lit_run)).mean())
        found += [*near, shared, float(lit_run.std()), changes, ragged]
    return found


def dual_features(grey: U8, dim: Real, lit: npt.NDArray[np.uint8]) -> Vector:
    opened = cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    columns, rows = np.flatnonzero(opened.any(axis=0)), np.flatnonzero(opened.any(axis=1))
    if len(columns) < 24 or len(rows) < 12:
        return np.zeros(18, np.float32)
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    mask, part = opened[y0:y1, x0:x1], dim[y0:y1, x0:x1]
    wide = mask.shape[1]
    shares = mask.mean(axis=0)
    third = shares[round(wide * 0.4) : round(wide * 0.6)]
    sides = (
        shares[round(wide * 0.1) : round(wide * 0.35)].mean() + shares[round(wide * 0.65) : round(wide * 0.9)].mean()
    ) / 2
    gutter = float(third.min() / (sides + 0.02))
    where = round(wide * 0.4) + int(np.argmin(third))
    scores = []
    for cut in (wide // 2, where):
        half = min(cut, wide - cut)
        left, right = mask[:, cut - half : cut], mask[:, cut : cut + half]
        scores += [
            _overlap(left, right),
            _overlap(left, right[:, ::-1]),
            _likeness(part[:, cut - half : cut], part[:, cut : cut + half]),
        ]
    count, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])[::-1] if count > 1 else np.zeros(1)
    second = float(areas[1] / areas[0]) if len(areas) > 1 else 0.0
    tops = [
        int(np.argmax(half.any(axis=1))) / max(mask.shape[0], 1)
        for half in (mask[:, : wide // 2], mask[:, wide // 2 :])
    ]
    seam, place = _seam(grey, x0 / dim.shape[1], x1 / dim.shape[1], y0 / dim.shape[0], y1 / dim.shape[0])
    extent = [wide / dim.shape[1], (y1 - y0) / dim.shape[0], wide / max(y1 - y0, 1)]
    found = [
        gutter,
        where / wide,
        *scores,
        second,
        abs(tops[0] - tops[1]),
        seam,
        place,
        *extent,
        float(third.mean()),
        float(sides),
    ]
    return np.asarray([*found, float(shares.std())], np.float32)


def _overlap(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    both, either = int((left & right).sum()), int((left | right).sum())
    return both / max(either, 1)


def _likeness(left: Real, right: Real) -> float:
    if left.shape[1] < 4:
        return 0.0
    a, b = (
        cv2.resize(np.ascontiguousarray(half), (24, 24), interpolation=cv2.INTER_AREA).ravel() for half in (left, right)
    )
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 100))


def _seam(grey: U8, x0: float, x1: float, y0: float, y1: float) -> tuple[float, float]:
    height, width = grey.shape
    rows = grey[
        round(y0 * height) : max(round(y1 * height), 1) : max(1, height // 128), round(x0 * width) : round(x1 * width)
    ]
    if rows.shape[1] < 32 or rows.shape[0] < 8:
        return 0.0, 0.5
    jumps = np.minimum(np.abs(np.diff(rows.astype(np.int16), axis=1)), 40).mean(axis=0)
    wide = len(jumps)
    centre = jumps[round(wide * 0.42) : round(wide * 0.58)]
    return float(centre.max() / (np.median(jumps) + 1.0)), (round(wide * 0.42) + int(np.argmax(centre))) / wide
