"""Colour that is signal: Doppler flow, elastography and parametric maps, which no method may take for marks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging.tint import COLOURED

F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

THICK = 6
"""Pixels on a 600 line screen: a blob of colour that holds a disc of this size is thicker than a stroke."""

THIN = 4
"""The same where flow is expected."""

_SPREAD = 9.0  # CIELAB units, standard deviation over a blob: drawn areas are flat, maps are not
_REACH = 30  # pixels on a 600 line screen around a blob in which specks of flow lie
_LEAST = 24  # pixels of a blob's thick part
_BLOBS = 400  # the largest are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """(H, W) bool each: `sure` is signal; `maybe`, specks around it, is as likely signal as a coloured mark."""

    sure: Mask
    maybe: Mask


def find_flow(image: U8, residual: F32, inside: Mask, *, expected: bool = False) -> Flow:
    """The colour of a picture that must survive.

    A blob counts if it is thicker than a stroke, its colours spread, and it is no colour bar: a bar is a filled, long
    rectangle that changes along one side only. Strokes that lead out of a blob in one flat colour are left out.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        residual: (H, W) float32 of `tint.residual`.
        inside: (H, W) bool, the field.
        expected: whether the frame is known to show such a map: thinner vessels count then.
    """
    nothing = np.zeros(inside.shape, np.bool_)
    coloured = (residual > COLOURED) & inside
    if image.ndim == 2 or np.count_nonzero(coloured) < _LEAST:
        return Flow(nothing, nothing)
    unit = max(0.6, image.shape[0] / 600)
    thick = _disc(max(3, round((THIN if expected else THICK) * unit)))
    # The colour of a stroke bleeds into its surroundings, but fades there; without that it is thin again.
    peak = cv2.dilate(residual, _disc(2 * round(4 * unit) + 1))
    full = residual > 0.75 * peak
    core = cv2.morphologyEx((coloured & (residual > 0.5 * peak)).astype(np.uint8), cv2.MORPH_OPEN, thick)
    if not core.any():
        return Flow(nothing, nothing)
    lab: U8 = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB), np.uint8)
    _, numbered, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    labels = np.asarray(numbered, np.int32)
    signal = np.zeros(len(stats), np.bool_)
    for number in np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:_BLOBS] + 1:
        signal[number] = _is_signal(stats[number], labels, int(number), lab, full)
    cores = signal[labels]
    if not cores.any():
        return Flow(nothing, nothing)
    near = cv2.dilate(cores.astype(np.uint8), _disc(max(3, round(THICK * unit)) + 2)) > 0
    reach = cv2.dilate(_hull(cores), np.ones((2 * round(_REACH * unit) + 1,) * 2, np.uint8)) > 0
    sure = coloured & near & ~_strokes(coloured & ~cores, lab, unit)
    return Flow(sure, coloured & reach & ~sure)


def _is_signal(stat: npt.NDArray[np.int32], labels: npt.NDArray[np.int32], number: int, lab: U8, full: Mask) -> bool:
    """Whether the blob `number` is signal; `full` (H, W) are pixels with as much colour as any beside them."""
    x, y, wide, tall, area = (int(value) for value in stat)
    if area < _LEAST:
        return False
    window = np.s_[y : y + tall, x : x + wide]
    own = labels[window] == number
    colours = lab[window].astype(np.float32)
    values = colours[own & full[window]]
    if len(values) < _LEAST or (spread := _spread(values)) < _SPREAD:
        return False
    short, long = sorted((wide, tall))
    if long < 3 * short or area < 0.8 * wide * tall:
        return True
    # Across a bar nothing changes.
    inner = colours[2:-2, 2:-2] if short > 8 else colours
    across = inner.std(axis=1 if tall > wide else 0).mean(axis=0)
    return float(across.max()) > 0.35 * spread


def _spread(values: F32) -> float:
    """Of colours (N, 3), as a standard deviation, but a few pixels of other colours do not count."""
    low, high = np.percentile(values, (10, 90), axis=0)
    return float((high - low).max()) / 2.56


def _hull(cores: Mask) -> U8:
    """The convex hull of all blobs, (H, W) of 0 and 1: the colour box, which specks of flow do not leave."""
    points = np.argwhere(cores)[:, ::-1].astype(np.int32)
    filled = np.zeros(cores.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return filled


def _strokes(rest: Mask, lab: U8, unit: float) -> Mask:
    """Parts of coloured pixels beside the blobs' cores that are long, thin and of one colour: boxes, lines."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    drawn = np.zeros(count, np.bool_)
    longest = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    for number in np.flatnonzero(longest >= 24 * unit):
        if number == 0:
            continue
        x, y, wide, tall, area = (int(value) for value in stats[number])
        if area > 4 * unit * (wide + tall):
            continue
        window = np.s_[y : y + tall, x : x + wide]
        values = lab[window][labels[window] == number].astype(np.float32)
        drawn[number] = float(values.std(axis=0)[1:].max()) < _SPREAD
    return np.asarray(drawn[labels])


def _disc(size: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
