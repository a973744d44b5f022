from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.core.toy.build import digests, events, files, rows, run_toy, toy_spec
from ultracurate.core import work
from ultracurate.core.errors import ConfigError, PartsFailedError, StorageError
from ultracurate.core.parts import read_table
from ultracurate.core.plan import Planner
from ultracurate.core.runner import environment, new_run_id
from ultracurate.core.spec import Spec
from ultracurate.core.store import Store

NOTHING = {"make": 0, "square": 0, "rank": 0}
EVERYTHING = {"make": 2, "square": 6, "rank": 6}


def started(store: Store, run_id: str) -> list[tuple[str, str]]:
    return sorted((event["stage"], event["dataset"]) for event in events(store, run_id, "part_started"))


def test_a_run_gives_the_right_numbers(store: Store, spec: Spec) -> None:
    result = run_toy(store, spec)
    assert result.computed == EVERYTHING
    table = rows(store, result, "rank")
    assert sorted((r["dataset"], r["number"], r["square"], r["rank"], r["ref_bytes"]) for r in table) == [
        (d, n, n * n, n, str(n * n).encode()) for d in "ab" for n in range(10)
    ]
    prints = Planner(store, spec).fingerprints
    assert {r["lineage"] for r in table} == {"/".join(f"{s}:{prints[s]}" for s in ("make", "square", "rank"))}
    assert result.error_rows == 0
    assert sum(p.counters.get("squared", 0) for p in result.parts["square"]) == 20


def test_a_second_run_computes_nothing_and_changes_no_file(store: Store, spec: Spec) -> None:
    first = run_toy(store, spec)
    before = files(store)
    second = run_toy(store, spec)
    assert second.computed == NOTHING
    assert started(store, second.run_id) == []
    assert digests(second) == digests(first)
    assert files(store) == before


@pytest.mark.parametrize(
    ("setting", "computed"),
    [
        ("rank.below=50", {"make": 0, "square": 0, "rank": 6}),
        ("square.times=2", {"make": 0, "square": 6, "rank": 6}),
        ("make.rows=9", {"make": 2, "square": 6, "rank": 6}),
        ("seed=5", NOTHING),
        ("title=Other", NOTHING),
    ],
)
def test_a_changed_setting_runs_only_what_lies_below_it(
    store: Store, spec: Spec, setting: str, computed: dict[str, int]
) -> None:
    first = run_toy(store, spec)
    second = run_toy(store, toy_spec([setting]))
    assert second.computed == computed
    logged = started(store, second.run_id)
    assert {stage: sum(s == stage for s, _ in logged) for stage in computed} == computed
    assert digests(run_toy(store, spec)) == digests(first), "the first line is still there"


def test_a_new_dataset_touches_no_other(store: Store, spec: Spec) -> None:
    first = run_toy(store, spec)
    second = run_toy(store, toy_spec(datasets=("a", "b", "c")))
    assert second.computed == {"make": 1, "square": 3, "rank": 3}
    assert {dataset for _, dataset in started(store, second.run_id)} == {"c"}
    for stage, parts in digests(first).items():
        assert set(parts) <= set(digests(second)[stage])


def test_a_new_dataset_recomputes_the_parts_whose_prepared_values_it_changes(store: Store) -> None:
    sets = ["make.first=996"]  # only numbers from 1000 on are compared between datasets
    first = run_toy(store, toy_spec(sets))
    assert {(r["number"], r["copies"]) for r in rows(store, first, "square")} == copies(996, 2)
    second = run_toy(store, toy_spec(sets, datasets=("a", "b", "c")))
    assert second.computed == {"make": 1, "square": 9, "rank": 9}
    assert {(r["number"], r["copies"]) for r in rows(store, second, "square")} == copies(996, 3)
    assert digests(run_toy(store, toy_spec(sets))) == digests(first)


def copies(start: int, many: int) -> set[tuple[int, int | None]]:
    return {(n, many if n >= 1000 else None) for n in range(start, start + 10)}


def test_removing_a_dataset_leaves_the_others_as_they_are(store: Store, spec: Spec) -> None:
    run_toy(store, spec)
    second = run_toy(store, toy_spec(datasets=("b",)))
    assert second.computed == NOTHING
    assert {r["dataset"] for r in rows(store, second, "rank")} == {"b"}


