"""What happens to a picture after marks were burned in: crops, resizing, compression; masks follow exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.burned.kinds import Item
from ultracurate.phantom.burned.layer import FAINT, Layer, Mark
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey, Mask

Rng = np.random.Generator
_CUT_KINDS = ("patient_text", "ui_text", "insector_text", "measurement_text")
_SCALES = (
    (2, 5),
    (3, 7),
    (1, 2),
    (4, 7),
    (3, 5),
    (5, 8),
    (2, 3),
    (7, 10),
    (3, 4),
    (7, 9),
    (4, 5),
    (5, 6),
    (7, 8),
    (9, 10),
)
_SAMPLINGS = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
_DOWN = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


@dataclass(frozen=True)
class Resize:
    """A change of size by the fraction up/down, and whether the old size is restored after it.

    Sides of a picture and corners of its tiles are multiples of `down`, so a tile resized alone is equal to its part of
    the resized picture.
    """

    up: int
    down: int
    how: int
    back: bool

    def __call__(self, pixels: Grey) -> Grey:
        """The resized pixels (h, w) or (h, w, 3)."""
        height, width = pixels.shape[:2]
        size = width // self.down * self.up, height // self.down * self.up
        small = cv2.resize(pixels, size, interpolation=self.how)
        if self.back:
            small = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(small, np.uint8)


@dataclass(frozen=True)
class Developed:
    """A picture with and without marks, its marks, fields and flow after all that; see `Burned`."""

    image: Grey
    clean: Grey
    items: list[Item]
    fields: list[Mask]
    flow: Mask
    quality: int
    scale: float


def jpeg_copy(image: Grey, quality: int, sampling: int) -> Grey:
    """RGB (H, W, 3) after JPEG at `quality`; `sampling` is one of OpenCV's IMWRITE_JPEG_SAMPLING_FACTOR_*."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ConfigError(
            f"Expected a picture JPEG can hold, found {image.shape}. Give one of at most 65,500 px a side."
        )
    back = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)


def develop(layer: Layer, fields: Sequence[Mask], flow: Mask, rng: Rng, jpeg: bool) -> Developed:
    """Crop, resize and compress a drawn layer at random; without `jpeg` it is never compressed."""
    image, clean, quality = layer.image, layer.clean, 0
    if jpeg and rng.random() < 0.2:  # the device's own copy
        quality = int(rng.integers(80, 98))
        image, clean = _both(image, clean, quality, rng)
    union = np.asarray(np.logical_or.reduce(list(fields)), np.bool_)
    frame = _frame(union, rng)
    resize = _resize(rng, frame) if np.count_nonzero(union) > 400 else None
    scale = 1.0
    if resize is not None:
        x0, y0, x1, y1 = frame
        frame = x0, y0, x1 - (x1 - x0) % resize.down, y1 - (y1 - y0) % resize.down
        scale = resize.up / resize.down
    x0, y0, x1, y1 = frame
    image, clean, flow = image[y0:y1, x0:x1], clean[y0:y1, x0:x1], flow[y0:y1, x0:x1]
    fields = [field[y0:y1, x0:x1] for field in fields]
    if resize is not None:
        image, clean = resize(image), resize(clean)
        flow, *fields = [resize(mask.astype(np.uint8) * 255) > 127 for mask in (flow, *fields)]
    fields = [field for field in fields if field.any()]
    ground = np.zeros(image.shape[:2], np.uint8)
    for field in fields:
        ground |= field.astype(np.uint8)
    ground = np.asarray(cv2.dilate(ground, np.ones((5, 5), np.uint8)), np.uint8)
    items = [item for mark in layer.marks if (item := item_of(mark, frame, resize, ground)) is not None]
    if not quality and resize is not None:  # fringes that became too faint for a mask
        drawn = np.zeros(image.shape[:2], np.bool_)
        for item in items:
            drawn[item.box[1] : item.box[3], item.box[0] : item.box[2]] |= item.mask
        image = np.where(drawn[..., None], image, clean).astype(np.uint8)
    image, clean = np.ascontiguousarray(image), np.ascontiguousarray(clean)
    if jpeg and rng.random() < 0.65:
        now = int(rng.integers(45, 96))
        image, clean = _both(image, clean, now, rng)
        quality = min(quality, now) if quality else now
    flow, fields = np.ascontiguousarray(flow), [np.ascontiguousarray(field) for field in fields]
    return Developed(image, clean, items, fields, flow, quality, scale)


