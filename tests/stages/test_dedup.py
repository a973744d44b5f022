from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.bench import Bench, manifest, picture, png
from ultracurate.core.stage import Result
from ultracurate.dedup.graph import clusters
from ultracurate.imaging.hashing import phash


def frame(id: str, bits: int, **changes: Any) -> dict[str, Any]:
    """A row as dedup.hash leaves it: of its own group and parent, with a hash of these bits."""
    return {
        "sample_id": id,
        "dataset": "toy",
        "phash": f"{bits:016x}",
        "clean_pixel_sha256": f"clean {id}",
        "group_id": f"group {id}",
        "parent_id": f"parent {id}",
        "pixel_sha256": f"pixels {id}",
        "raw_sha256": f"bytes {id}",
        "licence": "CC0-1.0",
        "width": 100,
        "height": 80,
        "overlay_share": 0.0,
        "fields": "{}",
        "media": "image",
    } | changes


def deduped(bench: Bench, rows: list[dict[str, Any]], index: list[dict[str, Any]] | None = None) -> Result:
    also = [
        {name: row[name] for name in ("dataset", "pixel_sha256", "raw_sha256", "fields", "media")}
        | {"sample_id": row["parent_id"]}
        for row in rows
    ]
    result, _ = bench.call("dedup", rows, also={"index": also + (index or [])})
    assert result.rows.num_rows + result.rejects.num_rows == len(rows)
    return result


def kept(result: Result) -> dict[str, dict[str, Any]]:
    return {row["sample_id"]: row for row in result.rows.to_pylist()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_frame_of_its_own_is_a_cluster_of_one(bench: Bench) -> None:
    result = deduped(bench, [frame("a", 0), frame("b", 2**64 - 1)])
    assert {id: (row["cluster_id"], row["cluster_size"]) for id, row in kept(result).items()} == {
        "a": ("a", 1),
        "b": ("b", 1),
    }
    assert result.side["edges"].num_rows == 0


def test_near_copies_become_one_and_the_edge_is_written_down(bench: Bench) -> None:
    result = deduped(bench, [frame("b", 0b111), frame("a", 0), frame("c", 0b11111)])
    (row,) = kept(result).values()
    assert (row["sample_id"], row["cluster_id"], row["cluster_size"]) == ("a", "a", 3)
    assert {json.loads(alias)["sample_id"] for alias in row["aliases"]} == {"b", "c"}
    assert {json.loads(alias)["kind"] for alias in row["aliases"]} == {"phash"}
    edges = [(e["a"], e["b"], e["kind"], e["distance"]) for e in result.side["edges"].to_pylist()]
    assert edges == [("a", "b", "phash", 3.0), ("b", "c", "phash", 2.0)]
    assert {r["sample_id"]: r["reason"] for r in result.rejects.to_pylist()} == {
        "b": "near_duplicate",
        "c": "near_duplicate",
    }


def test_the_radius_is_a_setting(tmp_path: Path) -> None:
    rows = [frame("a", 0), frame("b", 0b1111)]
    assert len(kept(deduped(Bench(tmp_path), rows))) == 2
    assert len(kept(deduped(Bench(tmp_path, stages={"dedup": {"radius": 4}}), rows))) == 1


def test_frames_of_one_patient_may_look_alike(tmp_path: Path) -> None:
    rows = [frame("a", 0, group_id="g"), frame("b", 1, group_id="g")]
    assert len(kept(deduped(Bench(tmp_path), rows))) == 2
    assert len(kept(deduped(Bench(tmp_path, stages={"dedup": {"within_group": True}}), rows))) == 1


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"licence": "CC-BY-NC-4.0"}),
        ({"licence": "CC-BY-4.0"}, {"licence": "unknown"}),
        ({"width": 200}, {}),
        ({"overlay_share": 0.01}, {"overlay_share": 0.2}),
        ({}, {"overlay_share": 0.2}),
        ({"licence": "CC0-1.0", "width": 50}, {"licence": "CC-BY-NC-ND-4.0", "width": 500}),
        ({"dataset": "toy"}, {"dataset": "later"}),
    ],
)
def test_the_better_copy_stays_whatever_its_id(tmp_path: Path, better: dict[str, Any], worse: dict[str, Any]) -> None:
    bench = Bench(tmp_path, manifest(), manifest("later"))
    for first, second in (("a", "b"), ("b", "a")):
        result = deduped(bench, [frame(first, 0, **better), frame(second, 0, **worse)])
        assert list(kept(result)) == [first]


def test_of_a_test_image_and_its_copy_in_train_the_test_image_stays(bench: Bench) -> None:
    rows = [
        frame("a", 0, official_split="train", width=500),
        frame("b", 1, official_split="test"),
        frame("c", 1, overlay_share=0.0),
    ]
    assert list(kept(deduped(bench, rows))) == ["b"]


def test_of_a_held_out_image_and_its_copy_elsewhere_the_held_out_one_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manifest(), manifest("benchmark", held_out=["SomeBench"]))
    rows = [frame("a", 0, width=500), frame("b", 1, dataset="benchmark", licence="CC-BY-NC-4.0")]
    assert list(kept(deduped(bench, rows))) == ["b"]


