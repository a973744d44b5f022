"""Every overlay kind that devices and readers burn into the image area, each with its exact mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.canvas import FONTS, Canvas, Colour, Point
from ultracurate.phantom.sectors import Sector, screen

OVERLAYS = (
    "patient_text",
    "ui_text",
    "insector_text",
    "measurement_text",
    "caliper",
    "dotted_line",
    "ruler",
    "arrow",
    "outline",
    "roi_box",
    "body_mark",
    "logo",
    "colour_bar",
    "ui_panel",
)
"""All mask kinds; `ui_panel` is the flat background of bars and result boxes."""

INKS: tuple[Colour, ...] = (
    (240, 240, 240),
    (200, 200, 200),
    (165, 165, 165),
    (255, 235, 60),
    (90, 255, 120),
    (80, 220, 255),
    (255, 150, 60),
)
LABELS = ("RT UOQ", "LT 3:00", "RT AXILLA", "SAG", "TRANS", "LIVER", "LT LOBE", "CCA", "LV", "RA", "GB", "MASS")
RESULTS = ("Dist {0:.2f} cm", "D1 {0:.1f} mm", "A {0:.2f} cm2", "Vol {0:.1f} ml", "HR {1} bpm", "EF {2} %")


class Pen:
    """Where and how overlays are drawn on one frame: the canvas, its sector, the random draws and a common scale."""

    def __init__(self, canvas: Canvas, sector: Sector, rng: np.random.Generator) -> None:
        self.canvas, self.sector, self.rng = canvas, sector, rng
        self.unit = max(0.55, min(canvas.size[0] / 600, canvas.size[1] / 800))

    def ink(self) -> Colour:
        """One of the usual overlay colours."""
        return INKS[int(self.rng.integers(len(INKS)))]

    def font(self) -> str:
        """One of the fonts."""
        return FONTS[int(self.rng.integers(len(FONTS)))]

    def spot(self, depth: tuple[float, float] = (0.3, 0.7), lateral: float = 0.4) -> Point:
        """A random place inside the sector, (x, y) pixels."""
        return screen(self.sector, self.rng.uniform(*depth), self.rng.uniform(-lateral, lateral))


def _ring(centre: Point, rx: float, ry: float, tilt: float, steps: int = 40) -> list[Point]:
    turn = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    x, y = rx * np.cos(turn), ry * np.sin(turn)
    xs = centre[0] + x * np.cos(tilt) - y * np.sin(tilt)
    ys = centre[1] + x * np.sin(tilt) + y * np.cos(tilt)
    return [(float(a), float(b)) for a, b in zip(xs, ys, strict=True)]


def _mark(pen: Pen, kind: str, at: Point, colour: Colour, shape: str) -> None:
    x, y, arm = at[0], at[1], 5.5 * pen.unit
    cross = [[(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)]]
    tilted = [[(x - arm, y - arm), (x + arm, y + arm)], [(x - arm, y + arm), (x + arm, y - arm)]]
    roof = [[(x - arm, y), (x + arm, y)], [(x, y), (x, y + arm)]]
    gap = [[(x + s * arm, y), (x + s * arm * 0.35, y)] for s in (-1, 1)]
    gap += [[(x, y + s * arm), (x, y + s * arm * 0.35)] for s in (-1, 1)]
    paths = {"plus": cross, "x": tilted, "star": cross + tilted, "T": roof, "gap": gap}[shape]
    pen.canvas.lines(kind, paths, colour)


def _ends(pen: Pen) -> tuple[Point, Point]:
    centre, reach = pen.spot(), pen.rng.uniform(22, 60) * pen.unit
    turn = pen.rng.uniform(0, np.pi)
    dx, dy = reach * np.cos(turn), reach * np.sin(turn)
    return (centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy)


def _dots(pen: Pen, start: Point, stop: Point, colour: Colour) -> None:
    count = max(2, int(np.hypot(stop[0] - start[0], stop[1] - start[1]) / (6 * pen.unit)))
    share = (np.arange(count) + 0.5) / count
    size = pen.rng.uniform(0.8, 2.0)
    ux, uy = (stop[0] - start[0]) / count / 6 * size, (stop[1] - start[1]) / count / 6 * size
    xs, ys = start[0] + share * (stop[0] - start[0]), start[1] + share * (stop[1] - start[1])
    dashes: list[list[Point]] = [[(x - ux, y - uy), (x + ux, y + uy)] for x, y in zip(xs, ys, strict=True)]
    pen.canvas.lines("dotted_line", dashes, colour)


def draw_caliper(pen: Pen) -> None:
    """Two marks at the ends of a distance."""
    colour, shape = pen.ink(), ("plus", "x", "star", "T", "gap")[int(pen.rng.integers(5))]
    for end in _ends(pen):
        _mark(pen, "caliper", end, colour, shape)


def draw_dotted_line(pen: Pen) -> None:
    """A dotted or dashed line between two calipers."""
    colour, (start, stop) = pen.ink(), _ends(pen)
    _dots(pen, start, stop, colour)
    for end in (start, stop):
        _mark(pen, "caliper", end, colour, "plus")


def draw_arrow(pen: Pen) -> None:
    """A pointing arrow: open, hollow or filled."""
    tip, turn, size = pen.spot(), pen.rng.uniform(0, 2 * np.pi), pen.rng.uniform(18, 30) * pen.unit
    colour, style = pen.ink(), int(pen.rng.integers(3))

    def place(along: float, across: float) -> Point:
        return (
            tip[0] - size * (along * np.cos(turn) - across * np.sin(turn)),
            tip[1] - size * (along * np.sin(turn) + across * np.cos(turn)),
        )

    if style == 0:
        head = [place(0.35, 0.2), place(0, 0), place(0.35, -0.2)]
        pen.canvas.lines("arrow", [[place(0, 0), place(1, 0)], head], colour, 2)
        return
    body = [(0, 0), (0.45, 0.28), (0.45, 0.1), (1, 0.1), (1, -0.1), (0.45, -0.1), (0.45, -0.28)]
    outline = [place(a, b) for a, b in body]
    if style == 1:
        pen.canvas.lines("arrow", [outline], colour, 1, closed=True)
    else:
        pen.canvas.fill("arrow", outline, colour)


def draw_outline(pen: Pen) -> None:
    """A lesion outline as a reader draws it, 1 to 3 px thick."""
    tilt, rx = pen.rng.uniform(0, np.pi), pen.rng.uniform(25, 60) * pen.unit
    ring = _ring(pen.spot(), rx, rx * pen.rng.uniform(0.5, 0.9), tilt)
    wobble = pen.rng.normal(0, 1.2 * pen.unit, (len(ring), 2))
    path = [(x + float(a), y + float(b)) for (x, y), (a, b) in zip(ring, wobble, strict=True)]
    pen.canvas.lines("outline", [path], pen.ink(), int(pen.rng.integers(1, 4)), closed=True)


def roi_corners(pen: Pen) -> list[tuple[float, float]]:
    """Corners of a region box in (depth, lateral), drawn from the pen's random draws."""
    top, left = pen.rng.uniform(0.25, 0.4), pen.rng.uniform(-0.55, -0.25)
    bottom, right = top + pen.rng.uniform(0.25, 0.4), left + pen.rng.uniform(0.45, 0.8)
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def roi_path(pen: Pen, corners: list[tuple[float, float]]) -> list[Point]:
    """The region box as a screen polygon that follows the beams, (x, y) pixels."""
    path: list[Point] = []
    for (d0, l0), (d1, l1) in zip(corners, corners[1:] + corners[:1], strict=True):
        path += [screen(pen.sector, d0 + t * (d1 - d0), l0 + t * (l1 - l0)) for t in np.linspace(0, 1, 12)[:-1]]
    return path


