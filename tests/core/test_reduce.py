from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest

from tests.core.toy.build import files, rows, run_toy, toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core.errors import ContractError
from ultracurate.core.parts import PartRef, read_table
from ultracurate.core.reduce import Reduction, inputs_of, reduce_columns
from ultracurate.core.schema import REJECTS
from ultracurate.core.spec import Spec
from ultracurate.core.stage import Result, Stage, pipeline
from ultracurate.core.store import Store

RANK = pipeline(PACKAGE).get("rank")
SQUARE = pipeline(PACKAGE).get("square")
Parts = dict[str, tuple[PartRef, ...]]


@pytest.fixture
def parts(store: Store, spec: Spec) -> Parts:
    return run_toy(store, spec, last="square").parts


def reduce(store: Store, spec: Spec, stage: Stage, parts: Parts, **more: Any) -> Reduction | None:
    return reduce_columns(store, spec, stage, "out", parts[stage.after or ""], parts, **more)


def test_every_part_has_the_verdicts_of_its_own_rows(store: Store, spec: Spec, parts: Parts) -> None:
    reduction = reduce(store, spec, RANK, parts)
    assert reduction is not None
    for place, (part, cut) in enumerate(zip(parts["square"], reduction.slices, strict=True)):
        assert (cut.value, cut.parts) == (part.id, (place,))
        verdicts = read_table(store, cut.path or "")
        assert sorted(verdicts["file_id"].to_pylist()) == read_table(store, part.path())["file_id"].to_pylist()
        assert verdicts["reject_reason"].null_count == verdicts.num_rows


