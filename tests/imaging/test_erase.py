"""What is painted, what becomes black, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.imaging.erase import erase, inpaint, wide


def scene(seed: int, colour: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 120, (60, 80, 3) if colour else (60, 80), np.uint8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), colour=st.booleans())
def test_nothing_but_the_mask_and_the_outside_changes(seed: int, colour: bool) -> None:
    rng = np.random.default_rng(seed)
    image = scene(seed, colour)
    mask = rng.random((60, 80)) < 0.05
    mask[10 : 10 + seed % 30, 20:50] = True
    spare = rng.random((60, 80)) < 0.5
    outside = np.zeros((60, 80), bool)
    outside[:, : seed % 20] = True
    for grow in (0, 1):
        done = erase(image, mask, outside, spare=spare, grow=grow)
        touched = done.invented | done.zeroed
        assert np.array_equal(done.image[~touched & ~outside], image[~touched & ~outside])
        assert (touched | outside)[mask].all()
        assert not (touched & (outside | (spare & ~mask))).any()
        assert grow or np.array_equal(touched, mask & ~outside)
        assert not (done.invented & done.zeroed).any()
        assert not done.image[outside | done.zeroed].any()


def test_a_thin_line_is_painted_and_a_wide_box_is_black() -> None:
    image = scene(1)
    mask = np.zeros(image.shape, bool)
    mask[5:8, 5:75] = True
    mask[30:45, 20:60] = True
    image[mask] = 255
    done = erase(image, mask)
    assert done.invented[5:8, 5:75].all()
    assert done.zeroed[30:45, 20:60].all()
    assert done.image[6, 10:70].min() >= 60
    assert done.image[6, 10:70].max() <= 120


def test_a_line_that_touches_a_box_is_still_painted() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:40, 10:30] = True
    mask[29:31, 30:70] = True
    assert wide(mask)[20:40, 10:30].all()
    assert not wide(mask)[:, 34:].any()


def test_neither_the_black_hole_nor_the_screen_around_bleeds_into_what_is_painted() -> None:
    image = np.full((60, 80), 100, np.uint8)
    outside = np.zeros(image.shape, bool)
    outside[:, 60:] = True
    image[outside] = 255  # bright text beside the field
    mask = np.zeros(image.shape, bool)
    mask[20:40, 10:30] = True
    mask[10:50, 57:60] = True  # a ruler along the edge
    mask[29:31, 30:50] = True
    image[mask] = 255
    done = erase(image, mask, outside)
    assert np.abs(done.image[done.invented].astype(int) - 100).max() <= 12


def test_no_part_is_wide_when_told_so() -> None:
    mask = np.ones((60, 80), bool)
    mask[0] = False
    assert erase(scene(2), mask, widest=None).invented[1:].all()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a mask"):
        inpaint(scene(3), np.zeros((5, 5), bool))
