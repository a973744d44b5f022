"""Says whether a picture holds enough to be worth keeping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_NONZERO = 1_000
"""Fewer non-zero pixels are an empty picture: the rule of EchoCare's EchoAtlas (2025)."""

MIN_SIDE = 32
"""Pixels; below this no structure can be told from speckle."""


def nonzero_pixels(image: npt.NDArray[np.uint8]) -> int:
    """How many pixels are not black; a colour pixel counts once.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    """
    return int(np.count_nonzero(image if image.ndim == 2 else image.any(axis=2)))


def check(image: npt.NDArray[np.uint8]) -> str | None:
    """The reason to drop a picture, or None to keep it.

    "tiny": a side is below `MIN_SIDE`. "empty": fewer than `MIN_NONZERO` non-zero pixels; the published number is
    meant for whole frames, so below 100 x 100 pixels it shrinks to a tenth of the area (a 60 x 60 crop with 400
    bright pixels is a dark picture, not an empty one). "constant": one value everywhere.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    """
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        return "tiny"
    if nonzero_pixels(image) < min(MIN_NONZERO, height * width // 10):
        return "empty"
    if bool((image == image[0, 0]).all()):
        return "constant"
    return None
