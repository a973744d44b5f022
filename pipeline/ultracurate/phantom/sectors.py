"""Sector geometries: the shape of the image area on the screen, its beam grid, and the warp from one to the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.textures import Grey, Mask, Points

GEOMETRIES = ("convex", "phased", "linear", "endocavity")

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) half-open pixels."""


@dataclass(frozen=True)
class Sector:
    """One image area: its kind, pixel box, and for curved probes apex, radii (px) and half opening angle (rad)."""

    kind: str
    box: Box
    apex: tuple[float, float] = (0.0, 0.0)
    near: float = 0.0
    far: float = 0.0
    angle: float = 0.0

    @property
    def height(self) -> float:
        """Pixels from the shallowest to the deepest point."""
        return self.far - self.near * float(np.cos(self.angle)) if self.angle else float(self.box[3] - self.box[1])

    @property
    def grid(self) -> tuple[int, int]:
        """Samples along and across the beams (D, L)."""
        if not self.angle:
            return self.box[3] - self.box[1], max(96, round(0.7 * (self.box[2] - self.box[0])))
        # Fewer beams than pixels on the far arc, as in a real scanner: speckle widens with depth.
        return round(self.far - self.near), max(96, round(0.62 * self.far * 2 * self.angle))


def fit(kind: str, box: Box, rng: np.random.Generator) -> Sector:
    """The largest sector of `kind` in `box`, with opening angle and radii drawn from `rng`."""
    x0, y0, x1, y1 = box
    if kind == "linear":
        height = y1 - y0
        width = min(x1 - x0, round(height * rng.uniform(0.95, 1.35)))
        left = (x0 + x1 - width) // 2
        return Sector(kind, (left, y0, left + width, y1))
    opening = {"convex": (0.50, 0.62), "phased": (0.68, 0.80), "endocavity": (1.05, 1.25)}
    ratio = {"convex": (0.22, 0.34), "phased": (0.012, 0.03), "endocavity": (0.12, 0.2)}
    if kind not in opening:
        raise ConfigError(f"Expected a geometry of {', '.join(GEOMETRIES)}, found {kind!r}. Choose one of these.")
    angle = float(rng.uniform(*opening[kind]))
    near_ratio = float(rng.uniform(*ratio[kind]))
    drop = near_ratio * np.cos(angle)
    far = float(min((x1 - x0) / (2 * np.sin(angle)), (y1 - y0 - 2) / (1 - drop))) - 1
    near = far * near_ratio
    apex = ((x0 + x1) / 2.0, y0 - near * float(np.cos(angle)) + 1)
    half = far * np.sin(angle)
    bounds = (int(apex[0] - half), y0, int(np.ceil(apex[0] + half)) + 1, int(np.ceil(apex[1] + far)) + 1)
    return Sector(kind, bounds, apex, near, far, angle)


def points(sector: Sector) -> Points:
    """Plane and beam coordinates of every sample of the sector's grid."""
    rows, columns = sector.grid
    depth = np.repeat(np.linspace(0, 1, rows, dtype=np.float32)[:, None], columns, axis=1)
    lateral = np.repeat(np.linspace(-1, 1, columns, dtype=np.float32)[None], rows, axis=0)
    if not sector.angle:
        width = (sector.box[2] - sector.box[0]) / sector.height
        return Points(np.asarray(lateral * width / 2, np.float32), depth, depth, lateral)
    radius = sector.near + depth * (sector.far - sector.near)
    theta = lateral * sector.angle
    x = radius * np.sin(theta) / sector.height
    y = (radius * np.cos(theta) - sector.near * np.cos(sector.angle)) / sector.height
    return Points(np.asarray(x, np.float32), np.asarray(y, np.float32), depth, lateral)


def _beam_maps(sector: Sector, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, Mask]:
    """For each screen pixel its column and row in the grid, (H, W) float32, and whether it is inside."""
    yy, xx = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    rows, columns = sector.grid
    if not sector.angle:
        x0, y0, x1, y1 = sector.box
        mask = (xx >= x0) & (xx < x1) & (yy >= y0) & (yy < y1)
        column = (xx - np.float32(x0)) * np.float32((columns - 1) / max(x1 - x0 - 1, 1))
        return column, yy - np.float32(y0), mask
    dx, dy = xx - sector.apex[0], yy - sector.apex[1]
    radius, theta = np.hypot(dx, dy), np.arctan2(dx, dy)
    mask = (radius >= sector.near) & (radius <= sector.far) & (np.abs(theta) <= sector.angle)
    row = (radius - sector.near) / (sector.far - sector.near) * (rows - 1)
    column = (theta + sector.angle) / (2 * sector.angle) * (columns - 1)
    return column.astype(np.float32), row.astype(np.float32), mask


def warp(texture: Grey, sector: Sector, size: tuple[int, int]) -> tuple[Grey, Mask]:
    """Beam picture (D, L) uint8 to the screen: image (H, W) uint8, zero outside, and the exact sector mask (H, W)."""
    column, row, mask = _beam_maps(sector, size)
    image = cv2.remap(texture, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(mask, image, 0).astype(np.uint8), mask


def warp_mask(marks: Mask, sector: Sector, size: tuple[int, int]) -> Mask:
    """A bool map of the beam grid (D, L) to the screen (H, W), nearest sample, False outside the sector."""
    column, row, mask = _beam_maps(sector, size)
    picked = cv2.remap(marks.astype(np.uint8), column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((picked > 0) & mask, np.bool_)


def polygon(sector: Sector, steps: int = 48) -> list[tuple[float, float]]:
    """The sector's outline as (x, y) pixels, clockwise from the upper left."""
    x0, y0, x1, y1 = sector.box
    if not sector.angle:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    sweep = np.linspace(-sector.angle, sector.angle, steps)
    near = [_at(sector, sector.near, float(theta)) for theta in sweep]
    far = [_at(sector, sector.far, float(theta)) for theta in sweep[::-1]]
    return near + far


def screen(sector: Sector, depth: float, lateral: float) -> tuple[float, float]:
    """Screen pixel (x, y) of a point given by depth 0..1 along the beam and lateral -1..1 across."""
    if not sector.angle:
        x0, y0, x1, y1 = sector.box
        return (x0 + x1) / 2 + lateral * (x1 - x0) / 2, y0 + depth * (y1 - y0)
    return _at(sector, sector.near + depth * (sector.far - sector.near), lateral * sector.angle)


def _at(sector: Sector, radius: float, theta: float) -> tuple[float, float]:
    return sector.apex[0] + radius * float(np.sin(theta)), sector.apex[1] + radius * float(np.cos(theta))
