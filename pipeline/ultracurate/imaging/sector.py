"""Finds the insonated field of a screen, or says that it is not sure, which means: keep everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import Region
from ultracurate.imaging import nets
from ultracurate.imaging._edges import doubt, outward, sharpen
from ultracurate.imaging._field_input import GRID, brightest, field_maps
from ultracurate.imaging._field_map import LEAST_AREA, Floats, Mask, agreement, border, hull, parts, sureness
from ultracurate.imaging._fit import refine
from ultracurate.imaging._guesses import guesses
from ultracurate.imaging._runs import Border
from ultracurate.imaging._shapes import Box, Params, Points, cut_to, within_frame

KINDS = ("convex", "phased", "linear", "trapezoid", "dual", "full", "unsure")
"""What a field can be; `full`: the picture is nothing but field; `unsure`: no answer. Both keep everything."""

NET = "sector-v1"

Polygon = list[tuple[int, int]]

_LEAST_SIDE = 32  # pixels; in less there is no screen to cut away
_MAX_CUT = 0.012  # share of the net's field that an outline may leave outside
_RICHNESS = {"box": 0.0, "quad": 0.04, "fan": 0.05}  # a richer shape must be that much less in doubt
_MIN_MATCH = 0.9  # overlap of outline and net below which neither is believed,
_MIN_MATCH_CLEAR = 0.75  # unless full size shows clear edges:
_CLEAR = 0.1  # doubt below which edges are clear
_TRIED = 3  # shapes
_PLAIN = 0.06  # doubt below which no other shape is tried
_MIN_BELIEF = 0.35
_MIN_SURE = 0.6  # of the net, from which on its border is used where no shape explains it
_MAX_STALE = 0.02  # share of the net's field outside the header's areas from which on these are not believed
_LEAST_TEXTURE = 0.03  # share of a field's cells that are not flat: a black picture shows no field


@dataclass(frozen=True, slots=True)
class Sector:
    """The insonated field.

    Attributes:
        polygons: one list of (x, y) pixel corners per field; none means that everything is kept.
        confidence: 0..1, how far outline and net agree and how sure the net was.
        kind: one of `KINDS`.
    """

    polygons: list[Polygon]
    confidence: float
    kind: str


def find_sector(image: U8, regions: Sequence[Region] = ()) -> Sector:
    """The field of one picture: a small net says roughly where it is, a fitted shape exactly.

    The net is a U-Net trained on invented and openly licensed screens (docs/models/sector-v1.md). Its border is fitted
    by a rectangle, a quadrangle or a fan, each of which is then moved onto the edges that the full picture shows. The
    outline that they support best is used where it explains the net's answer; where none does, the net's own border is,
    wider by a cell.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        regions: calibrated areas that the file's header names; those of tissue bound the field, unless the picture
            shows plenty of it outside of them.
    """
    height, width = image.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return Sector([], 0.0, "unsure")
    maps, grey = field_maps(image), brightest(image)
    field, second = probabilities(maps)
    boxes = _bounding((field > 0.5) & (maps[2] > 25), _tissue_boxes(regions, width, height), width, height)
    # One box is a bound that the outline is cut to below; several say which field is which.
    split = [field * _within(box, width, height) for box in boxes] if len(boxes) > 1 else parts(field, second)
    if len(boxes) == 1 and len(split) != 1:
        split = [field * _within(boxes[0], width, height)]
    outlines = []
    for index, part in enumerate(split):
        inside = part > 0.5
        if not inside.any() or float((maps[2][inside] > 25).mean()) < _LEAST_TEXTURE:
            return _by_header(boxes, 0.0)
        outline = _outline(part, grey)
        if not outline.sound:
            return _by_header(boxes, outline.belief)
        outlines.append(replace(outline, corners=cut_to(outline.corners, boxes[index])) if boxes else outline)
    if not outlines:
        return _by_header(boxes, 0.0)
    confidence = round(min(outline.belief for outline in outlines), 3)
    polygons = [_whole(outline.corners, width, height) for outline in outlines]
    found = Sector(polygons, confidence, "dual" if len(polygons) > 1 else outlines[0].kind)
    if mask(found, (height, width)).mean() > 0.995:
        return Sector([], confidence, "full")
    return found


def mask(sector: Sector, size: tuple[int, int]) -> Mask:
    """What a sector keeps of a picture of `size` (H, W): bool, True everywhere where it has no polygons."""
    if not sector.polygons:
        return np.ones(size, np.bool_)
    inside = np.zeros(size, np.bool_)
    for polygon in sector.polygons:
        if len(polygon) < 3:
            continue
        # (x, y) is the upper left corner of a pixel. Filling also paints the pixels under the outline: shifted a little
        # to either side, only those whose middle lies inside are painted both times.
        fills = np.zeros((2, *size), np.uint8)
        for fill, shift in zip(fills, (7, 9), strict=True):
            cv2.fillPoly(fill, [np.asarray(polygon, np.int32).reshape(-1, 1, 2) * 16 - shift], 1, shift=4)
        inside |= (fills[0] & fills[1]) > 0
    return inside


def combine(sectors: Sequence[Sector], size: tuple[int, int]) -> Sector:
    """One sector for pictures of the same size from one device, or for the frames of one clip.

    Every sure answer votes for the pixels it keeps, and a pixel stays that three in ten keep, so a few bad answers can
    add screen but cut nothing. The answer closest to the vote is returned as it is, its outline being exact, unless it
    cuts some of what is kept: then the vote's own outline is.

    Args:
        sectors: answers of `find_sector`.
        size: (H, W) of the pictures.
    """
    votes = [sector for sector in sectors if sector.kind != "unsure"]
    if 2 * len(votes) <= len(sectors):
        return Sector([], 0.0, "unsure")
    scale = min(1.0, GRID / max(size))
    small = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    masks = [mask(_scaled(vote, small[1] / size[1], small[0] / size[0]), small) for vote in votes]
    kept = np.mean(masks, axis=0) >= 0.3
    best = int(np.argmax([_overlap(each, kept) for each in masks]))
    share = len(votes) / len(sectors)
    if _overlap(masks[best], kept) < 0.75:  # nobody agrees: outlines of different settings
        return Sector([], round(0.5 * share, 3), "unsure")
    confidence = round(float(np.median([vote.confidence for vote in votes])) * share, 3)
    if (kept & ~masks[best]).sum() <= 0.005 * kept.sum():
        return Sector(votes[best].polygons, confidence, votes[best].kind)
    return Sector(_traced(kept, size), confidence, votes[best].kind)


def _traced(kept: Mask, size: tuple[int, int]) -> list[Polygon]:
    """The hulls of a small mask's parts, as pixels of the full size."""
    contours, _ = cv2.findContours(kept.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.asarray([size[1] / kept.shape[1], size[0] / kept.shape[0]])
    polygons = []
    for contour in contours:
        corners = (contour[:, 0, None] + np.asarray([[0, 0], [1, 0], [0, 1], [1, 1]])).reshape(-1, 2)
        hull = cv2.convexHull(corners.astype(np.int32))[:, 0] * scale
        polygons.append(_whole(hull, size[1], size[0]))
    return polygons


def probabilities(maps: U8) -> tuple[Floats, Floats]:
    """What the net says of `field_maps`, (GRID, GRID) 0..1 each: field, and second field of a dual view."""
    found = 1 / (1 + np.exp(-np.clip(nets.run(NET, maps.astype(np.float32)[None])[0], -30, 30)))
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class _Outline:
    """Corners (N, 2) px, kind, overlap with the net, what full size says against it, and how sure the net was."""

    corners: Points
    kind: str
    match: float
    doubt: float
    sure: float
    loose: bool = False
    """No shape: all that the net may mean, and a cell more, which cuts nothing that the net has seen."""

    @property
    def belief(self) -> float:
        """0..1: clear edges all around make up for a net that wavers."""
        return float(self.match * max(self.sure, 1 - 4 * self.doubt))

    @property
    def sound(self) -> bool:
        """Whether it may be used."""
        if self.loose:
            return self.sure > _MIN_SURE
        return self.belief > _MIN_BELIEF and self.match > (_MIN_MATCH if self.doubt > _CLEAR else _MIN_MATCH_CLEAR)


def _outline(part: Floats, grey: U8) -> _Outline:
    """The outline of one field."""
    height, width = grey.shape
    sure, inside = sureness(part), part > 0.5
    edge = border(part, width, height)
    if edge is None or int(edge.free.sum()) < 12:  # the frame is the border
        frame = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], float)
        return _Outline(frame, "linear", 1.0, 1.0, sure)
    found: list[tuple[float, Box, Params, _Outline]] = []
    for misfit, shape, params in _fitted(edge):
        params, _ = sharpen(grey, shape, params, edge, max(2.5 * edge.cell, 4.0), 5)
        params, sights = sharpen(grey, shape, params, edge, max(1.0 * edge.cell, 4.0), 4)
        against, corners = doubt(sights), within_frame(shape, params, width, height)
        match, cut = agreement(corners, inside, width, height)
        cost = 2 * against + 0.1 * min(misfit, 2.0) + 1 - match + 10 * max(0.0, cut - _MAX_CUT) + _RICHNESS[shape.name]
        found.append((cost, shape, params, _Outline(corners, _kind(shape, params), match, against, sure)))
        if against < _PLAIN and match > 0.97 and cut < _MAX_CUT:
            break
    _, shape, params, best = min(found, key=lambda item: item[0])
    if not best.sound:
        wide = hull(part, width, height)
        return _Outline(wide, "trapezoid", agreement(wide, inside, width, height)[0], _CLEAR, sure, loose=True)
    params, sights = sharpen(grey, shape, params, edge, max(0.6 * edge.cell, 3.0), 4)
    params = outward(shape, params, sights, edge.cell)
    return replace(best, corners=within_frame(shape, params, width, height))


