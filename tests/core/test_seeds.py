from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.core.seeds import rng_for, seed_for

names = st.text("abc.-", max_size=4)


def test_the_seed_never_changes_between_releases() -> None:
    assert seed_for(0, "split", "abc") == 951515107008248081
    assert rng_for(0, "split", "abc").integers(0, 1000, 4).tolist() == [906, 334, 517, 10]


@given(st.integers(0, 99), names, names, st.integers(0, 99), names, names)
def test_another_seed_stage_or_sample_draws_differently(
    a: int, stage_a: str, id_a: str, b: int, stage_b: str, id_b: str
) -> None:
    same = (a, stage_a, id_a) == (b, stage_b, id_b)
    assert (seed_for(a, stage_a, id_a) == seed_for(b, stage_b, id_b)) == same


def test_draws_of_neighbouring_ids_are_not_alike() -> None:
    draws = np.array([rng_for(0, "s", str(n)).random() for n in range(2000)])
    assert 0.47 < draws.mean() < 0.53
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.1
