from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.decoding.media import Region
from ultracurate.imaging.sector import KINDS, Sector, combine, find_sector, mask
from ultracurate.measure.sector import Case, score, screens, summary
from ultracurate.phantom.fields import draw_field
from ultracurate.phantom.styles import random_screen

Array = np.ndarray[Any, Any]
SIZE = (60, 80)


def speckle(height: int, width: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).integers(20, 220, (height, width)).astype(np.uint8)


def fan_screen(height: int = 480, width: int = 640) -> tuple[Array, Array]:
    """A convex field of speckle on black, and its mask."""
    field = draw_field("convex", (60, 40, width - 60, height - 30), np.random.default_rng(5), cut=0.0)
    image, inside = np.zeros((height, width), np.uint8), np.zeros((height, width), np.bool_)
    (x0, y0, x1, y1), pixels, own = field.place(speckle(300, 300))
    image[y0:y1, x0:x1], inside[y0:y1, x0:x1] = pixels, own
    return image, inside


def overlap(one: Array, other: Array) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


# What is kept when nothing is known


@pytest.mark.parametrize(
    "image",
    [np.zeros((200, 300), np.uint8), np.full((200, 300, 3), 90, np.uint8), speckle(20, 20), speckle(1, 900)],
    ids=["black", "flat", "tiny", "a line"],
)
def test_without_a_field_everything_is_kept(image: Array) -> None:
    found = find_sector(image)
    assert found.kind == "unsure"
    assert found.polygons == []
    assert mask(found, (image.shape[0], image.shape[1])).all()


@pytest.mark.parametrize("shape", [(300, 400), (64, 64), (800, 600), (240, 320, 3)])
def test_a_picture_of_nothing_but_field_is_kept_whole(shape: tuple[int, ...]) -> None:
    texture = random_full(shape[0], shape[1])
    found = find_sector(texture if len(shape) == 2 else np.repeat(texture[..., None], 3, axis=2))
    assert mask(found, (shape[0], shape[1])).mean() > 0.995


def random_full(height: int, width: int) -> Array:
    from ultracurate.phantom.styles import invented_tissue

    beams = invented_tissue(np.random.default_rng(9))
    field = draw_field("linear", (0, 0, width, height), np.random.default_rng(0))
    whole = type(field)("linear", (0, 0, width, height))
    return np.asarray(whole.place(beams)[1])


# Screens


def test_a_fan_is_found_to_the_pixel_and_named() -> None:
    image, truth = fan_screen()
    found = find_sector(image)
    kept = mask(found, truth.shape)
    assert overlap(kept, truth) > 0.985
    assert (truth & ~kept).sum() < 0.005 * truth.sum()
    assert found.kind == "convex"
    assert 0.5 < found.confidence <= 1


def test_colour_does_not_change_a_grey_answer() -> None:
    image, _ = fan_screen()
    assert find_sector(np.repeat(image[..., None], 3, axis=2)) == find_sector(image)


def test_thirty_unseen_screens() -> None:
    got = summary([score(case) for case in screens(30)])
    assert got["IoU, mean"] > 0.965  # the goal: 0.99
    assert got["tissue cut away, mean"] < 0.012


def test_every_answer_is_well_formed() -> None:
    for seed in range(40, 52):
        image = random_screen(seed, size=(240, 320)).image
        found = find_sector(image)
        height, width = image.shape[:2]
        assert found.kind in KINDS
        assert 0 <= found.confidence <= 1
        assert bool(found.polygons) == (found.kind not in ("full", "unsure"))
        assert (found.kind == "dual") == (len(found.polygons) == 2)
        for polygon in found.polygons:
            assert len(polygon) >= 3
            assert all(type(x) is int and 0 <= x <= width and 0 <= y <= height for x, y in polygon)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(0, 10**6), st.booleans())
