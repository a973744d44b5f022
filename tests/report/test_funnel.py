"""The books of the stages: they balance, or the report refuses."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.tables import errors, full_run, rejects, run_of
from ultracurate.core.errors import ContractError
from ultracurate.core.schema import REJECTS, Grain
from ultracurate.report.funnel import funnel
from ultracurate.report.model import StageTables


def test_every_stage_of_a_full_run_adds_up() -> None:
    rows = funnel(full_run())
    assert [row.stage for row in rows][:3] == ["discover", "download", "index"]
    for row in rows:
        assert row.rows_in == row.kept + row.rejects + row.errors
        assert sum(reason.count for reason in row.reasons) == (
            row.rejects + row.errors + row.child_rejects + row.child_errors
        )


@given(kept=st.integers(0, 50), dropped=st.integers(0, 20), failed=st.integers(0, 20))
def test_any_balanced_stage_is_accepted_and_one_row_off_is_not(kept: int, dropped: int, failed: int) -> None:
    lost = rejects(("empty", dropped, "")), errors(*[("RowError", "bad")] * failed)
    stage = StageTables("strip", kept + dropped + failed, kept, *lost)
    (row,) = funnel(run_of(0, stages=[stage]))
    assert (row.kept, row.rejects, row.errors) == (kept, dropped, failed)
    with pytest.raises(ContractError, match="Stage strip: expected rows in = rows out"):
        funnel(run_of(0, stages=[replace(stage, rows_in=stage.rows_in + 1)]))


def test_fan_out_counts_inputs_and_children_apart() -> None:
    # Four archives: one opened whole, one with two lost members, one whose only member was lost, one unreadable.
    members = rejects(("empty", 2, ""), ("no_layout_rule", 1, ""), parents=["b", "b", "c"])
    members = members.set_column(1, "parent_id", pa.array(["b", "b", "c"]))
    whole = errors(("RowError", "not an archive"))
    parents = pa.chunked_array([["a", "a", "a"], ["b"]])
    stage = StageTables("index", 4, 4, members, whole, grain_in=Grain.FILE, grain=Grain.SAMPLE, parents=parents)
    (row,) = funnel(run_of(0, stages=[stage]))
    assert (row.rows_in, row.kept, row.rejects, row.errors) == (4, 3, 0, 1)
    assert (row.found, row.rows_out, row.child_rejects) == (7, 4, 3)


def test_an_archive_that_gave_rows_and_then_failed_counts_as_failed() -> None:
    failed = errors(("RowError", "ends early"))
    key = failed.column("sample_id")[0].as_py()
    stage = StageTables("index", 1, 2, rejects(), failed, parents=pa.array([key, key]))
    (row,) = funnel(run_of(0, stages=[stage]))
    assert (row.kept, row.errors, row.rows_out) == (0, 1, 2)


def test_fan_out_with_a_vanished_input_is_refused() -> None:
    stage = StageTables("frames", 3, 2, rejects(), errors(), parents=pa.array(["a", "b"]))
    with pytest.raises(ContractError, match=r"opened inputs.*3 in and 2 \+ 0 \+ 0 = 2"):
        funnel(run_of(0, stages=[stage]))


def test_parents_of_other_rows_are_refused() -> None:
    stage = StageTables("frames", 1, 2, rejects(), errors(), parents=pa.array(["a"]))
    with pytest.raises(ContractError, match="one parent for each of its 2 rows, found 1"):
        funnel(run_of(0, stages=[stage]))


def test_reasons_are_largest_first() -> None:
    stage = StageTables("strip", 6, 1, rejects(("b", 1, ""), ("a", 1, ""), ("c", 3, "")), errors())
    (row,) = funnel(run_of(0, stages=[stage]))
    assert [(reason.reason, reason.count) for reason in row.reasons] == [("c", 3), ("a", 1), ("b", 1)]


def test_tables_without_the_contract_columns_are_refused() -> None:
    with pytest.raises(ContractError, match=r"Stage strip: expected the columns .* missing \['detail'\]"):
        StageTables("strip", 0, 0, REJECTS.empty_table().drop_columns(["detail"]), errors())
    with pytest.raises(ContractError, match="in the edges"):
        run_of(0, edges=pa.table({"a": pa.array([], pa.string())}))
