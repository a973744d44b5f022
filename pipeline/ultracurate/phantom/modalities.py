"""One synthetic screen of every kind of ultrasound picture, with what it shows known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.canvas import Canvas
from ultracurate.phantom.flows import (
    AGENTS,
    ELASTICITIES,
    FLOWS,
    flow_ramp,
    paint_agent,
    paint_flow,
    paint_stiffness,
    tint,
)
from ultracurate.phantom.overlays import Pen
from ultracurate.phantom.screens import STYLES, Style, bar_of, furnish, image_area, invent_identity, style_of
from ultracurate.phantom.sectors import GEOMETRIES, Box, Sector
from ultracurate.phantom.sweeps import m_mode_screen, spectral_screen
from ultracurate.phantom.textures import Grey, Mask
from ultracurate.phantom.views import LINE_INKS, Screen, gap_of, halves, place, region_of, view_of


@dataclass(frozen=True)
class ModalityTruth:
    """What a made screen shows.

    Attributes:
        kind: one of `MODALITIES`.
        variant: how the kind looks, such as "power" or "shear_wave".
        dual: two views side by side.
        style: the name of the screen style, "own" for one that has none.
        shown: (H, W) bool, where the kind shows itself: flow, map, sweep or agent; the whole field for B-mode.
    """

    kind: str
    variant: str
    dual: bool
    style: str
    shown: Mask


def make_modality(
    kind: str, seed: int, size: tuple[int, int] = (600, 800), style: str | Style | None = None
) -> tuple[Grey, ModalityTruth]:
    """Draw one screen of `kind`: (H, W) grey or (H, W, 3) RGB uint8, and its truth; same arguments, same bytes.

    Args:
        kind: one of `MODALITIES`.
        seed: decides everything else.
        size: (H, W) pixels, at least 160 a side.
        style: one of `screens.STYLES`, or a style of one's own; None: one of them, drawn from the seed.
    """
    if kind not in MODALITIES:
        raise ConfigError(f"Expected a modality of {', '.join(MODALITIES)}, found {kind!r}. Choose one of these.")
    rng = np.random.default_rng([seed, 11, sorted(MODALITIES).index(kind)])
    names = sorted(STYLES)
    drawn = names[int(rng.integers(len(names)))]
    look = style if isinstance(style, Style) else style_of(style or drawn)
    called = "own" if isinstance(style, Style) else style or drawn
    area = image_area(look, size)
    screen = Screen(Canvas(np.zeros(size, np.uint8)), rng, np.zeros(size, np.bool_), seed)
    variant, dual = MODALITIES[kind](screen, area)
    if look != STYLES["plain"]:
        pen = Pen(screen.canvas, Sector("linear", area), rng)
        furnish(pen, look, invent_identity(seed), screen.bar if screen.bar is not None else bar_of(None))
    image = screen.canvas.image
    if (image == image[..., :1]).all():
        image = np.ascontiguousarray(image[..., 0])
    return image, ModalityTruth(kind, variant, dual, called, screen.shown)


def _b_mode(screen: Screen, area: Box) -> tuple[str, bool]:
    dual = screen.chance(0.25)
    geometry = screen.pick(GEOMETRIES) if dual else None
    hue = screen.pick(("sepia", "blue", "green")) if screen.chance(0.25) else None
    fade = float(screen.rng.uniform(2, 12)) if screen.chance(0.12) else 0.0
    for box in halves(area, gap_of(screen)) if dual else (area,):
        view = view_of(screen, box, geometry=geometry)
        if fade:  # a probe in air: only the near field is lit
            depth = np.arange(view.image.shape[0], dtype=np.float32)[:, None, None] / view.image.shape[0]
            view.image = (view.image * np.exp(-fade * depth)).astype(np.uint8)
        if hue:
            view.image = tint(view.image, hue, float(screen.rng.uniform(0.05, 0.22)))
        place(screen, view, box, view.field, marks=3)
    return "warm" if hue else "grey", dual


def _colour_doppler(screen: Screen, area: Box) -> tuple[str, bool]:
    variant, dual = screen.pick(FLOWS), screen.chance(0.15)
    boxes = list(halves(area, gap_of(screen))) if dual else [area]
    coloured = int(screen.rng.integers(len(boxes)))
    for index, box in enumerate(boxes):
        view = view_of(screen, box, twin=1, geometry=None)
        if index != coloured:
            place(screen, view, box, None)
            continue
        region, path = region_of(view, screen.rng, wide=screen.chance(0.35))
        if screen.chance(0.3):  # the grey picture steps back behind the colour
            view.image = (view.image * screen.rng.uniform(0.4, 0.8)).astype(np.uint8)
        amount = float(screen.rng.uniform(0, 1))
        for attempt in range(6):  # a box without any flow is a B-mode picture
            image, flow = paint_flow(view.image, region, variant, screen.rng, min(1.0, amount + 0.15 * attempt))
            if flow.mean() > 0.004:
                break
        view.image = image
        if screen.chance(0.8):
            canvas = Canvas(view.image)
            canvas.lines(
                "roi_box", [path], LINE_INKS[int(screen.rng.integers(5))], int(screen.rng.integers(1, 3)), True
            )
            view.image = canvas.image
        place(screen, view, box, flow)
    if screen.chance(0.7):
        screen.bar = np.ascontiguousarray(flow_ramp(variant)[128:] if variant == "power" else flow_ramp(variant))
        screen.bar = np.repeat(screen.bar, 256 // len(screen.bar), axis=0)
    return variant, dual


def _elastography(screen: Screen, area: Box) -> tuple[str, bool]:
    variant, dual = screen.pick(ELASTICITIES), screen.chance(0.5)
    geometry = "linear" if screen.chance(0.75) else "convex"
    boxes = list(halves(area, gap_of(screen))) if dual else [area]
    coloured = int(screen.rng.integers(len(boxes)))
    for index, box in enumerate(boxes):
        view = view_of(screen, box, twin=1, geometry=geometry)
        region, path = region_of(view, screen.rng, wide=screen.chance(0.4))
        shown = None
        if index == coloured:
            view.image, shown = paint_stiffness(view.image, region, variant, screen.rng)
        canvas = Canvas(view.image)
        canvas.lines("roi_box", [path], LINE_INKS[int(screen.rng.integers(5))], int(screen.rng.integers(1, 3)), True)
        view.image = canvas.image
        place(screen, view, box, shown)
    return variant, dual


def _contrast(screen: Screen, area: Box) -> tuple[str, bool]:
    if screen.chance(0.4):
        hue, dual = screen.pick(("sepia", "gold", "copper", "blue", "violet")), screen.chance(0.15)
        geometry = screen.pick(GEOMETRIES)
        for box in halves(area, gap_of(screen)) if dual else (area,):
            view = view_of(screen, box, geometry=geometry)
            view.image = tint(view.image, hue, float(screen.rng.uniform(0.6, 1.0)))
            place(screen, view, box, view.field)
        return f"tint_{hue}", dual
    agent, dual = screen.pick(AGENTS), screen.chance(0.75)
    agent = agent if dual else "gold"  # a grey agent alone cannot be told from a dark B-mode picture
    boxes = list(halves(area, gap_of(screen))) if dual else [area]
    agent_side = int(screen.rng.integers(len(boxes)))
    geometry = screen.pick(("convex", "linear", "phased"))
    for index, box in enumerate(boxes):
        view = view_of(screen, box, twin=1, geometry=geometry)
        if index == agent_side:
            view.image = paint_agent(view.image[..., 0], view.field, agent, screen.rng)
            place(screen, view, box, view.field)
        else:
            view.image = (view.image * screen.rng.uniform(0.3, 0.9)).astype(np.uint8)
            place(screen, view, box, None)
    return agent, dual


MODALITIES: dict[str, Callable[[Screen, Box], tuple[str, bool]]] = {
    "b_mode": _b_mode,
    "colour_doppler": _colour_doppler,
    "spectral_doppler": spectral_screen,
    "m_mode": m_mode_screen,
    "elastography": _elastography,
    "contrast": _contrast,
}
"""Every kind that `make_modality` draws."""
