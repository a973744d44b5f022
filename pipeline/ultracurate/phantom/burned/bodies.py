"""Body marks with the probe drawn on them, and signs of device makers: own designs, all of them."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.pen import Pen
from ultracurate.phantom.burned.shapes import ring
from ultracurate.phantom.canvas import Colour, Point

Paths = list[list[Point]]
SEEN_BODIES = ("breast", "abdomen", "fetus", "thyroid")
HELD_BODIES = ("limb", "breasts", "neck")


def _paths(body: str, rng: np.random.Generator) -> Paths:
    """Strokes of a body within -1..1."""
    if body == "breast":
        curl = [(0.55, -0.85), (0.95, -0.75), (0.8, -0.4)]
        return [ring((0, 0), 0.8, 0.75), ring((0, 0.05), 0.12, 0.12, steps=12), curl]
    if body == "breasts":
        return [ring((s * 0.5, 0.1), 0.45, 0.5) for s in (-1, 1)] + [
            ring((s * 0.5, 0.15), 0.07, 0.07, steps=10) for s in (-1, 1)
        ]
    if body == "abdomen":
        left: list[Point] = [(-0.55, -1), (-0.6, -0.4), (-0.45, 0.1), (-0.6, 0.6), (-0.5, 1)]
        right: list[Point] = [(-x, y) for x, y in left]
        ribs: Paths = [[(s * 0.5, -0.45), (s * 0.15, -0.6), (0, -0.8)] for s in (-1, 1)]
        return [left, right, *ribs, ring((0, 0.35), 0.05, 0.08, steps=8)]
    if body == "fetus":
        back: list[Point] = [(-0.2, -0.45), (0.35, -0.4), (0.65, 0.0), (0.6, 0.5), (0.1, 0.75), (-0.3, 0.55)]
        legs: list[Point] = [(-0.3, 0.55), (-0.55, 0.2), (-0.2, 0.05), (0.1, 0.25)]
        return [ring((-0.45, -0.55), 0.35, 0.33, steps=24), back, legs]
    if body == "limb":
        one: list[Point] = [(-0.35, -1), (-0.42, -0.2), (-0.25, 0.3), (-0.3, 1)]
        return [one, [(-x * 0.9, y) for x, y in one], [(-0.2, 0.3), (0, 0.36), (0.2, 0.3)]]
    if body == "neck":
        jaw: list[Point] = [(-0.8, -0.8), (-0.5, -0.3), (0, -0.05), (0.5, -0.3), (0.8, -0.8)]
        sides: Paths = [[(s * 0.45, -0.3), (s * 0.4, 0.5), (s * 0.95, 0.9)] for s in (-1, 1)]
        return [jaw, *sides, [(-0.1, 0.9), (0, 0.75), (0.1, 0.9)]]
    lobes: Paths = [ring((s * 0.4, 0), 0.28, 0.7, s * 0.2) for s in (-1, 1)]
    return [*lobes, [(-0.2, 0.25), (0, 0.15), (0.2, 0.25)], ring((0, 0.1), 0.13, 0.13 + 0.02 * rng.random(), steps=12)]


def body_mark(pen: Pen) -> None:
    """A small body in the device's corner of the area, with the probe as a bar, an arrow or a dot."""
    rng = pen.rng
    size = float(rng.uniform(16, 38)) * pen.unit
    x0, y0, x1, y1 = pen.area
    right, low = pen.vendor.body if pen.chance(0.7) else (int(rng.integers(2)), int(rng.integers(2)))
    x = x1 - 1.3 * size if right else x0 + 1.3 * size
    y = y1 - 1.3 * size if low else y0 + 1.3 * size
    x, y = x + float(rng.uniform(-1, 1)) * size, y + float(rng.uniform(-0.6, 0.6)) * size
    height, width = pen.layer.size
    x, y = float(np.clip(x, size + 2, width - size - 2)), float(np.clip(y, size + 2, height - size - 2))
    colour = pen.pick((pen.vendor.ink, pen.vendor.accent, pen.tone()))
    bodies = HELD_BODIES if pen.held else SEEN_BODIES
    paths = [[(x + size * a, y + size * b) for a, b in path] for path in _paths(pen.pick(bodies), rng)]
    turn = float(rng.uniform(0, 2 * np.pi))
    px, py = x + size * float(rng.uniform(-0.5, 0.5)), y + size * float(rng.uniform(-0.5, 0.5))
    ux, uy = float(np.cos(turn)), float(np.sin(turn))
    probe: Colour = pen.pick(((110, 255, 130), (255, 255, 0), (255, 150, 40), (0, 230, 255), colour))
    with pen.layer.item("body_mark"):
        if pen.chance(0.25):  # on a shade of its own
            hull: list[Point] = ring((x, y), 0.9 * size, 0.9 * size, steps=24)
            pen.layer.fill(hull, (int(rng.integers(20, 70)),) * 3)
        pen.layer.lines(paths, colour, 1 if size < 34 or pen.chance(0.7) else 2, smooth=pen.vendor.smooth)
        reach = 0.35 * size
        if pen.chance(0.75):
            pen.layer.lines([[(px - reach * ux, py - reach * uy), (px + reach * ux, py + reach * uy)]], probe, 2)
            pen.layer.disc((px + reach * ux, py + reach * uy), max(1.2, 0.08 * size), probe)
        else:
            pen.layer.disc((px, py), max(1.5, 0.12 * size), probe)


def logo(pen: Pen) -> None:
    """The maker's sign: a name, a figure, or both, at an upper corner of the screen or of the field, cut by it too."""
    rng = pen.rng
    height, width = pen.layer.size
    size = pen.size * float(rng.uniform(0.9, 1.6))
    crop = pen.vendor.margins[1] == 0 or pen.chance(0.15)
    x = float(rng.uniform(-1.5, 0.2)) * size if crop else float(rng.uniform(0.01, 0.03)) * width
    y = float(rng.uniform(-0.5, 0.2)) * size if crop else float(rng.uniform(0.005, 0.03)) * height
    if pen.chance(0.25) and not crop:
        x = width * float(rng.uniform(0.4, 0.85))
    colour = pen.shade(pen.pick((pen.vendor.accent, pen.vendor.ink, (230, 230, 230))))
    figure = pen.chance(0.5)
    if figure:
        cx, cy, r = x + 0.8 * size, y + 0.8 * size, 0.7 * size
        with pen.layer.item("logo"):
            sides = int(rng.integers(3, 8))
            turn = np.linspace(0, 2 * np.pi, sides + 1)[:-1] + rng.uniform(0, 1)
            corners: list[Point] = [(cx + r * float(np.cos(t)), cy + r * float(np.sin(t))) for t in turn]
            if pen.chance(0.5):
                pen.layer.fill(corners, colour)
                pen.layer.disc((cx, cy), 0.35 * r, (20, 20, 30))
            else:
                pen.layer.disc((cx, cy), r, colour, 2)
                pen.layer.lines([corners], colour, 1, closed=True)
        x += 2 * size
    if not figure or pen.chance(0.6):
        effect = "edge" if crop else "plain"
        for row in range(1 + pen.chance(0.3)):
            pen.write("logo", pen.pick(pen.words.brands), x, y + 1.2 * row * size, colour, size, pen.other(),
                      effect=effect, clear=False)  # fmt: skip
