"""A whole invented screen: device, field or two, tissue, and everything that is burned into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from ultracurate.phantom.anatomy import ANATOMIES, echo_of
from ultracurate.phantom.burned.burn import burn_onto
from ultracurate.phantom.burned.kinds import Burned
from ultracurate.phantom.burned.vendors import HELD_VENDORS, SEEN_VENDORS, VENDORS, Vendor
from ultracurate.phantom.fields import KINDS, Field, draw_field
from ultracurate.phantom.sectors import Box, fit, points
from ultracurate.phantom.textures import Grey, Mask, compress, speckle

Rng = np.random.Generator
Tissue = Callable[[Rng], Grey]
"""Draws a beam picture (D, L) uint8: depth down, beams across."""

SIZES = ((480, 640), (480, 640), (576, 720), (600, 800), (600, 800), (720, 960), (768, 1024), (720, 1280))
"""Screens (H, W)."""


@lru_cache(maxsize=64)
def _beams(anatomy: str, wide: bool, seed: int) -> Grey:
    rng = np.random.default_rng([seed, 6])
    grid = points(fit("convex" if wide else "linear", (0, 0, 460, 400), rng))
    return compress(echo_of(anatomy, grid, seed), speckle(grid.x.shape, seed), seed, float(rng.uniform(-4, 4)))


def _phantom(rng: Rng, held: bool) -> Grey:
    """One of the phantom's anatomies; the seen and the held half are different patients."""
    names = list(ANATOMIES)
    return _beams(
        names[int(rng.integers(len(names)))], bool(rng.integers(2)), int(rng.integers(2)) + (100 if held else 0)
    )


def burned_screen(
    seed: int,
    *,
    held: bool,
    size: tuple[int, int] | None = None,
    tissue: Tissue | None = None,
    tissue_name: str = "",
    jpeg: bool = True,
    fonts: Sequence[str] | None = None,
) -> Burned:
    """The screen of `seed`: a device, one field or a dual view, tissue, tint or flow at times, marks, compression.

    Args:
        seed: any number; the same one makes the same screen on the same machine.
        held: only fonts, words, devices and phantom patients that are kept for tests; without it only the others.
        size: (H, W) before crops and resizing; None draws one of `SIZES`.
        tissue: where beam pictures come from; None takes the phantom's anatomies.
        tissue_name: kept in the result to group by.
        jpeg: whether the picture may be compressed.
        fonts: draw from these only.

    Raises:
        ConfigError: a font is not installed.
    """
    rng = np.random.default_rng([seed, 50 + held])
    height, width = size or SIZES[int(rng.integers(len(SIZES)))]
    name = str(rng.choice(list(HELD_VENDORS if held else SEEN_VENDORS)))
    vendor = VENDORS[name]
    base = np.empty((height, width, 3), np.uint8)
    base[:] = vendor.ground if rng.random() < 0.85 else rng.integers(0, 40)
    masks: list[Mask] = []
    draw: Tissue = tissue or (lambda r: _phantom(r, held))
    for field in _fields(vendor, (height, width), rng):
        (x0, y0, x1, y1), pixels, inside = field.place(_worn(draw(rng), rng))
        base[y0:y1, x0:x1] = np.where(inside[..., None], pixels[..., None], base[y0:y1, x0:x1])
        whole = np.zeros((height, width), np.bool_)
        whole[y0:y1, x0:x1] = inside
        masks.append(whole)
    return burn_onto(base, masks, rng, name, held=held, jpeg=jpeg, colour=True, tissue=tissue_name or "phantom",
                     fonts=fonts)  # fmt: skip


def _fields(vendor: Vendor, size: tuple[int, int], rng: Rng) -> list[Field]:
    """One field in the device's area or, in one of eight screens, two side by side."""
    height, width = size
    left, top, right, bottom = (m * rng.uniform(0.7, 1.3) for m in vendor.margins)
    area: Box = round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom))
    if vendor.margins[1] == 0 and rng.random() < 0.6:
        return [Field("linear", area)]
    kind = str(rng.choice(KINDS, p=[0.3, 0.15, 0.13, 0.28, 0.09, 0.05]))
    if rng.random() > 0.12:
        return [draw_field(kind, area, rng)]
    x0, y0, x1, y1 = area
    middle, gap = (x0 + x1) // 2, int(rng.integers(0, 20))
    return [draw_field(kind, (x0, y0, middle - gap, y1), rng), draw_field(kind, (middle + 1, y0, x1, y1), rng)]


def _worn(beams: Grey, rng: Rng) -> Grey:
    """The picture at another gain: mirrored, darker, fading with depth, shadowed."""
    if rng.random() < 0.5:
        beams = beams[:, ::-1]
    value = beams.astype(np.float32)
    depth = np.linspace(0, 1, len(beams), dtype=np.float32)[:, None]
    if rng.random() < 0.4:
        value -= np.float32(rng.uniform(30, 140)) * np.clip(depth - np.float32(rng.uniform(0.1, 0.8)), 0, 1)
    if rng.random() < 0.25:
        lateral = np.linspace(-1, 1, beams.shape[1], dtype=np.float32)[None]
        soft = 1 / (1 + np.exp((np.abs(lateral - rng.uniform(-1, 1)) - rng.uniform(0.03, 0.25)) / 0.03))
        value -= np.float32(rng.uniform(40, 160)) * soft.astype(np.float32)
    bent = np.power(np.clip(value, 0, 255) / 255, rng.uniform(0.65, 1.5)) * rng.uniform(0.7, 1.1)
    return np.asarray(np.clip(255 * bent, 0, 255), np.uint8)
