from __future__ import annotations

import dataclasses
import errno
import os
import pickle
import socket
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.core.toy import stages
from tests.core.toy.build import events, files, run_toy, toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core import log, work
from ultracurate.core.errors import ConfigError, StorageError, UltracurateError
from ultracurate.core.parts import commit, encode, find, read_table
from ultracurate.core.plan import Planner
from ultracurate.core.schema import REJECTS
from ultracurate.core.spec import Spec, open_spec
from ultracurate.core.stage import Result, chain, pipeline
from ultracurate.core.store import Store
from ultracurate.core.work import Job, run_job


def first_jobs(store: Store, spec: Spec, last: str = "square") -> tuple[Job, ...]:
    """The jobs of a stage whose predecessors have run."""
    ordered = chain(last, PACKAGE)
    before = run_toy(store, spec, last=ordered[-2].name).parts if len(ordered) > 1 else {}
    spec.save(store)
    return Planner(store, spec, "run1", last).state(ordered[-1], before).todo


@pytest.fixture
def job(store: Store, spec: Spec) -> Job:
    return first_jobs(store, spec)[0]


def stage_that(monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
    """Let stage `square` answer something else than it does."""
    real = pipeline(PACKAGE).get("square")

    def function(part: pa.Table, cfg: Any, ctx: Any) -> Result:
        result = stages.square(part, cfg, ctx)
        act = answer["result"]
        return act(result, ctx) if callable(act) else act  # type: ignore[no-any-return]

    monkeypatch.setitem(pipeline(PACKAGE)._items, "square", dataclasses.replace(real, function=function))


def test_a_job_is_small_and_travels(job: Job) -> None:
    data = pickle.dumps(job)
    assert pickle.loads(data) == job
    assert len(data) < 2000, "names and paths only"


def test_an_outcome_travels(job: Job) -> None:
    outcome = run_job(job)
    assert outcome.ref is not None
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_rows_are_sorted_by_key_with_their_lineage(store: Store, job: Job) -> None:
    ref = run_job(job).ref
    assert ref is not None
    table = read_table(store, ref.path())
    assert table["file_id"].to_pylist() == sorted(table["file_id"].to_pylist())
    assert set(table["lineage"].to_pylist()) == {job.lineage}
    assert ref.rows == table.num_rows == 4
    assert find(store, job.directory, job.id) == ref


def rejecting(reason: str) -> Any:
    def act(result: Result, ctx: Any) -> Result:
        row = result.rows.slice(0, 1).to_pylist()[0]
        ids = {"sample_id": row["file_id"], "parent_id": row["file_id"], "dataset": row["dataset"]}
        return Result(result.rows.slice(1), pa.Table.from_pylist([ids | {"reason": reason, "detail": ""}], REJECTS))

    return act


def inventing(result: Result, ctx: Any) -> Result:
    row = result.rows.slice(0, 1).to_pylist()[0]
    return Result(pa.concat_tables([result.rows, pa.Table.from_pylist([row | {"file_id": "new"}], ctx.schema)]))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda r, c: Result(r.rows.slice(1)), "1 rows were lost"),
        (inventing, "1 rows came from nowhere, for example ['new']"),
        (lambda r, c: Result(pa.concat_tables([r.rows, r.rows])), "8 outcomes for 4 rows"),
        (lambda r, c: Result(r.rows.drop_columns(["square"])), "returned columns ['square'] differ"),
        (lambda r, c: Result(r.rows.append_column("more", r.rows["number"])), "returned columns ['more'] differ"),
        (rejecting("no_such_reason"), "undeclared reasons ['no_such_reason']"),
    ],
    ids=["lost", "invented", "doubled", "missing", "extra", "reason"],
)
def test_a_broken_promise_commits_nothing(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch, act: Any, said: str
) -> None:
    stage_that(monkeypatch, result=act)
    outcome = run_job(job)
    assert outcome.ref is None
    assert outcome.fatal is None
    assert outcome.failure.startswith("ContractError: Stage 'square', part ")
    assert said in outcome.failure
    assert [n for n in store.names(job.directory) if job.id in n] == [], "not even the pack"
    assert [n for n in store.names("tmp") if n.endswith(".tmp")] == []


def test_columns_come_in_any_order(job: Job, monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    plain = run_job(job).ref
    assert plain is not None
    for name in store.names(job.directory):
        store.remove(f"{job.directory}/{name}")
    stage_that(monkeypatch, result=lambda r, c: Result(r.rows.select(r.rows.schema.names[::-1])))
    again = run_job(job).ref
    assert again is not None
    assert again.digest == plain.digest


def test_a_fan_out_may_not_give_two_rows_one_id(store: Store, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    job = first_jobs(store, spec, "make")[0]
    monkeypatch.setattr(stages, "content_id", lambda slug, n: f"{slug}-{n % 5}")
    assert "two output rows share one file_id" in run_job(job).failure


@pytest.mark.parametrize(
    ("exc", "fatal"),
    [
        (RuntimeError("bug"), None),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "DOE_JANE.png"), None),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), StorageError),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), StorageError),
        (ConfigError("a program is missing"), ConfigError),
        (StorageError("full"), StorageError),
    ],
    ids=str,
)
def test_what_a_stage_raises_is_in_the_outcome(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch, exc: Exception, fatal: type[Exception] | None
) -> None:
    def act(result: Result, ctx: Any) -> Result:
        raise exc

    stage_that(monkeypatch, result=act)
    outcome = run_job(job)
    assert outcome.ref is None
    ours = str(exc) if isinstance(exc, UltracurateError) else "unforeseen"
    assert (getattr(exc, "strerror", None) or ours) in outcome.failure
    assert "JANE" not in outcome.failure
    assert (type(outcome.fatal) if outcome.fatal else None) is fatal
    log.open_log(None, "")
    assert [e["part"] for n in ("part_failed", "part_stopped") for e in events(store, "run1", n)] == [job.id]
    assert [n for n in store.names(job.directory) if job.id in n] == []
    monkeypatch.undo()
    assert run_job(job).ref is not None, "nothing stands in the way of the next try"


