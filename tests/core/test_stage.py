from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from tests.core.toy.build import toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError, ContractError, MissingExtraError, RowError, StorageError, told
from ultracurate.core.schema import LINEAGE, Grain
from ultracurate.core.stage import Reject, Result, Row, Scope, Stage, chain, columns_of, each, pipeline, stage
from ultracurate.core.store import Store
from ultracurate.core.work import make_context

Answer = Row | Reject | list[Row | Reject]


@pytest.fixture
def ctx(store: Store) -> Context:
    return make_context(toy_spec(), store, pipeline(PACKAGE).get("make"))


PART = pa.table({"dataset": ["a", "b", "c"]})


def numbers(row: Row) -> list[Row | Reject]:
    return [{"file_id": f"{row['dataset']}{n}", "number": n} for n in range(2)]


def run(ctx: Context, answers: dict[str, Any]) -> Result:
    def one(row: Row) -> Answer:
        answer = answers.get(row["dataset"], {"file_id": row["dataset"], "number": 0})
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = answer()
        return answer  # type: ignore[no-any-return]

    return each(PART, ctx, one)


def test_what_the_function_returns_is_added_to_the_row(ctx: Context) -> None:
    result = run(ctx, {})
    assert result.rows.schema == ctx.schema
    assert result.rows.select(["dataset", "file_id", "number"]).to_pylist() == [
        {"dataset": d, "file_id": d, "number": 0} for d in "abc"
    ]
    assert (result.rejects.num_rows, ctx.errors) == (0, [])


def test_a_fan_out_gives_many_rows_and_rejects(ctx: Context) -> None:
    result = run(ctx, {"b": [{"file_id": "b0"}, Reject("odd", "one", id="b1"), {"file_id": "b2"}, Reject("odd")]})
    assert result.rows["file_id"].to_pylist() == ["a", "b0", "b2", "c"]
    assert result.rejects.to_pylist() == [
        {"sample_id": "b1", "parent_id": "b", "dataset": "b", "reason": "odd", "detail": "one"},
        {"sample_id": "b", "parent_id": "b", "dataset": "b", "reason": "odd", "detail": ""},
    ]


def test_a_reject_is_not_an_error(ctx: Context) -> None:
    result = run(ctx, {"a": Reject("odd", "because")})
    assert result.rejects.to_pylist() == [
        {"sample_id": "a", "parent_id": "a", "dataset": "a", "reason": "odd", "detail": "because"}
    ]
    assert (result.rows.num_rows, ctx.errors) == (2, [])


