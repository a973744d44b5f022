"""RF and IQ signals against everything that must stay a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.signal import hilbert

from tests.decoding.files import Array
from tests.decoding.samples import samples_folder
from ultracurate.decoding._arrays.planes import planes_of, set_aside
from ultracurate.decoding.radio import MIN_LINE, recognise


def rf_lines(
    lines: int = 48, samples: int = 1600, *, cycles: float = 0.2, bandwidth: float = 0.6, seed: int = 0
) -> Array:
    """(lines, samples): echoes of random scatterers under a pulse of `cycles` per sample, weaker with depth."""
    random = np.random.default_rng(seed)
    time = np.arange(-64, 65)
    width = 1 / (2 * np.pi * cycles * bandwidth / 2.355)
    pulse = np.cos(2 * np.pi * cycles * time) * np.exp(-(time**2) / (2 * width**2))
    echoes = random.normal(size=(lines, samples)) * np.exp(-np.arange(samples) / samples)
    return np.stack([np.convolve(line, pulse, mode="same") for line in echoes])


def b_mode(seed: int = 0) -> Array:
    """Decibels of an envelope, (samples, lines), 0 at the brightest."""
    envelope = np.abs(hilbert(rf_lines(seed=seed), axis=1)).T
    return np.asarray(20 * np.log10(np.maximum(envelope / envelope.max(), 1e-3)))


@given(
    cycles=st.floats(0.05, 0.4), bandwidth=st.floats(0.3, 0.8), seed=st.integers(0, 99),
    dtype=st.sampled_from(["<i2", ">i2", "f4", "f8"]), turned=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_rf_is_recognised(cycles: float, bandwidth: float, seed: int, dtype: str, turned: bool) -> None:
    rf = rf_lines(cycles=cycles, bandwidth=bandwidth, seed=seed)
    values = (rf / np.abs(rf).max() * 8000).astype(dtype)
    assert recognise(values.T if turned else values) == "rf_data"


def test_rf_straight_from_a_converter_swings_around_the_middle_of_its_range() -> None:
    rf = rf_lines()
    assert recognise((rf / np.abs(rf).max() * 2000 + 2048).astype(np.uint16)) == "rf_data"


def test_iq_is_recognised_complex_and_beside_each_other() -> None:
    iq = rf_lines() * np.exp(0.7j)
    assert recognise(iq) == "iq_data"
    assert recognise(np.stack([rf_lines(seed=1), rf_lines(seed=2)], axis=2)) == "iq_data"
    assert recognise(np.stack([b_mode(1), b_mode(2)], axis=2)) is None


def test_a_short_line_needs_a_name_that_says_rf() -> None:
    short = rf_lines(64, MIN_LINE - 1)
    assert recognise(short) is None
    assert recognise(short, "acq/rf_data") == "rf_data"
    assert recognise(short, "surface") is None  # "rf" inside a word says nothing


def pictures() -> dict[str, Array]:
    random = np.random.default_rng(7)
    decibels = b_mode()
    envelope = np.abs(hilbert(rf_lines(), axis=1)).T
    smooth = gaussian_filter(random.normal(size=(900, 300)), 2)
    return {
        "decibels": decibels,
        "grey": np.round((decibels + 60) * 255 / 60).astype(np.uint8),
        "sixteen bits": np.round((decibels + 60) * 1000).astype(np.uint16),
        "signed": np.round(decibels * 100).astype(np.int16),
        "linear envelope": envelope.astype(np.float32),
        "made free of its mean": ((decibels - decibels.mean()) / decibels.std()).astype(np.float32),
        "white noise": random.normal(size=(1024, 256)),
        "velocities": smooth,
        "uniform speckle": gaussian_filter(random.rayleigh(size=(1200, 256)), 1).astype(np.float32),
        "black": np.zeros((1024, 64), np.int16),
        "not a number": np.full((1024, 64), np.nan),
        "a few marks": np.pad(np.ones((2, 2), np.int16), 600),
    }


@pytest.mark.parametrize("name", sorted(pictures()))
def test_a_picture_is_no_signal(name: str) -> None:
    picture = pictures()[name]
    assert recognise(picture) is None
    assert recognise(picture, "rf") is None


@given(
    st.floats(0.2, 3), st.integers(0, 50), st.sampled_from([np.uint16, np.int16, np.float32]), st.booleans()
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_no_texture_of_a_picture_is_a_signal(
    grain: float, seed: int, dtype: type[np.generic], free_of_mean: bool
) -> None:
    """Tissue of any speckle size, in depth-dependent brightness, also after standardisation."""
    random = np.random.default_rng(seed)
    speckle = np.abs(gaussian_filter(random.normal(size=(800, 200)), grain) * 4000)
    tissue = gaussian_filter(random.normal(size=(800, 200)), 30)
    values = speckle * (1.5 + tissue / np.abs(tissue).max())
    values = values - values.mean() if free_of_mean and dtype is not np.uint16 else values
    assert recognise(values.astype(dtype)) is None


def test_label_maps_are_masks_and_pictures_of_few_levels_are_not() -> None:
    labels = np.zeros((5, 64, 64), np.int16)
    labels[1:4, 10:40, 20:50] = 3
    labels[2, 15:30, 25:40] = 7
    assert set_aside(planes_of(labels)) == "mask"
    assert set_aside(planes_of(labels.astype(np.float32))) == "mask"
    assert set_aside(planes_of(labels > 0)) == "mask"
    assert set_aside(planes_of(np.where(labels > 0, np.uint8(255), np.uint8(0)))) == "mask"
    noise = np.random.default_rng(0)
    assert set_aside(planes_of(noise.integers(0, 16, (5, 64, 64), dtype=np.uint8) * 17)) is None
    assert set_aside(planes_of(noise.integers(0, 255, (5, 64, 64), dtype=np.uint8))) is None
    assert set_aside(planes_of(np.full((5, 64, 64), 9, np.uint8))) is None
    assert set_aside(planes_of(labels - 1)) is None  # below zero: no label
    assert set_aside(planes_of(labels * 0.5)) is None
    late = np.repeat(labels, 8, axis=0)
    late[1] = noise.integers(0, 255, (64, 64))  # between the planes that are looked at first
    assert set_aside(planes_of(late)) is None


@pytest.mark.samples
def test_no_real_picture_is_taken_for_a_signal() -> None:
    """Every still of the samples: as it is, 16 bits deep, free of its mean, and enlarged to 1,100 rows."""
    looked_at = 0
    for path in sorted(samples_folder().rglob("*")):
        if path.suffix.lower() not in (".png", ".jpg", ".bmp") or "mask" in path.name.lower():
            continue
        with Image.open(io.BytesIO(path.read_bytes())) as opened:
            small = opened.convert("L")
            for image in (small, small.resize((small.width, 1100), Image.Resampling.NEAREST)):
                grey = np.asarray(image).astype(np.float32)
                for values in (grey, (grey * 257).astype(np.uint16), (grey - grey.mean()) / (grey.std() + 1)):
                    assert recognise(values, "rf") is None
        looked_at += 1
    assert looked_at > 100
