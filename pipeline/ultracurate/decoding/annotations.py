"""Reads what people drew on pictures: COCO and LabelMe JSON, Pascal VOC XML, mask pictures; always as one form."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from ultracurate.core.errors import RowError
from ultracurate.decoding._annotation import json_file as as_json
from ultracurate.decoding._annotation.shapes import Annotation, Parsed
from ultracurate.decoding._annotation.xml_file import voc
from ultracurate.decoding._pictures.animations import frame_delays
from ultracurate.decoding._pictures.tiff import check_directories
from ultracurate.decoding.levels import bands
from ultracurate.decoding.limits import check_size, check_work, decoding
from ultracurate.decoding.media import HEAD_BYTES, sniff

__all__ = ["FORMS", "Annotation", "Parsed", "draw", "mask_pixels", "parse", "recognise"]

FORMS = frozenset({"coco", "labelme", "voc", "mask", "binary_mask", "indexed_mask"})
"""What `parse` reads. A `mask` decides by its own samples whether it is binary or indexed; the others are told."""

FEW = 8
"""Different levels up to which a grey mask is taken as indexed: edges that were smoothed or compressed give more."""
LAST_INDEX = 32
"""So is one whose largest level is no larger than this."""
MAX_CLASSES = 1000
"""Of an indexed mask; instance masks number their cells."""
_STILLS = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "gif": "GIF", "webp": "WEBP", "jp2": "JPEG2000"}
_LOSSY = frozenset({"jpg"})

Mask = npt.NDArray[np.bool_]


def recognise(data: bytes) -> str | None:
    """The form of an annotation file by its content; None for anything `parse` does not read."""
    if sniff(data[:HEAD_BYTES], "") is not None:
        return "mask"
    start = data[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return "voc" if b"<annotation" in data[:HEAD_BYTES] else None
    if start.startswith(b"{"):
        value = as_json.load(data)
        return "coco" if as_json.is_coco(value) else "labelme" if as_json.is_labelme(value) else None
    return None


def parse(data: bytes, form: str) -> Parsed:
    """The annotations of one file.

    Args:
        data: the file.
        form: one of `FORMS`.

    Returns:
        In the order of the file. Entries without a usable shape are counted, not raised: one wrong box must not
        cost the thousand beside it.

    Raises:
        RowError: the file as a whole is not of this form, or too large.
    """
    if form in ("coco", "labelme"):
        value = as_json.load(data)
        return as_json.coco(value) if form == "coco" else as_json.labelme(value)
    if form == "voc":
        return voc(data)
    if form in FORMS:
        with decoding("mask"):  # its samples may be no numbers at all
            return Parsed(_mask(data, form))
    raise RowError(f"annotations: expected a form among {', '.join(sorted(FORMS))}, found '{form}'")


def mask_pixels(data: bytes, rule: str) -> Mask:
    """Which pixels of a mask picture a rule of `Annotation.rule` means, as (H, W) bool."""
    values, _ = _values(data, _still(data) or "")
    if rule.startswith("#"):
        if values.ndim != 3:
            raise RowError("mask: expected a picture in colour, as its rule says, found grey")
        return np.asarray((values == np.frombuffer(bytes.fromhex(rule[1:]), np.uint8)).all(axis=2), np.bool_)
    grey = values.max(axis=2) if values.ndim == 3 else values
    return np.asarray(grey >= int(rule[2:]) if rule.startswith(">=") else grey == int(rule[1:]), np.bool_)


def draw(annotation: Annotation, width: int, height: int) -> Mask:
    """The area of a box, polygon or run-length mask as (H, W) bool; points have none."""
    import cv2

    check_size(width, height, 1, "mask")
    area = np.zeros((height, width), np.uint8)
    if annotation.runs:
        if annotation.size != (width, height):
            raise RowError(f"mask: expected a picture of {annotation.size}, found {width} x {height}")
        runs = np.asarray(annotation.runs, np.int64)
        area = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8).reshape(width, height).T
    elif annotation.polygons:
        # One ring at a time: rings of one thing may overlap, and even-odd filling would cut holes there.
        for ring in annotation.polygons:
            fixed = np.round(np.asarray(ring) * 16 - 8).astype(np.int32)  # 4 bits below the pixel, whose centre is .5
            cv2.fillPoly(area, [fixed], 1, lineType=cv2.LINE_8, shift=4)
    elif annotation.box:
        x0, y0, x1, y1 = (max(0, math.floor(side + 0.5)) for side in annotation.box)
        area[y0:y1, x0:x1] = 1
    return np.asarray(area > 0, np.bool_)


def _still(data: bytes) -> str | None:
    form = sniff(data[:HEAD_BYTES], "")
    return form if form in _STILLS else None


def _mask(data: bytes, form: str) -> list[Annotation]:
    """One annotation for each class of a mask picture, or one without a class where it is empty.

    A volume, a clip or an array of masks is one annotation without a rule: its slices are read with its pictures.
    """
    fmt = _still(data)
    if fmt is None:
        return [Annotation("mask", "")]
    values, frames = _values(data, fmt)
    if frames > 1:
        return [Annotation("mask", "")]
    size = (values.shape[1], values.shape[0])
    counts = _levels(values, fmt, form)
    if counts is None:
        grey = values.max(axis=2) if values.ndim == 3 else values
        top = int(grey.max())
        half = 128 if 128 <= top <= 255 else max(1, (top + 1) // 2)
        return [Annotation("mask", "", size=size, rule=f">={half}", area=int((grey >= half).sum()))]
    found = [Annotation("mask", label, size=size, rule=rule, area=count) for label, rule, count in counts]
    return found or [Annotation("mask", "", size=size, area=0)]


def _levels(values: npt.NDArray[Any], fmt: str, form: str) -> list[tuple[str, str, int]] | None:
    """(label, rule, pixels) of each class; None for a mask that has to be cut at half of its range."""
    indexed = form == "indexed_mask"
    if form == "binary_mask" or (fmt in _LOSSY and not indexed):
        return None
    if values.ndim == 3:
        colours = Image.fromarray(values).getcolors(MAX_CLASSES if indexed else FEW + LAST_INDEX)
        if colours is None:
            return _refuse_or_cut(indexed)
        named = sorted((f"#{np.asarray(colour, np.uint8).tobytes().hex()}", count) for count, colour in colours)
        return [(colour, colour, count) for colour, count in named if colour != "#000000"]
    # Levels below a million are counted in one pass; sorting a hundred million samples would take minutes.
    if values.min() < 0 or values.max() >= 1 << 20 or not np.issubdtype(values.dtype, np.integer):
        return _refuse_or_cut(indexed)
    histogram = np.zeros(int(values.max()) + 1, np.int64)
    for rows in bands(values.shape):  # it copies what it counts into 64 bits
        histogram += np.bincount(values[rows].ravel(), minlength=len(histogram))
    levels = [int(level) for level in np.flatnonzero(histogram) if level]
    few = len(levels) < FEW or max(levels, default=0) <= LAST_INDEX
    if len(levels) > MAX_CLASSES or not (indexed or few or values.dtype != np.uint8):
        return _refuse_or_cut(indexed)
    # 255 is what everybody writes for "here"; any other number is the number of a class.
    return [("" if level == 255 else str(level), f"={level}", int(histogram[level])) for level in levels]


def _refuse_or_cut(indexed: bool) -> list[tuple[str, str, int]] | None:
    if indexed:
        raise RowError(f"mask: expected at most {MAX_CLASSES} classes in an indexed mask, found more or none")
    return None


def _frames(image: Image.Image, data: bytes, fmt: str) -> int:
    """How many pictures the file holds; Pillow is asked only where it neither decodes nor walks without a bound."""
    if fmt in ("gif", "png", "webp"):
        return len(frame_delays(data, fmt))
    if fmt == "tif":
        check_directories(data)
        return int(getattr(image, "n_frames", 1))
    return 1


def _values(data: bytes, fmt: str) -> tuple[npt.NDArray[Any], int]:
    """Samples of a mask picture and its number of frames: (H, W) numbers or (H, W, 3) uint8 RGB; 0 is background.

    A palette picture gives its indices, not its colours; where the palette holds black at another place than 0,
    black is the background and changes places with it. Alpha is composited on black.
    """
    if fmt not in _STILLS:
        raise RowError("mask: expected a picture, found another kind of file")
    with decoding("mask"), Image.open(io.BytesIO(data), formats=[_STILLS[fmt]]) as image:
        check_size(*image.size, 1, "mask")
        check_work(image.width * image.height, len(data), "mask")
        frames = _frames(image, data, fmt)
        check_size(*image.size, frames, "mask")
        turned = ImageOps.exif_transpose(image)
        if turned.mode == "P":
            indices = np.array(turned)
            colours = (turned.getpalette("RGB") or [])[: 3 * (int(indices.max()) + 1)]
            black = next((at // 3 for at in range(0, len(colours), 3) if not any(colours[at : at + 3])), 0)
            if black:
                indices = np.where(indices == black, 0, np.where(indices == 0, black, indices)).astype(np.uint8)
            return indices, frames
        if turned.mode == "1":
            return np.asarray(turned.convert("L")), frames
        if turned.mode == "L" or turned.mode.startswith(("I", "F")):
            return np.asarray(turned), frames
        if turned.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
            black_page = Image.new("RGBA", turned.size, (0, 0, 0, 255))
            turned = Image.alpha_composite(black_page, turned.convert("RGBA"))
        rgb = np.asarray(turned.convert("RGB"))
        grey = bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 0] == rgb[..., 2]).all())
        return (np.ascontiguousarray(rgb[..., 0]) if grey else rgb), frames
