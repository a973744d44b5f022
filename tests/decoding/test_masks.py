"""Mask pictures of every kind: which samples are meant, and that they come back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tests.decoding.files import encode
from tests.decoding.samples import samples_folder
from ultracurate.core.errors import RowError
from ultracurate.decoding.annotations import mask_pixels, parse


def rules(data: bytes, form: str = "mask") -> dict[str, tuple[str | None, int | None]]:
    return {one.label: (one.rule, one.area) for one in parse(data, form).found}


INDEXED = np.zeros((40, 50), np.uint8)
INDEXED[5:10, 5:15], INDEXED[20:30, 20:30] = 1, 2


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_binary_mask_of_any_kind(kind: str) -> None:
    data = encode(np.where(INDEXED, 255, 0).astype(np.uint8), kind)
    assert rules(data) in ({"": ("=255", 150)}, {"1": ("=1", 150)})
    (one,) = parse(data, "mask").found
    assert np.array_equal(mask_pixels(data, one.rule or ""), INDEXED > 0)
    assert one.size == (50, 40)


def test_an_indexed_mask_has_an_annotation_for_each_class() -> None:
    data = encode(INDEXED, "PNG")
    assert rules(data) == {"1": ("=1", 50), "2": ("=2", 100)}
    assert np.array_equal(mask_pixels(data, "=2"), INDEXED == 2)


def test_a_palette_mask_is_read_by_index_and_black_is_the_background() -> None:
    image = Image.fromarray(INDEXED).convert("P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    out = io.BytesIO()
    image.save(out, "PNG")
    assert rules(out.getvalue()) == {"1": ("=1", 50), "2": ("=2", 100)}
    turned = Image.fromarray((2 - INDEXED).astype(np.uint8)).convert("P")
    turned.putpalette([0, 128, 0, 128, 0, 0, 0, 0, 0])
    out = io.BytesIO()
    turned.save(out, "PNG")
    assert sorted(area or 0 for _, area in rules(out.getvalue()).values()) == [50, 100]


def test_a_colour_mask_is_read_by_colour() -> None:
    rgb = np.zeros((40, 50, 3), np.uint8)
    rgb[INDEXED == 1], rgb[INDEXED == 2] = (255, 0, 0), (0, 16, 255)
    data = encode(rgb, "PNG")
    assert rules(data) == {"#ff0000": ("#ff0000", 50), "#0010ff": ("#0010ff", 100)}
    assert np.array_equal(mask_pixels(data, "#0010ff"), INDEXED == 2)


def test_a_jpeg_mask_and_a_smoothed_one_are_cut_at_half() -> None:
    binary = np.where(INDEXED, 255, 0).astype(np.uint8)
    data = encode(binary, "JPEG", quality=75)
    ((rule, area),) = rules(data).values()
    assert rule == ">=128"
    assert area == pytest.approx(150, abs=6)
    smooth = np.asarray(Image.fromarray(binary).resize((500, 400), Image.Resampling.BICUBIC))
    assert rules(encode(smooth, "PNG"))[""][0] == ">=128"
    assert mask_pixels(data, ">=128").sum() == area


def test_the_manifest_may_insist() -> None:
    levels = (np.arange(2000, dtype=np.uint8).reshape(40, 50) % 60 * 4).astype(np.uint8)
    assert len(rules(encode(levels, "PNG"))) == 1
    assert len(rules(encode(levels, "PNG"), "indexed_mask")) == 59
    assert list(rules(encode(INDEXED, "PNG"), "binary_mask").values()) == [(">=1", 150)]


def test_sixteen_bit_instances_keep_their_numbers() -> None:
    cells = INDEXED.astype(np.uint16) * 300
    assert rules(encode(cells, "PNG")) == {"300": ("=300", 50), "600": ("=600", 100)}
    many = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    with pytest.raises(RowError, match="at most 1000 classes"):
        parse(encode(many, "PNG"), "indexed_mask")


def test_an_empty_mask_says_that_nothing_was_marked() -> None:
    (one,) = parse(encode(np.zeros((40, 50), np.uint8), "PNG"), "mask").found
    assert (one.rule, one.area, one.size) == (None, 0, (50, 40))


@settings(deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 7)))
def test_classes_of_a_mask_are_disjoint_and_cover_it(values: np.ndarray) -> None:
    data = encode(values, "PNG")
    found = [one for one in parse(data, "mask").found if one.rule]
    total = sum(mask_pixels(data, one.rule or "").astype(int) for one in found) if found else np.zeros(values.shape)
    assert np.array_equal(total, (values > 0).astype(int))
    assert sum(one.area or 0 for one in found) == (values > 0).sum()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_mask_is_a_row_error(share: float) -> None:
    data = encode(np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8), "PNG")
    with pytest.raises(RowError, match="mask"):
        parse(data[: int(len(data) * share)], "mask")


@pytest.mark.samples
def test_real_masks() -> None:
    root = samples_folder()
    busi = sorted((root / "busi/data").glob("*/mask/*.png"))
    assert busi
    for path in busi:
        (one,) = parse(path.read_bytes(), "mask").found
        assert (one.area or 0) > 0 or "normal" in path.name
    usgra = [set(rules(path.read_bytes())) for path in (root / "usgra/dataset/masks").glob("*.png")]
    assert set.union(*usgra) == {"1", "2"}
    for path in (root / "fast-unet/test_data/mask").glob("*.jpg"):
        assert [rule for rule, _ in rules(path.read_bytes()).values()] == [">=128"]
