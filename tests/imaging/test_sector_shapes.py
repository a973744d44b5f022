from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.imaging._edges import doubt, look, outward, sharpen
from ultracurate.imaging._field_map import border
from ultracurate.imaging._fit import refine
from ultracurate.imaging._guesses import guesses
from ultracurate.imaging._runs import Border, straight_runs
from ultracurate.imaging._shapes import BOX, FAN, QUAD, clip, within_frame
from ultracurate.imaging.sector import Sector, mask
from ultracurate.phantom.fields import draw_field

Array = np.ndarray[Any, Any]


def speckle(height: int, width: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).integers(20, 220, (height, width)).astype(np.uint8)


def overlap(one: Array, other: Array) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


@pytest.mark.parametrize(
    ("shape", "params"),
    [
        (BOX, [20.0, 30.0, 300.0, 200.0]),
        (QUAD, [-9, -9, 500, 400, 0.1, 1.6, 3.2, 4.7, 300.0, 250.0, -20.0, -30.0]),
        (FAN, [10.0, 12.0, 390.0, 330.0, 200.0, -40.0, 1.1, -0.6, 0.5, 60.0, 330.0]),
    ],
    ids=["box", "quad", "fan"],
)
def test_slopes_are_the_derivatives_of_distances(shape: Any, params: list[float]) -> None:
    p = np.asarray(params)
    outline = shape.outline(p)
    at = np.concatenate([outline * share + np.roll(outline, 1, axis=0) * (1 - share) for share in (0.3, 0.6)])
    at += np.random.default_rng(4).uniform(-0.5, 0.5, at.shape)
    region = shape.distances(p, at).argmax(axis=0)
    rows = np.arange(len(at))
    exact = shape.slopes(p, at, region)
    for index in range(shape.count):
        step = np.zeros(shape.count)
        step[index] = 1e-5
        change = shape.distances(p + step, at) - shape.distances(p - step, at)
        # The steepness by which an ellipse's distance is divided is held constant, which is right on the edge itself.
        np.testing.assert_allclose(exact[:, index], change[region, rows] / 2e-5, rtol=0.02, atol=1.5)
        np.testing.assert_allclose(exact[:, index], change[region, rows] / 2e-5, atol=2 if index == 6 else 0.05)


def border_of(inside: Array) -> Border:
    """The border as the net would draw it that is never wrong."""
    import cv2

    height, width = inside.shape
    found = border(np.asarray(cv2.resize(inside.astype(np.float32), (128, 128)), np.float32), width, height)
    assert found is not None
    return found


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["convex", "phased", "endocavity", "linear", "trapezoid", "steered"]), st.integers(0, 500))
def test_a_true_border_gives_the_field_back(kind: str, seed: int) -> None:
    field = draw_field(kind, (30, 25, 610, 450), np.random.default_rng(seed))
    inside = np.zeros((480, 640), np.bool_)
    (x0, y0, x1, y1), _, own = field.place(np.full((8, 8), 255, np.uint8))
    inside[y0:y1, x0:x1] = own
    at = border_of(inside)
    fits = []
    for shape, params in guesses(at):
        params, error = refine(shape, params, at.sparse, np.ones(len(at.sparse)), at.cell)
        corners = within_frame(shape, params, 640, 480)
        fits.append((error, mask(Sector([[(round(x), round(y)) for x, y in corners]], 1.0, kind), inside.shape)))
    # The border is drawn half a cell outside, as cutting is worse than keeping.
    assert overlap(min(fits, key=lambda fit: fit[0])[1], inside) > 0.93


def test_runs_are_the_sides_of_a_box() -> None:
    inside = np.zeros((400, 600), np.bool_)
    inside[60:341, 103:498] = True
    runs = straight_runs(border_of(inside))
    assert sorted(round(run.angle / (np.pi / 2)) % 4 for run in runs) == [0, 1, 2, 3]
    for run in runs:
        side = {2: 103, 3: 60, 0: 498, 1: 341}[round(run.angle / (np.pi / 2)) % 4]
        assert abs(run.place - side) < 4


@pytest.mark.parametrize("hidden", [False, True], ids=["clear", "half of every edge is dark"])
def test_sharpening_moves_a_rough_box_onto_the_pixels(hidden: bool) -> None:
    image = np.zeros((400, 600), np.uint8)
    image[60:341, 103:498] = speckle(281, 395)
    if hidden:
        image[200:, :300] = 0
    truth = np.zeros((400, 600), np.bool_)
    truth[60:341, 103:498] = True
    rough = np.asarray([98.0, 66.0, 503.0, 336.0])
    at = border_of(truth)
    params, sights = sharpen(image, BOX, rough, at, 10.0, 6)
    before = doubt(look(image, BOX, rough, (600, 400), 4.0))
    assert sorted(sight.region for sight in sights) == [0, 1, 2, 3]
    params, _ = sharpen(image, BOX, params, at, 4.0, 6)
    np.testing.assert_allclose(params, [103, 60, 498, 341], atol=0.7)
    after = doubt(look(image, BOX, params, (600, 400), 4.0))
    assert after < 0.1
    assert after < before


def test_an_edge_is_found_beside_a_ruler() -> None:
    image = np.zeros((400, 600), np.uint8)
    image[60:341, 103:498] = speckle(281, 395)
    image[60:341:20, 502:508] = 255
    seen = {
        sight.region: sight for sight in look(image, BOX, np.asarray([103.0, 60.0, 500.0, 341.0]), (600, 400), 12.0)
    }
    assert sorted(seen) == [0, 1, 2, 3]
    np.testing.assert_allclose(seen[2].at[:, 0], 498, atol=1.0)
    assert seen[2].support > 0.5


def test_where_all_is_dark_nothing_is_seen() -> None:
    black = np.zeros((400, 600), np.uint8)
    box = np.asarray([103.0, 60.0, 498.0, 341.0])
    assert all(sight.support == 0 and not sight.open for sight in look(black, BOX, box, (600, 400), 8.0))
    truth = np.zeros((400, 600), np.bool_)
    truth[60:341, 103:498] = True
    assert np.array_equal(sharpen(black, BOX, box, border_of(truth), 8.0, 6)[0], box)


def test_where_the_picture_goes_on_the_edge_moves_outwards() -> None:
    image = speckle(400, 600)
    box = np.asarray([103.0, 60.0, 498.0, 341.0])
    truth = np.zeros((400, 600), np.bool_)
    truth[60:341, 103:498] = True
    moved, _ = sharpen(image, BOX, box, border_of(truth), 8.0, 6)
    assert (moved * [-1, -1, 1, 1] >= box * [-1, -1, 1, 1]).all()


def test_only_edges_in_doubt_move_outwards() -> None:
    image = np.zeros((400, 600), np.uint8)
    image[60:341, 103:498] = speckle(281, 395)
    image[341:380, 103:310] = speckle(39, 207)  # something lies close below
    box = np.asarray([103.0, 60.0, 498.0, 341.0])
    moved = outward(BOX, box, look(image, BOX, box, (600, 400), 6.0), 5.0)
    np.testing.assert_allclose(moved[:3], box[:3], atol=0.6)
    assert 341.5 < moved[3] <= 346


def test_clip_cuts_a_square_in_half() -> None:
    square = np.asarray([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    half = clip(square, np.asarray([1.0, 0.0]), 2.0)
    assert half.max(axis=0).tolist() == [2.0, 4.0]
    assert len(clip(square, np.asarray([1.0, 0.0]), -1.0)) == 0
