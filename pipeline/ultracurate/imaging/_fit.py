"""Fits a shape to points on a field's border: first guesses from straight runs, then damped least squares."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.imaging._shapes import BOX, FAN, QUAD, Box, Params, Points

Floats = npt.NDArray[np.float64]

_RICHER = {"box": 0.0, "quad": 0.12, "fan": 0.15}
"""By how many cells a richer shape must fit better than a poorer one."""


_PLAIN = 0.22
"""Cells; a shape that fits so well needs no other beside it."""


@dataclass(frozen=True)
class Fitted:
    """A shape, its parameters and the mean distance of the points to it, in cells."""

    shape: Box
    params: Params
    error: float

    def outline(self, width: int, height: int) -> Points:
        """Corners inside the frame, (N, 2) pixels."""
        params = self.params.copy()
        params[:4] = np.clip(params[:4], 0, [width, height, width, height])
        return self.shape.outline(params)


def refine(
    shape: Box, params: Params, at: Points, weights: Floats, cell: float, steps: int = 12
) -> tuple[Params, float]:
    """Levenberg-Marquardt with Huber weights; each point belongs to the region whose edge it is nearest to by now.

    Args:
        shape: which shape.
        params: where to start.
        at: border points (N, 2), pixels.
        weights: how far each point is trusted.
        cell: pixels that count as one unit of error.
        steps: at most this many.

    Returns:
        The parameters, and the weighted mean of the distances, cells, each counted up to 4.
    """
    loosen = 1e-2
    scale = np.ones(shape.count)
    if shape.name == "quad":
        scale[4:8] = 1 / max(float(np.ptp(at, axis=0).max()), 1.0)
    elif shape.name == "fan":
        scale[6:9] = 1 / max(float(params[10]), 1.0)
    value = _error(shape, params, at, weights, cell)
    for _ in range(steps):
        gaps = shape.distances(params, at)
        region = gaps.argmax(axis=0)
        gap = gaps[region, np.arange(len(at))]
        trust = weights / np.maximum(1.0, np.abs(gap) / (0.7 * cell))
        slopes = shape.slopes(params, at, region) * scale
        normal = slopes.T @ (slopes * trust[:, None])
        pull = slopes.T @ (gap * trust)
        if shape.name == "fan":  # round arcs unless many points ask for another aspect
            stiff = 0.02 * float(weights.sum())
            normal[6, 6] += stiff
            pull[6] += stiff * (params[6] - 1) / scale[6]
        better = False
        for _ in range(4):
            damped = normal + np.diag(loosen * np.diag(normal) + 1e-3 * float(weights.sum()) / len(at) + 1e-9)
            trial = params - scale * np.linalg.solve(damped, pull)
            trial_value = _error(shape, trial, at, weights, cell)
            if _sane(shape, trial) and trial_value < value:
                better = True
                break
            loosen *= 6
        if not better:
            break
        gain, params, value, loosen = value - trial_value, trial, trial_value, loosen / 5
        if gain < 1e-3 * value:
            break
    gap = np.minimum(np.abs(shape.distances(params, at).max(axis=0)) / cell, 4.0)
    return params, float((gap * weights).sum() / weights.sum())


def _error(shape: Box, params: Params, at: Points, weights: Floats, cell: float) -> float:
    gap = np.abs(shape.distances(params, at).max(axis=0)) / (0.7 * cell)
    cost = float((np.where(gap < 1, gap**2, 2 * gap - 1) * weights).sum() / weights.sum())
    if shape.name == "fan":
        cost += 0.02 * float((params[6] - 1) * params[10] / (0.7 * cell)) ** 2
    return cost


def _sane(shape: Box, p: Params) -> bool:
    if shape.name != "fan":
        return True
    return bool(0.35 < p[6] < 2.8 and p[10] > p[9] + 4 and 0.03 < p[8] - p[7] < 3.1 and p[9] > -0.2 * p[10])


def fit_shape(at: Points, whole: Points, open_box: Params, cell: float, frame: tuple[int, int]) -> list[Fitted]:
    """Shapes fitted to border points, best first.

    Args:
        at: (N, 2) pixels along the border of one field, without those on the frame.
        whole: the border with the frame's part of it.
        open_box: x0, y0, x1, y1 of the field; sides that touch the frame lie a little beyond it.
        cell: pixels of one cell of the mask that the points come from.
        frame: width and height of the picture.
    """
    ones = np.ones(len(at))
    box = Fitted(BOX, *refine(BOX, open_box.copy(), at, ones, cell))
    if box.error < _PLAIN:
        return [box]
    runs, found = _straight_runs(whole, cell, frame), [box]
    for shape, guesses, tries in (
        (FAN, _fans(runs, at, whole, open_box, cell), 3),
        (QUAD, _quads(runs, whole, open_box, cell), 1),
    ):
        for guess in sorted(guesses, key=lambda guess: _error(shape, guess, at, ones, cell))[:tries]:
            fitted = Fitted(shape, *refine(shape, guess, at, ones, cell))
            if all(abs(fitted.error - other.error) > 0.003 for other in found):  # guesses often meet
                found.append(fitted)
            if fitted.error < _PLAIN:
                break
        if found[-1].error < _PLAIN:
            break
    found.sort(key=lambda fitted: fitted.error + _RICHER[fitted.shape.name])
    place = next(index for index, fitted in enumerate(found) if fitted is box)
    return found[:3] if place < 3 or box.error > 2.0 else [*found[:2], box]


def _straight_runs(whole: Points, cell: float, frame: tuple[int, int]) -> list[tuple[float, Points]]:
    """Long straight edges of the hull, but for the frame's, as (length, two ends in clockwise order), longest first."""
    hull = cv2.convexHull(whole.astype(np.float32), clockwise=True)
    corners = cv2.approxPolyDP(hull, 0.9 * cell, closed=True)[:, 0].astype(float)
    near = np.concatenate([corners < 2 * cell, corners > np.asarray(frame) - 2 * cell], axis=1)
    on_frame = (near & np.roll(near, -1, 0)).any(axis=1)
    ends = list(zip(corners[~on_frame], np.roll(corners, -1, 0)[~on_frame], strict=True))
    runs = [(float(np.hypot(*(b - a))), np.stack([a, b])) for a, b in ends]
    return sorted((run for run in runs if run[0] > 5 * cell), key=lambda run: -run[0])