def test_killed_between_pack_and_part(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException): ...

    def kill(*args: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(work, "commit", kill)
        with pytest.raises(KilledError):
            run_job(job)
    assert store.exists(f"{job.directory}/pack-{job.id}.tar")
    assert find(store, job.directory, job.id) is None
    first = store.read(f"{job.directory}/pack-{job.id}.tar")
    assert run_job(job).ref is not None
    assert store.read(f"{job.directory}/pack-{job.id}.tar") == first


def test_a_finished_part_is_never_replaced(store: Store, tmp_path: Path) -> None:
    """A worker that was thought lost, or a second run, comes to the same part when a passing trouble is over."""
    heal = tmp_path / "heal"
    jobs = first_jobs(store, toy_spec(["square.bad=3", f"square.heal={heal}"]))
    first = [run_job(job).ref for job in jobs]
    before = files(store)
    assert sum(ref.errors for ref in first if ref) == 2
    heal.touch()
    assert [run_job(job).ref for job in jobs] == first
    assert files(store) == before


def test_a_finished_part_is_not_computed_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_job(job)
    stage_that(monkeypatch, result=lambda *_: pytest.fail("computed again"))
    assert run_job(job) == first


def test_the_slower_of_two_at_once_leaves_the_faster_ones_files(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heal = tmp_path / "heal"
    jobs = first_jobs(store, toy_spec(["square.bad=3", f"square.heal={heal}"]))
    real = work._finish
    faster: list[Any] = []
    left: dict[str, bytes] = {}

    def overtaken(store: Store, stage: Any, job: Job, *args: Any) -> Any:
        result = real(store, stage, job, *args)
        if not heal.exists():  # the slower one met the trouble; the faster one comes when it has passed
            heal.touch()
            faster.append(run_job(job).ref)
            left.update({name: data for name, data in files(store).items() if not name.startswith("tmp/")})
        return result

    monkeypatch.setattr(work, "_finish", overtaken)
    for job in jobs:
        heal.unlink(missing_ok=True)
        assert run_job(job).ref == faster[-1]
        assert faster[-1].errors == 0
        assert files(store) == left
    assert len(faster) == len(jobs)


def test_two_threads_that_commit_one_part_at_once(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, outcomes = threading.Barrier(2, timeout=20), []

    def together(*args: Any) -> Any:
        gate.wait()
        return commit(*args)

    monkeypatch.setattr(work, "commit", together)
    threads = [threading.Thread(target=lambda: outcomes.append(run_job(job))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ref = find(store, job.directory, job.id)
    assert ref is not None
    assert ref in [outcome.ref for outcome in outcomes]
    assert [outcome.ref.digest for outcome in outcomes if outcome.ref] == [ref.digest] * 2
    assert read_table(store, ref.path()).num_rows == 4


def test_an_input_without_the_needed_columns(store: Store, job: Job) -> None:
    store.write("odd.parquet", encode(pa.table({"file_id": ["x"], "dataset": ["a"]})))
    odd = dataclasses.replace(job, inputs=(work.Input("odd.parquet", 0, 1),))
    assert "needs columns ['number']; odd.parquet does not hold them" in run_job(odd).failure


def test_a_vanished_spec_is_an_outcome_too(store: Store, job: Job) -> None:
    open_spec.cache_clear()
    store.remove(f"specs/{job.spec}.json")
    outcome = run_job(job)
    assert "as " + socket.gethostname() in outcome.failure
    assert isinstance(outcome.fatal, StorageError), "such a worker would only use up the jobs of the others"


def test_a_worker_with_other_code_stops_the_run_instead_of_making_other_rows(job: Job) -> None:
    *before, last = job.lineage.split("/")
    outcome = run_job(dataclasses.replace(job, lineage="/".join((*before, f"{last.partition(':')[0]}:0123"))))
    assert isinstance(outcome.fatal, ConfigError)
    assert "another version of stage 'square'" in outcome.failure
    assert run_job(job).ref is not None


def test_a_worker_that_does_not_see_the_work_directory_makes_none(job: Job, tmp_path: Path) -> None:
    elsewhere = tmp_path / "not mounted"
    outcome = run_job(dataclasses.replace(job, work=str(elsewhere), log_dir=str(elsewhere / "logs")))
    assert isinstance(outcome.fatal, StorageError)
    assert "mount it there" in outcome.failure
    assert not elsewhere.exists()


def test_worker_setup_leaves_a_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    work.worker_setup()
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OMP_THREAD_LIMIT"]) == ("7", "1")
