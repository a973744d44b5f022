"""Random screens of devices that nobody built: any field, any furniture, any fault of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ultracurate.phantom.anatomy import ANATOMIES, echo_of
from ultracurate.phantom.canvas import Canvas, Colour
from ultracurate.phantom.consoles import CROWDED, wide_bands
from ultracurate.phantom.doppler import TINTS, flow, tinted
from ultracurate.phantom.faults import spoil
from ultracurate.phantom.fields import KINDS, VIRTUAL, Field, draw_field
from ultracurate.phantom.furniture import HELD, HELD_FONTS, SEEN, SEEN_FONTS, Rng, Scene, Theme, litter, marks
from ultracurate.phantom.sectors import Box, fit, points
from ultracurate.phantom.textures import Grey, Mask, compress, speckle

SIZES = (
    (480, 640),
    (480, 720),
    (576, 720),
    (600, 800),
    (720, 960),
    (768, 1024),
    (720, 1280),
    (960, 1280),
    (1080, 1920),
)
"""Screens (H, W) of tests, 480 to 1080 rows."""

Tissue = Callable[[Rng], Grey]
"""Draws a beam picture (D, L) uint8."""

_SHARES = {"convex": 4, "phased": 3, "endocavity": 2, "linear": 4, "trapezoid": 2, "steered": 1, "dual": 2, "full": 3}
_TRAINING_SHARES = _SHARES | {VIRTUAL: 1.5, "steered": 2, "dual": 3}


@dataclass(frozen=True)
class Screen:
    """An invented screen: `image` (H, W) or (H, W, 3) uint8 RGB, what `kind` of field it shows, and each field's mask.

    A dual view has two masks (H, W) bool; of any other kind there is one. Tissue under an overlay belongs to the field.
    """

    image: Grey
    kind: str
    fields: list[Mask]

    @property
    def mask(self) -> Mask:
        """Union of the fields, (H, W) bool."""
        return np.asarray(np.logical_or.reduce(self.fields), np.bool_)


@lru_cache(maxsize=48)
def _beams(anatomy: str, wide: bool, seed: int) -> Grey:
    rng = np.random.default_rng([seed, 5])
    grid = points(fit("convex" if wide else "linear", (0, 0, 460, 400), rng))
    return compress(echo_of(anatomy, grid, seed), speckle(grid.x.shape, seed), seed, float(rng.uniform(-4, 4)))


def invented_tissue(rng: Rng) -> Grey:
    """A beam picture of one of the phantom's anatomies; a few of each are kept, as drawing one takes long."""
    names = list(ANATOMIES)
    return _beams(names[int(rng.integers(len(names)))], bool(rng.integers(2)), int(rng.integers(2)))