def test_another_order_of_datasets_computes_no_part_again(store: Store, spec: Spec) -> None:
    first = run_toy(store, spec)
    second = run_toy(store, toy_spec(datasets=("b", "a")))
    assert second.computed == NOTHING
    assert digests(second) == digests(first)
    assert len(events(store, second.run_id, "global_started")) == 2, "order is a priority, so verdicts are asked again"


def override(**fields: Any) -> Spec:
    return toy_spec(["make.first=996"], more={"datasets": [{"slug": "a", "overrides": fields}, "b"]})


def test_an_override_runs_only_the_stages_that_read_it(store: Store) -> None:
    first = run_toy(store, toy_spec(["make.first=996"]))
    assert run_toy(store, override(remarks=["nobody reads this"])).computed == NOTHING
    moved = run_toy(store, override(sources=[{"host": "local", "root": "toy", "path": "elsewhere"}]))
    assert moved.computed == {"make": 1, "square": 0, "rank": 0}, "the same content flows on under its old ids"
    assert started(store, moved.run_id) == [("make", "a")]
    assert rows(store, moved, "rank") == rows(store, first, "rank")


def test_prepared_values_do_not_depend_on_what_other_runs_left(store: Store, tmp_path: Path) -> None:
    """The moved dataset has the same content under another part id; its prepared values must still be found."""
    moved = override(sources=[{"host": "local", "root": "toy", "path": "elsewhere"}])
    run_toy(store, toy_spec(["make.first=996"]))
    fresh = Store(tmp_path / "fresh")
    assert digests(run_toy(store, moved)) == digests(run_toy(fresh, moved))
    assert {(r["number"], r["copies"]) for r in rows(store, run_toy(store, moved), "square")} == copies(996, 2)


def test_a_stage_can_be_the_last(store: Store, spec: Spec) -> None:
    result = run_toy(store, spec, last="square")
    assert list(result.parts) == ["make", "square"]
    assert store.names("rank") == []
    assert run_toy(store, spec).computed == {"make": 0, "square": 0, "rank": 6}


def test_rejects_and_side_tables(store: Store) -> None:
    result = run_toy(store, toy_spec(["square.odd=false", "rank.below=30"]))
    assert sorted(r["number"] for r in rows(store, result, "rank")) == [0, 0, 2, 2, 4, 4]
    rejects = [
        row
        for stage in ("square", "rank")
        for p in result.parts[stage]
        if p.rejects
        for row in read_table(store, p.path("rejects")).to_pylist()
    ]
    assert sorted((r["reason"], r["detail"]) for r in rejects) == sorted(
        [("odd", str(n)) for n in (1, 3, 5, 7, 9)] * 2 + [("too_large", "")] * 4
    )
    reduction = result.states["rank"].reduction
    assert reduction is not None
    assert read_table(store, reduction.side["summary"]).to_pylist() == [{"made": 20, "pid": 1}]
    assert reduction.counters == {"ranked": 6}


# --- errors and retries -------------------------------------------------------------------------------------------


@pytest.fixture
def sick(tmp_path: Path) -> tuple[Spec, Path]:
    """Number 3 of both datasets cannot be squared until the file exists."""
    heal = tmp_path / "heal"
    return toy_spec(["square.bad=3", f"square.heal={heal}"]), heal


def healthy(spec: Spec, heal: Path, place: Path) -> tuple[Store, Any]:
    """The same run where nothing ever failed."""
    heal.touch()
    store = Store(place)
    return store, run_toy(store, spec)


def test_error_rows_do_not_stop_a_run(store: Store, sick: tuple[Spec, Path]) -> None:
    result = run_toy(store, sick[0])
    assert result.error_rows == 2
    assert len(rows(store, result, "rank")) == 18
    errors = [
        row for p in result.parts["square"] if p.errors for row in read_table(store, p.path("errors")).to_pylist()
    ]
    assert sorted((e["dataset"], e["exception"], e["attempt"]) for e in errors) == [(d, "ValueError", 1) for d in "ab"]
    assert all(re.fullmatch(r"unforeseen \(stages\.py, line \d+\)", e["message"]) for e in errors), "not its words"


