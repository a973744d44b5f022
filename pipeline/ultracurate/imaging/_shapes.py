"""Shapes that a field can have, each the common part of simple regions: signed distances, slopes, outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""(N, 2) pixels, x and y; the middle of the upper left pixel is (0.5, 0.5)."""

Params = npt.NDArray[np.float64]

_SIDES = np.asarray([[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
"""Outward normals of a box: left, top, right, bottom."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle; parameters x0, y0, x1, y1."""

    name = "box"
    count = 4

    def distances(self, p: Params, at: Points) -> npt.NDArray[np.float64]:
        """(regions, N) pixels to the edge of each region, positive outside it; the largest is the shape's own."""
        return np.stack([p[0] - at[:, 0], p[1] - at[:, 1], at[:, 0] - p[2], at[:, 1] - p[3]])

    def slopes(self, p: Params, at: Points, region: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """(N, parameters): how the distance to the region named for each point changes with the parameters."""
        out = np.zeros((len(at), self.count))
        out[np.arange(len(at)), region] = np.asarray([1.0, 1.0, -1.0, -1.0])[region]
        return out

    def outline(self, p: Params) -> Points:
        """Corners (N, 2), clockwise from the upper left, not cut by the frame."""
        return np.asarray([[p[0], p[1]], [p[2], p[1]], [p[2], p[3]], [p[0], p[3]]])


@dataclass(frozen=True)
class Quad(Box):
    """Four straight edges of any direction, cut by a box: steered, widened and turned fields.

    Parameters: the box, then angle and offset of the outward normal of each edge.
    """

    name = "quad"
    count = 12

    def distances(self, p: Params, at: Points) -> npt.NDArray[np.float64]:
        """As of Box; regions: the box's four, then the four edges."""
        angle, offset = p[4:8, None], p[8:12, None]
        lines = np.cos(angle) * at[:, 0] + np.sin(angle) * at[:, 1] - offset
        return np.concatenate([super().distances(p[:4], at), lines])

    def slopes(self, p: Params, at: Points, region: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """As of Box."""
        out = np.zeros((len(at), self.count))
        rows = np.arange(len(at))
        straight = region < 4
        out[rows[straight], region[straight]] = np.asarray([1.0, 1.0, -1.0, -1.0])[region[straight]]
        rows, line, at = rows[~straight], region[~straight] - 4, at[~straight]
        angle = p[4 + line]
        out[rows, 4 + line] = -np.sin(angle) * at[:, 0] + np.cos(angle) * at[:, 1]
        out[rows, 8 + line] = -1.0
        return out

    def outline(self, p: Params) -> Points:
        """As of Box."""
        normals = np.stack([np.cos(p[4:8]), np.sin(p[4:8])], axis=1)
        corners = super().outline(p[:4])
        for normal, offset in zip(normals, p[8:12], strict=True):
            corners = clip(corners, normal, float(offset))
        return corners


@dataclass(frozen=True)
class Fan(Box):
    """Two sides through one centre and an arc at either end, cut by a box: curved and phased probes.

    Parameters: the box, centre x and y, aspect (1; else the picture was stretched, and arcs are ellipses), the
    directions of both sides (rad, 0 down, growing to the right), and both radii in pixels along x.
    """

    name = "fan"
    count = 11

    def distances(self, p: Params, at: Points) -> npt.NDArray[np.float64]:
        """As of Box; regions: the box's four, left side, right side, near arc, far arc."""
        u, w, rho, steep = self._polar(p, at)
        low, high = p[7], p[8]
        sides = [w * np.sin(low) - u * np.cos(low), u * np.cos(high) - w * np.sin(high)]
        arcs = [(p[9] - rho) / steep, (rho - p[10]) / steep]
        return np.concatenate([super().distances(p[:4], at), np.stack(sides + arcs)])

    def slopes(self, p: Params, at: Points, region: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """As of Box."""
        out = np.zeros((len(at), self.count))
        u, w, rho, steep = self._polar(p, at)
        for index, sign in enumerate((1.0, 1.0, -1.0, -1.0)):
            out[region == index, index] = sign
        for index, angle, sign in ((4, p[7], 1.0), (5, p[8], -1.0)):
            mine = region == index
            out[mine, 4], out[mine, 5] = sign * np.cos(angle), -sign * np.sin(angle)
            out[mine, 3 + index] = sign * (w[mine] * np.cos(angle) + u[mine] * np.sin(angle))
        for index, sign in ((6, -1.0), (7, 1.0)):
            mine = region == index
            scale = sign / steep[mine]
            out[mine, 4] = -u[mine] / rho[mine] * scale
            out[mine, 5] = -(p[6] ** 2) * w[mine] / rho[mine] * scale
            out[mine, 6] = p[6] * w[mine] ** 2 / rho[mine] * scale
            out[mine, 3 + index] = -scale
        return out

    def outline(self, p: Params) -> Points:
        """As of Box; arcs in steps of about two degrees."""
        low, high = self.swing(p, p[7]), self.swing(p, p[8])
        if high < low:
            high += 2 * np.pi
        steps = int(np.clip((high - low) / 0.03, 8, 128))
        sweep = np.linspace(low, high, steps)
        ring = np.stack([np.sin(sweep), np.cos(sweep) / p[6]], axis=1)
        near = max(float(p[9]), 0.0)
        arc = near * ring[::-1] if near > 0.5 else np.zeros((1, 2))
        corners = np.concatenate([arc, p[10] * ring]) + p[4:6]
        return cut_to(corners, p[:4])

    @staticmethod
    def swing(p: Params, angle: float) -> float:
        """The direction of a side in the plane in which the arcs are circles."""
        return float(np.arctan2(np.sin(angle), p[6] * np.cos(angle)))

    @staticmethod
    def _polar(p: Params, at: Points) -> tuple[npt.NDArray[np.float64], ...]:
        u, w = at[:, 0] - p[4], at[:, 1] - p[5]
        rho = np.maximum(np.hypot(u, p[6] * w), 1e-6)
        return u, w, rho, np.maximum(np.hypot(u, p[6] ** 2 * w) / rho, 1e-6)


BOX, QUAD, FAN = Box(), Quad(), Fan()


def within_frame(shape: Box, params: Params, width: int, height: int) -> Points:
    """Corners of a shape inside a picture, (N, 2) pixels."""
    params = params.copy()
    params[:4] = np.clip(params[:4], 0, [width, height, width, height])
    return shape.outline(params)


def cut_to(corners: Points, box: npt.ArrayLike) -> Points:
    """The part of a polygon inside a box (x0, y0, x1, y1)."""
    for normal, offset in zip(_SIDES, np.asarray(box) * (-1, -1, 1, 1), strict=True):
        corners = clip(corners, normal, float(offset))
    return corners


def clip(corners: Points, normal: npt.NDArray[np.float64], offset: float) -> Points:
    """The part of a polygon where normal . point <= offset (Sutherland, Hodgman 1974, doi:10.1145/360767.360802)."""
    side = corners @ normal - offset
    if (side <= 0).all():
        return corners
    following, beyond = np.roll(corners, -1, axis=0), np.roll(side, -1)
    cross = (side < 0) & (beyond > 0) | (side > 0) & (beyond < 0)
    share = np.where(cross, side / np.where(cross, side - beyond, 1.0), 0.0)
    both = np.stack([corners, corners + (following - corners) * share[:, None]], axis=1).reshape(-1, 2)
    return both[np.stack([side <= 0, cross], axis=1).ravel()]
