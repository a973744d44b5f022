"""The report counts what may identify somebody by dataset and place, and holds back every word that is no keyword."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.report.tables import PATIENT, run_of
from tests.stages.bench import manifest, picture, png, resolved, run_folder
from ultracurate.core.parts import PartRef, encode
from ultracurate.core.store import Store
from ultracurate.report.html import render
from ultracurate.report.load import _identifying, load_tables
from ultracurate.report.model import IDENTIFYING, RunTables
from ultracurate.report.privacy import PLACES, met_at_the_door, privacy_section
from ultracurate.stages import _identifying as stage

ROWS = [
    ("busi", "f1", "folder", "birth_date", 1),
    ("busi", "f1", "folder", "name", 2),
    ("busi", "f2", "folder", "birth_date", 1),
    ("busi", "f2", "header", "PatientName", 1),
    ("atd", "f3", "archive", "comment", 7),
]


def table(rows: list[tuple[str, str, str, str, int]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(IDENTIFYING.names, row, strict=True)) for row in rows], schema=IDENTIFYING)


def run_with(rows: list[tuple[str, str, str, str, int]]) -> RunTables:
    return replace(run_of(1), identifying=table(rows))


def test_files_are_counted_once_and_findings_are_added_up() -> None:
    found = met_at_the_door(run_with(ROWS))
    assert found == {
        ("atd", "archive"): (1, Counter(comment=7)),
        ("busi", "folder"): (2, Counter(birth_date=2, name=2)),
        ("busi", "header"): (1, Counter(PatientName=1)),
    }
    assert list(found) == sorted(found, key=lambda key: (key[0], list(PLACES).index(key[1])))


def test_the_page_has_one_line_for_each_dataset_and_place() -> None:
    page = render(run_with(ROWS), gallery=0)
    assert '<a href="#privacy">' in page
    text = re.sub(r"<[^>]+>", " ", privacy_section(run_with(ROWS)).text)  # type: ignore[union-attr]
    assert "dates before 2010, as of a birth: 2; names of persons: 2" in text
    assert "PatientName: 1" in text
    assert "comment: 7" in text


def test_a_word_that_is_no_keyword_is_held_back() -> None:
    shown = privacy_section(run_with([("busi", "f1", "metadata", f"{PATIENT} 1961", 3)]))
    assert shown is not None
    assert PATIENT not in shown.text
    assert "another field: 3" in shown.text


def test_a_run_that_met_nothing_says_so_and_one_that_did_not_look_is_silent() -> None:
    shown = privacy_section(run_with([]))
    assert shown is not None
    assert "Nothing of the kind was met." in shown.text
    assert privacy_section(run_of(1)) is None
    assert 'href="#privacy"' not in render(run_of(1), gallery=0)


def test_the_page_and_the_stage_mean_the_same_table() -> None:
    assert IDENTIFYING == stage.IDENTIFYING


@pytest.mark.parametrize("retried", [False, True])
def test_of_a_file_that_was_tried_again_the_last_attempt_counts(tmp_path: Path, retried: bool) -> None:
    store = Store(tmp_path)
    attempts = [ROWS, [("busi", "f1", "folder", "birth_date", 1), ("busi", "f1", "member", "name", 4)]]
    parts = []
    for place, rows in enumerate(attempts[: 1 + retried]):
        parts.append(PartRef("index/x", f"p{place}", "busi", 1, "", side=("identifying",)))
        store.write(parts[-1].path("identifying"), encode(table(rows)))
    found = _identifying(store, [*parts, PartRef("index/x", "p9", "busi", 1, "")])
    of_first = [row for row in found.to_pylist() if row["file_id"] == "f1"]
    assert sorted((row["where"], row["kind"], row["count"]) for row in of_first) == (
        [("folder", "birth_date", 1), ("member", "name", 4)]
        if retried
        else [("folder", "birth_date", 1), ("folder", "name", 2)]
    )
    assert found.num_rows == 5


def test_a_real_run_is_counted_from_its_side_tables(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "toy" / "Doe, Jane 1961-03-04"
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"{number}.png").write_bytes(png(picture(number)))
    toy = manifest("toy", layout=[{"match": "{patient}/{name}.png", "kind": "image"}])
    spec = resolved(toy, roots={"toy": str(tmp_path / "data")}, stages={"strip": {"method": "none"}})
    result = run_folder(tmp_path / "work", spec)
    tables = load_tables(Store(tmp_path / "work"), spec, result)
    assert met_at_the_door(tables) == {("toy", "folder"): (2, Counter(birth_date=2, name=2))}
    page = render(tables, gallery=0)
    assert "1961" not in page
    assert "Jane" not in page
    assert io.StringIO(page).readline().startswith("<!doctype html>")
