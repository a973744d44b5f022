"""Things that point: arrows, the mouse, probe and focus marks, needle and biopsy lines, Doppler gate and M line."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.measuring import dotted
from ultracurate.phantom.burned.pen import BLACK, Pen
from ultracurate.phantom.burned.site import Site
from ultracurate.phantom.canvas import Colour, Point


def arrow(pen: Pen) -> None:
    """One to three arrows: lines, hollow, filled or thin as a needle."""
    rng, colour, style = pen.rng, pen.tone(), pen.pick(("line", "hollow", "filled", "thin", "head"))
    edge = BLACK if pen.chance(0.35) else None
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        tip, turn, size = pen.site().spot(rng), rng.uniform(0, 2 * np.pi), rng.uniform(12, 46) * pen.unit

        def place(along: float, across: float, tip: Point = tip, turn: float = turn, size: float = size) -> Point:
            cos, sin = float(np.cos(turn)), float(np.sin(turn))
            return tip[0] - size * (along * cos - across * sin), tip[1] - size * (along * sin + across * cos)

        with pen.layer.item("arrow"):
            if style in ("line", "thin"):
                spread = 0.2 if style == "line" else 0.08
                head = [place(0.3, spread), place(0, 0), place(0.3, -spread)]
                pen.layer.lines([[place(0, 0), place(1, 0)], head], colour, 2 if style == "line" else 1, edge=edge)
                continue
            if style == "head":
                outline = [place(0, 0), place(0.55, 0.25), place(0.42, 0), place(0.55, -0.25)]
            else:
                body = [(0, 0), (0.45, 0.28), (0.45, 0.1), (1, 0.1), (1, -0.1), (0.45, -0.1), (0.45, -0.28)]
                outline = [place(a, b) for a, b in body]
            if style == "hollow":
                pen.layer.lines([outline], colour, 1 + pen.chance(0.3), closed=True, edge=edge)
            else:
                pen.layer.fill(outline, colour)
                if edge is not None:
                    pen.layer.lines([outline], BLACK, 1, closed=True)


def cursor(pen: Pen) -> None:
    """A mouse pointer, a cross of lines over the field, or a bar where text is typed."""
    x, y = pen.site().spot(pen.rng, (0.05, 0.95), 0.5)
    k, colour = pen.unit * float(pen.rng.uniform(0.8, 1.7)), pen.tone() if pen.chance(0.5) else (255, 255, 255)
    kind = pen.rng.random()
    with pen.layer.item("cursor"):
        if kind < 0.65:
            outline = [(0, 0), (0, 15), (3.5, 11.5), (6, 17.5), (8.4, 16.4), (6, 10.6), (10.6, 10.6)]
            path = [(x + k * a, y + k * b) for a, b in outline]
            pen.layer.fill(path, colour)
            if pen.chance(0.7):
                pen.layer.lines([path], BLACK if sum(colour) > 200 else (255, 255, 255), 1, closed=True)
        elif kind < 0.85:
            arm = 10 * k
            pen.layer.lines([[(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)]], colour, 1, smooth=False)
        else:
            pen.layer.panel((round(x), round(y), round(x) + max(1, round(2 * k)), round(y + 12 * k)), colour)


def orientation(pen: Pen) -> None:
    """The mark of the probe's side at an upper corner of the field: ball, letter, dot, disc, diamond or arrow."""
    site, rng = pen.site(), pen.rng
    index = 0 if pen.chance(0.7) else len(site.top) - 1
    x = site.box[0] + (0.3 if index == 0 else 0.7) * (site.box[2] - site.box[0]) if site.fan else float(site.box[0])
    if site.fan is None and index:
        x = float(site.box[2])
    y = float(site.box[1]) + float(rng.uniform(-16, 12)) * pen.unit
    x += float(rng.uniform(-12, 12)) * pen.unit
    r = float(rng.uniform(4, 11)) * pen.unit
    style = (
        pen.vendor.orientation if pen.chance(0.7) else pen.pick(("ball", "letter", "dot", "diamond", "arrow", "disc"))
    )
    colour, letter = pen.shade(pen.vendor.accent), pen.pick("PRVKLB")
    with pen.layer.item("orientation_marker"):
        if style in ("ball", "disc"):
            pen.layer.disc((x, y), r, colour)
            if style == "ball":
                pen.layer.disc((x, y), r, (230, 230, 230), 1)
        elif style == "dot":
            pen.layer.disc((x, y), max(1.5, 0.4 * r), colour)
        elif style == "diamond":
            pen.layer.fill([(x - r, y), (x, y - r), (x + r, y), (x, y + r)], colour)
            pen.layer.fill([(x - r, y), (x, y - r), (x - 0.3 * r, y)], (235, 200, 60))
        elif style == "arrow":
            pen.layer.lines([[(x - r, y + r), (x, y)], [(x - 0.6 * r, y), (x, y), (x, y + 0.6 * r)]], colour, 1)
        else:
            pen.layer.lines([[(x - r, y - r), (x - r, y + r), (x + r, y + r)]], colour, 1 + pen.chance(0.4))
    if style in ("ball", "disc", "letter"):
        ink: Colour = (255, 255, 255) if style != "letter" else colour
        pen.write("orientation_marker", letter, x, y - 0.5 * r, ink, 1.5 * r, anchor=0.5, clear=False)


