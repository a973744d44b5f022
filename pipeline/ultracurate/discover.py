"""The `discover` command: search the hosts, screen what they have, draft manifests for what is worth it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ultracurate.arguments import JsonOption, RootOption, SetOption, WorkOption, open_recipe, open_spec, open_store
from ultracurate.core.errors import ConfigError

if TYPE_CHECKING:
    from ultracurate.core.spec import Spec

HOSTS = ("zenodo", "kaggle", "mendeley", "figshare")
"""Searched when nobody says which."""


def discover(
    query: Annotated[list[str] | None, typer.Argument(help="Words to search for, in the hosts' own syntax.")] = None,
    work: WorkOption = "discover",
    host: Annotated[
        list[str] | None, typer.Option("--host", help=f"Where to search; may be repeated. Default: {', '.join(HOSTS)}.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Records of each host to look at, best first.")] = 200,
    recipe: Annotated[
        str | None, typer.Option("--recipe", "-r", help="Run the searches of a recipe, in place of words.")
    ] = None,
    propose: Annotated[
        Path | None, typer.Option("--propose", help="Folder for a draft manifest of each accepted record.")
    ] = None,
    sets: SetOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search several hosts at once and screen what they have; nothing is downloaded. Run again, it goes on.

    Every record found gets a verdict with its reason. `--set discover.as_of=TODAY` asks the hosts again.
    """
    from ultracurate.core.runner import run
    from ultracurate.execution.serial import SerialExecutor
    from ultracurate.terminal.candidates import print_search, read_candidates, write_drafts
    from ultracurate.terminal.progress import Progress

    spec = _spec(query or [], host or [], limit, recipe, sets, root)
    store = open_store(work)
    with Progress(quiet=as_json) as progress:
        result = run(store, spec, SerialExecutor(), "discover", progress, retry="discover")
    rows = read_candidates(store, result)
    drafts = write_drafts(rows, propose, datetime.date.today()) if propose is not None else []
    print_search(store, rows, result, drafts, as_json)
    if result.error_rows and not rows:
        raise typer.Exit(3)


def _spec(
    queries: list[str], hosts: list[str], limit: int, recipe: str | None, sets: list[str] | None, root: list[str] | None
) -> Spec:
    from ultracurate.sources import source_names

    if recipe is not None and (queries or hosts):
        raise ConfigError("Give either words to search for, or --recipe with its own searches; found both.")
    if recipe is not None:
        spec = open_spec(recipe, sets, root)
        if not spec.recipe.stages.get("discover", {}).get("queries"):
            raise ConfigError(
                f"Recipe {spec.recipe.name!r} has no searches: expected stages: {{discover: {{queries: ...}}}}."
            )
        return spec
    queries = [query for query in queries if query.strip()]
    if not queries:
        raise ConfigError('Nothing to search for. Give words, for example: ultracurate discover "thyroid ultrasound"')
    if wrong := sorted(set(hosts) - set(source_names())):
        raise ConfigError(f"--host {wrong[0]!r}: no such source. Known: {', '.join(source_names())}")
    asked = [{"host": host, "q": q, "limit": limit} for q in queries for host in hosts or HOSTS]
    data: dict[str, Any] = {"name": "discover", "datasets": [], "stages": {"discover": {"queries": asked}}}
    return open_recipe(data, sets, root)
