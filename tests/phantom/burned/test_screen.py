from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.phantom.burned.pictures import FONTS, picture
from ultracurate.phantom.burned import burn, burned_screen
from ultracurate.phantom.burned.flow import paint_flow, power_map, ramp, velocity_map
from ultracurate.phantom.burned.fonts import missing
from ultracurate.phantom.burned.shapes import region
from ultracurate.phantom.burned.site import site_of
from ultracurate.phantom.burned.streams import STREAMS, stream
from ultracurate.phantom.fields import draw_field
from ultracurate.phantom.textures import Grey


def _rough(rng: np.random.Generator) -> Grey:
    return rng.integers(20, 160, (200, 160), dtype=np.uint8)


@pytest.mark.parametrize("held", [False, True])
def test_a_screen_has_fields_marks_and_a_clean_twin(held: bool) -> None:
    views, kinds = set(), set()
    for seed in range(24):
        screen = burned_screen(seed, held=held, size=(240, 320), tissue=_rough, tissue_name="rough", fonts=FONTS)
        assert screen.style.tissue == "rough"
        assert screen.image.shape == screen.clean.shape
        assert screen.clean[np.logical_or.reduce(screen.fields)].mean() > 15
        views.add(len(screen.fields))
        kinds |= set(screen.masks)
    assert views == {1, 2}
    assert len(kinds) > 20


def test_a_screen_of_phantom_tissue_is_the_same_every_time() -> None:
    first, again = (burned_screen(4, held=False, size=(240, 320), fonts=FONTS) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.clean, burned_screen(4, held=True, size=(240, 320), fonts=FONTS).clean)


@pytest.mark.skipif(bool(missing()), reason="make fonts installs what this needs")
@pytest.mark.parametrize("held", [False, True])
def test_fonts_of_the_system_are_used(held: bool) -> None:
    image, fields = picture("linear")
    used = {burn(image, fields, seed, held=held, jpeg=False).style.font for seed in range(36)}
    assert len(used) >= 8


@pytest.mark.parametrize("kind", ["convex", "phased", "endocavity"])
@pytest.mark.parametrize("seed", range(4))
def test_a_fan_is_found_from_its_mask(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = draw_field(kind, (20, 20, 480, 380), rng, 0.0)
    box, _, inside = field.place(np.full((50, 50), 9, np.uint8))
    mask = np.zeros((400, 500), np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = inside
    site = site_of(mask)
    if abs(field.turn) > 0.01 or field.flat_top or field.sides[0] < -1.2:
        return
    assert site.fan is not None
    assert np.hypot(site.fan.apex[0] - field.apex[0], site.fan.apex[1] - field.apex[1]) < 8
    assert abs(site.fan.far - field.far) < 6
    for lateral, depth in ((0.1, 0.5), (0.5, 0.05), (0.9, 0.95)):
        (x, y), (a, b) = site.at(lateral, depth), field.edge(lateral, depth)
        assert np.hypot(x - a, y - b) < 10


@pytest.mark.parametrize("kind", ["convex", "linear", "steered", "trapezoid"])
def test_sides_foot_and_spots_lie_on_the_field(kind: str) -> None:
    _, (mask,) = picture(kind, 2)
    site = site_of(mask)
    for x, y in [*site.side(False, 20), *site.side(True, 20), *site.foot(20)]:
        assert mask[round(y), round(x)]
    rng = np.random.default_rng(0)
    assert all(site.holds(*site.spot(rng)) for _ in range(50))


def test_flow_stops_at_its_box_is_ragged_and_has_both_directions() -> None:
    image, (mask,) = picture("linear", 1)
    colour, site = np.repeat(image[..., None], 3, axis=2), site_of(mask)
    border = region((0.2, 0.2, 0.8, 0.7), site)
    (x0, y0), (x1, y1) = (np.round(f(np.asarray(border), axis=0)).astype(int) for f in (np.min, np.max))
    filled, both = [], 0
    for seed in range(30):
        flow = paint_flow(colour, site, border, np.random.default_rng(seed))
        outside = flow.mask.copy()
        outside[y0 : y1 + 1, x0 : x1 + 1] = False
        assert not outside.any()
        assert np.array_equal(flow.image[~flow.mask], colour[~flow.mask])
        filled.append(float(flow.mask[y0:y1, x0:x1].mean()))
        shown = flow.image[flow.mask].astype(int)
        both += bool((shown[:, 0] > shown[:, 2] + 40).any() and (shown[:, 2] > shown[:, 0] + 40).any())
    assert 0.05 < float(np.median(filled)) < 0.8
    assert both > 8


def test_flow_is_made_of_many_sizes_from_specks_to_whole_boxes_and_is_dark_at_times() -> None:
    image, (mask,) = picture("convex", 1)
    colour, site = np.repeat(image[..., None], 3, axis=2), site_of(mask)
    border = region((0.2, 0.2, 0.8, 0.7), site)
    inside = paint_flow(np.zeros_like(colour), site, border, np.random.default_rng(0))
    assert inside.image[~inside.mask].max() == 0
    small = filled = dark = 0
    for seed in range(60):
        flow = paint_flow(colour, site, border, np.random.default_rng(seed))
        _, _, stats, _ = cv2.connectedComponentsWithStats(flow.mask.astype(np.uint8), connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        small += int((areas <= 12).sum())
        filled += bool(flow.mask.sum() > 0.6 * cv2.contourArea(np.asarray(border, np.float32)))
        dark += bool(flow.mask.any() and (flow.image[flow.mask].max(axis=1) < 90).mean() > 0.5)
    assert small > 120
    assert 3 <= filled < 25
    assert 2 <= dark < 40


def test_what_is_drawn_after_flow_does_not_depend_on_how_flow_is_drawn() -> None:
    image, (mask,) = picture("linear", 1)
    colour, site = np.repeat(image[..., None], 3, axis=2), site_of(mask)
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    paint_flow(colour, site, region((0.2, 0.2, 0.8, 0.7), site), rng)
    paint_flow(colour, site, region((0.45, 0.45, 0.5, 0.5), site), other)
    assert rng.random() == other.random()


@pytest.mark.parametrize("kind", STREAMS)
def test_every_kind_of_stream_has_flow_and_none_fills_its_grid_with_one_value(kind: str) -> None:
    found = [one for seed in range(90) if (one := stream((60, 80), np.random.default_rng(seed))).kind == kind]
    assert found
    for one in found:
        assert one.strength.shape == one.speed.shape == (60, 80)
        assert one.strength.min() >= 0
        assert one.strength.max() <= 1
        assert np.isfinite(one.speed).all()
    assert max(float(one.strength.std()) for one in found) > 0.05


def test_colour_maps_run_from_one_end_to_the_other() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        speed, power, tint = velocity_map(rng), power_map(rng), ramp("amber", rng)
        assert speed.shape == power.shape == tint.shape == (256, 3)
        assert np.abs(speed[64].astype(int) - speed[191]).max() > 60
        assert power[0].max() == 0
        assert tint[0].max() == 0
        assert (np.diff(tint.astype(int).sum(axis=1)) >= 0).all()
