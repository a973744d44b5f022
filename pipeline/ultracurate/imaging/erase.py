"""Fills masked pixels from their surroundings and leaves every other pixel as it was."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WIDEST = 12
"""Pixels: a part of a mask this wide or wider is a hole that nothing around it can fill; it becomes black."""


@dataclass(frozen=True, slots=True, eq=False)
class Erased:
    """A picture without what the mask covered: `invented` was painted from around, `zeroed` set to 0, (H, W) bool."""

    image: U8
    invented: Mask
    zeroed: Mask


def erase(
    image: U8,
    mask: Mask,
    outside: Mask | None = None,
    *,
    spare: Mask | None = None,
    radius: float = 3,
    widest: int | None = WIDEST,
    grow: int = 0,
) -> Erased:
    """Inpaint the thin parts of a mask, set its wide parts and everything outside to 0.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        mask: (H, W) bool, pixels to be replaced.
        outside: (H, W) bool, pixels to be blanked; no colour is drawn from there.
        spare: (H, W) bool, pixels into which the mask does not grow.
        radius: pixels around a masked pixel that are looked at.
        widest: parts of the mask that hold a square of this side are wide; None: none is.
        grow: pixels by which the mask is made wider after that, for the soft rim of marks.

    Returns:
        Bit-identical to `image` outside its masks and `outside`; both of its masks lie inside the field.
    """
    beyond = np.zeros(mask.shape, np.bool_) if outside is None else outside
    zeroed = np.zeros(mask.shape, np.bool_) if widest is None else wide(mask & ~beyond, widest)
    # The gaps between dense letters close only when they grow: a word is no hole.
    free = ~beyond if spare is None else ~beyond & (mask | ~spare)
    zeroed = grown(zeroed, grow) & free
    invented = grown(mask & ~beyond, grow) & free & ~zeroed
    # What will be black must not bleed into what is painted: its rim counts as unknown while painting.
    unknown = invented
    if invented.any() and (zeroed.any() or beyond.any()):
        rim = 2 * round(radius) + 2
        square = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
        unknown = invented | ((zeroed | beyond) & (cv2.dilate(invented.astype(np.uint8), square) > 0))
    cleaned = inpaint(image, unknown, radius)
    cleaned[zeroed | beyond] = 0
    return Erased(cleaned, invented, zeroed)


def grown(mask: Mask, pixels: int) -> Mask:
    """A mask (H, W) wider by some pixels on all sides."""
    return mask if pixels == 0 else cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def wide(mask: Mask, widest: int = WIDEST) -> Mask:
    """The parts of a mask (H, W) that hold a square of side `widest`, with their rim."""
    solid = mask.astype(np.uint8)
    core = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((widest, widest), np.uint8))
    if not core.any():
        return np.zeros(mask.shape, np.bool_)
    return (cv2.dilate(core, np.ones((5, 5), np.uint8)) > 0) & mask


def inpaint(image: U8, mask: Mask, radius: float = 3) -> U8:
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
