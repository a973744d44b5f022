"""One synthetic ultrasound frame or clip with everything known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.phantom.anatomy import echo_of
from ultracurate.phantom.canvas import Canvas
from ultracurate.phantom.doppler import flow as add_flow
from ultracurate.phantom.doppler import tint_ramp, tinted
from ultracurate.phantom.overlays import Pen, draw, roi_corners, roi_path
from ultracurate.phantom.screens import Identity, Style, bar_of, furnish, image_area, invent_identity, style_of
from ultracurate.phantom.sectors import Box, Sector, fit, points, polygon, warp, warp_mask
from ultracurate.phantom.textures import Grey, Mask, compress, moving_speckle

DEFAULT_OVERLAYS = ("caliper", "dotted_line", "insector_text", "measurement_text", "body_mark")


@dataclass(frozen=True)
class PhantomFrame:
    """A frame and its truth.

    `image` and `clean` are (H, W) uint8, or (H, W, 3) uint8 RGB when either holds colour; they differ only where one of
    `masks` (kind -> (H, W) bool) is set. `clean` is the sector with its flow and tint on black. `sector_mask`,
    `flow_mask` and `target_mask` (the finding a dataset would segment) are (H, W) bool; `polygon` is (x, y) pixels;
    `strings` lists (kind, text, box).
    """

    image: Grey
    clean: Grey
    sector_mask: Mask
    polygon: list[tuple[float, float]]
    masks: dict[str, Mask]
    flow_mask: Mask
    target_mask: Mask
    strings: list[tuple[str, str, Box]]
    identity: Identity

    @property
    def overlay_mask(self) -> Mask:
        """Union of all overlay masks, (H, W) bool."""
        union = np.zeros_like(self.sector_mask)
        for mask in self.masks.values():
            union |= mask
        return union


def make_frame(
    anatomy: str,
    geometry: str,
    style: str = "atlas",
    seed: int = 0,
    size: tuple[int, int] = (600, 800),
    overlays: Sequence[str] = DEFAULT_OVERLAYS,
    flow: bool = False,
    tint: str | None = None,
    identity: Identity | None = None,
    phase: float = 0.0,
) -> PhantomFrame:
    """Draw one frame of `size` (H, W) px; the same arguments give the same bytes.

    `style` furnishes the screen (patient text, parameters, bars), `overlays` are drawn on top in this order and may
    repeat, `flow` adds colour Doppler in a region box, `tint` colours the grey map.
    """
    look = style_of(style)
    sector = _sector(geometry, look, size, seed)
    grey, sector_mask, target = _tissue(anatomy, sector, seed, size, phase)
    ramp = tint_ramp(tint) if tint else None
    clean = tinted(grey, tint) if tint else np.repeat(grey[..., None], 3, axis=2)
    rng = np.random.default_rng([seed, 3])
    corners = roi_corners(Pen(Canvas(clean), sector, rng)) if flow else []
    flow_mask = np.zeros(size, np.bool_)
    if flow:
        area = _inside(roi_path(Pen(Canvas(clean), sector, rng), corners), size) & sector_mask
        clean, flow_mask = add_flow(clean, area, rng, phase)
    canvas = Canvas(clean)
    pen = Pen(canvas, sector, rng)
    who = identity or invent_identity(seed)
    if style != "plain":
        furnish(pen, look, who, bar_of(ramp))
    if flow:
        canvas.lines("roi_box", [roi_path(pen, corners)], (235, 235, 235), 1, closed=True)
    for kind in overlays:
        draw(pen, kind)
    image, clean = _narrow(canvas.image, clean)
    return PhantomFrame(
        image, clean, sector_mask, polygon(sector), canvas.masks, flow_mask, target, canvas.strings, who
    )


def make_clip(
    anatomy: str,
    geometry: str,
    style: str = "plain",
    seed: int = 0,
    size: tuple[int, int] = (240, 320),
    frames: int = 24,
    cycles: float = 1.0,
    identity: Identity | None = None,
) -> Grey:
    """A moving clip (F, H, W) uint8: heart beat, breath or probe sweep by anatomy, `cycles` of it in all.

    The device's furniture is drawn once and stands still, as on a screen.
    """
    look = style_of(style)
    sector = _sector(geometry, look, size, seed)
    canvas = Canvas(np.zeros(size, np.uint8))
    if style != "plain":
        furnish(
            Pen(canvas, sector, np.random.default_rng([seed, 3])), look, identity or invent_identity(seed), bar_of(None)
        )
    still = cv2.cvtColor(canvas.image, cv2.COLOR_RGB2GRAY)
    drawn = np.zeros(size, np.bool_)
    for mask in canvas.masks.values():
        drawn |= mask
    clip = np.zeros((frames, *size), np.uint8)
    for index in range(frames):
        grey, _, _ = _tissue(anatomy, sector, seed, size, cycles * index / frames)
        clip[index] = np.where(drawn, still, grey)
    return clip


def _sector(geometry: str, look: Style, size: tuple[int, int], seed: int) -> Sector:
    return fit(geometry, image_area(look, size), np.random.default_rng([seed, 1]))


def _tissue(anatomy: str, sector: Sector, seed: int, size: tuple[int, int], phase: float) -> tuple[Grey, Mask, Mask]:
    """Grey picture, sector mask and target mask on the screen, all (H, W)."""
    grid = points(sector)
    echo = echo_of(anatomy, grid, seed, phase)
    gain = float(np.random.default_rng([seed, 2]).uniform(-4.0, 4.0))
    grain = moving_speckle(grid.x.shape, seed, phase)
    image, sector_mask = warp(compress(echo, grain, seed, gain), sector, size)
    return image, sector_mask, warp_mask(echo.target, sector, size)


def _inside(outline: list[tuple[float, float]], size: tuple[int, int]) -> Mask:
    area = np.zeros(size, np.uint8)
    cv2.fillPoly(area, [np.round(np.asarray(outline)).astype(np.int32).reshape(-1, 1, 2)], 1)
    return np.asarray(area > 0, np.bool_)


def _narrow(image: Grey, clean: Grey) -> tuple[Grey, Grey]:
    """Both pictures as (H, W) if neither holds colour."""
    if (image == image[..., :1]).all() and (clean == clean[..., :1]).all():
        return np.ascontiguousarray(image[..., 0]), np.ascontiguousarray(clean[..., 0])
    return image, clean
