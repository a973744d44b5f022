"""Shapes of image areas as devices cut them: fans, rectangles, slanted and widened linear fields, cut by the screen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey, Mask

KINDS = ("convex", "phased", "endocavity", "linear", "trapezoid", "steered")

VIRTUAL = "virtual"
"""A linear probe's field widened into an arc; only training draws it, so that the screens of tests stay as they are."""

_OPENING = {"convex": (0.42, 0.66), "phased": (0.6, 0.85), "endocavity": (0.85, 1.35), "trapezoid": (0.1, 0.36),
            VIRTUAL: (0.04, 0.4)}  # fmt: skip
_NEAR = {"convex": (0.16, 0.45), "phased": (0.004, 0.07), "endocavity": (0.1, 0.26), "trapezoid": (0.3, 0.75),
         VIRTUAL: (0.4, 0.85)}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One image area in pixels.

    A fan has its apex, two radii and the angles of its sides (rad, 0 along the axis), which `turn` swings from pointing
    down. `flat_top` and `flat_foot` replace an arc by a straight edge. A linear field (far 0) fills its box, leaning by
    `slant` pixels for each pixel of depth. Both are cut by `box` (x0, y0, x1, y1).
    """

    kind: str
    box: Box
    apex: tuple[float, float] = (0.0, 0.0)
    near: float = 0.0
    far: float = 0.0
    sides: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    flat_top: bool = False
    flat_foot: bool = False
    slant: float = 0.0

    def place(self, image: Grey) -> tuple[Box, Grey, Mask]:
        """The beam picture (D, L) uint8 as it looks on the screen: its box, and there the pixels and the exact mask."""
        x0, y0, x1, y1 = self.box
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        depth, across, mask = self._beam(xx, yy)
        rows, columns = image.shape
        warped = cv2.remap(image, across * (columns - 1), depth * (rows - 1), cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        return self.box, np.where(mask, warped, 0).astype(np.uint8), mask

    def _beam(self, xx: np.ndarray, yy: np.ndarray) -> tuple[np.ndarray, np.ndarray, Mask]:
        """Depth and lateral place 0..1 of each pixel, float32, and which pixels lie in the field."""
        if not self.far:
            depth = (yy - self.box[1]) / np.float32(self.box[3] - self.box[1])
            lean = np.float32(self.slant) * (yy - np.float32(self.box[1]))
            width = self.box[2] - self.box[0] - abs(self.slant) * (self.box[3] - self.box[1])
            across = (xx - np.float32(self.box[0] - min(0.0, self.slant) * (self.box[3] - self.box[1])) - lean) / width
            return depth, across.astype(np.float32), (across >= 0) & (across <= 1)
        dx, dy = xx - np.float32(self.apex[0]), yy - np.float32(self.apex[1])
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        along, aside = cos * dy - sin * dx, cos * dx + sin * dy
        radius, theta = np.hypot(along, aside), np.arctan2(aside, along)
        low, high = self.sides
        top = along if self.flat_top else radius
        foot = along if self.flat_foot else radius
        mask = (theta >= low) & (theta <= high) & (top >= self.near) & (foot <= self.far)
        depth = (radius - self.near) / (self.far - self.near)
        across = (theta - low) / (high - low)
        return depth.astype(np.float32), across.astype(np.float32), np.asarray(mask, np.bool_)

    def edge(self, lateral: float, depth: float) -> tuple[float, float]:
        """Screen pixel (x, y) at a lateral place and a depth, both 0..1; it may lie outside the cutting box."""
        x0, y0, x1, y1 = self.box
        if not self.far:
            lean = self.slant * depth * (y1 - y0)
            width = x1 - x0 - abs(self.slant) * (y1 - y0)
            return x0 - min(0.0, self.slant) * (y1 - y0) + lean + lateral * width, y0 + depth * (y1 - y0)
        radius = self.near + depth * (self.far - self.near)
        theta = self.sides[0] + lateral * (self.sides[1] - self.sides[0])
        x, y = radius * np.sin(theta), radius * np.cos(theta)
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return float(self.apex[0] + cos * x - sin * y), float(self.apex[1] + sin * x + cos * y)


def draw_field(kind: str, area: Box, rng: np.random.Generator, cut: float = 0.25) -> Field:
    """A random field of `kind` in `area`; with probability `cut` it is larger than the area, which then cuts it."""
    x0, y0, x1, y1 = area
    wide, high = x1 - x0, y1 - y0
    if kind in ("linear", "steered"):
        width = min(wide, round(high * rng.uniform(0.5, 2.4)))
        height = min(high, round(wide * rng.uniform(0.4, 2.0)))
        left, top = x0 + round(rng.uniform(0, 1) * (wide - width)), y0 + round(rng.uniform(0, 0.4) * (high - height))
        slant = 0.0
        if kind == "steered":
            slant = float(rng.choice([-1, 1]) * rng.uniform(0.06, min(0.4, 0.55 * width / height)))
        return Field(kind, (left, top, left + width, top + height), slant=slant)
    half, near = float(rng.uniform(*_OPENING[kind])), float(rng.uniform(*_NEAR[kind]))
    skew = 1.0 if rng.random() < 0.75 else float(rng.uniform(0.55, 1.0))
    low, upper = (-half, half * skew) if rng.random() < 0.5 else (-half * skew, half)
    turn = float(np.pi if rng.random() < 0.05 else rng.normal(0, 0.12) if rng.random() < 0.08 else 0.0)
    flat_top = kind == "trapezoid" or (kind == "phased" and rng.random() < 0.2)
    flat_foot = kind == "trapezoid" and rng.random() < 0.5
    unit = Field(kind, area, (0.0, 0.0), near, 1.0, (low, upper), turn, flat_top, flat_foot)
    places = np.asarray([unit.edge(float(t), d) for t in np.linspace(0, 1, 33) for d in (0.0, 1.0)])
    if flat_top or flat_foot:
        thetas = np.linspace(low, upper, 33)
        x = np.concatenate([np.tan(thetas) * near, np.tan(thetas) if flat_foot else np.sin(thetas)])
        y = np.concatenate([np.full(33, near), np.ones(33) if flat_foot else np.cos(thetas)])
        cos, sin = np.cos(turn), np.sin(turn)
        places = np.stack([cos * x - sin * y, sin * x + cos * y], axis=1)
    least, most = places.min(axis=0), places.max(axis=0)
    scale = float(min(wide / (most[0] - least[0]), high / (most[1] - least[1]))) * 0.998
    if rng.random() < cut:
        scale *= float(rng.uniform(1.05, 1.6))
    slack = (wide - scale * (most[0] - least[0]), high - scale * (most[1] - least[1]))
    # Fans are centred; what does not fit is cut at the foot rather than at the probe.
    apex_x = x0 + slack[0] * rng.uniform(0.3, 0.7) - scale * least[0]
    apex_y = (y0 + slack[1] * (rng.uniform(0, 0.5) if slack[1] > 0 else float(rng.random() < 0.15))) - scale * least[1]
    box = (
        max(x0, int(apex_x + scale * least[0]) - 1), max(y0, int(apex_y + scale * least[1]) - 1),
        min(x1, int(apex_x + scale * most[0]) + 2), min(y1, int(apex_y + scale * most[1]) + 2),
    )  # fmt: skip
    apex = (float(apex_x), float(apex_y))
    return Field(kind, box, apex, near * scale, scale, (low, upper), turn, flat_top, flat_foot)
