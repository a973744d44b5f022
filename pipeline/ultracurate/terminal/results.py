"""Stages, how far a run has come, what it ended with, and what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ultracurate.core.errors import printable
from ultracurate.core.parts import read_table
from ultracurate.terminal import screen

if TYPE_CHECKING:
    from ultracurate.core.runner import RunResult
    from ultracurate.core.spec import Spec
    from ultracurate.core.stage import Stage
    from ultracurate.core.store import Store
    from ultracurate.measure import Measurement


SHOWN = 10
"""Different error messages on the screen; the tables hold all."""
MESSAGE = 600
"""Characters of one."""


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
        screen.print_json({"stages": rows})
        return
    table = Table("stage", "grain", "settings", "what it does")
    for row in rows:
        table.add_row(row["name"], " -> ".join(dict.fromkeys(row["grain"])), " ".join(row["settings"]), row["summary"])
    screen.print_table(table)


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
        screen.print_json({"recipe": spec.recipe.name, "stages": rows})
        return
    table = Table("stage", "parts", "rows", "rejected", "errors", "worker seconds")
    for row in rows:
        table.add_row(*(str(row[k]) for k in ("stage", "parts", "rows", "rejects", "errors", "seconds")))
    screen.print_table(table)


def print_result(store: Store, result: RunResult, spec: Spec, recipe: str, report: str | None, as_json: bool) -> None:
    """Where everything is, and what is left to do."""
    where = {name: screen.place(store, path) for name, path in result.published.items()}
    last = list(result.parts)[-1]
    rows = sum(part.rows for part in result.parts[last])
    if as_json:
        screen.print_json(
            {
                "run": result.run_id,
                "computed": result.computed,
                "rows": {name: sum(p.rows for p in parts) for name, parts in result.parts.items()},
                "rejects": {name: sum(p.rejects for p in parts) for name, parts in result.parts.items()},
                "error_rows": result.error_rows,
                "published": where,
                "report": screen.place(store, report) if report else None,
            }
        )
        return
    if result.error_rows:
        messages = error_messages(store, result, _of_hosts(spec))
        for message, rows_with in messages.most_common(SHOWN):
            times = f" ({rows_with} rows)" if rows_with > 1 else ""
            screen.out.print(f"  {printable(message)[:MESSAGE]}{times}", markup=False, style="red")
        more = f", {len(messages) - SHOWN} more reasons in the report" if len(messages) > SHOWN else ""
        what = "1 row" if result.error_rows == 1 else f"{result.error_rows} rows"
        screen.out.print(
            f"{what} could not be processed{more}. When the cause is mended: "
            f"ultracurate retry --recipe {recipe} --work {screen.place(store, '').rstrip('/')}",
            markup=False,
        )
    for name, path in where.items():
        screen.out.print(f"{rows} frames in {name}s: {path} (tars, one .parquet index each, SHA256SUMS)", markup=False)
    if report:
        screen.out.print(f"Report: {screen.place(store, report)}", markup=False)


def _of_hosts(spec: Spec) -> frozenset[str]:
    """Datasets whose files come from hosts: their names are public, those of a clinic's own files are not."""
    own = {slug for slug, m in spec.manifests.items() if any(ref.host == "local" for ref in m.sources)}
    return frozenset(spec.manifests) - own


def error_messages(store: Store, result: RunResult, public: frozenset[str]) -> Counter[str]:
    """What the rows that still stand as errors say, with how many say it.

    Names of files and folders can hold names of patients, so what is said of files on this machine, or of what lies
    in archives, stays in the tables.
    """
    from ultracurate.core.plan import retry_id

    said: Counter[str] = Counter()
    for stage, parts in result.parts.items():
        ids = {part.id for part in parts}
        for part in parts:
            if part.errors and retry_id(part) not in ids:
                path = part.path("errors")
                for row in read_table(store, path, ["dataset", "message"]).to_pylist():
                    shown = stage in ("discover", "download") and row["dataset"] in public
                    said[f"{stage}: {row['message'] if shown else f'see {screen.place(store, path)}'}"] += 1
    return said


def print_measure(found: Measurement, as_json: bool) -> None:
    """The figures of one measurement, and whether they keep what was promised."""
    if as_json:
        screen.print_json(found.plain())
        return
    single = {name: value for name, value in found.figures.items() if not isinstance(value, dict)}
    several = {name: value for name, value in found.figures.items() if isinstance(value, dict)}
    if several:  # one column for each method
        columns = list(dict.fromkeys(column for row in several.values() for column in row))
        table = Table("figure", *columns)
        for name, row in several.items():
            table.add_row(name, *(_interval(row.get(column)) for column in columns))
        screen.print_table(table)
    if single:
        table = Table("figure", "value")
        for name, value in single.items():
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
        screen.print_table(table)
    for promise in found.must:
        screen.out.print(
            f"{'met' if promise.met else 'NOT MET'}: {promise.name} {promise.value:.4g}, bound {promise.bound:.4g}",
            markup=False,
        )


def _interval(figure: dict[str, float] | None) -> str:
    """A value with its interval and how many frames it stands on."""
    if figure is None:
        return ""
    between = f" [{figure['low']:.3g}, {figure['high']:.3g}]" if "low" in figure else ""
    return f"{figure['value']:.4g}{between} /{figure['frames']:.0f}"
