"""Bright strokes of a device's pen, told from tissue by their shape and by the company they keep."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_CONTRAST = 42  # levels above the ground
_ABOVE_TEXTURE = 2.4  # times the mean contrast of the surroundings
_CAP = 24  # levels: marks must not raise the bar for their own kind
_BOLD = 125  # levels; of the sharp thin echoes of real tissue nine in ten stay below 95
_QUIET = 1.5  # levels, mean contrast of a dark ground
_INK = 100  # levels that ink has at least
_DOTS = 400  # of the most contrast are looked at
_BESIDE = 10  # nearest of each
_MOST = 3000  # strokes that are looked at; a field of speckle has no more marks than that


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """(H, W) bool each: `text`, letters on a line; `drawn`, crosses, straight lines, rows of dots."""

    text: Mask
    drawn: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Connected candidates: labels, and for each what is known of it; its box is (x, y, w, h).

    `uneven` is the standard deviation of its levels, `voted` its share of votes, `noise` the contrast around it.
    """

    labels: I32
    box: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]
    contrast: npt.NDArray[np.float64]
    uneven: npt.NDArray[np.float64]
    voted: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]


def find(grey: U8, inside: Mask, votes: Mask) -> Strokes:
    """Strokes of text and drawings.

    Args:
        grey: (H, W) uint8.
        inside: (H, W) bool, where to look.
        votes: (H, W) bool, pixels that something else says are drawn.
    """
    unit = float(np.clip(grey.shape[0] / 600, 0.6, 2.0))
    pieces = _pieces(grey, inside, votes, unit)
    text = _text(pieces, unit)
    drawn = (
        _bold(pieces, unit) | _crosses(pieces, unit) | _lines(pieces, unit) | _rows(pieces, unit) | (pieces.voted > 0.5)
    )
    drawn[0] = text[0] = False
    return Strokes(text[pieces.labels], (drawn & ~text)[pieces.labels])


def _pieces(grey: U8, inside: Mask, votes: Mask, unit: float) -> _Pieces:
    side = 2 * round(4.5 * unit) + 1
    above = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8))
    around = 2 * round(20 * unit) + 1
    texture = cv2.blur(np.minimum(above, _CAP).astype(np.float32), (around, around))
    sharp = grey - cv2.erode(grey, np.ones((5, 5), np.uint8))
    strong = (above > _CONTRAST) & (above > _ABOVE_TEXTURE * texture) & (grey > _INK) & (sharp > 0.75 * above)
    strong |= votes & (above > _CONTRAST // 2)
    strong &= inside
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strong.astype(np.uint8), connectivity=8)
    if len(stats) > _MOST:
        largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[: _MOST - 1] + 1
        order = np.concatenate([[0], largest])  # the ground stays the first, however small it is
        number = np.zeros(len(stats), np.int32)
        number[order] = np.arange(len(order))
        labels, stats = number[labels], stats[order]
    flat, count = labels.ravel(), len(stats)
    area = np.maximum(np.bincount(flat, minlength=count), 1).astype(np.float64)
    level = np.bincount(flat, grey.ravel(), count) / area
    square = np.bincount(flat, grey.ravel().astype(np.float64) ** 2, count) / area
    return _Pieces(
        np.asarray(labels, np.int32),
        stats[:, :4].astype(np.float64),
        area,
        level,
        np.bincount(flat, above.ravel(), count) / area,
        np.sqrt(np.maximum(square - level**2, 0)),
        np.bincount(flat, votes.ravel(), count) / area,
        np.bincount(flat, texture.ravel(), count) / area - area * _CAP / around**2,
    )


def _bold(p: _Pieces, unit: float) -> Mask:
    """Thin pieces of more contrast than any tissue has, and sharp ones alone in the dark."""
    longest = p.box[:, 2:].max(axis=1)
    thin = (p.area < 5 * unit * p.box[:, 2:].sum(axis=1)) | (longest < 9 * unit)
    even = (p.uneven < 0.14 * p.contrast) | ((p.area < 40 * unit**2) & (p.uneven < 0.3 * p.contrast))
    bold = (p.contrast > _BOLD) & even
    alone = (p.noise < _QUIET) & (p.contrast > 60) & (p.area >= 3) & (p.area < 80 * unit**2)
    return np.asarray(thin & (bold | alone))


