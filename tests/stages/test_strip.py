from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tests.stages.bench import Bench
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError
from ultracurate.core.stage import pipeline
from ultracurate.decoding.decode import decode_image
from ultracurate.imaging import _by_net, _recognisers
from ultracurate.imaging.cleaning import METHODS, REASONS, Bit
from ultracurate.imaging.overlay_seed import SeedParams, seed_masks
from ultracurate.phantom.files import encode_still
from ultracurate.phantom.frame import make_frame
from ultracurate.stages._strip import PAINTED_BIT
from ultracurate.stages.strip import StripConfig

_SCREEN = make_frame("thyroid", "linear", "atlas", 11, (240, 320), ("caliper", "insector_text")).image
FRAME = np.ascontiguousarray(_SCREEN[:120, 40:200])  # clustering its colours takes most of the time
FIELD = [[[2, 2], [90, 2], [90, 90], [2, 90]]]
WIDE = [[[20, 10], [300, 10], [300, 230], [20, 230]]]


def frame_of(bench: Bench, image: np.ndarray, id: str, **more: Any) -> dict[str, Any]:
    """A still of a dataset as `frames` hands it on, of which nothing but its pixels is known."""
    data = encode_still(image, "png")
    file = bench.put(f"{id}.png", data)
    ref = {"frame_uri": file["file_uri"], "frame_offset": 0, "frame_length": len(data)}
    size = {"width": image.shape[1], "height": image.shape[0], "media": "image", "parent_id": id}
    row = {"dataset": "toy", "sample_id": id, "frame_format": "png", "frame_sha256": file["file_sha256"]}
    return row | ref | size | more


def stripped(bench: Bench, *images: np.ndarray, **more: Any) -> tuple[list[dict[str, Any]], Context]:
    rows = [frame_of(bench, image, f"s{number}", **more) for number, image in enumerate(images)]
    result, ctx = bench.call("strip", rows)
    return result.rows.to_pylist(), ctx


def hand_made(method: str = "classic", **settings: Any) -> dict[str, Any]:
    return {"strip": {"method": method, "audit": False} | settings}


def pixels(ctx: Context, row: dict[str, Any], kind: str) -> np.ndarray:
    return decode_image(ctx.read(row, kind), "png")


def test_only_painted_pixels_change(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "seed", "ocr": False}})
    (row,), ctx = stripped(bench, FRAME)
    before = decode_image(encode_still(FRAME, "png"), "png")
    clean, mask = pixels(ctx, row, "clean"), pixels(ctx, row, "mask")
    assert clean.shape == before.shape
    painted = mask & PAINTED_BIT > 0
    assert painted.any()
    assert np.array_equal(clean[~painted], before[~painted])
    assert (clean[painted] != before[painted]).any()
    assert row["overlay_share"] == pytest.approx(painted.mean())


def test_each_bit_of_the_mask_is_one_branch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "seed", "ocr": False}})
    (row,), ctx = stripped(bench, FRAME)
    mask = pixels(ctx, row, "mask")
    assert mask.ndim == 2
    found = seed_masks(decode_image(encode_still(FRAME, "png"), "png"), SeedParams(ocr=False))
    for bit, branch in ((Bit.COLOUR, found.colour), (Bit.STROKE, found.grey), (Bit.INVENTED, found.final)):
        assert np.array_equal(mask & bit > 0, branch)
    assert not (mask & ~np.uint8(Bit.COLOUR | Bit.STROKE | Bit.INVENTED)).any()
    assert row["strings_found"] == 0


def test_text_is_found_and_counted_but_never_kept(tmp_path: Path) -> None:
    pytest.importorskip("pytesseract")
    image = make_frame("thyroid", "linear", "plain", 5, (360, 480), ("insector_text",)).image
    (row,), ctx = stripped(Bench(tmp_path, stages={"strip": {"method": "seed"}}), image)
    assert (row["strings_found"] > 0) == bool((pixels(ctx, row, "mask") & Bit.TEXT).any())
    assert {type(value) for name, value in row.items() if name == "strings_found"} == {int}


def test_method_none_paints_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    (row,), ctx = stripped(bench, FRAME)
    assert np.array_equal(pixels(ctx, row, "clean"), decode_image(encode_still(FRAME, "png"), "png"))
    assert not pixels(ctx, row, "mask").any()
    assert (row["overlay_share"], row["strings_found"]) == (0.0, 0)


def test_the_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "seed", "ocr": False}})
    first, _ = stripped(bench, FRAME)
    second, _ = stripped(bench, FRAME)
    assert [(row["clean_sha256"], row["mask_sha256"]) for row in first] == [
        (row["clean_sha256"], row["mask_sha256"]) for row in second
    ]


