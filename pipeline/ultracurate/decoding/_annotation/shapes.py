"""One annotation of a picture, whatever file it came from, and the bounds on what a stranger's file may claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from ultracurate.decoding.limits import MAX_PIXELS, MAX_SIDE

Kind = Literal["mask", "box", "polygon", "points"]
Point = tuple[float, float]

MAX_LABEL = 200
"""Characters of a label that are kept."""
FARTHEST = 1_000_000.0
"""Pixels from the origin; a point beyond it is no point of a picture."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What somebody drew on one picture; pixels, x to the right, y down, the origin at the outer corner.

    Attributes:
        kind: mask, box, polygon or points.
        label: the class as the file names it; "" where it names none.
        picture: name of the picture as the annotation file writes it; None where it does not say.
        size: (width, height) of that picture, where the file says.
        box: (x0, y0, x1, y1), half-open.
        polygons: rings of at least three points; several belong to one thing.
        points: in the order of the file; None where a named point was not marked.
        names: names of the points, where they have any.
        runs: lengths of runs down the columns, background first (COCO's uncompressed counts); needs `size`.
        rule: which samples of a mask picture are meant: `=2`, `>=128` or `#rrggbb`; see `annotations.mask_pixels`.
        area: pixels of a mask picture that the rule meets.
    """

    kind: Kind
    label: str
    picture: str | None = None
    size: tuple[int, int] | None = None
    box: tuple[float, float, float, float] | None = None
    polygons: tuple[tuple[Point, ...], ...] = ()
    points: tuple[Point | None, ...] = ()
    names: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    rule: str | None = None
    area: int | None = None

    def geometry(self) -> dict[str, Any]:
        """What is set of box, polygons, points, names, runs, rule and area: the form that is stored as JSON."""
        parts = ("box", "polygons", "points", "names", "runs", "rule", "area")
        return {name: value for name in parts if (value := getattr(self, name)) not in (None, ())}


@dataclass(frozen=True, slots=True)
class Parsed:
    """The annotations of one file, and how many of its entries had no usable shape."""

    found: list[Annotation]
    refused: int = 0


class ShapeError(ValueError):
    """One entry of an annotation file is no shape; the entries beside it still count."""


def text(value: Any) -> str:
    """A label or name as it may be kept; numbers are written out, anything else is refused."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        # Halves of characters, which JSON can spell, are written out: no table could hold them.
        return str(value)[:MAX_LABEL].encode("utf-8", "backslashreplace").decode()
    raise ShapeError("expected a word")


def number(value: Any) -> float:
    """A finite coordinate within reach of a picture."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST:
        return float(value)
    raise ShapeError("expected a coordinate")


def size(width: Any, height: Any) -> tuple[int, int] | None:
    """(width, height) of a picture as a file states it; None where it is no size that is decoded."""
    if type(width) is int and type(height) is int and 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE:
        return (width, height) if width * height <= MAX_PIXELS else None
    return None


def point(x: Any, y: Any) -> Point:
    """Two coordinates."""
    return number(x), number(y)


def corners(x0: Any, y0: Any, x1: Any, y1: Any) -> tuple[float, float, float, float]:
    """A box of some area from any two opposite corners."""
    (left, top), (right, bottom) = point(x0, y0), point(x1, y1)
    box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
    if math.isclose(box[0], box[2]) or math.isclose(box[1], box[3]):
        raise ShapeError("expected a box with an area")
    return box
