"""Areas that a device fills, found by what speckle never has: rows or columns of one level, and upright borders.

A net that looks for strokes finds the letters on a panel and the rim of a bar; what it leaves of them is added here.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

Mask = npt.NDArray[np.bool_]

_EVEN = 4  # levels between neighbours
_RUN = 5  # pixels of a run
_DARK = 20  # levels: what is darker may be shadow
_FOUND = 0.3  # share of a filled area that was called a mark
_SOLID = 0.6  # share of its upright box that such an area fills
_LETTERS = 0.06  # share of a panel's box that was called a mark
_COVERED = 0.9  # share of the box that panel and letters, or a bar, fill
_MOST = 80  # areas that are looked at
_LEAST = 100  # pixels on a 600 line screen


def completed(image: U8, inside: Mask, found: Mask, unit: float) -> Mask:
    """Filled areas that belong to what was found, and bars: (H, W) bool.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, the field.
        found: (H, W) bool, pixels called marks.
        unit: 1.0 for pictures of 600 lines.
    """
    grey = np.ascontiguousarray(image if image.ndim == 2 else image.max(axis=2))
    added = np.zeros(inside.shape, np.bool_)
    letters = cv2.dilate(found.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    for across in (True, False):
        even = _even(grey, across) & (grey > _DARK)  # outside the field too: bars lie across its border
        count, numbered, stats, _ = cv2.connectedComponentsWithStats(even.astype(np.uint8), connectivity=4)
        labels = np.asarray(numbered, np.int32)
        area, wide, tall = (
            stats[:, k].astype(np.int64) for k in (cv2.CC_STAT_AREA, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)
        )
        called = np.bincount(labels[found], minlength=count) > _FOUND * area
        whole = called & (area > _SOLID * wide * tall)
        whole[0] = False
        added |= whole[labels]
        for number in np.argsort(-area[1:], kind="stable")[:_MOST] + 1:
            if area[number] < _LEAST * unit**2:
                break
            x, y = int(stats[number, cv2.CC_STAT_LEFT]), int(stats[number, cv2.CC_STAT_TOP])
            top, bottom, left, right = _trimmed(labels[y : y + tall[number], x : x + wide[number]] == number)
            window = np.s_[y + top : y + bottom, x + left : x + right]
            own = labels[window] == number
            if _is_panel(own, found[window], letters[window]) or _is_bar(grey[window], own, across, unit):
                # Runs end a pixel before the area does.
                added[max(0, y + top - 1) : y + bottom + 1, max(0, x + left - 1) : x + right + 1] = True
    return added & inside


def _even(grey: U8, across: bool) -> Mask:
    """Pixels in runs of one level along rows or columns, in areas of at least three by three."""
    pair, run = ((1, 3), (1, _RUN)) if across else ((3, 1), (_RUN, 1))
    level = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones(pair, np.uint8)) <= _EVEN).astype(np.uint8)
    runs = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones(run, np.uint8))
    return np.asarray(cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _trimmed(own: Mask) -> tuple[int, int, int, int]:
    """The first and last rows and columns of which half is the area's: what hangs on it is not."""
    rows, columns = np.flatnonzero(own.mean(axis=1) >= 0.5), np.flatnonzero(own.mean(axis=0) >= 0.5)
    if not len(rows) or not len(columns):
        return 0, own.shape[0], 0, own.shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _is_panel(own: Mask, found: Mask, letters: Mask) -> bool:
    """Whether an even area and the letters in it fill an upright box."""
    size = own.size
    if np.count_nonzero(found) < _LETTERS * size or np.count_nonzero(own) < 0.3 * size:
        return False
    return bool(np.count_nonzero(own | letters) > _COVERED * size)


def _is_bar(grey: U8, own: Mask, across: bool, unit: float) -> bool:
    """Whether an even area is long, upright, and goes from dark to light or back without turning."""
    levels, area = (grey, own) if across else (grey.T, own.T)
    tall, wide = levels.shape
    if tall < 2.5 * wide or tall < 30 * unit or np.count_nonzero(own) < _COVERED * own.size:
        return False
    held = np.count_nonzero(area, axis=1)
    row = (levels * area).sum(axis=1, dtype=np.int64)[held > 0] / held[held > 0]
    steps = np.diff(row)
    rise = float(abs(steps.sum()))
    return bool(rise > 90 and np.abs(steps).sum() < 1.25 * rise)
