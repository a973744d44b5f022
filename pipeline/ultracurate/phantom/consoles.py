"""Furniture of crowded consoles, for training only: title bars, tables on both sides, sweeps, little copies."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.canvas import Colour
from ultracurate.phantom.furniture import Piece, Rng, Scene
from ultracurate.phantom.strips import SWEEPS, WAVES, m_mode, spectrum
from ultracurate.phantom.textures import Grey


def title_bar(scene: Scene) -> None:
    """A flat or shaded coloured bar along the upper or lower border, with words on it."""
    rng, (height, width) = scene.rng, scene.canvas.size
    tall = round(height * rng.uniform(0.02, 0.08))
    y = 0 if rng.random() < 0.7 else height - tall
    colour = _bright(rng)
    bar = np.ones((tall, width, 1)) * np.asarray(colour)
    if rng.random() < 0.5:
        bar = bar * np.linspace(1, rng.uniform(0.3, 0.9), tall)[:, None, None]
    scene.canvas.picture("ui_panel", np.asarray(bar, np.uint8), 0, y)
    ink: Colour = (0, 0, 0) if sum(colour) > 380 else (240, 240, 240)
    for share in np.arange(0.02, 0.9, rng.uniform(0.15, 0.4)):
        scene.write(scene.words(), width * share, y + tall // 4, ink)


def tables(scene: Scene) -> None:
    """Dense lines of small text in both margins, on panels of their own or on the ground; headings in colour."""
    rng, (height, width) = scene.rng, scene.canvas.size
    size = max(5, round(scene.theme.text * rng.uniform(0.6, 1)))
    step, top = round(size * rng.uniform(1.5, 2.2)), round(height * rng.uniform(0, 0.2))
    foot = round(height * rng.uniform(0.5, 1))
    panel = _bright(rng) if rng.random() < 0.4 else None
    ink: Colour = (0, 0, 0) if panel and sum(panel) > 380 else scene.theme.ink
    for left, right in ((0, scene.area[0] - 3), (scene.area[2] + 3, width)):
        if right - left < 4 * size:
            continue
        if panel:
            scene.canvas.panel("ui_panel", (left, top, right, foot), panel)
        for index, y in enumerate(range(top + 3, foot - step, step)):
            if rng.random() < 0.8:
                text = f"{scene.words()} {scene.words()}"[: max(3, round((right - left) / size / 1.1))]
                scene.write(text, left + 3, y, scene.theme.accent if index % 5 == 0 else ink, size)


def sweep(scene: Scene) -> None:
    """Spectral Doppler or an M-mode in whatever room is left below the area, or above it: texture that is no field."""
    rng, (height, width) = scene.rng, scene.canvas.size
    y0, y1 = scene.area[3] + 4, height - round(height * rng.uniform(0, 0.05))
    if y1 - y0 < 0.12 * height:
        y0, y1 = round(height * rng.uniform(0, 0.04)), scene.area[1] - 4
    if y1 - y0 < 0.12 * height:
        return
    x0, x1 = round(width * rng.uniform(0, 0.2)), round(width * rng.uniform(0.75, 1))
    shape = (y1 - y0, x1 - x0)
    if rng.random() < 0.7:
        strip = spectrum(shape, str(rng.choice(WAVES)), rng)[0]
    else:
        strip = m_mode(shape, str(rng.choice(SWEEPS)), rng)
    colour = np.asarray(_bright(rng)) / 255 if rng.random() < 0.2 else np.ones(3)
    scene.canvas.picture("ui_panel", np.asarray(strip[..., None] * colour, np.uint8), x0, y0)
    for share in np.linspace(0, 1, int(rng.integers(3, 12))):
        y = y0 + share * (y1 - y0)
        scene.canvas.lines("ruler", [[(x1, y), (x1 + 6, y)]], scene.theme.ink, 1, smooth=False)


def small_copies(scene: Scene) -> None:
    """The first field again, small, in a margin: a list of stored pictures, or the one that shows where a cut lies."""
    rng, (height, width) = scene.rng, scene.canvas.size
    x0, y0, x1, y1 = scene.fields[0].box
    rooms = [(0, scene.area[0]), (scene.area[2], width)]
    left, right = max(rooms, key=lambda room: room[1] - room[0])
    wide = round((right - left) * rng.uniform(0.5, 0.9))
    tall = round(wide * (y1 - y0) / (x1 - x0))
    if wide < 0.03 * width or tall < 0.03 * height or min(y1 - y0, x1 - x0) < 8:
        return
    copy = cv2.resize(scene.canvas.image[y0:y1, x0:x1], (wide, tall), interpolation=cv2.INTER_AREA)
    y = round(height * rng.uniform(0, 0.5))
    for _ in range(int(rng.integers(1, 6))):
        if y + tall < height:
            scene.canvas.picture("ui_panel", np.asarray(copy, np.uint8), left + (right - left - wide) // 2, y)
        y += round(tall * rng.uniform(1.02, 1.3))


def window_frame(scene: Scene) -> None:
    """A thin frame around the area or around the field's box."""
    x0, y0, x1, y1 = scene.area if scene.rng.random() < 0.5 else scene.fields[0].box
    corners = [(x0 - 2.0, y0 - 2.0), (x1 + 1.0, y0 - 2.0), (x1 + 1.0, y1 + 1.0), (x0 - 2.0, y1 + 1.0)]
    scene.canvas.lines("ui_panel", [corners], scene.theme.panel, int(scene.rng.integers(1, 3)), closed=True)


def wide_bands(image: Grey, area: tuple[int, int, int, int], rng: Rng) -> None:
    """Bright or coloured panels that fill one or more margins of `image` (H, W, 3), drawn before anything else."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = area
    colour, gap = _bright(rng), int(rng.integers(0, 12))
    bands = [
        (0, 0, width, y0 - gap),
        (0, y1 + gap, width, height),
        (0, 0, x0 - gap, height),
        (x1 + gap, 0, width, height),
    ]
    for left, top, right, bottom in bands:
        if rng.random() < 0.5 and right > left and bottom > top:
            image[top:bottom, left:right] = colour


def _bright(rng: Rng) -> Colour:
    """Grey from dark to white, or a colour."""
    grey, spread = rng.uniform(30, 255), rng.uniform(0, 120) if rng.random() < 0.5 else 0.0
    red, green, blue = (int(np.clip(grey + v, 0, 255)) for v in rng.uniform(-spread, spread, 3))
    return red, green, blue


CROWDED: tuple[Piece, ...] = (title_bar, tables, sweep, small_copies, window_frame)
"""Furniture that only training draws, so that the screens of tests stay as they are."""
