"""Screens whose main part is a sweep over time, with the small B-mode picture that shows where it was taken."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.canvas import Canvas
from ultracurate.phantom.flows import FLOWS, paint_flow, tint
from ultracurate.phantom.overlays import Pen, roi_path
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.strips import SWEEPS, WAVES, ecg, m_mode, spectrum
from ultracurate.phantom.textures import Grey
from ultracurate.phantom.views import LINE_INKS, Screen, place, region_of, view_of


def _sweep_boxes(screen: Screen, area: Box) -> tuple[Box | None, Box]:
    """Where the small B-mode picture lies, if there is one, and the strip; above it, or to its left."""
    x0, y0, x1, y1 = area
    draw_ = screen.rng.random()
    if draw_ < 0.15:
        return None, area
    if draw_ < 0.85:
        cut = y0 + round((y1 - y0) * float(screen.rng.uniform(0.28, 0.55)))
        inset = round((x1 - x0) * float(screen.rng.uniform(0.0, 0.25)))
        return (x0 + inset, y0, x1 - inset, cut - 4), (x0, cut, x1, y1)
    cut = x0 + round((x1 - x0) * float(screen.rng.uniform(0.28, 0.45)))
    return (x0, y0, cut - 4, y1), (cut, y0, x1, y1)


def _sweep_view(screen: Screen, box: Box | None, gate: bool) -> None:
    """The small picture above a strip, with the beam's line and perhaps flow."""
    if box is None:
        return
    view = view_of(screen, box)
    if gate and screen.chance(0.6):
        region, _ = region_of(view, screen.rng, wide=screen.chance(0.3))
        view.image, _ = paint_flow(view.image, region, screen.pick(FLOWS[:2]), screen.rng, 0.5)
    canvas = Canvas(view.image)
    pen = Pen(canvas, view.sector, screen.rng)
    spot = float(screen.rng.uniform(-0.5, 0.5))
    line = roi_path(pen, [(0.02, spot), (0.97, spot), (0.97, spot), (0.02, spot)])
    canvas.lines("other", [line[::4]], LINE_INKS[int(screen.rng.integers(5))], 1)
    view.image = canvas.image
    place(screen, view, box, None, marks=1)


def _strip(screen: Screen, box: Box, strip: Grey, rows: list[np.ndarray]) -> None:
    """Copy a strip to the screen with its time ticks, scale numbers and traces (`rows`: y per column)."""
    rng, (x0, y0, x1, y1) = screen.rng, box
    picture = np.repeat(strip[..., None], 3, axis=2)
    if screen.chance(0.2):
        picture = tint(strip, screen.pick(("sepia", "blue", "copper")), float(rng.uniform(0.3, 1.0)))
    screen.canvas.image[y0:y1, x0:x1] = picture
    screen.shown[y0:y1, x0:x1] = True
    ink = LINE_INKS[int(rng.integers(5))]
    for trace in rows:
        points = [(x0 + float(x), y0 + float(y)) for x, y in enumerate(trace)]
        screen.canvas.lines("other", [points[:: max(1, len(points) // 300)]], ink, 1)
    ticks = int(rng.integers(8, 30))
    at = np.linspace(x0, x1 - 1, ticks)
    screen.canvas.lines("ruler", [[(float(x), y1 - 6.0), (float(x), y1 - 1.0)] for x in at], (200, 200, 200), 1)
    size = max(7, round(9 * min(screen.canvas.size) / 600))
    for step, y in enumerate(np.linspace(y0 + 4, y1 - 16, int(rng.integers(3, 7)))):
        screen.canvas.text("ui_text", f"{(step - 2) * 20}", (x1 - 4 * size, int(y)), ink, "simplex", size)


def m_mode_screen(screen: Screen, area: Box) -> tuple[str, bool]:
    """One beam over time, its picture above or beside it; the variant, and that it is no pair of views."""
    small, box = _sweep_boxes(screen, area)
    _sweep_view(screen, small, gate=False)
    variant = screen.pick(SWEEPS)
    shape = (box[3] - box[1], box[2] - box[0])
    strip = m_mode(shape, variant, screen.rng)
    _strip(screen, box, strip, _heart_trace(screen, shape))
    return variant, False


def spectral_screen(screen: Screen, area: Box) -> tuple[str, bool]:
    """Speeds over time, their picture with gate and flow above or beside; the variant, and that it is no pair."""
    small, box = _sweep_boxes(screen, area)
    _sweep_view(screen, small, gate=True)
    variant = screen.pick(WAVES)
    shape = (box[3] - box[1], box[2] - box[0])
    strip, baseline, envelope = spectrum(shape, variant, screen.rng)
    traces = _heart_trace(screen, shape)
    if screen.chance(0.3):
        traces.append(np.clip(envelope, 0, shape[0] - 1))
    if screen.chance(0.85):
        traces.append(np.full(shape[1], float(baseline)))
    _strip(screen, box, strip, traces)
    return variant, False


def _heart_trace(screen: Screen, shape: tuple[int, int]) -> list[np.ndarray]:
    if not screen.chance(0.25):
        return []
    return [shape[0] * (0.93 - 0.08 * ecg(shape[1], screen.rng))]
