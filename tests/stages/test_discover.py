from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.stages.bench import Bench, manifest, picture, png
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.datasets import load_records, save_record
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.stages.discover import DiscoverConfig, Query, searches


def test_all_queries_are_one_more_input_that_knows_the_catalogue() -> None:
    (name,) = searches(DiscoverConfig(queries=[Query(q="ultrasound"), Query(host="kaggle", q="a:b")]))
    assert re.fullmatch("search:[0-9a-f]{12}", name)
    assert searches(DiscoverConfig()) == ()


SEARCHED = [{"dataset": "search:0123456789ab"}]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    one = png(picture(1))
    save_record(
        folder, HostRecord("zenodo", "7", "Thyroid ultrasound", "Ours."), {"d/one.png": one, "list.csv": b"a,b\n"}
    )
    save_record(
        folder,
        HostRecord("zenodo", "8", "Lung ultrasound", "Not ours.", licence=None),
        {"lung.zip": b"PK\x05\x06" + bytes(18)},
    )
    save_record(folder, HostRecord("zenodo", "9", "Fetal ultrasound", "On request.", access="restricted"), {})
    return folder


def at(server: LocalHosts, folder: Path, **more: Any) -> Bench:
    """A bench whose dataset `toy` is record 7 of the local host."""
    sources = [{"host": "zenodo", "record": "7"}]
    toy = manifest(**{"sources": sources} | more.pop("fields", {}))
    return Bench(folder, toy, hosts={"zenodo": server.hosts["zenodo"]}, limits={"*": 0.0}, **more)


def test_a_dataset_gives_its_files_with_the_public_address(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host)) as server:
        result, ctx = at(server, tmp_path / "work").call("discover", [{"dataset": "toy"}])
    assert not ctx.errors
    rows = {row["file_name"]: row for row in result.rows.to_pylist()}
    assert set(rows) == {"d/one.png", "list.csv"}
    row = rows["d/one.png"]
    assert (row["file_size"], row["checksum"][:4], row["licence"]) == (len(png(picture(1))), "md5:", "CC0-1.0")
    assert row["url"].startswith("https://zenodo.org/"), "a local address in a row would change every digest"
    assert len({row["file_id"] for row in rows.values()}) == 2


def test_files_do_not_depend_on_the_port(host: Path, tmp_path: Path) -> None:
    found = []
    for work in ("one", "two"):
        with LocalHosts(load_records(host)) as server:
            result, _ = at(server, tmp_path / work).call("discover", [{"dataset": "toy"}])
        found.append(result.rows.to_pylist())
    assert found[0] == found[1]


def test_a_dataset_without_layout_waits(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host)) as server:
        bench = at(server, tmp_path / "work", fields={"status": "needs_layout"})
        result, _ = bench.call("discover", [{"dataset": "toy"}])
        assert result.rejects["reason"].to_pylist() == ["needs_layout"]
        assert not server.requests


@pytest.mark.parametrize(("record", "said"), [("9", "restricted"), ("555", "555")])
def test_a_record_that_cannot_be_had_is_an_error_row(host: Path, tmp_path: Path, record: str, said: str) -> None:
    with LocalHosts(load_records(host)) as server:
        bench = at(server, tmp_path / "work", fields={"sources": [{"host": "zenodo", "record": record}]})
        result, ctx = bench.call("discover", [{"dataset": "toy"}])
    assert result.rows.num_rows == 0
    assert said in ctx.errors[0]["message"]


def test_the_next_source_is_asked_when_the_first_fails(host: Path, tmp_path: Path) -> None:
    refs = [{"host": "zenodo", "record": "555"}, {"host": "zenodo", "record": "7"}]
    with LocalHosts(load_records(host)) as server:
        result, ctx = at(server, tmp_path / "work", fields={"sources": refs}).call("discover", [{"dataset": "toy"}])
    assert not ctx.errors
    assert set(result.rows["record"].to_pylist()) == {"7"}


def test_a_search_screens_every_record_and_keeps_the_raw_answers(host: Path, tmp_path: Path) -> None:
    stages = {"discover": {"queries": [{"q": "ultrasound"}]}}
    with LocalHosts(load_records(host)) as server:
        bench = at(server, tmp_path / "work", stages=stages)
        result, ctx = bench.call("discover", SEARCHED)
    assert not result.rows.num_rows
    found = {row["record"]: row for row in result.side["candidates"].to_pylist()}
    assert {record: row["verdict"] for record, row in found.items()} == {
        "7": "in_catalogue",
        "8": "awaits_manifest",
        "9": "restricted",
    }
    assert (found["7"]["files"], found["7"]["bytes"]) == (2, len(png(picture(1))) + 4)
    assert sorted(result.rejects["reason"].to_pylist()) == ["awaits_manifest", "in_catalogue", "restricted"]
    assert ctx.counters["pack_bytes"] > 1000


def test_a_record_with_the_files_of_another_is_a_copy_of_it(host: Path, tmp_path: Path) -> None:
    contents = {"d/one.png": png(picture(1)), "list.csv": b"a,b\n"}
    save_record(host, HostRecord("zenodo", "5", "Ultrasound, uploaded again"), contents)
    save_record(host, HostRecord("zenodo", "6", "Ultrasound, with more"), contents | {"two.png": png(picture(2))})
    with LocalHosts(load_records(host)) as server:
        bench = at(server, tmp_path / "work", stages={"discover": {"queries": [{"q": "ultrasound"}]}})
        result, _ = bench.call("discover", SEARCHED)
    found = {row["record"]: row["verdict"] for row in result.side["candidates"].to_pylist()}
    assert (found["7"], found["5"], found["6"]) == ("in_catalogue", "duplicate_content", "awaits_manifest")


def test_a_listing_that_breaks_off_keeps_what_came_before(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultracurate.sources.zenodo.PAGE_GUEST", 1)
    monkeypatch.setattr("ultracurate.sources.zenodo.WINDOW", 2)
    with LocalHosts(load_records(host)) as server:
        bench = at(server, tmp_path / "work", stages={"discover": {"queries": [{"q": "ultrasound"}]}})
        result, ctx = bench.call("discover", SEARCHED)
    assert result.side["candidates"].num_rows == 2
    (error,) = ctx.errors
    assert "showed 2 of them" in error["message"]


def test_a_search_without_results_says_so(host: Path, tmp_path: Path) -> None:
    stages = {"discover": {"queries": [{"q": "zeppelin"}]}}
    with LocalHosts(load_records(host)) as server:
        result, _ = at(server, tmp_path / "work", stages=stages).call("discover", SEARCHED)
    assert result.rejects["reason"].to_pylist() == ["nothing_found"]


def test_a_local_folder_without_a_place_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="root 'toy'"):
        Bench(tmp_path).call("discover", [{"dataset": "toy"}])


def test_a_link_that_leaves_a_local_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(png(picture(1)))
    (folder / "out.png").symlink_to("/etc/hostname")
    result, _ = Bench(tmp_path / "work", roots={"toy": str(tmp_path / "data")}).call("discover", [{"dataset": "toy"}])
    assert result.rows["file_name"].to_pylist() == ["one.png"]
    assert result.rejects["reason"].to_pylist() == ["refused_file"]
