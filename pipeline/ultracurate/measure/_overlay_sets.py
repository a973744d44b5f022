"""Pictures with known marks that methods of overlay removal are measured on: invented, hand-marked, clean, coloured."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.decode import read_frames, sniff
from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import HEAD_BYTES
from ultracurate.imaging.sector import Sector
from ultracurate.imaging.sector import mask as sector_mask
from ultracurate.phantom.burned import Burned, burned_screen
from ultracurate.phantom.modalities import make_modality

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]

SETS = ("synth", "real", "clean", "colour")
"""What `--set` takes."""

FIRST_SCREEN = 900_000
"""Seed of the first invented screen; its fonts, words, devices and patients are those that nets never see."""
FIRST_CLEAN, FIRST_COLOUR = 910_000, 920_000

SCREENS, CLEAN, FLOWS, TINTED, STIFF = 200, 60, 50, 50, 20
QUICK_SCREENS, QUICK_CLEAN = 12, 6
LEAST_FRAMES = 15
"""Frames on whose field a kind of mark must occur before its recall can be called the worst."""
_MOST_SCREENS = 1200  # seeds walked to find rare kinds; 60 ms each

CHANGED = 8
"""Levels, in the channel that differs most, beyond which a pixel counts as changed."""
SLACK = 3
"""Pixels around a mark that belong neither to it nor to tissue: its soft rim, and what compression rings."""
RIM = 8
"""Pixels around the strokes of a hand-marked line that nobody vouches for."""
LINES = frozenset({"roi_box", "outline", "dotted_line", "ruler", "arrow", "ecg", "caliper"})
"""Hand-marked kinds whose box is mostly tissue."""
COLOURED = 24
"""Levels between the largest and the smallest channel from which a pixel inside a marked flow box is flow."""

_NEAR = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * SLACK + 1, 2 * SLACK + 1))
_GROUPS = {  # of a hand-marked string, as the phantom groups its own
    "patient_text": "patient",
    "ui_text": "ui",
    "logo": "ui",
    "insector_text": "in_sector",
    "measurement_text": "in_sector",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: its `kind`, where it is, and whose secret its string is.

    `box` (x0, y0, x1, y1); `mask` (h, w) bool at the box, None where its strokes are not known; `text` is None where
    nothing can be read and "" where what it says was not written down; `group` is patient, ui, in_sector or None.
    """

    kind: str
    box: Box
    mask: Mask | None
    text: str | None
    group: str | None
    in_field: bool


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One picture and all that is known of it.

    Attributes:
        groups: the lines of the table it counts for, such as "real, test half".
        cluster: what is drawn as a whole by the bootstrap: a screen, or a dataset of real frames.
        image: (H, W) or (H, W, 3) uint8 RGB.
        field: (H, W) bool, the insonated field; None where nobody marked it.
        marks: all marks.
        clean: the picture without marks, of the shape of `image`; None for real ones.
        flow: (H, W) bool, colour that is signal and must survive.
        truth: (H, W) bool, union of the marks' strokes.
        seen: (H, W) bool, of these the pixels that a mark changed by more than `CHANGED` levels; all of them where the
            picture without marks is not known.
        near: (H, W) bool, truth and `SLACK` pixels around it.
        loose: (H, W) bool, not vouched for: boxes of hand-marked items, beyond their strokes too; of lines, whose boxes
            hold tissue, only `RIM` pixels around their strokes.
    """

    groups: tuple[str, ...]
    cluster: str
    image: U8
    field: Mask | None
    marks: Sequence[Mark]
    clean: U8 | None
    flow: Mask
    truth: Mask = dataclasses.field(init=False)
    seen: Mask = dataclasses.field(init=False)
    near: Mask = dataclasses.field(init=False)
    loose: Mask = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        truth, loose = np.zeros(self.image.shape[:2], np.bool_), np.zeros(self.image.shape[:2], np.bool_)
        for mark in self.marks:
            x0, y0, x1, y1 = mark.box
            if mark.mask is not None:
                truth[y0:y1, x0:x1] |= mark.mask
            if self.clean is None:
                loose |= _unsure(mark, loose.shape)
        seen = truth if self.clean is None else truth & (difference(self.image, self.clean) > CHANGED)
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "seen", seen)
        object.__setattr__(self, "near", cv2.dilate(truth.astype(np.uint8), _NEAR) > 0)
        object.__setattr__(self, "loose", loose)


def difference(one: U8, other: U8) -> npt.NDArray[np.uint8]:
    """Levels between two pictures of one shape, in the channel that differs most: (H, W)."""
    apart = cv2.absdiff(one, other)
    return np.asarray(apart if apart.ndim == 2 else apart.max(axis=2), np.uint8)


def _unsure(mark: Mark, size: tuple[int, ...]) -> Mask:
    """What a hand-marked item leaves open: its rim, its shadow, the gaps of its strokes; (H, W) bool."""
    x0, y0, x1, y1 = mark.box
    unsure = np.zeros(size, np.uint8)
    if mark.mask is None or mark.kind not in LINES:
        unsure[max(0, y0 - SLACK) : y1 + SLACK, max(0, x0 - SLACK) : x1 + SLACK] = 1
        return unsure > 0
    unsure[y0:y1, x0:x1] = mark.mask
    return cv2.dilate(unsure, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0


def cases(sets: Sequence[str], quick: bool, labels: Path | None, samples: Path | None) -> Iterator[Case]:
    """All pictures of the sets, one at a time; a frame that counts for two sets comes once.

    Args:
        sets: some of `SETS`.
        quick: 12 screens, 6 clean phantoms, 3 coloured ones; of real frames a twelfth if `real` is named.
        labels: folder with overlays.json and sectors.json; None: no real frames.
        samples: folder of the real frames; None: none of them.

    Raises:
        ConfigError: no such set, or real frames were asked for alone and are not there.
    """
    if unknown := set(sets) - set(SETS):
        raise ConfigError(f"Expected sets of {', '.join(SETS)}, found {', '.join(sorted(unknown))}. Choose of these.")
    if "synth" in sets:
        yield from _screens(QUICK_SCREENS, 0) if quick else _screens(SCREENS, LEAST_FRAMES)
    if "clean" in sets:
        yield from _unmarked(QUICK_CLEAN if quick else CLEAN)
    if "colour" in sets:
        yield from _coloured(*((1, 1, 1) if quick else (FLOWS, TINTED, STIFF)))
    if quick and "real" not in sets:
        return
    if labels is not None and samples is not None:
        yield from real(labels, samples, sets, 12 if quick else 1)
    elif list(sets) == ["real"]:
        raise ConfigError(
            "Expected hand-marked frames, found none. They are measured from a checkout; "
            "name the folder of the pictures: ULTRACURATE_ROOT_SAMPLES=..."
        )


def _screens(count: int, least: int) -> Iterator[Case]:
    """`count` screens, then only those on whose field a kind lies that fewer than `least` screens have shown so far."""
    seen: Counter[str] = Counter()
    for seed in range(FIRST_SCREEN, FIRST_SCREEN + max(count, _MOST_SCREENS if least else 0)):
        case = of_screen(burned_screen(seed, held=True), seed, ("synth",))
        kinds = {mark.kind for mark in case.marks if mark.in_field}
        if seed < FIRST_SCREEN + count or any(seen[kind] < least for kind in kinds):
            seen.update(kinds)
            yield case
        elif seen and min(seen.values()) >= least:
            return


def of_screen(burned: Burned, seed: int, groups: tuple[str, ...]) -> Case:
    """An invented screen as a case; paint that is black already hides nothing and is no mark."""
    marks = []
    for item in burned.items:
        x0, y0, x1, y1 = item.box
        mask = item.mask
        if item.kind == "redaction_paint":
            mask = mask & (burned.image[y0:y1, x0:x1].max(axis=2) > 8)
        group = "in_sector" if item.group == "measurement" and item.in_field else item.group
        group = "ui" if group == "measurement" else group
        if mask.any():
            marks.append(Mark(item.kind, item.box, mask, item.text, group, item.in_field))
    field = np.logical_or.reduce(burned.fields)
    return Case(groups, f"screen {seed}", burned.image, field, marks, burned.clean, burned.flow)


def _unmarked(count: int) -> Iterator[Case]:
    """Grey screens without their marks."""
    seed = FIRST_CLEAN
    while count > 0:
        burned = burned_screen(seed, held=True)
        if burned.tinted is None and not burned.flow.any():
            field = np.logical_or.reduce(burned.fields)
            yield Case(("clean, phantom",), f"clean {seed}", burned.clean, field, (), burned.clean, burned.flow)
            count -= 1
        seed += 1


def _coloured(flows: int, tinted: int, stiff: int) -> Iterator[Case]:
    """Screens with flow, screens in a tint, and elastograms; of these only the colour map, not its frame, is judged."""
    seed = FIRST_COLOUR
    while flows > 0 or tinted > 0:
        burned = burned_screen(seed, held=True)
        if tinted > 0 and burned.tinted is not None:
            tinted -= 1
            yield of_screen(burned, seed, ("colour, tinted phantom",))
        elif flows > 0 and np.count_nonzero(burned.flow) > 100:
            flows -= 1
            yield of_screen(burned, seed, ("colour, flow phantom",))
        seed += 1
    for seed in range(FIRST_COLOUR, FIRST_COLOUR + stiff):
        image, truth = make_modality("elastography", seed)
        inner = cv2.erode(truth.shown.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
        yield Case(("colour, elastogram phantom",), f"elastogram {seed}", image, None, (), None, inner)


def real(labels: Path, samples: Path, sets: Sequence[str], every: int) -> Iterator[Case]:
    """Hand-marked frames whose picture is there; `every` n-th of each half."""
    fields = {}
    for row in json.loads((labels / "sectors.json").read_text(encoding="utf-8")):
        fields[row["path"], row["frame"]] = [[(int(x), int(y)) for x, y in each] for each in row["fields"]]
    order: Counter[str] = Counter()
    for row in json.loads((labels / "overlays.json").read_text(encoding="utf-8")):
        groups = [f"real, {row['half']} half"] if "real" in sets else []
        groups += [f"clean, real {row['half']} half"] if "clean" in sets and row["clean"] else []
        groups += [f"colour, real {row['half']} half"] if "colour" in sets and row["flow"] else []
        order[row["half"]] += 1
        path = samples / row["path"]
        if groups and order[row["half"]] % every == 0 and path.is_file():
            yield of_row(row, _frame(path, row["frame"]), fields.get((row["path"], row["frame"])), tuple(groups))


def of_row(
    row: dict[str, Any], image: U8, polygons: list[list[tuple[int, int]]] | None, groups: tuple[str, ...]
) -> Case:
    """One line of overlays.json, with its pixels and the outlines of its fields, as a case."""
    marks = []
    for item in row["items"]:
        x0, y0, x1, y1 = item["box"]
        mask = runs_to_mask(item["mask_rle"], (y1 - y0, x1 - x0)) if "mask_rle" in item else None
        group = _GROUPS.get(item["type"])
        text = None if group is None else "" if item["text"] == "<redacted>" else item["text"]
        marks.append(Mark(item["type"], (x0, y0, x1, y1), mask, text, group, item["in_sector"]))
    size = (image.shape[0], image.shape[1])
    field = None if polygons is None else sector_mask(Sector(polygons, 1.0, "linear"), size)
    flow = np.zeros(size, np.bool_)
    for x0, y0, x1, y1 in row["flow"]:
        inside = image[y0:y1, x0:x1]
        flow[y0:y1, x0:x1] = np.ptp(inside, axis=2) > COLOURED if image.ndim == 3 else False
    return Case(groups, row["dataset"], image, field, marks, None, flow)


def runs_to_mask(runs: Sequence[int], size: tuple[int, int]) -> Mask:
    """The (h, w) bool mask of run lengths, row by row, that begin with zeros."""
    if sum(runs) != size[0] * size[1] or min(runs, default=0) < 0:
        wanted = f"runs over {size[0]} x {size[1]} pixels"
        raise ConfigError(f"overlays.json: expected {wanted}, found {sum(runs)} pixels. Fetch the file again.")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(size)


def _frame(path: Path, index: int) -> U8:
    data = path.read_bytes()
    fmt = sniff(data[:HEAD_BYTES], path.name)
    if fmt is None:
        raise ConfigError("Expected hand-marked pictures in a known format, found another. Fetch the samples again.")
    return next(image for _, _, image in read_frames(data, fmt, {index}))
