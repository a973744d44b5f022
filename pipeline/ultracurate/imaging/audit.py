"""Reads a cleaned frame as an adversary would and says where something is left; what it says never leaves this file.

A line counts only if two recognisers read it alike: each alone also reads speckle.
"""

from __future__ import annotations

from difflib import SequenceMatcher

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging import _recognisers
from ultracurate.imaging._field_input import brightest

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]

LEAST_CHARACTERS = 2
"""Letters and digits of a string; one alone is a caliper's number at most."""

MOST_LINES = 6
"""The strongest candidates of a frame are read: after cleaning, what is left of text is among them."""

_CONTRAST = 26  # levels above or below the ground
_ABOVE_TEXTURE = 1.7  # times the mean contrast of the surroundings
_INK = 0.4  # share of a line's strongest contrast that its strokes have
_SURE = 0.6  # confidence of the first recogniser below which the second is not asked
_ALONE = 0.97  # confidence from which a reading of four characters needs no second


def readable(image: U8, inside: Mask) -> list[Box]:
    """Boxes (x0, y0, x1, y1) of lines that can be read in the field.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, where to look.

    Raises:
        MissingExtraError: tesserocr or rapidocr-onnxruntime is not installed.
        ConfigError: Tesseract's English model is not installed.
    """
    _recognisers.tesseract()
    grey = brightest(image)
    crops = [(box, _crop(grey, box)) for box in lines(grey, inside)]
    found = []
    for (box, crop), (text, sure) in zip(crops, _recognisers.by_paddle([crop for _, crop in crops]), strict=True):
        one = _plain(text)
        if len(one) < LEAST_CHARACTERS or sure < _SURE:
            continue
        if (sure >= _ALONE and len(one) >= 4) or _alike(one, _plain(_recognisers.by_tesseract(crop)[0])):
            found.append(box)
    return found


def lines(grey: U8, inside: Mask, most: int = MOST_LINES) -> list[Box]:
    """Where lines of text may stand, strongest first: rows of strokes of one height, bright or dark."""
    unit = float(np.clip(grey.shape[0] / 600, 0.6, 2.0))
    side = 2 * round(6 * unit) + 1
    square = np.ones((side, side), np.uint8)
    ranked = []
    for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        contrast = cv2.morphologyEx(grey, how, square)
        texture = cv2.blur(np.minimum(contrast, 40), (2 * round(30 * unit) + 1,) * 2)
        strong = (contrast > _CONTRAST) & (contrast > _ABOVE_TEXTURE * texture) & inside
        reach = 2 * round(7 * unit) + 1
        joined = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
        # What hangs on a line above or below it is narrower than a word.
        joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((2, round(10 * unit)), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        sums = np.bincount(labels.ravel(), (contrast * strong).ravel(), len(stats))
        for (x, y, wide, tall, area), total in zip(stats[1:].tolist(), sums[1:].tolist(), strict=True):
            fits = 5 * unit <= tall <= 44 * unit and wide >= 1.1 * tall and area > 0.35 * wide * tall
            if fits:
                ranked.append((total / np.sqrt(area), (x, y, x + wide, y + tall)))
    ranked.sort(key=lambda item: (-item[0], item[1]))
    found: list[Box] = []
    for _, box in ranked:
        if len(found) < most and not any(_same(box, other) for other in found):
            found.append(box)
    return found


def strokes_in(image: U8, boxes: list[Box]) -> Mask:
    """Strokes that stand out inside the boxes, (H, W) bool: what to erase where a line was read."""
    grey = brightest(image)
    mask = np.zeros(grey.shape, np.uint8)
    for x0, y0, x1, y1 in boxes:
        pad = max(2, (y1 - y0) // 5)
        window = np.s_[max(0, y0 - pad) : y1 + pad, max(0, x0 - 2 * pad) : x1 + 2 * pad]
        part = grey[window]
        square = np.ones((max(5, (y1 - y0) // 2) | 1,) * 2, np.uint8)
        bright = 2 * float(np.median(part)) < float(part.min()) + float(part.max())  # there is more ground than ink
        contrast = cv2.morphologyEx(part, cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT, square)
        ink = max(_CONTRAST // 2, _INK * float(np.percentile(contrast, 98)))
        mask[window] |= (contrast > ink).astype(np.uint8)
    return mask > 0


def version() -> str:
    """The recognisers with their versions."""
    return _recognisers.versions()


def _same(one: Box, other: Box) -> bool:
    """Whether the smaller of two boxes lies mostly in the other: the gaps of bright letters are dark letters."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide > 0 and tall > 0 and wide * tall > 0.6 * least


def _crop(grey: U8, box: Box) -> U8:
    """The line with some ground around it, at full contrast."""
    x0, y0, x1, y1 = box
    pad = max(2, (y1 - y0) // 5)
    part = grey[max(0, y0 - pad) : y1 + pad, max(0, x0 - 2 * pad) : x1 + 2 * pad]
    low, high = int(part.min()), int(part.max())
    return np.asarray((part.astype(np.float32) - low) * (255 / max(1, high - low)), np.uint8)


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _alike(one: str, other: str) -> bool:
    """Whether two readings share most of their characters, in runs of two or more."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    shared = sum(block.size for block in blocks if block.size >= LEAST_CHARACTERS)
    return shared >= 0.6 * max(len(one), LEAST_CHARACTERS)
