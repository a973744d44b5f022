"""Whether a burned-in string can still be read: two recognisers look at the enlarged crop at its known place.

What they read stays inside this module: only yes or no leaves it.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache, lru_cache

import numpy as np

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.decoding.levels import U8
from ultracurate.imaging._recognisers import by_paddle, by_tesseract, paddle, tesseract
from ultracurate.measure._overlay_sets import Box, Case

LEAKS_FROM = 0.6
"""Share of a string's characters that an adversary must recover, in runs of two or more, to have read it."""
SUREST = 0.7
"""Mean confidence from which a reading of an untouched picture stands for a string that nobody wrote down."""

_FLAT = 6  # levels: a crop with less contrast shows nothing


def strings_left(case: Case, cleaned: U8) -> dict[str, tuple[int, int]]:
    """Strings of two or more letters and digits by group: how many are left, of how many that could be read before.

    Args:
        case: a picture, its marks with text.
        cleaned: what a method made of it.

    Returns:
        patient, ui, in_sector -> (left, readable before). A string is left if either recogniser reads it. Without a
        recogniser: nothing.
    """
    if not has_tesseract() and not has_paddle():
        return {}
    left = {"patient": (0, 0), "ui": (0, 0), "in_sector": (0, 0)}
    for mark in case.marks:
        if mark.group is None or mark.text is None or (mark.text and len(_plain(mark.text)) < 2):
            continue
        before, after = _crop(case.image, mark.box), _crop(cleaned, mark.box)
        known = _before(before.tobytes(), before.shape, mark.text)
        if known:
            same = before.shape == after.shape and bool((before == after).all())
            read = same or any(matches(known, text) for text, _ in _readings(after))
            left[mark.group] = left[mark.group][0] + read, left[mark.group][1] + 1
    return left


@lru_cache(maxsize=64)
def _before(data: bytes, shape: tuple[int, ...], text: str) -> str:
    """What stands at an untouched place if it can be read there, else nothing; the same for each method's turn."""
    readings = _readings(np.frombuffer(data, np.uint8).reshape(shape))
    if text:
        return text if any(matches(text, read) for read, _ in readings) else ""
    sure = [(len(_plain(read)), read) for read, confidence in readings if confidence > SUREST]
    longest = max(sure, default=(0, ""))
    return longest[1] if longest[0] >= 2 else ""


def matches(truth: str, read: str) -> bool:
    """Whether `read` recovers enough of `truth`; letters and digits count, their case does not."""
    wanted, found = _plain(truth), _plain(read)
    blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
    return bool(wanted) and sum(b.size for b in blocks if b.size >= 2) >= LEAKS_FROM * len(wanted)


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _crop(image: U8, box: Box) -> U8:
    x0, y0, x1, y1 = box
    pad = max(2, (y1 - y0) // 5)
    rows, columns = slice(max(0, y0 - pad), y1 + pad), slice(max(0, x0 - 2 * pad), x1 + 2 * pad)
    part = image[rows, columns]
    return np.ascontiguousarray(part if part.ndim == 3 else np.repeat(part[..., None], 3, axis=2))


def _readings(crop: U8) -> list[tuple[str, float]]:
    """What the recognisers read, with their confidence 0..1: by brightness, and by colour where there is some."""
    found = []
    for ground in (crop.max(axis=2), np.ptp(crop, axis=2)):
        low, high = int(ground.min()), int(ground.max())
        if high - low <= _FLAT:
            continue
        # An adversary would stretch a faint rest to full contrast, so we do.
        line = np.asarray((ground.astype(np.float32) - low) * (255 / (high - low)), np.uint8)
        if has_tesseract():
            found.append(by_tesseract(line))
        if has_paddle():
            found += by_paddle([line])
    return found


@cache
def has_tesseract() -> bool:
    """Whether Tesseract can be asked in this process."""
    try:
        tesseract()
    except (MissingExtraError, ConfigError):
        return False
    return True


@cache
def has_paddle() -> bool:
    """Whether the recogniser of PP-OCR is installed."""
    try:
        paddle()
    except MissingExtraError:
        return False
    return True


def missing() -> list[str]:
    """Recognisers that are not installed, and what is not measured because of that, one line each."""
    names = {"Tesseract in process": has_tesseract(), "the recogniser of PP-OCR": has_paddle()}
    lacking = [name for name, there in names.items() if not there]
    if len(lacking) == len(names):
        return ["strings left: no recogniser is installed (pip install 'ultracurate[audit]')"]
    return [f"strings left were read without {name} (pip install 'ultracurate[audit]')" for name in lacking]
