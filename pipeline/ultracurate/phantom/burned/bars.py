"""Bars and curves of devices: grey and colour bars, heart trace, gain curve, place in the clip."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.pen import Pen
from ultracurate.phantom.canvas import Point
from ultracurate.phantom.textures import Grey


def _place(pen: Pen, wide: int, tall: int) -> tuple[int, int]:
    """Upper left corner of a bar: beside the area, on the field's own edge, or inside the frame's corner."""
    rng = pen.rng
    height, width = pen.layer.size
    x0, y0, x1, _ = pen.area
    right = pen.vendor.bar == "right"
    draw = rng.random()
    if draw < 0.6:
        x = x1 + 6 + rng.uniform(0, 0.05) * width if right else x0 - wide - 6 - rng.uniform(0, 0.05) * width
    elif draw < 0.8:
        x = x1 - wide - rng.uniform(0, 12) if right else x0 + rng.uniform(0, 12)
    else:
        x = width - wide - rng.uniform(0, 10) if right else rng.uniform(0, 10)
    y = y0 + rng.uniform(0, 0.35) * height
    return int(np.clip(x, 0, max(width - wide, 0))), int(np.clip(y, 0, max(height - tall, 0)))


def _bar(pen: Pen, kind: str, colours: Grey, labels: tuple[str, ...]) -> None:
    """A bar of `colours` (n, 3) from top to bottom, with a frame and words at its ends at times."""
    rng, height = pen.rng, pen.layer.size[0]
    tall, wide = round(height * rng.uniform(0.1, 0.45)), max(4, round(rng.uniform(6, 24) * pen.unit))
    x, y = _place(pen, wide, tall)
    rows = np.linspace(0, len(colours) - 1, tall).round().astype(int)
    with pen.layer.item(kind, hides=True):
        pen.layer.panel((x, y, x + wide, y + tall), np.repeat(colours[rows][:, None], wide, axis=1))
        if pen.chance(0.25):
            frame: list[Point] = [(x - 1, y - 1), (x + wide, y - 1), (x + wide, y + tall), (x - 1, y + tall)]
            pen.layer.lines([frame], pen.vendor.ink, 1, closed=True, smooth=False)
    size = 0.85 * pen.size
    if labels and pen.chance(0.7):
        pen.write("ui_text", labels[0], x + wide / 2, y - 1.1 * size, None, size, anchor=0.5)
        pen.write("ui_text", labels[-1], x + wide / 2, y + tall + 0.3 * size, None, size, anchor=0.5)


def grey_bar(pen: Pen) -> None:
    """Black to white, in steps or smooth; tinted pictures have a tinted bar."""
    level = np.linspace(255, 0, 256)
    if pen.chance(0.2):
        level = np.round(level / 17) * 17
    if pen.chance(0.15):
        level = 255 * (level / 255) ** float(pen.rng.uniform(0.6, 1.8))
    grey = np.repeat(level[:, None], 3, axis=1)
    if pen.chance(0.1):
        grey = grey * pen.rng.uniform(0.6, 1.0, 3)
    _bar(pen, "grey_bar", grey.astype(np.uint8), (f"M{int(pen.rng.integers(1, 9))}", "") if pen.chance(0.3) else ())


def colour_bar(pen: Pen, colours: Grey) -> None:
    """The bar of a colour map (n, 3) uint8, from towards the probe to away from it."""
    speed = float(pen.rng.uniform(3, 90))
    unit = pen.pick((" cm/s", "", "cm/s"))
    _bar(pen, "colour_bar", colours, (f"+{speed:.1f}{unit}", f"-{speed:.1f}{unit}"))


def ecg(pen: Pen) -> None:
    """A heart trace along the foot of the screen or over the lower part of the field, with marks at the R waves."""
    rng, (height, width) = pen.rng, pen.layer.size
    x0, x1 = sorted(float(v) for v in rng.uniform(0, 1, 2) * width)
    if x1 - x0 < 0.35 * width:
        x0, x1 = 0.05 * width, 0.95 * width
    xs = np.arange(x0, x1, 1.0)
    beat = (xs - x0) / (width * rng.uniform(0.1, 0.35)) % 1.0
    high = float(rng.uniform(0.02, 0.07)) * height
    trace = (
        np.exp(-(((beat - 0.3) / 0.02) ** 2)) - 0.25 * np.exp(-(((beat - 0.345) / 0.02) ** 2))
        + 0.25 * np.exp(-(((beat - 0.6) / 0.06) ** 2)) + 0.12 * np.exp(-(((beat - 0.15) / 0.04) ** 2))
    )  # fmt: skip
    if pen.chance(0.15):
        trace *= 0  # no leads: a flat line
    base = float(rng.uniform(0.82, 0.975)) * height
    path = [(float(x), float(base - high * v)) for x, v in zip(xs, trace + rng.normal(0, 0.015, len(xs)), strict=True)]
    colour = pen.shade(pen.pick(((80, 255, 90), (240, 240, 240), (255, 255, 0), pen.vendor.accent)))
    with pen.layer.item("ecg"):
        pen.layer.lines([path], colour, 1 + pen.chance(0.3), smooth=pen.vendor.smooth)
        if pen.chance(0.5):
            peaks = xs[1:-1][(trace[1:-1] > trace[:-2]) & (trace[1:-1] >= trace[2:]) & (trace[1:-1] > 0.8)]
            marks: list[list[Point]] = [[(float(x), base + 3), (float(x), base + 8)] for x in peaks]
            pen.layer.lines(marks, pen.vendor.accent, 1, smooth=False)
        if pen.chance(0.4):  # where in the beat this frame lies
            now = float(rng.uniform(x0, x1))
            pen.layer.lines([[(now, base - high), (now, base + 6)]], (255, 60, 60), 1, smooth=False)
    if pen.chance(0.6):
        pen.write("ui_text", f"{int(rng.integers(45, 170))}bpm", min(x1, width - 4), base + 6, colour, anchor=1.0)


def tgc_curve(pen: Pen) -> None:
    """The gain over depth as a bent line beside the field or over it, or the grey curve in a small box."""
    rng, width = pen.rng, pen.layer.size[1]
    x0, y0, x1, y1 = pen.area
    colour = pen.shade(pen.pick((pen.vendor.ink, pen.vendor.accent, (235, 235, 235))))
    with pen.layer.item("tgc_curve"):
        if pen.chance(0.7):
            ys = np.linspace(y0, y1 - 1, 9)
            lean = np.cumsum(rng.normal(0.4, 1.2, 9)) * 3 * pen.unit
            start = x1 + rng.uniform(-0.1, 0.08) * width if pen.chance(0.7) else x0 + rng.uniform(-0.08, 0.1) * width
            xs = np.clip(start + lean - lean.mean(), 1, width - 2)
            path: list[Point] = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
            pen.layer.lines([path], colour, 1, smooth=pen.vendor.smooth)
            if pen.chance(0.4):
                for x, y in path:
                    pen.layer.panel((round(x) - 1, round(y) - 1, round(x) + 2, round(y) + 2), colour)
            return
        side = round(rng.uniform(28, 70) * pen.unit)
        x, y = _place(pen, side, side)
        frame: list[Point] = [(x, y), (x + side - 1, y), (x + side - 1, y + side - 1), (x, y + side - 1)]
        pen.layer.lines([frame], colour, 1, closed=True, smooth=False)
        bend = float(rng.uniform(0.5, 2.0))
        curve = [(x + side * float(t), y + side * (1 - float(t) ** bend)) for t in np.linspace(0.02, 0.98, 20)]
        pen.layer.lines([curve], colour, 1)


def cine_bar(pen: Pen) -> None:
    """Where in the clip a frame lies: a bar with its filled part, a line with a mark, or a row of ticks."""
    rng, (height, width) = pen.rng, pen.layer.size
    wide, tall = round(rng.uniform(0.15, 0.7) * width), max(2, round(rng.uniform(2, 7) * pen.unit))
    x = round(rng.uniform(0.02, 0.95 - wide / width) * width) if wide < 0.9 * width else 2
    y = round(height - rng.uniform(8, 30) * pen.unit)
    done = round(rng.uniform(0, 1) * wide)
    accent, level = pen.shade(pen.vendor.accent), int(rng.integers(50, 110))
    with pen.layer.item("cine_bar"):
        if pen.chance(0.5):
            pen.layer.panel((x, y, x + wide, y + tall), (level, level, level))
            pen.layer.panel((x, y, x + max(done, 1), y + tall), accent)
        else:
            ends: list[list[Point]] = [[(x, y - 5), (x, y), (x + wide, y), (x + wide, y - 5)]]
            pen.layer.lines(ends, (220, 220, 220), 1, smooth=False)
            pen.layer.panel((x + done - 1, y - 4, x + done + 2, y + 1), accent)
    if pen.chance(0.4):
        total = int(rng.integers(20, 400))
        pen.write("ui_text", f"{int(rng.integers(1, total))}/{total}", x + wide + 6, y - 0.5 * pen.size)
