from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.stages.bench import SCHEMAS, Bench, manifest, picture, png
from ultracurate.core.schema import content_id
from ultracurate.decoding.decode import decode_image
from ultracurate.phantom.files import encode_video
from ultracurate.stages._sampling import FramesConfig
from ultracurate.stages.frames import exact_copies


def config(**settings: Any) -> FramesConfig:
    return FramesConfig(**settings)


def sample(id: str, dataset: str, pixels: str, data: str = "", split: str | None = None) -> dict[str, str | None]:
    return {
        "sample_id": id,
        "dataset": dataset,
        "pixel_sha256": pixels,
        "raw_sha256": data or id,
        "official_split": split,
    }


def copies_of(bench: Bench, rows: list[dict[str, str | None]]) -> dict[str, tuple[str, str]]:
    table = exact_copies(pa.Table.from_pylist(rows, schema=SCHEMAS["index"]), config(), bench.context("frames"))
    return {row["sample_id"]: (row["kept"], row["kind"]) for row in table.to_pylist()}


@pytest.fixture
def two(tmp_path: Path) -> Bench:
    return Bench(tmp_path, manifest("zebra"), manifest("ant"))


def test_of_copies_the_earlier_dataset_of_the_recipe_keeps_its_own(two: Bench) -> None:
    rows = [sample("1", "ant", "p"), sample("9", "zebra", "p"), sample("2", "ant", "q")]
    assert copies_of(two, rows) == {"1": ("9", "pixels")}
    assert copies_of(two, rows[::-1]) == copies_of(two, rows)


def test_within_a_dataset_the_smaller_id_stays_and_bytes_are_told_from_pixels(two: Bench) -> None:
    rows = [sample("b", "ant", "p", "same"), sample("a", "ant", "p", "same"), sample("c", "ant", "p", "other")]
    assert copies_of(two, rows) == {"b": ("a", "bytes"), "c": ("a", "pixels")}


@pytest.mark.parametrize("split", ["test", "val"])
def test_of_a_test_image_and_its_copy_in_train_the_test_image_stays(two: Bench, split: str) -> None:
    rows = [sample("a", "zebra", "p", split="train"), sample("b", "zebra", "p"), sample("c", "ant", "p", split=split)]
    assert {id: kept for id, (kept, _) in copies_of(two, rows).items()} == {"a": "c", "b": "c"}


def test_of_a_held_out_image_and_its_copy_elsewhere_the_held_out_one_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manifest("zebra"), manifest("ant", held_out=["SomeBench"]))
    rows = [sample("a", "zebra", "p", split="test"), sample("b", "ant", "p", split="train")]
    assert copies_of(bench, rows) == {"a": ("b", "pixels")}


def test_a_mere_training_split_gives_no_precedence(two: Bench) -> None:
    rows = [sample("b", "zebra", "p"), sample("a", "ant", "p", split="train")]
    assert copies_of(two, rows) == {"a": ("b", "pixels")}


@settings(deadline=None)
@given(st.lists(st.sampled_from("pqr"), min_size=1, max_size=12), st.integers(1, 4))
def test_an_appended_dataset_changes_nothing_for_those_before_it(first: list[str], more: int) -> None:
    bench = Bench("memory://bench", manifest("zebra"), manifest("ant"))
    rows = [sample(f"{n:02d}", "zebra", pixels) for n, pixels in enumerate(first)]
    appended = [sample(f"{n:02d}x", "ant", "pqrs"[n]) for n in range(more)]
    alone, together = copies_of(bench, rows), copies_of(bench, appended + rows)
    assert {id: kept for id, kept in together.items() if not id.endswith("x")} == alone