def test_a_run_without_retry_leaves_error_rows_alone(store: Store, sick: tuple[Spec, Path]) -> None:
    run_toy(store, sick[0])
    sick[1].touch()
    again = run_toy(store, sick[0])
    assert (again.computed, again.error_rows) == (NOTHING, 2)


@pytest.mark.parametrize("retry", ["square", "all"])
def test_retry_takes_exactly_the_error_rows(store: Store, sick: tuple[Spec, Path], tmp_path: Path, retry: str) -> None:
    spec, heal = sick
    first = run_toy(store, spec)
    heal.touch()
    result = run_toy(store, spec, retry=retry)
    assert result.computed["square"] == 2
    started = [e for e in events(store, result.run_id, "part_started") if e["stage"] == "square"]
    assert [e["attempt"] for e in started] == [2, 2]
    new = [p for p in result.parts["square"] if p not in first.parts["square"]]
    assert [(p.rows, p.counters["squared"]) for p in new] == [(1, 1)] * 2, "the good rows are not worked on again"
    assert result.error_rows == 0
    other, whole = healthy(spec, heal, tmp_path / "other")
    for stage in ("make", "square", "rank"):
        assert rows(store, result, stage) == rows(other, whole, stage)
    assert run_toy(store, spec, retry=retry).computed == NOTHING


def test_a_retry_may_fail_again_and_then_succeed(store: Store, sick: tuple[Spec, Path], tmp_path: Path) -> None:
    spec, heal = sick
    run_toy(store, spec)
    for attempt in (2, 3):
        again = run_toy(store, spec, retry="square")
        assert again.computed == {"make": 0, "square": 2, "rank": 0}, "nothing new for the stage below"
        assert again.error_rows == 2, "counted once, not once for each attempt"
        newest = [p for p in again.parts["square"] if p.errors][-1]
        assert read_table(store, newest.path("errors"))["attempt"].to_pylist() == [attempt]
    heal.touch()
    healed = run_toy(store, spec, retry="all")
    assert (healed.computed["square"], healed.error_rows) == (2, 0)
    other, whole = healthy(spec, heal, tmp_path / "other")
    assert rows(store, healed, "rank") == rows(other, whole, "rank")


def test_a_retried_fan_out_does_not_double_its_good_members(store: Store, tmp_path: Path) -> None:
    heal = tmp_path / "heal"
    spec = toy_spec(["make.bad=3", f"make.heal={heal}"])
    first = run_toy(store, spec)
    assert (first.error_rows, len(rows(store, first, "rank"))) == (2, 18)
    run_toy(store, spec, retry="make")
    heal.touch()
    result = run_toy(store, spec, retry="make")
    assert result.error_rows == 0
    assert sorted(p.rows for p in result.parts["make"]) == [0, 0, 1, 1, 9, 9]
    other, whole = healthy(spec, heal, tmp_path / "other")
    assert rows(store, result, "rank") == rows(other, whole, "rank")


def test_retrying_an_unknown_stage_is_an_error(store: Store, spec: Spec) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'square'"):
        run_toy(store, spec, retry="sqare")


def test_an_exploding_part_keeps_the_others_and_resumes(store: Store, tmp_path: Path) -> None:
    heal = tmp_path / "heal"
    spec = toy_spec(["square.explode=5", f"square.heal={heal}"])
    with pytest.raises(PartsFailedError) as caught:
        run_toy(store, spec)
    message = str(caught.value)
    assert "2 of 6 parts of stage 'square' could not be computed" in message
    assert "RuntimeError: unforeseen (stages.py, line " in message
    assert "run the same command again" in message
    folder = Planner(store, spec).directory(Planner(store, spec).stages[1])
    assert sum(name.startswith("part-") for name in store.names(folder)) == 4
    assert store.names("rank") == []
    assert store.names(f"{folder}/runs") == []
    assert [n for n in store.names("tmp") if n.endswith(".tmp")] == []
    heal.touch()
    result = run_toy(store, spec)
    assert result.computed == {"make": 0, "square": 2, "rank": 6}
    _, whole = healthy(spec, heal, tmp_path / "other")
    assert digests(result) == digests(whole)


