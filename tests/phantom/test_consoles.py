from __future__ import annotations

import numpy as np
import pytest

from ultracurate.phantom.canvas import Canvas
from ultracurate.phantom.consoles import CROWDED, small_copies, sweep, tables, wide_bands
from ultracurate.phantom.fields import Field
from ultracurate.phantom.furniture import HELD, SEEN, Piece, Scene, Theme

AREA = (100, 30, 260, 150)
SIZE = (240, 360)


def scene(seed: int) -> Scene:
    image = np.zeros((*SIZE, 3), np.uint8)
    field = Field("linear", AREA)
    image[AREA[1] : AREA[3], AREA[0] : AREA[2]] = np.random.default_rng(1).integers(20, 220, (120, 160, 1))
    theme = Theme((0, 0, 0), (80, 80, 80), (230, 230, 230), (250, 200, 0), "simplex", 9)
    return Scene(Canvas(image), np.random.default_rng(seed), theme, AREA, [field])


@pytest.mark.parametrize("piece", CROWDED)
def test_a_piece_draws_on_the_screen_and_the_same_for_its_seed(piece: Piece) -> None:
    drawn = [scene(seed) for seed in (3, 3)]
    before = drawn[0].canvas.image.copy()
    for each in drawn:
        piece(each)
    assert np.array_equal(drawn[0].canvas.image, drawn[1].canvas.image)
    assert (drawn[0].canvas.image != before).any()


@pytest.mark.parametrize("piece", [sweep, small_copies, tables])
@pytest.mark.parametrize("seed", range(6))
def test_what_looks_like_tissue_or_covers_much_stays_out_of_the_area(piece: Piece, seed: int) -> None:
    drawn = scene(seed)
    before = drawn.canvas.image.copy()
    piece(drawn)
    x0, y0, x1, y1 = AREA
    changed = (drawn.canvas.image != before).any(axis=2)
    assert changed.any()
    assert not changed[y0:y1, x0:x1].any()


def test_bands_leave_the_area_black() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    wide_bands(image, AREA, np.random.default_rng(2))
    x0, y0, x1, y1 = AREA
    assert image.any()
    assert not image[y0:y1, x0:x1].any()


def test_nothing_that_is_held_for_tests_is_drawn_in_training() -> None:
    assert not {*HELD} & {*CROWDED, *SEEN}
