"""Datasets of the catalogue or of a recipe, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from ultracurate.core.errors import printable
from ultracurate.terminal import screen

if TYPE_CHECKING:
    from ultracurate.core.dataset import DatasetManifest


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
        screen.print_json({"datasets": rows})
    else:
        datasets_table(rows)


def datasets_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Lines of `dataset_row` as a table."""
    heads = ["title", "licence", "access", "host", "size"]
    benchmarks = any(row["held_out"] for row in rows)  # an empty column would only narrow the others
    table = Table(Column("dataset", no_wrap=True), *heads, *(["held out for"] if benchmarks else []))
    for row in rows:
        note = "" if row["status"] == "ready" else f" ({row['status']})"
        table.add_row(
            row["slug"] + note,
            Text(printable(row["title"])),
            row["licence"],
            row["access"],
            row["host"],
            screen.size(row["bytes"]),
            *([Text(printable(" ".join(row["held_out"])))] if benchmarks else []),
        )
    screen.print_table(table)