def random_screen(
    seed: int, held: bool = True, tissue: Tissue = invented_tissue, size: tuple[int, int] | None = None
) -> Screen:
    """The screen of `seed`, the same every time.

    Args:
        seed: any number.
        held: also furniture and fonts that no shipped net was trained on. Training passes False, and gets crowded
            consoles, harder faults and closer cuts in their stead.
        tissue: where beam pictures come from.
        size: (H, W); None draws one of `SIZES`.
    """
    rng = np.random.default_rng([seed, 20 + held])
    height, width = size or SIZES[int(rng.integers(len(SIZES)))]
    chances = _SHARES if held else _TRAINING_SHARES
    shares = np.asarray(list(chances.values()), float)
    kind = str(rng.choice(list(chances), p=shares / shares.sum()))
    theme = _theme(rng, height, held)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = theme.ground
    area = _area(rng, height, width, held) if kind != "full" else (0, 0, width, height)
    if kind != "full":
        _panels(image, theme, area, rng)
        if not held and rng.random() < 0.2:
            wide_bands(image, area, rng)
        if rng.random() < (0.15 if held else 0.45):
            litter(image, rng)
    fields = _fields(kind, area, rng)
    masks = []
    tint = TINTS[int(rng.integers(len(TINTS)))] if rng.random() < (0.06 if held else 0.12) else ""
    spoiled = spoil(tissue(rng), rng, not held)
    for index, field in enumerate(fields):
        beams = spoiled if not index or rng.random() < 0.3 else spoil(tissue(rng), rng, not held)
        (x0, y0, x1, y1), pixels, inside = field.place(beams)
        colour = tinted(pixels, tint) if tint else np.repeat(pixels[..., None], 3, axis=2)
        np.copyto(image[y0:y1, x0:x1], colour, where=inside[..., None])
        whole = np.zeros((height, width), np.bool_)
        whole[y0:y1, x0:x1] = inside
        masks.append(whole)
    if rng.random() < 0.12:
        image = _doppler(image, masks[0], rng)
    canvas = Canvas(image)
    scene = Scene(canvas, rng, theme, area, fields)
    pieces = [*SEEN, *HELD] if held else list(SEEN)
    for piece in pieces if kind != "full" else [marks]:
        if rng.random() < (0.45 if kind != "full" else 0.5):
            piece(scene)
    for piece in CROWDED if not held and kind != "full" else ():
        if rng.random() < 0.25:
            piece(scene)
    image = canvas.image
    if not held and rng.random() < 0.12:
        image, masks = _closely_cut(image, masks, rng)
    return _finish(image, kind, masks, rng)


def _theme(rng: Rng, height: int, held: bool) -> Theme:
    def colour(low: int, high: int) -> Colour:
        grey, spread = int(rng.integers(low, high)), int(rng.integers(0, 40)) if rng.random() < 0.5 else 0
        r, g, b = (int(np.clip(grey + v, 0, 255)) for v in rng.integers(-spread, spread + 1, 3))
        return r, g, b

    ground: Colour = (0, 0, 0)
    draw = rng.random()
    if draw > 0.9:
        ground = colour(60, 180)
    elif draw > 0.6:
        ground = colour(1, 45)
    fonts = SEEN_FONTS + HELD_FONTS if held else SEEN_FONTS
    size = max(6, round(height / 600 * rng.uniform(7, 14)))
    return Theme(ground, colour(20, 190), colour(150, 255), colour(90, 255), fonts[int(rng.integers(len(fonts)))], size)


def _area(rng: Rng, height: int, width: int, held: bool) -> Box:
    left, right = rng.uniform(0, 0.24, 2)
    top, bottom = rng.uniform(0, 0.16, 2)
    if not held:
        draw = rng.random()
        if draw < 0.15:  # nearly the whole screen
            left, right, top, bottom = rng.uniform(-0.01, 0.05, 4).clip(0)
        elif draw < 0.25:  # room for a sweep
            top, bottom = (0.02, rng.uniform(0.25, 0.5)) if rng.random() < 0.75 else (rng.uniform(0.25, 0.5), 0.02)
        elif draw < 0.32:  # a small window somewhere
            left, right, top, bottom = rng.uniform(0.02, 0.35, 4)
    if rng.random() < 0.1:
        left, right = left * 0.1, right * 0.1
    return round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom))


