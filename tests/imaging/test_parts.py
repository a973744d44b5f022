"""The second look: every part is described by finite numbers; the shipped weights tell marks from echoes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.imaging import overlay_net
from ultracurate.imaging._by_net import PIXEL
from ultracurate.imaging._parts import FEATURES, parts, scores
from ultracurate.phantom.burned import burned_screen
from ultracurate.phantom.burned.fonts import missing


@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 90), st.booleans())
def test_every_part_is_described_by_finite_numbers(seed: int, tall: int, wide: int, colour: bool) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (tall, wide, 3) if colour else (tall, wide)).astype(np.uint8)
    inside = rng.random((tall, wide)) < 0.9
    probable = rng.random((tall, wide), dtype=np.float32)
    found = (probable > 0.8) & inside
    looked = parts(image, inside, found, probable, rng.random((tall, wide), dtype=np.float32), 1.0, 0.5)
    assert looked.rows.shape == (looked.labels.max(initial=0), FEATURES)
    assert np.isfinite(looked.rows).all()
    assert ((looked.labels > 0) == found).all()
    likely = scores(looked.rows)
    assert likely.shape == (len(looked.rows),)
    assert ((likely >= 0) & (likely <= 1)).all()


@pytest.mark.skipif(bool(missing()), reason="make fonts installs what this needs")
def test_the_second_look_keeps_marks_rather_than_tissue() -> None:
    marks, tissue = [], []
    for seed in range(810_000, 810_012):
        burned = burned_screen(seed, held=True)
        field = np.logical_or.reduce(burned.fields)
        probable = overlay_net.probability(burned.image)
        nothing = np.zeros(field.shape, np.float32)
        looked = parts(burned.image, field, (probable > PIXEL) & field, probable, nothing, 1.0, 0.9)
        likely = scores(looked.rows)
        near = np.bincount(looked.labels[burned.mask], minlength=len(likely) + 1)[1:] > 0
        marks += likely[near].tolist()
        tissue += likely[~near].tolist()
    assert len(marks) > 50
    assert np.median(marks) > 0.8 > 0.5 > np.median(tissue)
