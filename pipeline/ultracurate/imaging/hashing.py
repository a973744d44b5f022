"""Perceptual hashes of 64 bits and their distance; `imagehash` is the definition."""

from __future__ import annotations

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[int, int, int, int]


def phash(image: npt.NDArray[np.uint8], box: Box | None = None) -> str:
    """The DCT hash of a picture as 16 hex digits, equal to `imagehash.phash` of the same pixels.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        box: (x0, y0, x1, y1) half-open pixels to hash instead of the whole picture; it is clipped to the picture.

    Raises:
        ValueError: the box holds no pixel.
    """
    if box is not None:
        height, width = image.shape[:2]
        x0, y0 = max(0, box[0]), max(0, box[1])
        x1, y1 = min(width, box[2]), min(height, box[3])
        if x1 <= x0 or y1 <= y0:
            raise ValueError(f"expected a box inside {width} x {height} pixels, found {box}")
        image = image[y0:y1, x0:x1]
    return str(imagehash.phash(Image.fromarray(np.ascontiguousarray(image))))


def hamming(a: str, b: str) -> int:
    """How many bits differ between two hashes of equal length, written in hex."""
    if len(a) != len(b):
        raise ValueError(f"expected hashes of equal length, found {len(a)} and {len(b)} hex digits")
    return (int(a, 16) ^ int(b, 16)).bit_count()
