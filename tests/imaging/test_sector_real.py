from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from tests.decoding.samples import samples_folder
from ultracurate.measure.sector import Case, Score, marked, score, summary

LABELS = Path(__file__).resolve().parents[1] / "labels" / "sectors.json"

pytestmark = [pytest.mark.samples, pytest.mark.timeout(600)]


@lru_cache(maxsize=2)
def answers(half: str) -> list[tuple[Case, Score]]:
    return [(case, score(case)) for case in marked(LABELS, samples_folder(), half)]


def test_labels_are_what_they_promise() -> None:
    rows = json.loads(LABELS.read_text(encoding="utf-8"))
    halves = {row["half"]: {r["dataset"] for r in rows if r["half"] == row["half"]} for row in rows}
    assert not halves["train"] & halves["test"]
    assert len({(row["path"], row["frame"]) for row in rows}) == len(rows)
    for row in rows:
        for field in row["fields"]:
            xs, ys = np.asarray(field).T
            assert xs.min() >= 0
            assert ys.min() >= 0
            assert xs.max() <= row["size"][0]
            assert ys.max() <= row["size"][1]


def test_frames_have_the_size_they_were_marked_in() -> None:
    rows = [row for row in json.loads(LABELS.read_text(encoding="utf-8")) if row["half"] == "test"]
    cases = [case for case, _ in answers("test")]
    assert [case.image.shape[1::-1] for case in cases] == [tuple(row["size"]) for row in rows]


def test_little_tissue_is_cut_from_frames_never_trained_on() -> None:
    got = summary([found for _, found in answers("test")])
    assert got["tissue cut away, mean"] <= 0.005
    assert got["tissue cut away, 95th centile"] <= 0.02


def test_little_screen_is_kept_on_frames_never_trained_on() -> None:
    got = summary([found for _, found in answers("test")])
    assert got["screen kept, mean share of a frame"] <= 0.02
    assert got["screen kept, of all screen pixels"] <= 0.09  # the goal: 0.02


def test_crops_without_a_screen_are_kept_whole() -> None:
    for case, found in answers("test"):
        if case.truth.all() and case.group == "busi":
            assert found.cut <= 0.02, case.name
