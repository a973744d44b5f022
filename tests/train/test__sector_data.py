from __future__ import annotations

import numpy as np
import pytest

from ultracurate.imaging._field_input import GRID
from ultracurate.phantom.styles import invented_tissue, random_screen
from ultracurate.train._sector_data import Marked, crops, sample


@pytest.fixture(scope="module")
def marked() -> list[Marked]:
    screens = [random_screen(seed, size=(240, 320)) for seed in (2, 3, 5, 8)]
    return [Marked(screen.image, screen.fields) for screen in screens]


@pytest.fixture(scope="module")
def tissues() -> list[np.ndarray]:
    return [invented_tissue(np.random.default_rng(seed)) for seed in range(3)]


def test_pairs_are_the_same_for_a_seed_and_the_second_field_lies_in_the_first_target(
    marked: list[Marked], tissues: list[np.ndarray]
) -> None:
    second = 0
    for seed in range(40):
        maps, targets = sample(seed, marked, tissues)
        assert maps.shape == (3, GRID, GRID)
        assert targets.shape == (2, GRID, GRID)
        assert maps.dtype == targets.dtype == np.uint8
        assert targets[0].any()
        assert (targets[1] <= targets[0]).all()
        second += bool(targets[1].any())
        if seed < 5:
            again = sample(seed, marked, tissues)
            assert np.array_equal(maps, again[0])
            assert np.array_equal(targets, again[1])
    assert 0 < second < 20


def test_the_target_covers_what_is_textured(marked: list[Marked], tissues: list[np.ndarray]) -> None:
    inside, outside = [], []
    for seed in range(40):
        maps, targets = sample(seed, marked, tissues)
        if (targets[0] == 0).any() and (targets[0] == 255).any():
            inside.append(maps[2][targets[0] == 255].mean())
            outside.append(maps[2][targets[0] == 0].mean())
    assert np.median(inside) > 4 * np.median(outside)


def test_textures_are_cut_from_upright_fields_only() -> None:
    image = np.random.default_rng(0).integers(0, 255, (200, 300)).astype(np.uint8)
    upright, slanted = np.zeros((200, 300), np.bool_), np.tri(200, 300, dtype=np.bool_)
    upright[20:180, 40:260] = True
    (only,) = crops([Marked(image, [upright]), Marked(image, [slanted])])
    assert np.array_equal(only, image[22:178, 42:258])
