"""The options that commands share, and what they name: a run, a work directory, an executor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ultracurate.core.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from ultracurate.core.config import Recipe
    from ultracurate.core.executor import Executor
    from ultracurate.core.spec import Spec
    from ultracurate.core.store import Store

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


def open_spec(recipe: str, sets: list[str] | None, roots: list[str] | None) -> Spec:
    """The recipe of that name or file with its settings and folders, resolved against all known manifests."""
    from ultracurate.core.config import load_recipe
    from ultracurate.core.resources import recipes_dir

    path = Path(recipe)
    if not path.suffix and not path.is_file():  # the demo makes a folder `demo`, which is not the recipe of that name
        path = recipes_dir() / f"{recipe}.yaml"
        if not path.exists():
            shipped = ", ".join(sorted(p.stem for p in recipes_dir().glob("*.yaml")))
            raise ConfigError(f"No recipe is called {recipe!r}. Shipped: {shipped}; or give the path of a YAML file.")
    return _resolved(load_recipe(path, sets or (), _places(roots)))


def open_recipe(data: dict[str, Any], sets: list[str] | None, roots: list[str] | None) -> Spec:
    """A recipe that no file holds, as data, with its settings and folders."""
    from ultracurate.core.config import recipe_of

    return _resolved(recipe_of(data, Path.cwd(), f"Recipe {data['name']!r}", sets or (), _places(roots)))


def _places(roots: list[str] | None) -> dict[str, str]:
    return dict(_pair(item) for item in roots or ())


def _resolved(loaded: Recipe) -> Spec:
    from ultracurate.core.dataset import load_all
    from ultracurate.core.resources import manifests_dir
    from ultracurate.core.spec import resolve
    from ultracurate.ontology.rules import check_manifest
    from ultracurate.ontology.tree import Ontology

    folders = [manifests_dir(), *(Path(folder) for folder in loaded.manifests)]
    spec = resolve(loaded, load_all(*folders), Ontology.load().stamp)
    # A wrong label id would otherwise be found after hours of work, by the stage that looks it up.
    if wrong := [f"{slug}: {problem}" for slug, m in spec.manifests.items() for problem in check_manifest(m)]:
        raise ConfigError("The manifests of this recipe name unknown ids:\n" + "\n".join(f"  - {w}" for w in wrong))
    return spec


def open_store(place: str | Path) -> Store:
    """The work directory (or folder of shards) at a path or URL."""
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


def start_executor(name: str | None, workers: int | None, scheduler: str | None) -> Executor:
    """The executor that the options ask for, its workers started."""
    from ultracurate.core.executor import EXECUTORS

    chosen = name or ("dask" if workers or scheduler else "serial")
    if chosen == "serial":
        from ultracurate.execution.serial import SerialExecutor  # without loading Dask

        return SerialExecutor()
    return EXECUTORS.get(chosen)(workers=workers or 2, scheduler=scheduler)
