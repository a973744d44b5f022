from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.bench import Bench, manifest, picture, png, resolved, run_folder
from ultracurate.core.context import Context
from ultracurate.core.parts import read_table
from ultracurate.core.runner import RunResult
from ultracurate.core.schema import content_id
from ultracurate.core.stage import Row
from ultracurate.core.store import Store
from ultracurate.decoding.decode import decode_image, encode_png
from ultracurate.imaging.resize import letterbox
from ultracurate.phantom.frame import make_frame
from ultracurate.stages._shard_check import check_shards
from ultracurate.stages.shard import describe, unreal

Planned = dict[str, list[str]]


def split_rows(rows: list[tuple[str, str, str]]) -> list[Row]:
    """Rows of `split`, each a group of its own, from (sample id, dataset, split)."""
    return [
        {"sample_id": id, "dataset": dataset, "split": side, "group_id": id, "pixel_sha256": f"pixels of {id}"}
        for id, dataset, side in rows
    ]


def plan(rows: list[tuple[str, str, str]], datasets: tuple[str, ...] = ("first",), **settings: Any) -> Planned:
    """Shard -> sample ids in their order, for rows (sample id, dataset, split)."""
    bench = Bench("memory://bench", *map(manifest, datasets), stages={"shard.plan": settings})
    result, _ = bench.call("shard.plan", split_rows(rows))
    found: Planned = {}
    for row in sorted(result.rows.to_pylist(), key=lambda row: (row["shard"], row["shard_row"])):
        found.setdefault(row["shard"], []).append(row["sample_id"])
        assert row["shard_row"] == len(found[row["shard"]]) - 1
    return found


