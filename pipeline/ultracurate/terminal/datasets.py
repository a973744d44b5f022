"""Datasets of the catalogue or of a recipe, one line each, what they wait for, and a choice of them by a few words."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from ultracurate.core.errors import ConfigError, printable
from ultracurate.terminal import screen
from ultracurate.terminal.access import NOTHING, Roots, licence_kind, optional_tokens, todo, totals, waiting

if TYPE_CHECKING:
    from ultracurate.core.dataset import DatasetManifest

LICENCE_KINDS = ("open", "non-commercial", "restricted", "unknown")
ANATOMY = "Anatomy of the whole set:"
"""Begins the remark of a dataset of several body parts: ids that a single picture need not show."""

NARROW = 120
"""Columns of a terminal below which a title stands under its dataset's name, where it has room."""
_MOST = {"licence": 10, "from": 12, "status": 6, "held out for": 4}
"""Widest columns of a narrow table: they wrap beside a title, which takes lines of its own."""


def dataset_row(manifest: DatasetManifest, roots: Roots | None = None) -> dict[str, Any]:
    """One dataset in a line; `bytes` is None unless the manifest names the size of every file."""
    sizes = [file.size for source in manifest.sources[:1] for file in source.files]
    return {
        "slug": manifest.slug,
        "title": manifest.title,
        "licence": manifest.licence.id,
        "licence_kind": licence_kind(manifest.licence),
        "access": manifest.access,
        "status": manifest.status,
        "host": manifest.sources[0].host,
        "bytes": sum(s or 0 for s in sizes) if sizes and all(s is not None for s in sizes) else None,
        "held_out": list(manifest.held_out),
        "todo": todo(manifest, roots),
    }


def summary(manifests: Sequence[DatasetManifest], roots: Roots | None = None) -> dict[str, Any]:
    """Totals over datasets: sets, bytes as far as known, licences by kind, and how many wait for what."""
    sizes = [dataset_row(m)["bytes"] for m in manifests]
    kinds: Counter[str] = Counter(licence_kind(m.licence) for m in manifests)
    return {
        "datasets": len(manifests),
        "bytes": sum(size for size in sizes if size is not None),
        "bytes_unknown": sizes.count(None),
        "licences": {kind: kinds[kind] for kind in LICENCE_KINDS},
        "todo": totals(manifests, roots),
        "optional_tokens": optional_tokens(manifests),
    }


def print_datasets(known: Mapping[str, DatasetManifest], as_json: bool) -> None:
    """All datasets, one line each, then what a person must do, then totals."""
    manifests = list(known.values())
    rows = [dataset_row(m) for m in manifests]
    if as_json:
        screen.print_json({"datasets": rows, "summary": summary(manifests)})
        return
    datasets_table(rows)
    todo_table(rows)
    print_summary(summary(manifests))


