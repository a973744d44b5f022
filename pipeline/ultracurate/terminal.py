"""What the commands show: tables and progress for people, one JSON object for scripts."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from ultracurate.core.errors import storage_error

if TYPE_CHECKING:
    from ultracurate.core.dataset import DatasetManifest
    from ultracurate.core.parts import PartRef
    from ultracurate.core.plan import Planner, StageState
    from ultracurate.core.runner import RunResult
    from ultracurate.core.spec import Spec
    from ultracurate.core.stage import Stage
    from ultracurate.core.store import Store
    from ultracurate.core.work import Outcome

out = Console(soft_wrap=True, highlight=False)
WIDE = 200
"""Columns of a table that goes into a file or a pipe, so that names stay in one piece for grep."""


def print_table(table: Table) -> None:
    """A table as wide as the terminal (or as COLUMNS says), and wide where there is none."""
    known = out.is_terminal or "COLUMNS" in os.environ
    (out if known else Console(soft_wrap=True, highlight=False, width=WIDE)).print(table)


def print_json(data: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(data, default=str) + "\n")


class Progress:
    """Listens to a run: a bar with rate and remaining time on a terminal, one plain line for each stage elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: RichProgress | None = None
        self._task: Any = None
        self._started = 0.0
        self._todo = 0
        self._total = 0
        if not quiet and out.is_terminal:
            columns = (
                TextColumn("{task.description:<12}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
            )
            self._bar = RichProgress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=out)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def stage_started(self, stage: Stage, total: int, todo: int) -> None:
        """Show a new bar, or remember the time."""
        self._started, self._todo, self._total = time.monotonic(), todo, total
        if self._bar:
            self._task = self._bar.add_task(stage.name, total=total, completed=total - todo, rate="")

    def part_done(self, stage: Stage, outcome: Outcome) -> None:
        """Move the bar; say a failure at once."""
        if outcome.failure and not self._quiet:
            out.print(f"{stage.name}: part {outcome.job_id} failed: {outcome.failure}", markup=False)
        if self._bar:
            done = self._bar.tasks[self._task].completed - (self._total - self._todo) + 1
            rate = done / max(time.monotonic() - self._started, 1e-3)
            self._bar.update(self._task, advance=1, rate=f"{rate:.1f} parts/s")

    def stage_done(self, stage: Stage, parts: Sequence[PartRef], published: str) -> None:
        """A plain line, where there is no bar."""
        if self._quiet or self._bar:
            return
        from ultracurate.core.runner import open_errors

        rows, rejects = (sum(getattr(p, n) for p in parts) for n in ("rows", "rejects"))
        errors = open_errors(parts)
        seconds = time.monotonic() - self._started
        out.print(
            f"{stage.name:<11} {rows:>7} rows  {rejects:>6} rejected  {errors:>4} errors  "
            f"{self._todo:>4} of {self._total} parts computed  {seconds:6.1f} s",
            markup=False,
        )


def print_stages(chain: Sequence[Stage], as_json: bool) -> None:
    """The stages with their declarations."""
    rows: list[dict[str, Any]] = [
        {
            "name": s.name,
            "version": s.version,
            "after": s.after,
            "grain": [s.grain_in.value, s.grain_out.value],
            "scope": s.scope.value,
            "needs": list(s.needs),
            "adds": [f.name for f in s.adds],
            "settings": sorted(s.config.model_fields),
            "reasons": dict(s.reasons),
            "summary": s.summary,
        }
        for s in chain
    ]
    if as_json:
        print_json({"stages": rows})
        return
    table = Table("stage", "grain", "settings", "what it does")
    for row in rows:
        table.add_row(row["name"], " -> ".join(dict.fromkeys(row["grain"])), " ".join(row["settings"]), row["summary"])
    print_table(table)


def print_plan(store: Store, spec: Spec, as_json: bool) -> None:
    """Datasets with licence, access and size; stages with what is done, what is left, and why."""
    from ultracurate.core.plan import Planner

    planner = Planner(store, spec)
    states = planner.look()
    chosen = [dataset_row(m) for m in spec.manifests.values()]
    listed = _listed_bytes(store, states.get("discover"))
    stated = [row["bytes"] for row in chosen]
    known = listed if listed is not None else None if None in stated else sum(stated)
    free = _free_bytes(store)
    steps = [_step(planner, s, states) for s in planner.stages]
    if as_json:
        print_json(
            {"recipe": spec.recipe.name, "datasets": chosen, "bytes_known": known, "bytes_free": free, "stages": steps}
        )
        return
    _datasets_table(chosen)
    room = f"; free in the work directory: {size(free)}" if free is not None else ""
    out.print(f"Known size of the files: {size(known)}{room}")
    if free is not None and known is not None and known > free:
        out.print("[red]The files do not fit on this disk.[/red] Choose another --work, or fewer datasets.")
    table = Table("stage", "settings", "parts done", "parts left", "why")
    for step in steps:
        left = "?" if step["todo"] is None else str(step["todo"])
        table.add_row(step["stage"], step["fingerprint"], str(step["done"]), left, Text(step["why"]))
    print_table(table)