def _both(image: Grey, clean: Grey, quality: int, rng: Rng) -> tuple[Grey, Grey]:
    sampling = _SAMPLINGS[int(rng.integers(len(_SAMPLINGS)))]
    return jpeg_copy(image, quality, sampling), jpeg_copy(clean, quality, sampling)


def _frame(union: Mask, rng: Rng) -> Box:
    """The part that is kept: mostly all, at times a random part or about the box of the fields' `union` (H, W)."""
    height, width = union.shape
    draw = rng.random()
    if draw < 0.78:
        return 0, 0, width, height
    if draw < 0.9:
        rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
        a, b, c, d = (int(v) for v in rng.integers(-12, 25, 4))
        box = int(columns[0]) - a, int(rows[0]) - b, int(columns[-1]) + 1 + c, int(rows[-1]) + 1 + d
    else:
        a, b, c, d = (int(v) for v in rng.uniform(0, 0.12, 4) * (width, height, width, height))
        box = a, b, width - c, height - d
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    kept = np.count_nonzero(union[y0:y1, x0:x1]) > 0.5 * np.count_nonzero(union)
    return (x0, y0, x1, y1) if kept and x1 - x0 >= 64 and y1 - y0 >= 64 else (0, 0, width, height)


def _resize(rng: Rng, frame: Box) -> Resize | None:
    if rng.random() < 0.68:
        return None
    up, down = _SCALES[int(rng.integers(len(_SCALES)))]
    # Pictures made small for a network are another matter: strokes vanish below about 160 rows.
    if (frame[3] - frame[1]) * up < 160 * down:
        return None
    return Resize(up, down, _DOWN[int(rng.integers(len(_DOWN)))], bool(rng.random() < 0.35))


def item_of(mark: Mark, frame: Box, resize: Resize | None, ground: Grey) -> Item | None:
    """The mark as it is seen in the end, or None when nothing of it is left."""
    width, height = frame[2] - frame[0], frame[3] - frame[1]
    x0, y0, x1, y1 = (v - o for v, o in zip(mark.box, (frame[0], frame[1]) * 2, strict=True))
    a, b, c, d = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if a >= c or b >= d:
        return None
    cover = mark.cover[b - y0 : d - y0, a - x0 : c - x0]
    cut = mark.cut or int(np.count_nonzero(cover)) < 0.98 * int(np.count_nonzero(mark.cover))
    if resize is not None:
        q = resize.down
        left, top = max(a // q * q - q, 0), max(b // q * q - q, 0)
        right, low = min(-(-c // q) * q + q, width), min(-(-d // q) * q + q, height)
        tile = np.zeros((low - top, right - left), np.uint8)
        tile[b - top : d - top, a - left : c - left] = cover
        cover = resize(tile)
        a, b = (left, top) if resize.back else (left // q * resize.up, top // q * resize.up)
    mask = cover >= FAINT
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    mask = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    box = (a + int(columns[0]), b + int(rows[0]), a + int(columns[-1]) + 1, b + int(rows[-1]) + 1)
    inside = bool((mask & (ground[box[1] : box[3], box[0] : box[2]] > 0)).any())
    kind, text, group = mark.kind, mark.text, mark.group
    if cut:
        text = group = None
        kind = "cropped_text" if kind in _CUT_KINDS else kind
    return Item(kind, box, mask, text, inside, group)
