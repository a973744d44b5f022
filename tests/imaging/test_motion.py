from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.imaging.cardiac import cycles, from_r_waves
from ultracurate.imaging.motion import SIDE, choose, describe, moving, spread, thumbnail
from ultracurate.phantom.frame import make_clip

RNG = np.random.default_rng(0)


def thumbnails(clip: np.ndarray) -> np.ndarray:
    return np.stack([thumbnail(frame) for frame in clip])


def test_the_furniture_of_a_screen_does_not_count_as_moving() -> None:
    thumbs = np.zeros((10, SIDE, SIDE), np.float32)
    thumbs[:, :4] = 200
    thumbs[:, 20:24, 20:24] = RNG.uniform(0, 255, (10, 4, 4))
    area = moving(thumbs)
    assert area[20:24, 20:24].all()
    assert area.sum() == 16


def test_gain_alone_is_no_news() -> None:
    base = RNG.uniform(0, 120, (SIDE, SIDE)).astype(np.float32)
    brighter = np.stack([base * (1 + n / 10) for n in range(10)])
    assert choose(list(brighter), 10, gain=0.02) == [0]


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 40), st.integers(1, 12), st.integers(0, 1000))
def test_each_frame_left_out_is_near_one_taken(count: int, at_most: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    taken = spread(vectors, at_most, gain=0.1)
    assert taken == sorted(set(taken))
    assert 0 in taken
    assert len(taken) <= at_most
    if len(taken) < at_most:
        nearest = (1 - vectors @ vectors[taken].T).min(axis=1) / 2
        assert nearest.max() < 0.1 + 1e-5


def test_a_sweep_gives_frames_over_all_of_it() -> None:
    wide = np.asarray(RNG.uniform(0, 255, (SIDE, 4 * SIDE)), np.float32)
    sweep = [wide[:, n : n + SIDE] for n in range(0, 3 * SIDE, 2)]
    taken = choose(sweep, 6, gain=0.02)
    assert len(taken) == 6
    assert max(np.diff([*taken, len(sweep)])) <= len(sweep) // 2


@pytest.mark.parametrize(("beats", "frames", "fps"), [(3.0, 72, 25.0), (4.0, 80, 30.0)])
def test_the_cycles_of_a_beating_heart_are_found(beats: float, frames: int, fps: float) -> None:
    clip = make_clip("heart_a4c", "phased", "plain", 3, (240, 320), frames, cycles=beats)
    found = cycles(thumbnails(clip), fps)
    assert found is not None
    assert found.period_s == pytest.approx(frames / fps / beats, rel=0.15)
    assert len(found.spans) >= beats - 2
    assert all(last + 1 == first for (_, last), (first, _) in zip(found.spans, found.spans[1:], strict=False))


def test_noise_and_stillness_have_no_cycles() -> None:
    still = np.repeat(RNG.uniform(0, 255, (1, SIDE, SIDE)), 60, axis=0).astype(np.float32)
    noise = RNG.uniform(0, 255, (60, SIDE, SIDE)).astype(np.float32)
    assert cycles(still, 25.0) is None
    assert cycles(noise, 25.0) is None


def test_r_waves_of_a_header_mark_cycles() -> None:
    times = [n / 10 for n in range(40)]
    assert from_r_waves((0.5, 1.5, 2.5), times) == ((5, 14), (15, 24))
    assert from_r_waves((9.0, 10.0), times) == ()


def test_a_flat_frame_is_as_far_from_all_as_the_middle_of_the_range() -> None:
    thumbs = RNG.uniform(0, 255, (3, SIDE, SIDE)).astype(np.float32)
    thumbs[1] = 7
    vectors = describe(thumbs, np.ones((SIDE, SIDE), np.bool_))
    assert np.allclose(vectors[1], 0)