def _text(p: _Pieces, unit: float) -> Mask:
    """Pieces that stand on one line with others of their size and level."""
    x, y, wide, tall = p.box.T
    letter = (tall >= 5 * unit) & (tall <= 34 * unit) & (wide <= 12 * tall) & (p.area >= 6 * unit)
    letter &= (p.contrast > 50) & (p.area < 0.85 * wide * tall + 4) & (p.uneven < 48)
    kept = np.zeros(len(x), np.bool_)
    kept_ids = np.flatnonzero(letter)
    kept_ids = kept_ids[kept_ids > 0]
    order = kept_ids[np.argsort(x[kept_ids], kind="stable")]
    for place, one in enumerate(order):
        others = order[place + 1 : place + 40]
        gap = x[others] - (x[one] + wide[one])
        high = np.maximum(tall[others], tall[one])
        foot = np.abs((y[others] + tall[others]) - (y[one] + tall[one]))
        head = np.abs(y[others] - y[one])
        beside = (gap > -0.3 * high) & (gap < 0.9 * high) & (np.minimum(foot, head) <= 0.12 * high + 1)
        beside &= (np.maximum(foot, head) <= 0.5 * high) & (np.abs(p.level[others] - p.level[one]) < 34)
        beside &= p.contrast[one] + p.contrast[others] > 120
        if beside.any():
            kept[one] = True
            kept[others[beside]] = True
    # Two alone may be chance in speckle: a word is longer than high or has three letters.
    return _of_words(p, kept, unit)


