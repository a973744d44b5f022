"""Every executor, also one that is added tomorrow, gives what the serial one gives."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.toy.build import digests, files, run_toy, toy_spec
from ultracurate.core.errors import ConfigError, PartsFailedError
from ultracurate.core.executor import EXECUTORS, Executor
from ultracurate.core.runner import run
from ultracurate.core.store import Store

STARTS_PROCESSES = {"dask"}
NAMES = [
    pytest.param(name, marks=[pytest.mark.cluster] if name in STARTS_PROCESSES else [], id=name)
    for name in EXECUTORS.names()
]


@pytest.fixture(scope="module", params=NAMES)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = EXECUTORS.get(request.param)(workers=2)
    yield made
    made.close()


def test_every_file_of_the_package_is_found() -> None:
    import ultracurate.execution

    folder = Path(str(ultracurate.execution.__file__)).parent
    assert {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")} == set(EXECUTORS.names())
    assert {"serial", "dask"} <= set(EXECUTORS.names())


@pytest.mark.parametrize("name", EXECUTORS.names())
def test_it_is_made_with_workers_and_scheduler(name: str) -> None:
    parameters = inspect.signature(EXECUTORS.get(name)).parameters
    assert list(parameters) == ["workers", "scheduler"]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in parameters.values())
    assert {"map", "close"} <= set(dir(EXECUTORS.get(name)))


def test_it_gives_the_files_that_serial_gives(executor: Executor, store: Store, tmp_path: Path) -> None:
    heal = tmp_path / "heal"
    spec = toy_spec(["make.first=996", "square.bad=999", f"square.heal={heal}", "rank.below=1006009"])
    alone = Store(tmp_path / "alone")
    assert digests(run(store, spec, executor)) == digests(run_toy(alone, spec))
    heal.touch()
    assert digests(run(store, spec, executor, retry="all")) == digests(run_toy(alone, spec, retry="all"))
    assert files(store) == files(alone)


def test_it_gives_every_outcome_once(executor: Executor) -> None:
    assert sorted(executor.map(abs, range(-30, 0))) == list(range(1, 31))
    assert list(executor.map(abs, [])) == []


def test_it_can_be_used_again_after_a_failure(executor: Executor, store: Store) -> None:
    with pytest.raises(PartsFailedError, match="2 of 6 parts"):
        run(store, toy_spec(["square.explode=5"]), executor)
    assert run(store, toy_spec(), executor).computed == {"make": 0, "square": 6, "rank": 6}


def test_an_unknown_executor_helps() -> None:
    with pytest.raises(ConfigError, match=r"No executor is called 'dsak'\. Did you mean 'dask'"):
        EXECUTORS.get("dsak")


def test_looking_up_executors_does_not_load_dask() -> None:
    code = (
        "import sys; from ultracurate.core.executor import EXECUTORS; EXECUTORS.get('dask'); "
        "print([m for m in ('dask', 'distributed') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
