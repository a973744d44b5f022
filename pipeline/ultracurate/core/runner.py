"""Runs a recipe stage by stage: plan, skip what is finished, map the rest, write the run's own record last."""

from __future__ import annotations

import json
import platform
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from ultracurate.core import log
from ultracurate.core.errors import PartsFailedError
from ultracurate.core.executor import Executor
from ultracurate.core.parts import PartRef
from ultracurate.core.plan import Planner, StageState
from ultracurate.core.spec import Spec
from ultracurate.core.stage import Stage, pipeline
from ultracurate.core.store import Store
from ultracurate.core.work import Job, Outcome, make_context, run_job


class Listener(Protocol):
    """Told what happens, so that a terminal can show it."""

    def stage_started(self, stage: Stage, total: int, todo: int) -> None:
        """A stage begins: parts in all, parts to compute."""

    def part_done(self, stage: Stage, outcome: Outcome) -> None:
        """A part ended."""

    def stage_done(self, stage: Stage, parts: Sequence[PartRef], published: str) -> None:
        """A stage ended; `published` says where it put something for people."""


class Quiet:
    """A listener that says nothing."""

    def stage_started(self, stage: Stage, total: int, todo: int) -> None:
        """Ignored."""

    def part_done(self, stage: Stage, outcome: Outcome) -> None:
        """Ignored."""

    def stage_done(self, stage: Stage, parts: Sequence[PartRef], published: str) -> None:
        """Ignored."""


@dataclass(slots=True)
class RunResult:
    """What a run ended with: parts by stage, and what was published where."""

    run_id: str
    parts: dict[str, tuple[PartRef, ...]] = field(default_factory=dict)
    states: dict[str, StageState] = field(default_factory=dict)
    computed: dict[str, int] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)

    @property
    def error_rows(self) -> int:
        """Rows that still stand as errors: those of each part's newest attempt."""
        return sum(open_errors(parts) for parts in self.parts.values())


def open_errors(parts: Sequence[PartRef]) -> int:
    """Error rows that no later attempt took up."""
    from ultracurate.core.plan import retry_id

    ids = {part.id for part in parts}
    return sum(part.errors for part in parts if part.errors and retry_id(part) not in ids)


def new_run_id() -> str:
    """A name for one run: UTC time and four random hex digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def run(
    store: Store,
    spec: Spec,
    executor: Executor,
    last: str | None = None,
    listener: Listener | None = None,
    retry: str | None = None,
) -> RunResult:
    """Bring every stage up to `last` up to date; with `retry`, first try that stage's (or "all") error rows again.

    Raises:
        PartsFailedError: Some parts of a stage could not be computed; the others are kept, later stages were not run.
        StorageError: The work directory cannot be written; finished parts are kept.
    """
    listener = listener or Quiet()
    if retry not in (None, "all"):
        pipeline(spec.pipeline).get(str(retry))  # an unknown name is an error, not a retry of nothing
    store.check_writable()
    store.sweep()
    result = RunResult(new_run_id())
    log.open_log(store.local / "logs" if store.local else None, result.run_id)
    spec.save(store)
    planner = Planner(store, spec, result.run_id, last)
    log.event("run_started", run=result.run_id, recipe=spec.recipe.name, stages=[s.name for s in planner.stages])
    for stage in planner.stages:
        planner.save_settings(stage)
        state = planner.state(stage, result.parts)
        listener.stage_started(stage, len(state.jobs), len(state.todo))
        # Only what an earlier run left: what fails now has just been tried.
        again = planner.retries(state) if retry in (stage.name, "all") else ()
        parts = _map(stage, state.todo, executor, listener)
        jobs = state.todo
        if parts:
            state = planner.state(stage, result.parts)
        if again:
            listener.stage_started(stage, len(again), len(again))
            _map(stage, again, executor, listener)
            jobs += again
            state = planner.state(stage, result.parts)
        result.parts[stage.name] = state.done
        result.states[stage.name] = state
        result.computed[stage.name] = len(jobs)
        published = ""
        if stage.publish is not None:
            published = stage.publish(make_context(spec, store, stage), spec.settings(stage), state.done)
            result.published[stage.name] = published
        _record(store, planner, state, result)
        listener.stage_done(stage, state.done, published)
    log.event("run_done", run=result.run_id, computed=result.computed)
    return result


def _map(stage: Stage, jobs: Sequence[Job], executor: Executor, listener: Listener) -> list[PartRef]:
    done: list[PartRef] = []
    failures: list[Outcome] = []
    for outcome in executor.map(run_job, jobs):
        listener.part_done(stage, outcome)
        if outcome.fatal is not None:
            raise outcome.fatal
        if outcome.ref is None:
            failures.append(outcome)
        else:
            done.append(outcome.ref)
    if failures:
        first = failures[0]
        raise PartsFailedError(
            f"{len(failures)} of {len(jobs)} parts of stage {stage.name!r} could not be computed; "
            f"the first: part {first.job_id}: {first.failure}. "
            f"The other parts are kept. The log holds the details; after mending the cause, run the same command again."
        )
    return done


def _record(store: Store, planner: Planner, state: StageState, result: RunResult) -> None:
    """The run's own record beside the parts: written last, names every part with its rows and digest."""
    record: dict[str, Any] = {
        "run": result.run_id,
        "spec": planner.spec_digest,
        "line": planner.spec.line(state.stage),
        "fingerprints": planner.fingerprints,
        "seed": planner.spec.recipe.seed,
        "environment": environment(),
        "computed": result.computed[state.stage.name],
        "side": dict(state.reduction.side) if state.reduction else {},
        "counters": dict(state.reduction.counters) if state.reduction else {},
        "parts": [
            {
                k: v
                for k, v in asdict(part).items()
                if k in ("id", "dataset", "rows", "digest", "rejects", "errors", "side")
            }
            for part in state.done
        ],
    }
    store.write(f"{state.directory}/runs/{result.run_id}.json", json.dumps(record, sort_keys=True, indent=1).encode())


@cache
def environment() -> dict[str, str]:
    """Versions that a result may depend on, and the source commit when run from a checkout."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in (
        "ultracurate",
        "numpy",
        "opencv-python-headless",
        "pillow",
        "pyarrow",
        "dask",
        "imagehash",
        "scikit-learn",
        "pydicom",
        "av",
        "onnxruntime",
        "pytesseract",
        "tesserocr",
        "rapidocr",
    ):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    try:
        here = Path(__file__).parent
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=5, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return found
    return found | {"commit": commit}
