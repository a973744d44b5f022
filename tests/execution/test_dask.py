from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from tests.core.toy.build import digests, files, run_toy, toy_spec
from ultracurate.core.errors import ConfigError, PartsFailedError
from ultracurate.core.runner import Quiet, run
from ultracurate.core.store import Store
from ultracurate.core.work import Outcome
from ultracurate.execution import dask as execution_dask
from ultracurate.execution.dask import WINDOW_PER_THREAD, DaskExecutor

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Task:
    """A job of these tests: where to leave a mark, how long to take, whether to die."""

    id: str
    folder: str = ""
    seconds: float = 0.0
    die: bool = False


def work(task: Task) -> Outcome:
    time.sleep(task.seconds)
    if task.die:
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(task.id, failure=str(os.getpid()))


def die_once(task: Task) -> Outcome:
    """The first worker that comes to this job is killed in the middle of it."""
    mark = Path(task.folder) / task.id
    if task.die and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(task.seconds)
    return Outcome(task.id, failure=str(os.getpid()))


def environment(task: Task) -> Outcome:
    return Outcome(task.id, failure=os.environ.get("OMP_THREAD_LIMIT", ""))


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskExecutor]:
    executor = DaskExecutor(workers=2)
    yield executor
    executor.close()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_files(store: Store, tmp_path: Path, workers: int) -> None:
    spec = toy_spec(["make.first=996", "square.odd=false", "square.bad=1000", "rank.below=1004004"])
    executor = DaskExecutor(workers=workers)
    try:
        result = run(store, spec, executor)
    finally:
        executor.close()
    alone = Store(tmp_path / "alone")
    assert digests(result) == digests(run_toy(alone, spec))
    assert result.error_rows == 2
    assert files(store) == files(alone)


def test_a_killed_worker_changes_nothing(store: Store, tmp_path: Path) -> None:
    """A worker is killed from outside while parts are being computed."""
    spec = toy_spec(["make.rows=60"])
    executor = DaskExecutor(workers=2)
    killed: list[int] = []

    class Killer:
        def stage_started(self, stage: Any, total: int, todo: int) -> None: ...

        def part_done(self, stage: Any, outcome: Any) -> None:
            if stage.name == "square" and len(killed) < 2:
                nannies = executor._cluster.workers.values()
                killed.append(next(n.pid for n in nannies if n.pid and n.pid not in killed))
                os.kill(killed[-1], signal.SIGKILL)

        def stage_done(self, stage: Any, parts: Any, published: str) -> None: ...

    try:
        result = run(store, spec, executor, listener=Killer())
    finally:
        executor.close()
    assert len(killed) == 2
    alone = Store(tmp_path / "alone")
    assert digests(result) == digests(run_toy(alone, spec))
    ours = {name: data for name, data in files(store).items() if not name.startswith("tmp/")}
    assert ours == files(alone)


def test_a_worker_that_dies_inside_a_job_costs_a_second_try(cluster: DaskExecutor, tmp_path: Path) -> None:
    jobs = [Task(f"j{n}", str(tmp_path), 0.02, die=n in (2, 7)) for n in range(12)]
    outcomes = list(cluster.map(die_once, jobs))
    assert sorted(o.job_id for o in outcomes) == sorted(j.id for j in jobs)
    assert {path.name for path in tmp_path.iterdir()} == {"j2", "j7"}, "two workers died"
    assert all(o.failure.isdigit() for o in outcomes), "and somebody else did their jobs"


def test_a_job_that_always_kills_its_worker_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_dask, "ALLOWED_FAILURES", 1)
    executor = DaskExecutor(workers=1)
    try:
        (bad,) = executor.map(
            work, [Task("bad", seconds=0.5, die=True)]
        )  # later than its start: a nanny forgets one that dies sooner
        (good,) = executor.map(work, [Task("good")])
    finally:
        executor.close()
    assert (bad.job_id, bad.ref) == ("bad", None)
    assert "KilledWorker" in bad.failure
    assert good.failure.isdigit()


def test_a_worker_that_is_starting_again_is_not_given_up(tmp_path: Path) -> None:
    """Dask's own patience is 15 s, at whose end a worker that is just being started counts as lost for ever."""
    import dask

    executor = DaskExecutor(workers=1)
    try:
        assert dask.config.get("distributed.deploy.lost-worker-timeout") == execution_dask.LOST_WORKER
        list(executor.map(die_once, [Task("bad", str(tmp_path), die=True)]))
        assert [o.job_id for o in executor.map(work, [Task("good")])] == ["good"]
        assert len(executor._cluster.workers) == 1
    finally:
        executor.close()


def explode(task: Task) -> Outcome:
    raise ValueError(f"outside of what run_job catches: {task.id}")


def test_a_job_that_raises_is_an_outcome(cluster: DaskExecutor) -> None:
    (outcome,) = cluster.map(explode, [Task("x")])
    assert (outcome.job_id, outcome.failure) == ("x", "ValueError: outside of what run_job catches: x")


def test_no_jobs_no_outcomes(cluster: DaskExecutor) -> None:
    assert list(cluster.map(work, [])) == []


