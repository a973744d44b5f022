"""Annotations in JSON: COCO (boxes, polygons, run lengths, keypoints) and LabelMe."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ultracurate.core.errors import RowError
from ultracurate.decoding._annotation.shapes import Annotation, Parsed, Point, ShapeError, corners, number, point, text
from ultracurate.decoding._annotation.shapes import size as as_size

MAX_BYTES = 32 << 20
"""Of JSON: once parsed it takes up to twelve times as much memory."""
MAX_VALUES = 5_000_000
"""Values of lists and objects, coordinates nearly all of them: about 90 bytes each once they are points."""
MAX_CONTAINERS = 5_000_000
"""Lists and objects; each takes at least 56 bytes, however short it is in the file."""
CIRCLE_CORNERS = 64
"""A circle becomes a polygon of so many corners: 0.1 % of its area are lost."""


def load(data: bytes) -> Any:
    """The value of a JSON file of a stranger, within bounds of size, count and depth."""
    if len(data) > MAX_BYTES:
        raise RowError(f"annotations: expected at most {MAX_BYTES} bytes of JSON, found {len(data)}; cut the file")
    if (containers := data.count(b"[") + data.count(b"{")) > MAX_CONTAINERS:
        raise RowError(f"annotations: expected at most {MAX_CONTAINERS} lists and objects, found {containers}")
    if (values := data.count(b",")) > MAX_VALUES:
        raise RowError(f"annotations: expected at most {MAX_VALUES} values, found {values}; cut the file")
    try:
        return json.loads(data.decode("utf-8-sig"))  # NaN, which exporters write, is refused with its entry
    except (ValueError, RecursionError) as exc:  # also numbers of 5,000 digits
        # Its own words quote the file.
        raise RowError(f"annotations: expected valid JSON, found otherwise ({type(exc).__name__})") from None


def is_coco(value: Any) -> bool:
    """Whether a JSON value has the parts of a COCO file."""
    return isinstance(value, dict) and isinstance(value.get("images"), list) and "annotations" in value


def is_labelme(value: Any) -> bool:
    """Whether a JSON value has the parts of a LabelMe file."""
    return isinstance(value, dict) and isinstance(value.get("shapes"), list)


def coco(value: Any) -> Parsed:
    """The entries of a COCO file: each gives its mask or polygons, its keypoints, and its box.

    Source: https://cocodataset.org/#format-data; ids may be numbers or words, as exporters write both.
    """
    if not is_coco(value) or not isinstance(value["annotations"], list):
        raise RowError("annotations: expected COCO with lists 'images' and 'annotations', found otherwise")
    pictures = _by_id(value["images"])
    classes = _by_id(value.get("categories") or [])
    found: list[Annotation] = []
    refused = 0
    for entry in value["annotations"]:
        try:
            picture = pictures.get(_id(entry, "image_id"))
            if picture is None:
                raise ShapeError("of no picture that the file lists")
            found += _coco_entry(
                entry, picture, classes.get(_id(entry, "category_id"), {}) if "category_id" in entry else {}
            )
        except ShapeError:
            refused += 1
    return Parsed(found, refused)


def _by_id(entries: Any) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries if isinstance(entries, list) else []:
        try:
            found.setdefault(_id(entry, "id"), entry)
        except ShapeError:  # whatever refers to it will be counted as refused
            continue
    return found


def _id(entry: Any, key: str) -> str:
    if isinstance(entry, dict) and isinstance(entry.get(key), int | str):
        return str(entry[key])
    raise ShapeError("expected an object with an id")


def _coco_entry(entry: Mapping[str, Any], picture: Mapping[str, Any], category: Mapping[str, Any]) -> list[Annotation]:
    size = as_size(picture.get("width"), picture.get("height"))
    name = category.get("name", entry.get("category_id", ""))
    common: dict[str, Any] = {
        "label": text(name),
        "picture": text(picture["file_name"]) if "file_name" in picture else None,
        "size": size,
    }
    made: list[Annotation] = []
    outline = entry.get("segmentation")
    if isinstance(outline, dict):
        runs, common["size"] = _runs(outline, size)
        made.append(Annotation("mask", runs=runs, **common))
    elif outline:
        rings = outline if isinstance(outline, list) and isinstance(outline[0], list) else [outline]
        made.append(Annotation("polygon", polygons=tuple(_ring(_pairs(ring)) for ring in rings), **common))
    if marks := entry.get("keypoints"):
        made.append(Annotation("points", **_keypoints(marks, category), **common))
    if box := entry.get("bbox"):
        x, y, width, height = map(number, _list(box, 4))
        made.append(Annotation("box", box=corners(x, y, x + width, y + height), **common))
    if not made:
        raise ShapeError("expected a segmentation, keypoints or a box")
    return made


def _list(value: Any, length: int | None = None) -> list[Any]:
    if isinstance(value, list) and length in (None, len(value)):
        return value
    raise ShapeError("expected a list of numbers")


def _pairs(value: Any) -> list[Point]:
    flat = _list(value)
    if len(flat) % 2:
        raise ShapeError("expected pairs of coordinates")
    return [point(x, y) for x, y in zip(flat[::2], flat[1::2], strict=True)]


def _ring(points: Iterable[Point]) -> tuple[Point, ...]:
    ring = tuple(points)
    if len(ring) < 3:
        raise ShapeError("expected at least three corners")
    return ring


def _keypoints(value: Any, category: Mapping[str, Any]) -> dict[str, Any]:
    flat = _list(value)
    if len(flat) % 3:
        raise ShapeError("expected triples of x, y and visibility")
    marks = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    points = tuple(point(x, y) if seen else None for x, y, seen in marks)  # visibility 0: not marked
    if not any(points):
        raise ShapeError("expected a point that is marked")
    names = category.get("keypoints") or []
    same = isinstance(names, list) and len(names) == len(points)
    return {"points": points, "names": tuple(map(text, names)) if same else ()}


def _runs(outline: Mapping[str, Any], size: tuple[int, int] | None) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Run lengths and the (width, height) that they fill exactly."""
    height, width = _list(outline.get("size"), 2)
    own = as_size(width, height)
    if own is None or (size is not None and own != size):
        raise ShapeError("expected the size of the picture")
    counts = outline.get("counts")
    runs = tuple(_unpack(counts, own[0] * own[1]) if isinstance(counts, str) else _list(counts))
    if not all(type(run) is int and run >= 0 for run in runs) or sum(runs) != own[0] * own[1]:
        raise ShapeError("expected runs that fill the picture")
    return runs, own


