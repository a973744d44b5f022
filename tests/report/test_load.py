from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from tests.stages.bench import manifest, picture, png, resolved, run_folder
from ultracurate.core.errors import ConfigError
from ultracurate.core.runner import RunResult
from ultracurate.core.spec import Spec
from ultracurate.core.store import Store
from ultracurate.phantom.datasets import load_records, save_record
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.packing import pack_zip
from ultracurate.report.funnel import FunnelRow, funnel
from ultracurate.report.load import finished_run, load_tables
from ultracurate.report.model import RunTables
from ultracurate.report.write import write_report

FAST = {"strip": {"method": "none"}, "split": {"val": 0.0, "test": 0.0}}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """An archive of five members, two of them copies and one broken, and two loose files."""
    one = png(picture(1))
    members = {"a.png": one, "b.png": one, "c.png": png(picture(2)), "bad.png": b"no picture", "read.me": b"hello"}
    folder = tmp_path / "host"
    contents = {"all.zip": pack_zip(members), "loose.png": png(picture(3)), "late.png": png(picture(4))}
    save_record(folder, HostRecord("zenodo", "7", "Thyroid ultrasound"), contents)
    return folder


def spec_at(server: LocalHosts, **recipe: Any) -> Spec:
    toy = manifest("toy", sources=[{"host": "zenodo", "record": "7"}])
    return resolved(toy, hosts={"zenodo": server.hosts["zenodo"]}, limits={"*": 0.0}, stages=FAST, **recipe)


def books(tables: RunTables) -> dict[str, FunnelRow]:
    """The funnel by stage, after checking that what left one stage is what entered the next."""
    rows = funnel(tables)
    for before, after in pairwise(rows):
        assert before.rows_out == after.rows_in, f"{before.stage} -> {after.stage}"
    return {row.stage: row for row in rows}


def test_the_books_of_a_run_with_every_kind_of_loss_balance(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host)) as server:
        spec = spec_at(server)
        result = run_folder(tmp_path / "work", spec)
    tables = load_tables(Store(tmp_path / "work"), spec, result)
    found = books(tables)
    index, frames = found["index"], found["frames"]
    assert (index.rows_in, index.kept, index.child_rejects, index.child_errors, index.rows_out) == (3, 3, 1, 1, 5)
    assert (frames.rows_in, frames.rejects, frames.rows_out) == (5, 1, 4)
    assert (found["discover"].rows_in, found["discover"].rows_out) == (1, 3)
    assert tables.frames.num_rows == found["shard"].rows_out == 4
    assert tables.edges["kind"].to_pylist() == ["exact_bytes"]
    assert tables.licences["toy"].licence == "CC0-1.0"
    assert set(tables.reasons) >= {"no_layout_rule", "exact_duplicate_bytes"}


def test_pixels_of_a_frame_can_be_fetched(host: Path, tmp_path: Path) -> None:
    with LocalHosts(load_records(host)) as server:
        spec = spec_at(server)
        result = run_folder(tmp_path / "work", spec)
    tables = load_tables(Store(tmp_path / "work"), spec, result)
    row = tables.frames.to_pylist()[0]
    for kind in ("frame", "clean", "mask"):
        data = tables.pixels(row[f"{kind}_uri"], row[f"{kind}_offset"], row[f"{kind}_length"])
        assert data.startswith(b"\x89PNG")


@pytest.mark.parametrize("retries", [1, 2])
def test_the_books_balance_after_a_retry_that_helps_and_one_that_does_not(
    host: Path, tmp_path: Path, retries: int
) -> None:
    work = tmp_path / "work"
    with LocalHosts(load_records(host), Faults(html_instead=frozenset({"late.png"}))) as server:
        spec = spec_at(server)
        first = run_folder(work, spec)
        before = books(load_tables(Store(work), spec, first))
        assert before["download"].errors == 1
        server.faults = Faults()
        for _ in range(retries):
            result = run_folder(work, spec, retry="all")
    tables = load_tables(Store(work), spec, result)
    found = books(tables)
    assert found["download"].errors == 0
    assert found["download"].rows_out == 3
    assert found["index"].child_errors == 1, "a broken member stays broken, and is counted once"
    assert found["shard"].rows_out == before["shard"].rows_out + 1
    assert tables.files.num_rows == 3
    assert len(pc.unique(tables.frames["sample_id"])) == tables.frames.num_rows
    attempts = next(stage for stage in tables.stages if stage.name == "index").errors["attempt"].to_pylist()
    assert attempts == [1 + retries]


def test_a_finished_run_is_found_again_from_its_directory(host: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    with LocalHosts(load_records(host)) as server:
        spec = spec_at(server)
        result = run_folder(tmp_path / "work", spec)
    again = finished_run(store, spec)
    assert again.parts == result.parts
    assert funnel(load_tables(store, spec, again)) == funnel(load_tables(store, spec, result))
    assert write_report(store, load_tables(store, spec, again)) == "reports/toy.html"
    page = store.read("reports/toy.html")
    write_report(store, load_tables(store, spec, result))
    assert store.read("reports/toy.html") == page


def test_an_unfinished_run_says_which_stage_is_missing(host: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    with LocalHosts(load_records(host)) as server:
        spec = spec_at(server)
        with pytest.raises(ConfigError, match="'discover'"):
            finished_run(store, spec)
        run_folder(tmp_path / "work", spec, last="frames")
    with pytest.raises(ConfigError, match="'strip'"):
        finished_run(store, spec)


def test_a_run_that_ends_with_nothing_still_has_books(tmp_path: Path) -> None:
    save_record(tmp_path / "host", HostRecord("zenodo", "7", "Thyroid ultrasound"), {"read.me": b"hello"})
    with LocalHosts(load_records(tmp_path / "host")) as server:
        spec = spec_at(server)
        result: RunResult = run_folder(tmp_path / "work", spec)
    store = Store(tmp_path / "work")
    tables = load_tables(store, spec, result)
    assert books(tables)["index"].rejects == 1 or books(tables)["index"].child_rejects == 1
    assert tables.frames.num_rows == 0
    write_report(store, tables)
