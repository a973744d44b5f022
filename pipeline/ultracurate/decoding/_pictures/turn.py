"""Turns pixels as EXIF or the display matrix of a video says, in steps of a right angle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ultracurate.decoding.levels import U8

Turn = tuple[bool, bool, bool]
"""Rows and columns swapped; then mirrored left to right; then turned upside down."""

UPRIGHT: Turn = (False, False, False)

_ORIENTATION: dict[int, Turn] = {
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def by_orientation(value: object) -> Turn:
    """The turn of an EXIF orientation (CIPA DC-008, tag 0x0112); anything but 2 to 8 is upright."""
    return _ORIENTATION.get(value, UPRIGHT) if isinstance(value, int) else UPRIGHT


def by_matrix(matrix: Sequence[int]) -> Turn:
    """The turn of a display matrix (ISO/IEC 14496-12, 6.2.2): nine numbers, of which a, b, c, d are 0, 1, 3 and 4.

    A point (x, y) is shown at (ax + cy, bx + dy). Oblique angles are left as decoded: there is no lossless way.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if not b and not c:
        return False, a < 0, d < 0
    return (True, c < 0, b < 0) if not a and not d else UPRIGHT


def turned_size(width: int, height: int, turn: Turn) -> tuple[int, int]:
    """Width and height after the turn."""
    return (height, width) if turn[0] else (width, height)


def turned(image: U8, turn: Turn) -> U8:
    """The picture after the turn: (H, W) or (H, W, 3) uint8, C-contiguous."""
    swap, mirror, upside_down = turn
    if swap:
        image = image.swapaxes(0, 1)
    if mirror:
        image = image[:, ::-1]
    if upside_down:
        image = image[::-1]
    return np.ascontiguousarray(image)
