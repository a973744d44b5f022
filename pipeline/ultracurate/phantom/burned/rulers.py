"""Depth rulers: ticks, dots, combs and numbers beside the field, on its very edge, along its beams and arcs."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.pen import Pen
from ultracurate.phantom.canvas import Colour, Point


def ruler(pen: Pen) -> None:
    """The device's ruler of the field; a second one along its foot at times."""
    rng, site, style = pen.rng, pen.site(), pen.vendor.ruler
    where = pen.vendor.ruler_side if pen.chance(0.75) else pen.pick(("left", "right", "field", "beams"))
    last = where == "right" or (where in ("field", "beams") and pen.chance(0.6))
    every = int(rng.choice([2, 5, 10], p=[0.2, 0.6, 0.2]))
    count = int(rng.integers(3, 8)) * every + 1
    width = pen.layer.size[1]
    if where == "beams":
        places = site.side(last, count)
        shift = float(rng.uniform(-2, 5)) * (1 if last else -1)
    elif where == "field":
        x = (site.box[2] if last else site.box[0]) + 0.0
        places = [(x, float(y)) for y in np.linspace(site.box[1], site.box[3] - 1, count)]
        shift = float(rng.uniform(-24, 6)) * (1 if last else -1)
    else:
        x = pen.area[2] + 3.0 if last else pen.area[0] - 3.0
        places = [(x, float(y)) for y in np.linspace(site.box[1], site.box[3] - 1, count)]
        shift = float(rng.uniform(0, 14)) * (1 if last else -1)
    places = [(float(np.clip(x + shift, 1, width - 2)), y) for x, y in places]
    colour = pen.shade(pen.pick((pen.vendor.ink, pen.vendor.accent, (255, 255, 255))))
    out = 1.0 if last else -1.0
    if width - places[0][0] < 12 * pen.unit and last:
        out = -1.0
    if places[0][0] < 12 * pen.unit and not last:
        out = 1.0
    _scale(pen, places, (out, 0.0), every, style, colour)
    if pen.chance(0.55):
        _numbers(pen, places, out, every, colour)
    if pen.chance(0.3):
        foot(pen)


def _scale(pen: Pen, places: list[Point], out: Point, every: int, style: str, colour: Colour) -> None:
    rng = pen.rng
    long = float(rng.uniform(4, 10)) * pen.unit
    if style == "both":
        style = pen.pick(("ticks", "dots"))
    thick = 1 if pen.chance(0.75) else 2
    with pen.layer.item("ruler"):
        if style == "dots":
            major, minor = int(rng.integers(2, 5)), int(rng.integers(1, 3))
            accent = pen.shade(pen.vendor.accent) if pen.chance(0.3) else colour
            for index, (x, y) in enumerate(places):
                side = major if index % every == 0 else minor
                left, top = round(x) - side // 2, round(y) - side // 2
                pen.layer.panel((left, top, left + side, top + side), accent if index % every == 0 else colour)
            return
        ticks: list[list[Point]] = []
        for index, (x, y) in enumerate(places):
            reach = long if index % every == 0 else long * 0.5
            ticks.append([(x, y), (x + out[0] * reach, y + out[1] * reach)])
        pen.layer.lines(ticks, colour, thick, smooth=False)
        if style == "comb":
            pen.layer.lines([places], colour, 1, smooth=False)


def _numbers(pen: Pen, places: list[Point], out: float, every: int, colour: Colour) -> None:
    """A number at each long tick; each is an item of its own."""
    size, step = pen.size * pen.rng.uniform(0.7, 1.0), 5 if pen.chance(0.2) else 1
    for index, (x, y) in enumerate(places):
        if index % every == 0 and (index or pen.chance(0.5)):
            pen.write("ruler", str(index // every * step), x + out * 11 * pen.unit, y - 0.36 * size, colour, size,
                      anchor=0.0 if out > 0 else 1.0)  # fmt: skip
    if pen.chance(0.25):
        x, y = places[-1]
        pen.write("ruler", "cm", x + out * 6, y + 0.6 * size, colour, size, anchor=0.0 if out > 0 else 1.0)


def foot(pen: Pen) -> None:
    """Ticks or dots along the deep edge of the field, on its arc."""
    site, rng = pen.site(), pen.rng
    places = site.foot(int(rng.integers(8, 40)))
    inward = float(rng.uniform(-3, 3))
    middle = len(places) // 2
    slope = np.gradient([y for _, y in places]) / max(places[1][0] - places[0][0], 1.0)
    colour = pen.shade(pen.pick((pen.vendor.ink, pen.vendor.accent)))
    long, dots = float(rng.uniform(3, 7)) * pen.unit, pen.chance(0.4)
    with pen.layer.item("ruler"):
        ticks: list[list[Point]] = []
        for index, (x, y) in enumerate(places):
            lean = np.clip(slope[index], -1.5, 1.5)
            norm = float(np.hypot(1.0, lean))
            reach = long * (1.6 if (index - middle) % 5 == 0 else 1.0)
            start = (x, y + inward)
            if dots:
                pen.layer.panel((round(x), round(y + inward), round(x) + 2, round(y + inward) + 2), colour)
            else:
                ticks.append([start, (x - reach * float(lean) / norm, y + inward + reach / norm)])
        if ticks:
            pen.layer.lines(ticks, colour, 1, smooth=pen.vendor.smooth)


def squares(pen: Pen) -> None:
    """Ticks along the upper edge of the field, and a small ring where the probe's mark is."""
    site, rng = pen.site(), pen.rng
    colour = pen.shade(pen.pick((pen.vendor.accent, pen.vendor.ink)))
    columns = np.round(np.linspace(0.03, 0.97, int(rng.integers(3, 12))) * (len(site.top) - 1)).astype(int)
    wide, tall = int(rng.integers(2, 6)), int(rng.integers(2, 8))
    lift = int(rng.integers(-2, 9))
    with pen.layer.item("ruler"):
        for column in columns:
            x, y = site.box[0] + int(column), int(site.top[column]) - lift
            pen.layer.panel((x, y, x + wide, y + tall), colour)
