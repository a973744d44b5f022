"""Training pictures of the field net: invented screens, real tissue warped into them, and hand-marked real frames."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.decode import VIDEOS, read_frames, sniff
from ultracurate.decoding.media import HEAD_BYTES
from ultracurate.imaging._field_input import GRID, field_maps
from ultracurate.imaging.sector import Sector, mask
from ultracurate.phantom.styles import invented_tissue, random_screen

U8 = npt.NDArray[np.uint8]
Rng = np.random.Generator

SIZES = ((360, 480), (400, 533), (480, 640), (600, 800), (512, 512), (350, 350), (450, 800), (720, 960))
"""Screens (H, W) of training: smaller than those of tests, which costs nothing, as the net sees a small copy."""


@dataclass(frozen=True)
class Marked:
    """A real frame (H, W) or (H, W, 3) uint8 with its fields as masks (H, W) bool, and how often to draw it."""

    image: U8
    fields: list[npt.NDArray[np.bool_]]
    weight: float = 1.0


def write(labels: Path, samples: Path, textures: Path, out: Path, count: int, first: int = 0, block: int = 500) -> None:
    """Write `count` pairs as x_<seed>.npy and y_<seed>.npy of `block` pairs each.

    Args:
        labels: tests/labels/sectors.json, of which only the train half is read.
        samples: folder of the marked pictures.
        textures: folder of pictures and clips whose lit rectangle is tissue.
        out: where to write.
        count: how many pairs.
        first: seed of the first pair.
        block: pairs in a file.
    """
    out.mkdir(parents=True, exist_ok=True)
    marked = read_marked(labels, samples)
    tissues = crops(marked) + read_textures(textures, marked)
    for start in range(first, first + count, block):
        pairs = [sample(seed, marked, tissues) for seed in range(start, min(start + block, first + count))]
        np.save(out / f"y_{start:07d}.npy", np.stack([y for _, y in pairs]))
        np.save(out / f"x_{start:07d}.npy", np.stack([x for x, _ in pairs]))


def read_marked(labels: Path, samples: Path) -> list[Marked]:
    """The train half of the hand-marked frames; datasets with many frames count for less than their share."""
    rows = [row for row in json.loads(labels.read_text(encoding="utf-8")) if row["half"] == "train"]
    many = Counter(row["dataset"] for row in rows)
    found = []
    for row in rows:
        data = (samples / row["path"]).read_bytes()
        fmt = sniff(data[:HEAD_BYTES], row["path"])
        if fmt is None:
            raise ValueError(f"expected a picture or a clip among the marked frames, found {Path(row['path']).suffix}")
        image = next(image for _, _, image in read_frames(data, fmt, {row["frame"]}))
        shape = (image.shape[0], image.shape[1])
        fields = [Sector([[(int(x), int(y)) for x, y in field]], 1.0, "linear") for field in row["fields"]]
        found.append(Marked(image, [mask(field, shape) for field in fields], many[row["dataset"]] ** -0.5))
    return found


def read_textures(folder: Path, marked: Sequence[Marked]) -> list[U8]:
    """Grey tissue from stills, and from every 25th frame of clips of the size of a marked frame.

    Stills are trimmed to the rectangle whose rows and columns are lit; a device screen is cut to the marked field.
    """
    screens = {item.image.shape[:2]: item.fields[0] for item in marked if not item.fields[0].all()}
    found: list[U8] = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        fmt = sniff(data[:HEAD_BYTES], path.name)
        if fmt is None:
            continue
        for index, _, image in read_frames(data, fmt, lambda index, _: index % 25 == 0):
            grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
            clip = fmt in VIDEOS
            if clip and grey.shape not in screens:
                continue
            lit = screens[grey.shape] if clip else grey > 12
            rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.25), np.flatnonzero(lit.mean(axis=0) > 0.25)
            if len(rows) > 100 and len(columns) > 100 and (clip or index == 0):
                found.append(np.ascontiguousarray(grey[rows[0] + 3 : rows[-1] - 2, columns[0] + 3 : columns[-1] - 2]))
    return found


def crops(marked: Sequence[Marked]) -> list[U8]:
    """Upright rectangles of grey tissue from the marked frames' fields: textures for invented screens."""
    found: list[U8] = []
    for item in marked:
        grey = (
            item.image if item.image.ndim == 2 else np.asarray(cv2.cvtColor(item.image, cv2.COLOR_RGB2GRAY), np.uint8)
        )
        inside = item.fields[0]
        rows, columns = np.nonzero(inside)
        x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        if inside[y0:y1, x0:x1].mean() > 0.97 and min(x1 - x0, y1 - y0) > 100:
            found.append(np.ascontiguousarray(grey[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]))
    return found


def real_tissue(textures: Sequence[U8], share: float) -> Callable[[Rng], U8]:
    """Beam pictures: with probability `share` a random cut of a real texture, else an invented one."""

    def draw(rng: Rng) -> U8:
        if rng.random() >= share:
            return invented_tissue(rng)
        texture = textures[int(rng.integers(len(textures)))]
        rows, columns = texture.shape
        height, width = (max(60, int(side * rng.uniform(0.45, 1.0))) for side in (rows, columns))
        height, width = min(height, rows), min(width, columns)
        y, x = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
        return np.ascontiguousarray(texture[y : y + height, x : x + width])

    return draw


