from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.phantom.burned.pictures import FONTS, picture
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.burned import GROUPS, KINDS, Burned, burn
from ultracurate.phantom.burned.fonts import HELD_FONTS, SEEN_FONTS
from ultracurate.phantom.burned.vendors import HELD_VENDORS, SEEN_VENDORS
from ultracurate.phantom.burned.words import HELD_WORDS, SEEN_WORDS, Words
from ultracurate.phantom.fields import KINDS as SHAPES
from ultracurate.phantom.textures import Grey, Mask

PICTURES = {kind: picture(kind) for kind in (*SHAPES, "linear")}


def _burn(seed: int, kind: str = "convex", held: bool = False, jpeg: bool = False, colour: bool = True) -> Burned:
    image, fields = PICTURES[kind]
    return burn(image, fields, seed, held=held, jpeg=jpeg, colour=colour, fonts=FONTS)


def _change(burned: Burned) -> Grey:
    return np.asarray(cv2.absdiff(burned.image, burned.clean).max(axis=2), np.uint8)


def _grown(mask: Mask, by: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0


anything = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**40)


@anything
@given(seed=seeds, kind=st.sampled_from(SHAPES), held=st.booleans())
def test_nothing_changes_outside_the_masks(seed: int, kind: str, held: bool) -> None:
    burned = _burn(seed, kind, held)
    assert not _change(burned)[~burned.mask].any()


@anything
@given(seed=seeds, held=st.booleans())
def test_compression_reaches_no_further_than_its_blocks(seed: int, held: bool) -> None:
    burned = _burn(seed, held=held, jpeg=True)
    whole = burned.image.shape[:2] == PICTURES["convex"][0].shape[:2]  # what was cut off may have rung into the rest
    if burned.style.scale == 1.0 and whole:  # twice 16 px of a block of subsampled colour, and one of its neighbour
        assert _change(burned)[~_grown(burned.mask, 36)].max(initial=0) <= 2


@anything
@given(seed=seeds, kind=st.sampled_from(SHAPES), held=st.booleans(), jpeg=st.booleans())
def test_the_truth_hangs_together(seed: int, kind: str, held: bool, jpeg: bool) -> None:
    burned = _burn(seed, kind, held, jpeg)
    height, width = burned.image.shape[:2]
    assert burned.image.shape == burned.clean.shape == (height, width, 3)
    assert burned.image.dtype == burned.clean.dtype == np.uint8
    assert burned.flow.shape == (height, width)
    assert burned.fields
    assert all(field.shape == (height, width) and field.any() for field in burned.fields)
    assert set(burned.masks) == {item.kind for item in burned.items} <= set(KINDS)
    tissue = _grown(np.logical_or.reduce(burned.fields), 2)
    for item in burned.items:
        x0, y0, x1, y1 = item.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert item.mask.shape == (y1 - y0, x1 - x0)
        for side in (item.mask[0], item.mask[-1], item.mask[:, 0], item.mask[:, -1]):
            assert side.any()
        assert burned.masks[item.kind][y0:y1, x0:x1][item.mask].all()
        assert item.in_field == bool(tissue[y0:y1, x0:x1][item.mask].any())
        assert item.group == (GROUPS.get(item.kind) if item.text else None)
    whole = {kind: np.zeros((height, width), np.bool_) for kind in burned.masks}
    for item in burned.items:
        whole[item.kind][item.box[1] : item.box[3], item.box[0] : item.box[2]] |= item.mask
    assert all(np.array_equal(whole[kind], burned.masks[kind]) for kind in whole)


def test_masks_hold_what_is_seen_and_little_else() -> None:
    changed = covered = 0
    for seed in range(36):
        burned = _burn(seed, colour=False)
        covered += int(burned.mask.sum())
        changed += int((_change(burned)[burned.mask] > 4).sum())
    assert changed > 0.8 * covered  # the rest is black rims on black


@pytest.mark.parametrize("held", [False, True])
def test_every_kind_turns_up(held: bool) -> None:
    left, seed = set(KINDS), 0
    while left and seed < 300:
        left -= set(_burn(seed, ("convex", "linear", "phased")[seed % 3], held).masks)
        seed += 1
    assert not left


def test_the_same_seed_makes_the_same_picture_and_another_one_another() -> None:
    first, again = _burn(5, jpeg=True), _burn(5, jpeg=True)
    assert np.array_equal(first.image, again.image)
    assert [item.text for item in first.items] == [item.text for item in again.items]
    assert len({_burn(seed).image.tobytes() for seed in range(12)}) == 12
    assert not np.array_equal(first.image, _burn(5, held=True, jpeg=True).image)


def _phrases(words: Words) -> set[str]:
    """Runs of letters of a pool that a reader would recognise."""
    pools = [pool for pool in vars(words).values() if isinstance(pool, tuple)]
    every = [text for pool in (*pools, *words.foreign.values()) for text in pool]
    return _runs(re.sub(r"\{[^}]*\}", " ", text) for text in every)


def _runs(texts: Iterable[str]) -> set[str]:
    return {run.casefold() for text in texts for run in re.findall(r"[^\W\d_]{4,}", text)}


