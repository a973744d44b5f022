"""Photographs: crops of the public pictures that come with scikit-image and scikit-learn, and painted leaves."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ultracurate.core.errors import MissingExtraError
from ultracurate.phantom.textures import Grey

HALVES = (
    ("astronaut.png", "brick.png", "cell.png", "coffee.png", "coins.png", "grass.png", "ihc.png", "motorcycle_left.png",
     "hubble_deep_field.jpg", "china.jpg"),
    ("camera.png", "chelsea.png", "gravel.png", "moon.png", "retina.jpg", "rocket.jpg", "clock_motion.png",
     "flower.jpg"),
)  # fmt: skip
"""Bundled pictures by half; no picture is in both."""


def photograph(size: tuple[int, int], rng: np.random.Generator, half: int) -> Grey:
    """A random crop of a public photograph, (H, W) or (H, W, 3) uint8, sometimes grey, mirrored, darker or framed.

    Args:
        size: (H, W) pixels.
        rng: draws the picture and the crop.
        half: 0 or 1; the two halves share no picture.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    names = HALVES[half]
    picture = _load(names[int(rng.integers(len(names)))])
    height, width = picture.shape[:2]
    part = rng.uniform(0.35, 1.0)
    tall, wide = max(32, round(height * part)), max(32, round(width * part))
    y, x = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    crop = picture[y : y + tall, x : x + wide]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.2:
        crop = crop[::-1]
    how = cv2.INTER_AREA if tall > size[0] else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(np.ascontiguousarray(crop), (size[1], size[0]), interpolation=how), np.uint8)
    if image.ndim == 3 and rng.random() < 0.5:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    bright = (image / 255.0) ** float(rng.uniform(0.6, 2.2)) * 255
    draw, share = rng.random(), float(rng.uniform(0.05, 0.2))
    if draw < 0.2:  # black bars above and below, or at the sides
        bar = round(size[0] * share)
        bright[:bar], bright[-bar:] = 0, 0
    elif draw < 0.3:
        bar = round(size[1] * share)
        bright[:, :bar], bright[:, -bar:] = 0, 0
    return np.asarray(np.clip(np.round(bright), 0, 255).astype(np.uint8), np.uint8)


def leaves(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Overlapping shapes of all sizes, which have the statistics of natural scenes.

    The dead leaves model (Lee, Mumford and Huang 2001, doi:10.1023/A:1011109015675).
    """
    image = np.zeros((*size, 3), np.uint8)
    colourful = rng.random() < 0.6
    for _ in range(int(rng.integers(150, 600))):
        radius = min(size) * 0.5 * float(rng.uniform(0.02, 1)) ** 2 + 2
        centre = (int(rng.integers(size[1])), int(rng.integers(size[0])))
        colour = rng.integers(0, 256, 3) if colourful else np.repeat(rng.integers(0, 256), 3)
        axes = (max(1, round(radius)), max(1, round(radius * float(rng.uniform(0.3, 1)))))
        tone = tuple(int(part) for part in colour)
        cv2.ellipse(image, centre, axes, float(rng.uniform(0, 180)), 0, 360, tone, -1)
    shade = cv2.GaussianBlur(rng.standard_normal((16, 16)).astype(np.float32), (0, 0), 2)
    light = 1 + 0.5 * cv2.resize(shade, (size[1], size[0])) / (np.abs(shade).max() + 1e-6)
    noise = rng.normal(0, rng.uniform(0, 8), size)
    lit = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 2.0))) * light[..., None] + noise[..., None]
    return np.asarray(np.clip(lit, 0, 255).astype(np.uint8), np.uint8)


def clouds(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A field whose power falls with frequency as in natural scenes (Field 1987, doi:10.1364/JOSAA.4.002379)."""
    tall, wide = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    fall = np.maximum(np.hypot(tall, wide), 1 / max(size)) ** -float(rng.uniform(0.8, 1.8))
    layers = []
    for _ in range(3 if rng.random() < 0.6 else 1):
        waves = fall * np.exp(2j * np.pi * rng.random(fall.shape))
        field = np.fft.irfft2(waves, s=size)
        layers.append(128 + rng.uniform(-50, 50) + rng.uniform(25, 60) * field / field.std())
    image = np.stack(layers, axis=-1) if len(layers) > 1 else layers[0]
    return np.asarray(np.clip(image, 0, 255).astype(np.uint8), np.uint8)


@lru_cache(maxsize=32)
def _load(name: str) -> Grey:
    """One bundled picture as (H, W) or (H, W, 3) uint8."""
    if name in ("china.jpg", "flower.jpg"):
        import sklearn.datasets

        folder = Path(sklearn.datasets.__file__).parent / "images"
    else:
        try:
            import skimage.data
        except ImportError:
            raise MissingExtraError("Drawing photographs", "train") from None
        folder = Path(skimage.data.__file__).parent
    raw = np.frombuffer((folder / name).read_bytes(), np.uint8)
    decoded = cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise MissingExtraError("Drawing photographs", "train")
    return np.asarray(decoded[..., 0] if (decoded == decoded[..., :1]).all() else decoded, np.uint8)
