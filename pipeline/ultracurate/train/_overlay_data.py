"""Training crops of the overlay net: marks burned into invented and real tissue, hand-marked frames, and clean ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.decode import read_frames, sniff
from ultracurate.decoding.media import HEAD_BYTES
from ultracurate.imaging.sector import Sector, mask
from ultracurate.phantom.burned import Burned, burn, burned_screen
from ultracurate.phantom.modalities import make_modality
from ultracurate.phantom.styles import invented_tissue
from ultracurate.train._sector_data import read_textures

U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Rng = np.random.Generator

SIDE = 192
"""Pixels of a square crop; a multiple of the net's coarsest step."""
MARK, TISSUE, RIM, UNSURE = 255, 0, 64, 128
"""Values of a target: a mark, none, the pixel around a mark (counts little), not vouched for (counts nothing)."""
FAINT = 10
"""Levels of change below which a mark, and all of it within two pixels, is too faint for anybody to see."""
CROPS = 6
"""Crops cut from one picture; they follow each other in a file."""
_ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(frozen=True, eq=False)
class Frame:
    """A real frame (H, W, 3) uint8 RGB, its target (H, W) uint8, where to cut, and what may be drawn on.

    `spots`: kind -> (x, y) of pixels of the marks on the field. `field` (H, W) bool is the insonated field, or None
    where nobody marked it. `clean`: nothing is burned in on the field. `weight`: how often to draw the frame.
    """

    image: U8
    target: U8
    spots: dict[str, npt.NDArray[np.int64]]
    field: Mask | None
    clean: bool
    weight: float


def write(labels: Path, samples: Path, stills: Path, out: Path, count: int, first: int = 0, block: int = 40) -> None:
    """Write the crops of `count` pictures as x_<seed>.npy (N, SIDE, SIDE, 3) and y_<seed>.npy (N, SIDE, SIDE) uint8.

    Args:
        labels: folder with overlays.json and sectors.json, of which only the train half is read.
        samples: folder of the marked pictures.
        stills: folder of pictures whose lit rectangle is tissue without marks.
        out: where to write.
        count: how many pictures, each cut `CROPS` times.
        first: seed of the first picture.
        block: pictures in a file.
    """
    out.mkdir(parents=True, exist_ok=True)
    more = read_textures(stills, [])
    frames = read_train_half(labels, samples) + [_bare(grey, len(more) ** -0.5) for grey in more]
    tissues = textures(frames)
    for start in range(first, first + count, block):
        pairs = [
            pair for seed in range(start, min(start + block, first + count)) for pair in cut(seed, frames, tissues)
        ]
        np.save(out / f"y_{start:07d}.npy", np.stack([y for _, y in pairs]))
        np.save(out / f"x_{start:07d}.npy", np.stack([x for x, _ in pairs]))


def read_train_half(labels: Path, samples: Path) -> list[Frame]:
    """The hand-marked frames that may be trained on; datasets with many frames count for less than their share."""
    rows = [row for row in json.loads((labels / "overlays.json").read_text(encoding="utf-8")) if row["half"] == "train"]
    marked = json.loads((labels / "sectors.json").read_text(encoding="utf-8"))
    fields = {(row["path"], row["frame"]): row["fields"] for row in marked}
    many = Counter((row["dataset"], row["clean"]) for row in rows)
    found = []
    for row in rows:
        data = (samples / row["path"]).read_bytes()
        fmt = sniff(data[:HEAD_BYTES], row["path"])
        if fmt is None:
            raise ValueError(f"expected a picture or a clip among the marked frames, found {Path(row['path']).suffix}")
        image = next(image for _, _, image in read_frames(data, fmt, {row["frame"]}))
        polygons = fields.get((row["path"], row["frame"]))
        found.append(_frame(row, image, polygons, many[row["dataset"], row["clean"]] ** -0.5))
    return found


def _frame(row: dict[str, Any], image: U8, polygons: list[list[tuple[int, int]]] | None, weight: float) -> Frame:
    size = (image.shape[0], image.shape[1])
    target = np.zeros(size, np.uint8)
    spots: dict[str, list[npt.NDArray[np.int64]]] = {}
    for item in row["items"]:
        x0, y0, x1, y1 = item["box"]
        if "mask_rle" not in item:
            target[y0:y1, x0:x1] = np.maximum(target[y0:y1, x0:x1], UNSURE)
            continue
        runs = item["mask_rle"]
        drawn = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(y1 - y0, x1 - x0)
        # Inside its box, the shadow and the gaps of a mark are nobody's: the labeller drew bright strokes only.
        near = cv2.dilate(np.pad(drawn.astype(np.uint8), 4), np.ones((7, 7), np.uint8))
        top, left = max(0, y0 - 4), max(0, x0 - 4)
        part = target[top : y1 + 4, left : x1 + 4]
        near = near[top - y0 + 4 :, left - x0 + 4 :][: part.shape[0], : part.shape[1]]
        part[(near > 0) & (part == TISSUE)] = UNSURE
        target[y0:y1, x0:x1][drawn] = MARK
        if item["in_sector"]:
            ys, xs = np.nonzero(drawn)
            spots.setdefault(item["type"], []).append(np.stack([xs + x0, ys + y0], axis=1))
    field = None
    if polygons is not None:
        corners = [[(int(x), int(y)) for x, y in polygon] for polygon in polygons]
        field = mask(Sector(corners, 1.0, "linear"), size)
    joined = {kind: np.concatenate(parts) for kind, parts in spots.items() if len(parts)}
    return Frame(_rgb(image), target, joined, field, bool(row["clean"]), weight)


