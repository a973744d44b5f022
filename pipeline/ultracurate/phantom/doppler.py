"""Colour that is signal, not overlay: Doppler flow inside a region box, and tinted grey maps."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.textures import Grey, Mask

TINTS = ("sepia", "contrast", "blue")


def tint_ramp(name: str) -> Grey:
    """The colour of each of 256 grey levels, (256, 3) uint8 RGB: sepia, contrast-agent gold or blue."""
    level = np.linspace(0, 1, 256)
    curves = {
        "sepia": (level**0.8, level**1.05, level**1.5),
        "contrast": (np.clip(1.35 * level, 0, 1), level**1.2 * 0.85, np.clip(level - 0.55, 0, 1)),
        "blue": (level**1.5, level**1.15, level**0.75),
    }
    if name not in curves:
        raise ConfigError(f"Expected a tint of {', '.join(TINTS)}, found {name!r}. Choose one of these.")
    return np.stack([np.round(curve * 255) for curve in curves[name]], axis=1).astype(np.uint8)


def tinted(image: Grey, name: str) -> Grey:
    """Grey (H, W) to RGB (H, W, 3) uint8 through the ramp of `name`; black stays black."""
    return tint_ramp(name)[image]


def flow(image: Grey, box: Mask, rng: np.random.Generator, phase: float = 0.0) -> tuple[Grey, Mask]:
    """Add Doppler flow to an RGB picture (H, W, 3) inside `box` (H, W); returns the picture and the flow mask (H, W).

    Flow is a few bent vessels: red towards and blue away from the probe, lighter where faster, broken up by noise and
    with specks at the rim as real maps have.
    """
    height, width = box.shape
    rows, columns = np.nonzero(box)
    if not len(rows):
        return image, np.zeros_like(box)
    y0, y1, x0, x1 = rows.min(), rows.max(), columns.min(), columns.max()
    speed = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        share = np.linspace(0, 1, 60)
        start, stop = rng.uniform(0.0, 1.0, 2), rng.uniform(0.0, 1.0, 2)
        bend = rng.uniform(-0.25, 0.25)
        xs = x0 + (x1 - x0) * (share if rng.random() < 0.5 else start[0] + share * (stop[0] - start[0]))
        ys = y0 + (y1 - y0) * (start[1] + share * (stop[1] - start[1]) + bend * np.sin(np.pi * share))
        tube = np.zeros((height, width), np.uint8)
        path = np.round(np.stack([xs, ys], axis=1)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(tube, [path], False, 255, max(4, round((y1 - y0) * rng.uniform(0.1, 0.2))))
        profile = cv2.distanceTransform(tube, cv2.DIST_L2, 3)
        sign = 1.0 if rng.random() < 0.5 else -1.0
        pulse = 0.65 + 0.35 * np.cos(2 * np.pi * phase)
        speed = np.where(profile > 0, sign * pulse * profile / max(float(profile.max()), 1.0), speed)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.5) * 3.0
    speed = np.asarray(speed + 0.14 * np.where(speed != 0, noise, 0), np.float32)
    mask = box & (np.abs(speed) > 0.12)
    fast = np.clip(np.abs(speed), 0, 1)[..., None]
    red = np.concatenate([0.45 + 0.55 * fast, 0.85 * fast**1.6, 0.1 * fast], axis=2)
    blue = np.concatenate([0.08 * fast, 0.75 * fast**1.5, 0.5 + 0.5 * fast], axis=2)
    colour = np.round(255 * np.where(speed[..., None] > 0, red, blue)).astype(np.uint8)
    return np.where(mask[..., None], colour, image).astype(np.uint8), np.asarray(mask, np.bool_)
