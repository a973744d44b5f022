"""Where lines of text may stand in a picture: strokes that are short both across and along, and sharp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging._field_input import brightest

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]

_HOWS = (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)  # bright and dark letters
_STROKE = 11  # pixels on a 600 line screen, wider than a stroke
_LEAST = 20  # twice the levels (for a finer scale) by which strokes stand out on average over a letter
_ABOVE_ALL = 2.0  # times that of the field's middle pixel
_ABOVE_AROUND = 1.15  # times the mean of the surroundings
_COLOURED = 40  # levels between the largest and the smallest channel of a coloured pixel
_LONG = 60  # pixels on a 600 line screen; longer lines are no likelier
_INK = 0.5  # share of a line's strongest contrast that its strokes have
_GAP, _THIN = 0.12, 0.35  # shares of the fullest row: rows below lie between two lines; between two lines that touch
_SHORTEST, _TALLEST = 5, 26  # pixels on a 600 line screen, of one line
_MOST = 400  # regions of one ground that are looked at, of those that can score most
_SAMPLE = 200_000  # pixels of a region from which its sharpness is told
_VISITED = 8  # times the field's box: what all regions together may hold that are split into lines


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A place `box` (x0, y0, x1, y1), and the picture of it (h, w) uint8 with some ground around, at full contrast."""

    box: Box
    crop: U8
    score: float


@dataclass(frozen=True, slots=True)
class _Region:
    score: float
    box: Box
    ground: int


def find_lines(image: U8, inside: Mask, most: int) -> Iterator[Line]:
    """At most `most` lines, likeliest first.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, where to look.
        most: lines to find.
    """
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    if not wide:
        return
    window = np.s_[y : y + tall, x : x + wide]
    unit = float(np.clip(image.shape[0] / 600, 0.6, 2.0))
    shades = grounds(image[window], inside[window])
    regions = [r for k, ground in enumerate(shades) for r in _regions(ground, k, inside[window], unit)]
    regions.sort(key=lambda region: (-region.score, region.box, region.ground))
    found: list[Box] = []
    left = _VISITED * wide * tall
    for region in regions[: 2 * most]:
        x0, y0, x1, y1 = region.box
        left -= (x1 - x0) * (y1 - y0)
        if len(found) >= most or left < 0:  # regions may lie within each other
            return
        for box in _split(shades[region.ground], region.box, unit):
            if len(found) < most and not any(_same(box, other) for other in found):
                found.append(box)
                x0, y0, x1, y1 = box
                yield Line((x0 + x, y0 + y, x1 + x, y1 + y), _crop(shades[region.ground], box), region.score)


def grounds(image: U8, inside: Mask) -> list[U8]:
    """What letters may stand out on: brightness, and colour where there is some."""
    grey = brightest(image)
    if image.ndim == 2:
        return [grey]
    least = cv2.min(cv2.min(image[..., 0], image[..., 1]), image[..., 2])
    colour = np.asarray(cv2.subtract(grey, least), np.uint8)
    return [grey, colour] if np.count_nonzero((colour > _COLOURED) & inside) > _COLOURED else [grey]