def test_the_same_inputs_are_computed_once(
    store: Store, spec: Spec, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reduce(store, spec, RANK, parts, compute=False) is None
    before = files(store)
    assert reduce(store, spec, RANK, parts, compute=False) is None
    assert files(store) == before, "looking writes nothing"
    first = reduce(store, spec, RANK, parts)
    broken = dataclasses.replace(RANK, function=lambda *_: pytest.fail("computed again"))
    assert reduce(store, spec, broken, parts) == first
    assert reduce(store, spec, broken, parts, compute=False) == first


def test_killed_before_the_end_it_is_computed_again(
    store: Store, spec: Spec, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.write

    def write(path: str, data: bytes) -> None:
        if "/global-" in path:
            raise KeyboardInterrupt
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", write)
        with pytest.raises(KeyboardInterrupt):
            reduce(store, spec, RANK, parts)
    assert reduce(store, spec, RANK, parts, compute=False) is None
    assert reduce(store, spec, RANK, parts) is not None


def test_earlier_stages_are_read_as_declared(store: Store, spec: Spec, parts: Parts) -> None:
    def function(columns: pa.Table, cfg: Any, ctx: Any) -> Result:
        assert columns.schema.names == ["file_id", "dataset", "square"], (
            "narrow: the key, the dataset and what it needs"
        )
        assert {name: table.schema.names for name, table in ctx.also.items()} == {"make": ["file_id", "number"]}
        assert ctx.also["make"].num_rows == 20
        return RANK.function(columns, cfg, ctx)

    assert reduce(store, spec, dataclasses.replace(RANK, function=function), parts) is not None


def drop(result: Result, many: int) -> pa.Table:
    ids = result.rows["file_id"].to_pylist()[:many]
    kept = [{"sample_id": i, "parent_id": i, "dataset": "a", "reason": "too_large", "detail": ""} for i in ids]
    return pa.Table.from_pylist(kept, REJECTS)


@pytest.mark.parametrize(
    "act",
    [
        lambda r: Result(r.rows.slice(1)),
        lambda r: Result(pa.concat_tables([r.rows, r.rows.slice(0, 1)])),
        lambda r: Result(pa.concat_tables([r.rows.slice(1), r.rows.slice(1, 1)])),
        lambda r: Result(r.rows, drop(r, 1)),
        lambda r: Result(
            pa.concat_tables([r.rows.slice(1), pa.table({"file_id": ["new"], "rank": [1]}, schema=r.rows.schema)])
        ),
    ],
    ids=["lost", "doubled", "one for another", "kept and dropped", "invented"],
)
def test_every_row_needs_exactly_one_verdict(store: Store, spec: Spec, parts: Parts, act: Any) -> None:
    def function(columns: pa.Table, cfg: Any, ctx: Any) -> Result:
        return act(RANK.function(columns, cfg, ctx))  # type: ignore[no-any-return]

    with pytest.raises(ContractError, match="every row needs exactly one"):
        reduce(store, spec, dataclasses.replace(RANK, function=function), parts)
    assert [name for name in store.names("out") if name.startswith(("global-", "verdict-"))] == []


def test_dropped_rows_carry_their_reason(store: Store, spec: Spec, parts: Parts) -> None:
    def function(columns: pa.Table, cfg: Any, ctx: Any) -> Result:
        result = RANK.function(columns, cfg, ctx)
        return Result(result.rows.slice(3), drop(result, 3))

    reduction = reduce(store, spec, dataclasses.replace(RANK, function=function), parts)
    assert reduction is not None
    verdicts = [v for s in reduction.slices for v in read_table(store, s.path or "").to_pylist()]
    assert len(verdicts) == 20
    assert sorted(str(v["reject_reason"]) for v in verdicts) == ["None"] * 17 + ["too_large"] * 3


def by_parity(columns: pa.Table, cfg: Any, ctx: Any) -> Result:
    made = [{"file_id": r["file_id"], "rank": r["square"] % 2} for r in columns.to_pylist()]
    return Result(pa.Table.from_pylist(made, pa.schema([("file_id", pa.string()), ("rank", pa.int64())])))


def test_parts_by_value_gather_rows_of_many_inputs(store: Store, spec: Spec, parts: Parts) -> None:
    stage = dataclasses.replace(RANK, function=by_parity, part_by="rank")
    reduction = reduce(store, spec, stage, parts)
    assert reduction is not None
    assert [str(s.value) for s in reduction.slices] == ["0", "1"]
    assert [read_table(store, s.path or "").num_rows for s in reduction.slices] == [10, 10]
    for cut in reduction.slices:
        wanted = set(read_table(store, cut.path or "")["file_id"].to_pylist())
        holding = {
            n for n, p in enumerate(parts["square"]) if wanted & set(read_table(store, p.path())["file_id"].to_pylist())
        }
        assert set(cut.parts) == holding
        assert [i.path for i in inputs_of(parts["square"], cut.parts)] == [parts["square"][n].path() for n in cut.parts]


def test_a_row_without_a_value_would_vanish_from_parts_by_value(store: Store, spec: Spec, parts: Parts) -> None:
    def function(columns: pa.Table, cfg: Any, ctx: Any) -> Result:
        result = by_parity(columns, cfg, ctx)
        return Result(result.rows.slice(1), drop(result, 1))

    with pytest.raises(ContractError, match="every row needs a 'rank'"):
        reduce(store, spec, dataclasses.replace(RANK, function=function, part_by="rank"), parts)


def test_prepared_values_may_leave_rows_out(store: Store) -> None:
    spec = toy_spec(["make.first=996"])
    parts = run_toy(store, spec, last="make").parts
    reduction = reduce(store, spec, SQUARE, parts)
    assert reduction is not None
    assert [read_table(store, s.path or "").num_rows for s in reduction.slices] == [6, 6]
    none = reduce_columns(store, toy_spec(), SQUARE, "none", run_toy(store, toy_spec(), last="make").parts["make"], {})
    assert none is not None
    assert [s.path for s in none.slices] == [None, None]


def test_stages_without_any_row_to_work_on(store: Store) -> None:
    result = run_toy(store, toy_spec(["make.rows=1", "make.bad=0"]))
    assert (result.computed, result.error_rows) == ({"make": 2, "square": 0, "rank": 0}, 2)
    assert rows(store, result, "rank") == []


def test_everything_is_dropped(store: Store) -> None:
    result = run_toy(store, toy_spec(["rank.below=0"]))
    assert result.computed == {"make": 2, "square": 6, "rank": 6}
    assert rows(store, result, "rank") == []
    assert sum(part.rejects for part in result.parts["rank"]) == 20
