"""Counts the labels of the corpus and shows them as a tree of region, organ and structure, and as flat axes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import RunTables, column, values
from ultracurate.report.wording import count, counted, percent, readable

LEVELS = ("region", "organ", "structure")
AXES = (("view", "View"), ("pathology", "Pathology"), ("modality", "Modality"))
SPLITS = ("train", "val", "test")

_SEPARATOR = "\x1f"  # between the ids of one list while rows are grouped; no id contains it


@dataclass(frozen=True)
class LabelNode:
    """One label with the frames that carry it; `level` is one of LEVELS."""

    label: str
    level: str
    frames: int
    children: tuple[LabelNode, ...]


def label_tree(frames: pa.Table, parents: Mapping[str, str]) -> tuple[LabelNode, ...]:
    """The labels found in `frames`, largest first; a label counts every frame that carries it.

    A label stands under its parent in the ontology where `parents` knows it and frames carry it, otherwise under the
    label of the next higher level that it most often appears with.
    """
    levels: dict[str, str] = {}
    frames_of: Counter[str] = Counter()
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for groups, number in _combinations(frames):
        above: list[str] = []
        for level, labels in zip(LEVELS, groups, strict=True):
            for label in labels:
                levels.setdefault(label, level)
                frames_of[label] += number
                for parent in above:
                    together[label][parent] += number
            above = labels or above
    parent_of = {label: _parent(label, parents, together[label], levels) for label in levels}
    below: dict[str | None, list[str]] = defaultdict(list)
    for label in levels:
        below[None if _in_cycle(label, parent_of) else parent_of[label]].append(label)

    def build(parent: str | None) -> tuple[LabelNode, ...]:
        ordered = sorted(below[parent], key=lambda label: (-frames_of[label], label))
        return tuple(LabelNode(label, levels[label], frames_of[label], build(label)) for label in ordered)

    return build(None)


def _combinations(frames: pa.Table) -> list[tuple[list[list[str]], int]]:
    """Each distinct (regions, organs, structures) with its number of frames: few, even for millions of frames."""
    keys = {}
    for level in LEVELS:
        lists = column(frames, level, pa.list_(pa.string()))
        keys[level] = pc.fill_null(pc.binary_join(lists, _SEPARATOR), "")
    grouped = pa.table(keys).group_by(list(LEVELS)).aggregate([([], "count_all")]).to_pylist()
    found = []
    for row in grouped:
        groups = [sorted(set(row[level].split(_SEPARATOR)) - {""}) for level in LEVELS]
        found.append((groups, int(row["count_all"])))
    return sorted(found)


def _parent(label: str, parents: Mapping[str, str], met: Counter[str], levels: Mapping[str, str]) -> str | None:
    known = parents.get(label)
    if known in levels and known != label:
        return known
    candidates = [other for other in met if other != label and levels[other] != levels[label]]
    return min(candidates, key=lambda other: (-met[other], other)) if candidates else None


def _in_cycle(label: str, parent_of: Mapping[str, str | None]) -> bool:
    seen = {label}
    step = parent_of[label]
    while step is not None and step not in seen:
        seen.add(step)
        step = parent_of[step]
    return step == label


def labels_section(tables: RunTables) -> Html:
    """The label tree with bars, the other axes, and how the datasets fall into the splits."""
    frames = tables.frames
    if not frames.num_rows:
        return section("labels", "What the corpus shows", "No frames.", el("p", "Nothing to count.", class_="empty"))
    tree = label_tree(frames, tables.parents)
    regions = column(frames, "region", pa.list_(pa.string()))
    without = frames.num_rows - int(pc.sum(pc.greater(pc.list_value_length(regions), 0)).as_py() or 0)
    region = f"{count(without)} {'has' if without == 1 else 'have'} no known body region" if without else ""
    lead = (
        f"{counted(frames.num_rows, 'frame')} by what they show. A frame counts at every label it carries; "
        f"{region or 'every frame has a known body region'}."
    )
    axes = [_axis(tables, name, title) for name, title in AXES]
    return section(
        "labels",
        "What the corpus shows",
        lead,
        _branch(tables, tree, frames.num_rows) if tree else el("p", "No frame carries a label.", class_="empty"),
        el("div", axes, class_="axes"),
        el("h3", "Datasets and splits"),
        _splits(tables),
    )


def _name(tables: RunTables, label: str) -> str:
    return tables.names.get(label) or readable(label)


def _meter(tables: RunTables, label: str, frames: int, total: int) -> Html:
    share = frames / total
    return el(
        "span",
        el("span", _name(tables, label), class_="name", title=label),
        el("span", el("i", style=f"width:{max(100 * share, 0.4):.2f}%"), class_="meter", aria_hidden="true"),
        el("span", el("b", count(frames)), el("small", percent(share)), class_="figure"),
        class_="row",
    )


def _branch(tables: RunTables, nodes: tuple[LabelNode, ...], total: int) -> Html:
    items = []
    for node in nodes:
        row = _meter(tables, node.label, node.frames, total)
        if node.children:
            opened = el("details", el("summary", row), _branch(tables, node.children, total), open=True)
            items.append(el("li", opened, class_=node.level))
        else:
            items.append(el("li", row, class_=node.level))
    return el("ul", items, class_="tree")


def _axis(tables: RunTables, name: str, title: str) -> Html | None:
    flat: Any = column(tables.frames, name)
    if pa.types.is_list(flat.type):
        flat = pc.list_flatten(flat)
    tally = Counter(
        {row["values"]: row["counts"] for row in pc.value_counts(flat).to_pylist() if row["values"] is not None}
    )
    if not tally:
        return None
    ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    rows = [el("li", _meter(tables, label, number, tables.frames.num_rows)) for label, number in ordered]
    return el("div", el("h3", title), el("ul", rows, class_="tree"))


def _splits(tables: RunTables) -> Html:
    pairs = Counter(zip(values(tables.frames, "dataset"), values(tables.frames, "split"), strict=True))
    rows: list[list[Node]] = []
    for dataset in sorted({dataset or "" for dataset, _ in pairs}):
        numbers = [sum(n for (d, s), n in pairs.items() if (d or "") == dataset and s == split) for split in SPLITS]
        total = sum(n for (d, _), n in pairs.items() if (d or "") == dataset)
        rows.append([dataset or "none", *(count(n) for n in numbers), count(total - sum(numbers)), count(total)])
    heads = ("dataset", "train", "val", "test", "no split", "all")
    return data_table("Frames of every dataset in each split", heads, rows, numbers=range(1, 6))
