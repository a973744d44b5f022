"""Burns marks into a finished picture, as a device and its users do, and keeps the exact truth of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.burned import bars, bodies, layout, measuring, pointers, rulers, shapes
from ultracurate.phantom.burned.after import develop
from ultracurate.phantom.burned.flow import TINTS, Flow, paint_flow, power_map, ramp, velocity_map
from ultracurate.phantom.burned.fonts import FONTS, LATIN
from ultracurate.phantom.burned.kinds import Burned, Making
from ultracurate.phantom.burned.layer import Layer
from ultracurate.phantom.burned.pen import Pen, fonts_of
from ultracurate.phantom.burned.site import site_of
from ultracurate.phantom.burned.vendors import HELD_VENDORS, SEEN_VENDORS, VENDORS
from ultracurate.phantom.textures import Grey, Mask

Rng = np.random.Generator
Draw = Callable[[Pen], None]

ON_TISSUE: tuple[tuple[Draw, float], ...] = (
    (measuring.measurement, 0.34),
    (layout.label, 0.38),
    (pointers.arrow, 0.14),
    (shapes.outline, 0.16),
    (shapes.roi_box, 0.12),
    (pointers.needle_guide, 0.1),
    (pointers.biopsy_line, 0.1),
    (pointers.doppler_gate, 0.1),
    (pointers.m_line, 0.1),
    (pointers.cursor, 0.1),
    (bodies.body_mark, 0.28),
    (rulers.squares, 0.06),
)
"""What users and devices draw on tissue, and how often."""

AROUND: tuple[tuple[Draw, float], ...] = (
    (layout.parameters, 0.62),
    (rulers.ruler, 0.62),
    (bars.grey_bar, 0.45),
    (pointers.focus, 0.32),
    (pointers.orientation, 0.5),
    (bars.tgc_curve, 0.16),
    (bars.ecg, 0.15),
    (bars.cine_bar, 0.14),
    (rulers.foot, 0.1),
    (layout.notice, 0.05),
)
"""Furniture of devices."""


def burn(
    tissue: Grey,
    fields: Sequence[Mask],
    seed: int,
    *,
    held: bool,
    jpeg: bool = True,
    colour: bool = True,
    tissue_name: str = "",
    fonts: Sequence[str] | None = None,
) -> Burned:
    """Draw marks onto a picture that has none.

    Args:
        tissue: (H, W) or (H, W, 3) uint8 RGB, real or phantom.
        fields: mask (H, W) bool of each insonated field; at least one pixel in one of them.
        seed: any number; the same one makes the same picture on the same machine.
        held: only fonts, words and devices that are kept for tests; without it only the others.
        jpeg: whether the picture may be compressed afterwards.
        colour: whether a grey picture may be tinted and get Doppler flow first.
        tissue_name: kept in the result to group by.
        fonts: draw from these only, so that tests can do without fonts of the system.

    Raises:
        ConfigError: no field, or a mask of another size than the picture, or a font that is not installed.
    """
    rng = np.random.default_rng([seed, 40 + held])
    base = np.repeat(tissue[..., None], 3, axis=2) if tissue.ndim == 2 else np.ascontiguousarray(tissue)
    if not any(field.any() for field in fields) or any(field.shape != base.shape[:2] for field in fields):
        raise ConfigError(
            f"Expected masks of fields of {base.shape[:2]}, found {[field.shape for field in fields]}, empty ones "
            "perhaps. Give one (H, W) bool mask with a pixel in it for each field."
        )
    vendors = list(HELD_VENDORS if held else SEEN_VENDORS)
    full = float(np.mean(np.logical_or.reduce(list(fields)))) > 0.8
    bare = [name for name in vendors if VENDORS[name].patient == "none"]
    vendor = str(rng.choice(bare if full and rng.random() < 0.6 else vendors))
    return burn_onto(base, fields, rng, vendor, held=held, jpeg=jpeg, colour=colour, tissue=tissue_name, fonts=fonts)


def burn_onto(
    base: Grey,
    fields: Sequence[Mask],
    rng: Rng,
    vendor: str,
    *,
    held: bool,
    jpeg: bool,
    colour: bool,
    tissue: str,
    fonts: Sequence[str] | None,
) -> Burned:
    """Draw the marks of one device onto an RGB picture; see `burn`."""
    fields = [field for field in fields if field.any()]
    sites = [site_of(field) for field in fields]
    base, tinted, flow = _colours(base, fields, rng) if colour else (base, None, None)
    names = fonts_of(held, fonts)
    latin = [name for name in names if LATIN in FONTS[name].scripts]
    if not latin:
        raise ConfigError(
            f"Expected fonts that may be used here, found none among {fonts}. Name one of {fonts_of(held, None)}."
        )
    own = [name for name in VENDORS[vendor].fonts if name in names]
    font = str(rng.choice(own if own and rng.random() < 0.6 else latin))
    unit = float(np.clip(base.shape[0] / 600, 0.5, 1.9))
    size = int(np.clip(round(VENDORS[vendor].text * unit * rng.uniform(0.85, 1.4)), 6, 28))
    pen = Pen(Layer(base), rng, sites, VENDORS[vendor], font, held, names, unit, size)
    _draw(pen, flow)
    mask = flow.mask if flow is not None else np.zeros(base.shape[:2], np.bool_)
    done = develop(pen.layer, fields, mask, rng, jpeg)
    style = Making(font, vendor, tissue, done.quality, done.scale)
    return Burned(done.image, done.clean, done.items, done.fields, done.flow, tinted, style)


def _colours(base: Grey, fields: Sequence[Mask], rng: Rng) -> tuple[Grey, str | None, Flow | None]:
    """A tint or flow for a grey picture, at times; a picture that has colour keeps its own."""
    draw = rng.random()
    if draw > 0.24:
        return base, None, None
    few = base[::3, ::3]
    spread = few.max(axis=2) - few.min(axis=2)
    if np.count_nonzero(spread > 24) > 0.001 * spread.size:
        return base, None, None
    if draw < 0.08:
        name = TINTS[int(rng.integers(len(TINTS)))]
        colours = ramp(name, rng)
        # In a dual view often only the contrast half is tinted.
        shown = fields[:1] if len(fields) > 1 and rng.random() < 0.5 else fields
        where = np.logical_or.reduce(list(shown))
        return np.where(where[..., None], colours[base[..., 1]], base).astype(np.uint8), name, None
    site = site_of(fields[int(rng.integers(len(fields)))])
    wide, high = rng.uniform(0.25, 0.75, 2)
    l0, d0 = float(rng.uniform(0.04, 0.96 - wide)), float(rng.uniform(0.04, 0.96 - high))
    border = shapes.region(
        (l0, d0, l0 + float(wide), d0 + float(high)), site, shapes.lean(l0, float(wide), float(high), rng)
    )
    flow = paint_flow(base, site, border, rng)
    return flow.image, None, flow


def _draw(pen: Pen, flow: Flow | None) -> None:
    """All marks in the order in which devices draw them: furniture, measurements and labels, paint on top."""
    height, width = pen.layer.size
    x0, y0, x1, y1 = pen.area
    room = 1 - (x1 - x0) * (y1 - y0) / (height * width)
    mood = float(pen.rng.choice([0.35, 1.0, 1.7], p=[0.22, 0.55, 0.23]))  # sparse, usual, crowded
    around = mood if room > 0.25 else 0.3 * mood
    vendor = pen.vendor
    if pen.chance((0.9 if vendor.banner else 0.04) * min(around, 1)):
        layout.banner(pen)
    if vendor.brand and pen.chance(0.7 if room > 0.25 else 0.25):
        bodies.logo(pen)
    if pen.chance((0.75 if vendor.patient != "none" else 0.12) * min(around, 1)):
        layout.patient(pen)
    for draw, share in AROUND:
        if pen.chance(share * around):
            draw(pen)
    if flow is not None and pen.chance(0.88):
        shapes.roi_box(pen, flow.border)
    if pen.chance(0.75 if flow is not None else 0.06):
        colours = flow.colours if flow is not None else pen.pick((velocity_map, power_map))(pen.rng)
        bars.colour_bar(pen, colours)
    for draw, share in ON_TISSUE:
        while pen.chance(min(share * mood, 0.85)):
            draw(pen)
            share *= 0.45  # a second one is rarer than the first
    if pen.chance(0.11):
        layout.watermark(pen)
    if pen.chance(0.1):
        layout.redaction(pen)
    if pen.chance(0.4 if room < 0.1 else 0.1):
        layout.cropped_text(pen)
