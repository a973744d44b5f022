from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stages.bench import Bench, manifest, picture, png
from ultracurate.phantom.datasets import load_records, save_record
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

BIG = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
CONTENTS = {"small.png": png(picture(1)), "big.bin": BIG}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    save_record(folder, HostRecord("zenodo", "7", "Thyroid ultrasound"), CONTENTS)
    return folder


def bench_at(server: LocalHosts, work: Path, **recipe: Any) -> Bench:
    toy = manifest(sources=[{"host": "zenodo", "record": "7"}])
    return Bench(work, toy, hosts={"zenodo": server.hosts["zenodo"]}, limits={"*": 0.0}, **recipe)


def discovered(bench: Bench) -> list[dict[str, Any]]:
    result, ctx = bench.call("discover", [{"dataset": "toy"}])
    assert not ctx.errors
    rows: list[dict[str, Any]] = result.rows.to_pylist()
    return rows


def bodies(server: LocalHosts) -> list[str]:
    """Paths of the file bodies that were asked for."""
    return [request.path for request in server.requests if request.path.endswith("/content")]


def stored(work: Path) -> list[Path]:
    return [path for path in (work / "files").rglob("*") if path.is_file() and path.suffix != ".json"]


def test_files_are_stored_by_their_digest_and_fetched_once(host: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with LocalHosts(load_records(host)) as server:
        bench = bench_at(server, work)
        rows = discovered(bench)
        result, ctx = bench.call("download", rows)
        assert not ctx.errors
        assert len(bodies(server)) == 2
        for row in result.rows.to_pylist():
            data = CONTENTS[row["file_name"]]
            assert bench.store.read(row["file_uri"]) == data
            assert row["file_sha256"] == hashlib.sha256(data).hexdigest()
            assert row["file_uri"].endswith(row["file_sha256"])
            assert row["file_bytes"] == len(data)
        again, ctx = bench.call("download", rows)
        assert len(bodies(server)) == 2
        assert ctx.counters["files_already_here"] == 2
        assert not ctx.counters["bytes_transferred"]
        assert again.rows == result.rows
        other_recipe = bench_at(server, work, name="other", seed=9)
        other_recipe.call("download", discovered(other_recipe))
        assert len(bodies(server)) == 2
    assert not list((work / "tmp").rglob("*.part*"))


@pytest.mark.parametrize("damage", ["gone", "shorter"])
def test_a_stored_file_that_is_gone_or_cut_is_fetched_again(host: Path, tmp_path: Path, damage: str) -> None:
    with LocalHosts(load_records(host)) as server:
        bench = bench_at(server, tmp_path / "work")
        rows = [row for row in discovered(bench) if row["file_name"] == "big.bin"]
        result, _ = bench.call("download", rows)
        path = tmp_path / "work" / result.rows["file_uri"][0].as_py()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(BIG[:-1])
        again, ctx = bench.call("download", rows)
        assert not ctx.errors
        assert len(bodies(server)) == 2
        assert bench.store.read(again.rows["file_uri"][0].as_py()) == BIG


def test_a_cut_transfer_goes_on_where_it_stopped(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host), Faults(only="big.bin", cut_after=200_000)) as server:
        bench = bench_at(server, tmp_path / "work")
        rows = [row for row in discovered(bench) if row["file_name"] == "big.bin"]
        result, ctx = bench.call("download", rows)
        assert not ctx.errors
        ranges = [r.headers.get("range") for r in server.requests if r.path.endswith("/content")]
    assert ranges == [None, "bytes=200000-"]
    assert ctx.counters["bytes_transferred"] == len(BIG), "no byte came twice"
    assert bench.store.read(result.rows["file_uri"][0].as_py()) == BIG


def test_wrong_bytes_are_an_error_row_and_nothing_is_stored(host: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with LocalHosts(load_records(host), Faults(wrong_md5=frozenset({"big.bin"}))) as server:
        bench = bench_at(server, work)
        rows = discovered(bench)
        result, ctx = bench.call("download", rows)
    assert result.rows["file_name"].to_pylist() == ["small.png"]
    (error,) = ctx.errors
    assert "md5" in error["message"]
    assert [path.read_bytes() for path in stored(work)] == [CONTENTS["small.png"]]


def test_a_web_page_in_place_of_the_file_is_refused(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host), Faults(html_instead=frozenset({"small.png"}))) as server:
        bench = bench_at(server, tmp_path / "work")
        result, ctx = bench.call("download", discovered(bench))
    assert result.rows["file_name"].to_pylist() == ["big.bin"]
    assert "web page" in ctx.errors[0]["message"]


def test_a_local_file_stays_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(CONTENTS["small.png"])
    bench = Bench(tmp_path / "work", roots={"toy": str(tmp_path / "data")})
    rows = discovered(bench)
    result, _ = bench.call("download", rows)
    (row,) = result.rows.to_pylist()
    assert row["file_uri"] == "root://toy/toy/one.png"
    assert row["file_sha256"] == hashlib.sha256(CONTENTS["small.png"]).hexdigest()
    assert not stored(tmp_path / "work")
    with bench.context("index").blobs.open(row["file_uri"]) as file:
        assert file.read() == CONTENTS["small.png"]


def test_a_local_file_that_vanished_is_an_error_row(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(CONTENTS["small.png"])
    bench = Bench(tmp_path / "work", roots={"toy": str(tmp_path / "data")})
    rows = discovered(bench)
    (folder / "one.png").unlink()
    result, ctx = bench.call("download", rows)
    assert result.rows.num_rows == 0
    assert "is gone" in ctx.errors[0]["message"]