def _unpack(packed: str, most: int) -> list[int]:
    """COCO's compressed counts: base 32 with a sign, each relative to the one before the last (cocoapi maskApi.c)."""
    runs: list[int] = []
    value = shift = 0
    for char in packed:
        digit = ord(char) - 48
        if not 0 <= digit < 64 or shift > 30:
            raise ShapeError("expected compressed counts")
        value |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if not 0 <= runs[-1] <= most:
            raise ShapeError("expected runs inside the picture")
        value = shift = 0
    if shift:
        raise ShapeError("expected whole numbers")
    return runs


def labelme(value: Any) -> Parsed:
    """The shapes of a LabelMe file: polygon, rectangle, circle, line, linestrip and point.

    Its brush masks (base64 pictures) and the copy of the picture that it may hold are not read.
    Source: https://github.com/wkentaro/labelme (label_file.py).
    """
    if not is_labelme(value):
        raise RowError("annotations: expected LabelMe with a list 'shapes', found otherwise")
    name = value.get("imagePath")
    common: dict[str, Any] = {
        "picture": text(name) if isinstance(name, str) and name else None,
        "size": as_size(value.get("imageWidth"), value.get("imageHeight")),
    }
    found: list[Annotation] = []
    refused = 0
    for shape in value["shapes"]:
        try:
            found.append(_labelme_shape(shape, common))
        except ShapeError:
            refused += 1
    return Parsed(found, refused)


def _labelme_shape(shape: Any, common: Mapping[str, Any]) -> Annotation:
    if not isinstance(shape, dict):
        raise ShapeError("expected an object")
    label = text(shape.get("label") or "")
    points = [point(*_list(pair, 2)) for pair in _list(shape.get("points"))]
    kind = shape.get("shape_type") or "polygon"  # absent in files of the first versions
    if kind == "polygon":
        return Annotation("polygon", label, polygons=(_ring(points),), **common)
    if kind == "rectangle" and len(points) in (2, 4):
        xs, ys = zip(*points, strict=True)
        return Annotation("box", label, box=corners(min(xs), min(ys), max(xs), max(ys)), **common)
    if kind == "circle" and len(points) == 2:
        return Annotation("polygon", label, polygons=(_circle(*points),), **common)
    if kind in ("line", "linestrip", "point", "points") and points:
        return Annotation("points", label, points=tuple(points), **common)
    raise ShapeError("expected a shape that is known")


def _circle(centre: Point, rim: Point) -> tuple[Point, ...]:
    radius = math.dist(centre, rim)
    if not radius:
        raise ShapeError("expected a circle with an area")
    turns = (2 * math.pi * step / CIRCLE_CORNERS for step in range(CIRCLE_CORNERS))
    return tuple((centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)) for turn in turns)