def focus(pen: Pen) -> None:
    """Focus depth on or beside the field: triangles, hourglasses, or a bracket along a side."""
    site, rng = pen.site(), pen.rng
    style = pen.vendor.focus if pen.chance(0.75) else pen.pick(("triangle", "hourglass", "bracket"))
    right = pen.vendor.ruler_side != "left"
    colour = pen.shade(pen.pick((pen.vendor.accent, pen.vendor.mark, pen.vendor.ink)))
    side = site.side(right, 41) if pen.chance(0.35) else [
        (float(site.box[2] if right else site.box[0]), float(y)) for y in np.linspace(site.box[1], site.box[3], 41)
    ]  # fmt: skip
    out = (1.0 if right else -1.0) * float(rng.uniform(-6, 12)) * pen.unit
    index, k = int(rng.integers(6, 32)), float(rng.uniform(3, 6)) * pen.unit
    if style == "bracket":
        ends = [(x + out, y) for x, y in side[max(0, index - 6) : index + 7]]
        (ax, ay), (bx, by) = ends[0], ends[-1]
        norm = max(float(np.hypot(bx - ax, by - ay)), 1.0)
        nx, ny = (by - ay) / norm * k, -(bx - ax) / norm * k
        caps = [[(x - nx, y - ny), (x + nx, y + ny)] for x, y in (ends[0], ends[-1])]
        with pen.layer.item("focus_marker"):
            pen.layer.lines([[ends[0], ends[-1]], *caps], (235, 235, 235), 1)
            pen.layer.disc(((ax + bx) / 2, (ay + by) / 2), 0.7 * k, colour)
        return
    for _ in range(int(rng.integers(1, 4))):
        x, y = side[min(index, 40)]
        x += out
        with pen.layer.item("focus_marker"):
            if style == "hourglass":
                pen.layer.fill([(x - k, y - 2 * k), (x + k, y - 2 * k), (x, y)], colour)
                pen.layer.fill([(x - k, y + 2 * k), (x + k, y + 2 * k), (x, y)], colour)
            else:
                tip = -1.0 if right else 1.0
                pen.layer.fill([(x + tip * k, y), (x - tip * k, y - k), (x - tip * k, y + k)], colour)
        index += int(rng.integers(3, 9))


def _beam(site: Site, lateral: float, low: float, high: float, steps: int = 30) -> list[Point]:
    return [site.at(lateral, float(depth)) for depth in np.linspace(low, high, steps)]


def _long(path: list[Point]) -> float:
    return float(np.hypot(*np.diff(np.asarray(path), axis=0).T).sum())


