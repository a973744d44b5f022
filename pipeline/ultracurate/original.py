"""The `original` command: from a sample of a shard, or one that was set aside, back to the frame as it came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ultracurate.arguments import JsonOption, RecipeOption, RootOption, SetOption, WorkOption, open_spec, open_store
from ultracurate.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ultracurate.core.parts import PartRef
    from ultracurate.core.store import Store

_FRAME = ("sample_id", "dataset", "frame_uri", "frame_offset", "frame_length", "frame_sha256", "frame_format")
_CLEANED = ("sample_id", "strip_method", "verdict", "verdict_reason", "blanked_share", "invented_share", "zeroed_share")

NOT_CLEANED = "not cleaned with these settings and the nets and readers of this machine"


def original(
    name: Annotated[
        str, typer.Argument(help="`sample_id` or `original_sha256` of a shard's JSON, or the id of a rejected frame.")
    ],
    recipe: RecipeOption,
    work: WorkOption,
    to: Annotated[Path, typer.Option("--to", help="Folder for the files.")] = Path(),
    sets: SetOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write out a frame as it came, before anything was cleaned, and say what cleaning did to it.

    What was burned in stands in it: treat the file like the data itself.
    """
    from ultracurate.core.blobs import Blobs, PixelRef
    from ultracurate.core.plan import Planner

    store, spec = open_store(work), open_spec(recipe, sets, root)
    states = Planner(store, spec).look()
    frames, strip = states["frames"], states["strip"]
    if frames is None or not frames.done:
        raise ConfigError(
            f"Recipe {spec.recipe.name!r} has no frames in {store.url}. Give the work directory of its run, with the "
            "same --set, or run it first."
        )
    found = _rows(store, frames.done, _FRAME, ("sample_id", "frame_sha256"), name)
    if not found:
        raise ConfigError(f"No frame of recipe {spec.recipe.name!r} has the id or digest {name!r}. Check its spelling.")
    to.mkdir(parents=True, exist_ok=True)
    written = []
    for row in found:
        path = to / f"{row['sample_id']}.{row['frame_format']}"
        path.write_bytes(Blobs(store, spec.recipe.roots).read(PixelRef.of(row, "frame")))
        fate = _fate(store, strip.done if strip else (), row["sample_id"])
        written.append(
            {"file": str(path), **{key: row[key] for key in ("sample_id", "dataset", "frame_sha256")}, "cleaning": fate}
        )
    if as_json:
        typer.echo(json.dumps({"originals": written}))
        return
    for one in written:
        typer.echo(f"{one['file']}: {one['dataset']}, sha256 {one['frame_sha256']}")
        typer.echo("  " + (", ".join(f"{key} {value}" for key, value in one["cleaning"].items()) or NOT_CLEANED))


def _fate(store: Store, parts: Sequence[PartRef], id: str) -> dict[str, Any]:
    """What strip wrote of a frame: its ledger, why it was set aside, or nothing."""
    for row in _rows(store, parts, _CLEANED, ("sample_id",), id):
        return {key: value for key, value in row.items() if key != "sample_id" and value is not None}
    rejecting = [part for part in parts if part.rejects]
    aside = _rows(store, rejecting, ("sample_id", "reason"), ("sample_id",), id, "rejects")
    return {"set_aside": aside[0]["reason"]} if aside else {}


def _rows(
    store: Store, parts: Sequence[PartRef], columns: Sequence[str], keys: Sequence[str], name: str, kind: str = "part"
) -> list[dict[str, Any]]:
    """Rows, one for each sample, that have this value in one of the key columns."""
    import pyarrow.compute as pc

    from ultracurate.core.parts import read_table

    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        table = read_table(store, part.path(kind), columns)
        for key in keys:
            for row in table.filter(pc.equal(table[key], name)).to_pylist():
                found[row["sample_id"]] = row
    return [found[id] for id in sorted(found)]
