"""Hashes, quality, inpainting and levels: small pure functions on arrays."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tests.decoding.files import Array, speckle
from ultracurate.decoding.levels import to_8bit
from ultracurate.imaging import quality
from ultracurate.imaging.erase import inpaint
from ultracurate.imaging.hashing import hamming, phash


@given(st.integers(0, 99), st.booleans(), st.integers(8, 90), st.integers(8, 90))
@settings(max_examples=30, deadline=None)
def test_phash_is_the_reference_bit_for_bit(seed: int, colour: bool, height: int, width: int) -> None:
    image = speckle(height, width, colour=colour, seed=seed)
    assert phash(image) == str(imagehash.phash(Image.fromarray(image)))
    box = (2, 1, width - 1, height - 2)
    crop = Image.fromarray(image).crop(box)
    assert phash(image, box) == str(imagehash.phash(crop))
    assert phash(image, (-5, -5, 10_000, 10_000)) == phash(image)


def test_phash_refuses_an_empty_box() -> None:
    with pytest.raises(ValueError, match="box"):
        phash(speckle(8, 8), (9, 9, 12, 12))


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hamming_is_the_distance_of_imagehash(a: int, b: int) -> None:
    left, right = f"{a:016x}", f"{b:016x}"
    assert hamming(left, right) == imagehash.hex_to_hash(left) - imagehash.hex_to_hash(right)
    with pytest.raises(ValueError, match="equal length"):
        hamming(left, "ff")


def reason(image: Array) -> str | None:
    problem = quality.check(image)
    return problem.reason if problem else None


def test_quality_reasons() -> None:
    good = np.zeros((60, 60), np.uint8)
    good[:10] = speckle(10, 60)  # 600 of 3,600 pixels: dark, not empty
    assert quality.check(good) is None
    frame = np.zeros((600, 800), np.uint8)
    frame[0, :999] = 1
    frame[1, :199] = 1
    assert quality.nonzero_pixels(frame) == 999
    assert reason(frame) == "empty"
    frame[1, 199] = 1
    assert quality.check(frame) is None
    assert reason(np.zeros((600, 800, 3), np.uint8)) == "empty"
    assert reason(np.full((64, 64, 3), 7, np.uint8)) == "constant"
    assert reason(speckle(31, 400)) == "tiny"


def test_quality_counts_a_colour_pixel_once() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[3, 4] = (1, 2, 3)
    image[5, 6] = (0, 0, 9)
    assert quality.nonzero_pixels(image) == 2


@given(
    st.integers(0, 50),
    st.booleans(),
    hnp.arrays(bool, (24, 31)),
)
@settings(max_examples=30, deadline=None)
def test_inpainting_touches_nothing_outside_the_mask(seed: int, colour: bool, mask: Array) -> None:
    image = speckle(24, 31, colour=colour, seed=seed)
    before = image.copy()
    result = inpaint(image, mask)
    assert np.array_equal(image, before)
    assert np.array_equal(result[~mask], before[~mask])
    assert result.shape == image.shape
    assert result.dtype == np.uint8


def test_inpainting_fills_and_checks_its_mask() -> None:
    image = np.full((30, 30), 90, np.uint8)
    image[10:14, 10:14] = 255
    mask = np.zeros((30, 30), bool)
    mask[10:14, 10:14] = True
    assert np.abs(inpaint(image, mask).astype(int) - 90).max() <= 1
    with pytest.raises(ValueError, match="mask"):
        inpaint(image, mask[:-1])


@settings(deadline=None)
@given(hnp.arrays(np.int32, 12, elements=st.integers(-5000, 70_000)))
def test_levels_keep_the_order(values: Array) -> None:
    scaled = to_8bit(values, values.min(), values.max())
    order = np.argsort(values, kind="stable")
    assert (np.diff(scaled[order].astype(int)) >= 0).all()
    if values.min() >= 0 and values.max() <= 255:
        assert np.array_equal(scaled, values)