def _regions(ground: U8, number: int, inside: Mask, unit: float) -> Iterator[_Region]:
    stroke = 2 * round(_STROKE * unit / 2) + 1
    letter = 2 * round(12 * unit) + 1, 2 * round(4 * unit) + 1
    around = 2 * round(60 * unit) + 1, 2 * round(40 * unit) + 1
    within = inside.astype(np.uint8) * 2
    for how in _HOWS:
        # Layers of tissue are long, needles and rulers tall: both lack one of the two.
        each = [
            cv2.blur(np.minimum(cv2.morphologyEx(ground, how, np.ones(size, np.uint8)), 90) * within, letter)
            for size in ((1, stroke), (stroke, 1))
        ]
        both = np.asarray(cv2.min(*each), np.uint8)
        least = max(_LEAST, _ABOVE_ALL * float(np.median(both[inside][::9])))
        hot = (both > least) & (both > _ABOVE_AROUND * cv2.blur(both, around))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
        most = np.zeros(len(stats))
        np.maximum.at(most, np.asarray(labels, np.int32)[hot], both[hot])
        large = (stats[:, cv2.CC_STAT_WIDTH] >= 8 * unit) & (stats[:, cv2.CC_STAT_HEIGHT] >= 3 * unit)
        large[0] = False
        kept = np.flatnonzero(large & (stats[:, cv2.CC_STAT_AREA] >= 30 * unit**2))
        if len(kept) > _MOST:
            can = most[kept] * np.sqrt(np.minimum(stats[kept, cv2.CC_STAT_WIDTH] / unit, _LONG))
            kept = kept[np.argsort(-can, kind="stable")[:_MOST]]
        for k in kept.tolist():
            x, y, wide, tall = (int(value) for value in stats[k, :4])
            best = float(most[k]) / least
            window = ground[max(0, y - 3) : y + tall + 3, max(0, x - 3) : x + wide + 3].astype(np.int16)
            window = window[:: 1 + window.size // _SAMPLE]
            steep = float(np.percentile(np.abs(np.diff(window, axis=1)), 97))
            sharp = steep / (1 + float(np.percentile(window, 98) - np.percentile(window, 2)))
            yield _Region(best * np.sqrt(sharp * min(wide / unit, _LONG)), (x, y, x + wide, y + tall), number)


def _split(ground: U8, box: Box, unit: float) -> Iterator[Box]:
    """The lines of a block of text, each from its first stroke to its last."""
    pad, aside = round(8 * unit), round(10 * unit)  # an L or T at an end has few strokes
    left, top = max(0, box[0] - aside), max(0, box[1] - pad)
    part = ground[top : box[3] + pad, left : box[2] + aside]
    # Strokes and the gaps between them, row by row: the gap between two lines is neither.
    reach = np.ones((1, 2 * round(_STROKE * unit / 2) + 1), np.uint8)
    contrast = np.maximum(*(cv2.morphologyEx(part, how, reach) for how in _HOWS))
    strokes = contrast > _INK * float(np.percentile(contrast, 97))
    rows = strokes.sum(axis=1)
    for y0, y1 in _runs(rows, _GAP, max(2, round(2 * unit))):
        # Tails of one line reach into the next: a block is cut where it is thinnest.
        cut = _runs(rows[y0:y1], _THIN, 0) if y1 - y0 > _TALLEST * unit else [(0, y1 - y0)]
        for first, last in cut:
            columns = np.flatnonzero(strokes[y0 + first : y0 + last].any(axis=0))
            if top + y0 + last <= box[1] or top + y0 + first >= box[3]:  # of the next line
                continue
            if last - first >= max(_SHORTEST, _SHORTEST * unit) and columns.size:
                yield left + int(columns[0]), top + y0 + first, left + int(columns[-1]) + 1, top + y0 + last


def _runs(rows: npt.NDArray[np.int_], share: float, gap: int) -> list[tuple[int, int]]:
    """Runs of rows with more than this share of the fullest; at most `gap` apart they are one: an i and its dot."""
    full = np.concatenate([[False], rows > share * rows.max(), [False]])
    found: list[tuple[int, int]] = []
    for start, end in zip(
        np.flatnonzero(full[1:] & ~full[:-1]).tolist(), np.flatnonzero(~full[1:] & full[:-1]).tolist(), strict=True
    ):
        if found and start - found[-1][1] <= gap:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _same(one: Box, other: Box) -> bool:
    """Whether the smaller of two boxes lies mostly in the other: the gaps of bright letters are dark letters."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide > 0 and tall > 0 and wide * tall > 0.6 * least


def _crop(grey: U8, box: Box) -> U8:
    x0, y0, x1, y1 = box
    pad = max(2, (y1 - y0) // 5)
    part = grey[max(0, y0 - pad) : y1 + pad, max(0, x0 - 2 * pad) : x1 + 2 * pad]
    low, high = int(part.min()), int(part.max())
    return np.asarray((part.astype(np.float32) - low) * (255 / max(1, high - low)), np.uint8)
