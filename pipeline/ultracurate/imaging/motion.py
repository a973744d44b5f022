"""How much a frame of a clip adds to those already taken, by small normalised thumbnails of what moves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

SIDE = 32
"""Pixels along a thumbnail: speckle averages out, a valve or a probe sweep does not."""

MOVING_LEVELS = 3.0
"""Standard deviation over time, grey levels, from which on a thumbnail's pixel counts as moving."""

F32 = npt.NDArray[np.float32]


def thumbnail(image: U8) -> F32:
    """(SIDE, SIDE) float32 grey levels 0..255 of a frame (H, W) or (H, W, 3), by area."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)


def moving(thumbnails: F32) -> npt.NDArray[np.bool_]:
    """(SIDE, SIDE) bool: what changes over the clip; the device's furniture and the black around the field do not.

    Args:
        thumbnails: (F, SIDE, SIDE) float32, grey levels.
    """
    return np.asarray(thumbnails.std(axis=0) > MOVING_LEVELS)


def describe(thumbnails: F32, area: npt.NDArray[np.bool_]) -> F32:
    """One unit vector a frame, (F, D) float32: the moving pixels without their mean, so that gain does not count.

    A frame that is flat there has the zero vector, as far from everything as half of the range.
    """
    values = thumbnails[:, area]
    values = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(np.divide(values, length, out=np.zeros_like(values), where=length > 1e-3), np.float32)


def spread(vectors: F32, at_most: int, gain: float, always: Collection[int] = (0,)) -> list[int]:
    """Numbers of the frames that add the most: each next one is the farthest from all taken before it.

    The greedy 2-approximation of the k-centre problem (Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5), stopped when
    the best candidate is nearer than `gain` to one already taken.

    Args:
        vectors: (F, D) unit vectors of `describe`.
        at_most: how many frames at the most.
        gain: smallest distance worth a frame, (1 - correlation) / 2: 0 equal, 0.5 unrelated, 1 opposite.
        always: frames taken in any case, in this order, as far as `at_most` allows.

    Returns:
        Increasing numbers, at least one.
    """
    taken = list(dict.fromkeys(always))[:at_most] or [0]
    nearest = np.min([_distance(vectors, number) for number in taken], axis=0)
    while len(taken) < min(at_most, len(vectors)):
        farthest = int(np.argmax(nearest))
        if nearest[farthest] < gain:
            break
        taken.append(farthest)
        nearest = np.minimum(nearest, _distance(vectors, farthest))
    return sorted(taken)


def choose(thumbnails: Sequence[F32], at_most: int, gain: float, always: Iterable[int] = ()) -> list[int]:
    """Numbers of the frames of a clip worth keeping; a frozen clip gives one.

    Args:
        thumbnails: one of `thumbnail` for every frame, in order.
        at_most: how many frames at the most.
        gain: see `spread`.
        always: frames to take in any case, such as first and last of each cardiac cycle.
    """
    stacked = np.stack(list(thumbnails)) if len(thumbnails) else np.zeros((0, SIDE, SIDE), np.float32)
    if not len(stacked):
        return []
    area = moving(stacked)
    if not area.any():
        return [0]
    return spread(describe(stacked, area), at_most, gain, [0, *always])


def _distance(vectors: F32, number: int) -> F32:
    """Half of (1 - correlation) of every frame to one of them, (F,)."""
    return np.asarray((1.0 - vectors @ vectors[number]) / 2.0, np.float32)
