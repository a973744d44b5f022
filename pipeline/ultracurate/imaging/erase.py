"""Fills masked pixels from their surroundings and leaves every other pixel as it was."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def inpaint(image: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_], radius: float = 3) -> npt.NDArray[np.uint8]:
    """Inpaint with the Navier-Stokes method of Bertalmio et al. (CVPR 2001, doi:10.1109/CVPR.2001.990497).

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        mask: (H, W) bool, True where pixels are to be replaced.
        radius: pixels around a masked pixel that are looked at.

    Returns:
        Same shape, uint8; bit-identical to `image` outside the mask. Masked pixels are invented, not restored.
    """
    if mask.shape != image.shape[:2]:
        raise ValueError(f"expected a mask of {image.shape[:2]}, found {mask.shape}")
    if not mask.any():
        return image.copy()
    filled = cv2.inpaint(np.ascontiguousarray(image), mask.astype(np.uint8), radius, cv2.INPAINT_NS)
    return np.where(mask if image.ndim == 2 else mask[..., None], filled, image).astype(np.uint8, copy=False)
