"""What never changes is a vote only where its surroundings do."""

from __future__ import annotations

import numpy as np

from ultracurate.imaging.constancy import LEAST_FRAMES, MOST_FRAMES, constant, spaced

MARK = np.s_[20:24, 30:50]


def frames(count: int, moving: bool = True) -> list[np.ndarray]:
    found = []
    for number in range(count):
        image = np.random.default_rng(number if moving else 0).integers(10, 120, (64, 80), np.uint8)
        image[MARK] = 200
        found.append(image)
    return found


def test_a_mark_on_changing_tissue_is_constant_and_tissue_is_not() -> None:
    mask = constant(frames(8))
    assert mask is not None
    assert mask[MARK].all()
    mask[MARK] = False
    assert mask.mean() < 0.002


def test_a_frozen_clip_votes_for_nothing() -> None:
    mask = constant(frames(8, moving=False))
    assert mask is not None
    assert not mask.any()


def test_too_few_frames_say_nothing() -> None:
    assert constant(frames(LEAST_FRAMES - 1)) is None
    assert constant(frames(LEAST_FRAMES)) is not None


def test_a_mark_that_some_frames_lack_still_counts_and_one_of_half_the_frames_does_not() -> None:
    most, half = frames(10), frames(10)
    for number in range(5):
        half[number][MARK] = 60
    for number in range(3):
        most[number][MARK] = 60
    kept, lost = constant(most), constant(half)
    assert kept is not None
    assert lost is not None
    assert kept[MARK].all()
    assert not lost[MARK].any()


def test_black_ground_that_never_changes_is_no_mark() -> None:
    stack = frames(8)
    for image in stack:
        image[:, 60:] = 0
    mask = constant(stack)
    assert mask is not None
    assert not mask[:, 60:].any()


def test_spaced_numbers_are_few_even_and_hold_both_ends() -> None:
    assert spaced(5) == [0, 1, 2, 3, 4]
    numbers = spaced(1000)
    assert (numbers[0], numbers[-1], len(numbers)) == (0, 999, MOST_FRAMES)
    assert max(np.diff(numbers)) - min(np.diff(numbers)) <= 1
