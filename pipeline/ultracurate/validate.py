"""The `validate` commands: each prints what is wrong, one sentence each, and ends with exit code 2 if anything is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ultracurate.arguments import JsonOption, open_store
from ultracurate.core.errors import ConfigError, printable

app = typer.Typer(help="Check manifests, the ontology, or finished shards.", no_args_is_help=True)


@app.command("manifests")
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


@app.command("ontology")
def validate_ontology(as_json: JsonOption = False) -> None:
    """Check the ontology: one parent one level up, unique ids and synonyms, well-formed codes."""
    from ultracurate.ontology.tree import Ontology

    ontology = Ontology.load()
    _verdict({"ontology": ontology.validate()}, f"ontology {ontology.version}", as_json)


@app.command("shards")
def validate_shards(
    folder: Annotated[str, typer.Argument(help="Folder or URL of finished shards.")], as_json: JsonOption = False
) -> None:
    """Check finished shards against their index and digests."""
    from ultracurate.stages._shard_check import check_shards

    _verdict({folder: check_shards(open_store(folder))}, f"shards in {folder}", as_json)


def _verdict(problems: dict[str, list[str]], what: str, as_json: bool) -> None:
    found = {name: list_ for name, list_ in problems.items() if list_}
    if as_json:
        typer.echo(json.dumps({"checked": what, "problems": found}))
    elif not found:
        typer.echo(f"OK: {what}")
    for name, list_ in {} if as_json else found.items():
        for problem in list_:
            typer.secho(printable(f"{name}: {problem}"), fg=typer.colors.RED, err=True)
    if found:
        raise typer.Exit(2)
