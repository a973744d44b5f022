"""Anatomies deeper down, as phased and convex probes show them: heart, kidney, liver, lung, fetal head.

Each function draws its numbers from `rng` in a fixed order and uses `phase` (0..1, one beat, breath or sweep) only to
move things, so the frames of a clip show one patient.
"""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.layers import fibres, skin, tissue
from ultracurate.phantom.textures import Echo, Points, band, ellipse, inside, paint, ripple


def heart_a4c(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Four chambers with moving valves; the target is the left ventricle."""
    level, loss, _ = tissue(p, -33.0, 4.0)
    level += 5.0 * ripple(p, rng, 0.25)
    squeeze = 1.0 - 0.26 * np.sin(np.pi * phase) ** 2
    tilt = rng.uniform(-0.12, 0.12)
    outer = ellipse(p, 0.0, 0.53, 0.33, 0.42, tilt)
    level = paint(level, inside(outer, 1.0, 0.03), -15.0 + 2.5 * ripple(p, rng, 0.06))
    level = paint(level, 0.8 * band(outer, 1.02, 0.03), -3.0)
    left = ellipse(p, 0.12 + tilt * 0.1, 0.42, 0.115 * squeeze, 0.235 * squeeze, -0.12 + tilt)
    right = ellipse(p, -0.14 + tilt * 0.1, 0.45, 0.085 * squeeze, 0.2 * squeeze, 0.15 + tilt)
    swell = 2.0 - squeeze
    upper = [ellipse(p, 0.13, 0.77, 0.105 * swell, 0.1 * swell), ellipse(p, -0.12, 0.77, 0.1 * swell, 0.1 * swell)]
    for chamber in (left, right, *upper):
        level = paint(level, inside(chamber, 1.0, 0.05), -68.0)
    swing = 0.05 * np.cos(2 * np.pi * phase)
    for centre in (0.13, -0.12):
        for side in (-1, 1):
            line = band(p.y, 0.645 - swing + np.abs(p.x - centre) * 0.5 * np.cos(np.pi * phase), 0.009)
            leaf = line * ((p.x - centre) * side > 0.012) * (np.abs(p.x - centre) < 0.1)
            level = paint(level, leaf.astype(np.float32), -4.0)
    return Echo(level, loss, left < 1.0)


def heart_psax(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """A contracting ring with papillary muscles; the target is its cavity."""
    level, loss, _ = tissue(p, -31.0, 4.0)
    level += 5.0 * ripple(p, rng, 0.2)
    x, y = rng.uniform(-0.03, 0.05), rng.uniform(0.5, 0.56)
    squeeze = 1.0 - 0.3 * np.sin(np.pi * phase) ** 2
    outer = ellipse(p, x, y, 0.27, 0.26)
    cavity = ellipse(p, x, y, 0.165 * squeeze, 0.16 * squeeze)
    crescent = ellipse(p, x - 0.17, y - 0.15, 0.25, 0.2, 0.6)
    level = paint(level, inside(crescent, 1.0, 0.04), -66.0)
    level = paint(level, inside(outer, 1.0, 0.03), -14.0 + 2.0 * ripple(p, rng, 0.05))
    level = paint(level, 0.8 * band(outer, 1.02, 0.03), -4.0)
    level = paint(level, inside(cavity, 1.0, 0.05), -68.0)
    for side in (-1, 1):
        knob = ellipse(p, x + side * 0.1 * squeeze, y + 0.08 * squeeze, 0.035, 0.035)
        level = paint(level, inside(knob, 1.0, 0.15), -12.0)
    return Echo(level, loss, cavity < 1.0)


def kidney(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Kidney behind liver, cortex, pyramids and bright sinus, moved by breath."""
    level, loss, _ = tissue(p, -19.0)
    level += 1.8 * ripple(p, rng, 0.1)
    breath = 0.04 * np.sin(2 * np.pi * phase)
    x, y, tilt = rng.uniform(-0.05, 0.05), 0.52 + breath, rng.uniform(0.05, 0.35)
    body = ellipse(p, x, y, 0.36, 0.17, tilt)
    level = paint(level, 0.6 * inside(body, 1.35, 0.12), -11.0)
    level = paint(level, inside(body, 1.0, 0.03), -24.0 + 2.0 * ripple(p, rng, 0.05))
    level = paint(level, 0.8 * band(body, 1.02, 0.03), -5.0)
    for turn in np.linspace(0, 2 * np.pi, 9)[:-1]:
        away = np.array([0.235 * np.cos(turn), 0.105 * np.sin(turn)])
        px = x + away[0] * np.cos(tilt) - away[1] * np.sin(tilt)
        py = y + away[0] * np.sin(tilt) + away[1] * np.cos(tilt)
        level = paint(level, inside(ellipse(p, px, py, 0.045, 0.03, tilt + turn), 1.0, 0.1), -37.0)
    sinus = np.asarray(ellipse(p, x, y, 0.2, 0.07, tilt) * (1 + 0.2 * ripple(p, rng, 0.12)), np.float32)
    level = paint(level, inside(sinus, 1.0, 0.08), -6.0 + 4.0 * ripple(p, rng, 0.03))
    arc = ellipse(p, 0.1, 0.3, 0.75, 0.58)
    level = paint(level, 0.9 * band(arc, 1.0, 0.012), -3.0)
    return Echo(skin(p, level), loss, body < 1.0)


def abdomen(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Liver with vessels, gallbladder (the target) and diaphragm."""
    level, loss, _ = tissue(p, -18.0, 10.0)
    level += 1.2 * ripple(p, rng, 0.06)
    level = paint(level, inside(p.depth, 0.1, 0.01), -21.0 + 8.0 * fibres(p, rng, 0.03, 0.03))
    move = 0.03 * np.sin(2 * np.pi * phase)
    for index in range(5):
        line = ellipse(p, rng.uniform(-0.4, 0.4), rng.uniform(0.3, 0.85) + move, 0.14, 0.018, rng.uniform(-1.2, 1.2))
        if index % 2:
            level = paint(level, 0.7 * band(line, 1.3, 0.3), -7.0)
        level = paint(level, inside(line, 1.0, 0.12), -62.0)
    bag = ellipse(p, rng.uniform(0.02, 0.18), 0.5 + move, 0.23, 0.085, rng.uniform(0.5, 0.8))
    level = paint(level, 0.8 * band(bag, 1.06, 0.06), -6.0)
    level = paint(level, inside(bag, 1.0, 0.04), -75.0)
    loss -= 34.0 * inside(bag, 0.9, 0.1)
    dome = ellipse(p, -0.1, 0.25, 0.72, 0.68)
    level = paint(level, 1 - inside(dome, 1.0, 0.01), -34.0)
    level = paint(level, band(dome, 1.0, 0.014), -2.0)
    return Echo(skin(p, level), loss, bag < 1.0)


def lung(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Ribs with shadows, pleural line, A lines, and B lines in wet lungs."""
    level, loss, none = tissue(p, -46.0, 6.0)
    line = rng.uniform(0.2, 0.26) + 0.008 * ripple(p, rng, 0.8)
    level = paint(level, inside(p.depth, line, 0.006), -24.0 + 8.0 * fibres(p, rng, 0.04, 0.035))
    wet = rng.random() < 0.5
    decay = 9.0 if wet else 4.0
    for order in range(1, 5):
        echo = np.asarray(order * line, np.float32)
        level = paint(level, 0.9 * band(p.depth, echo, 0.008 + 0.002 * order), -1.0 - decay * (order - 1))
    if wet:
        slide = 0.12 * np.sin(2 * np.pi * phase)
        for centre in rng.uniform(-0.55, 0.55, 4):
            ray = band(p.lateral, float(centre) + slide, rng.uniform(0.03, 0.07)) * (p.depth > line)
            level = paint(level, 0.9 * ray.astype(np.float32), -13.0)
    for centre in (-0.78, 0.78):
        rib = ellipse(p, centre * float(p.x.max()), 0.17, 0.12, 0.05)
        level = paint(level, band(rib, 1.0, 0.1) * (p.y < 0.18), -2.0)
        shade = (np.abs(p.lateral - centre) < 0.2) & (p.depth > 0.17)
        level = paint(level, 0.9 * shade.astype(np.float32), -60.0)
    return Echo(skin(p, level), loss, none)


def fetal_head(p: Points, rng: np.random.Generator, phase: float) -> Echo:
    """Skull ring with midline and choroid plexus in dark fluid."""
    level, loss, _ = tissue(p, -66.0, 4.0)
    top = 0.16 + 0.03 * ripple(p, rng, 0.4)
    level = paint(level, inside(p.depth, top, 0.015), -16.0 + 3.0 * ripple(p, rng, 0.08))
    floor = 0.92 + 0.03 * ripple(p, rng, 0.4)
    level = paint(level, 1 - inside(p.y, floor, 0.015), -19.0 + 4.0 * ripple(p, rng, 0.1))
    tilt = rng.uniform(-0.3, 0.3) + 0.06 * np.sin(2 * np.pi * phase)
    x, y = rng.uniform(-0.03, 0.03), 0.54
    skull = ellipse(p, x, y, 0.35, 0.27, tilt)
    level = paint(level, inside(skull, 1.0, 0.02), -35.0 + 4.0 * ripple(p, rng, 0.07))
    level = paint(level, band(skull, 1.0, 0.055), -1.0)
    across = -np.sin(tilt) * (p.x - x) + np.cos(tilt) * (p.y - y)
    midline = band(np.asarray(across, np.float32), 0.0, 0.007) * inside(skull, 0.86, 0.02)
    level = paint(level, 0.9 * midline, -8.0)
    for side in (-1, 1):
        plexus = ellipse(p, x + 0.07, y + side * 0.1, 0.1, 0.035, tilt + 0.25 * side)
        level = paint(level, inside(plexus, 1.25, 0.05), -60.0)
        level = paint(level, inside(plexus, 0.85, 0.1), -11.0)
    return Echo(skin(p, level), loss, skull < 1.0)
