"""Pieces of invented device furniture: each draws one thing around or on a field, in the colours of its theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.phantom.canvas import FONTS, Canvas, Colour, Point
from ultracurate.phantom.fields import Field
from ultracurate.phantom.overlays import DRAW, Pen
from ultracurate.phantom.screens import PARAMETERS, invent_identity
from ultracurate.phantom.sectors import Box, Sector
from ultracurate.phantom.textures import Grey

Rng = np.random.Generator


@dataclass(frozen=True)
class Theme:
    """What a screen's furniture has in common: its colours, its font and its scale."""

    ground: Colour
    panel: Colour
    ink: Colour
    accent: Colour
    font: str
    text: int


@dataclass(frozen=True)
class Scene:
    """What furniture is drawn on and around: the canvas, the random draws, the theme, the area and the fields in it."""

    canvas: Canvas
    rng: Rng
    theme: Theme
    area: Box
    fields: list[Field]

    def words(self) -> str:
        """One line of parameters as devices print them."""
        rng = self.rng
        numbers = (
            int(rng.integers(12, 60)), rng.uniform(3, 18), int(rng.integers(20, 80)), int(rng.integers(-9, 1)),
            int(rng.integers(48, 80)), rng.uniform(0.4, 1.4), int(rng.integers(1, 9)), int(rng.integers(1, 6)),
        )  # fmt: skip
        return PARAMETERS[int(rng.integers(len(PARAMETERS)))].format(*numbers)

    def write(self, text: str, x: float, y: float, colour: Colour | None = None, size: int = 0) -> None:
        """One line of text in the theme's font."""
        theme = self.theme
        self.canvas.text("ui_text", text, (x, y), colour or theme.ink, theme.font, size or theme.text)


