"""The measurement of the engine measures what it says, and its table keeps the form that scripts read."""

from __future__ import annotations

import json

import pytest

from tests.e2e.lab import call
from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.measure._rows import stages as rows
from ultracurate.measure.engine import run_once


def test_the_form_that_scripts_read() -> None:
    plain = Measurement({"seconds": 1.5}, "curl", [Promise("seconds", 1.5, 2.0), Promise("bytes", 3.0, 2.0)]).plain()
    assert plain["figures"] == {"seconds": 1.5}
    assert plain["baseline"] == "curl"
    assert plain["must"] == [
        {"name": "seconds", "value": 1.5, "bound": 2.0, "met": True},
        {"name": "bytes", "value": 3.0, "bound": 2.0, "met": False},
    ]
    assert set(plain["machine"]) == {"system", "processor", "python", "cores"}


def test_one_run_counts_its_parts_and_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    run_once(rows=40, dataset_rows=10)
    figures = json.loads(capsys.readouterr().out)
    assert figures["parts"] == {"make": 4, "touch": 4, "rank": 4}
    assert set(figures["seconds"]) == {"make", "touch", "rank"}
    assert all(seconds > 0 for seconds in figures["seconds"].values())
    assert figures["resume"] > 0
    assert figures["peak_mb"] > 20


def test_its_rows_are_as_wide_as_real_frames() -> None:
    from ultracurate.core.schema import FRAME

    assert set(FRAME) <= set(rows.COLUMNS)


def test_measure_list_names_every_measurement() -> None:
    done = call("measure", "list")
    assert done.out.split() == list(MEASURES.names())


@pytest.mark.slow
def test_quick_measurement_exits_zero_and_prints_one_object() -> None:
    done = call("measure", "engine", "--quick", "--json")
    assert done.code == 0
    found = done.json
    assert found["figures"]["rows"] == 10_000
    assert {promise["name"] for promise in found["must"]} >= {"ms per row", "ms per part"}
