"""Colour that means something, painted over a grey picture: flow, stiffness, contrast agent, and tinted grey maps."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.textures import Float, Grey, Mask

FLOWS = ("velocity", "variance", "power", "directional")
"""Red towards and blue away; the same with green and yellow where flow is turbulent; flame-coloured energy without a
direction; energy in pale red and blue."""

ELASTICITIES = ("strain", "shear_wave")
AGENTS = ("gold", "copper", "grey")
HUES: dict[str, tuple[float, float, float]] = {
    "sepia": (1.0, 0.72, 0.42),
    "gold": (1.0, 0.78, 0.2),
    "copper": (1.0, 0.55, 0.3),
    "blue": (0.35, 0.6, 1.0),
    "violet": (0.72, 0.45, 1.0),
    "green": (0.45, 1.0, 0.62),
}
"""The colour of middle grey in tinted maps."""


def ramp(stops: list[tuple[float, float, float]], steps: int = 256) -> Grey:
    """Colours between `stops` (red, green, blue in 0..1), evenly spaced: (steps, 3) uint8 RGB."""
    at = np.linspace(0, len(stops) - 1, steps)
    columns = [np.interp(at, np.arange(len(stops)), [stop[channel] for stop in stops]) for channel in range(3)]
    return np.round(np.stack(columns, axis=1) * 255).astype(np.uint8)


def tint(image: Grey, hue: str, strength: float = 1.0) -> Grey:
    """Grey (H, W) or RGB (H, W, 3) by its mean, to RGB (H, W, 3) uint8 from black through `HUES[hue]` to white.

    `strength` 0..1 says how far the middle greys leave grey; devices offer 0.1 ("warm") to 1.
    """
    grey = image if image.ndim == 2 else image.mean(axis=2).astype(np.uint8)
    red, green, blue = (0.5 * (1 - strength) + strength * part * 0.62 for part in HUES[hue])
    ends = 1.0 - 0.35 * strength * (1.0 - np.asarray(HUES[hue]))
    return ramp([(0.0, 0.0, 0.0), (red, green, blue), (float(ends[0]), float(ends[1]), float(ends[2]))])[grey]


def paint_flow(image: Grey, area: Mask, kind: str, rng: np.random.Generator, amount: float = 0.5) -> tuple[Grey, Mask]:
    """Doppler flow over RGB (H, W, 3) inside `area` (H, W); returns the picture and the flow mask (H, W) bool.

    `amount` 0..1 goes from a few specks to a picture full of vessels. Flow is estimated on a grid coarser than the
    grey picture's, so its rims are steps of 1 to 3 pixels.
    """
    rows, columns = np.nonzero(area)
    if not len(rows):
        return image, np.zeros_like(area)
    y0, y1, x0, x1 = int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
    coarse = float(rng.uniform(1.0, 3.0))
    shape = (max(12, round((y1 - y0) / coarse)), max(12, round((x1 - x0) / coarse)))
    speed = _speeds(shape, rng, amount)
    if kind == "power":
        speed = np.abs(speed)
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_LINEAR
    full = np.zeros(area.shape, np.float32)
    full[y0:y1, x0:x1] = cv2.resize(speed, (x1 - x0, y1 - y0), interpolation=how)
    mask = np.asarray(area & (np.abs(full) > 0.1), np.bool_)
    colours = flow_ramp(kind)[np.clip(np.round((full + 1) * 127.5), 0, 255).astype(np.intp)]
    if kind == "variance":
        swirl = smooth_field(area.shape, rng, 2.0 * coarse) > 0.9
        colours = np.where(swirl[..., None], np.asarray((70, 200, 60), np.uint8), colours)
    opaque = float(rng.uniform(0.75, 1.0))
    mixed = np.round(opaque * colours + (1 - opaque) * image).astype(np.uint8)
    return np.where(mask[..., None], mixed, image).astype(np.uint8), mask


def flow_ramp(kind: str) -> Grey:
    """The colours of speeds -1..1, (256, 3) uint8 RGB; `power` uses the upper half."""
    if kind == "power":
        upper = ramp([(0.3, 0.0, 0.0), (0.8, 0.15, 0.0), (1.0, 0.55, 0.05), (1.0, 0.95, 0.5)], 128)
        return np.concatenate([upper[::-1], upper])
    if kind == "directional":
        return ramp(
            [(0.75, 0.9, 1.0), (0.3, 0.45, 0.95), (0.1, 0.1, 0.4), (0.4, 0.1, 0.1), (1, 0.4, 0.3), (1, 0.9, 0.8)]
        )
    return ramp([(0.4, 0.95, 1.0), (0.05, 0.25, 1.0), (0.0, 0.0, 0.4), (0.4, 0.0, 0.0), (1, 0.1, 0.0), (1, 0.9, 0.2)])


def paint_stiffness(image: Grey, area: Mask, kind: str, rng: np.random.Generator) -> tuple[Grey, Mask]:
    """A map of strain or of shear-wave speed over RGB (H, W, 3) inside `area`; returns the picture and where colour is.

    Strain fills its box with blue, green and red in broad patches; shear waves give mostly blue with a stiff patch and
    holes where no wave was found. Grey shines through.
    """
    shape = area.shape
    rows, columns = np.nonzero(area)
    if not len(rows):
        return image, np.zeros_like(area)
    reach = float(min(np.ptp(rows), np.ptp(columns)) + 1)
    field = smooth_field(shape, rng, reach * float(rng.uniform(0.05, 0.14)))
    yy, xx = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    cy, cx = rows.mean() + reach * rng.uniform(-0.2, 0.2), columns.mean() + reach * rng.uniform(-0.3, 0.3)
    away = np.hypot((yy - cy) / (reach * rng.uniform(0.12, 0.3)), (xx - cx) / (reach * rng.uniform(0.15, 0.4)))
    hard = np.exp(-(away**2)) * float(rng.uniform(0.3, 0.9))
    jet = [(0.0, 0.0, 0.55), (0.0, 0.35, 1.0), (0.1, 0.9, 0.75), (0.55, 1.0, 0.2), (1.0, 0.75, 0.0), (0.85, 0.05, 0.0)]
    if kind == "strain":
        value = 0.5 + 0.2 * field - hard * float(rng.choice([-1.0, 1.0]))
        stops = jet if rng.random() < 0.5 else jet[::-1]
        holes = np.zeros(shape, np.bool_)
    else:
        value = float(rng.uniform(0.12, 0.35)) + 0.1 * field + hard
        stops = jet
        holes = smooth_field(shape, rng, reach * 0.06) > float(rng.uniform(1.0, 3.0))
    colours = ramp(stops)[np.clip(np.round(value * 255), 0, 255).astype(np.intp)].astype(np.float32)
    opaque = float(rng.uniform(0.35, 0.95))
    if rng.random() < 0.5:  # many devices let the grey value set the brightness of the colour
        colours *= 0.45 + 0.55 * image.mean(axis=2, keepdims=True) / 128.0
    mask = np.asarray(area & ~holes, np.bool_)
    mixed = np.clip(np.round(opaque * colours + (1 - opaque) * image), 0, 255).astype(np.uint8)
    return np.where(mask[..., None], mixed, image).astype(np.uint8), mask


def paint_agent(image: Grey, field: Mask, agent: str, rng: np.random.Generator) -> Grey:
    """A contrast-mode view of grey (H, W): tissue nearly black, microbubbles as grains in vessels and perfused tissue.

    Returns RGB (H, W, 3) uint8 in the map of `agent`.
    """
    grain = np.abs(smooth_field(field.shape, rng, float(rng.uniform(0.8, 1.6))))
    patches = np.clip(
        0.45 + 0.5 * smooth_field(field.shape, rng, min(field.shape) * float(rng.uniform(0.04, 0.12))), 0, 1.2
    )
    vessels = (np.abs(smooth_field(field.shape, rng, min(field.shape) * 0.05)) < 0.12).astype(np.float32)
    wash = patches * float(rng.uniform(0.15, 0.8)) + vessels * float(rng.uniform(0.2, 0.6))
    level = 0.12 * image + 255 * wash * np.clip(grain - 0.35, 0, 1.6) * 0.6
    grey = np.where(field, np.clip(level, 0, 255), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2) if agent == "grey" else tint(grey, agent)


def _speeds(shape: tuple[int, int], rng: np.random.Generator, amount: float) -> Float:
    """Signed speed -1..1 (H, W) float32, zero where nothing flows."""
    height, width = shape
    speed = np.zeros(shape, np.float32)
    trunks = int(rng.integers(1, 2 + round(5 * amount)))
    for _ in range(trunks):
        sign = 1.0 if rng.random() < 0.55 else -1.0
        thick = max(2.0, min(shape) * (0.03 + 0.16 * amount * rng.random()))
        start = np.asarray([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height])
        long = max(2, int((4 + 60 * amount * rng.random()) * min(shape) / 60))
        speed = (
            np.maximum(speed, _vessel(shape, rng, start, thick, long))
            if sign > 0
            else np.minimum(speed, -_vessel(shape, rng, start, thick, long))
        )
    if amount > 0.6 and rng.random() < 0.5:  # a heart chamber: broad, with both directions
        jet = smooth_field(shape, rng, min(shape) * 0.12)
        speed = np.where(np.abs(jet) > 0.8, np.clip(jet * 0.5, -1, 1), speed)
    noise = smooth_field(shape, rng, 1.0)
    return np.asarray(np.clip(speed * (1 + 0.25 * noise) + 0.08 * noise * (speed != 0), -1, 1), np.float32)


def _vessel(shape: tuple[int, int], rng: np.random.Generator, start: np.ndarray, thick: float, long: int) -> Float:
    """A bent tube with a branch, fastest in its middle: speeds 0..1 (H, W) float32."""
    tube = np.zeros(shape, np.uint8)
    for branch in range(int(rng.integers(1, 4))):
        at, turn = start.copy(), float(rng.uniform(0, 2 * np.pi))
        width = max(1, round(thick / (1 + branch)))
        path = [at.copy()]
        for _ in range(max(2, long // (1 + branch))):
            turn += float(rng.normal(0, 0.25))
            at = at + 2.0 * np.asarray([np.cos(turn), np.sin(turn)])
            path.append(at.copy())
        cv2.polylines(tube, [np.round(path).astype(np.int32).reshape(-1, 1, 2)], False, 255, width)
    depth = cv2.distanceTransform(tube, cv2.DIST_L2, 3)
    return np.asarray(float(rng.uniform(0.5, 1.0)) * np.sqrt(depth / max(float(depth.max()), 1.0)), np.float32)


def smooth_field(shape: tuple[int, int], rng: np.random.Generator, sigma: float) -> Float:
    """A random field (H, W) float32 of mean 0 and deviation 1, smooth over `sigma` pixels."""
    step = max(1, int(sigma / 2))  # wide fields are drawn coarsely and enlarged
    small = (max(4, shape[0] // step + 1), max(4, shape[1] // step + 1))
    noise = rng.standard_normal(small, dtype=np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), max(sigma / step, 0.3))
    field = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)
