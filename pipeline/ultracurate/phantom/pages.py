"""Charts and written pages, as they lie beside the pictures of a data set."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.canvas import FONTS, Canvas, Colour, Point
from ultracurate.phantom.flows import ramp
from ultracurate.phantom.textures import Grey

_WORDS = (
    "patient", "report", "cohort", "study", "model", "figure", "table", "mean", "range", "frame", "image",
    "volume", "depth", "probe", "gain", "result", "value", "score", "method", "data", "set", "left", "right",
    "lesion", "margin", "shape", "width", "height", "area", "ratio", "sample", "test", "train", "fold",
    "epoch", "loss", "area",
)  # fmt: skip
_SERIES: tuple[Colour, ...] = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (0, 0, 0),
)  # fmt: skip


def words(rng: np.random.Generator, count: int) -> str:
    """A line of `count` everyday words of the field."""
    return " ".join(_WORDS[int(rng.integers(len(_WORDS)))] for _ in range(count))


def _page(size: tuple[int, int], rng: np.random.Generator) -> tuple[Canvas, Colour]:
    """An empty light (or seldom dark) page and its ink."""
    dark = rng.random() < 0.2
    ground = int(rng.integers(0, 40)) if dark else int(rng.integers(225, 256))
    ink = (230, 230, 230) if dark else (int(rng.integers(0, 60)),) * 3
    return Canvas(np.full((*size, 3), ground, np.uint8)), ink


def _axes(size: tuple[int, int], rng: np.random.Generator) -> tuple[Canvas, Colour, tuple[int, int, int, int]]:
    canvas, ink = _page(size, rng)
    height, width = size
    x0, x1 = round(width * rng.uniform(0.08, 0.15)), round(width * rng.uniform(0.85, 0.97))
    y0, y1 = round(height * rng.uniform(0.06, 0.15)), round(height * rng.uniform(0.8, 0.9))
    frame: list[Point] = [(x0, y0), (x0, y1), (x1, y1)]
    canvas.lines("chart", [[*frame, (x1, y0)] if rng.random() < 0.5 else frame], ink, 1)
    letter = max(7, round(9 * height / 600))
    for step in range(6):
        x, y = x0 + (x1 - x0) * step / 5, y1 - (y1 - y0) * step / 5
        canvas.lines("chart", [[(x, y1), (x, y1 + 4)], [(x0, y), (x0 - 4, y)]], ink, 1)
        canvas.text("chart", f"{step * 10}", (x - 6, y1 + 8), ink, "sans", letter)
        canvas.text("chart", f"{step / 5:.1f}", (max(0, x0 - 3.2 * letter), y - 4), ink, "sans", letter)
    if rng.random() < 0.5:
        canvas.text("chart", words(rng, 4), (x0 + 20, max(0, y0 - 2 * letter)), ink, "sans", letter + 2)
    return canvas, ink, (x0, y0, x1, y1)


def lines_chart(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Curves over axes, smooth or jagged."""
    canvas, _, (x0, y0, x1, y1) = _axes(size, rng)
    xs = np.linspace(x0, x1, int(rng.integers(10, 200)))
    for index in range(int(rng.integers(1, 5))):
        walk = np.cumsum(rng.normal(0, 1, len(xs)))
        share = (walk - walk.min()) / (np.ptp(walk) + 1e-6)
        points = [(float(x), float(y1 - s * (y1 - y0))) for x, s in zip(xs, share, strict=True)]
        canvas.lines("chart", [points], _SERIES[index % len(_SERIES)], int(rng.integers(1, 4)))
    return canvas.image


