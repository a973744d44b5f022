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
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ultracurate import __version__
from ultracurate.core.errors import ConfigError, StorageError, UltracurateError, storage_error

if TYPE_CHECKING:
    from ultracurate.core.executor import Executor
    from ultracurate.core.spec import Spec
    from ultracurate.core.store import Store

app = typer.Typer(
    name="ultracurate",
    help="Public ultrasound datasets in; clean, honest, trainable shards and an account of every lost image out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
validate = typer.Typer(help="Check manifests, the ontology, or finished shards.", no_args_is_help=True)
datasets = typer.Typer(help="Browse the dataset manifests.", no_args_is_help=True)
app.add_typer(validate, name="validate")
app.add_typer(datasets, name="datasets")

RecipeOption = Annotated[str, typer.Option("--recipe", "-r", help="Name of a shipped recipe, or a YAML file.")]
WorkOption = Annotated[
    str, typer.Option("--work", "-w", help="Work directory: a folder or an fsspec URL such as s3://bucket/run.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="A setting, for example --set frames.fps=2; may be repeated.")
]
RootOption = Annotated[
    list[str] | None, typer.Option("--root", help="Folder of a local source, for example --root samples=/data.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]
ExecutorOption = Annotated[
    str | None, typer.Option("--executor", help="serial or dask; dask if --workers or --scheduler is given.")
]
WorkersOption = Annotated[int | None, typer.Option("--workers", "-n", min=1, help="Processes on this machine.")]
SchedulerOption = Annotated[
    str | None, typer.Option("--scheduler", help="A running Dask scheduler, for example tcp://10.0.0.1:8786.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="End with exit code 3 if any row is an error row.")]


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
    typer.secho(f"Error: {exc}", fg=typer.colors.RED, err=True)
    sys.exit(exc.exit_code)


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _spec(recipe: str, sets: list[str] | None, roots: list[str] | None) -> Spec:
    from ultracurate.core.config import load_recipe
    from ultracurate.core.dataset import load_all
    from ultracurate.core.resources import manifests_dir, recipes_dir
    from ultracurate.core.spec import resolve
    from ultracurate.ontology.tree import Ontology

    path = Path(recipe)
    if not path.suffix and not path.is_file():  # the demo makes a folder `demo`, which is not the recipe of that name
        path = recipes_dir() / f"{recipe}.yaml"
        if not path.exists():
            shipped = ", ".join(sorted(p.stem for p in recipes_dir().glob("*.yaml")))
            raise ConfigError(f"No recipe is called {recipe!r}. Shipped: {shipped}; or give the path of a YAML file.")
    places = dict(_pair(item) for item in roots or ())
    loaded = load_recipe(path, sets or (), places)
    folders = [manifests_dir(), *(Path(folder) for folder in loaded.manifests)]
    return resolve(loaded, load_all(*folders), Ontology.load().stamp)


def _store(place: str | Path) -> Store:
    from ultracurate.core.errors import MissingExtraError
    from ultracurate.core.store import Store

    try:
        store = Store(place)
    except ImportError:  # fsspec loads the file system of a URL when it is first asked for it
        raise MissingExtraError(f"A folder at {place}", "s3") from None
    except ValueError as exc:
        raise ConfigError(f"{place}: expected a folder or a URL such as s3://bucket/run, found: {exc}") from None
    if store.local and store.local.exists() and not store.local.is_dir():
        raise StorageError(f"{place}: expected a folder, found a file. Name another folder.")
    return store


def _pair(item: str) -> tuple[str, str]:
    name, equals, place = item.partition("=")
    if not equals or not name or not place:
        raise ConfigError(f"--root {item!r}: expected NAME=FOLDER")
    return name, place


def _executor(name: str | None, workers: int | None, scheduler: str | None) -> Executor:
    from ultracurate.core.executor import EXECUTORS

    chosen = name or ("dask" if workers or scheduler else "serial")
    if chosen == "serial":
        from ultracurate.execution.serial import SerialExecutor  # without loading Dask

        return SerialExecutor()
    return EXECUTORS.get(chosen)(workers=workers or 2, scheduler=scheduler)


@app.command()
def stages(as_json: JsonOption = False) -> None:
    """List the stages in running order, with what they need, add and may reject."""
    from ultracurate.core.stage import chain
    from ultracurate.terminal import print_stages

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
    from ultracurate.terminal import print_plan

    print_plan(_store(work), _spec(recipe, sets, root), as_json)


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
    start = partial(_executor, executor, workers, scheduler)
    _run(_store(work), _spec(recipe, sets, root), stage, start, None, strict, as_json)


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
    start = partial(_executor, executor, workers, scheduler)
    _run(_store(work), _spec(recipe, sets, root), "all", start, stage, strict, as_json)


def _run(
    store: Store,
    spec: Spec,
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
    from ultracurate.terminal import Progress, print_result

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
    print_result(store, result, report, as_json)
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
    from ultracurate.terminal import print_status

    print_status(_store(work), _spec(recipe, sets, root), as_json)


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
    from ultracurate.terminal import place

    store, spec = _store(work), _spec(recipe, sets, root)
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
    from ultracurate.phantom.datasets import build_demo
    from ultracurate.phantom.server import LocalZenodo

    hosts = folder / "hosts"
    try:
        build_demo(hosts, seed=seed)
    except OSError as exc:
        unusable = StorageError(f"Could not write {hosts}: {exc.strerror}. Choose another --work.")
        raise storage_error(exc, str(hosts)) or unusable from exc
    with LocalZenodo(hosts) as server:
        spec = _spec("demo", [f"hosts.zenodo={server.url}", "limits.*=0", *(sets or ())], None)
        _run(_store(folder / "work"), spec, "all", partial(_executor, None, workers, None), None, False, as_json)


@app.command()
def measure(
    name: Annotated[str, typer.Argument(help="What to measure; `list` shows all.")],
    as_json: JsonOption = False,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller sizes, for a first look.")] = False,
) -> None:
    """Measure our own speed and quality. Always exits 0 when it could measure."""
    from ultracurate.measure import MEASURES
    from ultracurate.terminal import print_measure

    if name == "list":
        names = MEASURES.names()
        typer.echo(json.dumps({"measures": names}) if as_json else "\n".join(names))
        return
    print_measure(MEASURES.get(name)(quick=quick), as_json)


@validate.command("manifests")
def validate_manifests(
    folder: Annotated[list[Path] | None, typer.Argument(help="More folders of manifests.")] = None,
    write_schema: Annotated[bool, typer.Option("--write-schema", help="Write manifests/_schema.json.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check every dataset manifest: keys, licence, layout, labels against the ontology."""
    from ultracurate.core.dataset import load_all, schema_text
    from ultracurate.core.resources import manifests_dir
    from ultracurate.ontology.rules import check_manifest

    if write_schema:
        (manifests_dir().parent / "_schema.json").write_text(schema_text(), encoding="utf-8")
    try:
        known = load_all(manifests_dir(), *(folder or ()))
    except ConfigError as exc:
        _verdict({"manifests": [str(exc)]}, "manifests", as_json)
        return
    _verdict({slug: check_manifest(m) for slug, m in known.items()}, f"{len(known)} manifests", as_json)


@validate.command("ontology")
def validate_ontology(as_json: JsonOption = False) -> None:
    """Check the ontology: one parent one level up, unique ids and synonyms, well-formed codes."""
    from ultracurate.ontology.tree import Ontology

    ontology = Ontology.load()
    _verdict({"ontology": ontology.validate()}, f"ontology {ontology.version}", as_json)


@validate.command("shards")
def validate_shards(
    folder: Annotated[str, typer.Argument(help="Folder or URL of finished shards.")], as_json: JsonOption = False
) -> None:
    """Check finished shards against their index and digests."""
    from ultracurate.stages._shard_check import check_shards

    _verdict({folder: check_shards(_store(folder))}, f"shards in {folder}", as_json)


def _verdict(problems: dict[str, list[str]], what: str, as_json: bool) -> None:
    found = {name: list_ for name, list_ in problems.items() if list_}
    if as_json:
        typer.echo(json.dumps({"checked": what, "problems": found}))
    elif not found:
        typer.echo(f"OK: {what}")
    for name, list_ in {} if as_json else found.items():
        for problem in list_:
            typer.secho(f"{name}: {problem}", fg=typer.colors.RED, err=True)
    if found:
        raise typer.Exit(2)


@datasets.command("list")
def datasets_list(as_json: JsonOption = False) -> None:
    """One line for each dataset."""
    from ultracurate.core.dataset import load_all
    from ultracurate.core.resources import manifests_dir
    from ultracurate.terminal import print_datasets

    print_datasets(load_all(manifests_dir()), as_json)


@datasets.command("show")
def datasets_show(slug: Annotated[str, typer.Argument(help="Slug of a dataset.")], as_json: JsonOption = False) -> None:
    """Everything known about one dataset."""
    import difflib

    import yaml

    from ultracurate.core.dataset import load_all
    from ultracurate.core.resources import manifests_dir

    known = load_all(manifests_dir())
    if slug not in known:
        near = difflib.get_close_matches(slug, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"No dataset is called {slug!r}.{hint} Known: {', '.join(known)}")
    data: dict[str, Any] = known[slug].model_dump(mode="json", exclude_defaults=True)
    typer.echo(json.dumps(data) if as_json else yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip())