def near(marks: Mask) -> Mask:
    """Marks (H, W) and the three pixels around them, which benchmarks count as theirs."""
    return cv2.dilate(marks.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0


def _bare(grey: U8, weight: float) -> Frame:
    """Tissue without marks as a frame that is nothing but field."""
    return Frame(_rgb(grey), np.zeros(grey.shape, np.uint8), {}, np.ones(grey.shape, np.bool_), True, weight)


def textures(frames: Sequence[Frame]) -> list[U8]:
    """Upright rectangles of grey tissue without any mark, from the frames' fields."""
    found = []
    for frame in frames:
        field = frame.field if frame.field is not None else np.ones(frame.target.shape, np.bool_)
        if frame.field is None and frame.target.any():
            continue
        rows, columns = np.nonzero(field)
        x0, x1, y0, y1 = (int(v) for v in (columns.min() + 2, columns.max() - 1, rows.min() + 2, rows.max() - 1))
        while min(x1 - x0, y1 - y0) > 100:  # rulers and notes lie at the edges
            part = frame.target[y0:y1, x0:x1] != TISSUE
            shares = [float(line.mean()) for line in (part[0], part[-1], part[:, 0], part[:, -1])]
            if max(shares) == 0:
                break
            side = int(np.argmax(shares))
            y0, y1, x0, x1 = y0 + (side == 0), y1 - (side == 1), x0 + (side == 2), x1 - (side == 3)
        bare = not frame.target[y0:y1, x0:x1].any()
        if bare and field[y0:y1, x0:x1].mean() > 0.97 and min(x1 - x0, y1 - y0) > 100:
            grey = cv2.cvtColor(frame.image[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
            found.append(np.ascontiguousarray(grey, np.uint8))
    return found


def cut(seed: int, frames: Sequence[Frame], tissues: Sequence[U8]) -> list[tuple[U8, U8]]:
    """`CROPS` training pairs of one picture: (SIDE, SIDE, 3) RGB and target (SIDE, SIDE), both uint8.

    Four in ten are invented screens, three are real frames with invented marks, the others real frames as they are.
    """
    rng = np.random.default_rng([seed, 78])
    draw = rng.random()
    if draw < 0.44:
        share = 0.6 if tissues else 0.0
        burned = burned_screen(seed, held=False, tissue=_tissue(tissues, share), tissue_name="mixed")
        return _of_burned(burned, rng)
    bare = [frame for frame in frames if frame.clean and (frame.field is not None or not frame.target.any())]
    if draw < 0.73 and bare:
        frame = bare[_one(bare, rng)]
        image, field = only_field(frame)
        return _of_burned(burn(image, [field], seed, held=False), rng)
    if draw < 0.77 or not frames:  # colour that is signal
        image, truth = make_modality("elastography", seed)
        target = np.zeros(image.shape[:2], np.uint8)
        target[~truth.shown] = UNSURE
        return [_crop(_rgb(image), target, _any_of(truth.shown, rng), rng) for _ in range(CROPS)]
    wanted = rng.random() < 0.65
    among = [frame for frame in frames if bool(frame.spots) == wanted] or list(frames)
    frame = among[_one(among, rng)]
    image, target = _scaled(frame, rng)
    room = frame.field if frame.field is not None else np.ones(frame.target.shape, np.bool_)
    scale = len(target) / len(frame.target)
    pairs = []
    for _ in range(CROPS):
        at = _place(frame.spots, room, rng)
        pairs.append(_crop(image, target, (round(at[0] * scale), round(at[1] * scale)), rng))
    return pairs


def _one(frames: Sequence[Frame], rng: Rng) -> int:
    chances = np.asarray([frame.weight for frame in frames])
    return int(rng.choice(len(frames), p=chances / chances.sum()))


def _tissue(tissues: Sequence[U8], share: float) -> Callable[[Rng], U8]:
    """Beam pictures: with probability `share` a random cut of real tissue, else invented tissue."""

    def draw(rng: Rng) -> U8:
        if rng.random() >= share:
            return invented_tissue(rng)
        whole = tissues[int(rng.integers(len(tissues)))]
        high, wide = (min(side, max(60, int(side * rng.uniform(0.45, 1.0)))) for side in whole.shape)
        y, x = int(rng.integers(whole.shape[0] - high + 1)), int(rng.integers(whole.shape[1] - wide + 1))
        return np.ascontiguousarray(whole[y : y + high, x : x + wide])

    return draw


def only_field(frame: Frame) -> tuple[U8, Mask]:
    """The frame cut to its field, black around it: what is drawn there has marks of its own."""
    if frame.field is None:
        return frame.image, np.ones(frame.target.shape, np.bool_)
    rows, columns = np.nonzero(frame.field)
    part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.where(frame.field[part][..., None], frame.image[part], 0).astype(np.uint8), frame.field[part]


def _of_burned(burned: Burned, rng: Rng) -> list[tuple[U8, U8]]:
    """Crops of a picture with invented marks; one in ten without them."""
    target = np.where(burned.mask, MARK, TISSUE).astype(np.uint8)
    change = cv2.absdiff(burned.image, burned.clean).max(axis=2)
    target[burned.mask & (cv2.dilate(change, np.ones((5, 5), np.uint8)) < FAINT)] = UNSURE
    if "redaction_paint" in burned.masks:  # black paint on black hides nothing, and nobody could see it
        target[burned.masks["redaction_paint"] & (burned.image.max(axis=2) <= 8)] = UNSURE
    target[(cv2.dilate(burned.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (target == TISSUE)] = RIM
    spots: dict[str, npt.NDArray[np.int64]] = {}
    for item in burned.items:
        if item.in_field or rng.random() < 0.15:
            ys, xs = np.nonzero(item.mask)
            if len(xs):
                at = np.stack([xs + item.box[0], ys + item.box[1]], axis=1)[:: max(1, len(xs) // 50)]
                spots[item.kind] = np.concatenate([spots[item.kind], at]) if item.kind in spots else at
    room = np.logical_or.reduce(burned.fields)
    pairs = []
    for _ in range(CROPS):
        if rng.random() < 0.1:
            pairs.append(_crop(burned.clean, np.zeros_like(target), _any_of(room, rng), rng))
        elif burned.flow.any() and rng.random() < 0.25:
            pairs.append(_crop(burned.image, target, _any_of(burned.flow, rng), rng))
        else:
            pairs.append(_crop(burned.image, target, _place(spots, room, rng), rng))
    return pairs


def _place(spots: dict[str, npt.NDArray[np.int64]], room: Mask, rng: Rng) -> tuple[int, int]:
    """(x, y) near a mark, every kind as likely as another, or anywhere on the field."""
    if not spots or rng.random() < 0.33:
        return _any_of(room, rng)
    kinds = sorted(spots)
    at = spots[kinds[int(rng.integers(len(kinds)))]]
    x, y = at[int(rng.integers(len(at)))]
    return int(x), int(y)


def _any_of(room: Mask, rng: Rng) -> tuple[int, int]:
    ys, xs = np.nonzero(room[::4, ::4])
    if not len(xs):
        return room.shape[1] // 2, room.shape[0] // 2
    index = int(rng.integers(len(xs)))
    return 4 * int(xs[index]), 4 * int(ys[index])


def _scaled(frame: Frame, rng: Rng) -> tuple[U8, U8]:
    """A real frame at another size, most at their own; large screens shrink to what other sets hold."""
    height, width = frame.target.shape
    scale = 1.0 if rng.random() < 0.4 else float(rng.uniform(0.6, 1.25))
    if max(height, width) > 1400:
        scale *= float(rng.uniform(0.5, 1.0))
    if scale == 1.0:
        return frame.image, frame.target
    size = (round(width * scale), round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(frame.image, size, interpolation=how), np.uint8)
    # A stroke thinner than a pixel is still a stroke: the brightest target wins, not the nearest.
    marks = cv2.resize((frame.target == MARK).astype(np.float32), size, interpolation=how)
    loose = cv2.resize((frame.target != TISSUE).astype(np.float32), size, interpolation=how)
    return image, np.where(marks > 0.3, MARK, np.where(loose > 0, UNSURE, TISSUE)).astype(np.uint8)


def _crop(image: U8, target: U8, at: tuple[int, int], rng: Rng) -> tuple[U8, U8]:
    """The crop with (x, y) somewhere in it; pictures smaller than it are continued by their edge, which is unsure."""
    height, width = target.shape
    if height < SIDE or width < SIDE:
        down, right = max(0, SIDE - height), max(0, SIDE - width)
        image = np.asarray(cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REFLECT_101), np.uint8)
        target = np.pad(target, ((0, down), (0, right)), constant_values=UNSURE)
    x, y = (
        int(np.clip(v - rng.integers(16, SIDE - 16), 0, s - SIDE)) for v, s in zip(at, target.shape[::-1], strict=True)
    )
    part = np.s_[y : y + SIDE, x : x + SIDE]
    return np.ascontiguousarray(image[part]), np.ascontiguousarray(target[part])


def _rgb(image: U8) -> U8:
    return image if image.ndim == 3 else np.asarray(np.repeat(image[..., None], 3, axis=2), np.uint8)
