"""Fits a shape to points on a field's border by damped least squares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ultracurate.imaging._shapes import Box, Params, Points

Floats = npt.NDArray[np.float64]


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