def _panels(image: Grey, theme: Theme, area: Box, rng: Rng) -> None:
    """Flat or shaded bands around the area; on a lit ground the area is often a black window."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = area
    boxes = [(0, 0, width, y0 - 2), (0, y1 + 2, width, height), (0, 0, x0 - 3, height), (x1 + 3, 0, width, height)]
    for left, top, right, bottom in boxes:
        if rng.random() < 0.25 and right > left and bottom > top:
            image[top:bottom, left:right] = theme.panel
            if rng.random() < 0.4:  # a shaded bar
                shade = np.linspace(0.5, 1, bottom - top)[:, None, None]
                image[top:bottom, left:right] = (image[top:bottom, left:right] * shade).astype(np.uint8)
    if max(theme.ground) > 8 and rng.random() < 0.5:
        image[y0:y1, x0:x1] = 0 if rng.random() < 0.7 else int(rng.integers(1, 20))


def _fields(kind: str, area: Box, rng: Rng) -> list[Field]:
    if kind == "full":
        return [Field("linear", area)]
    if kind != "dual":
        return [draw_field(kind, area, rng)]
    x0, y0, x1, y1 = area
    gap = int(rng.integers(2, 40)) if rng.random() < 0.75 else int(rng.integers(0, 3))
    middle = (x0 + x1) // 2
    inner = str(rng.choice(KINDS))
    state = rng.bit_generator.state
    left = draw_field(inner, (x0, y0, middle - gap // 2, y1), rng, 0.5)
    if rng.random() < 0.8:
        after, rng.bit_generator.state = rng.bit_generator.state, state
        right = draw_field(inner, (middle + gap - gap // 2, y0, x1, y1), rng, 0.5)
        rng.bit_generator.state = after
    else:
        right = draw_field(inner, (middle + gap - gap // 2, y0, x1, y1), rng, 0.5)
    return [left, right]


def _doppler(image: Grey, mask: Mask, rng: Rng) -> Grey:
    rows, columns = np.nonzero(mask)
    if len(rows) < 400:
        return image
    (y0, y1), (x0, x1) = np.percentile(rows, (15, 85)), np.percentile(columns, (15, 85))
    inside = np.zeros_like(mask)
    a, b = sorted(rng.uniform(x0, x1, 2)), sorted(rng.uniform(y0, y1, 2))
    inside[int(b[0]) : int(b[1]) + 9, int(a[0]) : int(a[1]) + 9] = True
    return flow(image, inside & mask, rng)[0]


def _closely_cut(image: Grey, masks: list[Mask], rng: Rng) -> tuple[Grey, list[Mask]]:
    """Cut to the box of all fields, give or take a tenth of it on every side: the frame hides part of the border."""
    rows, columns = np.nonzero(np.logical_or.reduce(masks))
    if len(rows) < 400:
        return image, masks
    sides = np.asarray([rows.min(), columns.min(), -rows.max() - 1, -columns.max() - 1])
    high, wide = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    sides = sides + np.round(rng.uniform(-0.06, 0.12, 4) * (high, wide, high, wide)).astype(int)
    y0, x0 = max(0, int(sides[0])), max(0, int(sides[1]))
    y1, x1 = min(image.shape[0], -int(sides[2])), min(image.shape[1], -int(sides[3]))
    return image[y0:y1, x0:x1], [mask[y0:y1, x0:x1] for mask in masks]


def _finish(image: Grey, kind: str, masks: list[Mask], rng: Rng) -> Screen:
    """A cut export, a soft copy, a compressed copy; grey where no colour is left."""
    height, width = image.shape[:2]
    if rng.random() < 0.18:
        y0, x0 = (int(v) for v in rng.uniform(0, 0.3, 2) * (height, width))
        y1, x1 = (int(v) for v in (1 - rng.uniform(0, 0.3, 2)) * (height, width))
        image, masks = image[y0:y1, x0:x1], [mask[y0:y1, x0:x1] for mask in masks]
    if rng.random() < 0.2:
        small = cv2.resize(image, None, fx=float(rng.uniform(0.45, 0.9)), fy=float(rng.uniform(0.6, 0.9)),
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        image = np.asarray(cv2.resize(small, (image.shape[1], image.shape[0])), np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(45, 96))
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1] if done else image
    if (image == image[..., :1]).all() or rng.random() < 0.4:
        image = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)
    masks = [mask for mask in masks if mask.any()] or masks[:1]
    if len(masks) == 1 and kind == "dual":
        kind = "cut dual"
    if all(mask.all() for mask in masks):
        kind = "full"
    return Screen(np.ascontiguousarray(image), kind, [np.ascontiguousarray(mask) for mask in masks])
