from __future__ import annotations

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.negatives import HELD_OUT, NEGATIVES, make_negative
from ultracurate.phantom.photographs import HALVES, photograph

SIZE = (160, 210)
EVERY = [(kind, variant) for kind, variants in NEGATIVES.items() for variant in variants]


@pytest.mark.parametrize(("kind", "variant"), EVERY)
def test_every_variant_is_a_picture_and_the_same_each_time(kind: str, variant: str) -> None:
    seen = set()
    for seed in range(2):
        image, told = make_negative(kind, seed, SIZE, variant)
        assert told == variant
        assert image.dtype == np.uint8
        assert image.ndim == 2 or (image.shape[2] == 3 and not (image == image[..., :1]).all())
        assert min(image.shape[:2]) >= 12
        assert image.std() > 2
        assert np.array_equal(image, make_negative(kind, seed, SIZE, variant)[0])
        seen.add(image.tobytes())
    assert len(seen) == 2


def test_without_a_name_the_variant_is_drawn() -> None:
    drawn = {make_negative("noise", seed, (64, 64))[1] for seed in range(40)}
    assert drawn == set(NEGATIVES["noise"])


def test_one_variant_of_each_kind_is_held_out_and_others_remain() -> None:
    assert set(HELD_OUT) == set(NEGATIVES)
    for kind, variant in HELD_OUT.items():
        assert variant in NEGATIVES[kind]
        assert len(NEGATIVES[kind]) > 1


def test_the_two_halves_of_the_photographs_share_none() -> None:
    assert not set(HALVES[0]) & set(HALVES[1])
    assert min(len(half) for half in HALVES) >= 8
    rng = np.random.default_rng(3)
    assert photograph((64, 80), rng, 0).shape[:2] == photograph((64, 80), rng, 1).shape[:2] == (64, 80)


def test_pages_are_light_or_dark_and_scans_stand_on_black() -> None:
    for seed in range(4):
        page, _ = make_negative("document", seed, SIZE, "letter")
        assert (page > 180).mean() > 0.5 or (page < 70).mean() > 0.5
        scan, _ = make_negative("mr", seed, SIZE, "axial")
        assert np.median(scan[:6]) < 60


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="chart"):
        make_negative("sonogram", 0)
    with pytest.raises(ConfigError, match="head"):
        make_negative("ct", 0, SIZE, "foot")
