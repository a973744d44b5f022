"""The `datasets` commands: look through the catalogue."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ultracurate.arguments import JsonOption
from ultracurate.core.errors import ConfigError

app = typer.Typer(help="Browse the dataset manifests.", no_args_is_help=True)


@app.command("list")
def datasets_list(
    host: Annotated[str | None, typer.Option("--host", help="Only sets to be had from here, e.g. zenodo.")] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="An id (CC-BY-4.0), or open, non-commercial, restricted, unknown.")
    ] = None,
    status: Annotated[str | None, typer.Option("--status", help="ready or needs_layout.")] = None,
    organ: Annotated[str | None, typer.Option("--organ", help="Anatomy with all that lies in it, e.g. heart.")] = None,
    used_in: Annotated[str | None, typer.Option("--used-in", help="A published corpus, e.g. openus46.")] = None,
    held_out: Annotated[
        str | None, typer.Option("--held-out", help="Sets that a benchmark tests on; `any` for all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """One line for each dataset, what is left to do for it, and the totals."""
    from ultracurate.core.dataset import load_all
    from ultracurate.core.resources import manifests_dir
    from ultracurate.terminal.datasets import print_datasets, select

    chosen = select(
        load_all(manifests_dir()),
        host=host,
        licence=licence,
        status=status,
        organ=organ,
        used_in=used_in,
        held_out=held_out,
    )
    print_datasets(chosen, as_json)


@app.command("show")
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
