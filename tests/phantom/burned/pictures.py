from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.fonts import DRAWN
from ultracurate.phantom.fields import draw_field
from ultracurate.phantom.textures import Grey, Mask

FONTS = DRAWN
"""Fonts that every machine has."""


def picture(kind: str = "convex", seed: int = 0, size: tuple[int, int] = (240, 320)) -> tuple[Grey, list[Mask]]:
    """Rough tissue in one field on black, made of whole numbers only: the same on every machine."""
    height, width = size
    rng = np.random.default_rng(seed)
    box, pixels, inside = draw_field(
        kind, (width // 10, height // 10, width - width // 8, height - height // 12), rng, 0.0
    ).place(rng.integers(20, 150, (160, 120), dtype=np.uint8))
    image, mask = np.zeros(size, np.uint8), np.zeros(size, np.bool_)
    window = np.s_[box[1] : box[3], box[0] : box[2]]
    image[window], mask[window] = pixels, inside
    return image, [mask]