def _quads(runs: list[tuple[float, Points]], at: Points, box: Params, cell: float) -> list[Params]:
    guesses = []
    corners = cv2.boxPoints(cv2.minAreaRect(at.astype(np.float32))).astype(float)
    turned = [np.stack(pair) for pair in zip(corners, np.roll(corners, -1, 0), strict=True)]
    loose = box + np.asarray([-1, -1, 1, 1]) * 2 * cell
    middle = at.mean(axis=0)
    for edges in ([run for _, run in runs[:4]], turned):
        angles, offsets = [], []
        for a, b in edges:
            normal = np.asarray([b[1] - a[1], a[0] - b[0]]) / max(float(np.hypot(*(b - a))), 1e-6)
            if normal @ (a - middle) < 0:
                normal = -normal
            angles.append(np.arctan2(normal[1], normal[0]))
            offsets.append(float(normal @ (a + b) / 2))
        while len(angles) < 4:
            angles.append(0.0)
            offsets.append(float(box[2]) + 4 * cell)
        guesses.append(np.concatenate([loose, angles, offsets]))
        guesses.append(np.concatenate([box, angles, offsets]))
    return guesses


def _fans(runs: list[tuple[float, Points]], at: Points, whole: Points, box: Params, cell: float) -> list[Params]:
    guesses = []
    middle = at.mean(axis=0)
    for (_, one), (_, other) in combinations(runs[:7], 2):
        d1, d2 = one[1] - one[0], other[1] - other[0]
        cross = d1[0] * d2[1] - d1[1] * d2[0]
        if abs(cross) < 0.04 * np.hypot(*d1) * np.hypot(*d2):
            continue
        gap = other[0] - one[0]
        apex = one[0] + d1 * (gap[0] * d2[1] - gap[1] * d2[0]) / cross
        reach = [np.hypot(*(run - apex).T) for run in (one, other)]
        spans = [
            float(abs(np.diff(r)[0])) / float(np.hypot(*(run[1] - run[0])))
            for r, run in zip(reach, (one, other), strict=True)
        ]
        if min(spans) < 0.85:  # the lines cross within one of them: these two are no sides of a fan
            continue
        outer = [run[int(r.argmax())] - apex for r, run in zip(reach, (one, other), strict=True)]
        angles = [float(np.arctan2(o[0], o[1])) for o in outer]
        axis = float(np.arctan2(*(middle - apex)))
        low, high = sorted(axis + float((angle - axis + np.pi) % (2 * np.pi) - np.pi) for angle in angles)
        if not 0.04 < high - low < 3.0 or not low < axis < high:
            continue
        radius, every = np.hypot(*(at - apex).T), np.hypot(*(whole - apex).T)
        # An arc that the frame cuts away has no border points: it must not cut what the frame shows.
        near = radius.min() if radius.min() < every.min() + cell else every.min() - 2 * cell
        fars = (
            (radius.max(), np.percentile(radius, 85))
            if radius.max() > every.max() - cell
            else (every.max() + 2 * cell,)
        )
        guesses += [np.concatenate([box, apex, [1.0, low, high, near, far]]) for far in fars]
    return guesses