def header(scene: Scene) -> None:
    """An invented patient's lines above the area."""
    who, height = invent_identity(int(scene.rng.integers(10**6))), scene.area[1]
    step, width = round(scene.theme.text * 1.8), scene.canvas.size[1]
    lines = [who.name.replace("^", ", "), who.patient_id, who.hospital, who.birth_date, scene.words(), scene.words()]
    for index, line in enumerate(lines):
        y = 3 + (index % 2) * step
        if y < max(height, step):
            scene.write(line, width * (0.01 + 0.33 * (index // 2) + 0.05 * scene.rng.random()), y)


def column(scene: Scene) -> None:
    """Parameters down one side, partly over the field where the area leaves no room."""
    step, (height, width) = round(scene.theme.text * 1.9), scene.canvas.size
    left = scene.rng.random() < 0.5
    x = 4 if left else max(scene.area[2] + 6, width - round(7.5 * scene.theme.text))
    y = scene.area[1] + scene.rng.uniform(0, 0.4) * (scene.area[3] - scene.area[1])
    for index in range(int(scene.rng.integers(3, 11))):
        if y + step < height:
            scene.write(scene.words(), x, y, scene.theme.accent if index == 2 else None)
        y += step * (1 + (scene.rng.random() < 0.15))


def footer(scene: Scene) -> None:
    """A line of parameters below the area."""
    height, width = scene.canvas.size
    y = min(scene.area[3] + 4, height - scene.theme.text - 3)
    for share in np.arange(0.02, 0.95, scene.rng.uniform(0.12, 0.3)):
        scene.write(scene.words(), width * share, y)


def grey_bar(scene: Scene) -> None:
    """A bar of grey levels or of flow colours beside the area."""
    height, width = scene.canvas.size
    tall, wide = round(height * scene.rng.uniform(0.12, 0.5)), max(4, round(width * scene.rng.uniform(0.008, 0.022)))
    x = scene.area[0] - wide - 4 if scene.rng.random() < 0.5 else scene.area[2] + 4
    if scene.rng.random() < 0.15:  # on the field's own edge
        x = scene.fields[0].box[0] + int(scene.rng.integers(0, 12))
    x, y = int(np.clip(x, 0, width - wide)), int(np.clip(scene.area[1] + scene.rng.uniform(0, 90), 0, height - tall))
    level = np.linspace(255, 0, tall).round().astype(np.uint8)
    ramp = np.repeat(level[:, None], 3, axis=1)
    if scene.rng.random() < 0.25:
        ramp = np.asarray(cv2.applyColorMap(level[:, None], int(scene.rng.integers(0, 12)))[:, 0], np.uint8)
    scene.canvas.picture("colour_bar", np.repeat(ramp[:, None], wide, axis=1), x, y)


def side_ruler(scene: Scene) -> None:
    """Depth ticks down a side of the area or of the field, numbered or not."""
    field = scene.fields[int(scene.rng.integers(len(scene.fields)))]
    box = scene.area if scene.rng.random() < 0.4 else field.box
    right = scene.rng.random() < 0.6
    x = box[2] + int(scene.rng.integers(0, 8)) if right else box[0] - int(scene.rng.integers(1, 9))
    count, long = int(scene.rng.integers(6, 40)), scene.rng.uniform(3, 9)
    for index, y in enumerate(np.linspace(box[1], box[3] - 1, count)):
        reach = (long if index % 5 == 0 else long / 2) * (1 if right else -1)
        scene.canvas.lines("ruler", [[(x, y), (x + reach, y)]], scene.theme.ink, 1, smooth=False)
        if index % 5 == 0 and scene.rng.random() < 0.5:
            scene.write(str(index // 5), x + 1.6 * reach, y - 4)


def edge_dots(scene: Scene) -> None:
    """Depth dots along one straight side of the field, on its very edge."""
    field = scene.fields[int(scene.rng.integers(len(scene.fields)))]
    side, count = float(scene.rng.integers(2)), int(scene.rng.integers(5, 26))
    for depth in np.linspace(0, 1, count):
        x, y = field.edge(side + scene.rng.uniform(-0.004, 0.004), float(depth))
        size = int(scene.rng.integers(1, 4))
        scene.canvas.panel("ruler", (round(x), round(y), round(x) + size, round(y) + size), scene.theme.ink)


def ecg(scene: Scene) -> None:
    """A heart trace below or over the lower part of the field."""
    height, width = scene.canvas.size
    xs = np.linspace(scene.area[0], scene.area[2], 240)
    beat = (xs - xs[0]) / max(30.0, width * scene.rng.uniform(0.08, 0.3)) % 1.0
    trace = np.exp(-(((beat - 0.3) / 0.03) ** 2)) + 0.2 * np.exp(-(((beat - 0.6) / 0.07) ** 2))
    base = scene.rng.uniform(0.84, 0.98) * height
    path: list[Point] = [(float(x), float(base - 0.05 * height * v)) for x, v in zip(xs, trace, strict=True)]
    scene.canvas.lines("ui_text", [path], scene.theme.accent, 1)


def logo(scene: Scene) -> None:
    """A mark at the upper corner of the area, and a probe marker near the field's top."""
    x, y = scene.fields[0].edge(float(scene.rng.random() < 0.5), 0.0)
    size = round(scene.theme.text * scene.rng.uniform(0.8, 2))
    x, y = x + scene.rng.uniform(-4, 1) * size, y + scene.rng.uniform(-1.5, 1) * size
    if scene.rng.random() < 0.5:
        scene.write("PGRV"[int(scene.rng.integers(4))], x, y, scene.theme.accent, size)
    else:
        turns = np.linspace(0, 2 * np.pi, 14)
        ring: list[Point] = [(x + size / 2 * float(np.cos(t)), y + size / 2 * float(np.sin(t))) for t in turns]
        scene.canvas.fill("logo", ring, scene.theme.accent)


def thumbnails(scene: Scene) -> None:
    """Small copies of the picture in a strip: texture that is not the field."""
    height, width = scene.canvas.size
    tall, wide = round(height * 0.11), round(width * 0.11)
    small = cv2.resize(scene.canvas.image, (wide, tall), interpolation=cv2.INTER_AREA)
    upright = scene.rng.random() < 0.5
    for index in range(int(scene.rng.integers(2, 6))):
        x = 3 if upright else round(width * 0.05) + index * (wide + 6)
        y = scene.area[1] + index * (tall + 6) if upright else height - tall - 3
        room = x + wide <= scene.area[0] if upright else y >= scene.area[3]
        if room and x + wide < width and y + tall < height:
            scene.canvas.picture("ui_panel", np.asarray(small, np.uint8), x, y)


def buttons(scene: Scene) -> None:
    """A tool bar of flat buttons on one side, outside the area."""
    height, width = scene.canvas.size
    side = round(min(height, width) * scene.rng.uniform(0.04, 0.08))
    right = width - scene.area[2] >= side
    if not right and height - scene.area[3] < side:
        return
    for index in range(int(scene.rng.integers(3, 12))):
        x = width - side if right else round(width * 0.04) + index * round(side * 1.7)
        y = scene.area[1] + index * (side + 4) if right else height - side
        scene.canvas.panel("ui_panel", (x, y, x + side - 3, min(y + side - 3, height)), scene.theme.panel)
        scene.write("ABFGKMQ"[index % 7], x + side // 4, y + side // 4)


def focus_marks(scene: Scene) -> None:
    """Triangles of focus depth and a gain curve beside the field."""
    width = scene.canvas.size[1]
    x, size = min(scene.area[2] + 2, width - 12), 4 + scene.theme.text // 3
    for y in scene.rng.uniform(scene.area[1], scene.area[3], int(scene.rng.integers(1, 4))):
        scene.canvas.fill("ruler", [(x, y), (x + size, y - size / 2), (x + size, y + size / 2)], scene.theme.accent)
    ys = np.linspace(scene.area[1], scene.area[3], 40)
    bend = scene.area[2] + (width - scene.area[2]) * (0.5 + 0.2 * np.sin(ys / scene.rng.uniform(40, 160)))
    curve: list[Point] = [(float(a), float(b)) for a, b in zip(bend, ys, strict=True)]
    scene.canvas.lines("ui_text", [curve], scene.theme.panel, 1)


def result_box(scene: Scene) -> None:
    """A filled box of measured values over a corner of the area, field or not."""
    x0, y0, x1, y1 = scene.area
    wide, step = round(scene.theme.text * 13), round(scene.theme.text * 1.8)
    x = x0 if scene.rng.random() < 0.5 else x1 - wide
    y = y0 + 4 if scene.rng.random() < 0.3 else y1 - 3 * step - 4
    if scene.rng.random() < 0.6:
        scene.canvas.panel("ui_panel", (x, y, x + wide, y + 3 * step), scene.theme.panel)
    for line in range(3):
        scene.write(f"{line + 1} D {scene.rng.uniform(0.4, 9):.2f} cm", x + 4, y + 3 + line * step)


def marks(scene: Scene) -> None:
    """Calipers, lines, arrows, labels and body marks on the tissue."""
    field = scene.fields[int(scene.rng.integers(len(scene.fields)))]
    x0, y0, x1, y1 = field.box
    inner = (x0 + (x1 - x0) // 6, y0 + (y1 - y0) // 8, x1 - (x1 - x0) // 6, y1 - (y1 - y0) // 8)
    pen = Pen(scene.canvas, Sector("linear", inner if scene.rng.random() < 0.8 else field.box), scene.rng)
    kinds = [kind for kind in DRAW if kind not in ("ruler", "measurement_text")]
    for kind in scene.rng.choice(kinds, int(scene.rng.integers(1, 4))):
        DRAW[str(kind)](pen)


def scribble(scene: Scene) -> None:
    """Thin curves, dashes and ticks of no meaning, anywhere on the screen, across the field's edges too."""
    rng, (height, width) = scene.rng, scene.canvas.size
    for _ in range(int(rng.integers(1, 6))):
        share = np.linspace(0, 1, int(rng.integers(2, 90)))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        long, turn = rng.uniform(0.05, 1.0) * width, rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
        wave = rng.uniform(0, 0.04) * height * np.sin(2 * np.pi * (rng.uniform(0.3, 9) * share + rng.random()))
        bend = rng.uniform(-0.2, 0.2) * long * share * (1 - share)
        xs = x + share * long * np.cos(turn) - (wave + bend) * np.sin(turn)
        ys = y + share * long * np.sin(turn) + (wave + bend) * np.cos(turn)
        path: list[Point] = [(float(a), float(b)) for a, b in zip(xs, ys, strict=True)]
        colour, style = (scene.theme.ink, scene.theme.accent)[int(rng.integers(2))], rng.random()
        if style < 0.5:
            scene.canvas.lines("ui_text", [path], colour, int(rng.integers(1, 3)))
        elif style < 0.75:
            scene.canvas.lines("ui_text", [path[i : i + 2] for i in range(0, len(path) - 1, 2)] or [path], colour, 1)
        else:
            size = rng.uniform(2, 9)
            ticks: list[list[Point]] = [[(a, b), (a + size * np.sin(turn), b + size * np.cos(turn))] for a, b in path]
            scene.canvas.lines("ruler", ticks[::3], colour, 1)


def litter(image: Grey, rng: Rng) -> None:
    """Blocks of no meaning under the fields, drawn into `image` (H, W, 3): flat, shaded, striped, noisy or framed."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(1, 7))):
        high, wide = (max(3, int(v)) for v in rng.uniform(0.01, 0.3, 2) * (height, width))
        y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
        part = image[y : y + high, x : x + wide]
        kind, level = int(rng.integers(5)), rng.uniform(20, 255, 3) if rng.random() < 0.4 else rng.uniform(20, 255)
        high, wide = part.shape[:2]
        pattern = np.ones((high, wide, 1))
        if kind == 1:
            pattern = np.linspace(rng.uniform(0, 0.8), 1, high)[:, None, None] * pattern
        elif kind == 2:
            pattern = pattern * (np.arange(wide) % int(rng.integers(2, 14)) < 2)[None, :, None]
        elif kind == 3:
            pattern = rng.random((high, wide, 1)) * (rng.random((high, wide, 1)) < rng.uniform(0.05, 1))
        elif kind == 4:  # a frame
            pattern = np.ones((high, wide, 1)) * 0
            pattern[[0, -1]] = pattern[:, [0, -1]] = 1
        part[:] = np.where(pattern > 0, pattern * level, part).astype(np.uint8)


def arc_ruler(scene: Scene) -> None:
    """Ticks along the far edge of the field."""
    field = scene.fields[0]
    for lateral in np.linspace(0.05, 0.95, int(scene.rng.integers(7, 22))):
        start, stop = field.edge(float(lateral), 1.005), field.edge(float(lateral), 1.02)
        scene.canvas.lines("ruler", [[start, stop]], scene.theme.ink, 1)


def graph(scene: Scene) -> None:
    """A small plot in a frame outside the area: axes, a curve, bars."""
    height, width = scene.canvas.size
    x0, x1 = (4, scene.area[0] - 4) if scene.area[0] > width - scene.area[2] else (scene.area[2] + 4, width - 4)
    if x1 - x0 < 24:
        return
    y0 = round(height * scene.rng.uniform(0.3, 0.6))
    y1 = y0 + round(height * 0.2)
    scene.canvas.lines("ui_panel", [[(x0, y0), (x0, y1), (x1, y1)]], scene.theme.ink, 1)
    for x in range(x0 + 3, x1 - 4, 6):
        scene.canvas.panel("ui_panel", (x, round(y1 - (y1 - y0) * scene.rng.random()), x + 4, y1), scene.theme.accent)


Piece = Callable[[Scene], None]
SEEN: tuple[Piece, ...] = (
    header, column, footer, grey_bar, side_ruler, edge_dots, logo, thumbnails, result_box, marks, scribble,
)  # fmt: skip
"""Furniture that nets may be trained on."""

HELD: tuple[Piece, ...] = (ecg, buttons, focus_marks, arc_ruler, graph)
"""Furniture kept for tests: no shipped net was trained on it."""

SEEN_FONTS, HELD_FONTS = FONTS[:3], FONTS[3:]
