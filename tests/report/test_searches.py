"""The report shows what the searches found, by rule and host, and nothing where nothing was searched."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from tests.report.tables import run_of
from ultracurate.core.errors import ContractError
from ultracurate.report.html import render
from ultracurate.report.searches import search_funnel, searches_section

ROWS = [
    {"host": "zenodo", "verdict": "awaits_manifest", "through_link": False},
    {"host": "zenodo", "verdict": "not_ultrasound", "through_link": False},
    {"host": "kaggle", "verdict": "not_ultrasound", "through_link": False},
    {"host": "zenodo", "verdict": "restricted", "through_link": True},
]


def test_the_lines_sum_up() -> None:
    found = search_funnel(ROWS)
    assert found.as_dict()["identified"] == {"kaggle": 1, "zenodo": 2}
    assert found.as_dict()["found_through_links"] == {"zenodo": 1}
    assert found.as_dict()["accepted"] == {"zenodo": 1}


def test_a_verdict_that_nobody_knows_does_not_balance() -> None:
    with pytest.raises(ContractError, match="do not balance"):
        search_funnel([*ROWS, {"host": "kaggle", "verdict": "lost", "through_link": False}])


def test_the_page_has_one_line_for_each_rule() -> None:
    run = replace(run_of(1), searched=pa.Table.from_pylist(ROWS))
    shown = searches_section(run)
    assert shown is not None
    assert "not ultrasound" in shown.text
    assert '<a href="#searches">' in render(run, gallery=0)


def test_a_run_without_searches_has_no_such_section() -> None:
    assert searches_section(run_of(1)) is None
    assert 'href="#searches"' not in render(run_of(1), gallery=0)
