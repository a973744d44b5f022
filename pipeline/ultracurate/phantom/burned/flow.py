"""Colour that is signal: Doppler flow with the ragged, blocky look of real maps, and tinted grey maps.

Studied on real colour and power Doppler frames: flow is drawn in blocks of a few pixels, its border is ragged, it stops
sharply at the region box, weak parts are nearly black, single specks lie around it, and fast flow wraps to the other
colour (aliasing; Evans and McDicken, Doppler Ultrasound, Wiley 2000, ISBN 978-0471970019).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ultracurate.phantom.burned.site import Site
from ultracurate.phantom.canvas import Point
from ultracurate.phantom.textures import Grey, Mask

Rng = np.random.Generator
Float = NDArray[np.float32]
TINTS = ("sepia", "amber", "gold", "blue", "green", "rose")
_TINTS = {  # exponent of red, green, blue over the grey level; larger is darker
    "sepia": (0.80, 1.05, 1.50),
    "amber": (0.60, 1.25, 3.20),
    "gold": (0.70, 0.95, 2.40),
    "blue": (1.50, 1.10, 0.75),
    "green": (1.40, 0.80, 1.30),
    "rose": (0.75, 1.30, 1.10),
}


def ramp(name: str, rng: Rng) -> Grey:
    """Colours of the 256 grey levels in a tint, (256, 3) uint8 RGB, a little different every time."""
    level = np.linspace(0, 1, 256)
    curves = [level ** (bend * rng.uniform(0.9, 1.1)) for bend in _TINTS[name]]
    return np.round(255 * np.clip(np.stack(curves, axis=1) * rng.uniform(0.9, 1.0, 3), 0, 1)).astype(np.uint8)


def velocity_map(rng: Rng) -> Grey:
    """Colours of velocities -1..1, (256, 3) uint8: away, none, towards."""
    speed = np.linspace(-1, 1, 256)[:, None]
    fast = np.abs(speed)
    draw = rng.random()
    dark = rng.uniform(0.1, 0.5)
    if draw < 0.6:  # red to yellow, blue to cyan
        bend, end = rng.uniform(1.2, 2.6), rng.uniform(0.4, 1.0)
        away = np.concatenate([0.25 * fast**3, end * fast**bend, dark + (1 - dark) * fast**0.7], axis=1)
        near = np.concatenate([dark + (1 - dark) * fast**0.7, end * fast**bend, 0.35 * fast**3], axis=1)
    elif draw < 0.8:  # plain red and blue
        away = np.concatenate([0.05 * fast, 0.25 * fast**2, 0.55 + 0.4 * fast], axis=1)
        near = np.concatenate([0.6 + 0.3 * fast, 0.1 * fast, 0.1 * fast], axis=1)
    else:  # pale
        away = np.concatenate([0.8 * fast**2, 0.25 + 0.7 * fast, 0.5 + 0.5 * fast], axis=1)
        near = np.concatenate([0.5 + 0.5 * fast, 0.2 + 0.7 * fast**1.5, 0.75 * fast**2], axis=1)
    if rng.random() < 0.2:
        away, near = near, away
    return np.round(255 * np.clip(np.where(speed < 0, away, near), 0, 1)).astype(np.uint8)


def power_map(rng: Rng) -> Grey:
    """Colours of power 0..1, (256, 3) uint8: black, red, orange to yellow, or another hue."""
    power = np.linspace(0, 1, 256)[:, None]
    hot = np.concatenate([power**0.55, power ** rng.uniform(1.2, 2.2), power ** rng.uniform(3, 7)], axis=1)
    if rng.random() < 0.2:
        hot = hot[:, rng.permutation(3)]
    return np.round(255 * np.clip(hot * rng.uniform(0.85, 1.0), 0, 1)).astype(np.uint8)


@dataclass(frozen=True)
class Flow:
    """Flow on a picture: the `image` with it, its pixels `mask` (H, W), the region's `border`, the bar's `colours`."""

    image: Grey
    mask: Mask
    border: list[Point]
    colours: Grey


def paint_flow(image: Grey, site: Site, border: list[Point], rng: Rng) -> Flow:
    """Colour flow on an RGB picture (H, W, 3) inside the region `border` of the field."""
    height, width = image.shape[:2]
    region = np.zeros((height, width), np.uint8)
    cv2.fillPoly(region, [np.round(np.asarray(border)).astype(np.int32).reshape(-1, 1, 2)], 1)
    inside = (region > 0) & site.mask
    none = Flow(image, np.zeros((height, width), np.bool_), border, velocity_map(rng))
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    if wide < 24 or tall < 24:
        return none
    unit = max(1.0, height / 500)
    block = (max(1, round(rng.uniform(1.5, 4) * unit)), max(1, round(rng.uniform(1, 3) * unit)))
    shape = max(4, tall // block[1]), max(4, wide // block[0])
    is_power = rng.random() < 0.35
    strength, sign = _vessels(shape, rng)
    grain = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 0.9) * np.float32(1.8)
    coarse = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 2.5) * np.float32(5)
    rough = rng.uniform(0.06, 0.2) * grain + rng.uniform(0.0, 0.25) * coarse
    near = cv2.blur((strength > 0.1).astype(np.float32), (3, 3)) > 0.2
    strength = np.asarray(strength + rough * near, np.float32)
    if rng.random() < 0.8:  # specks: clutter and noise that passes the wall filter
        seeds = (rng.random(shape) < rng.uniform(0.001, 0.008)).astype(np.uint8)
        specks = cv2.dilate(seeds, np.ones((2, 2), np.uint8)) * rng.uniform(0.3, 0.7, shape)
        strength = np.asarray(np.maximum(strength, specks * (rng.random(shape) < 0.8)), np.float32)
    limit = float(rng.uniform(0.22, 0.36))
    if is_power:
        value = np.clip((strength - 0.6 * limit) * rng.uniform(1.1, 2.0), 0, 1)
        colours = power_map(rng)
        index = value * 255
    else:
        speed = (
            sign * strength * (rng.uniform(0.6, 1.1) if rng.random() < 0.65 else rng.uniform(1.1, 2.2)) + 0.06 * grain
        )
        speed = (speed + 1) % 2 - 1  # faster than half the pulse rate: the other direction
        colours = velocity_map(rng)
        index = (speed + 1) * 127.5
    paint = colours[np.clip(np.round(index), 0, 255).astype(np.intp)]
    soft = rng.random() < 0.4
    how = cv2.INTER_LINEAR if soft else cv2.INTER_NEAREST
    paint = np.asarray(cv2.resize(paint, (wide, tall), interpolation=how), np.uint8)
    shown = cv2.resize((strength > limit).astype(np.float32), (wide, tall), interpolation=how) > 0.5
    window = np.s_[y : y + tall, x : x + wide]
    shown &= inside[window]
    if rng.random() < 0.6:  # bright echoes win over colour
        grey = cv2.GaussianBlur(np.ascontiguousarray(image[window][..., 1]), (0, 0), 1.5 * unit)
        shown &= grey < rng.uniform(110, 215)
    done, alpha = image.copy(), np.float32(1.0 if rng.random() < 0.6 else rng.uniform(0.6, 0.95))
    mixed = done[window] * (1 - alpha) + paint * alpha
    done[window] = np.where(shown[..., None], np.round(mixed), done[window]).astype(np.uint8)
    mask = none.mask
    mask[window] = shown
    return Flow(done, mask, border, colours if not is_power else np.concatenate([colours[::2], colours[::-2]]))


def _vessels(shape: tuple[int, int], rng: Rng) -> tuple[Float, Float]:
    """Strength 0..1 and direction -1..1 of flow on a grid (h, w): tubes, a tree of vessels, or a heart chamber."""
    tall, wide = shape
    strength, sign = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    kind = rng.random()
    if kind < 0.3:  # a tree
        tube = np.zeros(shape, np.uint8)
        start = (float(rng.uniform(0, wide)), float(rng.uniform(0.3, 0.7) * tall))
        _branch(tube, start, float(rng.uniform(-0.6, 0.6)), 0.4 * max(shape), max(2.0, 0.06 * tall), 4, rng)
        return _profile(tube), sign * np.float32(1 if rng.random() < 0.5 else -1)
    for _ in range(int(rng.integers(1, 4))):
        tube = np.zeros(shape, np.uint8)
        if kind < 0.75:
            share = np.linspace(0, 1, 40)
            a, b = rng.uniform(-0.1, 1.1, 2), rng.uniform(-0.1, 1.1, 2)
            xs = wide * (a[0] + share * (a[1] - a[0]))
            ys = tall * (
                b[0] + share * (b[1] - b[0]) + rng.uniform(-0.2, 0.2) * np.sin(np.pi * share * rng.integers(1, 3))
            )
            path = np.round(np.stack([xs, ys], axis=1) * 8).astype(np.int32).reshape(-1, 1, 2)
            thick = max(1, round(min(shape) * rng.uniform(0.05, 0.3)))
            cv2.polylines(tube, [path], False, 255, thick, cv2.LINE_8, 3)
        else:  # a chamber or a jet
            turn = np.linspace(0, 2 * np.pi, 40)
            wave = 1 + 0.25 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.12 * np.sin(5 * turn + rng.uniform(0, 6))
            xs = wide * (rng.uniform(0.15, 0.85) + rng.uniform(0.1, 0.45) * wave * np.cos(turn))
            ys = tall * (rng.uniform(0.15, 0.85) + rng.uniform(0.1, 0.4) * wave * np.sin(turn))
            cv2.fillPoly(tube, [np.round(np.stack([xs, ys], axis=1)).astype(np.int32).reshape(-1, 1, 2)], 255)
        part = _profile(tube)
        way = (1.0 if rng.random() < 0.5 else -1.0) * np.ones(shape, np.float32)
        if kind >= 0.75:  # eddies: the direction turns within a chamber
            eddy = cv2.resize(
                rng.standard_normal((3, 3)).astype(np.float32), (wide, tall), interpolation=cv2.INTER_CUBIC
            )
            way = np.where(eddy > 0.3, -way, way).astype(np.float32)
        sign = np.where(part > strength, way, sign).astype(np.float32)
        strength = np.asarray(np.maximum(strength, part), np.float32)
    return strength, sign


def _profile(tube: Grey) -> Float:
    """Strength 0..1 across a drawn vessel: strong in its middle, weak at the wall."""
    far = cv2.distanceTransform(tube, cv2.DIST_L2, 3)
    most = max(float(far.max()), 1.0)
    return np.asarray(np.where(tube > 0, 0.25 + 0.75 * np.sqrt(far / most), 0), np.float32)


def _branch(tube: Grey, at: Point, turn: float, long: float, thick: float, depth: int, rng: Rng) -> None:
    """Draw a vessel that bends and splits."""
    x, y = at
    for _ in range(6):
        turn += float(rng.normal(0, 0.25))
        nx, ny = x + long / 6 * float(np.cos(turn)), y + long / 6 * float(np.sin(turn))
        cv2.line(tube, (round(x), round(y)), (round(nx), round(ny)), 255, max(1, round(thick)))
        x, y = nx, ny
        if depth and rng.random() < 0.6:
            side = turn + float(rng.choice([-1, 1]) * rng.uniform(0.4, 1.1))
            _branch(tube, (x, y), side, rng.uniform(0.3, 0.65) * long, 0.65 * thick, depth - 1, rng)