def test_the_window_is_never_exceeded(cluster: DaskExecutor) -> None:
    given, peak, ended = 0, 0, 0

    def jobs() -> Iterator[Task]:
        nonlocal given, peak
        for n in range(40):
            given += 1
            peak = max(peak, given - ended)
            yield Task(f"j{n}")

    for _ in cluster.map(work, jobs()):
        ended += 1
        assert given - ended <= 2 * WINDOW_PER_THREAD
    assert (given, ended) == (40, 40)
    assert peak <= 2 * WINDOW_PER_THREAD + 1, "the outcome in hand counts as ended only after the loop's step"
    assert peak > 2, "more than one job for each worker is in flight"


def test_a_window_that_shrinks_is_kept_too(cluster: DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that leave make the window smaller: no new job until the old ones are down to it."""
    sizes = iter([8, *[2] * 1000])
    monkeypatch.setattr(cluster, "_window", lambda: next(sizes))
    flying: list[int] = []
    real = cluster._client.submit
    submitted = ended = 0

    def submit(*args: Any, **kwargs: Any) -> Any:
        nonlocal submitted
        submitted += 1
        flying.append(submitted - ended)
        return real(*args, **kwargs)

    monkeypatch.setattr(cluster._client, "submit", submit)
    for _ in cluster.map(work, [Task(f"j{n}") for n in range(20)]):
        ended += 1
    assert ended == 20
    assert flying[:8] == list(range(1, 9))
    assert max(flying[8:]) <= 2


def test_workers_have_one_thread_for_each_library(cluster: DaskExecutor) -> None:
    assert {o.failure for o in cluster.map(environment, [Task(f"j{n}") for n in range(6)])} == {"1"}


def test_a_worker_that_came_later_is_set_up_as_well(tmp_path: Path) -> None:
    executor = DaskExecutor(workers=1)
    try:
        list(executor.map(die_once, [Task("first", str(tmp_path), die=True)]))
        assert [o.failure for o in executor.map(environment, [Task("x")])] == ["1"]
    finally:
        executor.close()


def test_a_running_scheduler_is_used_and_left_running(cluster: DaskExecutor, store: Store, tmp_path: Path) -> None:
    address = cluster._cluster.scheduler_address
    executor = DaskExecutor(scheduler=address)
    try:
        result = run(store, toy_spec(), executor)
    finally:
        executor.close()
    assert digests(result) == digests(run_toy(Store(tmp_path / "alone"), toy_spec()))
    assert [o.job_id for o in cluster.map(work, [Task("still there")])] == ["still there"]


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(execution_dask, "CONNECT_SECONDS", 1)
    started = time.monotonic()
    with pytest.raises(ConfigError, match=rf"No Dask scheduler answers at tcp://127.0.0.1:{port}.*`dask scheduler`"):
        DaskExecutor(scheduler=f"tcp://127.0.0.1:{port}")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://"])  # no name look-up: that can take its time
def test_an_address_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(execution_dask, "CONNECT_SECONDS", 1)
    with pytest.raises(ConfigError, match="No Dask scheduler answers at"):
        DaskExecutor(scheduler=address)


def test_failed_parts_end_the_run_after_the_others(store: Store) -> None:
    executor = DaskExecutor(workers=2)
    try:
        with pytest.raises(PartsFailedError, match="2 of 6 parts of stage 'square'"):
            run(store, toy_spec(["square.explode=5"]), executor)
    finally:
        executor.close()
    done = [name for folder in store.names("square") for name in store.names(f"square/{folder}")]
    assert sum(name.startswith("part-") for name in done) == 4


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and a worker as processes of their own; a folder `shadow` comes first on the worker's path."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    found = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    root = str(Path(__file__).parents[2])  # the toy stages must be known there as well
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    environ = os.environ | {"PYTHONPATH": root}
    options = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(found), "--no-dashboard"]
    processes = [subprocess.Popen([*dask, "scheduler", *options], env=environ, **quiet)]
    try:
        for _ in range(600):
            if found.exists():
                break
            time.sleep(0.1)
        command = [*dask, "worker", "--scheduler-file", str(found), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        processes.append(subprocess.Popen(command, env=environ | {"PYTHONPATH": f"{shadow}:{root}"}, **quiet))
        yield json.loads(found.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait(timeout=30)


def test_a_scheduler_that_goes_away_ends_the_run_with_one_sentence(
    store: Store, foreign: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, (scheduler, _) = foreign
    executor = DaskExecutor(scheduler=address)

    class Killer(Quiet):
        def part_done(self, stage: Any, outcome: Outcome) -> None:
            if stage.name == "square":
                scheduler.kill()

    spec = toy_spec(["make.rows=200"])
    started = time.monotonic()
    try:
        with pytest.raises(PartsFailedError, match=rf"scheduler at {address} stopped.*Finished parts are kept"):
            run(store, spec, executor, listener=Killer())
    finally:
        executor.close()
    assert time.monotonic() - started < 60
    result = run_toy(store, spec)
    assert result.computed["make"] == 0, "finished before"
    assert 0 < result.computed["square"] < 100, "some were finished before"


def test_a_worker_without_this_version_is_told_before_anything_runs(
    foreign: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    (tmp_path / "shadow" / "ultracurate.py").write_text("raise ImportError('not installed')")
    address, _ = foreign
    with Client(address) as client:
        client.wait_for_workers(1, timeout=60)
    with pytest.raises(ConfigError, match=r"Expected ultracurate .* has none\. Install"):
        DaskExecutor(scheduler=address)