def _of_words(p: _Pieces, kept: Mask, unit: float) -> Mask:
    mask = kept[p.labels].astype(np.uint8)
    reach = max(3, round(9 * unit)) | 1
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, reach), np.uint8))
    _, words, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    wide, tall = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    ink = np.bincount(words.ravel(), mask.ravel(), len(stats))
    fill = ink / np.maximum(1, wide * tall)
    good = (wide > 1.1 * tall) & (tall < 40 * unit) & (fill > 0.12) & (fill < 0.75)
    # Which word each letter stands in; a word of faint letters must be longer and of one level.
    word = np.zeros(len(kept), np.int64)
    word[p.labels[mask > 0]] = words[mask > 0]
    letters = np.maximum(1, np.bincount(word, kept, len(stats)))
    contrast = np.bincount(word, kept * p.contrast, len(stats)) / letters
    level = np.bincount(word, kept * p.level, len(stats)) / letters
    spread = np.bincount(word, kept * p.level**2, len(stats)) / letters - level**2
    good &= (contrast > 85) | ((letters >= 4) & (spread < 18**2) & (contrast > 62))
    good[0] = False
    ids = np.unique(p.labels[good[words] & (mask > 0)])
    result = np.zeros(len(p.area), np.bool_)
    result[ids] = True
    # Dots and accents belong to the word around them.
    inside = cv2.dilate(good[words].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    share = np.bincount(p.labels.ravel(), inside.ravel(), len(p.area)) / p.area
    return result | ((share > 0.9) & (p.contrast > 40))


def _crosses(p: _Pieces, unit: float) -> Mask:
    """Pieces made of two straight arms, upright or oblique, alone on their ground."""
    x, y, wide, tall = p.box.T.astype(np.int64)
    size = np.maximum(wide, tall)
    square = (np.minimum(wide, tall) >= 0.75 * size) & (size >= 6 * unit) & (size <= 30 * unit)
    square &= (p.area < 0.6 * size**2) & (p.uneven < 45) & (p.contrast > 55)
    kept = np.zeros(len(x), np.bool_)
    for one in np.flatnonzero(square):
        if one == 0:
            continue
        cut = p.labels[y[one] : y[one] + tall[one], x[one] : x[one] + wide[one]] == one
        small = cv2.resize(cut.astype(np.float32), (15, 15), interpolation=cv2.INTER_AREA)
        kept[one] = max(float((small * arms).sum()) for arms in _ARMS) / float(small.sum()) > 0.88 and _even(small)
    return kept


def _even(small: F32) -> bool:
    """Whether a drawing (15, 15) is the same from all four sides, as crosses are."""
    likeness = [float(np.minimum(small, turned).sum()) for turned in (small[::-1], small[:, ::-1], small.T)]
    return min(likeness) > 0.72 * float(small.sum())


def _lines(p: _Pieces, unit: float) -> Mask:
    """Long pieces without a bend and of one level: sides of boxes, measuring lines, ticks of a ruler's spine."""
    x, y, wide, tall = p.box.T.astype(np.int64)
    long = np.hypot(wide, tall)
    slim = (long >= 34 * unit) & (p.area < 4 * unit * (wide + tall)) & (p.uneven < 24) & (p.contrast > 80)
    slim[0] = False
    narrow = np.minimum(wide, tall) <= 3 * unit + 1
    kept = slim & narrow & (p.area < 4 * unit * long)
    bent = slim & ~narrow
    # All points at once and not box by box: boxes of long pieces lie within each other.
    at = np.flatnonzero(bent[p.labels])
    own = p.labels.ravel()[at]
    order = np.argsort(own, kind="stable")
    ids, starts = np.unique(own[order], return_index=True)
    for one, members in zip(ids.tolist(), np.split(at[order], starts[1:]), strict=False):
        rows, columns = np.divmod(members, p.labels.shape[1])
        points = np.stack([columns - x[one], rows - y[one]], axis=1)
        (_, _), (a, b), _ = cv2.minAreaRect(points.astype(np.float32))
        straight = min(a, b) <= 3 * unit + 1
        size = np.asarray([wide[one], tall[one]])
        corners = size.min() > 12 * unit and _on_rim(points, size, unit) > 0.95  # a box, or part of one
        kept[one] = straight or corners
    return np.asarray(kept)


def _on_rim(points: npt.NDArray[np.int64], size: npt.NDArray[np.int64], unit: float) -> float:
    """Share of the points (N, 2) of a piece that lie on the rim of its box, `size` (width, height)."""
    rim = max(2, round(3 * unit))
    inner = ((points >= rim) & (points < size - rim)).all(axis=1)
    return 1 - float(np.count_nonzero(inner)) / len(points)


def _rows(p: _Pieces, unit: float) -> Mask:
    """Dots, dashes and ticks: small pieces that repeat at even steps along a line, at least five."""
    x, y, wide, tall = p.box.T
    small = (np.maximum(wide, tall) <= 14 * unit) & (p.area <= 60 * unit**2) & (p.contrast > 45)
    ids = np.flatnonzero(small)
    ids = ids[ids > 0]
    ids = np.sort(ids[np.argsort(-p.contrast[ids], kind="stable")[:_DOTS]])
    kept = np.zeros(len(x), np.bool_)
    if len(ids) < 5:
        return kept
    middle = np.stack([x[ids] + wide[ids] / 2, y[ids] + tall[ids] / 2], axis=1)
    apart = middle[None] - middle[:, None]
    distance = np.linalg.norm(apart, axis=2)
    level, area = p.level[ids], p.area[ids]
    alike = np.abs(level[None] - level[:, None]) < 40
    alike &= np.maximum(area[None], area[:, None]) < 2.5 * np.minimum(area[None], area[:, None]) + 3
    apart_by = np.where((distance > 2.5) & (distance < 26 * unit) & alike, distance, np.inf)
    nearest = np.argsort(apart_by, axis=1, kind="stable")[:, :_BESIDE]
    known = np.isfinite(np.take_along_axis(apart_by, nearest, axis=1))
    step_to = np.take_along_axis(apart, nearest[..., None], axis=1)
    # A dot between two others whose steps cancel each other is one of a row.
    miss = np.linalg.norm(step_to[:, :, None] + step_to[:, None], axis=3)
    miss[~(known[:, :, None] & known[:, None])] = np.inf
    best = np.argmin(miss, axis=2)
    fits = np.take_along_axis(miss, best[..., None], axis=2)[..., 0] <= 1.2 + 0.06 * np.linalg.norm(step_to, axis=2)
    follow: dict[tuple[int, int], int] = {}
    for middle_one, place in np.argwhere(fits):
        follow[int(nearest[middle_one, place]), int(middle_one)] = int(nearest[middle_one, best[middle_one, place]])
    for start in follow:
        chain, step = [start[0], start[1]], start
        while step in follow and len(chain) < 200:
            step = (step[1], follow[step])
            chain.append(step[1])
        if len(chain) >= 5:
            kept[ids[chain]] = True
    return kept


def _arms() -> tuple[F32, ...]:
    """Where the arms of a cross may lie in a square of 15 pixels: upright, oblique, both."""
    axis = np.abs(np.arange(15) - 7)
    upright = (axis[:, None] <= 2) | (axis[None] <= 2)
    steps = np.arange(15)
    oblique = (np.abs(steps[:, None] - steps[None]) <= 3) | (np.abs(steps[:, None] + steps[None] - 14) <= 3)
    return upright.astype(np.float32), oblique.astype(np.float32)


_ARMS = _arms()
