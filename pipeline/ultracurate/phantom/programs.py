"""Screens of programs, some of which show an ultrasound picture in one of their panes."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.canvas import Canvas, Colour
from ultracurate.phantom.modalities import MODALITIES, make_modality
from ultracurate.phantom.pages import words
from ultracurate.phantom.photographs import leaves
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey


def desktop(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A desktop with icons, a bar of tasks and one or two windows of text."""
    ground = leaves(size, rng) if rng.random() < 0.4 else np.full((*size, 3), rng.integers(0, 256, 3), np.uint8)
    canvas = Canvas(np.asarray(ground, np.uint8))
    height, width = size
    _icons(canvas, rng, (8, 8, round(width * 0.15), round(height * 0.8)), 12)
    for _ in range(int(rng.integers(1, 3))):
        x, y = round(width * rng.uniform(0.1, 0.4)), round(height * rng.uniform(0.05, 0.3))
        box = (x, y, x + round(width * rng.uniform(0.4, 0.55)), y + round(height * rng.uniform(0.4, 0.6)))
        _pane(canvas, rng, box, dark=rng.random() < 0.2, lines=18)
    canvas.panel("window", (0, height - max(14, height // 22), width, height), (30, 34, 44))
    _icons(canvas, rng, (6, height - max(12, height // 26), width // 3, height), 8)
    return canvas.image


def editor(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A dark or light text editor with coloured words."""
    dark = rng.random() < 0.7
    canvas = Canvas(np.full((*size, 3), 30 if dark else 250, np.uint8))
    height, width = size
    canvas.panel("window", (0, 0, width // 5, height), (37, 37, 42) if dark else (235, 235, 238))
    tall = max(6, height // 70)
    for y in range(tall, height - 2 * tall, round(2.4 * tall)):
        if rng.random() < 0.15:
            continue
        x = width // 5 + 14 + int(rng.integers(0, 4)) * 3 * tall
        for _ in range(int(rng.integers(1, 6))):
            colour = tuple(int(v) for v in (rng.integers(110, 240, 3) if dark else rng.integers(0, 140, 3)))
            box = canvas.text("window", words(rng, 1), (x, y), (colour[0], colour[1], colour[2]), "plain", tall)
            x = box[2] + tall
        if rng.random() < 0.6:
            canvas.text("window", words(rng, 1), (10, y), (150, 150, 150), "plain", tall)
    return canvas.image


def window(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A light program that shows an ultrasound picture in less than half of its area."""
    return _program(size, rng, dark=rng.random() < 0.25, share=float(rng.uniform(0.3, 0.7)))


def browser(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """A page or a file browser, light or dark, with a few thumbnails, some of them ultrasound."""
    dark = rng.random() < 0.5
    canvas = Canvas(np.full((*size, 3), 38 if dark else 248, np.uint8))
    height, width = size
    _toolbar(canvas, rng, (0, 0, width, round(height * 0.12)))
    for row in range(2):
        for column in range(int(rng.integers(2, 4))):
            x, y = round(width * (0.04 + 0.32 * column)), round(height * (0.16 + 0.42 * row))
            tall, wide = min(round(height * 0.3), height - y), min(round(width * 0.27), width - x)
            if rng.random() < 0.5:
                tile = leaves((tall, wide), rng)
            else:
                small = cv2.resize(_shown(rng, (200, 260)), (wide, tall), interpolation=cv2.INTER_AREA)
                tile = np.asarray(small, np.uint8)
            canvas.picture("window", tile, x, y)
            ink: Colour = (220, 220, 220) if dark else (30, 30, 30)
            canvas.text("window", words(rng, 2), (x, y + tall + 5), ink, "sans", max(7, height // 60))
    return canvas.image


def viewer(size: tuple[int, int], rng: np.random.Generator) -> Grey:
    """An annotation program: light panels of buttons and tables to the left and above, a picture in the middle."""
    canvas = Canvas(np.full((*size, 3), int(rng.integers(236, 256)), np.uint8))
    height, width = size
    _toolbar(canvas, rng, (0, 0, width, round(height * 0.1)))
    left = round(width * rng.uniform(0.25, 0.38))
    _pane(canvas, rng, (4, round(height * 0.12), left - 6, round(height * 0.62)), dark=False, lines=14)
    _pane(canvas, rng, (4, round(height * 0.65), left - 6, height - 6), dark=False, lines=8)
    accent = (int(rng.integers(150, 256)), int(rng.integers(60, 160)), int(rng.integers(40, 120)))
    canvas.panel("window", (left, round(height * 0.11), width - 4, round(height * 0.14)), accent)
    _picture(canvas, rng, (left, round(height * 0.14), width - round(width * rng.uniform(0.01, 0.1)), height - 20))
    return canvas.image


def _program(size: tuple[int, int], rng: np.random.Generator, dark: bool, share: float) -> Grey:
    ground: Colour = (45, 46, 50) if dark else (240, 240, 242)
    canvas = Canvas(np.full((*size, 3), ground, np.uint8))
    height, width = size
    _toolbar(canvas, rng, (0, 0, width, round(height * 0.09)))
    wide, tall = round(width * share**0.5), round(height * 0.88 * share**0.5)
    x = int(rng.integers(0, width - wide + 1))
    box = (x, height - tall - 10, x + wide, height - 10)
    if x > width * 0.12:
        _pane(canvas, rng, (4, round(height * 0.11), x - 6, height - 10), dark, 20)
    if x + wide < width * 0.88:
        _pane(canvas, rng, (x + wide + 6, round(height * 0.11), width - 4, height - 10), dark, 20)
    _picture(canvas, rng, box)
    return canvas.image


def _picture(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    tall, wide = max(160, box[3] - box[1]), max(160, box[2] - box[0])
    rgb = _shown(rng, (tall, wide))
    if rng.random() < 0.5:  # smaller than its black pane
        share = float(rng.uniform(0.45, 0.9))
        small = cv2.resize(rgb, (round(wide * share), round(tall * share)), interpolation=cv2.INTER_AREA)
        rgb = np.zeros_like(rgb)
        y, x = (tall - small.shape[0]) // 2, (wide - small.shape[1]) // 2
        rgb[y : y + small.shape[0], x : x + small.shape[1]] = small
    height, width = canvas.size
    canvas.picture("window", rgb[: max(1, height - box[1]), : max(1, width - box[0])], box[0], box[1])


def _shown(rng: np.random.Generator, size: tuple[int, int]) -> Grey:
    """An ultrasound screen of any kind, (H, W, 3) uint8."""
    names = sorted(MODALITIES)
    kind = "b_mode" if rng.random() < 0.6 else names[int(rng.integers(len(names)))]
    image, _ = make_modality(kind, int(rng.integers(1 << 30)), size)
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def _toolbar(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    x0, y0, x1, y1 = box
    canvas.panel("window", box, (225, 227, 230) if rng.random() < 0.7 else (70, 80, 110))
    tall = max(6, (y1 - y0) // 5)
    canvas.text("window", words(rng, 6), (x0 + 8, y0 + 3), (40, 40, 40), "sans", tall)
    _icons(canvas, rng, (x0 + 6, y0 + (y1 - y0) // 2, x1, y1), 24)


def _icons(canvas: Canvas, rng: np.random.Generator, box: Box, count: int) -> None:
    x0, y0, x1, y1 = box
    side = max(6, min(x1 - x0, y1 - y0) // 3 if y1 - y0 > x1 - x0 else round(0.7 * (y1 - y0)))
    along = y1 - y0 > x1 - x0
    for index in range(count):
        x, y = (x0, y0 + index * 2 * side) if along else (x0 + round(index * 1.6 * side), y0)
        if x + side > x1 or y + side > y1 + side:
            return
        colour = tuple(int(v) for v in rng.integers(20, 240, 3))
        canvas.panel("window", (x, y, x + side, y + side), (colour[0], colour[1], colour[2]))


def _pane(canvas: Canvas, rng: np.random.Generator, box: Box, dark: bool, lines: int) -> None:
    x0, y0, x1, y1 = box
    if x1 - x0 < 20 or y1 - y0 < 20:
        return
    canvas.panel("window", box, (52, 54, 60) if dark else (252, 252, 252))
    canvas.panel(
        "window", (x0, y0, x1, y0 + max(8, (y1 - y0) // 16)), (80, 100, 150) if rng.random() < 0.5 else (200, 204, 210)
    )
    tall = max(6, (y1 - y0) // (3 * lines))
    ink: Colour = (210, 210, 210) if dark else (40, 40, 40)
    for line in range(1, lines):
        y = y0 + (y1 - y0) * line / lines + tall // 2
        count = min(int(rng.integers(1, 8)), max(1, round((x1 - x0 - 16) / (tall * 6))))
        part = canvas.text("window", words(rng, count), (x0 + 8, y), ink, "sans", tall)
        if part[2] > x1:  # text that runs out of its pane is cut by it
            canvas.panel("window", (x1, part[1], min(part[2] + 1, canvas.size[1]), part[3] + 1), (225, 225, 228))
