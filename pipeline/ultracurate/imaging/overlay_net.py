"""Says how likely each pixel of a field shows something that was burned in: text, calipers, lines, boxes, rulers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.levels import U8
from ultracurate.imaging import nets

Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

NET = "overlay-v1"

STEP = 16
"""The net halves its input so often that sides must be multiples of this; the rest is filled with the edge's pixels."""
MARGIN = 16
"""Pixels around the box that the net sees too, where the picture has them: a mark on the border is seen whole."""
TILE = 1024
"""Largest side that the net sees at once, its margins aside; what is larger is cut, so that memory stays bounded."""


def probability(image: U8, box: Box | None = None) -> Floats:
    """Probability 0..1 of a burned-in mark for each pixel of `box`, (h, w) float32 at full resolution.

    A U-Net trained on marks drawn onto invented and openly licensed tissue (docs/models/overlay-v1.md), one thread.
    Colour Doppler, tints, needles and calcifications are tissue to it.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        box: (x0, y0, x1, y1) in pixels, the first corner inside, the second outside; None is the whole picture.

    Raises:
        ConfigError: the box is empty or leaves the picture, or no weights are installed.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (0, 0, width, height) if box is None else box
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ConfigError(f"Expected a box within {width} x {height} pixels, found {box}. Cut it to the picture first.")
    found = np.empty((y1 - y0, x1 - x0), np.float32)
    for top, bottom in _cuts(y0, y1):
        for left, right in _cuts(x0, x1):
            found[top - y0 : bottom - y0, left - x0 : right - x0] = _tile(image, (left, top, right, bottom))
    return found


def _cuts(first: int, last: int) -> list[tuple[int, int]]:
    """[first, last) in equal pieces of at most `TILE`."""
    count = -(-(last - first) // TILE)
    at = [first + (last - first) * k // count for k in range(count + 1)]
    return list(pairwise(at))


def _tile(image: U8, box: Box) -> Floats:
    x0, y0, x1, y1 = box
    left, top = max(0, x0 - MARGIN), max(0, y0 - MARGIN)
    part = image[top : y1 + MARGIN, left : x1 + MARGIN]
    high, wide = part.shape[:2]
    colours = part.transpose(2, 0, 1) if part.ndim == 3 else np.broadcast_to(part, (3, high, wide))
    maps = np.pad(colours, ((0, 0), (0, -high % STEP), (0, -wide % STEP)), mode="edge").astype(np.float32)
    logits = nets.run(NET, maps[None])[0, 0, y0 - top : y1 - top, x0 - left : x1 - left]
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
