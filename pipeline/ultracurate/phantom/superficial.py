"""Anatomies near the skin, as linear probes show them: breast, thyroid, muscle.

Each function draws its numbers from `rng` in a fixed order and uses `phase` (0..1, one beat, breath or sweep) only to
move things, so the frames of a clip show one patient.
"""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.layers import fibres, skin, tissue
from ultracurate.phantom.textures import Echo, Points, band, ellipse, inside, paint, ripple


def breast(p: Points, rng: np.random.Generator, phase: float, kind: str) -> Echo:
    """Skin, fat lobules, gland, pectoral muscle and chest wall, with a finding by `kind`."""
    level, loss, target = tissue(p, -17.0)
    level += 4.0 * ripple(p, rng, 0.16) + 3.5 * ripple(p, rng, 0.4) + 2.0 * ripple(p, rng, 0.05)
    fat = 0.2 + 0.05 * ripple(p, rng, 0.5) + rng.uniform(-0.04, 0.05)
    septa = band(ripple(p, rng, 0.2), 0.1, 0.12)
    level = paint(level, inside(p.depth, fat, 0.012), -29.0 + 13.0 * septa)
    level = paint(level, 0.7 * band(p.depth, fat, 0.01), -8.0)
    wall = rng.uniform(0.72, 0.8) + 0.02 * ripple(p, rng, 0.7)
    level = paint(level, 1 - inside(p.depth, wall, 0.01), -26.0 + 7.0 * fibres(p, rng, 0.06, 0.035))
    level = paint(level, 0.9 * band(p.depth, wall, 0.009), -6.0)
    level = paint(level, 0.9 * band(p.depth, wall + 0.16, 0.012), -2.0)
    level = paint(level, 1 - inside(p.depth, wall + 0.185, 0.01), -44.0)
    x, y = rng.uniform(-0.27, 0.27), rng.uniform(0.37, 0.56)
    size, tilt = rng.uniform(0.09, 0.14), rng.uniform(-0.25, 0.25)
    x += 0.05 * np.sin(2 * np.pi * phase)
    if kind == "benign":
        radius = ellipse(p, x, y, size * 1.5, size, tilt)
        level = paint(level, inside(radius, 1.0, 0.03), -37.0 + 2.5 * ripple(p, rng, 0.04))
        level = paint(level, 0.6 * band(radius, 1.06, 0.05), -7.0)
        loss -= 26.0 * inside(radius, 0.9, 0.1)
        target = radius < 1.0
    elif kind == "cyst":
        radius = ellipse(p, x, y, size * 1.25, size, tilt)
        level = paint(level, inside(radius, 1.0, 0.02), -75.0)
        loss -= 40.0 * inside(radius, 0.9, 0.1)
        target = radius < 1.0
    elif kind == "malignant":
        spikes = np.arctan2(p.y - y, p.x - x)
        jag = 0.1 * np.sin(spikes * 3 + rng.uniform(0, 6)) + 0.07 * np.sin(spikes * 7 + rng.uniform(0, 6))
        radius = np.asarray(ellipse(p, x, y, size * 0.95, size * 1.2, tilt) * (1.0 + jag), np.float32)
        level = paint(level, 0.7 * band(radius, 1.2, 0.22), -9.0)
        level = paint(level, inside(radius, 1.0, 0.06), -41.0 + 4.0 * ripple(p, rng, 0.05))
        chalk = inside(radius, 0.8, 0.05) * (ripple(p, rng, 0.025) > 1.9)
        level = paint(level, chalk.astype(np.float32), -6.0)
        loss += 70.0 * inside(radius, 0.9, 0.1)
        target = radius < 1.0
    return Echo(skin(p, level), loss, target)


def thyroid(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Transverse neck: two lobes beside the trachea and its shadow, carotid arteries, one nodule (the target)."""
    level, loss, _ = tissue(p, -27.0)
    level += 6.0 * ripple(p, rng, 0.25)
    level = paint(level, inside(p.depth, 0.13, 0.01), -24.0 + 4 * ripple(p, rng, 0.1))
    strap = (p.depth > 0.13) & (p.depth < 0.24)
    level = np.where(strap, -35.0 + 8.0 * fibres(p, rng, 0.0, 0.03), level).astype(np.float32)
    shift = 0.015 * np.sin(2 * np.pi * phase) + rng.uniform(-0.13, 0.13)
    for side in (-1, 1):
        lobe = ellipse(
            p,
            shift + side * rng.uniform(0.26, 0.3),
            rng.uniform(0.4, 0.48),
            rng.uniform(0.13, 0.19),
            rng.uniform(0.13, 0.2),
            0.25 * side,
        )
        level = paint(level, inside(lobe, 1.0, 0.04), -13.0 + 1.5 * ripple(p, rng, 0.08))
        level = paint(level, 0.7 * band(lobe, 1.04, 0.03), -6.0)
        beat = 1.0 + 0.08 * np.sin(4 * np.pi * phase)
        carotid = ellipse(p, shift + side * 0.52, 0.52, 0.075 * beat, 0.075 * beat)
        level = paint(level, 0.8 * band(carotid, 1.1, 0.12), -8.0)
        level = paint(level, inside(carotid, 1.0, 0.05), -70.0)
    bridge = inside(np.abs(p.x - shift).astype(np.float32), 0.2, 0.02) * band(p.y, 0.31, 0.035)
    level = paint(level, bridge, -13.0)
    pipe = ellipse(p, shift, 0.47, 0.13, 0.12)
    level = paint(level, inside(pipe, 1.0, 0.03), -50.0)
    front = band(pipe, 1.0, 0.07) * (p.y < 0.45)
    level = paint(level, front.astype(np.float32), -1.0)
    rings = band(pipe, 0.72, 0.06) * (p.y < 0.45)
    level = paint(level, rings.astype(np.float32), -18.0)
    loss += 75.0 * inside(pipe, 1.0, 0.04)
    half = 0.27 if rng.random() < 0.5 else -0.27
    nodule = ellipse(p, shift + half, 0.43, rng.uniform(0.05, 0.08), rng.uniform(0.05, 0.07))
    level = paint(level, inside(nodule, 1.0, 0.08), -30.0)
    return Echo(skin(p, level), loss, nodule < 1.0)


def muscle(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Pennate muscle between two aponeuroses."""
    level, loss, none = tissue(p, -30.0)
    slope = rng.uniform(0.25, 0.5) + 0.1 * np.sin(2 * np.pi * phase)
    level += 11.0 * fibres(p, rng, slope, 0.045) + 2.0 * ripple(p, rng, 0.08)
    fat = rng.uniform(0.12, 0.17)
    level = paint(level, inside(p.depth, fat, 0.008), -26.0 + 3.0 * ripple(p, rng, 0.1))
    deep = rng.uniform(0.62, 0.72) + 0.05 * p.x
    under = -29.0 + 10.0 * fibres(p, rng, -slope * 0.6, 0.04)
    level = paint(level, 1 - inside(p.y, deep, 0.008), under)
    for sheet in (np.full_like(p.x, fat), np.asarray(deep, np.float32)):
        level = paint(level, band(p.y, sheet, 0.012), -3.0)
    return Echo(skin(p, level), loss, none)
