"""Says whether a picture holds enough to be worth keeping."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

MIN_NONZERO = 1_000
"""Fewer non-zero pixels are an empty picture: the rule of EchoCare's EchoAtlas (2025)."""

MIN_SIDE = 32
"""Pixels; below this no structure can be told from speckle."""

_BLOCK = 8  # pixels a side of what JPEG, MPEG-4 and H.264 transform
_STEP = 1.8  # jumps between blocks against jumps inside them; real clips reach 2.5, but with texture left inside
_FLAT = 0.45  # share of lit blocks without any texture
_SMALL = 0.035  # JPEG bytes per lit pixel; real files of ultrasound start at 0.1
_STEP_SMALL, _FLAT_SMALL = 1.6, 0.25  # enough for a JPEG file that is known to be small
_SAMPLED = 1_500  # blocks
_LIT = 8


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a picture is not worth keeping.

    Attributes:
        reason: a word for tables, such as "empty".
        score: 0..1, how sure; 1 where the rule is exact.
        detail: what was measured.
    """

    reason: str
    score: float
    detail: str


def nonzero_pixels(image: npt.NDArray[np.uint8]) -> int:
    """How many pixels are not black; a colour pixel counts once.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    """
    if image.ndim == 2:
        return int(np.count_nonzero(image))
    red, green, blue = cv2.split(image)
    return cv2.countNonZero(cv2.max(cv2.max(red, green), blue))


def check(image: U8, *, encoded_bytes: int | None = None, fmt: str | None = None) -> Problem | None:
    """The reason to drop a picture, or None to keep it.

    "tiny": a side is below `MIN_SIDE`. "empty": fewer than `MIN_NONZERO` non-zero pixels; the published number is
    meant for whole frames, so below 100 x 100 pixels it shrinks to a tenth of the area (a 60 x 60 crop with 400
    bright pixels is a dark picture, not an empty one). "constant": one value everywhere. "over_compressed": the
    8 x 8 blocks of the encoder are what one sees, most of them flat. Encoders that smooth their blocks (WebP at its
    lowest qualities) leave no such trace and pass.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        encoded_bytes: length of the file this came from, if it is a still; it helps with JPEG only.
        fmt: its format, as named by `decode.FORMATS`.
    """
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        return Problem("tiny", 1.0, f"{width} x {height} pixels; the smaller side needs {MIN_SIDE}")
    lit, needed = nonzero_pixels(image), min(MIN_NONZERO, height * width // 10)
    if lit < needed:
        return Problem("empty", 1.0, f"{lit} pixels are not black; {needed} are needed")
    # Nearly every picture is known to vary from a few of its pixels.
    if bool((image[::16, ::16] == image[0, 0]).all()) and bool((image == image[0, 0]).all()):
        return Problem("constant", 1.0, f"every pixel is {image[0, 0].tolist()}")
    return _over_compressed(image, encoded_bytes if fmt == "jpg" else None)


def _over_compressed(image: U8, encoded_bytes: int | None) -> Problem | None:
    """Blocks with steps between them and nothing inside; a file known to be small needs less evidence.

    The step is measured as by Wang, Sheikh and Bovik (ICIP 2002, doi:10.1109/ICIP.2002.1038064), on any of the eight
    offsets of the grid, since pictures are cropped after they were compressed.
    """
    grey = np.ascontiguousarray(image) if image.ndim == 2 else np.asarray(cv2.extractChannel(image, 1), np.uint8)
    lit = int(np.count_nonzero(grey > _LIT))
    share = encoded_bytes / max(lit, 1) if encoded_bytes is not None else None
    small = share is not None and share < _SMALL
    needed = _STEP_SMALL if small else _STEP
    across, x = _steps(grey)
    if across < needed:
        return None
    down, y = _steps(grey.T)
    if down < needed:
        return None
    flat = _flat_blocks(grey[y:, x:])
    if flat < (_FLAT_SMALL if small else _FLAT):
        return None
    detail = f"steps between blocks {min(across, down):.1f} times those inside, {flat:.0%} of the blocks are flat"
    if share is not None:
        detail += f", {share:.3f} bytes for each lit pixel"
    return Problem("over_compressed", round(min(1.0, 0.5 + 0.5 * flat), 3), detail)


def _steps(grey: U8) -> tuple[float, int]:
    """Mean jump between columns at the block borders over that inside blocks, and the first whole block's column.

    Only lit pixels count: black surrounds have no steps at all.
    """
    rows = np.ascontiguousarray(grey[:: max(1, grey.shape[0] // 192)])
    _, counted = cv2.threshold(rows[:, 1:], _LIT, 48, cv2.THRESH_BINARY)
    jumps = cv2.min(cv2.absdiff(rows[:, 1:], rows[:, :-1]), counted)  # at most 48, and 0 where nothing is lit
    number = cv2.reduce(counted, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0] // 48
    mean = cv2.reduce(jumps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0] / np.maximum(number, 1)
    sure = number > max(4, len(rows) // 20)
    means = np.zeros(_BLOCK)
    for place in range(_BLOCK):
        chosen = mean[place::_BLOCK][sure[place::_BLOCK]]
        means[place] = chosen.mean() if len(chosen) else 0.0
    border = int(np.argmax(means))
    inside = (means.sum() - means[border]) / (_BLOCK - 1)
    return float((means[border] + 0.5) / (inside + 0.5)), (border + 1) % _BLOCK


def _flat_blocks(grey: U8) -> float:
    """Share of lit 8 x 8 blocks whose pixels differ by at most 2."""
    tall, wide = (side // _BLOCK for side in grey.shape)
    if not tall or not wide:
        return 0.0
    cut = grey[: tall * _BLOCK, : wide * _BLOCK].reshape(tall, _BLOCK, wide, _BLOCK)
    blocks = cut.transpose(0, 2, 1, 3).reshape(-1, _BLOCK * _BLOCK)
    blocks = blocks[:: max(1, len(blocks) // (2 * _SAMPLED))]
    lit = blocks[blocks.mean(axis=1) > _LIT + 2]
    return float((np.ptp(lit, axis=1) <= 2).mean()) if len(lit) >= 16 else 0.0
