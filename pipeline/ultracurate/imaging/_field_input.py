"""What the field net sees of a picture: three small maps of brightness, colour and fine texture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

GRID = 128
"""Rows and columns of the net's input and output; pictures of any shape are squeezed into it."""


def brightest(image: U8) -> U8:
    """The largest channel (H, W): a saturated blue is as lit as a grey."""
    if image.ndim == 2:
        return image
    return np.asarray(cv2.max(cv2.max(image[..., 0], image[..., 1]), image[..., 2]), np.uint8)


def field_maps(image: U8) -> U8:
    """(3, GRID, GRID) uint8: brightness with dark levels spread, saturation, and the share of pixels unlike the next.

    Receiver noise of a few grey levels marks the field where tissue is dark, so brightness is a square root, and
    texture is counted at full size, before the picture is made small.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
    """
    grey = brightest(image)
    maps = np.zeros((3, GRID, GRID), np.uint8)
    size = (GRID, GRID)
    maps[0] = _ROOT[cv2.resize(grey, size, interpolation=cv2.INTER_AREA)]
    if image.ndim == 3:
        least = cv2.min(cv2.min(image[..., 0], image[..., 1]), image[..., 2])
        maps[1] = cv2.resize(cv2.subtract(grey, least), size, interpolation=cv2.INTER_AREA)
    unlike = cv2.absdiff(grey[1:, 1:], grey[1:, :-1]) if min(grey.shape) > 1 else grey
    cv2.threshold(unlike, 1, 255, cv2.THRESH_BINARY, dst=unlike)
    maps[2] = cv2.resize(unlike, size, interpolation=cv2.INTER_AREA)
    return maps


_ROOT = np.round(255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)