def _fitted(edge: Border) -> list[tuple[float, Box, Params]]:
    """The likeliest shapes of a border, each with its misfit in cells."""
    fits = []
    for shape, params in guesses(edge):
        params, misfit = refine(shape, params, edge.sparse, np.ones(len(edge.sparse)), edge.cell, 5)
        fits.append((misfit, shape, params))
    return sorted(fits, key=lambda fit: fit[0] + _RICHNESS[fit[1].name])[:_TRIED]


def _kind(shape: Box, p: Params) -> str:
    if shape.name == "box":
        return "linear"
    if shape.name == "quad":
        turns = np.abs(np.sin(p[4:8, None] - p[None, 4:8]))
        return "linear" if np.sort(turns + 9 * np.eye(4), axis=1)[:, 0].max() < 0.08 else "trapezoid"
    top = max(float(p[9]), float(p[1] - p[5]) if abs(p[7] + p[8]) < 1.5 else 0.0) / float(p[10])
    if p[9] < p[1] - p[5] and p[8] - p[7] < 0.8 and top > 0.2:
        return "trapezoid"
    return "phased" if top < 0.1 else "convex"


def _whole(outline: Points, width: int, height: int) -> Polygon:
    """Corners as whole pixels on the frame, without repeats."""
    corners = np.clip(np.round(outline).astype(int), 0, [width, height])
    kept = [(int(x), int(y)) for x, y in corners]
    return [corner for index, corner in enumerate(kept) if corner != kept[index - 1]]