def sample(seed: int, marked: Sequence[Marked], textures: Sequence[U8]) -> tuple[U8, U8]:
    """One training pair: maps (3, GRID, GRID) and targets (2, GRID, GRID) uint8, field and second field of a dual view.

    Four in ten are marked frames, the rest screens; some of either are turned, or set on a white page.
    """
    rng = np.random.default_rng([seed, 77])
    if rng.random() < 0.4:
        chances = np.asarray([item.weight for item in marked])
        item = marked[int(rng.choice(len(marked), p=chances / chances.sum()))]
        image, fields = _vary(item.image, item.fields, rng)
    else:
        screen = random_screen(
            seed, held=False, tissue=real_tissue(textures, 0.55), size=SIZES[int(rng.integers(len(SIZES)))]
        )
        image, fields = screen.image, screen.fields
    if rng.random() < (0.2 if fields[0].mean() > 0.9 else 0.06):
        image, fields = _turned(image, fields, rng)
    if rng.random() < 0.06:
        image, fields = _paged(image, fields, rng)
    if rng.random() < 0.1:  # an inverted or a faint copy
        image = np.asarray(255 - image if rng.random() < 0.15 else (image * rng.uniform(0.3, 0.8)).astype(np.uint8))
    targets = np.zeros((2, GRID, GRID), np.uint8)
    for index, field in enumerate(fields[:2]):
        small = cv2.resize(field.astype(np.uint8) * 255, (GRID, GRID), interpolation=cv2.INTER_AREA)
        targets[0] = np.maximum(targets[0], small)
        if index:
            targets[1] = small
    return field_maps(np.ascontiguousarray(image)), targets


def _vary(image: U8, fields: list[npt.NDArray[np.bool_]], rng: Rng) -> tuple[U8, list[npt.NDArray[np.bool_]]]:
    """A real frame flipped, cut (often inside its field), widened by flat ground, scaled, and its greys changed."""
    if rng.random() < 0.5:
        image, fields = image[:, ::-1], [field[:, ::-1] for field in fields][::-1]
    height, width = image.shape[:2]
    if rng.random() < 0.55:
        union = np.logical_or.reduce(fields)
        rows, columns = np.nonzero(union)
        reach = rng.uniform(-0.3, 0.25, 4)  # each side between deep in the field and well outside it
        high, wide = rows.max() - rows.min(), columns.max() - columns.min()
        y0, y1 = rows.min() - reach[0] * high, rows.max() + 1 + reach[1] * high
        x0, x1 = columns.min() - reach[2] * wide, columns.max() + 1 + reach[3] * wide
        y0, x0, y1, x1 = max(0, int(y0)), max(0, int(x0)), min(height, int(y1)), min(width, int(x1))
        if y1 - y0 > 40 and x1 - x0 > 40:
            image, fields = image[y0:y1, x0:x1], [field[y0:y1, x0:x1] for field in fields]
    if rng.random() < 0.2:  # on flat ground
        sides = [int(v) for v in rng.uniform(0, 0.25, 4) * np.repeat(image.shape[:2], 2)]
        ground = int(rng.choice([0, 0, 0, int(rng.integers(1, 200))]))
        top, bottom, left, right = sides
        padded = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=[ground] * 3)
        image = np.asarray(padded, np.uint8)
        fields = [_padded(f, sides) for f in fields]
    scale = min(1.0, 900 / max(image.shape[:2])) * rng.uniform(0.5, 1.0) if max(image.shape[:2]) > 300 else 1.0
    size = (max(60, int(image.shape[1] * scale)), max(60, int(image.shape[0] * scale)))
    image = np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA), np.uint8)
    fields = [cv2.resize(f.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for f in fields]
    curve = np.clip(255 * (np.arange(256) / 255) ** rng.uniform(0.6, 1.6) * rng.uniform(0.6, 1.15), 0, 255)
    image = curve.astype(np.uint8)[image]
    if rng.random() < 0.3:
        image = _jpeg(image, int(rng.integers(40, 95)))
    if image.ndim == 3 and rng.random() < 0.4:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    return image, fields


def _turned(image: U8, fields: list[npt.NDArray[np.bool_]], rng: Rng) -> tuple[U8, list[npt.NDArray[np.bool_]]]:
    """Turned by up to 25 degrees on black, some sheared, as augmented copies in public sets are; half as JPEG."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-25, 25)), float(rng.uniform(0.6, 1.1)))
    if rng.random() < 0.3:
        lean = float(rng.uniform(-0.3, 0.3))
        matrix = matrix @ np.asarray([[1, lean, -lean * height / 2], [0, 1, 0], [0, 0, 1]])
    turned = np.asarray(cv2.warpAffine(np.ascontiguousarray(image), matrix, (width, height)), np.uint8)
    if rng.random() < 0.5:
        turned = _jpeg(turned, int(rng.integers(30, 90)))
    return turned, [
        cv2.warpAffine(f.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST) > 0 for f in fields
    ]


def _paged(image: U8, fields: list[npt.NDArray[np.bool_]], rng: Rng) -> tuple[U8, list[npt.NDArray[np.bool_]]]:
    """On a white page, as in a figure, or amid flat borders of some grey."""
    paper = 255 if rng.random() < 0.4 else int(rng.integers(20, 255))
    sides = [int(v) for v in rng.uniform(0.02, 0.2, 4) * np.repeat(image.shape[:2], 2)]
    top, bottom, left, right = sides
    page = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=[paper] * 3)
    return np.asarray(page, np.uint8), [_padded(f, sides) for f in fields]


def _padded(field: npt.NDArray[np.bool_], sides: list[int]) -> npt.NDArray[np.bool_]:
    return np.pad(field, ((sides[0], sides[1]), (sides[2], sides[3])))


def _jpeg(image: U8, quality: int) -> U8:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8) if done else image
