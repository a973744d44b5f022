"""Tints are no marks, flow survives, and drawn colours stand out from both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.imaging.cleaning import CleanSettings, Evidence, clean
from ultracurate.imaging.flow import find_flow
from ultracurate.imaging.modality import triage
from ultracurate.imaging.sector import Sector
from ultracurate.imaging.tint import COLOURED, curve, residual
from ultracurate.phantom.burned import burned_screen
from ultracurate.phantom.burned.fonts import DRAWN, SEEN_FONTS
from ultracurate.phantom.modalities import make_modality

FONTS = tuple(set(DRAWN) & set(SEEN_FONTS))
ALL = Sector([], 1.0, "full")
YELLOW = (240, 230, 30)


def tissue(seed: int = 0, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    grey = cv2.GaussianBlur(np.random.default_rng(seed).random(size, dtype=np.float32), (0, 0), 2)
    level = (grey - grey.min()) / np.ptp(grey) * 180
    return np.repeat(level[..., None], 3, axis=2).astype(np.uint8)


def tinted(image: np.ndarray, bends: tuple[float, float, float] = (0.7, 1.1, 2.0)) -> np.ndarray:
    level = image.astype(np.float64) / 255
    return np.round(255 * np.stack([level[..., c] ** bends[c] for c in range(3)], axis=2)).astype(np.uint8)


def with_flow(image: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A vessel in red to yellow and blue to cyan, in blocks, with specks: the picture and the flow's pixels."""
    rng = np.random.default_rng(seed)
    speed = cv2.resize(rng.uniform(-1, 1, (20, 26)).astype(np.float32), (320, 240), interpolation=cv2.INTER_CUBIC)
    inside = np.zeros((240, 320), np.uint8)
    cv2.ellipse(inside, (160, 120), (70, 26), 20, 0, 360, 1, -1)
    inside |= (rng.random((240, 320)) < 0.002).astype(np.uint8)
    fast = np.clip(np.abs(speed) + 0.3, 0, 1)
    near = np.stack([255 * fast, 220 * fast**2, 0 * fast], axis=2)
    away = np.stack([0 * fast, 200 * fast**2, 255 * fast], axis=2)
    colours = np.where(speed[..., None] > 0, near, away).astype(np.uint8)
    flow = inside > 0
    return np.where(flow[..., None], colours, image), flow


def test_a_grey_picture_has_no_colour_anywhere() -> None:
    assert not residual(tissue(), np.ones((240, 320), bool)).any()


@pytest.mark.parametrize("bends", [(0.7, 1.1, 2.0), (1.4, 1.0, 0.7), (0.6, 1.25, 3.0)])
def test_a_tint_is_no_colour_but_drawn_text_on_it_is(bends: tuple[float, float, float]) -> None:
    image = tinted(tissue(), bends)
    plain = residual(image, np.ones((240, 320), bool))
    assert float((plain > COLOURED).mean()) < 0.002
    marked = image.copy()
    cv2.putText(marked, "ABC", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (30, 240, 60), 2)
    drawn = np.abs(marked.astype(int) - image).max(axis=2) > 120
    found = residual(marked, np.ones((240, 320), bool))
    assert float((found[drawn] > COLOURED).mean()) > 0.95


def test_a_dual_view_of_which_one_half_is_tinted_has_no_colour() -> None:
    image = tissue()
    image[:, :160] = tinted(image[:, :160])
    assert float((residual(image, np.ones((240, 320), bool)) > COLOURED).mean()) < 0.002


