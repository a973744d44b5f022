from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.anatomy import ANATOMIES
from ultracurate.phantom.doppler import TINTS
from ultracurate.phantom.frame import PhantomFrame, make_clip, make_frame
from ultracurate.phantom.overlays import DRAW, OVERLAYS
from ultracurate.phantom.screens import STYLES
from ultracurate.phantom.sectors import GEOMETRIES

SMALL = (240, 320)


def changed(frame: PhantomFrame) -> np.ndarray:
    differs = frame.image != frame.clean
    return np.asarray(differs.any(axis=2) if differs.ndim == 3 else differs)


@settings(max_examples=20, deadline=None)
@given(
    anatomy=st.sampled_from(sorted(ANATOMIES)),
    geometry=st.sampled_from(GEOMETRIES),
    style=st.sampled_from(sorted(STYLES)),
    seed=st.integers(0, 10_000),
    overlays=st.lists(st.sampled_from(sorted(DRAW)), max_size=5),
    flow=st.booleans(),
    tint=st.sampled_from([None, *TINTS]),
)
def test_any_frame_keeps_its_promises(
    anatomy: str, geometry: str, style: str, seed: int, overlays: list[str], flow: bool, tint: str | None
) -> None:
    frame = make_frame(anatomy, geometry, style, seed, SMALL, overlays, flow=flow, tint=tint)

    assert frame.image.shape == frame.clean.shape
    assert frame.image.shape[:2] == frame.sector_mask.shape == SMALL
    assert frame.image.dtype == frame.clean.dtype == np.uint8
    assert not (changed(frame) & ~frame.overlay_mask).any(), "an overlay pixel is missing from the masks"
    outside = frame.clean[~frame.sector_mask]
    assert not outside.any(), "texture outside the sector mask"
    assert not (frame.flow_mask & ~frame.sector_mask).any()
    assert not (frame.target_mask & ~frame.sector_mask).any()
    assert set(frame.masks) <= set(OVERLAYS)
    for kind, text, (x0, y0, x1, y1) in frame.strings:
        assert text
        assert kind in OVERLAYS
        if x1 > x0 and y1 > y0:  # text may start beyond the screen's border
            assert frame.masks[kind][y0:y1, x0:x1].any()


def test_every_overlay_kind_can_be_drawn_and_marks_most_of_what_it_changes() -> None:
    frame = make_frame("abdomen", "convex", "atlas", 4, overlays=sorted(DRAW))
    assert set(frame.masks) == set(OVERLAYS)
    drawn = frame.overlay_mask.sum()
    assert changed(frame).sum() > 0.9 * drawn, "masks claim pixels that nothing was drawn on"


def test_same_arguments_give_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (make_frame("thyroid", "linear", "dune", seed, SMALL, flow=True) for seed in (5, 5, 6))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.strings == again.strings
    assert first.image.tobytes() != other.image.tobytes()


def test_overlays_do_not_change_what_lies_below_them() -> None:
    bare, marked = (make_frame("breast_benign", "linear", "boreal", 3, SMALL, o) for o in ((), ("caliper", "arrow")))
    assert np.array_equal(np.squeeze(bare.clean), np.squeeze(marked.clean))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_polygon_is_the_sector_mask(geometry: str) -> None:
    import cv2

    frame = make_frame("kidney", geometry, "atlas", 1, (480, 640), ())
    drawn = np.zeros((480, 640), np.uint8)
    cv2.fillPoly(drawn, [np.round(np.asarray(frame.polygon)).astype(np.int32).reshape(-1, 1, 2)], 1)
    both, either = (drawn > 0) & frame.sector_mask, (drawn > 0) | frame.sector_mask
    assert both.sum() / either.sum() > 0.98


def test_grey_stays_grey_and_colour_is_rgb() -> None:
    assert make_frame("lung", "convex", "plain", 0, SMALL, ()).image.ndim == 2
    tinted = make_frame("lung", "convex", "plain", 0, SMALL, (), tint="sepia").clean
    assert tinted[..., 0].sum() > tinted[..., 2].sum(), "sepia is red rather than blue: RGB order"


def test_flow_is_coloured_and_tissue_is_not() -> None:
    frame = make_frame("heart_a4c", "phased", "plain", 2, SMALL, (), flow=True)
    spread = np.ptp(frame.clean.astype(int), axis=2)
    assert frame.flow_mask.sum() > 50
    assert (spread[frame.flow_mask] > 40).mean() > 0.95
    assert not spread[~frame.flow_mask].any()


@pytest.mark.parametrize("anatomy", ["breast_benign", "breast_cyst", "breast_malignant", "thyroid"])
def test_findings_are_darker_than_their_surroundings(anatomy: str) -> None:
    import cv2

    frame = make_frame(anatomy, "linear", "plain", 7, (300, 400), ())
    wider = cv2.dilate(frame.target_mask.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    around = wider & frame.sector_mask & ~frame.target_mask
    assert frame.clean[frame.target_mask].mean() < 0.8 * frame.clean[around].mean()


def test_heart_beats_but_the_screen_stands_still() -> None:
    clip = make_clip("heart_a4c", "phased", "corvid", 1, SMALL, frames=12)
    assert clip.shape == (12, *SMALL)
    moved = (clip.std(axis=0) > 3).mean()
    assert 0.1 < moved < 0.95
    header = clip[:, :20]
    assert header.max() > 100
    assert (header == header[0]).all()


def test_anatomies_look_different() -> None:
    """Nearest class mean on 16x16 thumbnails tells region from region: what a tiny classifier needs at least."""
    import cv2

    def thumb(anatomy: str, seed: int) -> np.ndarray:
        geometry = "phased" if "heart" in anatomy else "linear"
        image = make_frame(anatomy, geometry, "plain", seed, (160, 200), ()).image
        return np.asarray(cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA), float).ravel()

    names = ["breast_normal", "thyroid", "heart_a4c", "heart_psax", "lung", "muscle", "fetal_head", "kidney"]
    means = np.stack([np.mean([thumb(name, seed) for seed in range(4)], axis=0) for name in names])
    guesses = [
        names[int(np.argmin(((means - thumb(name, seed)) ** 2).sum(axis=1)))] == name
        for name in names
        for seed in range(20, 23)
    ]
    assert np.mean(guesses) > 0.85


@pytest.mark.parametrize(
    "wrong", [{"anatomy": "elbow"}, {"geometry": "square"}, {"style": "none"}, {"tint": "pink"}, {"overlays": ["cat"]}]
)
def test_unknown_names_are_refused_with_the_known_ones(wrong: dict[str, Any]) -> None:
    arguments = {"anatomy": "lung", "geometry": "convex", "size": SMALL} | wrong
    with pytest.raises(ConfigError, match=r"Expected .* found"):
        make_frame(**arguments)
