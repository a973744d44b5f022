"""The commands; what they do stands elsewhere. Heavy packages load only inside the command that needs them.

Exit codes: 0 done; 1 a failure that was not foreseen; 2 wrong recipe, manifest, setting or missing program; 3 some
parts (or, with --strict, some rows) failed; 4 the work directory cannot be written; 5 a stage broke its contract.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ultracurate import browse, validate
from ultracurate.arguments import (
    ExecutorOption,
    JsonOption,
    RecipeOption,
    RootOption,
    SchedulerOption,
    SetOption,
    StrictOption,
    WorkersOption,
    WorkOption,
    open_spec,
    open_store,
    start_executor,
)
from ultracurate.core.errors import ConfigError, StorageError, UltracurateError, printable, storage_error
from ultracurate.core.private import hide_private
from ultracurate.discover import discover
from ultracurate.doctor.command import doctor
from ultracurate.original import original

if TYPE_CHECKING:
    from ultracurate.core.executor import Executor
    from ultracurate.core.spec import Spec
    from ultracurate.core.store import Store

app = typer.Typer(
    name="ultracurate",
    help="Public ultrasound datasets in; clean, honest, trainable shards and an account of every lost image out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help cost more than half of the start-up time
    context_settings={"max_content_width": 110},
)
app.add_typer(validate.app, name="validate")
app.add_typer(browse.app, name="datasets")


def main() -> None:
    """Entry point: a foreseen error is one clear message and its exit code, without a traceback."""
    try:
        app()
    except UltracurateError as exc:
        _fail(exc)
    except OSError as exc:  # a full or read-only disk, met outside of a part
        clear = storage_error(exc, str(exc.filename or "a file"))
        if clear is None:
            raise
        _fail(clear)
    except SystemExit as exc:
        if exc.code == INTERRUPTED:  # what typer makes of Ctrl-C
            typer.secho("Stopped. Finished parts are kept; run the same command again to go on.", err=True)
        raise


INTERRUPTED = 130


def _fail(exc: UltracurateError) -> None:
    typer.secho(printable(hide_private(f"Error: {exc}")), fg=typer.colors.RED, err=True)
    sys.exit(exc.exit_code)


def _version(show: bool) -> None:
    if show:
        from ultracurate import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def stages(as_json: JsonOption = False) -> None:
    """List the stages in running order, with what they need, add and may reject."""
    from ultracurate.core.stage import chain
    from ultracurate.terminal.results import print_stages

    print_stages(chain(), as_json)


@app.command()
def plan(
    recipe: RecipeOption,
    work: WorkOption,
    sets: SetOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a run would do, and why, before anything runs: columns, licences, sizes, disk, parts left."""
    from ultracurate.terminal.plan import print_plan

    print_plan(open_store(work), open_spec(recipe, sets, root), as_json)