def test_thousands_of_equal_hashes_are_linear(bench: Bench) -> None:
    """Black frames all hash alike: a pair for each two of 20,000 would be 200 million edges."""
    rows = [frame(f"s{n:05d}", 0 if n % 2 else 1, group_id=f"g{n % 5}") for n in range(20_000)]
    result = deduped(bench, rows)
    (row,) = kept(result).values()
    assert (row["sample_id"], row["cluster_size"]) == ("s00000", 20_000)
    assert 19_999 <= result.side["edges"].num_rows <= 20_001


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2), st.integers(0, 3), st.integers(0, 4)), max_size=16),
    st.booleans(),
)
def test_links_connect_what_all_pairs_of_copies_would(
    drawn: list[tuple[int, int, int, int]], within_group: bool
) -> None:
    bench = Bench("memory://bench", stages={"dedup": {"within_group": within_group, "radius": 1}})
    rows = [
        frame(f"s{n:02d}", bits, group_id=f"g{group}", parent_id=f"p{group}.{clip}", clean_pixel_sha256=f"c{pixels}")
        for n, (bits, group, clip, pixels) in enumerate(drawn)
    ]

    def copies(a: dict[str, Any], b: dict[str, Any]) -> bool:
        if a["clean_pixel_sha256"] == b["clean_pixel_sha256"] and (within_group or a["parent_id"] != b["parent_id"]):
            return True
        near = (int(a["phash"], 16) ^ int(b["phash"], 16)).bit_count() <= 1
        return near and (within_group or a["group_id"] != b["group_id"])

    pairs = {(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows)) if copies(rows[i], rows[j])}
    if rows:
        result = deduped(bench, rows)
        expected = sorted((rows[c[0]]["sample_id"], len(c)) for c in clusters(len(rows), pairs))
        assert sorted((row["cluster_id"], row["cluster_size"]) for row in kept(result).values()) == expected
        ids = {row["sample_id"]: n for n, row in enumerate(rows)}
        edges = {(ids[e["a"]], ids[e["b"]]) for e in result.side["edges"].to_pylist() if e["b"] in ids}
        assert edges <= pairs, "a link is a pair of copies itself"


def test_exact_copies_that_frames_dropped_become_aliases(bench: Bench) -> None:
    row = frame("a", 0, fields='{"class": "benign"}')
    same = {"dataset": "toy", "pixel_sha256": row["pixel_sha256"], "media": "image", "fields": '{"class": "malignant"}'}
    copies = [
        same | {"sample_id": "twin", "raw_sha256": row["raw_sha256"]},
        same | {"sample_id": "recoded", "raw_sha256": "others"},
    ]
    result = deduped(bench, [row], copies)
    aliases = {a["sample_id"]: a for a in map(json.loads, kept(result)["a"]["aliases"])}
    assert {id: alias["kind"] for id, alias in aliases.items()} == {"twin": "exact_bytes", "recoded": "exact_pixels"}
    assert aliases["twin"]["fields"] == {"class": "malignant"}
    assert {(e["a"], e["b"], e["kind"]) for e in result.side["edges"].to_pylist()} == {
        ("a", "twin", "exact_bytes"),
        ("a", "recoded", "exact_pixels"),
    }


def test_the_exact_copies_of_a_dropped_frame_go_to_the_one_that_stands_for_it(bench: Bench) -> None:
    winner, loser = frame("a", 0), frame("b", 1)
    twin = {"dataset": "toy", "pixel_sha256": loser["pixel_sha256"], "media": "image", "fields": "{}"}
    result = deduped(bench, [winner, loser], [twin | {"sample_id": "twin", "raw_sha256": "t"}])
    assert {json.loads(a)["sample_id"] for a in kept(result)["a"]["aliases"]} == {"b", "twin"}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 3)), min_size=1, max_size=14), st.data())
def test_clusters_do_not_depend_on_the_order_of_rows(drawn: list[tuple[int, int]], data: st.DataObject) -> None:
    bench = Bench("memory://bench")
    rows = [frame(f"s{n:02d}", bits, group_id=f"g{group}") for n, (bits, group) in enumerate(drawn)]
    shuffled = data.draw(st.permutations(rows))
    first, second = deduped(bench, rows), deduped(bench, shuffled)
    assert kept(first) == kept(second)
    assert first.side["edges"].sort_by([("a", "ascending"), ("b", "ascending")]) == second.side["edges"]
    assert first.rejects.sort_by("sample_id") == second.rejects.sort_by("sample_id")


def test_hashes_are_those_of_the_cleaned_frame(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stored = {"dataset": "toy", "sample_id": "a"}
    data = png(picture(1))
    file = bench.put("a.png", data)
    ref = {"clean_uri": file["file_uri"], "clean_offset": 0, "clean_length": len(data)}
    rows = [stored | ref | {"clean_sha256": file["file_sha256"]}, stored | {"sample_id": "lost"}]
    result, ctx = bench.call("dedup.hash", rows)
    (row,) = result.rows.to_pylist()
    assert row["phash"] == phash(picture(1))
    assert row["phash"] != phash(np.ascontiguousarray(picture(1)[:, ::-1]))
    assert ctx.errors[0]["sample_id"] == "lost"


def test_hashes_leave_the_device_screen_around_the_sector_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    rows = []
    for name, frame_value in (("a", 0), ("b", 200)):
        screen = np.full((128, 160), frame_value, np.uint8)
        screen[30:94, 40:120] = picture(1)
        data = png(screen)
        file = bench.put(f"{name}.png", data)
        ref = {"clean_uri": file["file_uri"], "clean_offset": 0, "clean_length": len(data)}
        sector = json.dumps([[[40, 30], [119, 30], [119, 93], [40, 93]]])
        rows.append({"dataset": "toy", "sample_id": name, "clean_sha256": file["file_sha256"], "sector": sector} | ref)
    result, _ = bench.call("dedup.hash", rows)
    assert set(result.rows["phash"].to_pylist()) == {phash(picture(1))}
    whole, _ = Bench(tmp_path, stages={"dedup.hash": {"inside_sector": False}}).call("dedup.hash", rows)
    assert len(set(whole.rows["phash"].to_pylist())) == 2
