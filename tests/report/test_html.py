"""The whole page: self-contained, the same every time, and silent about names."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest

from tests.report.tables import PATIENT, errors, full_run, rejects, run_of
from ultracurate.core.errors import RowError
from ultracurate.report.funnel import funnel
from ultracurate.report.html import NAVIGATION, headline, render
from ultracurate.report.model import DatasetLicence, StageTables

VOID = {"img", "input", "meta", "link", "br"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Page(HTMLParser):
    """Collects the elements of a page and fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render(full_run(), gallery=6)


def test_same_tables_give_the_same_page(page: str) -> None:
    assert render(full_run(), gallery=6) == page


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    parsed = Page(page)
    for _, attributes in parsed.found:
        for name in ("src", "srcset", "poster", "data", "action", "background"):
            assert (attributes.get(name) or "data:image/").startswith("data:image/")
    assert [link["href"] for link in parsed.all("link")] == ["data:,"]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(", page)
    policy = next(m["content"] for m in parsed.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_member_paths_file_names_and_groups_are_not_shown(page: str) -> None:
    text = re.sub('data:image/[^"]*', "", page)
    assert not [word for word in (*PATIENT.split("_"), "notes.txt", "scan.dcm") if word in text]
    assert "held back: it may name a file or a person" in page


def test_every_section_has_its_place_in_the_navigation(page: str) -> None:
    parsed = Page(page)
    assert [s["id"] for s in parsed.all("section")] == [
        name for name, _ in NAVIGATION if name not in ("searches", "stripped", "annotations", "privacy")
    ]
    ids = [attributes["id"] for _, attributes in parsed.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in parsed.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids


def test_every_picture_has_an_alternative_text(page: str) -> None:
    images = Page(page).all("img")
    assert len(images) > 18
    assert all(image["alt"] for image in images)


def test_headline_follows_the_stages() -> None:
    tables = full_run(12, lost=5)
    numbers = headline(tables, funnel(tables))
    assert (numbers.datasets, numbers.files, numbers.samples, numbers.frames, numbers.sharded) == (3, 7, 13, 29, 12)
    assert (numbers.rejects, numbers.errors) == (9 + 3 + 5 + 9, 1 + 1 + 3)


def test_hostile_strings_stay_text() -> None:
    stage = StageTables("<b>strip</b>", 3, 1, rejects((HOSTILE, 1, "<img onerror=alert(3)>"), dataset=HOSTILE), _bad())
    tables = run_of(
        1,
        stages=[stage],
        recipe=HOSTILE,
        run_id=HOSTILE,
        licences={"busi": DatasetLicence("busi", HOSTILE, HOSTILE, evidence="javascript:alert(4)", note="<i>note")},
        names={"breast": HOSTILE},
        versions={HOSTILE: HOSTILE},
        started=HOSTILE,
        conflicts=[HOSTILE],
        reasons={HOSTILE: HOSTILE},
    )
    tables = replace(tables, frames=_with(tables.frames, dataset=HOSTILE, organ=[HOSTILE], split=HOSTILE))
    text = render(tables)
    parsed = Page(text)
    assert len(parsed.all("script")) == 1
    assert not any(key.startswith("on") for _, attributes in parsed.found for key in attributes)
    assert not any("javascript" in (link["href"] or "") for link in parsed.all("a"))
    assert "alert(1)" in parsed.words
    assert "<i>note" in parsed.words
    assert not {"b>strip", "i>note"} & {tag for tag, _ in parsed.found}


def _bad() -> pa.Table:
    return errors(("Row<Error>", "wrong \x00\x1b[31m sign \u202e reversed"))


def _with(frames: pa.Table, **changes: object) -> pa.Table:
    for name, value in changes.items():
        place = frames.schema.get_field_index(name)
        frames = frames.set_column(place, frames.field(name), pa.array([value], frames.field(name).type))
    return frames


def test_control_and_direction_marks_are_made_visible() -> None:
    text = render(run_of(0, stages=[StageTables("strip", 1, 0, rejects(), _bad())]))
    assert not re.search("[\x00\x1b\u202e]", text)
    assert "Row&lt;Error&gt;" in text


def test_a_run_without_anything_still_makes_a_page() -> None:
    parsed = Page(render(run_of(0)))
    assert parsed.words.count("No frames") >= 2
    assert "Nothing was lost." in parsed.words
    assert "This run has no stages yet." in parsed.words


def test_one_frame_and_a_bare_table_make_a_page() -> None:
    assert Page(render(run_of(1), gallery=1)).words.count("Frame") >= 1
    bare = run_of(1, frames=pa.table({"sample_id": ["a1"], "dataset": pa.array([None], pa.string())}))
    assert "No picture (not kept)" in Page(render(bare)).words


def test_pixels_that_cannot_be_fetched_leave_a_mark_and_no_name() -> None:
    def fail(uri: str, offset: int, length: int) -> bytes:
        raise RowError(f"{PATIENT} is not readable")

    text = render(replace(full_run(9), pixels=fail))
    assert "No picture (RowError)" in text
    assert PATIENT not in text
    assert "data:image/jpeg" not in text


def test_rows_missing_between_two_stages_are_called_out() -> None:
    none = rejects()
    stages = [StageTables("strip", 5, 5, none, _no()), StageTables("dedup", 3, 3, none, _no())]
    assert "5 frames left strip, but 3 frames entered dedup" in render(run_of(0, stages=stages))
    assert "entered" not in render(run_of(0, stages=stages[:1]))


def _no() -> pa.Table:
    return _bad().slice(0, 0)
