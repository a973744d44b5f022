"""What a run would do: datasets with their terms and sizes, stages with what is left and why."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ultracurate.core.errors import printable, storage_error
from ultracurate.terminal import screen
from ultracurate.terminal.datasets import dataset_row, datasets_table, print_summary, summary, todo_table

if TYPE_CHECKING:
    from ultracurate.core.plan import Planner, StageState
    from ultracurate.core.spec import Spec
    from ultracurate.core.stage import Stage
    from ultracurate.core.store import Store


def print_plan(store: Store, spec: Spec, as_json: bool) -> None:
    """Datasets with licence, access, size and what a person must do; stages with what is done, left, and why."""
    from ultracurate.core.plan import Planner

    planner = Planner(store, spec)
    states = planner.look()
    manifests = list(spec.manifests.values())
    roots = spec.recipe.roots
    chosen = [dataset_row(m, roots) for m in manifests]
    counts = summary(manifests, roots)
    listed = _listed_bytes(store, states.get("discover"))
    stated: int = counts["bytes"]
    known = listed if listed is not None else None if counts["bytes_unknown"] else stated
    free = _free_bytes(store)
    steps = [_step(planner, s, states) for s in planner.stages]
    if as_json:
        screen.print_json(
            {
                "recipe": spec.recipe.name,
                "datasets": chosen,
                "summary": counts,
                "bytes_known": known,
                "bytes_free": free,
                "stages": steps,
            }
        )
        return
    datasets_table(chosen)
    todo_table(chosen)
    print_summary(counts)
    room = f"; free in the work directory: {screen.size(free)}" if free is not None else ""
    shown = screen.size(known) if known is not None else f"{screen.size(stated)} or more" if stated else "unknown"
    screen.out.print(f"Known size of the files: {shown}{room}")
    if free is not None and (known or stated) > free:
        screen.out.print("[red]The files do not fit on this disk.[/red] Choose another --work, or fewer datasets.")
    table = Table("stage", "settings", "parts done", "parts left", "why")
    for step in steps:
        left = "?" if step["todo"] is None else str(step["todo"])
        table.add_row(step["stage"], step["fingerprint"], str(step["done"]), left, Text(printable(step["why"])))
    screen.print_table(table)


def _step(planner: Planner, stage: Stage, states: Mapping[str, StageState | None]) -> dict[str, Any]:
    """One stage of the plan; `todo` is None while nobody can know its parts."""
    from ultracurate.core.runner import open_errors

    state, before = states[stage.name], states.get(stage.after or "")
    changes = list(dict.fromkeys(planner.changes(stage)))  # earlier runs may differ in the same
    why = "; ".join(
        c if c.startswith("a stage before") else f"settings differ from an earlier run: {c}" for c in changes[:3]
    )
    if state is None:
        waits = not (before and before.complete)
        why = why or (f"known when {stage.after} has run" if waits else "not run yet")
    elif not why:
        ran = planner.store.exists(f"{planner.directory(stage)}/settings.json")
        other = "new parts" if state.done else "these inputs were not run yet" if ran else "not run yet"
        why = "finished" if state.complete else other
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