ROWS = st.lists(
    st.tuples(
        st.uuids().map(lambda u: u.hex), st.sampled_from(["first", "second"]), st.sampled_from(["train", "test"])
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[0],
)


@settings(deadline=None)
@given(ROWS, st.integers(1, 7), st.sampled_from(["dataset", "all"]))
def test_every_sample_is_in_one_shard_of_its_split(rows: list[tuple[str, str, str]], most: int, mix: str) -> None:
    shards = plan(rows, ("first", "second"), samples=most, mix=mix)
    assert sorted(id for ids in shards.values() for id in ids) == sorted(id for id, _, _ in rows)
    side_of = {id: side for id, _, side in rows}
    for name, ids in shards.items():
        assert 1 <= len(ids) <= most
        assert ids == sorted(ids), "members of a tar are sorted"
        assert {side_of[id] for id in ids} == {name.split("-")[1]}
    for side in ("train", "test"):
        numbers = [name for name in shards if f"-{side}-" in name]
        assert sorted(numbers) == [f"toy-{side}-{n:06d}.tar" for n in range(len(numbers))]


@settings(deadline=None)
@given(ROWS, st.integers(1, 7))
def test_an_appended_dataset_leaves_earlier_shards_alone(rows: list[tuple[str, str, str]], most: int) -> None:
    alone = plan([row for row in rows if row[1] == "first"], samples=most)
    together = plan(rows, ("first", "second"), samples=most)
    assert {name: together[name] for name in alone} == alone


def grouped(rows: list[tuple[str, str, str, str]]) -> dict[str, str]:
    """Published group by sample id, for rows (sample id, dataset, group, pixel digest)."""
    named = [
        {"sample_id": id, "dataset": dataset, "split": "train", "group_id": group, "pixel_sha256": pixels}
        for id, dataset, group, pixels in rows
    ]
    bench = Bench("memory://bench", manifest("first"), manifest("second"))
    result, _ = bench.call("shard.plan", named)
    return {row["sample_id"]: row["public_group"] for row in result.rows.to_pylist()}


KEYS = [("a", "first", "p1", "c3"), ("b", "first", "p1", "c1"), ("c", "first", "p2", "c2"), ("d", "second", "p1", "c4")]


def test_a_group_gets_one_published_id_and_no_other_group_has_it() -> None:
    found = grouped(KEYS)
    assert found["a"] == found["b"]
    assert len(set(found.values())) == 3


def test_the_published_group_comes_from_pixels_and_never_from_the_key() -> None:
    renamed = [(id, dataset, f"other key {group}", pixels) for id, dataset, group, pixels in KEYS]
    assert grouped(renamed) == grouped(KEYS) == grouped(KEYS[::-1])
    assert grouped(KEYS)["b"] == content_id("group", "first", "c1")
    redrawn = [(id, dataset, group, f"{pixels}x") for id, dataset, group, pixels in KEYS]
    assert not set(grouped(redrawn).values()) & set(grouped(KEYS).values())


def test_a_group_keeps_its_id_when_other_groups_come() -> None:
    assert grouped(KEYS[:2])["a"] == grouped(KEYS)["a"]


def test_mixed_shards_hold_several_datasets() -> None:
    rows = [(f"{n:03d}", ("first", "second")[n % 2], "train") for n in range(60)]
    of = {id: dataset for id, dataset, _ in rows}
    assert all(
        len({of[id] for id in ids}) == 2 for ids in plan(rows, ("first", "second"), samples=20, mix="all").values()
    )
    apart = plan(rows, ("first", "second"), samples=20)
    assert all(len({of[id] for id in ids}) == 1 for ids in apart.values())


def test_neighbours_by_id_are_spread_over_shards_by_the_seed() -> None:
    rows = [(f"{n:03d}", "first", "train") for n in range(100)]
    shards = plan(rows, samples=10)
    assert max(len(set(ids) & {f"{n:03d}" for n in range(10)}) for ids in shards.values()) < 8
    bench = Bench("memory://bench", manifest("first"), seed=1, stages={"shard.plan": {"samples": 10}})
    other, _ = bench.call("shard.plan", split_rows(rows))
    assert {row["sample_id"] for row in other.rows.to_pylist() if row["shard"].endswith("000000.tar")} != set(
        shards["toy-train-000000.tar"]
    )


SECRET = "DOE_JANE"
LAYOUT = [{"match": "{patient}/{name}.png", "kind": "image"}]
STAGES = {
    "strip": {"ocr": False},
    "split": {"val": 0.0, "test": 0.0},
    "shard": {"size": 96},
    "shard.plan": {"samples": 3},
}


def write_data(folder: Path, slugs: tuple[str, ...] = ("one", "two")) -> dict[str, str]:
    """Folders of pictures, four for each dataset; returns the roots of the recipe."""
    for place, slug in enumerate(slugs):
        for n in range(4):
            path = folder / slug / f"{SECRET}_{n}" / f"scan_{n}.png"
            path.parent.mkdir(parents=True)
            image = picture(10 * place + n, 60 + 10 * n, 90)
            if (place, n) == (0, 0):
                image = make_frame("thyroid", "linear", "atlas", 11, (240, 320), ("caliper",)).image[:120, 40:200]
            path.write_bytes(png(image))
    return {"toy": str(folder)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, RunResult, Any]:
    folder = tmp_path_factory.mktemp("shards")
    roots = write_data(folder / "data")
    toys = [manifest(slug, layout=LAYOUT, group="{patient}") for slug in ("one", "two")]
    spec = resolved(*toys, roots=roots, stages=STAGES)
    return Store(folder / "work"), run_folder(folder / "work", spec), spec


def rows_of(finished: tuple[Store, RunResult, Any]) -> list[Row]:
    store, result, _ = finished
    return [row for part in result.parts["shard"] for row in read_table(store, part.path()).to_pylist()]


def members(store: Store, row: Row) -> dict[str, bytes]:
    with store.open(f"shards/toy/{row['shard']}") as file, tarfile.open(fileobj=file) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def test_a_shard_holds_the_letterboxed_clean_picture_its_mask_and_words(
    finished: tuple[Store, RunResult, Any],
) -> None:
    store, _, spec = finished
    ctx: Context = Bench(store.url, *spec.manifests.values(), roots=spec.recipe.roots).context("shard")
    painted = 0
    for row in rows_of(finished):
        found = members(store, row)
        clean = decode_image(ctx.read(row, "clean"), "png")
        expected, move = letterbox(clean, 96, smooth=True)
        assert found[f"{row['sample_id']}.png"] == encode_png(expected)
        bits = decode_image(ctx.read(row, "mask"), "png")
        mask = decode_image(found[f"{row['sample_id']}.mask.png"], "png")
        assert np.array_equal(mask, unreal(bits, 96))
        painted += int((mask == 255).any())
        words = json.loads(found[f"{row['sample_id']}.json"])
        assert json.loads(words["geometry"])["transform"] == move
        assert words["split"] == row["split"] == "train"
        assert words["sample_id"] == row["sample_id"]
        assert words["positive"] == ""
        assert words["licence"] == "CC0-1.0"
    assert painted


def test_a_sample_tells_what_cleaning_did_and_every_key_has_one_type(finished: tuple[Store, RunResult, Any]) -> None:
    (row, *_) = rows_of(finished)
    words = describe(row, None)
    assert (words["strip_method"], words["strip_net"]) == (row["strip_method"], row["strip_net"] or "")
    assert words["verdict"] in ("ok", "flagged")
    for name in ("blanked_share", "invented_share", "zeroed_share"):
        assert words[name] == round(row[name], 6)
    absent = {"strip_net": None, "verdict_reason": None, "strings_left": None}
    known = {"strip_net": "overlay-v1", "verdict_reason": "wide_mark", "strings_left": 3}
    one, other = describe(row | absent, None), describe(row | known, None)
    assert [type(value) for value in one.values()] == [type(value) for value in other.values()]
    assert None not in one.values()
    assert (one["strings_left"], other["strings_left"]) == (-1, 3)


def test_the_index_says_where_each_member_lies(finished: tuple[Store, RunResult, Any]) -> None:
    store = finished[0]
    seen = 0
    for name in store.names("shards/toy"):
        if not name.endswith(".parquet"):
            continue
        data = store.read(f"shards/toy/{name.removesuffix('.parquet')}.tar")
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            names = tar.getnames()
            assert names == sorted(names)
            assert {(info.uid, info.gid, info.mtime, info.uname) for info in tar} == {(0, 0, 0, "")}
        for row in pq.read_table(io.BytesIO(store.read(f"shards/toy/{name}"))).to_pylist():
            seen += 1
            for kind in ("image", "mask"):
                start, length = row[f"tar_{kind}_offset"], row[f"tar_{kind}_length"]
                assert decode_image(data[start : start + length], "png").shape == (96, 96)
            start, length = row["tar_json_offset"], row["tar_json_length"]
            assert json.loads(data[start : start + length])["sample_id"] == row["sample_id"]
    assert seen == 8


def test_no_path_or_name_of_the_source_reaches_a_shard(finished: tuple[Store, RunResult, Any]) -> None:
    store = finished[0]
    assert SECRET in str(rows_of(finished)), "the local ledger does hold it"
    for name in store.names("shards/toy"):
        data = store.read(f"shards/toy/{name}")
        assert SECRET.encode() not in data
        assert b"scan_" not in data
        assert store.url.encode() not in data
        if name.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(data))
            assert not {"path", "member", "fields", "url", "file_name", "raw_uri"} & set(table.schema.names)
            assert SECRET not in str(table.to_pylist())


