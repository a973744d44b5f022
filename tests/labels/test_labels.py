from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.decoding.samples import samples_folder
from tests.labels.render import LABELS, overlay_mask, read, runs_to_mask, sheet

FRAME_KEYS = {"dataset", "path", "frame", "size", "sha256", "half", "clean", "note", "flow", "items"}
ITEM_KEYS = {"type", "box", "in_sector", "text"}
TYPES = {
    "patient_text",
    "ui_text",
    "insector_text",
    "measurement_text",
    "caliper",
    "dotted_line",
    "ruler",
    "arrow",
    "outline",
    "roi_box",
    "body_mark",
    "logo",
    "orientation_marker",
    "colour_bar",
    "ecg",
    "other",
}
MAY_TRAIN_SHIPPED_WEIGHTS = {
    "timtrack",
    "josh-muscle",
    "usgra",
    "spj",
    "itkpocus",
    "plus",
    "vital",
    "gallbladder",
    "slicer-us",
    "pydicom",
    "pydicom-data",
}
HELD_OUT = {"pydicom", "pydicom-data"}
DATE = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[- ][A-Z]{3}[- ]\d{2,4}")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(LABELS.read_text(encoding="utf-8"))
    return frames


def inside(box: list[int], size: list[int]) -> bool:
    x0, y0, x1, y1 = box
    return 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1]


def test_every_frame_has_the_keys_of_the_readme(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert set(row) == FRAME_KEYS
        assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"])
        assert row["frame"] >= 0
        for item in row["items"]:
            assert ITEM_KEYS <= set(item) <= ITEM_KEYS | {"mask_rle", "note"}
            assert item["type"] in TYPES


def test_there_are_enough_frames_of_enough_datasets(rows: list[dict[str, Any]]) -> None:
    sets = {half: {row["dataset"] for row in rows if row["half"] == half} for half in ("train", "test")}
    assert len(rows) >= 240
    assert len({(row["path"], row["frame"]) for row in rows}) == len(rows)
    assert len(sets["train"]) >= 6
    assert len(sets["test"]) >= 7
    assert min(sum(row["clean"] for row in rows if row["half"] == half) for half in sets) >= 40


def test_a_dataset_lies_in_one_half_and_the_train_half_may_be_shipped(rows: list[dict[str, Any]]) -> None:
    halves = Counter(dict.fromkeys((row["dataset"], row["half"]) for row in rows))
    assert len({dataset for dataset, _ in halves}) == len(halves)
    train = {dataset for dataset, half in halves if half == "train"}
    assert train <= MAY_TRAIN_SHIPPED_WEIGHTS - HELD_OUT
    fields = json.loads(LABELS.with_name("sectors.json").read_text(encoding="utf-8"))
    assert {(row["dataset"], row["half"]) for row in fields} <= set(halves)


def test_sizes_agree_with_the_fields_of_the_same_frames(rows: list[dict[str, Any]]) -> None:
    sizes = {(row["path"], row["frame"]): row["size"] for row in rows}
    for field in json.loads(LABELS.with_name("sectors.json").read_text(encoding="utf-8")):
        assert sizes.get((field["path"], field["frame"]), field["size"]) == field["size"]


def test_boxes_lie_in_the_frame_and_masks_fill_their_box(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert all(inside(box, row["size"]) for box in row["flow"])
        for item in row["items"]:
            assert inside(item["box"], row["size"])
            if "mask_rle" in item:
                x0, y0, x1, y1 = item["box"]
                mask = runs_to_mask(item["mask_rle"], item["box"])
                assert mask.shape == (y1 - y0, x1 - x0)
                assert mask.any()


def test_most_marks_on_the_field_are_drawn_pixel_by_pixel(rows: list[dict[str, Any]]) -> None:
    drawn = Counter("mask_rle" in item for row in rows for item in row["items"] if item["in_sector"])
    assert drawn[False] <= 0.02 * drawn[True]


def test_clean_frames_hold_nothing_on_the_field(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["clean"] == (not any(item["in_sector"] for item in row["items"]))
        assert overlay_mask(row, field_only=True).any() <= (not row["clean"])


def test_no_personal_text_is_written_down(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert not DATE.search(row["note"])
        for item in row["items"]:
            assert not DATE.search(item["text"] + item.get("note", ""))
            if item["type"] == "patient_text":
                assert item["text"] in {"<redacted>", "ID: --", "Name: --", "Age: --", "Gender: M"}


def test_runs_are_read_as_the_readme_says() -> None:
    assert runs_to_mask([1, 2, 3], [4, 5, 7, 7]).tolist() == [[False, True, True], [False, False, False]]
    assert runs_to_mask([0, 2], [0, 0, 2, 1]).all()
    with pytest.raises(ValueError, match="found 5 pixels"):
        runs_to_mask([1, 4], [0, 0, 3, 2])


def test_a_sheet_shows_the_frame_beside_its_marks(rows: list[dict[str, Any]]) -> None:
    row = next(row for row in rows if row["dataset"] == "gallbladder")
    item = {"type": "caliper", "box": [10, 10, 12, 12], "in_sector": True, "text": "+", "mask_rle": [0, 4]}
    drawn = sheet({**row, "items": [item]}, np.zeros(row["size"][::-1], np.uint8))
    left, right = np.hsplit(drawn, 2)
    assert not left.any()
    assert (right == (0, 255, 0)).all(axis=2).sum() == 4 * 16


@pytest.mark.samples
@pytest.mark.timeout(600)
def test_decoded_pixels_are_those_that_were_labelled(rows: list[dict[str, Any]]) -> None:
    samples, read_count = samples_folder(), 0
    for row in rows:
        if row["path"].startswith("../") and not (samples / Path(row["path"])).is_file():
            continue
        image = read(row, samples)
        assert [image.shape[1], image.shape[0]] == row["size"]
        assert hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() == row["sha256"]
        read_count += 1
    assert read_count >= 240 - sum(row["path"].startswith("../") for row in rows)