def test_no_picture_breaks_it(height: int, width: int, seed: int, colour: bool) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3) if colour else (height, width)).astype(np.uint8)
    image[: height // 2] //= int(rng.integers(1, 200))
    found = find_sector(image)
    assert mask(found, (height, width)).shape == (height, width)


# DICOM regions


def test_a_region_of_the_header_bounds_the_field() -> None:
    image, truth = fan_screen()
    rows, columns = np.nonzero(truth)
    box = (int(columns.min()) + 1, int(rows.min()) + 1, int(columns.max()), int(rows.max()))
    found = find_sector(image, (Region(box, "2d", "tissue"),))
    outside = np.ones(truth.shape, np.bool_)
    outside[box[1] : box[3], box[0] : box[2]] = False
    assert not (mask(found, truth.shape) & outside).any()
    assert (mask(found, truth.shape) & truth).sum() > 0.97 * truth.sum()


def test_a_region_that_cuts_what_the_picture_shows_is_stale() -> None:
    image, truth = fan_screen()
    rows, columns = np.nonzero(truth)
    box = (int(columns.min()), int(rows.min()), (int(columns.min()) + int(columns.max())) // 2, int(rows.max()))
    assert find_sector(image, (Region(box, "2d", "tissue"),)) == find_sector(image)


def test_where_pixels_show_nothing_the_header_is_believed() -> None:
    found = find_sector(np.zeros((200, 300), np.uint8), (Region((40, 30, 260, 180), "2d", "tissue"),))
    assert found.kind == "linear"
    assert mask(found, (200, 300)).sum() == 220 * 150


@pytest.mark.parametrize(
    "region", [Region((10, 10, 200, 200), "spectral", "pw_spectral"), Region((3, 3, 9, 9), "2d", "none")]
)
def test_regions_of_other_kinds_bound_nothing(region: Region) -> None:
    image, _ = fan_screen()
    assert find_sector(image, (region,)) == find_sector(image)


# Masks


def test_a_mask_is_exact_for_whole_pixels() -> None:
    found = mask(
        Sector([[(2, 3), (6, 3), (6, 8), (2, 8)], [(10, 1), (12, 1), (12, 2), (10, 2)]], 1.0, "dual"), (12, 16)
    )
    expected = np.zeros((12, 16), np.bool_)
    expected[3:8, 2:6] = expected[1:2, 10:12] = True
    assert np.array_equal(found, expected)


# Groups


def boxed(x0: int, y0: int, x1: int, y1: int, confidence: float = 0.9) -> Sector:
    return Sector([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]], confidence, "linear")


corners = st.tuples(st.integers(8, 12), st.integers(8, 12), st.integers(66, 70), st.integers(48, 52))


@settings(deadline=None)
@given(st.lists(corners, min_size=4, max_size=9), st.lists(corners, max_size=1), st.randoms())
def test_a_group_is_not_cut_by_an_outlier(boxes: list[tuple[int, int, int, int]], bad: list[Any], random: Any) -> None:
    votes = [boxed(*box) for box in boxes] + [boxed(30, 20, 40, 30) for _ in bad]
    random.shuffle(votes)
    found = combine(votes, SIZE)
    kept = np.mean([mask(vote, SIZE) for vote in votes], axis=0) >= 0.3
    assert (kept & ~mask(found, SIZE)).sum() <= 0.005 * kept.sum()
    assert mask(found, SIZE).sum() <= 62 * 44
    assert found.kind == "linear"


def test_unsure_frames_take_their_neighbours_answer() -> None:
    unsure = Sector([], 0.0, "unsure")
    found = combine([boxed(10, 10, 70, 50), unsure, boxed(10, 10, 70, 50), boxed(10, 10, 70, 50)], SIZE)
    assert found.polygons == boxed(10, 10, 70, 50).polygons
    assert found.confidence == pytest.approx(0.9 * 3 / 4, abs=1e-3)


@pytest.mark.parametrize(
    "votes",
    [
        [],
        [Sector([], 0.0, "unsure")] * 3,
        [boxed(10, 10, 70, 50), Sector([], 0.0, "unsure"), Sector([], 0.0, "unsure")],
        [boxed(0, 0, 30, 30), boxed(40, 0, 80, 30), boxed(0, 30, 30, 60), boxed(40, 35, 80, 60)],
    ],
    ids=["nobody", "all unsure", "most unsure", "all different"],
)
def test_a_group_without_agreement_keeps_everything(votes: list[Sector]) -> None:
    found = combine(votes, SIZE)
    assert found.kind == "unsure"
    assert mask(found, SIZE).all()


def test_full_pictures_stay_full() -> None:
    full = Sector([], 0.9, "full")
    assert combine([full, full, boxed(2, 2, 78, 58)], SIZE).polygons == []


# Long


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_five_hundred_unseen_screens() -> None:
    got = summary([score(case) for case in screens()])
    assert got["IoU, mean"] > 0.96  # the goal: 0.99


def test_scores_count_what_they_say() -> None:
    image, truth = fan_screen()
    got = score(Case("fan", image, truth, "convex"))
    kept = mask(got.found, truth.shape)
    assert got.cut == pytest.approx((truth & ~kept).sum() / truth.sum())
    assert got.kept == pytest.approx((kept & ~truth).sum() / truth.size)
    assert got.outside == (~truth).sum()
