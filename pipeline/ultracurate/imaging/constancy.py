"""Votes from several frames of one screen: what stays the same and stands out while its surroundings change."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

Mask = npt.NDArray[np.bool_]

LEAST_FRAMES = 6
"""Fewer frames say nothing: two frames of one patient are alike by themselves."""

MOST_FRAMES = 12
"""More frames would change no vote, only cost memory."""

_SAME = 4  # levels around the median
_SHARE = 0.6  # of the frames must agree there
_CHANGE = 6.0  # levels, standard deviation over the frames that the surroundings must have
_AROUND = 31  # pixels, side of the surroundings
_STANDS_OUT = 24  # levels above the darkest of its neighbours, so that black ground is no mark


def constant(frames: Sequence[U8]) -> Mask | None:
    """Pixels that look drawn because they are the same in most frames, (H, W) bool; None where that cannot be said.

    Near fields and frozen clips are constant too, so this is a vote and no mask of its own.

    Args:
        frames: (H, W) uint8 grey levels each, of one size: frames of a clip, or stills of one screen.
    """
    if len(frames) < LEAST_FRAMES:
        return None
    stack = np.stack(list(frames)[:MOST_FRAMES])
    count = len(stack)
    middle = np.sort(stack, axis=0)[count // 2]
    agreeing = np.zeros(middle.shape, np.uint8)
    total, square = np.zeros(middle.shape, np.int32), np.zeros(middle.shape, np.int32)  # exact on any machine
    for frame in stack:
        agreeing += cv2.absdiff(frame, middle) <= _SAME
        total += frame
        square += frame.astype(np.int32) ** 2
    variance = (square * count - total**2) / np.float32(count**2)
    change = cv2.blur(np.sqrt(variance).astype(np.float32), (_AROUND, _AROUND))
    ground = cv2.erode(middle, np.ones((9, 9), np.uint8))
    return np.asarray(
        (agreeing > _SHARE * count) & (change > _CHANGE) & (middle.astype(np.int16) - ground > _STANDS_OUT)
    )


def spaced(count: int, most: int = MOST_FRAMES) -> list[int]:
    """Numbers of at most `most` of `count` frames, evenly spaced, first and last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(number * (count - 1) / (most - 1)) for number in range(most)})


def grey_levels(image: U8) -> U8:
    """(H, W) uint8 of a picture (H, W) or (H, W, 3) RGB."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY))
