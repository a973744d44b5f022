"""Panels and bars are taken whole; speckle, smooth tissue and shadows are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.imaging._panels import completed

ALL = np.ones((300, 400), np.bool_)
NONE = np.zeros((300, 400), np.bool_)


def tissue(seed: int = 0) -> np.ndarray:
    grain = np.random.default_rng(seed).normal(0, 1, ALL.shape).astype(np.float32)
    return np.clip(110 + 30 * cv2.GaussianBlur(grain, (0, 0), 1.2) * 3, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("steps", [1, 16])
def test_a_bar_is_found_without_any_help(turned: bool, steps: int) -> None:
    image = tissue()
    levels = (np.linspace(255, 0, 120) // steps * steps).astype(np.uint8)
    image[40:160, 50:62] = levels[:, None]
    bar = NONE.copy()
    bar[40:142, 50:62] = True  # its dark end may be shadow
    if turned:
        image, bar = np.ascontiguousarray(image.T), bar.T
    found = completed(image, np.ones(image.shape, np.bool_), np.zeros(image.shape, np.bool_), 0.6)
    assert (found & bar).sum() > 0.9 * bar.sum()
    assert (found & ~bar).sum() < 0.25 * bar.sum()


def test_a_panel_is_taken_with_its_letters_only() -> None:
    image = tissue()
    image[100:150, 100:220] = (40 * np.ones(1)).astype(np.uint8)
    cv2.putText(image, "D 12.4", (110, 135), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 230, 2)
    panel = NONE.copy()
    panel[100:150, 100:220] = True
    letters = panel & (image > 150)
    found = completed(image, ALL, letters, 1.0)
    assert (found & panel).sum() > 0.95 * panel.sum()
    assert not (found & ~(cv2.dilate(panel.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).any()
    assert not completed(image, ALL, NONE, 1.0).any()


def test_of_painted_areas_those_count_of_which_enough_was_found() -> None:
    image = tissue()
    image[50:80, 60:160] = 190
    rim = NONE.copy()
    rim[50:80, 60:100] = True
    found = completed(image, ALL, rim, 1.0)
    assert found[52:78, 62:158].all()
    assert not completed(image, ALL, NONE, 1.0).any()


def test_tissue_gives_nothing_with_or_without_strokes_on_it() -> None:
    rng = np.random.default_rng(3)
    strokes = rng.random(ALL.shape) < 0.02
    for image in (tissue(1), cv2.GaussianBlur(tissue(2), (0, 0), 9), np.zeros(ALL.shape, np.uint8)):
        assert not completed(np.asarray(image, np.uint8), ALL, strokes, 1.0).any()


def test_nothing_is_added_outside_the_field() -> None:
    image = tissue()
    image[40:160, 50:62] = np.linspace(255, 25, 120).astype(np.uint8)[:, None]
    inside = ALL.copy()
    inside[:100] = False
    found = completed(image, inside, NONE, 0.6)
    assert found.any()
    assert not (found & ~inside).any()
