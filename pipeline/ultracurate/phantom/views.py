"""The pieces that made screens share: the screen itself, a B-mode picture on it, boxes and regions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.phantom.anatomy import ANATOMIES
from ultracurate.phantom.canvas import Canvas, Colour
from ultracurate.phantom.frame import make_frame
from ultracurate.phantom.overlays import DRAW, Pen, draw, roi_corners, roi_path
from ultracurate.phantom.sectors import GEOMETRIES, Box, Sector, fit
from ultracurate.phantom.textures import Grey, Mask

LINE_INKS: tuple[Colour, ...] = ((230, 230, 230), (255, 235, 60), (90, 255, 120), (80, 220, 255), (255, 150, 60))


@dataclass
class Screen:
    """A screen in the making: its canvas, random draws, where its kind shows, and the colour bar if it has its own."""

    canvas: Canvas
    rng: np.random.Generator
    shown: Mask
    seed: int
    bar: Grey | None = None
    views: int = 0

    def chance(self, share: float) -> bool:
        """True in `share` of all cases."""
        return bool(self.rng.random() < share)

    def pick(self, names: tuple[str, ...]) -> str:
        """One of `names`."""
        return names[int(self.rng.integers(len(names)))]


@dataclass
class View:
    """One B-mode picture: RGB (h, w, 3) uint8, its field (h, w) bool and its sector."""

    image: Grey
    field: Mask
    sector: Sector


def view_of(screen: Screen, box: Box, twin: int | None = None, geometry: str | None = None) -> View:
    """A fresh B-mode picture of the size of `box`, or the one drawn as number `twin` again."""
    screen.views += 1
    number = screen.views if twin is None else twin
    seed = screen.seed * 13 + number
    rng = np.random.default_rng([seed, 5])
    names = sorted(ANATOMIES)
    anatomy = names[int(rng.integers(len(names)))]
    geometry = geometry or GEOMETRIES[int(rng.integers(len(GEOMETRIES)))]
    size = (box[3] - box[1], box[2] - box[0])
    frame = make_frame(anatomy, geometry, "plain", seed, size, ())
    sector = fit(geometry, (0, 0, size[1], size[0]), np.random.default_rng([seed, 1]))
    image = frame.image if frame.image.ndim == 3 else np.repeat(frame.image[..., None], 3, axis=2)
    return View(image, frame.sector_mask, sector)


def place(screen: Screen, view: View, box: Box, shown: Mask | None, marks: int = 2) -> None:
    """Copy a view to the screen with up to `marks` overlays of its own."""
    canvas = Canvas(view.image)
    pen = Pen(canvas, view.sector, screen.rng)
    kinds = sorted(set(DRAW) - {"ruler", "roi_box"})
    for _ in range(int(screen.rng.integers(0, marks + 1))):
        draw(pen, screen.pick(tuple(kinds)))
    x0, y0, x1, y1 = box
    screen.canvas.image[y0:y1, x0:x1] = canvas.image
    if shown is not None:
        screen.shown[y0:y1, x0:x1] |= shown


def halves(box: Box, gap: int) -> tuple[Box, Box]:
    """The left and the right half of `box`, 2 `gap` pixels apart."""
    x0, y0, x1, y1 = box
    middle = (x0 + x1) // 2
    return (x0, y0, middle - gap, y1), (middle + gap, y0, x1, y1)


def gap_of(screen: Screen) -> int:
    """Half of the black space between two views, 0 to 7 pixels."""
    return int(screen.rng.integers(0, 8))


def region_of(view: View, rng: np.random.Generator, wide: bool) -> tuple[Mask, list[tuple[float, float]]]:
    """A region box along the beams: its pixels and its outline."""
    pen = Pen(Canvas(view.image), view.sector, rng)
    corners = roi_corners(pen)
    if wide:
        top, bottom, half = rng.uniform(0.02, 0.15), rng.uniform(0.7, 0.98), rng.uniform(0.6, 0.95)
        corners = [(top, -half), (top, half), (bottom, half), (bottom, -half)]
    path = roi_path(pen, corners)
    area = np.zeros(view.field.shape, np.uint8)
    cv2.fillPoly(area, [np.round(path).astype(np.int32).reshape(-1, 1, 2)], 1)
    return np.asarray((area > 0) & view.field, np.bool_), path