def test_the_sector_is_the_field_settled_before(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    seen = {"field": str(FIELD), "field_kind": "linear", "field_confidence": 0.9}
    sure = frame_of(bench, FRAME, "s", **seen)
    unsure = frame_of(bench, FRAME, "u", field="[]", field_kind="unsure", field_confidence=0.1)
    result, _ = bench.call("strip", [sure, unsure])
    found = {row["sample_id"]: row for row in result.rows.to_pylist()}
    assert json.loads(found["s"]["sector"]) == FIELD
    assert found["s"]["sector_from"] == "frame"
    assert (found["u"]["sector"], found["u"]["sector_from"]) == (None, None)


def test_what_lies_outside_the_settled_field_is_black_and_the_ledger_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    (row,), ctx = stripped(bench, _SCREEN, field=str(WIDE), field_kind="linear", field_confidence=0.9)
    clean, mask = pixels(ctx, row, "clean"), pixels(ctx, row, "mask")
    outside = mask & Bit.OUTSIDE > 0
    inside = np.zeros(_SCREEN.shape[:2], bool)
    inside[10:230, 20:300] = True
    assert np.array_equal(outside, ~inside)
    assert not clean[outside].any()
    untouched = inside & (mask & PAINTED_BIT == 0)
    assert np.array_equal(clean[untouched], decode_image(encode_still(_SCREEN, "png"), "png")[untouched])
    assert row["blanked_share"] == pytest.approx(outside.mean())
    assert row["invented_share"] + row["zeroed_share"] == pytest.approx((mask & PAINTED_BIT > 0)[inside].mean())
    assert row["strip_method"] == "classic"
    assert row["verdict"] in ("ok", "flagged")
    assert (row["strings_found"], row["strings_left"], row["strip_ocr"]) == (None, None, None)


def test_default_without_its_net_runs_the_classic_method_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_by_net, "shipped", lambda: False)
    known = {"field": str(WIDE), "field_kind": "linear", "field_confidence": 0.9}
    (one,), _ = stripped(Bench(tmp_path / "a", stages=hand_made("default")), _SCREEN, **known)
    (other,), _ = stripped(Bench(tmp_path / "b", stages=hand_made("classic")), _SCREEN, **known)
    assert (one["strip_method"], one["strip_net"]) == ("classic", None)
    assert one["clean_sha256"] == other["clean_sha256"]


def test_a_frame_of_which_too_much_was_marked_is_set_aside_and_packed_nowhere(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    image = np.repeat(rng.integers(30, 60, (240, 320, 1), np.uint8), 3, axis=2)
    for top in range(10, 230, 12):
        image[top : top + 4, 10:310] = (250, 240, 20)
    bench = Bench(tmp_path, stages=hand_made())
    result, ctx = bench.call("strip", [frame_of(bench, image, "full", field_kind="full", field_confidence=0.9)])
    assert result.rows.num_rows == 0
    assert result.rejects["reason"].to_pylist() == ["too_much_masked"]
    assert ctx.counters["strip_quarantine"] == 1
    assert not ctx.counters["pack_bytes"]


def test_a_mark_that_stays_while_the_stills_of_a_screen_change_is_found(tmp_path: Path) -> None:
    images = []
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 90, (160, 200), np.uint8)
        noise[40:44, 30:34] = noise[41:43, 120:128] = 118  # two blots that no rule would take for marks
        images.append(noise)
    known = {"field_kind": "full", "field_confidence": 0.9}
    together, ctx = stripped(Bench(tmp_path / "many", stages=hand_made()), *images, **known)
    (alone,), other = stripped(Bench(tmp_path / "one", stages=hand_made()), images[0], **known)
    painted = [pixels(ctx, row, "mask") & PAINTED_BIT > 0 for row in together]
    assert all(mask[40:44, 30:34].all() for mask in painted)
    assert not (pixels(other, alone, "mask") & PAINTED_BIT)[40:44, 30:34].any()


def test_neighbours_that_cannot_be_read_cost_nobody_else_anything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    good = [frame_of(bench, FRAME, f"g{number}", field_kind="full") for number in range(6)]
    gone = good[0] | {"sample_id": "gone", "frame_uri": "files/gone"}
    result, ctx = bench.call("strip", [*good, gone])
    assert result.rows.num_rows == 6
    assert [error["sample_id"] for error in ctx.errors] == ["gone"]


def test_an_audit_without_its_packages_stops_the_run_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tesserocr", None)
    _recognisers.tesseract.cache_clear()
    with pytest.raises(ConfigError, match=r"ultracurate\[audit\].*strip\.audit=false"):
        stripped(Bench(tmp_path, stages={"strip": {"method": "classic"}}), FRAME)


def test_reasons_bits_and_methods_are_the_same_in_both_places() -> None:
    assert PAINTED_BIT == Bit.INVENTED | Bit.ZEROED
    assert set(pipeline().get("strip").reasons) <= set(REASONS)
    assert set(get_args(StripConfig.model_fields["method"].annotation)) == set(METHODS)


def test_a_lost_frame_is_an_error_row_and_the_others_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    good = frame_of(bench, FRAME, "good")
    result, ctx = bench.call("strip", [good, good | {"sample_id": "bad", "frame_uri": "files/gone"}])
    assert result.rows["sample_id"].to_pylist() == ["good"]
    assert [error["sample_id"] for error in ctx.errors] == ["bad"]
