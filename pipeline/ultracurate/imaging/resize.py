"""Resize without distortion, with the transform that masks, boxes and millimetres need to follow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def letterbox(image: Image, size: int, *, smooth: bool) -> tuple[Image, dict[str, float]]:
    """Fit an image into a black square of `size` pixels, keeping its aspect ratio.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        size: Side of the square, pixels.
        smooth: Area averaging when shrinking, cubic when enlarging; False takes nearest pixels, for masks.

    Returns:
        (size, size[, 3]) uint8, and {"scale_x", "scale_y", "dx", "dy"}: x' = x * scale_x + dx for pixel edges.
    """
    height, width = image.shape[:2]
    scale = size / max(height, width)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_NEAREST if not smooth else cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (inner_w, inner_h), interpolation=how)
    square = np.zeros((size, size, *image.shape[2:]), np.uint8)
    dx, dy = (size - inner_w) // 2, (size - inner_h) // 2
    square[dy : dy + inner_h, dx : dx + inner_w] = resized
    return square, {"scale_x": inner_w / width, "scale_y": inner_h / height, "dx": float(dx), "dy": float(dy)}