def _tissue_boxes(regions: Sequence[Region], width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Boxes of 2-D regions on the frame, without those inside another and those that bound nothing."""
    boxes = {region.box for region in regions if region.spatial == "2d"}
    boxes = {box for box in boxes if (box[2] - box[0]) * (box[3] - box[1]) > LEAST_AREA * width * height}
    return sorted(
        box
        for box in boxes
        if not any(o != box and o[0] <= box[0] and o[1] <= box[1] and o[2] >= box[2] and o[3] >= box[3] for o in boxes)
    )


def _bounding(
    seen: Mask, boxes: list[tuple[int, int, int, int]], width: int, height: int
) -> list[tuple[int, int, int, int]]:
    """The boxes if they hold what is seen; headers of resized or cropped copies still name the areas of the first."""
    if not boxes:
        return boxes
    held = np.maximum.reduce([_within(box, width, height) for box in boxes]) > 0
    return boxes if (seen & ~held).sum() <= _MAX_STALE * seen.sum() else []


def _within(box: tuple[int, int, int, int], width: int, height: int) -> Floats:
    inside = np.zeros((GRID, GRID), np.float32)
    x0, y0, x1, y1 = box
    columns = slice(int(np.floor(x0 * GRID / width)), int(np.ceil(x1 * GRID / width)))
    inside[int(np.floor(y0 * GRID / height)) : int(np.ceil(y1 * GRID / height)), columns] = 1
    return inside


def _by_header(boxes: list[tuple[int, int, int, int]], confidence: float) -> Sector:
    """Where the pixels give no answer: the header's own areas if it names any, else nothing is cut."""
    polygons = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes]
    if not polygons:
        return Sector([], round(confidence, 3), "unsure")
    return Sector(polygons, 0.5, "dual" if len(polygons) > 1 else "linear")


def _scaled(sector: Sector, across: float, down: float) -> Sector:
    polygons = [[(round(x * across), round(y * down)) for x, y in polygon] for polygon in sector.polygons]
    return Sector(polygons, sector.confidence, sector.kind)


def _overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum()) / max(1, int((one | other).sum()))