def indexed(bench: Bench, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    result, ctx = bench.call("index", [bench.put(name, data) for name, data in files])
    assert not ctx.errors
    rows: list[dict[str, Any]] = result.rows.to_pylist()
    return rows


def test_a_still_is_passed_on_where_it_lies(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (still,) = indexed(bench, ("one.png", png(picture(1))))
    result, ctx = bench.call("frames", [still])
    (row,) = result.rows.to_pylist()
    assert row["sample_id"] == content_id(still["sample_id"], 0)
    assert row["parent_id"] == still["sample_id"]
    assert (row["frame_no"], row["time_s"]) == (0, None)
    assert row["frame_uri"] == still["raw_uri"]
    assert ctx.read(row, "frame") == png(picture(1))
    assert not ctx.counters["pack_bytes"]


def test_exact_copies_leave_with_their_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    files = [("a.png", png(picture(1))), ("b.png", png(picture(1))), ("c.png", png(picture(1), level=1))]
    rows = indexed(bench, *files)
    result, _ = bench.call("frames", rows)
    assert result.rows.num_rows == 1
    kept = min(rows, key=lambda row: row["sample_id"])
    found = {row["parent_id"]: row["reason"] for row in result.rejects.to_pylist()}
    assert found == {
        row["sample_id"]: f"exact_duplicate_{'bytes' if row['raw_sha256'] == kept['raw_sha256'] else 'pixels'}"
        for row in rows
        if row is not kept
    }


def test_a_clip_gives_the_chosen_frames_with_their_times(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    clip = np.stack([np.full((64, 80), 10 + 8 * n, np.uint8) for n in range(25)])
    clip[:, :8] = 0  # a band of black: a frame of one value counts as empty
    (row,) = indexed(bench, ("clip.mp4", encode_video(clip, 25.0, "mp4")))
    result, ctx = bench.call("frames", [row])
    frames = result.rows.sort_by("frame_no").to_pylist()
    assert [frame["frame_no"] for frame in frames] == [0, 8, 17]
    assert [frame["time_s"] for frame in frames] == pytest.approx([0, 8 / 25, 17 / 25])
    assert ctx.counters["frames_not_sampled"] == 22
    for frame in frames:
        image = decode_image(ctx.read(frame, "frame"), frame["frame_format"])
        assert image[16:].mean() == pytest.approx(10 + 8 * frame["frame_no"], abs=3)


def test_the_black_lead_in_of_a_clip_is_passed_over_and_counting_begins_after_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    clip = np.stack([np.zeros((64, 80), np.uint8) if n < 3 else picture(n) for n in range(22)])
    (row,) = indexed(bench, ("clip.mp4", encode_video(clip, 25.0, "mp4")))
    result, _ctx = bench.call("frames", [row])
    (reject,) = result.rejects.to_pylist()
    assert (reject["reason"], reject["detail"]) == ("empty_frame", "frames 0 to 2")
    assert reject["sample_id"] == content_id(row["sample_id"], 0)
    assert reject["parent_id"] == row["sample_id"]
    frames = result.rows.sort_by("frame_no").to_pylist()
    assert [frame["frame_no"] for frame in frames] == [3, 11, 20]
    assert frames[0]["time_s"] == pytest.approx(3 / 25)


def test_a_black_frame_in_the_middle_is_rejected_by_its_own_id(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    clip = np.stack([np.zeros((64, 80), np.uint8) if 6 < n < 10 else picture(n) for n in range(12)])
    (row,) = indexed(bench, ("clip.mp4", encode_video(clip, 25.0, "mp4")))
    result, _ = bench.call("frames", [row])
    (reject,) = result.rejects.to_pylist()
    assert reject["reason"] == "empty_frame"
    assert reject["sample_id"] == content_id(row["sample_id"], 8)
    assert result.rows["frame_no"].to_pylist() == [0]


def test_a_clip_of_nothing_but_black_gives_one_reason_and_no_row(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (row,) = indexed(bench, ("clip.mp4", encode_video(np.zeros((9, 64, 80), np.uint8), 25.0, "mp4")))
    result, ctx = bench.call("frames", [row])
    assert not ctx.errors
    assert result.rows.num_rows == 0
    assert [r["detail"] for r in result.rejects.to_pylist()] == ["frames 0 to 8"]


def test_adaptive_takes_what_is_new_and_leaves_what_stands_still(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"frames": {"mode": "adaptive"}})
    still, new = picture(1), picture(2)
    clip = np.stack([still] * 20 + [new] * 10)
    (row,) = indexed(bench, ("clip.avi", encode_video(clip, 25.0, "avi")))
    frozen = indexed(bench, ("frozen.avi", encode_video(np.stack([still] * 12), 25.0, "avi")))
    result, _ = bench.call("frames", [row])
    taken = sorted(result.rows["frame_no"].to_pylist())
    assert len(taken) == 2
    assert taken[0] == 0
    assert taken[1] >= 20
    result, _ = bench.call("frames", frozen)
    assert result.rows["frame_no"].to_pylist() == [0]


def test_slices_of_a_volume_are_taken_by_number_not_by_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    pages = [Image.fromarray(picture(n)) for n in range(21)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    (row,) = indexed(bench, ("volume.tif", out.getvalue()))
    assert row["media"] == "volume"
    result, ctx = bench.call("frames", [row])
    frames = result.rows.sort_by("frame_no").to_pylist()
    assert [frame["frame_no"] for frame in frames] == list(range(21))
    assert np.array_equal(decode_image(ctx.read(frames[10], "frame"), "png"), picture(10))
    (result, _) = Bench(tmp_path, stages={"frames": {"slice_every": 10}}).call("frames", [row])
    assert sorted(result.rows["frame_no"].to_pylist()) == [0, 10, 20]


def test_empty_slices_of_a_volume_have_their_own_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    pages = [Image.fromarray(picture(n) if 1 < n < 4 else np.zeros((64, 80), np.uint8)) for n in range(6)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    (row,) = indexed(bench, ("volume.tif", out.getvalue()))
    result, _ = bench.call("frames", [row])
    assert sorted(result.rows["frame_no"].to_pylist()) == [2, 3]
    assert [r["reason"] for r in result.rejects.to_pylist()] == ["empty_slice"] * 4


def test_a_file_that_changed_after_indexing_is_an_error_row(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (row,) = indexed(bench, ("clip.avi", encode_video(np.stack([picture(n) for n in range(4)]), 25.0, "avi")))
    data = bench.store.read(row["raw_uri"])
    bench.store.write(row["raw_uri"], data[:-1] + b"\xff")
    result, ctx = bench.call("frames", [row])
    assert result.rows.num_rows == 0
    assert "changed after it was indexed" in ctx.errors[0]["message"]
