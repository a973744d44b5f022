"""Finds the insonified region of a screen, or says that it is not sure; a first form that nothing may be deleted by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

MIN_CONFIDENCE = 0.5
"""Below this the answer is None: keep everything."""

_GRID = 256  # the search runs on a copy of at most this many pixels a side


@dataclass(frozen=True, slots=True)
class Sector:
    """The insonified region.

    Attributes:
        polygons: one list of (x, y) corners in pixels per region; this form finds one convex region.
        confidence: 0..1, how well a filled convex region explains the textured pixels.
    """

    polygons: list[list[tuple[int, int]]]
    confidence: float


def find_sector(image: npt.NDArray[np.uint8]) -> Sector | None:
    """The hull of the largest textured region, or None when unsure, which means: keep everything.

    Unsure is: no texture, a region that touches all four borders (a crop without a screen around it), one smaller
    than a seventh of the picture, or a hull that is poorly filled. The hull can cut off dark corners and side
    shadows and joins two views into one, so the result is for crops of hashes and for display, never for blanking.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
    """
    # The brightest channel: a saturated blue is as much a lit pixel as a grey one.
    grey = image if image.ndim == 2 else np.asarray(image.max(axis=2))
    height, width = grey.shape
    if min(height, width) < 32:
        return None
    scale = min(1.0, _GRID / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    textured = _textured(grey, size)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(textured, connectivity=8)
    if len(stats) < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    region = (labels == largest).astype(np.uint8)
    contours, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    confidence = _confidence(region, textured, hull)
    if confidence < MIN_CONFIDENCE:
        return None
    corners = cv2.approxPolyDP(hull, 1.0, closed=True)[:, 0, :].astype(float) + 0.5
    corners *= (width / size[0], height / size[1])
    return Sector([[(round(float(x)), round(float(y))) for x, y in corners]], round(confidence, 3))


def _textured(grey: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Where most pixels around are lit and none is flat, on the small grid.

    Text and rulers are lit too sparsely to survive; the banners and menus of a device are lit but flat.
    """
    wide = grey.astype(np.int16)
    ragged = np.zeros(grey.shape, np.float32)
    ragged[:, 1:] = np.abs(wide[:, 1:] - wide[:, :-1]) > 0
    lit = cv2.resize(ragged * (grey > 8), size, interpolation=cv2.INTER_AREA)
    dense = (cv2.blur(lit, (7, 7), borderType=cv2.BORDER_REPLICATE) > 0.5).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(dense, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)


def _confidence(region: npt.NDArray[np.uint8], textured: npt.NDArray[np.uint8], hull: npt.NDArray[np.int32]) -> float:
    height, width = region.shape
    sides = [region[0].any(), region[-1].any(), region[:, 0].any(), region[:, -1].any()]
    area = int(region.sum())
    if all(sides) or area < 0.15 * height * width:
        return 0.0
    inside = np.zeros_like(region)
    cv2.fillConvexPoly(inside, hull, 1)
    filled = area / max(1, int(inside.sum()))
    of_all = area / max(1, int(textured.sum()))
    return float(np.clip((filled - 0.5) / 0.4, 0, 1) * of_all)
