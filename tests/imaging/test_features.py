"""Features: the quick way of computing them gives the numbers that the trees were trained on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.decoding.samples import samples_folder
from tests.imaging import plain_features
from ultracurate.decoding.decode import decode_image, sniff
from ultracurate.decoding.levels import U8
from ultracurate.imaging._colour_features import medians
from ultracurate.imaging._features import features
from ultracurate.imaging.modality import _forest
from ultracurate.phantom.modalities import MODALITIES, make_modality
from ultracurate.phantom.negatives import NEGATIVES, make_negative

PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "page.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
"""Those that scikit-image carries with it; none is fetched."""


def assert_same(image: U8) -> None:
    """Equal but for what another processor may round differently, and the trees judge alike."""
    found, expected = features(image), plain_features.features(image)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    for head, scores in _forest().scores(found).items():
        np.testing.assert_array_equal(scores, plain_scores(expected)[head])


@cache
def weights() -> dict[str, Any]:
    file = (resources.files("ultracurate.imaging") / "weights" / "triage-v1.npz").read_bytes()
    with np.load(io.BytesIO(file), allow_pickle=False) as data:
        return dict(data)


def plain_scores(vector: plain_features.Vector) -> dict[str, Any]:
    """Every tree from its root to a leaf, by the words of the file."""
    file = weights()
    node = file["roots"]
    while (file["left"][node] != node).any():
        nearer = vector[file["feature"][node]] <= file["threshold"][node]
        node = np.where(nearer, file["left"][node], file["right"][node])
    sums = np.bincount(file["output"], weights=file["value"][node]) + file["baseline"]
    return dict(zip(("origin", "kind", "dual"), np.split(sums, file["ends"][:-1]), strict=True))


def pictures() -> Iterator[U8]:
    rng = np.random.default_rng(8)
    for kind in MODALITIES:
        for seed in range(5):
            tall = int(rng.integers(100, 620))
            yield make_modality(kind, seed, (tall, int(tall * rng.uniform(0.9, 1.6))), None)[0]
    for kind in NEGATIVES:
        yield make_negative(kind, 1, (300, 400))[0]
    yield make_modality("b_mode", 3, (600, 800), "boreal")[0]
    yield make_modality("colour_doppler", 3, (600, 800), "corvid")[0]


def test_phantoms_and_other_pictures_give_the_same_numbers_as_plain_arithmetic() -> None:
    seen = list(pictures())
    assert len(seen) == 40
    assert {image.ndim for image in seen} == {2, 3}
    for image in seen:
        assert_same(image)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_give_the_same_numbers_as_plain_arithmetic(name: str) -> None:
    path = Path(skimage.data.__file__).parent / name
    image = decode_image(path.read_bytes(), "png" if path.suffix == ".png" else "jpg")
    assert_same(image)
    assert_same(np.ascontiguousarray(image[::3, ::3]))


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(np.uint8, st.one_of(st.tuples(st.integers(1, 90), st.integers(1, 90)), st.just((33, 64, 3)))),
    st.integers(1, 255),
)
def test_any_picture_gives_the_same_numbers_as_plain_arithmetic(image: U8, top: int) -> None:
    assert_same(np.minimum(image, np.uint8(top)))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (13, 11), (45, 700), (50, 60, 3), (1, 1, 3), (400, 2, 3)]
)
def test_flat_and_narrow_pictures_give_the_same_numbers_as_plain_arithmetic(shape: tuple[int, ...]) -> None:
    for level in (0, 9, 255):
        assert_same(np.full(shape, level, np.uint8))
    assert_same(np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8))


def test_views_into_a_larger_picture_are_read_as_they_are() -> None:
    image = make_modality("colour_doppler", 2, (300, 400), "plain")[0]
    assert image.ndim == 3
    for view in (image[:, ::-1], image[10:-7, 5:-9], image[..., 0], image[::2, ::-2, 1]):
        np.testing.assert_array_equal(features(view), features(np.ascontiguousarray(view)))


@pytest.mark.parametrize("number", [1, 2, 3, 12, 13, 500])
def test_medians_are_those_of_numpy(number: int) -> None:
    rows = np.random.default_rng(number).normal(0, 100, (4, number)).astype(np.float32)
    np.testing.assert_array_equal(medians(rows), np.median(rows, axis=1))


def test_the_mean_of_three_channels_is_rounded_and_never_halfway() -> None:
    levels = np.arange(766, dtype=np.uint16).reshape(1, -1)
    assert np.asarray(cv2.convertScaleAbs(levels, alpha=1 / 3))[0].tolist() == [
        round(total / 3) for total in range(766)
    ]


@pytest.mark.samples
def test_real_stills_give_the_same_numbers_as_plain_arithmetic() -> None:
    seen = 0
    for path in sorted(samples_folder().rglob("*")):
        if not path.is_file() or path.stat().st_size > 4_000_000:
            continue
        data = path.read_bytes()
        if (fmt := sniff(data[:512], path.name)) in ("png", "jpg", "bmp", "tif"):
            assert_same(decode_image(data, fmt))
            seen += 1
    assert seen >= 80
