"""Groups copies of one picture and shows them: near copies with distances, exact copies, conflicting labels."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.report import pictures
from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import KINDS, RunTables, column, values
from ultracurate.report.wording import count, counted, readable, short_id

_CLUSTERS, _MEMBERS, _CONFLICTS, _SIDE = 12, 8, 12, 180
_HASH_BITS = 64
_KIND_WORDS = {"exact_bytes": "same file", "exact_pixels": "same pixels", "phash": "nearly the same"}


@dataclass(frozen=True)
class Copy:
    """One member of a cluster, with its closest tie to another member."""

    sample_id: str
    kind: str
    distance: float  # differing bits of the perceptual hash, 0 for exact copies


def clusters(edges: pa.Table) -> list[tuple[Copy, ...]]:
    """Connected groups of copies, largest first; members by id."""
    leader: dict[str, str] = {}

    def find(node: str) -> str:
        while leader.setdefault(node, node) != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    closest: dict[str, tuple[float, str]] = {}
    for edge in edges.to_pylist():
        low, high = sorted((find(edge["a"]), find(edge["b"])))
        leader[high] = low
        tie = (float(edge["distance"] or 0), edge["kind"])
        for end in (edge["a"], edge["b"]):
            closest[end] = min(closest.get(end, tie), tie)
    groups: dict[str, list[Copy]] = defaultdict(list)
    for node in sorted(leader):
        distance, kind = closest[node]
        groups[find(node)].append(Copy(node, kind, distance))
    return sorted((tuple(group) for group in groups.values()), key=lambda g: (-len(g), g[0].sample_id))


def duplicates_section(tables: RunTables) -> Html:
    """Near copies, exact copies, the overlap between datasets, and pictures with two labels."""
    kinds = Counter(values(tables.edges, "kind"))
    named = [f"{count(kinds[kind])} {_KIND_WORDS[kind]}" for kind in KINDS if kinds[kind]]
    lead = (
        f"{counted(tables.edges.num_rows, 'pair')} of copies{': ' if named else ''}{', '.join(named)}. "
        f"{counted(len(tables.conflicts), 'picture')} with labels that disagree."
    )
    near = tables.edges.filter(pc.equal(tables.edges.column("kind"), "phash"))
    exact = tables.edges.filter(pc.not_equal(tables.edges.column("kind"), "phash"))
    lookup = _Lookup(tables)
    return section(
        "duplicates",
        "Copies",
        lead,
        el("h3", "Nearly the same"),
        _cluster_list(tables, lookup, near, "No two pictures came close to each other."),
        el("h3", "Exactly the same"),
        _cluster_list(tables, lookup, exact, "No picture was there twice."),
        el("h3", "Overlap between datasets"),
        _overlap(tables, lookup),
        el("h3", "One image, two labels"),
        _conflicts(tables, lookup),
    )


class _Lookup:
    """Finds the rows of the ids on this page: the frame itself, one that was dropped, or a frame of that sample."""

    def __init__(self, tables: RunTables) -> None:
        wanted = {*values(tables.edges, "a"), *values(tables.edges, "b"), *tables.conflicts}
        ids = pa.array(sorted(wanted), pa.string())
        self.kept = frozenset(
            key for name in ("sample_id", "parent_id") for key in values(_taken(tables.frames, name, ids), name)
        )
        self.rows: dict[str, dict[str, Any]] = {}
        sources = [tables.frames] if tables.candidates is None else [tables.frames, tables.candidates]
        for source in sources:
            for key in ("sample_id", "parent_id"):
                for row in _taken(source, key, ids).to_pylist():
                    self.rows.setdefault(row[key], row)
        datasets: dict[str, str | None] = {}
        dropped = [stage.rejects for stage in tables.stages]
        for table in (*dropped, tables.samples):
            found = _taken(table, "sample_id", ids)
            datasets |= dict(zip(values(found, "sample_id"), values(found, "dataset"), strict=True))
        datasets |= {key: row.get("dataset") for key, row in self.rows.items()}
        self.datasets = {key: dataset for key, dataset in datasets.items() if dataset}


def _taken(table: pa.Table, key: str, ids: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(column(table, key), value_set=ids))


def _cluster_list(tables: RunTables, lookup: _Lookup, edges: pa.Table, nothing: str) -> Html:
    found = clusters(edges)
    if not found:
        return el("p", nothing, class_="empty")
    cards = [_card(tables, lookup, cluster) for cluster in found[:_CLUSTERS]]
    rest = len(found) - len(cards)
    more = f"{counted(rest, 'smaller group')} not shown; the edge table of the dedup stage has them all."
    return el("div", el("div", cards, class_="clusters"), el("p", more, class_="more") if rest else None)


def _card(tables: RunTables, lookup: _Lookup, cluster: tuple[Copy, ...]) -> Html:
    ordered = sorted(cluster, key=lambda c: (c.sample_id not in lookup.kept, c.distance, c.sample_id))
    ties = sorted({lookup.datasets.get(copy.sample_id, "") for copy in cluster} - {""})
    # Exact copies look alike by definition: the picture of one stands for those whose pixels were not kept.
    shared = next((lookup.rows[c.sample_id] for c in ordered if c.kind != "phash" and c.sample_id in lookup.rows), {})
    members = [
        _member(tables, lookup, copy, lookup.rows.get(copy.sample_id) or ({} if copy.kind == "phash" else shared))
        for copy in ordered[:_MEMBERS]
    ]
    rest = len(ordered) - len(members)
    return el(
        "article",
        el("h4", f"{count(len(cluster))} copies", el("small", " in ", ", ".join(ties))),
        el("ul", members, el("li", f"and {count(rest)} more", class_="more") if rest else None, class_="copies"),
        class_="cluster wide" if len(ordered) > 3 else "cluster",
    )


def _member(tables: RunTables, lookup: _Lookup, copy: Copy, row: Mapping[str, Any]) -> Html:
    dataset = lookup.datasets.get(copy.sample_id, "")
    kept = copy.sample_id in lookup.kept
    name = short_id(copy.sample_id)
    if kept:
        tie: Node = el("span", "kept", class_="chip kept")
    elif copy.kind == "phash":
        tie = f"{copy.distance:g} of {_HASH_BITS} bits differ"
    else:
        tie = _KIND_WORDS.get(copy.kind, readable(copy.kind))
    picture = pictures.thumbnail(tables.pixels, row, _SIDE)
    return el(
        "li",
        picture.tag(f"{'Kept copy' if kept else 'Copy'} {name} of {dataset or 'no dataset'}"),
        el("span", el("code", name), el("span", dataset), el("span", tie), class_="caption"),
    )


def _overlap(tables: RunTables, lookup: _Lookup) -> Html:
    """By group, not by edge: the edges only connect a group, so two of its datasets may have none between them."""
    groups: Counter[tuple[str, str]] = Counter()
    members: Counter[tuple[str, str, str]] = Counter()
    for cluster in clusters(tables.edges):
        held = Counter(lookup.datasets[copy.sample_id] for copy in cluster if copy.sample_id in lookup.datasets)
        for left, right in combinations(sorted(held), 2):
            groups[left, right] += 1
            members[left, right, left] += held[left]
            members[left, right, right] += held[right]
    if not groups:
        return el("p", "No copy crosses the border between two datasets.", class_="empty")
    rows = [
        [f"{left} and {right}", *(count(members[left, right, side]) for side in (left, right)), count(number)]
        for (left, right), number in sorted(groups.items(), key=lambda item: (-item[1], item[0]))
    ]
    heads = ("datasets", "pictures of the first", "pictures of the second", "groups of copies")
    return data_table("Groups of copies with members in both datasets", heads, rows, numbers=range(1, 4))


def _conflicts(tables: RunTables, lookup: _Lookup) -> Html:
    if not tables.conflicts:
        return el("p", "No picture carries labels that disagree.", class_="empty")
    ordered = sorted(set(tables.conflicts))
    items = [_conflict(tables, lookup, sample_id) for sample_id in ordered[:_CONFLICTS]]
    rest = len(ordered) - len(items)
    more = el("p", f"{count(rest)} more; filter the frames by label_conflict.", class_="more") if rest else None
    return el("div", el("ul", items, class_="conflicts"), more)


def _conflict(tables: RunTables, lookup: _Lookup, sample_id: str) -> Html:
    row = lookup.rows.get(sample_id, {})
    name = short_id(sample_id)
    sources = sorted({lookup.datasets.get(sample_id, ""), *_alias_datasets(row.get("aliases") or ())} - {""})
    picture = pictures.thumbnail(tables.pixels, row, _SIDE)
    return el(
        "li",
        picture.tag(f"Picture {name} with labels that disagree"),
        el("span", el("code", name), el("span", ", ".join(sources)), _labels(tables, row), class_="caption"),
    )


def _labels(tables: RunTables, row: Mapping[str, Any]) -> Html:
    yes, no = (sorted(row.get(side) or ()) for side in ("positive", "negative"))
    chips = [
        el("li", f"{sign} {tables.names.get(label) or readable(label)}", class_="chip", title=label)
        for sign, labels in (("is", yes), ("is not", no))
        for label in labels
    ]
    return el("ul", chips or el("li", "labels withdrawn", class_="chip"), class_="chips")


def _alias_datasets(aliases: Iterable[str]) -> Iterable[str]:
    """Only the datasets of the copies: their other fields can come from folder names."""
    for alias in aliases:
        try:
            found = json.loads(alias)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("dataset"), str):
            yield found["dataset"]
