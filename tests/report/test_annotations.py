"""The report counts pictures with annotations, by dataset and kind, and says what could not be tied."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pyarrow as pa

from tests.report.tables import run_of
from ultracurate.core.annotations import PROBLEMS
from ultracurate.report.annotations import Drawn, annotations_section, drawn
from ultracurate.report.html import render
from ultracurate.report.model import RunTables

Row = tuple[str, str, str | None, str | None, bool]

ROWS: list[Row] = [
    ("busi", "mask", "s1", None, False),
    ("busi", "mask", "s1", None, True),
    ("busi", "mask", "s2", None, True),
    ("busi", "mask", "s3", "other_size", False),
    ("busi", "box", "s1", None, False),
    ("busi", "box", "s1", None, False),
    ("busi", "box", None, "no_picture", False),
    ("busi", "box", None, "no_picture", False),
    ("fetal-planes", "polygon", "s9", None, False),
]


def run_with(rows: list[Row]) -> RunTables:
    names = ("dataset", "kind", "sample_id", "problem", "empty")
    kinds = (pa.string(),) * 4 + (pa.bool_(),)
    table = pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], schema=pa.schema(list(zip(names, kinds, strict=True)))
    )
    return replace(run_of(9), annotations=table)


def test_pictures_are_counted_once_for_each_kind() -> None:
    pictures = Counter(run_with(ROWS).samples["dataset"].to_pylist())
    assert drawn(run_with(ROWS)) == {
        "busi": Drawn(pictures["busi"], Counter(mask=1, box=1), 1, 8, Counter(no_picture=2, other_size=1)),
        "fetal-planes": Drawn(pictures["fetal-planes"], Counter(polygon=1), 0, 1, Counter()),
    }


def test_the_page_has_a_line_for_each_dataset_and_the_meaning_of_what_went_wrong() -> None:
    page = render(run_with(ROWS), gallery=0)
    assert '<a href="#annotations">' in page
    text = re.sub(r"<[^>]+>", " ", annotations_section(run_with(ROWS)).text)  # type: ignore[union-attr]
    assert "no picture: 2; other size: 1" in text
    assert PROBLEMS["no_picture"] in text
    assert PROBLEMS["outside"] not in text


def test_a_run_without_annotations_is_silent() -> None:
    assert annotations_section(run_with([])) is None
    assert annotations_section(run_of(1)) is None
    assert 'href="#annotations"' not in render(run_of(1), gallery=0)
