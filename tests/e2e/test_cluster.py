"""A scheduler and workers as separate processes: the same bytes as serial, also when a worker dies in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_kill import build, computed_twice, finish, shards

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """`dask scheduler` and `dask worker` as a user starts them; gives the address and the worker processes."""
    folder.mkdir(parents=True)
    found = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(found), "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "scheduler", *options], start_new_session=True, **silent)  # type: ignore[call-overload]
    started = [scheduler]
    try:
        deadline = time.monotonic() + 60
        while not found.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found.exists(), "the scheduler did not start"
        # Without a nanny, so that a killed worker stays dead.
        command = [*dask, "worker", "--scheduler-file", str(found), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        crew = [subprocess.Popen(command, start_new_session=True, cwd=folder, **silent) for _ in range(workers)]  # type: ignore[call-overload]
        started += crew
        import json

        yield json.loads(found.read_text())["address"], crew
    finally:
        for process in reversed(started):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


def through(address: str, recipe: Path, work: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ultracurate", "run", "all", "--recipe", str(recipe), "--work", str(work)]
    return subprocess.Popen([*command, "--scheduler", address], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_separate_processes_and_a_worker_killed_in_the_middle(tmp_path: Path) -> None:
    recipe = build(tmp_path, datasets=4, pictures=72)
    finish(recipe, tmp_path / "calm")
    work = tmp_path / "cluster"
    with cluster(tmp_path / "dask", workers=2) as (address, crew):
        process = through(address, recipe, work)
        deadline = time.monotonic() + 120
        while len(list(work.glob("strip/*/part-*.parquet"))) < 2 and time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            time.sleep(0.02)
        assert not list(work.glob("shards/*")), "the run was over before the worker could be killed"
        os.killpg(crew[0].pid, signal.SIGKILL)
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err.decode()
        assert crew[1].poll() is None
    assert shards(work) == shards(tmp_path / "calm")
    assert computed_twice(work) == []


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_local_workers_give_the_same_bytes(tmp_path: Path, workers: int) -> None:
    recipe = build(tmp_path, datasets=2, pictures=48)
    finish(recipe, tmp_path / "calm")
    finish(recipe, tmp_path / "dask", workers)
    assert shards(tmp_path / "dask") == shards(tmp_path / "calm")