def test_no_published_id_can_be_had_by_trying_keys_or_paths(finished: tuple[Store, RunResult, Any]) -> None:
    store = finished[0]
    rows = rows_of(finished)
    tables = {name: store.read(f"shards/toy/{name}") for name in store.names("shards/toy")}
    said = "".join(str(pq.read_table(io.BytesIO(tables[name])).to_pylist()) for name in tables if "parquet" in name)
    said += "".join(data.decode("latin-1") for name, data in tables.items() if name.endswith(".tar"))
    for row in rows:
        patient, _, name = row["path"].partition("/")
        guessed = content_id(row["dataset"], "group", patient)
        assert row["group_id"] == guessed, "the internal id is what anybody can compute who knows the key"
        assert guessed not in said
        # The file's digest is what somebody without the file lacks to try paths with.
        assert row["sample_id"] in said
        assert row["parent_id"] == content_id(row["dataset"], row["file_sha256"], f"{patient}/{name}")
        assert row["file_sha256"] not in said
        assert row["public_group"] in said


def test_a_host_s_own_record_is_told_and_a_folder_s_is_not(finished: tuple[Store, RunResult, Any]) -> None:
    (row, *_) = rows_of(finished)
    own, public = (describe(row | {"host": host, "record": SECRET}, None) for host in ("local", "zenodo"))
    assert (own["record"], own["archive_sha256"], own["original_sha256"]) == ("", "", "")
    assert public["record"] == SECRET
    assert public["archive_sha256"] == row["file_sha256"]
    assert public["original_sha256"] == row["frame_sha256"]
    assert own.keys() == public.keys()


