"""Outlines of findings and boxes of regions, as readers and devices draw them on tissue."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ultracurate.phantom.burned.measuring import caliper, dotted
from ultracurate.phantom.burned.pen import BLACK, Pen
from ultracurate.phantom.burned.site import Site
from ultracurate.phantom.canvas import Colour, Point


def ring(centre: Point, rx: float, ry: float, tilt: float = 0.0, steps: int = 48) -> list[Point]:
    """A closed ellipse as (x, y) pixels; the first point comes again at the end."""
    turn = np.linspace(0, 2 * np.pi, steps)
    x, y = rx * np.cos(turn), ry * np.sin(turn)
    xs = centre[0] + x * np.cos(tilt) - y * np.sin(tilt)
    ys = centre[1] + x * np.sin(tilt) + y * np.cos(tilt)
    return [(float(a), float(b)) for a, b in zip(xs, ys, strict=True)]


def length(path: list[Point]) -> float:
    """Length of a polyline in px."""
    return float(np.hypot(*np.diff(np.asarray(path), axis=0).T).sum())


def outline(pen: Pen) -> None:
    """The border of a finding: an ellipse, dotted or solid, or freehand; or a line fitted to a layer."""
    rng, colour = pen.rng, pen.tone()
    edge = BLACK if pen.chance(0.15) else None
    thick = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.15, 0.1]))
    if pen.chance(0.12):
        _layer_line(pen, colour, thick)
        return
    site = pen.site()
    reach = min(site.box[2] - site.box[0], site.box[3] - site.box[1])
    centre, tilt = site.spot(rng), float(rng.uniform(0, np.pi))
    rx = float(rng.uniform(0.05, 0.3)) * reach
    ry = rx * float(rng.uniform(0.45, 1.0))
    path, style = ring(centre, rx, ry, tilt), rng.random()
    if style < 0.45:  # by hand
        turn = np.linspace(0, 2 * np.pi, len(path))
        wave = np.ones(len(turn))
        for k in (2, 3, 4, 6):
            wave += float(rng.normal(0, 0.09 / k)) * np.sin(k * turn + rng.uniform(0, 6))
        path = [(centre[0] + (x - centre[0]) * float(w), centre[1] + (y - centre[1]) * float(w))
                for (x, y), w in zip(path, wave, strict=True)]  # fmt: skip
        if pen.chance(0.15):
            path = path[: round(len(path) * rng.uniform(0.6, 0.95))]
    with pen.layer.item("outline"):
        if style > 0.65 or pen.chance(0.2):
            dotted(pen, path, length(path), pen.pick(("dots", "dots", "dashes")), colour, edge,
                   float(rng.uniform(3, 9)))  # fmt: skip
        else:
            pen.layer.lines([path], colour, thick, smooth=pen.vendor.smooth or pen.chance(0.5), edge=edge)
    if style > 0.65 and pen.chance(0.6):  # a measured ellipse has crosses at its ends
        shape, arm = pen.pick(pen.vendor.caliper), 6.0 * pen.unit
        for index in (0, len(path) // 2):
            caliper(pen, path[index], shape, arm, 1, colour, edge)


def _layer_line(pen: Pen, colour: Colour, thick: int) -> None:
    """A fitted line across the whole field with discs at its nodes, or a bundle of short strokes."""
    rng, site = pen.rng, pen.site()
    low, high = (float(v) for v in rng.uniform(0.2, 0.8, 2))
    path = [site.at(float(t), low + float(t) * 0.3 * (high - low)) for t in np.linspace(-0.02, 1.02, 13)]
    with pen.layer.item("outline"):
        if pen.chance(0.5):
            pen.layer.lines([path], colour, thick)
            for x, y in path[1:-1]:
                pen.layer.disc((x, y), (2 + thick) * pen.unit, colour)
        else:
            turn, strokes = float(rng.normal(0, 0.4)), []
            for _ in range(int(rng.integers(6, 30))):
                x, y = site.spot(rng)
                reach = float(rng.uniform(8, 40)) * pen.unit
                dx, dy = reach * float(np.cos(turn)), reach * float(np.sin(turn))
                strokes.append([(x, y), (x + dx, y + dy)])
            pen.layer.lines(strokes, colour, min(thick, 2))


def region(corners: tuple[float, float, float, float], site: Site, slant: float = 0.0) -> list[Point]:
    """The box between two laterals and two depths (l0, d0, l1, d1) along the beams; `slant` in laterals per depth."""
    l0, d0, l1, d1 = corners
    path = [(l0, d0), (l1, d0), (l1, d1), (l0, d1), (l0, d0)]
    found: list[Point] = []
    for (a, b), (c, d) in pairwise(path):
        for t in np.linspace(0, 1, 14)[:-1]:
            depth = b + float(t) * (d - b)
            found.append(site.at(a + float(t) * (c - a) + slant * (depth - d0), depth))
    return found


def lean(left: float, wide: float, high: float, rng: np.random.Generator) -> float:
    """How far a steered box leans, in laterals per depth, such that it stays on the field; half of them do not lean."""
    room = min(left, 1 - left - wide) / high
    return float(rng.uniform(-room, room)) if rng.random() < 0.5 else 0.0


def draw_corners(pen: Pen) -> tuple[float, float, float, float]:
    """Laterals and depths of a random region."""
    rng = pen.rng
    wide, high = float(rng.uniform(0.2, 0.75)), float(rng.uniform(0.2, 0.7))
    l0, d0 = float(rng.uniform(0.04, 0.96 - wide)), float(rng.uniform(0.04, 0.96 - high))
    return l0, d0, l0 + wide, d0 + high


def roi_box(pen: Pen, path: list[Point] | None = None) -> None:
    """The border of a colour box, a zoom box or a marked region; `path` is the border of flow that is there already."""
    rng = pen.rng
    colour = pen.tone()
    if path is None:
        site = pen.site()
        corners = draw_corners(pen)
        style = rng.random()
        if style < 0.45 and site.fan is not None:
            path = region(corners, site)
        else:
            a, b = site.at(corners[0], corners[1]), site.at(corners[2], corners[3])
            (x0, x1), (y0, y1) = sorted((a[0], b[0])), sorted((a[1], b[1]))
            aside = float(rng.normal(0, 0.2)) * (y1 - y0) if pen.chance(0.3) else 0.0
            path = [(x0, y0), (x1, y0), (x1 + aside, y1), (x0 + aside, y1)]
    draw = rng.random()
    with pen.layer.item("roi_box", opacity=float(rng.uniform(0.45, 0.95)) if pen.chance(0.3) else 1.0):
        if draw < 0.7:
            thick = 1 if pen.chance(0.75) else 2
            pen.layer.lines([path], colour, thick, closed=True, smooth=pen.vendor.smooth)
        elif draw < 0.9:
            closed = [*path, path[0]]
            dotted(pen, closed, length(closed), pen.pick(("dots", "dashes")), colour, None, float(rng.uniform(4, 8)))
        else:  # corners only
            x0, y0 = np.asarray(path).min(axis=0)
            x1, y1 = np.asarray(path).max(axis=0)
            arm = 0.15 * min(x1 - x0, y1 - y0)
            paths = [[(x + s * arm, y), (x, y), (x, y + t * arm)]
                     for x, s in ((x0, 1), (x1, -1)) for y, t in ((y0, 1), (y1, -1))]  # fmt: skip
            pen.layer.lines(paths, colour, 1, smooth=False)