def draw_roi_box(pen: Pen) -> None:
    """A colour or focus region box whose sides follow the beams."""
    pen.canvas.lines("roi_box", [roi_path(pen, roi_corners(pen))], pen.ink(), 1, closed=True)


def draw_insector_text(pen: Pen) -> None:
    """A reader's label on the tissue."""
    text = LABELS[int(pen.rng.integers(len(LABELS)))]
    size = round(pen.rng.uniform(10, 15) * pen.unit)
    x, y = pen.spot((0.12, 0.85), 0.45)
    pen.canvas.text(
        "insector_text", text, (x - 30 * pen.unit, y), pen.ink(), pen.font(), size, bool(pen.rng.integers(2))
    )


def draw_measurement_text(pen: Pen) -> None:
    """One to three measured values at a lower corner of the screen, sometimes in a filled box."""
    colour, font, size = pen.ink(), pen.font(), max(8, round(11 * pen.unit))
    count, step = int(pen.rng.integers(1, 4)), round(18 * pen.unit)
    height, width = pen.canvas.size
    x = round(width * (0.04 if pen.rng.random() < 0.5 else 0.66))
    y = height - round(70 * pen.unit) - count * step
    if pen.rng.random() < 0.4:
        box = (x - 5, y - 5, x + round(150 * pen.unit), y + count * step)
        pen.canvas.panel("ui_panel", box, (24, 30, 44))
    for row in range(count):
        numbers = pen.rng.uniform(0.5, 9.0), int(pen.rng.integers(55, 170)), int(pen.rng.integers(30, 70))
        text = f"{row + 1} " + RESULTS[int(pen.rng.integers(len(RESULTS)))].format(*numbers)
        pen.canvas.text("measurement_text", text, (x, y + row * step), colour, font, size)


