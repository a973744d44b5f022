"""The net that looks for cleaned places, where torch is installed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")


def pairs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Speckle, every second one with a smooth spot in its middle."""
    rng = np.random.default_rng(seed)
    found = rng.integers(60, 140, (count, 32, 32, 3), np.uint8)
    answers = np.arange(count) % 2 == 0
    for n in np.flatnonzero(answers):
        found[n, 10:22, 10:22] = cv2.blur(found[n], (9, 9))[10:22, 10:22]
    return found, answers


@pytest.mark.timeout(600)
def test_it_learns_to_see_a_smooth_spot_and_the_same_again() -> None:
    from ultracurate.train.cleaned import judge, learn

    seen, answers = pairs(320, 1)
    unseen, truth = pairs(60, 2)
    scores = judge(learn(seen, answers), unseen)
    assert scores.shape == (60,)
    assert scores[truth].min() > scores[~truth].max()
    few = judge(learn(seen[:64], answers[:64], seed=3), unseen)
    assert (few == judge(learn(seen[:64], answers[:64], seed=3), unseen)).all()