def test_a_shard_holds_one_dataset_and_the_promised_number(finished: tuple[Store, RunResult, Any]) -> None:
    of: dict[str, list[str]] = {}
    for row in rows_of(finished):
        of.setdefault(row["shard"], []).append(row["dataset"])
    assert sorted((len(found), len(set(found))) for found in of.values()) == [(1, 1), (1, 1), (3, 1), (3, 1)]


def sums(store: Store) -> dict[str, str]:
    lines = store.read("shards/toy/SHA256SUMS").decode().splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def test_digests_cover_every_file(finished: tuple[Store, RunResult, Any]) -> None:
    store = finished[0]
    listed = sums(store)
    assert set(listed) == set(store.names("shards/toy")) - {"SHA256SUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256(store.read(f"shards/toy/{name}")).hexdigest() == digest
    assert check_shards(Store(f"{store.url}/shards/toy")) == []


def tree(store: Store) -> dict[str, bytes]:
    return {name: store.read(f"shards/toy/{name}") for name in store.names("shards/toy")}


def test_publishing_again_changes_nothing(finished: tuple[Store, RunResult, Any]) -> None:
    store, _, spec = finished
    before = tree(store)
    again = run_folder(Path(store.url), spec)
    assert not any(again.computed.values())
    assert tree(store) == before


def test_stale_shards_go_and_foreign_files_stay(tmp_path: Path) -> None:
    roots = write_data(tmp_path / "data")
    toys = [manifest(slug, layout=LAYOUT, group="{patient}") for slug in ("one", "two")]
    stages = STAGES | {"strip": {"method": "none"}}
    work = tmp_path / "work"
    run_folder(work, resolved(*toys, roots=roots, stages=stages))
    store = Store(work)
    before = tree(store)
    assert len(before) == 9
    store.write("shards/toy/notes.txt", b"mine")
    run_folder(work, resolved(toys[0], roots=roots, stages=stages))
    after = tree(store)
    assert after.pop("notes.txt") == b"mine"
    assert set(after) == {f"toy-train-00000{n}.{kind}" for n in (0, 1) for kind in ("tar", "parquet")} | {"SHA256SUMS"}
    assert set(sums(store)) == set(after) - {"SHA256SUMS"}
    assert all(after[name] == before[name] for name in after if name != "SHA256SUMS")
    run_folder(work, resolved(*toys, roots=roots, stages=stages))
    assert {name: data for name, data in tree(store).items() if name != "notes.txt"} == before


def test_the_size_can_be_kept(tmp_path: Path) -> None:
    roots = write_data(tmp_path / "data", ("one",))
    toy = manifest("one", layout=LAYOUT, group="{patient}")
    stages = STAGES | {"strip": {"method": "none"}, "shard": {"size": None}, "shard.plan": {}}
    work = tmp_path / "work"
    result = run_folder(work, resolved(toy, roots=roots, stages=stages))
    store = Store(work)
    for part in result.parts["shard"]:
        for row in read_table(store, part.path()).to_pylist():
            found = members(store, row)
            image = decode_image(found[f"{row['sample_id']}.png"], "png")
            assert image.shape[:2] == (row["height"], row["width"])
            words = json.loads(found[f"{row['sample_id']}.json"])
            assert json.loads(words["geometry"])["transform"] is None