def needle_guide(pen: Pen) -> None:
    """One or two rows of dots from a side of the field down across it: where a guided needle would go."""
    site, rng, colour = pen.site(), pen.rng, pen.tone()
    x0, y0, x1, y1 = site.box
    left = pen.chance(0.5)
    start = (
        (x0 + 0.02 * (x1 - x0)) if left else (x1 - 0.02 * (x1 - x0)),
        y0 + float(rng.uniform(0.02, 0.3)) * (y1 - y0),
    )
    turn = float(rng.uniform(0.5, 1.2))
    long = float(rng.uniform(0.6, 1.0)) * min(x1 - x0, y1 - y0)
    stop = (start[0] + long * np.cos(turn) * (1 if left else -1), start[1] + long * np.sin(turn))
    gap, step = float(rng.uniform(8, 22)) * pen.unit, float(rng.uniform(5, 14))
    with pen.layer.item("needle_guide"):
        for shift in (0.0, gap)[: 1 + pen.chance(0.7)]:
            path: list[Point] = [(start[0], start[1] + shift), (float(stop[0]), float(stop[1]) + shift)]
            dotted(pen, path, long, pen.pick(("dots", "dashes")), colour, None, step)


def biopsy_line(pen: Pen) -> None:
    """A line with ticks at each step of depth, straight down or slanted."""
    site, rng, colour = pen.site(), pen.rng, pen.tone()
    path = _beam(site, float(rng.uniform(0.25, 0.75)), 0.02, float(rng.uniform(0.6, 0.98)), 2)
    (ax, ay), (bx, by) = path
    if pen.chance(0.5):
        ax += float(rng.uniform(-0.3, 0.3)) * (site.box[2] - site.box[0])
    long = max(float(np.hypot(bx - ax, by - ay)), 1.0)
    nx, ny = (by - ay) / long, -(bx - ax) / long
    arm = float(rng.uniform(2, 6)) * pen.unit
    ticks: list[list[Point]] = []
    for share in np.linspace(0.05, 1, int(rng.integers(5, 16))):
        x, y = ax + float(share) * (bx - ax), ay + float(share) * (by - ay)
        ticks.append([(x - arm * nx, y - arm * ny), (x + arm * nx, y + arm * ny)])
    with pen.layer.item("biopsy_line"):
        dotted(pen, [(ax, ay), (bx, by)], long, pen.pick(("dots", "dashes", "solid")), colour, None, 6.0)
        pen.layer.lines(ticks, colour, 1, smooth=pen.vendor.smooth)


def doppler_gate(pen: Pen) -> None:
    """The beam of pulsed Doppler with its gate of two bars, and the line that corrects the angle."""
    site, rng, colour = pen.site(), pen.rng, pen.tone()
    lateral, depth = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.25, 0.8))
    beam = _beam(site, lateral, 0.0, 1.0)
    x, y = site.at(lateral, depth)
    tx, ty = site.at(lateral, min(depth + 0.05, 1.0))
    long = max(float(np.hypot(tx - x, ty - y)), 1e-3)
    ux, uy = (tx - x) / long, (ty - y) / long
    half, arm = float(rng.uniform(3, 8)) * pen.unit, float(rng.uniform(5, 11)) * pen.unit
    bars: list[list[Point]] = [
        [(x + s * half * ux - arm * uy, y + s * half * uy + arm * ux),
         (x + s * half * ux + arm * uy, y + s * half * uy - arm * ux)] for s in (-1, 1)
    ]  # fmt: skip
    with pen.layer.item("doppler_gate"):
        dotted(pen, beam, _long(beam), pen.pick(("solid", "dashes", "dots")), colour, None, 5.0)
        pen.layer.lines(bars, colour, 1 + pen.chance(0.4), smooth=pen.vendor.smooth)
        if pen.chance(0.6):
            turn, reach = rng.uniform(-1.0, 1.0), float(rng.uniform(18, 50)) * pen.unit
            dx, dy = reach * float(np.cos(turn)), reach * float(np.sin(turn))
            pen.layer.lines([[(x - dx, y - dy), (x + dx, y + dy)]], colour, 1, smooth=pen.vendor.smooth)


def m_line(pen: Pen) -> None:
    """The beam of an M-mode picture across the field."""
    site, colour = pen.site(), pen.tone()
    beam = _beam(site, float(pen.rng.uniform(0.15, 0.85)), 0.0, 1.0)
    with pen.layer.item("m_line"):
        dotted(pen, beam, _long(beam), pen.pick(("solid", "dashes", "dots", "dots")), colour, None,
               float(pen.rng.uniform(3, 9)))  # fmt: skip