@app.command()
def run(
    stage: Annotated[str, typer.Argument(help="Name of a stage, or `all`; stages before it run as far as needed.")],
    recipe: RecipeOption,
    work: WorkOption,
    sets: SetOption = None,
    root: RootOption = None,
    executor: ExecutorOption = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a recipe up to a stage. Finished parts are never computed again, whatever happened before."""
    start = partial(start_executor, executor, workers, scheduler)
    _run(open_store(work), open_spec(recipe, sets, root), recipe, stage, start, None, strict, as_json)


@app.command()
def retry(
    recipe: RecipeOption,
    work: WorkOption,
    stage: Annotated[str, typer.Option("--stage", help="Only this stage's error rows.")] = "all",
    sets: SetOption = None,
    root: RootOption = None,
    executor: ExecutorOption = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Try exactly the error rows again, then bring the later stages up to date."""
    start = partial(start_executor, executor, workers, scheduler)
    _run(open_store(work), open_spec(recipe, sets, root), recipe, "all", start, stage, strict, as_json)


def _run(
    store: Store,
    spec: Spec,
    named: str,
    stage: str,
    start: Callable[[], Executor],
    retry_stage: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    from ultracurate.core.runner import run as run_recipe
    from ultracurate.core.stage import pipeline
    from ultracurate.report.load import load_tables
    from ultracurate.report.write import write_report
    from ultracurate.terminal.progress import Progress
    from ultracurate.terminal.results import print_result

    for name in (stage, retry_stage):
        if name not in (None, "all"):
            pipeline(spec.pipeline).get(str(name))
    executor = start()  # worker processes only when everything else is known to be right
    try:
        with Progress(quiet=as_json) as progress:
            last = None if stage == "all" else stage
            result = run_recipe(store, spec, executor, last, progress, retry_stage)
    finally:
        executor.close()
    report = write_report(store, load_tables(store, spec, result)) if last is None else None
    print_result(store, result, spec, named, report, as_json)
    if strict and result.error_rows:
        raise typer.Exit(3)


@app.command()
def status(
    recipe: RecipeOption,
    work: WorkOption,
    sets: SetOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a recipe has come in a work directory: parts, rows, rejects and errors by stage."""
    from ultracurate.terminal.results import print_status

    print_status(open_store(work), open_spec(recipe, sets, root), as_json)


@app.command()
def report(
    recipe: RecipeOption,
    work: WorkOption,
    sets: SetOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the HTML report of a finished run again, from its tables."""
    from ultracurate.report.load import finished_run, load_tables
    from ultracurate.report.write import write_report
    from ultracurate.terminal.screen import place

    store, spec = open_store(work), open_spec(recipe, sets, root)
    path = place(store, write_report(store, load_tables(store, spec, finished_run(store, spec))))
    typer.echo(json.dumps({"report": path}) if as_json else f"Report: {path}")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--work", "-w", help="Where the demo's files go.")] = Path("demo"),
    workers: WorkersOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic data.")] = 0,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run everything on synthetic ultrasound, served by a small host on this machine: no account, no network."""
    from ultracurate.phantom.datasets import build_demo, load_records
    from ultracurate.phantom.hosts.server import LocalHosts

    hosts = folder / "hosts"
    try:
        build_demo(hosts, seed=seed)
    except OSError as exc:
        unusable = StorageError(f"Could not write {hosts}: {exc.strerror}. Choose another --work.")
        raise storage_error(exc, str(hosts)) or unusable from exc
    with LocalHosts(load_records(hosts)) as server:
        # Another seed gives other files under the same record ids: the host is asked again.
        zenodo = server.hosts["zenodo"]
        settings = [f"hosts.zenodo={zenodo}", "limits.*=0", f"discover.as_of=seed {seed}", *(sets or ())]
        spec = open_spec("demo", settings, None)
        start = partial(start_executor, None, workers, None)
        _run(open_store(folder / "work"), spec, "demo", "all", start, None, False, as_json)


@app.command()
def measure(
    name: Annotated[str, typer.Argument(help="What to measure; `list` shows all.")],
    as_json: JsonOption = False,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller sizes, for a first look.")] = False,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="overlays: synth, real, clean, colour; repeatable, all if absent.")
    ] = None,
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="overlays: seed, classic, default, none, perfect; repeatable.")
    ] = None,
) -> None:
    """Measure our own speed and quality. Always exits 0 when it could measure."""
    import inspect

    from ultracurate.measure import MEASURES
    from ultracurate.terminal.results import print_measure

    if name == "list":
        names = MEASURES.names()
        typer.echo(json.dumps({"measures": names}) if as_json else "\n".join(names))
        return
    function = MEASURES.get(name)
    chosen = {key: value for key, value in (("sets", sets), ("methods", methods)) if value}
    if chosen.keys() - inspect.signature(function).parameters.keys():
        raise ConfigError(f"measure {name}: expected neither --set nor --method, found one. Leave it out.")
    print_measure(function(quick=quick, **chosen), as_json)


app.command("discover")(discover)
app.command("doctor")(doctor)
app.command("original")(original)
