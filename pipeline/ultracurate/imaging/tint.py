"""How far the colour of each pixel is from the picture's own grey map: drawn colours stand out, a tint does not.

Contrast modes, sepia maps and many exports colour the whole picture along one curve from dark to light. The curve is
estimated for levels of lightness by k-means on the chroma (CIELAB), and only where two thirds of the pixels agree:
flow may fill a level, but never two thirds of many.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

COLOURED = 13.0
"""Residual (CIELAB units) from which on a pixel has a colour of its own; compression alone stays below."""

_BANDS = 16  # levels of lightness
_LEAST = 60  # pixels that a level must have to count
_SHARE = 0.3  # of the pixels that are light enough must have colour before it is called a tint
_AGREE = 0.65  # share of a level's pixels that must lie close to its centre
_STEP = 12.0  # CIELAB units between one level and the next
_CLOSE = 9.0  # CIELAB units
_NEUTRAL = 6.0  # CIELAB units: pixels below have no colour
_DARK = 40  # lightness 0..255 below which colours cannot be told apart
_SAMPLE = 40_000  # pixels the curve is fitted to


def is_grey(image: U8) -> bool:
    """Whether a picture has no colour at all."""
    if image.ndim == 2:
        return True
    return bool((image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all())


def residual(image: U8, inside: Mask) -> F32:
    """Distance of each pixel's chroma from the picture's tint, or from grey where that is nearer.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, the field, from whose pixels the tint is learned.

    Returns:
        (H, W) float32, CIELAB units; 0 everywhere in a grey picture.
    """
    if is_grey(image):
        return np.zeros(image.shape[:2], np.float32)
    lab: U8 = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB), np.uint8)
    light, warm, cool = (lab[..., channel] for channel in range(3))
    tint = curve(lab[inside])
    neutral = _length(warm, cool, np.float32(128), np.float32(128))
    if tint is None:
        return neutral
    return np.minimum(neutral, _length(warm, cool, tint[:, 0][light], tint[:, 1][light]))


def curve(pixels: U8) -> F32 | None:
    """The tint of pixels (N, 3) in 8-bit CIELAB: (256, 2) chroma for each lightness, or None for a grey map."""
    pixels = pixels[:: max(1, len(pixels) // _SAMPLE)]
    light, chroma = pixels[:, 0], pixels[:, 1:].astype(np.float32)
    vivid = (light >= _DARK) & (np.abs(chroma - 128).max(axis=1) > _NEUTRAL)
    if np.count_nonzero(vivid) < max(_LEAST, _SHARE * np.count_nonzero(light >= _DARK)):
        return None
    light, chroma = light[vivid], chroma[vivid]  # in a dual view only one half may be tinted
    width = 256 // _BANDS
    counts = np.bincount(light // width, minlength=_BANDS)
    agreed = {}
    for band in np.flatnonzero(counts >= _LEAST).tolist():
        if (centre := _agreed(chroma[light // width == band])) is not None:
            agreed[band] = centre
    if len(agreed) < 2:
        return None
    # From the fullest level up and down: a level that drawn text fills alone is a step away from the next.
    fullest = max(agreed, key=lambda band: (counts[band], -band))
    known = {fullest: agreed[fullest]}
    for bands in (range(fullest + 1, _BANDS), range(fullest - 1, -1, -1)):
        last = fullest
        for band in bands:
            if band in agreed and np.linalg.norm(agreed[band] - known[last]) <= _STEP * abs(band - last):
                known[band], last = agreed[band], band
    levels = [0.0] + [(band + 0.5) * width for band in sorted(known)]
    points = np.stack([np.full(2, 128, np.float32)] + [known[band] for band in sorted(known)])  # black has no colour
    every = np.arange(256)
    return np.stack([np.interp(every, levels, points[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _agreed(members: F32) -> F32 | None:
    """The centre of the largest of three clusters of chroma (N, 2), if most pixels lie close to it."""
    members = np.ascontiguousarray(members[:: max(1, len(members) // 1500)])
    middle = np.median(members, axis=0)
    away = members - middle
    # Started from the median and not at random, so that the same picture gives the same curve everywhere.
    start = np.where(np.abs(away).max(axis=1) <= _CLOSE, 0, np.where(away[:, 0] > away[:, 1], 1, 2)).astype(np.int32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.2)
    _, labels, centres = cv2.kmeans(members, 3, start.reshape(-1, 1), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    centre = np.asarray(centres[int(np.bincount(labels.ravel(), minlength=3).argmax())], np.float32)
    share = float((np.linalg.norm(members - centre, axis=1) <= _CLOSE).mean())
    return centre if share >= _AGREE else None


def _length(warm: U8, cool: U8, of_warm: F32 | np.float32, of_cool: F32 | np.float32) -> F32:
    # OpenCV's magnitude is a last bit off between runs, by how its arrays happen to lie in memory.
    one, other = np.asarray(warm, np.float32) - of_warm, np.asarray(cool, np.float32) - of_cool
    return np.asarray(np.sqrt(one * one + other * other), np.float32)
