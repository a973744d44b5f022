from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.stages._sampling import FramesConfig, chosen, sampler

CONFIGS = st.builds(
    FramesConfig,
    mode=st.sampled_from(["fps", "every", "all"]),
    fps=st.floats(0.1, 120),
    every=st.integers(1, 50),
    slice_mm=st.floats(0, 10),
    slice_every=st.integers(1, 9),
    max_per_clip=st.integers(1, 60),
)


def numbers_of(cfg: FramesConfig, frames: int, fps: float | None, media: str = "clip", **facts: Any) -> list[int]:
    rule = sampler(cfg, media, frames, fps, **facts)
    assert rule is not None
    return chosen(rule, frames, lambda n: n / fps if fps else None)


@settings(deadline=None)
@given(st.integers(1, 2000), st.none() | st.floats(0.1, 240), CONFIGS, st.sampled_from(["clip", "volume"]))
def test_frames_exist_once_each_in_order_and_not_too_many(
    n: int, fps: float | None, cfg: FramesConfig, media: str
) -> None:
    numbers = numbers_of(cfg, n, fps, media)
    assert numbers == sorted(set(numbers))
    assert 1 <= len(numbers) <= cfg.max_per_clip
    assert numbers[0] == 0
    assert numbers[-1] < n


@settings(deadline=None)
@given(st.integers(1, 2000), st.floats(1, 240), st.floats(0.5, 60))
def test_frames_stand_as_far_apart_as_the_rate_says(n: int, fps: float, wanted: float) -> None:
    step = max(fps / wanted, 1.0)
    numbers = numbers_of(FramesConfig(fps=wanted, max_per_clip=10_000), n, fps)
    assert all(abs(number - k * step) <= 0.5 + 1e-6 for k, number in enumerate(numbers))
    assert n - numbers[-1] <= step + 1, "the end of the clip is covered"


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=300), st.floats(0.5, 30))
def test_at_varying_rates_no_two_frames_are_nearer_than_half_a_step(gaps: list[float], wanted: float) -> None:
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    fps = len(times) / (times[-1] + gaps[-1])
    rule = sampler(FramesConfig(fps=wanted, max_per_clip=10_000), "clip", len(times), fps)
    assert rule is not None
    numbers = chosen(rule, len(times), lambda n: times[n])
    step = rule.step
    apart = [times[b] - times[a] for a, b in itertools.pairwise(numbers)]
    assert all(gap >= step / 2 - rule.slack - 1e-9 for gap in apart)
    passed = [n for n in range(len(times)) if n not in numbers]
    assert all(any(abs(times[n] - times[m]) <= step + rule.slack for m in numbers) for n in passed), "no hole"


def test_three_a_second_of_a_25_fps_clip() -> None:
    assert numbers_of(FramesConfig(), 50, 25.0) == [0, 8, 17, 25, 33, 42]


@pytest.mark.parametrize("fps", [0.5, 2.0, 3.0])
def test_a_clip_slower_than_wanted_is_taken_whole(fps: float) -> None:
    assert numbers_of(FramesConfig(fps=3.0), 7, fps) == list(range(7))


def test_a_clip_of_unknown_rate_gives_every_tenth_frame() -> None:
    assert numbers_of(FramesConfig(), 25, None) == [0, 10, 20]
    assert numbers_of(FramesConfig(mode="every", every=7), 25, 25.0) == [0, 7, 14, 21]
    assert numbers_of(FramesConfig(mode="all"), 4, None) == [0, 1, 2, 3]


def test_the_cap_thins_evenly_instead_of_cutting_the_end_off() -> None:
    assert numbers_of(FramesConfig(mode="all", max_per_clip=10), 1000, None) == list(range(0, 1000, 100))
    timed = numbers_of(FramesConfig(max_per_clip=20), 1000, 30.0)
    assert len(timed) == 20
    assert timed[-1] >= 940


def test_slices_follow_millimetres_where_they_are_known() -> None:
    cfg = FramesConfig(slice_mm=1.0, slice_every=3)
    assert numbers_of(cfg, 21, None, "volume", spacing_z=0.25) == list(range(0, 21, 4))
    assert numbers_of(cfg, 4, None, "volume", spacing_z=2.0) == [0, 1, 2, 3]
    assert numbers_of(cfg, 10, None, "volume") == [0, 3, 6, 9]


def test_pictures_that_have_nothing_to_do_with_each_other_are_all_kept() -> None:
    assert numbers_of(FramesConfig(max_per_clip=5), 12, None, "stack") == list(range(12))


def test_until_the_pictures_begin_every_frame_is_wanted_and_the_grid_starts_there() -> None:
    rule = sampler(FramesConfig(), "clip", 100, 30.0)
    assert rule is not None
    assert all(rule.wanted(n, n / 30) for n in range(7))
    rule.begin(6, 6 / 30)
    assert [n for n in range(7, 40) if rule.wanted(n, n / 30)] == [16, 26, 36]
