from __future__ import annotations

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.flows import FLOWS, paint_flow, paint_stiffness, tint
from ultracurate.phantom.modalities import MODALITIES, ModalityTruth, make_modality
from ultracurate.phantom.screens import STYLES
from ultracurate.phantom.strips import SWEEPS, WAVES, m_mode, spectrum
from ultracurate.phantom.textures import Grey

SIZE = (160, 210)
KINDS = sorted(MODALITIES)


def chroma(image: Grey) -> np.ndarray:
    if image.ndim == 2:
        return np.zeros(image.shape)
    return np.asarray(image.max(axis=2).astype(int) - image.min(axis=2))


def many(kind: str, count: int, style: str | None = "plain") -> list[tuple[Grey, ModalityTruth]]:
    return [make_modality(kind, seed, SIZE, style) for seed in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_screen_is_what_it_says_and_the_same_each_time(kind: str) -> None:
    for seed, style in enumerate(sorted(STYLES)):
        image, truth = make_modality(kind, seed, SIZE, style)
        again, told = make_modality(kind, seed, SIZE, style)
        assert np.array_equal(image, again)
        assert truth.variant == told.variant
        assert np.array_equal(truth.shown, told.shown)
        assert image.dtype == np.uint8
        assert image.shape[:2] == SIZE == truth.shown.shape
        assert image.ndim == 2 or not (image == image[..., :1]).all()
        assert (truth.kind, truth.style) == (kind, style)
        assert truth.shown.any()


@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds_give_other_screens(kind: str) -> None:
    images = {image.tobytes() for image, _ in many(kind, 4, style=None)}
    assert len(images) == 4


@pytest.mark.parametrize("kind", ["colour_doppler", "elastography"])
def test_colour_lies_where_the_truth_says(kind: str) -> None:
    for image, truth in many(kind, 4):
        colour = chroma(image)
        assert np.median(colour[truth.shown]) > 40
        assert (colour[truth.shown] > 12).mean() > 0.7


def test_doppler_is_red_and_blue_or_flame_coloured() -> None:
    seen = set()
    for image, truth in many("colour_doppler", 14):
        seen.add(truth.variant)
        red, blue = image[truth.shown][:, 0].astype(int), image[truth.shown][:, 2].astype(int)
        if truth.variant == "power":
            assert (red >= blue).mean() > 0.8, "overlays cover some of it"
    assert seen == set(FLOWS)


def test_some_kinds_come_as_two_views_and_sweeps_never_do() -> None:
    for kind in KINDS:
        share = np.mean([truth.dual for _, truth in many(kind, 8)])
        assert (share == 0) if kind in ("m_mode", "spectral_doppler") else (0 < share < 1)


def test_a_sweep_repeats_along_time_and_a_spectrum_stands_on_its_baseline() -> None:
    rng = np.random.default_rng(4)
    for kind in SWEEPS:
        strip = m_mode((120, 400), kind, rng).astype(float)
        apart = strip - strip.mean()
        along, across = (apart[:, 6:] * apart[:, :-6]).mean(), (apart[6:] * apart[:-6]).mean()
        assert along > across
    for kind in WAVES:
        strip, baseline, envelope = spectrum((160, 400), kind, rng)
        rows = np.arange(160)[:, None]
        low, high = np.minimum(envelope, baseline), np.maximum(envelope, baseline)
        under = (rows > low + 3) & (rows < high - 3)
        beyond = (rows < low - 8) | (rows > high + 8)
        assert strip[under].mean() > 2 * strip[beyond].mean() + 5


def test_flow_and_maps_stay_inside_their_box() -> None:
    image = np.full((120, 160, 3), 80, np.uint8)
    area = np.zeros((120, 160), np.bool_)
    area[30:90, 40:120] = True
    rng = np.random.default_rng(0)
    for painted, mask in (*(paint_flow(image, area, kind, rng, 0.7) for kind in FLOWS),
                          paint_stiffness(image, area, "strain", rng)):  # fmt: skip
        assert np.array_equal(painted[~mask], image[~mask])
        assert mask.any()
        assert not (mask & ~area).any()
    nothing = np.zeros_like(area)
    assert not paint_flow(image, nothing, "power", rng)[1].any()


def test_a_tint_keeps_black_and_the_order_of_brightness() -> None:
    grey = np.arange(256, dtype=np.uint8)[None].repeat(4, axis=0)
    weak, strong = tint(grey, "sepia", 0.1), tint(grey, "sepia", 1.0)
    assert not strong[:, 0].any()
    assert (np.diff(strong[0].astype(int).sum(axis=1)) >= 0).all()
    assert 3 * chroma(weak).mean() < chroma(strong).mean()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="modality of b_mode"):
        make_modality("x_ray", 0)
    with pytest.raises(ConfigError, match="screen style"):
        make_modality("b_mode", 0, SIZE, "nowhere")