def _step(planner: Planner, stage: Stage, states: Mapping[str, StageState | None]) -> dict[str, Any]:
    """One stage of the plan; `todo` is None while nobody can know its parts."""
    from ultracurate.core.runner import open_errors

    state, before = states[stage.name], states.get(stage.after or "")
    changes = planner.changes(stage)
    why = "; ".join(f"settings differ from an earlier run: {c}" for c in changes[:3])
    if state is None:
        waits = not (before and before.complete)
        why = why or (f"known when {stage.after} has run" if waits else "not run yet")
    elif not why:
        why = "finished" if state.complete else "new parts" if state.done else "not run yet"
    errors = open_errors(state.done) if state else 0
    if errors:
        why += f"; {errors} error rows, see `ultracurate retry`"
    return {
        "stage": stage.name,
        "fingerprint": planner.fingerprints[stage.name],
        "done": len(state.jobs) - len(state.todo) if state else 0,
        "todo": len(state.todo) if state else None,
        "why": why,
    }


def _listed_bytes(store: Store, state: StageState | None) -> int | None:
    """What the hosts say the files weigh, once discover has run."""
    from ultracurate.core.parts import read_table

    if state is None or not state.complete:
        return None
    tables = [read_table(store, part.path(), ["file_size"]) for part in state.done if part.rows]
    return sum(v or 0 for table in tables for v in table["file_size"].to_pylist())


def _free_bytes(store: Store) -> int | None:
    """Free bytes of the disk under a local work directory."""
    if store.local is None:
        return None
    folder = store.local
    while not folder.exists():
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError as exc:
        raise storage_error(exc, str(folder)) or exc from exc


def print_status(store: Store, spec: Spec, as_json: bool) -> None:
    """Rows, rejects and errors of every stage that has run."""
    from ultracurate.core.plan import Planner
    from ultracurate.core.runner import open_errors

    rows = []
    for name, state in Planner(store, spec).look().items():
        parts = state.done if state else ()
        rows.append(
            {
                "stage": name,
                "parts": f"{len(state.jobs) - len(state.todo)}/{len(state.jobs)}" if state else "-",
                "rows": sum(p.rows for p in parts),
                "rejects": sum(p.rejects for p in parts),
                "errors": open_errors(parts),
                "seconds": round(sum(p.seconds for p in parts), 2),
                "complete": bool(state and state.complete),
            }
        )
    if as_json:
        print_json({"recipe": spec.recipe.name, "stages": rows})
        return
    table = Table("stage", "parts", "rows", "rejected", "errors", "worker seconds")
    for row in rows:
        table.add_row(*(str(row[k]) for k in ("stage", "parts", "rows", "rejects", "errors", "seconds")))
    print_table(table)


def print_result(store: Store, result: RunResult, report: str | None, as_json: bool) -> None:
    """Where everything is, and what is left to do."""
    where = {name: place(store, path) for name, path in result.published.items()}
    last = list(result.parts)[-1]
    rows = sum(part.rows for part in result.parts[last])
    if as_json:
        print_json(
            {
                "run": result.run_id,
                "computed": result.computed,
                "rows": {name: sum(p.rows for p in parts) for name, parts in result.parts.items()},
                "rejects": {name: sum(p.rejects for p in parts) for name, parts in result.parts.items()},
                "error_rows": result.error_rows,
                "published": where,
                "report": place(store, report) if report else None,
            }
        )
        return
    if result.error_rows:
        out.print(
            f"{result.error_rows} rows could not be processed; each says why in the report. "
            "Try them again with: ultracurate retry"
        )
    for name, path in where.items():
        out.print(f"{rows} frames in {name}s: {path} (tars, one .parquet index each, SHA256SUMS)", markup=False)
    if report:
        out.print(f"Report: {place(store, report)}", markup=False)


def place(store: Store, path: str) -> str:
    """A path of the work directory as people and scripts can open it."""
    return str(Path(store.local) / path) if store.local else f"{store.url}/{path}"


def dataset_row(manifest: DatasetManifest) -> dict[str, Any]:
    """One dataset in a line; `bytes` is None unless the manifest names the size of every file."""
    sizes = [file.size for source in manifest.sources[:1] for file in source.files]
    return {
        "slug": manifest.slug,
        "title": manifest.title,
        "licence": manifest.licence.id,
        "access": manifest.access,
        "status": manifest.status,
        "host": manifest.sources[0].host,
        "bytes": sum(s or 0 for s in sizes) if sizes and all(s is not None for s in sizes) else None,
        "held_out": list(manifest.held_out),
    }


def print_datasets(known: Mapping[str, DatasetManifest], as_json: bool) -> None:
    """All datasets, one line each."""
    rows = [dataset_row(m) for m in known.values()]
    if as_json:
        print_json({"datasets": rows})
    else:
        _datasets_table(rows)


def _datasets_table(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table("dataset", "title", "licence", "access", "host", "size", "held out for")
    for row in rows:
        note = "" if row["status"] == "ready" else f" ({row['status']})"
        table.add_row(
            row["slug"] + note,
            Text(row["title"]),
            row["licence"],
            row["access"],
            row["host"],
            size(row["bytes"]),
            Text(" ".join(row["held_out"])),
        )
    print_table(table)


def size(n: int | None) -> str:
    """Bytes for people."""
    if n is None:
        return "unknown"
    amount, unit = float(n), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def print_measure(found: Any, as_json: bool) -> None:
    """The figures of one measurement, and whether they keep what was promised."""
    if as_json:
        print_json(found.plain())
        return
    table = Table("figure", "value")
    for name, value in found.figures.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    print_table(table)
    for promise in found.must:
        out.print(
            f"{'met' if promise.met else 'NOT MET'}: {promise.name} {promise.value:.4g}, bound {promise.bound:.4g}",
            markup=False,
        )