def datasets_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Lines of `dataset_row` as a table; a column where no dataset has anything to say is left out."""
    in_a_terminal = screen.out.is_terminal or "COLUMNS" in os.environ  # else the table is wide, for grep
    narrow = in_a_terminal and screen.out.width < NARROW
    heads = ["dataset"] if narrow else ["dataset", "title"]
    more: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = []
    if any(row["status"] != "ready" for row in rows):
        more.append(("status", lambda row: row["status"].replace("_", " ")))
    if any(row["bytes"] is not None for row in rows):
        more.append(("size", lambda row: screen.size(row["bytes"])))
    if any(row["held_out"] for row in rows):
        more.append(("held out for", lambda row: str(len(row["held_out"]) or "")))
    heads += ["licence", "from", *(name for name, _ in more)]
    table = Table(*(Column(name, overflow="fold", max_width=_MOST.get(name) if narrow else None) for name in heads))
    table.columns[0].no_wrap = not narrow
    for row in rows:
        title = printable(row["title"])
        table.add_row(
            *([Text(f"{row['slug']}\n{title}")] if narrow else [row["slug"], Text(title)]),
            row["licence"],
            ", ".join(filter(None, (row["host"], row["access"]))),
            *(value(row) for _, value in more),
        )
    screen.print_table(table)


def todo_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """What a person must do, for each dataset that needs anything; no table where none does."""
    waits = [row for row in rows if row["todo"] != [NOTHING]]
    if not waits:
        return
    table = Table(Column("dataset", no_wrap=True), "what a person must do", show_lines=True)
    for row in waits:
        table.add_row(row["slug"], Text(printable("\n".join(row["todo"]))))
    screen.print_table(table)


def print_summary(counts: Mapping[str, Any]) -> None:
    """The totals in three or four lines."""
    sets = counts["datasets"]
    if not sets:
        screen.out.print("No dataset.")
        return
    sizes = f"{screen.size(counts['bytes'])} known, " if counts["bytes_unknown"] < sets else ""
    unknown = f"size of {counts['bytes_unknown']} unknown" if counts["bytes_unknown"] else "size of none unknown"
    screen.out.print(f"{sets} dataset{'s' if sets != 1 else ''}: {sizes}{unknown}.")
    screen.out.print("Licences: " + ", ".join(f"{n} {kind}" for kind, n in counts["licences"].items() if n) + ".")
    screen.out.print(f"To do: {waiting(counts['todo'], sets)}.")
    for name, number in counts["optional_tokens"].items():
        screen.out.print(f"Not needed, but it raises the host's limits: {name} (datasets: {number}).")


def select(
    manifests: Mapping[str, DatasetManifest],
    *,
    host: str | None = None,
    licence: str | None = None,
    status: str | None = None,
    organ: str | None = None,
    used_in: str | None = None,
    held_out: str | None = None,
) -> dict[str, DatasetManifest]:
    """The manifests that fit every filter that is given, in their order.

    Args:
        manifests: by slug.
        host: of any source, such as `zenodo`.
        licence: an id such as `CC-BY-4.0`, or a kind: open, non-commercial, restricted, unknown.
        status: `ready` or `needs_layout`.
        organ: an anatomy id or name; a region or organ finds everything in it, `heart` also the ventricles.
        used_in: a published corpus, such as `openus46`.
        held_out: a benchmark, or the first words of several: `ultradino` finds `ultradino_fass`; `any` finds all.

    Raises:
        ConfigError: a value that no manifest has, with the values that there are.
    """
    chosen = dict(manifests)
    filters: list[tuple[str, str | None, Callable[[DatasetManifest], Iterable[str]]]] = [
        ("host", host, lambda m: [source.host for source in m.sources]),
        ("licence", licence, lambda m: [m.licence.id, licence_kind(m.licence)]),
        ("status", status, lambda m: [m.status]),
        ("organ", _node(organ), _anatomy),
        ("used-in", used_in, lambda m: [use.corpus for use in m.used_in]),
        ("held-out", held_out, _benchmarks),
    ]
    for name, wanted, values in filters:
        if wanted is None:
            continue
        known = sorted({value for m in manifests.values() for value in values(m)})
        if wanted.casefold() not in {value.casefold() for value in known} and name != "organ":
            near = difflib.get_close_matches(wanted, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"--{name}: no dataset has {wanted!r}.{hint} Known: {', '.join(known) or 'none'}")
        chosen = {
            slug: m for slug, m in chosen.items() if wanted.casefold() in {value.casefold() for value in values(m)}
        }
    return chosen


def _benchmarks(manifest: DatasetManifest) -> set[str]:
    """Every benchmark that holds the set out, every beginning of its name, and `any`."""
    words = [name.split("_") for name in manifest.held_out]
    return {"_".join(w[: n + 1]) for w in words for n in range(len(w))} | ({"any"} if words else set())


def _anatomy(manifest: DatasetManifest) -> set[str]:
    """Anatomy that the set shows anywhere, with all that it lies in, by its labels and its remark on the whole set."""
    from ultracurate.ontology.tree import Ontology

    ontology = Ontology.load()
    named = {name for rule in manifest.labels for name in rule.positive}
    named |= {name for rule in manifest.labels for view in rule.view for name in ontology.view(view).implies}
    for remark in manifest.remarks:
        if remark.startswith(ANATOMY):
            named |= {name.strip() for name in remark.removeprefix(ANATOMY).partition(";")[0].split(",")}
    return set(ontology.close(named & ontology.nodes.keys(), set()).positive)


def _node(text: str | None) -> str | None:
    """The anatomy id that a text names, by id, name or synonym."""
    if text is None:
        return None
    from ultracurate.ontology.match import match_label, propose
    from ultracurate.ontology.tree import Ontology

    ontology = Ontology.load()
    found = text if text in ontology.nodes else match_label(text, ontology)
    if found is None:
        near = ", ".join(name for name, _ in propose(text, ontology))
        hint = f" Did you mean one of: {near}?" if near else ""
        raise ConfigError(
            f"--organ: the ontology has no body part called {text!r}.{hint} The folder ontology/ has all names"
        )
    return found
