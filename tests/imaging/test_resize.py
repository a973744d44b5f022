from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.imaging.resize import letterbox

SIDE = st.integers(1, 90)


@settings(deadline=None)
@given(SIDE, SIDE, st.integers(16, 64), st.booleans(), st.booleans())
def test_the_picture_fills_one_side_and_keeps_its_shape(
    height: int, width: int, size: int, colour: bool, smooth: bool
) -> None:
    image = np.full((height, width, 3) if colour else (height, width), 200, np.uint8)
    square, move = letterbox(image, size, smooth=smooth)
    assert square.shape == ((size, size, 3) if colour else (size, size))
    assert square.dtype == np.uint8
    x0, y0 = move["dx"], move["dy"]
    x1, y1 = width * move["scale_x"] + x0, height * move["scale_y"] + y0
    assert max(x1 - x0, y1 - y0) == pytest.approx(size)
    # Both sides shrink alike, to whole pixels and to one at least.
    assert move["scale_x"] * width == pytest.approx(max(1, width * size / max(height, width)), abs=0.5)
    assert move["scale_y"] * height == pytest.approx(max(1, height * size / max(height, width)), abs=0.5)
    inside = np.zeros((size, size), bool)
    inside[round(y0) : round(y1), round(x0) : round(x1)] = True
    filled = square.any(axis=2) if colour else square > 0
    assert np.array_equal(filled, inside), "the transform says where the picture lies, black is all around"


@settings(deadline=None)
@given(SIDE, SIDE, st.integers(16, 64))
def test_masks_get_no_value_in_between(height: int, width: int, size: int) -> None:
    mask = np.random.default_rng(height * 100 + width).choice(np.array([0, 255], np.uint8), (height, width))
    square, _ = letterbox(mask, size, smooth=False)
    assert set(np.unique(square)) <= {0, 255}


@pytest.mark.parametrize("smooth", [True, False])
def test_a_square_of_the_right_size_is_left_alone(smooth: bool) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    square, move = letterbox(image, 48, smooth=smooth)
    assert np.array_equal(square, image)
    assert move == {"scale_x": 1.0, "scale_y": 1.0, "dx": 0.0, "dy": 0.0}


def test_a_bright_spot_lands_where_the_transform_says() -> None:
    image = np.zeros((120, 200), np.uint8)
    image[60:68, 150:158] = 255
    square, move = letterbox(image, 64, smooth=True)
    ys, xs = np.nonzero(square > 100)
    assert xs.mean() + 0.5 == pytest.approx(154 * move["scale_x"] + move["dx"], abs=0.6)
    assert ys.mean() + 0.5 == pytest.approx(64 * move["scale_y"] + move["dy"], abs=0.6)


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 200
    square, _ = letterbox(stripes, 16, smooth=True)
    assert np.all(square == 100)


def test_a_picture_thinner_than_a_pixel_keeps_one_line() -> None:
    square, _ = letterbox(np.full((1, 1000), 90, np.uint8), 16, smooth=True)
    assert np.count_nonzero(square.any(axis=1)) == 1
