"""The list of losses: which rows are shown, and what of them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.report.tables import errors, rejects, run_of
from ultracurate.report.html import render
from ultracurate.report.losses import losses
from ultracurate.report.model import StageTables
from ultracurate.report.wording import HELD_BACK, shown_detail, shown_ending, shown_id


def stage(**numbers: int) -> StageTables:
    dropped = rejects(*[(reason, number, "") for reason, number in numbers.items()])
    return StageTables("strip", dropped.num_rows, 0, dropped, errors())


def test_too_many_losses_keep_every_rare_reason_whole() -> None:
    shown = losses(run_of(0, stages=[stage(common=900, usual=500, rare=3)]), limit=200)
    assert Counter(loss.reason for loss in shown) == {"rare": 3, "usual": 98, "common": 99}


def test_all_losses_are_listed_when_they_fit() -> None:
    assert len(losses(run_of(0, stages=[stage(a=40, b=2)]), limit=42)) == 42


def test_the_rest_is_counted_and_pointed_to() -> None:
    text = render(run_of(0, stages=[stage(many=6000, few=1)]))
    assert "5,000 of 6,001 are listed here" in text
    assert "rejects-*.parquet" in text
    assert text.count("data-reason=") - 2 == 5000


@pytest.mark.parametrize(
    "detail",
    [
        "DOE_J/scan 1.png is empty",
        r"C:\scans\doe",
        "cannot open 'Jane Doe'",
        "scan.dcm has no pixels",
        "GET https://host.example?token=x: 404",
        "taken 1998-04-02",
        "record 00481516 is odd",
        "a%2Fb",
    ],
)
def test_details_that_name_something_are_held_back(detail: str) -> None:
    assert shown_detail(detail) == HELD_BACK


@pytest.mark.parametrize(
    "detail", ["812 of 76800 pixels lit", "share 0.31, at most 0.25", "12/30 frames read", "a better copy was kept"]
)
def test_plain_details_are_shown(detail: str) -> None:
    assert shown_detail(detail) == detail


def test_an_ending_is_shown_only_if_it_is_one_of_a_format() -> None:
    for ending in ("pdf", "XLSX", "gz", ""):
        assert shown_ending(ending) == ending
    for name in ("Miller", "DOE_J", "1961", "pdf Jane"):
        assert shown_ending(name) == HELD_BACK
    lost = rejects(("no_layout_rule", 1, "Miller"), ("unsupported_format", 1, "Miller"), ("no_layout_rule", 1, "txt"))
    shown = losses(run_of(0, stages=[StageTables("index", 3, 0, lost, errors())]))
    assert Counter(loss.detail for loss in shown) == {HELD_BACK: 2, "txt": 1}


@pytest.mark.parametrize(
    ("name", "own", "held"),
    [("download", {"toy"}, True), ("download", {"other"}, False), ("index", {"toy"}, False)],
)
def test_what_is_said_of_fetching_own_files_is_held_back(name: str, own: set[str], held: bool) -> None:
    failed = errors(("SourceError", "Jane Doe: expected 10 bytes, found 9"), dataset="toy")
    (loss,) = losses(run_of(0, stages=[StageTables(name, 1, 0, rejects(), failed)], own=frozenset(own)))
    assert (loss.detail == HELD_BACK) == held


def test_an_id_that_is_no_id_is_digested() -> None:
    assert shown_id("0a1b2c-3_x") == "0a1b2c-3_x"
    assert shown_id("Doe/scan.png").startswith("~")
    assert shown_id("Doe/scan.png") != shown_id("Doe/scan2.png")
    assert shown_id(None) == "none"
