"""Least certain frames come first, are shown cleaned only, and what was set aside is counted and not shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.report.tables import FRAMES, PATIENT, Pack, errors, frame_row, rejects, run_of
from ultracurate.core.schema import table
from ultracurate.report.html import render
from ultracurate.report.model import RunTables, StageTables
from ultracurate.report.stripped import stripped_section, uncertainty

SURE = {
    "verdict": "ok",
    "sector_confidence": 0.9,
    "invented_share": 0.001,
    "zeroed_share": 0.0,
    "strip_method": "default",
    "sector_kind": "convex",
}


def run_with(*changes: dict[str, Any]) -> tuple[RunTables, Pack]:
    pack = Pack()
    rows = [frame_row(pack, place, **(SURE | change)) for place, change in enumerate(changes)]
    frames = table(rows, FRAMES)
    aside = rejects(("text_left", 2, "2 strings left"), ("too_much_masked", 1, "12 %"))
    stage = StageTables("strip", len(rows) + 3, len(rows), aside, errors(), 1.0, 10, 1)
    return replace(run_of(1), frames=frames, candidates=frames, stages=[stage], pixels=pack.read), pack


def test_flagged_come_first_then_those_with_more_erased_and_less_certain_fields() -> None:
    flagged = SURE | {"verdict": "flagged", "sample_id": "d"}
    much = SURE | {"invented_share": 0.02, "sample_id": "c"}
    unsure = SURE | {"sector_confidence": 0.2, "sample_id": "b"}
    plain = SURE | {"sample_id": "a"}
    assert sorted([plain, unsure, much, flagged], key=uncertainty) == [flagged, unsure, much, plain]


def test_only_cleaned_pictures_are_read_and_no_name_is_shown() -> None:
    tables, pack = run_with({}, {"verdict": "flagged", "verdict_reason": "wide_mark"}, {})
    read: list[tuple[int, int]] = []

    def pixels(uri: str, offset: int, length: int) -> bytes:
        read.append((offset, length))
        return pack.read(uri, offset, length)

    part = stripped_section(replace(tables, pixels=pixels), 2)
    assert part is not None
    clean = set(zip(tables.frames["clean_offset"].to_pylist(), tables.frames["clean_length"].to_pylist(), strict=True))
    assert len(read) == 2
    assert set(read) <= clean
    assert part.text.count("<img") == 2
    assert PATIENT not in part.text
    assert part.text.index("flagged: wide mark; ") < part.text.index("ok; ")


def test_a_picture_comes_with_its_verdict_its_reason_and_its_shares() -> None:
    doubt = {"verdict": "flagged", "verdict_reason": "much_masked", "invented_share": 0.031, "zeroed_share": 0.012}
    part = stripped_section(run_with({}, doubt)[0], 2)
    assert part is not None
    assert re.findall("<small>(.*?)</small>", part.text) == [
        "flagged: much masked; 3.1 % painted, 1.2 % black; field convex",
        "ok; 0.10 % painted, 0.0 % black; field convex",
    ]


def test_each_dataset_has_a_line_with_what_was_flagged_and_set_aside() -> None:
    tables, _ = run_with({}, {"verdict": "flagged", "verdict_reason": "wide_mark"}, {"strings_found": 4})
    part = stripped_section(tables, 0)
    assert part is not None
    assert "<img" not in part.text
    rows = [re.sub("<[^>]+>", " ", row).split() for row in re.findall("<tr>(.*?)</tr>", part.text, flags=re.S)]
    busi = next(row for row in rows if row[0] == "busi")
    assert busi[:5] == ["busi", "default", "1", "0", "3"]
    assert "text left 2, too much masked 1" in " ".join(busi)
    assert "wide mark 1" in " ".join(next(row for row in rows if row[0] == "thyroid-cine"))


def test_a_run_without_verdicts_has_no_such_section() -> None:
    assert stripped_section(run_of(2), 4) is None
    assert "Least certain" not in render(run_of(2))
    tables, _ = run_with({})
    assert "Least certain first" in render(tables)
