"""Measurements as devices draw them: calipers, the line between them, their numbers, and the results in a corner."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.pen import BLACK, Pen
from ultracurate.phantom.canvas import Colour, Point

CALIPERS = ("plus", "x", "gap", "T", "star", "diamond")
LINES = ("dots", "dashes", "solid")


def caliper(pen: Pen, at: Point, shape: str, arm: float, thick: int, colour: Colour, edge: Colour | None) -> None:
    """One mark at the end of a distance; `arm` is half its width in px."""
    x, y = at
    cross: list[list[Point]] = [[(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)]]
    slant = 0.75 * arm
    tilted: list[list[Point]] = [
        [(x - slant, y - slant), (x + slant, y + slant)],
        [(x - slant, y + slant), (x + slant, y - slant)],
    ]
    roof: list[list[Point]] = [[(x - arm, y), (x + arm, y)], [(x, y), (x, y + arm)]]
    gap: list[list[Point]] = [[(x + s * arm, y), (x + s * arm * 0.35, y)] for s in (-1, 1)]
    gap += [[(x, y + s * arm), (x, y + s * arm * 0.35)] for s in (-1, 1)]
    rhomb: list[list[Point]] = [[(x - arm, y), (x, y - arm), (x + arm, y), (x, y + arm), (x - arm, y)]]
    paths = {"plus": cross, "x": tilted, "gap": gap, "T": roof, "star": cross + tilted, "diamond": rhomb}[shape]
    with pen.layer.item("caliper"):
        pen.layer.lines(paths, colour, thick, smooth=pen.vendor.smooth, edge=edge)


def between(pen: Pen, start: Point, stop: Point, style: str, colour: Colour, edge: Colour | None = None) -> None:
    """The line of a distance: dots, dashes or solid."""
    rng, long = pen.rng, float(np.hypot(stop[0] - start[0], stop[1] - start[1]))
    with pen.layer.item("dotted_line"):
        dotted(pen, [start, stop], long, style, colour, edge, rng.uniform(2.5, 9.0))


def dotted(
    pen: Pen, path: list[Point], long: float, style: str, colour: Colour, edge: Colour | None, step: float
) -> None:
    """Dots, dashes or a line along a path of `long` px into the open item; `step` px from dot to dot."""
    if style == "solid":
        pen.layer.lines([path], colour, 1, smooth=pen.vendor.smooth or pen.chance(0.5), edge=edge)
        return
    corners = np.asarray(path)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    if style == "dashes":
        step = max(step * 1.6, 6.0)
        starts = np.arange(0, long - 0.4 * step, step)
        ends = [(float(np.interp(s, way, corners[:, 0])), float(np.interp(s, way, corners[:, 1]))) for s in starts]
        stops = [(float(np.interp(s + 0.55 * step, way, corners[:, 0])),
                  float(np.interp(s + 0.55 * step, way, corners[:, 1]))) for s in starts]  # fmt: skip
        pen.layer.lines([[a, b] for a, b in zip(ends, stops, strict=True)], colour, 1, smooth=pen.vendor.smooth,
                        edge=edge)  # fmt: skip
        return
    side = 2 if step > 4 and pen.chance(0.4 * pen.unit) else 1
    places = np.arange(0.5 * step, long, step)
    xs = np.round(np.interp(places, way, corners[:, 0])).astype(int)
    ys = np.round(np.interp(places, way, corners[:, 1])).astype(int)
    if not len(xs):
        return
    x0, y0 = int(xs.min()) - 1, int(ys.min()) - 1
    cover = np.zeros((int(ys.max()) - y0 + 3, int(xs.max()) - x0 + 3), np.uint8)
    for x, y in zip(xs - x0, ys - y0, strict=True):
        cover[y : y + side, x : x + side] = 255
    if edge is not None:
        pen.layer.blend(cover, x0 + 1, y0 + 1, edge)
    pen.layer.blend(cover, x0, y0, colour)


def measurement(pen: Pen) -> None:
    """One to three distances with numbers, sometimes an ellipse with its axes."""
    rng, site = pen.rng, pen.site()
    colour = pen.tone()
    shape = pen.pick(pen.vendor.caliper) if pen.chance(0.75) else pen.pick(CALIPERS)
    line = pen.vendor.line if pen.chance(0.7) else pen.pick(LINES)
    if line == "solid" and pen.chance(0.5):
        line = "dots"
    thick = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    arm = float(np.clip(rng.uniform(4, 9) * pen.unit, 3, 16))
    edge = BLACK if pen.vendor.effect != "plain" and pen.chance(0.6) else None
    centre = site.spot(rng)
    turn, reach = rng.uniform(0, np.pi), float(rng.choice([rng.uniform(10, 40), rng.uniform(35, 110)])) * pen.unit
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.45, 0.1]))
    for number in range(1, count + 1):
        dx, dy = reach * np.cos(turn), reach * np.sin(turn)
        shift = rng.normal(0, 0.06 * reach, 2)
        start = (centre[0] - dx + float(shift[0]), centre[1] - dy + float(shift[1]))
        stop = (centre[0] + dx + float(shift[0]), centre[1] + dy + float(shift[1]))
        if pen.chance(0.82):
            between(pen, start, stop, line, colour, edge if pen.chance(0.4) else None)
        for end in (start, stop):
            caliper(pen, end, shape, arm, thick, colour, edge)
        if pen.chance(0.6):
            near = stop if pen.chance(0.7) else start
            x, y = near[0] + arm * rng.uniform(0.3, 1.3), near[1] + arm * rng.uniform(-1.6, 0.6)
            pen.write("measurement_text", str(number), x, y, colour, pen.size * rng.uniform(0.85, 1.2),
                      effect="edge" if edge else "plain", clear=False)  # fmt: skip
        turn, reach = turn + np.pi / 2 + rng.normal(0, 0.12), max(reach * rng.uniform(0.4, 0.95), 1.3 * arm)
    if pen.chance(0.6):
        results(pen, count, colour)


def results(pen: Pen, count: int, colour: Colour) -> None:
    """What was measured, in the device's corner of the field or anywhere on it, on a filled box or not."""
    rng, size = pen.rng, max(7.0, pen.size * pen.rng.uniform(0.85, 1.15))
    step, wide = round(1.45 * size), round(size * rng.uniform(7, 11))
    count = max(1, count + int(rng.integers(0, 2)))
    x0, y0, x1, y1 = pen.area
    right, low = pen.vendor.results
    if pen.chance(0.75):
        x = x1 - wide - 4 if right else x0 + 4
        y = y1 - count * step - 4 if low else y0 + 4
        if pen.chance(0.4):  # out into the margin of the screen
            x += round(rng.uniform(0, 0.5) * wide) * (1 if right else -1)
    else:
        px, py = pen.site().spot(rng)
        x, y = round(px) - wide // 2, round(py)
    height, width = pen.layer.size
    x = int(np.clip(x, 1, max(width - wide - 1, 1)))
    y = int(np.clip(y, 1, max(height - count * step - 2, 1)))
    ink: Colour = colour if pen.chance(0.6) else pen.vendor.ink
    if pen.chance(0.42):
        box(pen, (x - 4, y - 4, x + wide + 4, y + count * step + 2), colour)
        if pen.chance(0.08):  # dark letters on a light box
            ink = BLACK
    for row in range(count):
        text = pen.say(pen.words.results)
        text = f"{row + 1} {text}" if pen.chance(0.5) else text
        pen.write("measurement_text", text, x, y + row * step, ink, size, effect=pen.vendor.effect)


def box(pen: Pen, where: tuple[int, int, int, int], colour: Colour) -> None:
    """A filled box that text stands on, black, dark, grey or half clear, with a frame or without."""
    rng = pen.rng
    level = int(rng.choice([0, 20, 45, 70], p=[0.4, 0.25, 0.2, 0.15]))
    ground = (level, level, min(255, level + int(rng.choice([0, 12, 40]))))
    opacity = 1.0 if pen.chance(0.7) else float(rng.uniform(0.4, 0.9))
    with pen.layer.item("result_box", opacity=opacity, hides=opacity > 0.8):
        pen.layer.panel(where, ground)
        if pen.chance(0.4):
            x0, y0, x1, y1 = where
            frame: list[Point] = [(x0, y0), (x1 - 1, y0), (x1 - 1, y1 - 1), (x0, y1 - 1)]
            pen.layer.lines([frame], colour, 1, closed=True, smooth=False)
