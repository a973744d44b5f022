from __future__ import annotations

import numpy as np

from ultracurate.phantom.faults import spoil

BEAMS = np.random.default_rng(0).integers(40, 200, (120, 90)).astype(np.uint8)


def many(hard: bool) -> list[np.ndarray]:
    return [spoil(BEAMS, np.random.default_rng(seed), hard) for seed in range(300)]


def test_faults_are_the_same_for_a_seed_and_never_leave_a_picture_without_any_trace() -> None:
    for first, again in zip(many(False)[:30], many(False)[:30], strict=True):
        assert np.array_equal(first, again)
        assert first.shape == BEAMS.shape
        assert first.dtype == np.uint8
        assert (first > 0).mean() > 0.2


def test_hard_faults_add_black_feet_and_fields_of_one_grey() -> None:
    def black_foot(beams: np.ndarray) -> bool:
        return bool((beams[-12:] == 0).mean() > 0.95 and (beams[:30] > 8).mean() > 0.5)

    def one_grey(beams: np.ndarray) -> bool:
        return bool(beams[40:].std() < 12 and beams[40:].mean() > 20)

    assert sum(map(black_foot, many(True))) > sum(map(black_foot, many(False)))
    assert any(map(one_grey, many(True)))
    assert not any(map(one_grey, many(False)))