def test_a_full_disk_ends_the_run_at_once(store: Store, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    run_toy(store, spec, last="make")
    calls: list[str] = []

    def full(store: Store, ref: Any, *rest: Any) -> None:
        calls.append(ref.id)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(work, "commit", full)
        with pytest.raises(StorageError, match="disk is full"):
            run_toy(store, spec)
    assert len(calls) == 1, "no further part was tried"
    assert run_toy(store, spec).computed == {"make": 0, "square": 6, "rank": 6}


def test_a_work_directory_that_cannot_be_made(tmp_path: Path, spec: Spec) -> None:
    (tmp_path / "work").write_text("a file")
    with pytest.raises(StorageError):
        run_toy(Store(tmp_path / "work"), spec)


# --- the run's own record -----------------------------------------------------------------------------------------


def test_the_record_names_every_part(store: Store, sick: tuple[Spec, Path]) -> None:
    result = run_toy(store, sick[0])
    planner = Planner(store, sick[0])
    for stage in planner.stages:
        record = json.loads(store.read(f"{planner.directory(stage)}/runs/{result.run_id}.json"))
        assert [(p["id"], p["digest"], p["rows"]) for p in record["parts"]] == [
            (p.id, p.digest, p.rows) for p in result.parts[stage.name]
        ]
        assert (record["run"], record["spec"], record["computed"]) == (
            result.run_id,
            sick[0].digest,
            EVERYTHING[stage.name],
        )
        assert record["fingerprints"] == planner.fingerprints
        assert {"python", "numpy", "pyarrow"} <= record["environment"].keys()


def test_the_environment_names_what_a_result_may_depend_on() -> None:
    found = environment()
    assert found["python"].startswith("3.")
    assert len(found.get("commit", "0" * 40)) == 40


def test_run_ids_differ() -> None:
    assert len({new_run_id() for _ in range(50)}) > 40


def test_the_listener_hears_everything(store: Store, spec: Spec) -> None:
    heard: list[tuple[Any, ...]] = []

    class Ear:
        def stage_started(self, stage: Any, total: int, todo: int) -> None:
            heard.append(("start", stage.name, total, todo))

        def part_done(self, stage: Any, outcome: Any) -> None:
            heard.append(("part", stage.name))

        def stage_done(self, stage: Any, parts: Any, published: str) -> None:
            heard.append(("done", stage.name, len(parts)))

    run_toy(store, spec, last="square", listener=Ear())
    assert heard == [
        *[("start", "make", 2, 2), ("part", "make"), ("part", "make"), ("done", "make", 2)],
        *[("start", "square", 6, 6), *[("part", "square")] * 6, ("done", "square", 6)],
    ]


# --- where it runs, and how many at once --------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_remote_work_directories_hold_the_same_parts(
    store: Store, place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    heal = tmp_path / "heal"
    spec = toy_spec(["square.bad=3", f"square.heal={heal}", "make.rows=5"], datasets=("a",))
    remote = Store(f"memory://{uuid.uuid4().hex}/w" if place == "memory" else request.getfixturevalue("s3"))
    assert digests(run_toy(remote, spec)) == digests(run_toy(store, spec))
    heal.touch()
    here, there = run_toy(store, spec, retry="all"), run_toy(remote, spec, retry="all")
    assert digests(there) == digests(here)
    assert rows(remote, there, "rank") == rows(store, here, "rank")
    assert run_toy(remote, spec).computed == NOTHING


def run_at(place: str, spec: Spec, gate: Any) -> dict[str, list[tuple[str, str, str]]]:
    gate.wait(60)
    return digests(run_toy(Store(place), spec))


def run_in_process(place: str, gate: Any, answers: Any) -> None:
    answers.put(run_at(place, toy_spec(), gate))


def test_two_runs_at_once_on_one_work_directory(store: Store, spec: Spec, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(2), context.Queue()
    place = str(store.url)
    runs = [context.Process(target=run_in_process, args=(place, gate, answers)) for _ in range(2)]
    for process in runs:
        process.start()
    found = [answers.get(timeout=60) for _ in runs]
    for process in runs:
        process.join(30)
    assert [process.exitcode for process in runs] == [0, 0]
    alone = Store(tmp_path / "alone")
    assert found == [digests(run_toy(alone, spec))] * 2
    assert files(store) == files(alone)