def bars(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A bar chart or histogram."""
    canvas, _, (x0, y0, x1, y1) = _axes(size, rng)
    count = int(rng.integers(3, 40))
    step = (x1 - x0) / count
    colour = _SERIES[int(rng.integers(len(_SERIES)))]
    for index, share in enumerate(rng.uniform(0.02, 1, count)):
        box = (round(x0 + (index + 0.1) * step), round(y1 - share * (y1 - y0)), round(x0 + (index + 0.9) * step), y1)
        canvas.panel("chart", box, colour if count > 6 else _SERIES[index % len(_SERIES)])
    return canvas.image


def scatter(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A cloud of points over axes."""
    canvas, _, (x0, y0, x1, y1) = _axes(size, rng)
    for index in range(int(rng.integers(1, 4))):
        spread = rng.normal(rng.uniform(0.2, 0.8, 2), 0.12, (int(rng.integers(30, 200)), 2))
        for share_x, share_y in np.clip(spread, 0, 1):
            x, y = round(x0 + share_x * (x1 - x0)), round(y1 - share_y * (y1 - y0))
            canvas.panel("chart", (x - 2, y - 2, x + 2, y + 2), _SERIES[index])
    return canvas.image


def areas(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Filled curves one above the other, or a few large shapes that overlap."""
    canvas, _, (x0, y0, x1, y1) = _axes(size, rng)
    xs = np.linspace(x0, x1, 40)
    level = np.full(40, float(y1))
    for index in range(int(rng.integers(2, 6))):
        waves = 1 + np.sin(xs / (x1 - x0) * rng.uniform(2, 12) + rng.uniform(0, 6)) * 0.5
        upper = level - waves * (y1 - y0) * rng.uniform(0.05, 0.15)
        ends = [(float(x), float(y)) for x, y in zip(xs[::-1], level[::-1], strict=True)]
        rim = [(float(x), float(y)) for x, y in zip(xs, upper, strict=True)]
        canvas.fill("chart", rim + ends, _SERIES[index % len(_SERIES)])
        level = upper
    return canvas.image


def heat_map(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A confusion matrix or correlation table in colours, with its numbers."""
    canvas, _, (x0, y0, x1, y1) = _axes(size, rng)
    cells = int(rng.integers(3, 14))
    scale = ramp([(0.97, 0.98, 1.0), (0.42, 0.68, 0.84), (0.03, 0.19, 0.42)])
    if rng.random() < 0.5:
        scale = ramp([(0.27, 0.0, 0.33), (0.13, 0.57, 0.55), (0.99, 0.9, 0.14)])
    values = rng.random((cells, cells))
    tile = cv2.resize(scale[(values * 255).astype(np.intp)], (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    canvas.picture("chart", np.asarray(tile, np.uint8), x0, y0)
    if cells < 8:
        for row in range(cells):
            for column in range(cells):
                at = (x0 + (column + 0.4) * (x1 - x0) / cells, y0 + (row + 0.45) * (y1 - y0) / cells)
                canvas.text("chart", f"{values[row, column]:.2f}", at, (255, 255, 255), "sans", max(7, size[0] // 50))
    return canvas.image


def pie(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """Slices of a disc with a legend."""
    canvas, ink = _page(size, rng)
    height, width = size
    radius = round(min(size) * rng.uniform(0.25, 0.42))
    shares = rng.dirichlet(np.ones(int(rng.integers(2, 7)))) * 360
    start = float(rng.uniform(0, 360))
    for index, share in enumerate(shares):
        turn = np.radians(np.linspace(start, start + share, 40))
        rim = [(float(width * 0.42 + radius * np.cos(t)), float(height / 2 + radius * np.sin(t))) for t in turn]
        canvas.fill("chart", [(width * 0.42, height / 2), *rim], _SERIES[index % len(_SERIES)])
        canvas.text("chart", words(rng, 1), (width * 0.8, height * (0.2 + 0.08 * index)), ink, "sans", height // 50 + 5)
        start += share
    return canvas.image


def letter(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A page of running text."""
    canvas, ink = _page(size, rng)
    height, width = size
    tall = max(6, round(height * rng.uniform(0.011, 0.022)))
    font = FONTS[int(rng.integers(len(FONTS)))]
    x, y = round(width * 0.08), round(height * 0.08)
    while y < height * 0.92:
        count = 1 if rng.random() < 0.12 else max(2, round(width * 0.84 / (tall * 5.6)))
        canvas.text("page", words(rng, count), (x, y), ink, font, tall)
        y += round(tall * (2.2 if rng.random() < 0.85 else 4))
    return _scanned(canvas.image, rng)


def table_page(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A table of numbers with ruled lines."""
    canvas, ink = _page(size, rng)
    height, width = size
    rows, columns = int(rng.integers(5, 22)), int(rng.integers(3, 8))
    ys, xs = np.linspace(height * 0.08, height * 0.92, rows + 1), np.linspace(width * 0.06, width * 0.94, columns + 1)
    tall = max(6, round(0.3 * (ys[1] - ys[0])))
    canvas.lines("page", [[(xs[0], float(y)), (xs[-1], float(y))] for y in ys], ink, 1)
    for row in range(rows):
        for column in range(columns):
            text = words(rng, 1) if column == 0 or row == 0 else f"{rng.uniform(0, 100):.2f}"
            canvas.text("page", text, (xs[column] + 4, ys[row] + tall), ink, "sans", min(tall, 14))
    return _scanned(canvas.image, rng)


def form(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A form with boxes, headings and handwriting."""
    canvas, ink = _page(size, rng)
    height, width = size
    y = round(height * 0.05)
    canvas.panel("page", (round(width * 0.05), y, round(width * 0.95), y + round(height * 0.05)), (90, 110, 160))
    while (y := y + round(height * rng.uniform(0.06, 0.1))) < height * 0.92:
        canvas.text("page", words(rng, 2), (width * 0.06, y), ink, "duplex", max(7, height // 60))
        right, low = width * rng.uniform(0.5, 0.94), y + height * 0.045
        canvas.lines("page", [[(width * 0.3, y), (right, y), (right, low), (width * 0.3, low)]], ink, 1, closed=True)
        xs = np.linspace(width * 0.32, right - 10, 60)
        hand = y + height * (0.022 + 0.012 * np.sin(np.cumsum(rng.normal(0.8, 0.5, 60))))
        canvas.lines("page", [[(float(a), float(b)) for a, b in zip(xs, hand, strict=True)]], (30, 40, 140), 1)
    return _scanned(canvas.image, rng)


def slide(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A slide: a coloured title, points below it, boxes with arrows between them."""
    canvas, ink = _page(size, rng)
    height, width = size
    tone = _SERIES[int(rng.integers(len(_SERIES)))]
    canvas.panel("page", (0, 0, width, round(height * rng.uniform(0.08, 0.2))), tone)
    canvas.text("page", words(rng, 4), (width * 0.05, height * 0.04), (255, 255, 255), "sans", max(9, height // 28))
    y = height * 0.26
    for _ in range(int(rng.integers(1, 6))):
        count = max(1, round(width * rng.uniform(0.3, 0.8) / (height // 36 * 6 + 1)))
        canvas.text("page", words(rng, count), (width * 0.08, y), ink, "sans", max(8, height // 36))
        y += height * 0.08
    last: tuple[float, float] | None = None
    for _ in range(int(rng.integers(0, 6))):
        x, top = float(width * rng.uniform(0.05, 0.75)), float(height * rng.uniform(0.5, 0.85))
        box = (round(x), round(top), round(x + width * rng.uniform(0.1, 0.25)), round(top + height * 0.1))
        canvas.panel("page", box, _SERIES[int(rng.integers(len(_SERIES)))])
        if last:
            canvas.lines("page", [[last, (x, top)]], ink, 2)
        last = (float(box[2]), float(box[3]))
    return _scanned(canvas.image, rng)


def strip(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A line or two of device text on black or white, cut out of a screen; much wider than high."""
    lines = int(rng.integers(1, 4))
    tall = int(rng.integers(8, 20))
    shape = (round(lines * tall * rng.uniform(1.8, 2.6)), max(120, round(size[1] * rng.uniform(0.25, 0.8))))
    light = rng.random() < 0.2
    canvas = Canvas(np.full(shape, 255 if light else 0, np.uint8))
    ink = (0, 0, 0) if light else (int(rng.integers(140, 256)),) * 3
    for line in range(lines):
        text = words(rng, int(rng.integers(2, 6))).upper()
        font = FONTS[int(rng.integers(len(FONTS)))]
        canvas.text("page", text, (float(rng.integers(2, 20)), (line + 0.3) * shape[0] / lines), ink, font, tall)
    return canvas.image


def _scanned(image: Grey, rng: np.random.Generator) -> Grey:
    """Now and then the page went over a scanner: a little grey, a little blur."""
    if rng.random() < 0.6:
        return image
    soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 0.9))) * rng.uniform(0.85, 1.0)
    return np.clip(soft + rng.normal(0, 3, image.shape[:2])[..., None], 0, 255).astype(np.uint8)
