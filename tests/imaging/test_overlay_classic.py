"""The hand-made rules: what each kind of mark looks like, and that tissue which looks like one is left alone."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from ultracurate.imaging.marks import Bit, Evidence
from ultracurate.imaging.overlay_classic import classic_marks
from ultracurate.phantom.burned import burned_screen
from ultracurate.phantom.burned.fonts import DRAWN, SEEN_FONTS

FONTS = tuple(set(DRAWN) & set(SEEN_FONTS))
SIZE = (400, 520)
EVERYWHERE = np.ones(SIZE, bool)


def tissue(seed: int) -> np.ndarray:
    """Speckle that is wider than deep, brighter and darker in patches, with two soft bright layers."""
    rng = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(rng.rayleigh(1, SIZE).astype(np.float32), (0, 0), 2.2, sigmaY=1.1)
    slow = cv2.resize(rng.random((5, 6)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    depth = np.arange(SIZE[0])[:, None] + 6 * np.sin(np.arange(SIZE[1]) / 40 + seed)[None]
    layers = sum(np.exp(-((depth - at) ** 2) / 18) for at in (110, 260))
    return np.asarray(np.clip(speckle * slow * 95 + 90 * layers, 0, 235), np.uint8)


def text(image: np.ndarray) -> None:
    cv2.putText(image, "LT BREAST 3", (140, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 245, 2)


def crosses(image: np.ndarray) -> None:
    for x, y in ((150, 150), (250, 210)):
        cv2.drawMarker(image, (x, y), 255, cv2.MARKER_CROSS, 15, 1)
        cv2.drawMarker(image, (x + 90, y), 255, cv2.MARKER_TILTED_CROSS, 15, 1)


def dots(image: np.ndarray) -> None:
    for step in range(20):
        cv2.rectangle(image, (120 + 10 * step, 160 + 3 * step), (121 + 10 * step, 161 + 3 * step), 240, -1)


def box(image: np.ndarray) -> None:
    cv2.rectangle(image, (160, 140), (340, 300), 230, 1)


@pytest.mark.parametrize("draw", [text, crosses, dots, box])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_mark_is_found_and_tissue_is_not(draw: Callable[[np.ndarray], None], seed: int) -> None:
    image = tissue(seed)
    before = image.copy()
    draw(image)
    drawn = np.abs(image.astype(int) - before) > 60
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    mask = classic_marks(image, EVERYWHERE, Evidence()).mask
    assert float(mask[drawn].mean()) > 0.8
    assert int(mask[~near].sum()) < 0.001 * mask.size


@pytest.mark.parametrize("seed", range(6))
def test_tissue_without_marks_is_left_alone(seed: int) -> None:
    assert float(classic_marks(tissue(seed), EVERYWHERE, Evidence()).mask.mean()) < 0.001


def test_text_is_told_from_drawings_and_colour_from_both() -> None:
    image = np.repeat(tissue(1)[..., None], 3, axis=2)
    cv2.putText(image, "RIGHT LOBE", (140, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (245, 245, 245), 2)
    cv2.drawMarker(image, (300, 300), (250, 230, 20), cv2.MARKER_CROSS, 17, 2)
    found = classic_marks(image, EVERYWHERE, Evidence()).branches
    assert found[Bit.TEXT][160:185, 140:280].sum() > 300
    assert found[Bit.COLOUR][292:309, 292:309].sum() > 40
    assert not found[Bit.COLOUR][150:190, 130:290].any()


def test_nothing_outside_the_field_is_found() -> None:
    image = tissue(2)
    text(image)
    inside = EVERYWHERE.copy()
    inside[:, :300] = False
    assert not classic_marks(image, inside, Evidence()).mask[:, :300].any()


def test_a_vote_makes_a_doubtful_stroke_a_mark() -> None:
    image = tissue(3)
    image[330:334, 100:106] = np.minimum(235, image[330:334, 100:106].astype(int) + 45).astype(np.uint8)
    vote = np.zeros(SIZE, bool)
    vote[329:335, 99:107] = True
    assert not classic_marks(image, EVERYWHERE, Evidence()).mask[330:334, 100:106].any()
    assert classic_marks(image, EVERYWHERE, Evidence(constant=vote)).mask[330:334, 100:106].mean() > 0.5


def test_a_field_full_of_noise_takes_no_more_than_its_share_of_time_and_finds_little() -> None:
    noise = np.random.default_rng(5).integers(0, 256, SIZE, np.uint8)
    assert float(classic_marks(noise, EVERYWHERE, Evidence()).mask.mean()) < 0.1


@pytest.mark.slow
def test_on_phantom_screens_the_rules_are_precise() -> None:
    right = wrong = field = 0
    for seed in range(600_000, 600_040):
        screen = burned_screen(seed, held=False, fonts=FONTS)
        inside = np.logical_or.reduce(screen.fields)
        near = cv2.dilate(screen.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        mask = classic_marks(screen.image, inside, Evidence()).mask
        right += int((mask & near).sum())
        wrong += int((mask & ~near).sum())
        field += int(inside.sum())
    assert right / (right + wrong) > 0.75
    assert wrong / field < 0.002
