"""Other copies of a labelled picture, and real B-mode frames made into other kinds, for the triage model."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.decoding.levels import U8
from ultracurate.phantom.flows import AGENTS, ELASTICITIES, FLOWS, paint_agent, paint_flow, paint_stiffness, tint
from ultracurate.phantom.strips import SWEEPS, WAVES, m_mode, spectrum
from ultracurate.phantom.textures import Mask


def vary(image: U8, rng: np.random.Generator, shown: Mask | None, *, crop: bool = True) -> U8:
    """Another copy of the same picture: cut (never losing half of `shown`), scaled, brighter or darker, compressed."""
    if crop and rng.random() < 0.35:
        height, width = image.shape[:2]
        tall, wide = round(height * rng.uniform(0.5, 1)), round(width * rng.uniform(0.5, 1))
        y, x = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
        box = (slice(y, y + tall), slice(x, x + wide))
        if shown is None or shown[box].sum() > 0.6 * shown.sum():
            image = image[box]
    if rng.random() < 0.5:
        scale = float(rng.uniform(0.4, 1.6))
        size = (max(32, round(image.shape[1] * scale)), max(32, round(image.shape[0] * scale)))
        how = cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=how), np.uint8)
    if rng.random() < 0.4:
        curve = np.round((np.arange(256) / 255) ** rng.uniform(0.65, 1.5) * 255).astype(np.uint8)
        image = curve[image]
    if rng.random() < 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.2))), np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 97))]
        _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(image), quality)
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), np.uint8)
    return np.ascontiguousarray(image)


def disguise(image: U8, rng: np.random.Generator) -> U8:
    """The same picture turned, mirrored, inverted or with its colours exchanged: it still is no ultrasound."""
    draw = rng.random()
    if draw < 0.2:
        image = np.rot90(image, int(rng.integers(1, 4)))
    elif draw < 0.35:
        height, width = image.shape[:2]
        turn = cv2.getRotationMatrix2D(
            (width / 2, height / 2), float(rng.uniform(-40, 40)), float(rng.uniform(0.7, 1.3))
        )
        image = np.asarray(cv2.warpAffine(np.ascontiguousarray(image), turn, (width, height)), np.uint8)
    if rng.random() < 0.12:
        image = 255 - image
    if image.ndim == 3 and rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    return np.ascontiguousarray(image)


def thumbnail(image: U8, rng: np.random.Generator) -> U8:
    """A part of the picture at 48 to 110 pixels a side, as data sets for classification hold them."""
    height, width = image.shape[:2]
    side = max(16, round(min(height, width) * rng.uniform(0.35, 0.9)))
    y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    target = int(rng.integers(48, 111))
    part = np.ascontiguousarray(image[y : y + side, x : x + side])
    return np.asarray(cv2.resize(part, (target, target), interpolation=cv2.INTER_AREA), np.uint8)


def painted(frame: U8, other: U8, rng: np.random.Generator) -> tuple[U8, str, bool]:
    """A real B-mode frame as it is, or as the ground of another kind; `other` is a frame of the same data set."""
    draw = rng.random()
    if draw < 0.42:
        return frame, "b_mode", False
    rgb = _rgb(frame)
    if draw < 0.52:
        return _pair(_cut(rgb, rng), _cut(_rgb(other), rng), rng), "b_mode", True
    area = _box(rgb, rng)
    if draw < 0.68:
        kind = FLOWS[int(rng.integers(len(FLOWS)))]
        rgb, flow = paint_flow(rgb, area, kind, rng, float(rng.uniform(0, 1)))
        if flow.mean() < 0.003:
            return frame, "b_mode", False
        return _boxed(rgb, area, rng), "colour_doppler", False
    if draw < 0.78:
        plain = rgb.copy()
        rgb, _ = paint_stiffness(rgb, area, ELASTICITIES[int(rng.integers(2))], rng)
        rgb = _boxed(rgb, area, rng)
        if rng.random() < 0.4:
            return _pair(plain, rgb, rng), "elastography", True
        return rgb, "elastography", False
    if draw < 0.88:
        if rng.random() < 0.5:
            hue = ("sepia", "gold", "copper", "blue", "violet")[int(rng.integers(5))]
            return tint(frame, hue, float(rng.uniform(0.6, 1))), "contrast", False
        grey = rgb.mean(axis=2).astype(np.uint8)
        agent = paint_agent(grey, grey > 6, AGENTS[int(rng.integers(len(AGENTS)))], rng)
        return _pair(rgb, agent, rng), "contrast", True
    height, width = rgb.shape[:2]
    shape = (max(60, height // 2), width)
    if draw < 0.94:
        strip, kind = m_mode(shape, SWEEPS[int(rng.integers(len(SWEEPS)))], rng), "m_mode"
    else:
        strip, kind = spectrum(shape, WAVES[int(rng.integers(len(WAVES)))], rng)[0], "spectral_doppler"
    top = cv2.resize(rgb, (max(32, width // 2), shape[0]), interpolation=cv2.INTER_AREA)
    screen = np.zeros((2 * shape[0], width, 3), np.uint8)
    x = (width - top.shape[1]) // 2
    screen[: shape[0], x : x + top.shape[1]] = top
    screen[shape[0] :] = strip[..., None]
    return screen, kind, False


def _rgb(image: U8) -> U8:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def _cut(image: U8, rng: np.random.Generator) -> U8:
    """The middle of a frame, without most of its screen."""
    height, width = image.shape[:2]
    keep = float(rng.uniform(0.6, 1.0))
    y, x = round(height * (1 - keep) / 2), round(width * (1 - keep) / 2)
    return image[y : height - y, x : width - x]


def _pair(left: U8, right: U8, rng: np.random.Generator) -> U8:
    """Two views side by side with a black gap of 0 to 10 pixels."""
    height = min(left.shape[0], right.shape[0])
    gap = np.zeros((height, int(rng.integers(0, 11)), 3), np.uint8)
    sides = [
        np.asarray(cv2.resize(view, (max(16, round(view.shape[1] * height / view.shape[0])), height)), np.uint8)
        for view in (left, right)
    ]
    if rng.random() < 0.5:
        sides.reverse()
    return np.concatenate([sides[0], gap, sides[1]], axis=1)


def _box(image: U8, rng: np.random.Generator) -> Mask:
    """A rectangle over the lit middle of a frame, (H, W) bool."""
    height, width = image.shape[:2]
    y0, x0 = round(height * rng.uniform(0.1, 0.4)), round(width * rng.uniform(0.2, 0.45))
    y1, x1 = y0 + round(height * rng.uniform(0.25, 0.5)), x0 + round(width * rng.uniform(0.2, 0.4))
    area = np.zeros((height, width), np.bool_)
    area[y0:y1, x0:x1] = True
    return area


def _boxed(image: U8, area: Mask, rng: np.random.Generator) -> U8:
    """The rectangle's outline drawn, as most devices do."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    if rng.random() < 0.2 or not len(rows):
        return image
    ink = [(235, 235, 235), (255, 235, 60), (90, 255, 120), (80, 220, 255)][int(rng.integers(4))]
    drawn = image.copy()
    corners = (int(columns[0]), int(rows[0])), (int(columns[-1]), int(rows[-1]))
    cv2.rectangle(drawn, *corners, ink, int(rng.integers(1, 3)))
    return drawn
