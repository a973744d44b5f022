from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.toy.build import files, run_toy, toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core.parts import PartRef, encode
from ultracurate.core.plan import Planner, retry_id
from ultracurate.core.spec import Spec
from ultracurate.core.stage import pipeline
from ultracurate.core.store import Store

MAKE, SQUARE, RANK = (pipeline(PACKAGE).get(name) for name in ("make", "square", "rank"))


def shape(planner: Planner) -> dict[str, tuple[int, int] | None]:
    """Finished and missing parts of each stage, as far as they can be known."""
    return {n: (len(s.done), len(s.todo)) if s else None for n, s in planner.look().items()}


def test_looking_tells_what_is_left_and_writes_nothing(store: Store, spec: Spec) -> None:
    assert shape(Planner(store, spec)) == {"make": (0, 2), "square": None, "rank": None}
    assert store.local is not None
    assert not store.local.exists()
    run_toy(store, spec, last="make")
    before = files(store)
    assert shape(Planner(store, spec)) == {"make": (2, 0), "square": None, "rank": None}, "its values are not prepared"
    assert files(store) == before
    run_toy(store, spec)
    before = files(store)
    assert shape(Planner(store, spec)) == {"make": (2, 0), "square": (6, 0), "rank": (6, 0)}
    assert shape(Planner(store, toy_spec(datasets=("a", "b", "c")))) == {"make": (2, 1), "square": None, "rank": None}
    assert files(store) == before


def test_a_missing_part_is_seen(store: Store, spec: Spec) -> None:
    result = run_toy(store, spec)
    store.remove(result.parts["square"][2].path())
    assert shape(Planner(store, spec)) == {"make": (2, 0), "square": (5, 1), "rank": None}
    again = run_toy(store, spec)
    assert again.computed == {"make": 0, "square": 1, "rank": 0}


def test_two_planners_agree(store: Store, spec: Spec) -> None:
    parts = run_toy(store, spec).parts
    for stage in (MAKE, SQUARE, RANK):
        one, two = (Planner(store, spec, run).state(stage, parts) for run in ("r1", "r2"))
        assert [job.id for job in one.jobs] == [job.id for job in two.jobs]
        assert [job.id for job in one.jobs] == [part.id for part in parts[stage.name]]
        assert one.complete


def test_ids_are_of_content(store: Store, spec: Spec) -> None:
    parts = run_toy(store, spec).parts
    planner = Planner(store, spec)
    ids = [job.id for job in planner.state(SQUARE, parts).jobs]
    assert len(set(ids)) == 6
    changed = [dataclasses.replace(parts["make"][0], digest="0" * 64), parts["make"][1]]
    verdict_free = dataclasses.replace(SQUARE, prepare=None)
    planner.stages = (MAKE, verdict_free, RANK)
    before = [job.id for job in planner._jobs(verdict_free, {"make": parts["make"]}, True)[0]]  # type: ignore[index]
    after = [job.id for job in planner._jobs(verdict_free, {"make": changed}, True)[0]]  # type: ignore[index]
    assert before == ids, "no prepared value, nothing to name"
    assert not set(before[:3]) & set(after[:3])
    assert before[3:] == after[3:]


weights = st.lists(st.none() | st.integers(0, 50), max_size=30)


@given(weights, st.integers(1, 12), st.none() | st.integers(1, 60))
def test_groups_cover_every_row_once_within_their_bounds(
    values: Sequence[int | None], most: int, full: int | None
) -> None:
    store = Store("memory://plan-groups")
    part = PartRef("make/x", "p", "a", len(values), "")
    store.write(part.path(), encode(pa.table({"w": pa.array(values, pa.int64())})))
    stage = dataclasses.replace(SQUARE, group_rows=most, group_weight=("w", full) if full else None)
    groups = list(Planner(store, toy_spec())._groups(stage, part))
    assert [row for start, stop in groups for row in range(start, stop)] == list(range(len(values)))
    for n, (start, stop) in enumerate(groups):
        assert 0 < stop - start <= most
        weight = sum(v or 0 for v in values[start:stop])
        if full:
            assert weight <= full or stop - start == 1, "only a single heavy row may be too heavy"
        if n + 1 < len(groups):
            fits = full is None or weight + (values[stop] or 0) <= full
            assert stop - start == most or not fits, "no group is closed early"


def test_without_bounds_a_part_is_one_group() -> None:
    stage = dataclasses.replace(SQUARE, group_rows=None)
    planner = Planner(Store("memory://x"), toy_spec())
    assert list(planner._groups(stage, PartRef("d", "p", "a", 7, ""))) == [(0, 7)]
    assert list(planner._groups(stage, PartRef("d", "p", "a", 0, ""))) == []


def test_changes_say_what_differs(store: Store, spec: Spec) -> None:
    planner = Planner(store, spec)
    assert [planner.changes(stage) for stage in (MAKE, SQUARE, RANK)] == [[], [], []], "nothing ran before"
    run_toy(store, spec)
    assert [planner.changes(stage) for stage in (MAKE, SQUARE, RANK)] == [[], [], []], "this line ran before"
    other = Planner(store, toy_spec(["square.times=2", "square.odd=false"]))
    assert other.changes(MAKE) == []
    assert other.changes(SQUARE) == ["odd: True -> False; times: 1 -> 2"]
    assert other.changes(RANK) == ["a stage before 'rank' changed"]


def test_changes_compare_with_every_other_line(store: Store, spec: Spec) -> None:
    run_toy(store, spec)
    run_toy(store, toy_spec(["square.times=2"]))
    third = Planner(store, toy_spec(["square.times=3"]))
    assert sorted(third.changes(SQUARE)) == ["times: 1 -> 3", "times: 2 -> 3"]


def test_a_retry_is_named_by_what_failed() -> None:
    ref = PartRef("d", "p", "a", 1, "digest", errors=1, errors_digest="e1")
    assert retry_id(ref) == retry_id(dataclasses.replace(ref, seconds=9.0, rows=3))
    assert retry_id(ref) != retry_id(dataclasses.replace(ref, errors_digest="e2"))
    assert retry_id(ref) != retry_id(dataclasses.replace(ref, id="q"))


def test_retries_are_offered_for_the_newest_attempt_only(store: Store) -> None:
    spec = toy_spec(["square.bad=3"])
    parts = run_toy(store, spec).parts
    planner = Planner(store, spec)
    first = planner.retries(planner.state(SQUARE, parts))
    assert [job.attempt for job in first] == [2, 2]
    run_toy(store, spec, retry="square")
    state = planner.state(SQUARE, parts)
    assert state.complete
    second = planner.retries(state)
    assert [job.attempt for job in second] == [3, 3]
    assert {job.retry_of[0] for job in second} == {job.retry_of[0] for job in first}
    assert not {job.id for job in second} & {job.id for job in first}


@pytest.mark.parametrize("last", [None, "make", "square"])
def test_lineage_is_the_chain_of_fingerprints(store: Store, spec: Spec, last: str | None) -> None:
    planner = Planner(store, spec, last=last)
    whole = Planner(store, spec)
    for stage in planner.stages:
        names = planner.lineage(stage).split("/")
        assert [n.partition(":")[0] for n in names] == ["make", "square", "rank"][: len(names)]
        assert planner.directory(stage) == names[-1].replace(":", "/")
        assert planner.lineage(stage) == whole.lineage(stage)