def draw_ruler(pen: Pen) -> None:
    """Depth ticks along the sector's side, every fifth one longer."""
    colour = (190, 190, 190)
    right = min(pen.sector.box[2] + 8, pen.canvas.size[1] - 12)
    top, bottom = pen.sector.box[1] + 2, pen.sector.box[3] - 2
    places = np.linspace(top, bottom, int(pen.rng.integers(3, 6)) * 5 + 1)
    ticks: list[list[Point]] = [
        [(right, float(y)), (right + (9 if index % 5 == 0 else 4), float(y))] for index, y in enumerate(places)
    ]
    pen.canvas.lines("ruler", ticks, colour, 1, smooth=False)


def draw_body_mark(pen: Pen) -> None:
    """A small body outline with a probe line, near a lower corner of the image area."""
    colour, x0, y0 = pen.ink(), pen.sector.box[0], pen.sector.box[3]
    centre = (x0 + 34 * pen.unit, y0 - 34 * pen.unit)
    torso = _ring(centre, 22 * pen.unit, 16 * pen.unit, 0.0, 24)
    nipple = _ring(centre, 3 * pen.unit, 3 * pen.unit, 0.0, 10)
    pen.canvas.lines("body_mark", [torso + torso[:1], nipple + nipple[:1]], colour)
    turn = pen.rng.uniform(0, 2 * np.pi)
    tip = (centre[0] + 13 * pen.unit * np.cos(turn), centre[1] + 11 * pen.unit * np.sin(turn))
    pen.canvas.lines("body_mark", [[tip, (tip[0] + 6, tip[1] + 6)]], (90, 255, 120), 2)


DRAW: dict[str, Callable[[Pen], None]] = {
    "caliper": draw_caliper,
    "dotted_line": draw_dotted_line,
    "arrow": draw_arrow,
    "outline": draw_outline,
    "roi_box": draw_roi_box,
    "insector_text": draw_insector_text,
    "measurement_text": draw_measurement_text,
    "ruler": draw_ruler,
    "body_mark": draw_body_mark,
}
"""Overlays that stand by themselves; the other kinds come with the screen style."""


def draw(pen: Pen, kind: str) -> None:
    """Draw one overlay of `kind`."""
    if kind not in DRAW:
        raise ConfigError(f"Expected an overlay of {', '.join(DRAW)}, found {kind!r}. The rest come with the style.")
    DRAW[kind](pen)
