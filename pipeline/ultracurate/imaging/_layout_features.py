"""How a picture is laid out: the outline of what is lit, lines across it, and whether its halves are two views."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

Real = npt.NDArray[np.floating[Any]]
Vector = npt.NDArray[np.float32]

_CUTS = 8  # heights at which the outline is measured


def layout_features(dim: Real, lit: npt.NDArray[np.uint8]) -> Vector:
    """Outline, borders and lines of the small copy.

    Args:
        dim: (h, w) float32 brightness.
        lit: (h, w) uint8 0 or 1.
    """
    height, width = lit.shape
    edge = max(1, round(0.03 * min(height, width)))
    corner = max(2, round(0.12 * min(height, width)))
    shown = lit.view(np.bool_)
    places = [
        part for mask in (shown, dim > 200) for part in (mask[:edge], mask[-edge:], mask[:, :edge], mask[:, -edge:])
    ]
    for rows in (shown[:corner], shown[-corner:]):
        places += [rows[:, :corner], rows[:, -corner:]]
    shares = [np.count_nonzero(place) / place.size for place in places]
    return np.asarray([*shares, *_outline(lit), *_lines(dim)], np.float32)


def _outline(lit: npt.NDArray[np.uint8]) -> list[float]:
    """Box, fill, convexity and mirror likeness of the largest lit region, and its left and right rim at 8 heights."""
    opened = np.asarray(cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    labels, areas = _parts(opened)
    if not len(areas):
        return [0.0] * (9 + 3 * _CUTS)
    big, size = int(np.argmax(areas)), int(areas.max())
    whole = labels == big + 1
    x, y, wide, tall = cv2.boundingRect(whole.view(np.uint8))
    region = whole[y : y + tall, x : x + wide]
    contours, _ = cv2.findContours(region.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    full = max(float(cv2.contourArea(hull)), 1.0)
    filled = max(float(cv2.contourArea(max(contours, key=cv2.contourArea))), 1.0)
    around = max(float(cv2.arcLength(hull, True)), 1.0)
    mirror = np.count_nonzero(region == region[:, ::-1]) / region.size
    flip = np.count_nonzero(region == region[::-1]) / region.size
    height, width = lit.shape
    found = [x / width, y / height, wide / width, tall / height, size / (wide * tall), filled / full, mirror, flip,
             4 * np.pi * full / around**2]  # fmt: skip
    for row in np.linspace(0, tall - 1, _CUTS).round().astype(int):
        columns = np.flatnonzero(region[row])
        span = (columns[0] / wide, columns[-1] / wide, len(columns) / wide) if len(columns) else (0.5, 0.5, 0.0)
        found += [float(part) for part in span]
    return found


def _parts(mask: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """Labels from 1 of the parts of a mask, 0 where there is none, and the size of each."""
    labels = np.asarray(cv2.connectedComponents(mask, connectivity=4)[1], np.int32)
    return labels, np.bincount(labels.ravel())[1:]  # a third of what OpenCV's own statistics cost


def _lines(dim: Real) -> list[float]:
    """Straight rows and columns, the dark and the lit part of each, and how columns of the lower part are built."""
    bright = (dim > 24).view(np.uint8)
    rows, columns = _along(bright, 1) / dim.shape[1], _along(bright, 0) / dim.shape[0]
    jump_rows = np.asarray(cv2.absdiff(dim[1:], dim[:-1])).mean(axis=1)
    jump_columns = np.asarray(cv2.absdiff(dim[:, 1:], dim[:, :-1])).mean(axis=0)
    found = [float(rows.max()), float(columns.max()), float(rows.std()), float(columns.std())]
    for jumps in (jump_rows, jump_columns):
        middle = float(np.median(jumps)) + 1.0
        found += [float(jumps.max()) / middle, float((jumps > 4 * middle).sum()), float(np.argmax(jumps) / len(jumps))]
    # In a spectrum each column is lit from the baseline to its own height, in a sweep all columns are built alike.
    parts = (dim, dim[dim.shape[0] // 2 :], dim[:, dim.shape[1] // 3 :])
    narrow = np.stack([cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA) for part in parts])
    flat = narrow - narrow.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.square(flat).sum(axis=1)) + 30
    near = [
        ((flat[:, :, lag:] * flat[:, :, :-lag]).sum(axis=1) / (norm[:, lag:] * norm[:, :-lag])).mean(axis=1)
        for lag in (2, 8, 20)
    ]
    shared = narrow.mean(axis=2).var(axis=1) / (narrow.var(axis=(1, 2)) + 10)
    light = narrow > 24
    lit_run = light.mean(axis=1)
    changes = np.count_nonzero(light[:, 1:] != light[:, :-1], axis=(1, 2)) / 48
    ragged = np.abs(np.diff(lit_run, axis=1)).mean(axis=1)
    return found + np.stack([*near, shared, lit_run.std(axis=1), changes, ragged], axis=1).ravel().tolist()


def _along(image: npt.NDArray[np.uint8], axis: int) -> npt.NDArray[np.int32]:
    """Sums of columns (axis 0) or rows (axis 1)."""
    return np.asarray(cv2.reduce(image, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.int32).ravel()


def dual_features(grey: U8, dim: Real, lit: npt.NDArray[np.uint8]) -> Vector:
    """Whether the left half is one view and the right half another: a gutter or seam between, like outlines beside it.

    The two views are looked for inside the box of what is lit, since parameters often stand on one side only.
    """
    opened = np.asarray(cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), np.uint8)
    columns, rows = np.flatnonzero(_along(opened, 0)), np.flatnonzero(_along(opened, 1))
    if len(columns) < 24 or len(rows) < 12:
        return np.zeros(18, np.float32)
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    mask, part = opened.view(np.bool_)[y0:y1, x0:x1], dim[y0:y1, x0:x1]
    wide = mask.shape[1]
    shares = _along(opened[y0:y1, x0:x1], 0) / mask.shape[0]
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
    areas = np.sort(_parts(opened[y0:y1, x0:x1])[1])[::-1]
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


def _overlap(left: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_]) -> float:
    both, either = int(np.count_nonzero(left & right)), int(np.count_nonzero(left | right))
    return both / max(either, 1)


def _likeness(left: Real, right: Real) -> float:
    """Correlation of two pictures that were blurred to 24 x 24 pixels."""
    if left.shape[1] < 4:
        return 0.0
    a, b = (
        cv2.resize(np.ascontiguousarray(half), (24, 24), interpolation=cv2.INTER_AREA).ravel() for half in (left, right)
    )
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 100))


def _seam(grey: U8, x0: float, x1: float, y0: float, y1: float) -> tuple[float, float]:
    """The strongest vertical break near the middle at full resolution, against the others, and where it lies."""
    height, width = grey.shape
    rows = grey[
        round(y0 * height) : max(round(y1 * height), 1) : max(1, height // 128), round(x0 * width) : round(x1 * width)
    ]
    if rows.shape[1] < 32 or rows.shape[0] < 8:
        return 0.0, 0.5
    steps = cv2.threshold(cv2.absdiff(rows[:, 1:], rows[:, :-1]), 40, 0, cv2.THRESH_TRUNC)[1]
    jumps = _along(np.asarray(steps, np.uint8), 0) / rows.shape[0]
    wide = len(jumps)
    centre = jumps[round(wide * 0.42) : round(wide * 0.58)]
    return float(centre.max() / (np.median(jumps) + 1.0)), (round(wide * 0.42) + int(np.argmax(centre))) / wide
