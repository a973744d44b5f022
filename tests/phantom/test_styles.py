from __future__ import annotations

import numpy as np
import pytest

from ultracurate.phantom.fields import KINDS, VIRTUAL, draw_field
from ultracurate.phantom.styles import SIZES, invented_tissue, random_screen

SMALL = (240, 320)


@pytest.mark.parametrize("seed", range(12))
def test_a_screen_is_the_same_for_its_seed_and_its_fields_fit_it(seed: int) -> None:
    screen, again = random_screen(seed, size=SMALL), random_screen(seed, size=SMALL)
    assert np.array_equal(screen.image, again.image)
    assert screen.image.dtype == np.uint8
    assert screen.image.ndim in (2, 3)
    assert 1 <= len(screen.fields) <= 2
    for field in screen.fields:
        assert field.shape == screen.image.shape[:2]
        assert field.any()
    if len(screen.fields) == 2:
        assert not (screen.fields[0] & screen.fields[1]).any()
    assert (screen.kind == "full") == bool(screen.mask.all())


def test_training_draws_other_screens_than_tests() -> None:
    same = [np.array_equal(random_screen(s, True, size=SMALL).image, random_screen(s, False, size=SMALL).image)
            for s in range(6)]  # fmt: skip
    assert not any(same)


def test_every_kind_and_size_turns_up() -> None:
    kinds = {random_screen(seed, size=(120, 160)).kind for seed in range(120)}
    assert {*KINDS, "dual", "full"} <= kinds
    assert min(height for height, _ in SIZES) == 480
    assert max(height for height, _ in SIZES) == 1080


@pytest.mark.parametrize("seed", range(40))
def test_training_screens_keep_the_same_promises(seed: int) -> None:
    screen = random_screen(seed, held=False, size=SMALL)
    assert screen.mask.any()
    assert all(field.shape == screen.image.shape[:2] for field in screen.fields)
    assert min(screen.image.shape[:2]) > 40
    assert len(screen.fields) == 1 or not (screen.fields[0] & screen.fields[1]).any()


def test_only_training_draws_fields_widened_into_an_arc() -> None:
    drawn = {held: {random_screen(s, held, size=(120, 160)).kind for s in range(100)} for held in (True, False)}
    assert VIRTUAL in drawn[False]
    assert VIRTUAL not in drawn[True]


@pytest.mark.parametrize("kind", [*KINDS, VIRTUAL])
@pytest.mark.parametrize("seed", range(5))
def test_a_field_lies_in_its_area_and_nothing_is_drawn_outside_it(kind: str, seed: int) -> None:
    area = (30, 20, 290, 210)
    field = draw_field(kind, area, np.random.default_rng(seed))
    (x0, y0, x1, y1), pixels, inside = field.place(np.full((64, 64), 200, np.uint8))
    assert (x0, y0) >= (area[0], area[1])
    assert x1 <= area[2]
    assert y1 <= area[3]
    assert inside.mean() > 0.2
    assert (pixels[~inside] == 0).all()
    assert (pixels[inside] == 200).all()


def test_tissue_is_a_beam_picture_with_texture() -> None:
    beams = invented_tissue(np.random.default_rng(4))
    assert beams.dtype == np.uint8
    assert beams.ndim == 2
    assert beams.std() > 10