def test_the_two_halves_share_no_font_no_device_and_no_word() -> None:
    assert not SEEN_FONTS.keys() & HELD_FONTS.keys()
    assert len(HELD_FONTS) >= 5
    assert len(SEEN_FONTS | HELD_FONTS) >= 12
    assert not SEEN_VENDORS.keys() & HELD_VENDORS.keys()
    assert len(HELD_VENDORS) >= 3
    assert len(SEEN_VENDORS | HELD_VENDORS) >= 8
    files = [{file for font in half.values() for file in font.files} for half in (SEEN_FONTS, HELD_FONTS)]
    assert not files[0] & files[1]
    assert not _phrases(SEEN_WORDS) & _phrases(HELD_WORDS)


@pytest.mark.parametrize("held", [False, True])
def test_one_half_never_draws_from_the_other(held: bool) -> None:
    forbidden, own = (_phrases(words) for words in ((SEEN_WORDS, HELD_WORDS) if held else (HELD_WORDS, SEEN_WORDS)))
    said: set[str] = set()
    for seed in range(45):
        burned = _burn(seed, "linear", held)
        assert burned.style.font in (HELD_FONTS if held else SEEN_FONTS)
        assert burned.style.vendor in (HELD_VENDORS if held else SEEN_VENDORS)
        said |= _runs(item.text or "" for item in burned.items)
    assert not said & forbidden
    assert len(said & own) > 12


def test_a_tint_and_flow_are_in_the_clean_picture_too() -> None:
    tinted = flowing = 0
    for seed in range(70):
        burned = _burn(seed, "linear")
        field = np.logical_or.reduce(burned.fields)
        assert not (burned.flow & ~field).any()
        if burned.flow.any():
            flowing += 1
            spread = burned.clean.max(axis=2).astype(int) - burned.clean.min(axis=2)
            assert spread[burned.flow].mean() > 3 * spread[field & ~burned.flow].mean()
        elif burned.tinted:
            tinted += 1
            assert np.ptp(burned.clean[field].mean(axis=0)) > 8
        else:
            assert (burned.clean == burned.clean[..., :1]).all()
    assert tinted > 1
    assert flowing > 4


def test_a_picture_that_has_colour_keeps_it() -> None:
    image, fields = PICTURES["linear"]
    coloured = np.stack([image, image // 2, image // 4], axis=2).astype(np.uint8)
    for seed in range(20):
        burned = burn(coloured, fields, seed, held=False, jpeg=False, fonts=FONTS)
        assert burned.tinted is None
        assert not burned.flow.any()
        if burned.clean.shape == coloured.shape and burned.style.scale == 1.0:
            assert np.array_equal(burned.clean, coloured)


def test_a_dual_view_keeps_both_fields() -> None:
    image, (mask,) = picture("linear", 3)
    half = image.shape[1] // 2
    left, right = mask.copy(), mask.copy()
    left[:, half:] = right[:, :half] = False
    seen = [len(burn(image, [left, right], seed, held=True, fonts=FONTS).fields) for seed in range(12)]
    assert max(seen) == 2
    assert seen.count(2) > 8


def test_no_crop_takes_the_field_away() -> None:
    image = PICTURES["linear"][0]
    corner = np.zeros(image.shape, np.bool_)
    corner[-30:, -40:] = True
    for seed in range(40):
        burned = burn(image, [corner], seed, held=False, jpeg=False, fonts=FONTS)
        assert burned.fields[0].sum() >= 0.5 * burned.style.scale**2 * corner.sum() * 0.9


@pytest.mark.parametrize("fields", [[], [np.zeros((240, 320), np.bool_)], [np.ones((20, 20), np.bool_)]])
def test_a_picture_without_a_field_is_refused(fields: list[Mask]) -> None:
    with pytest.raises(ConfigError, match="masks of fields"):
        burn(PICTURES["convex"][0], fields, 0, held=False, fonts=FONTS)


def test_fonts_of_the_other_half_are_refused() -> None:
    image, fields = PICTURES["convex"]
    with pytest.raises(ConfigError, match="fonts that may be used"):
        burn(image, fields, 0, held=True, fonts=["pixels"])


@pytest.mark.skipif(not cv2.__version__.startswith("5."), reason="the digests are of lines as OpenCV 5 draws them")
@pytest.mark.parametrize(
    ("seed", "kind", "digest"),
    [(1, "convex", "c5c70262f7d4d0af"), (2, "linear", "bcfbf4a3272489b1"), (3, "phased", "0edfa7b46b640626")],
)
def test_pictures_stay_as_they_are(seed: int, kind: str, digest: str) -> None:
    image, fields = PICTURES[kind]
    burned = burn(image, fields, seed, held=False, jpeg=False, fonts=["pixels"])
    found = hashlib.sha256(burned.image.tobytes() + burned.mask.tobytes())
    for item in burned.items:
        found.update(f"{item.kind} {item.box} {item.text} {item.in_field}".encode())
    assert found.hexdigest()[:16] == digest
