"""First guesses of a field's shape from the border of the net's map: straight runs, and what they could be sides of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ultracurate.imaging._runs import Border, Line, straight_runs
from ultracurate.imaging._shapes import BOX, FAN, QUAD, Box, Params

Floats = npt.NDArray[np.float64]

_TURN = 0.1
"""Radians by which an edge may lean and still be taken for an upright one."""

_SIDES = 10
"""Runs, longest first, among which the sides of a fan are looked for."""

_PLAIN = 0.2
"""Cells; a box that fits so well needs no other shape beside it."""


def misfit(shape: Box, params: Params, border: Border) -> float:
    """Mean distance of the border to a shape, cells, each counted up to 3."""
    gap = np.abs(shape.distances(params, border.sparse).max(axis=0)) / border.cell
    return float(np.minimum(gap, 3.0).mean())


def guesses(border: Border) -> list[tuple[Box, Params]]:
    """Shapes that may explain the border: a box, a quadrangle, and two fans."""
    runs = straight_runs(border)
    found: list[tuple[float, Box, Params]] = []
    for shape, draw, most in ((BOX, _boxes, 1), (QUAD, _quads, 1), (FAN, _fans, 2)):
        tried = draw(runs, border)
        chosen: list[float] = []
        for error, index in sorted((misfit(shape, params, border), index) for index, params in enumerate(tried)):
            if len(chosen) < most and all(abs(error - other) > 0.02 for other in chosen):
                chosen.append(error)
                found.append((error, shape, tried[index]))
        if found[0][0] < _PLAIN:  # a box, and nothing but a box
            break
    worst = 1.6 * min(error for error, _, _ in found) + 0.5
    return [(shape, params) for error, shape, params in found if error < worst]


def _boxes(_: list[Line], border: Border) -> list[Params]:
    """The sides of an upright box: the middle of the points that face its way; beyond the frame where none do."""
    box = border.extent.copy()
    for side, (axis, sign) in enumerate(((0, -1), (1, -1), (0, 1), (1, 1))):
        facing = border.free & (sign * border.normal[:, axis] > 0.92)
        places = border.at[facing, axis]
        if len(places) > 3:
            box[side] = np.median(places)
    return [box]


def _quads(runs: list[Line], border: Border) -> list[Params]:
    """Four edges about a right angle apart, the longest run first; beyond the frame where there is none."""
    if not runs:
        return []
    found = []
    for first in runs[:2]:
        edges: list[tuple[float, float]] = []
        used: list[Line] = []
        for quarter in range(4):
            wanted = first.angle + quarter * np.pi / 2
            near = [run for run in runs if abs(_wrapped(run.angle - wanted)) < 0.75]
            if near:
                used.append(near[0])
                edges.append((near[0].angle, near[0].offset))
            else:
                normal = np.asarray([np.cos(wanted), np.sin(wanted)])
                edges.append((wanted, float((border.at @ normal).max()) + 4 * border.cell))
        angles, offsets = zip(*edges, strict=True)
        cuts = _cuts(runs, used)
        boxes = [_cut(border, cuts, kept) for kept in ([[], list(cuts)] if cuts else [[]])]
        found += [np.concatenate([box, angles, offsets]) for box in boxes]
    return found


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def _fans(runs: list[Line], border: Border) -> list[Params]:
    """Fans whose sides are two of the runs, with and without upright cuts that other runs show."""
    plain: list[tuple[float, int, Params, tuple[Floats, float, float], dict[int, Line], npt.NDArray[np.bool_]]] = []
    middle = border.at.mean(axis=0)
    for one, other in combinations(runs[:_SIDES], 2):
        sides = _sides(one, other, middle)
        if sides is not None:
            cuts = _cuts(runs, (one, other))
            fan = _fan(border, sides, cuts, list(cuts), one.on | other.on)
            plain.append((misfit(FAN, fan, border), len(plain), fan, sides, cuts, one.on | other.on))
    found = []
    for _, _, fan, sides, cuts, explained in sorted(plain, key=lambda one: one[:2])[:3]:
        found.append(fan)
        found += [_fan(border, sides, cuts, kept, explained) for kept in _subsets(list(cuts))]
    return found


def _fan(
    border: Border,
    sides: tuple[Floats, float, float],
    cuts: dict[int, Line],
    kept: list[int],
    explained: npt.NDArray[np.bool_],
) -> Params:
    """The fan of two sides that some cuts bound."""
    apex, low, high = sides
    for side in kept:
        explained = explained | cuts[side].on
    near, far = _radii(border, apex, explained)
    return np.concatenate([_cut(border, cuts, kept), apex, [1.0, low, high, near, far]])


def _cuts(runs: list[Line], sides: Sequence[Line]) -> dict[int, Line]:
    """Of the runs that are no sides, the longest near each side of an upright box."""
    cuts: dict[int, Line] = {}
    for run in runs:
        quarter = round(run.angle / (np.pi / 2)) % 4
        upright = abs(_wrapped(run.angle - quarter * np.pi / 2)) < _TURN
        if upright and not any(run is side for side in sides):
            cuts.setdefault((2, 3, 0, 1)[quarter], run)
    return cuts


def _cut(border: Border, cuts: dict[int, Line], kept: list[int]) -> Params:
    """The box of a shape that some of the cuts bound."""
    box = border.extent.copy()
    for side in kept:
        box[side] = cuts[side].place
    return box


def _subsets(sides: list[int]) -> list[list[int]]:
    """Fewer than all: none, and each left out once."""
    if not sides:
        return []
    return [[], *([other for other in sides if other != side] for side in sides if len(sides) > 1)]


def _sides(one: Line, other: Line, middle: Floats) -> tuple[Floats, float, float] | None:
    """Apex and directions (rad, 0 down, growing to the right) of two runs, None where they cannot be sides of a fan."""
    (a, b), (c, d) = one.normal.tolist(), other.normal.tolist()
    cross = a * d - b * c
    if abs(cross) < 0.05:
        return None
    x = (one.offset * d - other.offset * b) / cross
    y = (other.offset * a - one.offset * c) / cross
    axis = math.atan2(float(middle[0]) - x, float(middle[1]) - y)
    angles = []
    for line, (across, down) in ((one, (a, b)), (other, (c, d))):
        apex = -down * x + across * y
        start, end = line.span
        if start + 0.05 * (end - start) < apex < end - 0.05 * (end - start):
            return None  # the runs cross within one of them
        way = 1.0 if start + end > 2 * apex else -1.0
        angles.append(axis + _wrapped(math.atan2(-down * way, across * way) - axis))
    low, high = min(angles), max(angles)
    if not 0.04 < high - low < 3.0 or not low < axis < high:
        return None
    return np.asarray([x, y]), low, high


def _radii(border: Border, apex: Floats, explained: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Radii of both arcs from the points that no straight edge explains."""
    arm = border.at - apex
    radius = np.hypot(arm[:, 0], arm[:, 1])
    left = border.free & ~explained
    between = 0.5 * (radius.min() + radius.max())
    outward = (arm * border.normal).sum(axis=1) > 0
    nears = np.sort(radius[left & ~outward & (radius < between)])
    fars = np.sort(radius[left & outward & (radius > between)])
    near = float(nears[len(nears) // 2]) if len(nears) > 4 else float(radius.min()) - 2 * border.cell
    far = float(fars[2 * len(fars) // 3]) if len(fars) > 4 else float(radius.max()) + 2 * border.cell
    return max(near, 0.0), far