def test_the_tint_is_not_learned_from_flow() -> None:
    image, _ = with_flow(tissue(), 4)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    assert curve(np.asarray(lab.reshape(-1, 3), np.uint8)) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flow_is_signal_and_text_on_the_same_picture_is_not(seed: int) -> None:
    image, flow = with_flow(tissue(seed), seed)
    before = image.copy()
    cv2.putText(image, "RT LOBE", (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, YELLOW, 2)
    text = (image != before).any(axis=2)
    inside = np.ones((240, 320), bool)
    found = find_flow(image, residual(image, inside), inside)
    vessel = cv2.morphologyEx(flow.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    assert float(found.sure[vessel].mean()) > 0.95
    assert not found.sure[text].any()


@pytest.mark.parametrize("corner", [(8, 4), (290, 4), (8, 110)])
def test_a_colour_bar_beside_flow_is_a_mark_wherever_it_stands(corner: tuple[int, int]) -> None:
    image, _ = with_flow(tissue(1), 1)
    x, y = corner
    down = np.linspace(-1, 1, 100)[:, None]
    bar = np.stack([60 - 195 * np.minimum(down, 0), np.full_like(down, 40), 60 + 195 * np.maximum(down, 0)], axis=2)
    image[y : y + 100, x : x + 14] = bar.repeat(14, axis=1).astype(np.uint8)
    inside = np.ones((240, 320), bool)
    found = find_flow(image, residual(image, inside), inside, expected=True)
    assert not (found.sure | found.maybe)[y : y + 100, x : x + 14].any()


def test_thin_vessels_count_where_flow_is_expected() -> None:
    image = tissue(7)
    for x in range(20, 300):  # a bent vessel of three pixels, from dark red to yellow
        y = round(120 + 40 * np.sin(x / 40))
        image[y - 1 : y + 2, x] = (100 + x // 2, max(0, x - 100), 0)
    vessel = np.ptp(image, axis=2) > 90
    inside = np.ones((240, 320), bool)
    away = residual(image, inside)
    assert find_flow(image, away, inside, expected=True).sure[vessel].mean() > 0.8
    assert Evidence("colour_doppler", 0.8).shows_map
    assert not Evidence("colour_doppler", 0.3).shows_map


def _specks(image: np.ndarray, colour: tuple[int, int, int], seed: int) -> np.ndarray:
    """Dots of three pixels in one colour: where they are."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros(image.shape[:2], bool)
    for y, x in zip(rng.integers(60, 200, 12), rng.integers(60, 290, 12), strict=True):
        drawn[y : y + 3, x : x + 3] = True
    image[drawn] = colour
    return drawn


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dark_specks_are_flow_beside_flow_and_ink_where_there_is_none(seed: int) -> None:
    inside = np.ones((240, 320), bool)
    image, flow = with_flow(tissue(seed), seed)
    specks = _specks(image, (90, 12, 8), seed) & ~flow
    found = find_flow(image, residual(image, inside), inside, expected=True)
    assert (found.sure | found.maybe)[specks].mean() > 0.9
    plain = tissue(seed)
    specks = _specks(plain, (240, 225, 40), seed)
    alone = find_flow(plain, residual(plain, inside), inside)
    assert not (alone.sure | alone.maybe)[specks].any()


def test_ragged_flow_of_one_hue_is_signal_and_a_filled_triangle_is_not() -> None:
    inside = np.ones((240, 320), bool)
    rng = np.random.default_rng(2)
    image = tissue(3)
    field = cv2.GaussianBlur(rng.standard_normal((60, 80)).astype(np.float32), (0, 0), 2.5)
    patch = cv2.resize((field > 0.08).astype(np.uint8), (320, 240), interpolation=cv2.INTER_NEAREST) > 0
    patch[:, :140] = False
    image[patch] = (135, 16, 14)
    triangle = np.zeros((240, 320), np.uint8)
    cv2.fillConvexPoly(triangle, np.array([[30, 150], [62, 150], [46, 185]], np.int32), 1)
    image[triangle > 0] = YELLOW
    found = find_flow(image, residual(image, inside), inside)
    assert found.sure[patch].mean() > 0.9
    assert not (found.sure | found.maybe)[triangle > 0].any()


def test_a_colour_bar_and_a_flat_box_are_no_flow() -> None:
    image = tissue()
    ramp = np.linspace(0, 1, 120)[:, None, None]
    image[40:160, 290:304] = np.where(ramp < 0.5, [[[30, 60, 240]]] * (1 - ramp), [[[250, 220, 20]]] * ramp)
    image[180:210, 30:110] = YELLOW
    inside = np.ones((240, 320), bool)
    found = find_flow(image, residual(image, inside), inside)
    assert not found.sure[40:160, 288:306].any()
    assert not found.sure[178:212, 28:112].any()


@pytest.mark.parametrize("method", ["classic", "default"])
def test_flow_survives_a_method_and_yellow_text_does_not(method: str) -> None:
    image, flow = with_flow(tissue(5), 5)
    before = image.copy()
    cv2.putText(image, "RT LOBE", (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, YELLOW, 2)
    text = np.abs(image.astype(int) - before).max(axis=2) > 60
    settings = CleanSettings(net=lambda _, box: text[box[1] : box[3], box[0] : box[2]].astype(np.float32))
    done = clean(image, ALL, method=method, settings=settings)
    changed = (done.image != image).any(axis=2)
    assert float(changed[flow & ~text].mean()) < 0.02
    assert float(changed[text].mean()) > 0.98


def test_a_net_that_takes_flow_for_a_mark_is_overruled_but_not_where_a_pen_crossed_it() -> None:
    image, flow = with_flow(tissue(6), 6)
    line = np.zeros(flow.shape, np.uint8)
    cv2.line(line, (90, 120), (230, 120), 1, 2)
    image[line > 0] = (255, 255, 255)
    wrong = (cv2.dilate(flow.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0).astype(np.float32)
    over = clean(image, ALL, settings=CleanSettings(net=lambda _, box: wrong[box[1] : box[3], box[0] : box[2]]))
    vessel = cv2.erode(flow.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert float((over.image != image).any(axis=2)[vessel & (line == 0)].mean()) < 0.02
    right = line.astype(np.float32)
    done = clean(image, ALL, settings=CleanSettings(net=lambda _, box: right[box[1] : box[3], box[0] : box[2]]))
    assert float((done.image != image).any(axis=2)[line > 0].mean()) > 0.98


def test_elastograms_keep_their_map() -> None:
    image, truth = make_modality("elastography", 3, size=(400, 520))
    inner = cv2.erode(truth.shown.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    done = clean(image, ALL, method="classic")
    coloured = inner & (np.ptp(image, axis=2) > 30)
    assert coloured.sum() > 2000
    assert float((done.image != image).any(axis=2)[coloured].mean()) < 0.03


@pytest.mark.slow
def test_flow_of_many_phantom_screens_survives_the_classic_method_and_ink_and_tints_do_not_pass_for_it() -> None:
    lost, tints = [], []
    kept = drawn = 0
    for seed in range(500_000, 500_120):
        screen = burned_screen(seed, held=False, fonts=FONTS)
        inside = np.logical_or.reduce(screen.fields)
        away = residual(screen.image, inside)
        near = cv2.dilate(screen.mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        flow = screen.flow & inside & ~near
        seen = triage(screen.image)
        found = find_flow(screen.image, away, inside, expected=Evidence(seen.kind, seen.confidence).shows_map)
        if flow.sum() > 200:
            lost.append(float(((away > COLOURED) & ~found.sure & ~found.maybe)[flow].mean()))
        ink = screen.mask & inside & (away > 2 * COLOURED) & ~screen.flow
        kept += int((found.sure & ink).sum())
        drawn += int(ink.sum())
        if screen.tinted:
            tints.append(float((away > COLOURED)[inside & ~near].mean()))
    assert len(lost) >= 8
    assert len(tints) >= 3
    assert drawn > 10_000
    assert float(np.mean(lost)) < 0.05
    assert kept < 0.25 * drawn
    assert float(np.mean(tints)) < 0.007
