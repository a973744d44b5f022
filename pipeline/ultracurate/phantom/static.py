"""Pictures without a scene: sensor static and patterns."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.textures import Grey


def white_static(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Independent grey pixels, evenly or normally distributed, or single bright ones on black."""
    draw = rng.random()
    if draw < 0.4:
        return np.asarray(rng.integers(0, 256, size, dtype=np.uint8), np.uint8)
    if draw < 0.8:
        return np.asarray(
            np.clip(rng.normal(rng.uniform(40, 180), rng.uniform(10, 70), size), 0, 255).astype(np.uint8), np.uint8
        )
    return np.asarray(np.where(rng.random(size) < rng.uniform(0.02, 0.3), 255, 0).astype(np.uint8), np.uint8)


def grains(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Round blots without any structure above them."""
    noise = cv2.GaussianBlur(rng.standard_normal(size, dtype=np.float32), (0, 0), float(rng.uniform(0.7, 12)))
    return np.asarray(np.clip(128 + 50 * noise / noise.std(), 0, 255).astype(np.uint8), np.uint8)


def stripes(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Waves, gratings and test patterns with a little noise."""
    yy, xx = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    turn, pitch = rng.uniform(0, np.pi), rng.uniform(4, 80)
    wave = np.sin((np.cos(turn) * xx + np.sin(turn) * yy) / pitch * 2 * np.pi)
    if rng.random() < 0.5:
        wave = wave * np.sin((np.cos(turn) * yy - np.sin(turn) * xx) / pitch * 2 * np.pi)
    if rng.random() < 0.5:
        wave = np.sign(wave)
    noise = rng.normal(0, rng.uniform(0, 20), size)
    return np.asarray(np.clip(128 + rng.uniform(30, 127) * wave + noise, 0, 255).astype(np.uint8), np.uint8)


def mosaic(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Squares of independent colours, from a few pixels to a quarter of the picture."""
    pitch = int(rng.integers(3, max(4, min(size) // 4)))
    cells = rng.integers(0, 256, (size[0] // pitch + 1, size[1] // pitch + 1, 3), dtype=np.uint8)
    if rng.random() < 0.3:
        cells[..., 1:] = cells[..., :1]
    how = cv2.INTER_NEAREST if rng.random() < 0.6 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cells, (size[1], size[0]), interpolation=how), np.uint8)


def colour_static(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Independent colours per pixel or per blot, as of a receiver without a signal."""
    noise = rng.standard_normal((*size, 3), dtype=np.float32)
    if rng.random() < 0.6:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.5, 4))), np.float32)
    return np.asarray(np.clip(128 + rng.uniform(25, 80) * noise / noise.std(), 0, 255).astype(np.uint8), np.uint8)
