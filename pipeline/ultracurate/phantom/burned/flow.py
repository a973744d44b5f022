"""Colour that is signal: Doppler flow with the ragged, blocky look of real maps, maps of stiffness, and tinted greys.

Studied on real colour and power Doppler frames: flow is drawn in blocks of a few pixels, its border is ragged, it stops
sharply at the region box, weak parts and the specks around it are nearly black, small vessels are short pieces of a few
pixels, and fast flow wraps to the other colour (aliasing; Evans and McDicken, Doppler Ultrasound, Wiley 2000, ISBN
978-0471970019). Tissue Doppler colours the bright muscle instead of the blood; elastograms fill their box with a map
through which the grey picture shines (Bamber et al., Ultraschall in Med 2013, doi:10.1055/s-0033-1335205).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ultracurate.phantom.burned.site import Fan, Site
from ultracurate.phantom.burned.streams import Stream, smooth, stream
from ultracurate.phantom.canvas import Point
from ultracurate.phantom.sectors import Box
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
_JET = ((0, 0, 0.55), (0, 0.35, 1), (0.1, 0.9, 0.75), (0.55, 1, 0.2), (1, 0.75, 0), (0.85, 0.05, 0))
_WAVY = 0.3
"""Share of the boxes where power, without direction, is shown."""


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
    if draw < 0.55:  # red to yellow, blue to cyan
        bend, end = rng.uniform(1.2, 2.6), rng.uniform(0.4, 1.0)
        away = np.concatenate([0.25 * fast**3, end * fast**bend, dark + (1 - dark) * fast**0.7], axis=1)
        near = np.concatenate([dark + (1 - dark) * fast**0.7, end * fast**bend, 0.35 * fast**3], axis=1)
    elif draw < 0.8:  # plain red and blue
        away = np.concatenate([0.05 * fast, 0.25 * fast**2, dark + 0.15 + 0.35 * fast], axis=1)
        near = np.concatenate([dark + 0.2 + 0.3 * fast, 0.1 * fast, 0.1 * fast], axis=1)
    else:  # pale
        away = np.concatenate([0.8 * fast**2, 0.25 + 0.7 * fast, 0.5 + 0.5 * fast], axis=1)
        near = np.concatenate([0.5 + 0.5 * fast, 0.2 + 0.7 * fast**1.5, 0.75 * fast**2], axis=1)
    if rng.random() < 0.2:
        away, near = near, away
    return np.round(255 * np.clip(np.where(speed < 0, away, near), 0, 1)).astype(np.uint8)


def power_map(rng: Rng) -> Grey:
    """Colours of power 0..1, (256, 3) uint8: black, red, orange to yellow, or another hue, dim at times."""
    power = np.linspace(0, 1, 256)[:, None]
    bends = rng.uniform(0.45, 0.9), rng.uniform(1.2, 2.4), rng.uniform(2.5, 7)
    ends = 1.0, rng.uniform(0.6, 1.0), rng.uniform(0.0, 0.5) if rng.random() < 0.8 else 1.0
    hot = np.concatenate([end * power**bend for end, bend in zip(ends, bends, strict=True)], axis=1)
    if rng.random() < 0.25:
        hot = hot[:, rng.permutation(3)]
    return np.round(255 * np.clip(hot * rng.uniform(0.6, 1.0), 0, 1)).astype(np.uint8)


def strain_map(rng: Rng) -> Grey:
    """Colours of stiffness 0..1, (256, 3) uint8: blue over green to red, or from red to blue."""
    at = np.linspace(0, len(_JET) - 1, 256)
    stops = np.asarray(_JET) * rng.uniform(0.8, 1.0)
    columns = [np.interp(at, np.arange(len(_JET)), stops[:, channel]) for channel in range(3)]
    colours = np.round(255 * np.stack(columns, axis=1)).astype(np.uint8)
    return colours[::-1] if rng.random() < 0.5 else colours


@dataclass(frozen=True)
class Flow:
    """Flow on a picture: the `image` with it, its pixels `mask` (H, W), the region's `border`, the bar's `colours`."""

    image: Grey
    mask: Mask
    border: list[Point]
    colours: Grey


def paint_flow(image: Grey, site: Site, border: list[Point], rng: Rng) -> Flow:
    """Colour flow, at times tissue Doppler or an elastogram, on an RGB picture (H, W, 3) inside `border` of the field.

    One number is drawn from `rng`, so what is drawn after it does not depend on how flow is drawn.
    """
    own = np.random.default_rng(int(rng.integers(2**63)))
    height, width = image.shape[:2]
    region = np.zeros((height, width), np.uint8)
    cv2.fillPoly(region, [np.round(np.asarray(border)).astype(np.int32).reshape(-1, 1, 2)], 1)
    inside = (region > 0) & site.mask
    nothing = np.zeros((height, width), np.bool_)
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    if wide < 24 or tall < 24:
        return Flow(image, nothing, border, velocity_map(own))
    window = np.s_[y : y + tall, x : x + wide]
    grey = np.ascontiguousarray(image[window][..., 1])
    draw = own.random()
    if draw < 0.07:
        layer = _stiffness(grey, own)
    else:
        layer = _doppler(grey, site.fan, (x, y, x + wide, y + tall), height / 500, "tissue" if draw < 0.13 else "", own)
    cover = layer.cover * inside[window]
    done, mask = image.copy(), nothing
    mixed = done[window] * (1 - cover[..., None]) + layer.paint * cover[..., None]
    mask[window] = cover > _SEEN
    done[window] = np.where(mask[window][..., None], np.round(mixed), done[window]).astype(np.uint8)
    return Flow(done, mask, border, layer.colours)


_SEEN = 0.2
"""Share of colour in a pixel from which on it is painted."""


@dataclass(frozen=True)
class _Layer:
    """Colour over a window (h, w): `paint` (h, w, 3) uint8, `cover` (h, w) 0..1, `colours` of the bar."""

    paint: Grey
    cover: Float
    colours: Grey


def _stiffness(grey: Grey, rng: Rng) -> _Layer:
    """A map of strain or shear-wave speed that fills its box, with holes where nothing was measured."""
    shape = grey.shape[0], grey.shape[1]
    small = max(4, shape[0] // 4), max(4, shape[1] // 4)
    value = rng.uniform(0.3, 0.7) + 0.17 * smooth(small, rng.uniform(0.04, 0.15) * max(small) + 1, rng)
    value = value + rng.uniform(0.0, 0.08) * smooth(small, 1.5, rng)
    level = cv2.resize(np.asarray(value, np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    colours = strain_map(rng)
    cover = np.full(shape, rng.uniform(0.35, 0.85), np.float32)
    if rng.random() < 0.4:
        holes = cv2.resize(smooth(small, 0.05 * max(small) + 1, rng), shape[::-1]) > rng.uniform(0.8, 2.0)
        cover[holes] = 0
    return _Layer(colours[np.clip(np.round(255 * level), 0, 255).astype(np.intp)], cover, colours)


def _doppler(grey: Grey, fan: Fan | None, box: Box, unit: float, what: str, rng: Rng) -> _Layer:
    """Colour of velocity or power, measured in blocks along the beams."""
    shape = grey.shape[0], grey.shape[1]
    unit = max(1.0, unit)
    block = (max(1.0, rng.uniform(1.2, 4) * unit), max(1.0, rng.uniform(1, 3) * unit))
    cells = max(8, round(shape[0] / block[1])), max(8, round(shape[1] / block[0]))
    places = _places(shape, cells, fan if rng.random() < 0.7 else None, box)
    flow = _tissue(cells, rng) if what else stream(cells, rng)
    limit = float(rng.uniform(0.18, 0.36))
    is_power = not what and rng.random() < _WAVY
    if is_power:
        bend, gain = rng.uniform(0.6, 1.6), rng.uniform(0.35, 1.25)
        value = gain * np.clip((flow.strength - 0.7 * limit) / (1 - 0.7 * limit), 0, 1) ** bend
        colours = power_map(rng)
    else:
        # Faster than half the pulse rate: the other direction.
        value = ((flow.speed + 1) % 2) / 2
        colours = velocity_map(rng)
    how = rng.choice(["blocks", "colours", "values"], p=[0.45, 0.35, 0.2])
    paint = colours[np.clip(np.round(255 * value), 0, 255).astype(np.intp)]
    if not is_power and (flow.kind == "jet" or rng.random() < 0.12) and rng.random() < 0.6:
        paint = _turbulent(paint, flow, rng)
    smoothly = cv2.INTER_NEAREST if how == "blocks" else cv2.INTER_LINEAR
    if how == "values" and is_power:
        fine = _at(np.asarray(value, np.float32), places, smoothly)
        paint = colours[np.clip(np.round(255 * fine), 0, 255).astype(np.intp)]
    else:
        paint = np.asarray(_at(np.asarray(paint, np.float32), places, smoothly), np.uint8)
    shown = (_at((flow.strength > limit).astype(np.float32), places, smoothly) > 0.5).astype(np.float32)
    if what:  # the wall moves, the blood is filtered out
        shown *= cv2.GaussianBlur(grey, (0, 0), 1.5 * unit) > rng.uniform(35, 80)
    elif rng.random() < 0.5:  # bright echoes win over colour
        shown *= cv2.GaussianBlur(grey, (0, 0), 1.5 * unit) < rng.uniform(110, 215)
    if rng.random() < 0.3:  # the picture was averaged or magnified after colour was drawn
        shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.4, 0.9) * unit), np.float32)
    if rng.random() < 0.4:
        shown = shown * np.float32(rng.uniform(0.6, 0.95))
    bar = np.concatenate([colours[::2], colours[::-2]]) if is_power else colours
    return _Layer(paint, np.asarray(shown, np.float32), bar)


def _tissue(cells: tuple[int, int], rng: Rng) -> Stream:
    """Moving muscle: slow, in broad parts, everywhere."""
    speed = rng.uniform(0.1, 0.5) * smooth(cells, rng.uniform(0.08, 0.3) * max(cells) + 1, rng)
    speed = speed + rng.uniform(0.0, 0.1) * smooth(cells, 1.0, rng)
    return Stream(np.ones(cells, np.float32), np.asarray(np.clip(speed, -0.95, 0.95), np.float32), "tissue")


def _turbulent(paint: Grey, flow: Stream, rng: Rng) -> Grey:
    """Green where neighbouring velocities differ, as variance maps show it."""
    mean = cv2.blur(flow.speed, (3, 3))
    uneven = np.sqrt(np.maximum(cv2.blur(flow.speed**2, (3, 3)) - mean**2, 0))
    share = np.clip(uneven / rng.uniform(0.2, 0.6), 0, 1)[..., None]
    green = np.asarray([0, rng.uniform(110, 255), rng.uniform(0, 60)])
    return np.asarray(np.clip(paint * (1 - 0.4 * share) + green * share, 0, 255), np.uint8)


def _places(shape: tuple[int, int], cells: tuple[int, int], fan: Fan | None, box: Box) -> tuple[Float, Float]:
    """Column and row on the grid `cells` of each pixel of the window `box`, (h, w) each; beams of a fan are radial."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    if fan is not None:
        across, along = x + box[0] - fan.apex[0], y + box[1] - fan.apex[1]
        x, y = np.arctan2(across, along), np.hypot(across, along)
    columns, rows = ((each - each.min()) / max(float(np.ptp(each)), 1e-6) for each in (x, y))
    return np.asarray(columns * (cells[1] - 1), np.float32), np.asarray(rows * (cells[0] - 1), np.float32)


def _at(grid: Float, places: tuple[Float, Float], how: int) -> Float:
    return np.asarray(cv2.remap(grid, *places, how, borderMode=cv2.BORDER_REPLICATE), np.float32)
