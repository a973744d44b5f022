"""Reads a cleaned frame as an adversary would and says where something is left; what it reads never leaves this file.

One recogniser alone must be sure, or two must read alike; how sure depends on how much a line looks like text, since
each alone also reads speckle.
"""

from __future__ import annotations

from difflib import SequenceMatcher

import cv2
import numpy as np

from ultracurate.decoding.levels import U8
from ultracurate.imaging import _recognisers
from ultracurate.imaging._lines import Box, Line, Mask, find_lines, grounds

LEAST_CHARACTERS = 2
"""Letters and digits of a string; one alone is a caliper's number at most."""

MOST_LINES = 24
"""Lines of a frame that are read,"""
PATIENCE = 6
"""as long as one of so many in a row could be read: they come in the order of how much they look like text."""

LIKELY = 10.0
"""Of `Line.score`: speckle hardly ever looks so much like text, and is then never read."""

_STROKE = 13  # levels above or below the ground
_INK = 0.4  # share of a line's strongest contrast that its strokes have
_BROADEST = 63  # pixels: no stroke that is sought, on the largest screen, is half as broad
_SHADOW = 40  # levels below the ground: the dark rim or shadow of bright letters
_SURE, _SURE_OF_TWO, _SURE_IF_LIKELY = 0.85, 0.92, 0.66  # confidence of a recogniser that needs no second
_UNSURE = 0.6  # below which the second is not asked


def readable(image: U8, inside: Mask) -> list[Box]:
    """Boxes (x0, y0, x1, y1) of lines that can be read in the field.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, where to look.

    Raises:
        MissingExtraError: tesserocr or rapidocr is not installed.
        ConfigError: Tesseract's English model is not installed.
    """
    _recognisers.tesseract()
    found, vain = [], 0
    for line in find_lines(image, inside, MOST_LINES):
        if _reads(line):
            found.append(line.box)
            vain = 0
        elif (vain := vain + 1) >= PATIENCE:
            break
    return found


def _reads(line: Line) -> bool:
    """Whether one recogniser is sure of two or more characters, or both read them alike."""
    ((text, sure),) = _recognisers.by_paddle([line.crop])
    one = _plain(text)
    if len(one) < LEAST_CHARACTERS or sure < _UNSURE:
        return False
    enough = _SURE_IF_LIKELY if line.score >= LIKELY else _SURE if len(one) > LEAST_CHARACTERS else _SURE_OF_TWO
    return sure >= enough or _alike(one, _plain(_recognisers.by_tesseract(line.crop)[0]))


def strokes_in(image: U8, boxes: list[Box]) -> Mask:
    """Strokes that stand out inside the boxes, (H, W) bool: what to erase where a line was read."""
    mask = np.zeros(image.shape[:2], np.bool_)
    for x0, y0, x1, y1 in boxes:
        pad = max(2, (y1 - y0) // 3)
        window = np.s_[max(0, y0 - pad) : y1 + pad, max(0, x0 - 2 * pad) : x1 + 2 * pad]
        square = np.ones((min(max(7, (y1 - y0) // 2) | 1, _BROADEST),) * 2, np.uint8)
        for part in grounds(image[window], np.ones(mask[window].shape, np.bool_)):
            middle = float(np.median(part))
            bright = 2 * middle < float(part.min()) + float(part.max())  # there is more ground than ink
            contrast = cv2.morphologyEx(part, cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT, square)
            ink = max(_STROKE, _INK * float(np.percentile(contrast, 98)))
            mask[window] |= contrast > ink
            if bright:
                shadow = cv2.morphologyEx(part, cv2.MORPH_BLACKHAT, square) > max(ink, _SHADOW)
                mask[window] |= shadow & (part < middle - max(ink, _SHADOW) / 2)
    return mask


def version() -> str:
    """The recognisers with their versions."""
    return _recognisers.versions()


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _alike(one: str, other: str) -> bool:
    """Whether two readings share most of their characters, in runs of two or more."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    shared = sum(block.size for block in blocks if block.size >= LEAST_CHARACTERS)
    return shared >= 0.6 * max(len(one), LEAST_CHARACTERS)
