"""A second look at what the overlay net found, part by part: marks have ink, sides and company as no tissue has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging import nets

F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NET = "overlay-parts-v1"

FEATURES = 24
"""Numbers that describe a part."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Connected parts of one picture: `labels` (H, W) int32, 0 is none; `rows` (N, FEATURES) float32 of 1..N."""

    labels: npt.NDArray[np.int32]
    rows: F32


def parts(image: U8, inside: Mask, found: Mask, probable: F32, away: F32, unit: float, confidence: float) -> Parts:
    """All connected parts with their description.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, the field.
        found: (H, W) bool, pixels that may be marks.
        probable: (H, W) float32, probability of a mark.
        away: (H, W) float32 of `tint.residual`.
        unit: 1.0 for pictures of 600 lines.
        confidence: how sure it is what the picture shows, 0..1.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    if count == 1:
        return Parts(np.asarray(labels, np.int32), np.zeros((0, FEATURES), np.float32))
    grey = np.ascontiguousarray(image if image.ndim == 2 else image.max(axis=2))
    at = np.flatnonzero(found)
    numbers = np.asarray(labels, np.int32)
    owner = numbers.ravel()[at]
    area = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        sums = np.bincount(owner, values.ravel()[at].astype(np.float64), count)[1:]
        return np.asarray(sums / area)

    def most(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        largest = np.zeros(count)
        np.maximum.at(largest, owner, values.ravel()[at].astype(np.float64))
        return largest[1:]

    stands_out = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((15, 15), np.uint8))
    sinks_in = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((15, 15), np.uint8))
    sides = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    texture = cv2.blur(np.minimum(stands_out, 40), (61, 61))
    from_border = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_C, 3)[1:-1, 1:-1]
    sure = (probable > 0.7).astype(np.float32)
    ink = np.maximum(mean(sure), 1e-3)
    level = mean(grey * sure) / ink
    spread = np.sqrt(np.maximum(mean(grey.astype(np.float32) ** 2 * sure) / ink - level**2, 0))
    wide, tall = (stats[1:, side].astype(np.float64) for side in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    longest, shortest = np.maximum(wide, tall), np.minimum(wide, tall)
    above, around = mean(stands_out), mean(texture)
    whole = np.ones(count - 1)
    rows = [
        *(mean(probable), most(probable), mean(probable > 0.5), mean(sure), mean(probable > 0.9)),
        *(np.log(area), np.log(longest / unit), shortest / longest, area / (wide * tall), np.log(shortest / unit)),
        *(level, spread, above, mean(sinks_in), around, above / (5 + around), mean(sides)),
        *(mean(away), most(away)),
        *(np.minimum(mean(from_border), 99) / unit, np.minimum(most(from_border), 99) / unit),
        mean(cv2.blur(probable, (41, 41))),
        *(whole * np.log(float(count)), whole * confidence),
    ]
    return Parts(numbers, np.stack(rows, axis=1).astype(np.float32))


def scores(rows: F32) -> F32:
    """How likely each part (N, FEATURES) is a mark, (N,) 0..1."""
    if not len(rows):
        return np.zeros(0, np.float32)
    return np.asarray(1 / (1 + np.exp(-nets.run(NET, rows)[:, 0])), np.float32)
