"""Which frames are shown, and what the painted picture shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.report.tables import run_of
from ultracurate.report.gallery import choose
from ultracurate.report.html import render
from ultracurate.report.pictures import paint, shrink


def frames(shares: list[float | None], datasets: list[str | None]) -> pa.Table:
    ids = [f"{place:03d}" for place in range(len(shares))]
    return pa.table(
        {
            "sample_id": ids,
            "dataset": pa.array(datasets, pa.string()),
            "overlay_share": pa.array(shares, pa.float64()),
        }
    )


def test_most_painted_first_then_in_turn_over_datasets() -> None:
    table = frames([0.0, 0.9, 0.0, 0.8, 0.0, 0.0, 0.1, 0.0], ["a", "a", "a", "a", "a", "a", "b", "c"])
    assert choose(table, 6) == [1, 3, 6, 0, 7, 2]


def test_unknown_share_comes_after_every_known_one() -> None:
    assert choose(frames([None, 0.0], ["a", "a"]), 1) == [1]


@given(
    rows=st.lists(st.tuples(st.none() | st.floats(0, 1), st.sampled_from(["a", "b", "c", None])), max_size=40),
    wanted=st.integers(0, 50),
)
def test_always_as_many_different_rows_as_there_can_be(rows: list[Any], wanted: int) -> None:
    chosen = choose(frames([r[0] for r in rows], [r[1] for r in rows]), wanted)
    assert len(chosen) == len(set(chosen)) == min(wanted, len(rows))


def test_a_hairline_of_the_mask_survives_shrinking() -> None:
    frame = Image.new("L", (1600, 1200), 90)
    bits = np.zeros((1200, 1600), np.uint8)
    bits[601, 200:1400] = 32 | 2
    painted = np.asarray(paint(frame, Image.fromarray(bits), None, 320))
    assert painted.shape == (240, 320, 3)
    coloured = (np.ptp(painted, axis=2) > 40).any(axis=0)
    assert coloured[41:279].all()
    assert not coloured[:38].any()


@pytest.mark.parametrize(("bit", "strongest"), [(32, 0), (16, 2), (128, 1), (64, 0)])
def test_each_bit_has_its_own_colour(bit: int, strongest: int) -> None:
    bits = np.full((20, 20), bit, np.uint8)
    painted = np.asarray(paint(Image.new("L", (20, 20)), Image.fromarray(bits), None, 20))
    assert painted[10, 10].argmax() == strongest


def test_shrink_keeps_grey_grey_and_never_enlarges() -> None:
    assert shrink(Image.new("L", (4000, 10)), 400).size == (400, 1)
    assert shrink(Image.new("L", (40, 30)), 400).size == (40, 30)
    assert shrink(Image.new("RGBA", (40, 30)), 400).mode == "RGB"


def test_gallery_of_none_shows_no_source_picture() -> None:
    assert "before cleaning" not in render(run_of(3), gallery=0)
    assert render(run_of(3), gallery=2).count("before cleaning") == 2