@pytest.mark.parametrize(
    "exc",
    [
        RowError("truncated"),
        ValueError("truncated"),
        MemoryError("truncated"),
        RecursionError("truncated"),
        FileNotFoundError(errno.ENOENT, "truncated"),
        PermissionError(errno.EACCES, "truncated"),
        OSError("truncated"),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_a_bad_row_costs_that_row_only(ctx: Context, exc: Exception) -> None:
    ctx.attempt = 3
    result = run(ctx, {"b": exc})
    assert result.rows["file_id"].to_pylist() == ["a", "c"]
    assert ctx.errors == [
        {
            "sample_id": "b",
            "parent_id": "b",
            "dataset": "b",
            "exception": type(exc).__name__,
            "message": told(exc),
            "attempt": 3,
        }
    ]


def test_an_error_without_words_is_named_by_its_kind(ctx: Context) -> None:
    run(ctx, {"b": MemoryError()})
    assert ctx.errors[0]["exception"] == "MemoryError"
    assert ctx.errors[0]["message"].startswith("unforeseen (")


def test_a_missing_package_costs_the_rows_that_need_it(ctx: Context) -> None:
    run(ctx, {"b": MissingExtraError("DICOM", "dicom")})
    assert [(e["exception"], "ultracurate[dicom]" in e["message"]) for e in ctx.errors] == [("MissingExtraError", True)]


@pytest.mark.parametrize(
    "exc",
    [
        StorageError("full"),
        ConfigError("wrong"),
        ContractError("bug"),
        KeyboardInterrupt(),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        OSError(errno.EROFS, os.strerror(errno.EROFS)),
    ],
    ids=str,
)
def test_what_is_not_the_rows_fault_ends_the_part(ctx: Context, exc: BaseException) -> None:
    with pytest.raises(type(exc)) as caught:
        run(ctx, {"b": exc})
    assert caught.value is exc
    assert ctx.errors == []


@pytest.mark.parametrize("answer", [None, 3, "text", [{"file_id": "b0"}, None]])
def test_an_answer_of_a_wrong_kind_costs_the_whole_row(ctx: Context, answer: object) -> None:
    result = run(ctx, {"b": answer})
    assert result.rows["file_id"].to_pylist() == ["a", "c"]
    assert [e["parent_id"] for e in ctx.errors] == ["b"]


def test_a_column_that_was_not_declared_is_a_bug_not_a_silent_null(ctx: Context) -> None:
    with pytest.raises(ContractError, match=r"'make'.*\['nubmer'\]"):
        run(ctx, {"b": {"file_id": "b", "nubmer": 3}})


def members(ctx: Context, fail: bool) -> Callable[[Row], Answer]:
    def one(row: Row) -> Answer:
        ctx.member_error(row, f"{row['dataset']}-m", ValueError("one member is damaged"))
        if fail and row["dataset"] == "b":
            raise RowError("and then the archive broke")
        return [{"file_id": f"{row['dataset']}0"}]

    return one


def test_member_errors_stand_beside_the_good_members(ctx: Context) -> None:
    result = each(PART, ctx, members(ctx, fail=False))
    assert result.rows["file_id"].to_pylist() == ["a0", "b0", "c0"]
    assert [(e["sample_id"], e["parent_id"]) for e in ctx.errors] == [("a-m", "a"), ("b-m", "b"), ("c-m", "c")]


def test_member_errors_are_dropped_when_their_row_fails(ctx: Context) -> None:
    result = each(PART, ctx, members(ctx, fail=True))
    assert result.rows["file_id"].to_pylist() == ["a0", "c0"]
    assert [(e["sample_id"], e["parent_id"]) for e in ctx.errors] == [("a-m", "a"), ("b", "b"), ("c-m", "c")]


# --- declarations -------------------------------------------------------------------------------------------------


def nothing(part: pa.Table, cfg: Settings, ctx: Context) -> Result:
    """Do nothing.

    And more words.
    """
    return Result(part)


names = (f"tests.made_up_{n}" for n in itertools.count())


def declare(name: str, after: str | None, adds: str, needs: str = "", **more: Any) -> Stage:
    grains = (Grain.FILE, Grain.FILE)
    fields = [pa.field(n, pa.string()) for n in adds.split()]
    return Stage(
        name,
        1,
        after,
        *grains,
        tuple(needs.split()),
        tuple(fields),
        Settings,
        Scope.PARTITION,
        nothing,
        {},
        "file_id",
        **more,
    )


def test_columns_add_up() -> None:
    schemas = columns_of(
        [declare("one", None, "a b"), declare("two", "one", "c", "a"), declare("three", "two", "", "b c")]
    )
    assert {name: schema.names for name, schema in schemas.items()} == {
        "one": ["lineage", "a", "b"],
        "two": ["lineage", "a", "b", "c"],
        "three": ["lineage", "a", "b", "c"],
    }
    assert schemas["one"].field("lineage") == LINEAGE[0]


def test_a_missing_column_is_named_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"'two' needs columns \['x', 'y'\], but 'one' does not give them"):
        columns_of([declare("one", None, "a"), declare("two", "one", "b", "x a y")])
    with pytest.raises(ConfigError, match=r"'two' needs columns \['z'\]"):
        columns_of([declare("one", None, "a"), declare("two", "one", "b", "a", prepare_needs=("z", "a"))])


def test_a_stage_cannot_need_what_it_adds_itself() -> None:
    with pytest.raises(ConfigError, match=r"needs columns \['b'\]"):
        columns_of([declare("one", None, "a"), declare("two", "one", "b", "b")])


def test_a_doubled_column_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'two' adds columns that exist already: \['a', 'lineage'\]"):
        columns_of([declare("one", None, "a b"), declare("two", "one", "lineage a c")])


def test_the_chain_follows_after() -> None:
    assert [s.name for s in chain(package=PACKAGE)] == ["make", "square", "rank"]
    assert [s.name for s in chain("square", PACKAGE)] == ["make", "square"]
    with pytest.raises(ConfigError, match="Did you mean 'square'"):
        chain("sqare", PACKAGE)


def registered(package: str, name: str, after: str | None) -> None:
    stage(
        name,
        version=1,
        after=after,
        grain=(Grain.FILE, Grain.FILE),
        needs=(),
        adds=(),
        config=Settings,
        package=package,
    )(nothing)


@pytest.fixture
def package(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty package for stages of a test's own."""
    name = next(names).replace(".", "_")
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_two_stages_after_the_same_one_are_refused(package: str) -> None:
    registered(package, "one", None)
    registered(package, "two", "one")
    registered(package, "other", "one")
    with pytest.raises(ContractError, match=r"'other' and 'two'.*after 'one'"):
        chain(package=package)


def test_a_stage_that_no_chain_reaches_is_refused(package: str) -> None:
    registered(package, "one", None)
    registered(package, "two", "oen")
    with pytest.raises(ContractError, match=r"\['two'\]"):
        chain(package=package)


def test_a_declaration_keeps_what_it_was_given(package: str) -> None:
    registered(package, "one", None)
    made = pipeline(package).get("one")
    assert (made.key_in, made.key_out, made.parent, made.scope) == ("file_id", "file_id", "file_id", Scope.PARTITION)
    assert made.summary == "Do nothing."
