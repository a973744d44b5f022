from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stages.bench import Bench
from ultracurate.core.context import Context
from ultracurate.decoding.decode import decode_image
from ultracurate.imaging.overlay_seed import SeedParams, seed_masks
from ultracurate.phantom.files import encode_still
from ultracurate.phantom.frame import make_frame
from ultracurate.stages.strip import COLOUR_BIT, GREY_BIT, OCR_BIT, PAINTED_BIT

_SCREEN = make_frame("thyroid", "linear", "atlas", 11, (240, 320), ("caliper", "insector_text")).image
FRAME = np.ascontiguousarray(_SCREEN[:120, 40:200])  # clustering its colours takes most of the time


def stripped(bench: Bench, *images: np.ndarray) -> tuple[list[dict[str, Any]], Context]:
    rows = []
    for number, image in enumerate(images):
        data = encode_still(image, "png")
        file = bench.put(f"{number}.png", data)
        ref = {"frame_uri": file["file_uri"], "frame_offset": 0, "frame_length": len(data)}
        rows.append(
            {"dataset": "toy", "sample_id": f"s{number}", "frame_format": "png", **ref}
            | {"frame_sha256": file["file_sha256"]}
        )
    result, ctx = bench.call("strip", rows)
    return result.rows.to_pylist(), ctx


def pixels(ctx: Context, row: dict[str, Any], kind: str) -> np.ndarray:
    return decode_image(ctx.read(row, kind), "png")


def test_only_painted_pixels_change(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"ocr": False}})
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
    bench = Bench(tmp_path, stages={"strip": {"ocr": False}})
    (row,), ctx = stripped(bench, FRAME)
    mask = pixels(ctx, row, "mask")
    assert mask.ndim == 2
    found = seed_masks(decode_image(encode_still(FRAME, "png"), "png"), SeedParams(ocr=False))
    for bit, branch in ((COLOUR_BIT, found.colour), (GREY_BIT, found.grey), (PAINTED_BIT, found.final)):
        assert np.array_equal(mask & bit > 0, branch)
    assert not (mask & OCR_BIT).any()
    assert not (mask & ~np.uint8(OCR_BIT | COLOUR_BIT | GREY_BIT | PAINTED_BIT)).any()
    assert row["strings_found"] == 0


def test_text_is_found_and_counted_but_never_kept(tmp_path: Path) -> None:
    pytest.importorskip("pytesseract")
    image = make_frame("thyroid", "linear", "plain", 5, (360, 480), ("insector_text",)).image
    (row,), ctx = stripped(Bench(tmp_path), image)
    assert (row["strings_found"] > 0) == bool((pixels(ctx, row, "mask") & OCR_BIT).any())
    assert {type(value) for name, value in row.items() if name == "strings_found"} == {int}


def test_method_none_paints_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    (row,), ctx = stripped(bench, FRAME)
    assert np.array_equal(pixels(ctx, row, "clean"), decode_image(encode_still(FRAME, "png"), "png"))
    assert not pixels(ctx, row, "mask").any()
    assert (row["overlay_share"], row["strings_found"]) == (0.0, 0)


def test_the_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"ocr": False}})
    first, _ = stripped(bench, FRAME)
    second, _ = stripped(bench, FRAME)
    assert [(row["clean_sha256"], row["mask_sha256"]) for row in first] == [
        (row["clean_sha256"], row["mask_sha256"]) for row in second
    ]


def test_the_sector_is_the_field_settled_before(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    data = encode_still(FRAME, "png")
    file = bench.put("a.png", data)
    ref = {"frame_uri": file["file_uri"], "frame_offset": 0, "frame_length": len(data), "frame_format": "png"}
    seen = {"field": "[[[2, 2], [90, 2], [90, 90], [2, 90]]]", "field_kind": "linear", "field_confidence": 0.9}
    size = {"width": FRAME.shape[1], "height": FRAME.shape[0], "media": "image", "parent_id": "p"}
    row: dict[str, Any] = {
        "dataset": "toy",
        "sample_id": "s",
        "frame_sha256": file["file_sha256"],
        **ref,
        **seen,
        **size,
    }
    unsure = row | {"sample_id": "u", "field": "[]", "field_kind": "unsure", "field_confidence": 0.1}
    result, _ = bench.call("strip", [row, unsure])
    found = {row["sample_id"]: row for row in result.rows.to_pylist()}
    assert json.loads(found["s"]["sector"]) == json.loads(str(seen["field"]))
    assert found["s"]["sector_from"] == "frame"
    assert (found["u"]["sector"], found["u"]["sector_from"]) == (None, None)


def test_a_lost_frame_is_an_error_row_and_the_others_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"strip": {"method": "none"}})
    data = encode_still(FRAME, "png")
    file = bench.put("a.png", data)
    ref = {"frame_uri": file["file_uri"], "frame_offset": 0, "frame_length": len(data), "frame_format": "png"}
    good = {"dataset": "toy", "sample_id": "good", "frame_sha256": file["file_sha256"], **ref}
    result, ctx = bench.call("strip", [good, good | {"sample_id": "bad", "frame_uri": "files/gone"}])
    assert result.rows["sample_id"].to_pylist() == ["good"]
    assert [error["sample_id"] for error in ctx.errors] == ["bad"]
