"""Finds the heart's cycles in a clip from what moves in it, or says that there are none."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ultracurate.imaging.motion import F32, describe, moving

SLOWEST, FASTEST = 0.5, 3.5
"""Beats per second that are looked for: 30 to 210 a minute, a foetus included."""

CLEAR = 0.5
"""Autocorrelation at one period from which on a motion counts as periodic; breathing and sweeps stay below."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles of a clip.

    Attributes:
        spans: (first, last) frame numbers of every whole cycle, both included.
        period_s: seconds.
        confidence: 0..1, the autocorrelation at one period.
    """

    spans: tuple[tuple[int, int], ...]
    period_s: float
    confidence: float


def cycles(thumbnails: F32, fps: float) -> Cycles | None:
    """The cycles of a clip of constant rate, or None: at least two whole periods must be there.

    The clip's strongest mode of motion (first principal component of the moving pixels) is a curve over time; its
    autocorrelation tells the period, its maxima where cycles begin. Which phase of the heart that is, is not known.

    Args:
        thumbnails: (F, S, S) float32 grey levels, one a frame.
        fps: frames per second.
    """
    count = len(thumbnails)
    shortest, longest = int(np.ceil(fps / FASTEST)), min(int(fps / SLOWEST), count // 2)
    if count < 8 or longest <= shortest or shortest < 3:
        return None
    area = moving(thumbnails)
    if not area.any():
        return None
    curve = _strongest_mode(describe(thumbnails, area))
    if curve is None:
        return None
    likeness = np.array([_likeness(curve, lag) for lag in range(shortest - 1, longest + 2)])
    peaks = [i for i in range(1, len(likeness) - 1) if likeness[i - 1] < likeness[i] >= likeness[i + 1]]
    best = max((likeness[i] for i in peaks), default=0.0)
    if best < CLEAR:
        return None
    # Two and three periods are as alike as one: take the shortest lag that is nearly as good as the best.
    place = next(i for i in peaks if likeness[i] >= 0.9 * best)
    period = place + shortest - 1
    begins = _begins(curve, period)
    spans = tuple((first, following - 1) for first, following in itertools.pairwise(begins))
    return Cycles(spans, period / fps, float(np.clip(likeness[place], 0, 1))) if len(spans) >= 1 else None


def from_r_waves(r_waves: tuple[float, ...], times: list[float]) -> tuple[tuple[int, int], ...]:
    """(first, last) frame numbers between each two R waves of the header, seconds as `times` of the frames."""
    starts = [int(np.searchsorted(times, wave)) for wave in sorted(r_waves)]
    return tuple((a, b - 1) for a, b in itertools.pairwise(starts) if a < b <= len(times))


def _strongest_mode(vectors: F32) -> np.ndarray | None:
    """(F,) curve of the first principal component, without its slow drift; None if there is hardly any motion."""
    centred = vectors - vectors.mean(axis=0)
    if len(centred) > centred.shape[1]:
        values, modes = np.linalg.eigh(centred.T @ centred)
        curve = centred @ modes[:, -1]
    else:  # the same from the smaller of the two products
        values, modes = np.linalg.eigh(centred @ centred.T)
        curve = modes[:, -1] * np.sqrt(max(values[-1], 0.0))
    if values[-1] <= 1e-6:
        return None
    line = np.polyval(np.polyfit(np.arange(len(curve)), curve, 1), np.arange(len(curve)))
    return np.asarray(curve - line)


def _likeness(curve: np.ndarray, lag: int) -> float:
    """Correlation of the curve with itself `lag` frames later."""
    if lag < 1:
        return 0.0
    a, b = curve[:-lag] - curve[:-lag].mean(), curve[lag:] - curve[lag:].mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


def _begins(curve: np.ndarray, period: int) -> list[int]:
    """Frames at which cycles begin: the highest point of the first period, then the highest near each next one."""
    begins = [int(np.argmax(curve[:period]))]
    slack = max(1, period // 4)
    while (expected := begins[-1] + period) < len(curve):
        low = expected - slack
        begins.append(low + int(np.argmax(curve[low : expected + slack + 1])))
    return begins
