"""Says how many pictures of each dataset come with masks, boxes, polygons or points, and what could not be tied."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ultracurate.core.annotations import PROBLEMS
from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import RunTables, values
from ultracurate.report.wording import count, readable

KINDS = {"mask": "masks", "box": "boxes", "polygon": "polygons", "points": "points", "file": "other files"}
"""Kinds of annotations, in the order of the page."""

_LEAD = (
    "What the authors drew, tied to the pictures by the rules of each manifest: how many pictures, clips and volumes "
    "have at least one such annotation, and how many annotations fit no picture and are never used. All lie in the "
    "tables of this work directory; none is in the shards."
)


@dataclass
class Drawn:
    """What one dataset has."""

    pictures: int = 0
    with_kind: Counter[str] = field(default_factory=Counter)  # kind -> pictures
    unmarked: int = 0  # pictures whose masks mark nothing
    entries: int = 0  # annotations
    problems: Counter[str] = field(default_factory=Counter)  # why -> annotations


def drawn(tables: RunTables) -> dict[str, Drawn]:
    """The datasets that have annotations, by slug."""
    found: dict[str, Drawn] = defaultdict(Drawn)
    marked: dict[tuple[str, str], set[str]] = defaultdict(set)
    empty: dict[str, set[str]] = defaultdict(set)
    for row in tables.annotations.to_pylist() if tables.annotations is not None else ():
        dataset = row["dataset"]
        found[dataset].entries += 1
        if row["problem"]:
            found[dataset].problems[row["problem"]] += 1
        elif row["empty"]:
            empty[dataset].add(row["sample_id"])
        else:
            marked[dataset, row["kind"]].add(row["sample_id"])
    for (dataset, kind), pictures in marked.items():
        found[dataset].with_kind[kind] = len(pictures)
    for dataset, pictures in empty.items():
        found[dataset].unmarked = len(pictures - marked[dataset, "mask"])
    for dataset, number in Counter(values(tables.samples, "dataset")).items():
        if dataset in found:
            found[dataset].pictures = number
    return dict(sorted(found.items()))


def annotations_section(tables: RunTables) -> Html | None:
    """One line for each dataset; None for a run whose datasets have none."""
    found = drawn(tables)
    if not found:
        return None
    title = "Masks and annotations"
    heads = ("dataset", "pictures", *KINDS.values(), "nothing marked", "not usable", "why")
    rows = [_line(dataset, one) for dataset, one in found.items()]
    met = {problem for one in found.values() for problem in one.problems}
    notes = [
        el("li", el("b", f"{readable(name)}: "), words, class_="under")
        for name, words in PROBLEMS.items()
        if name in met
    ]
    table = data_table(title, heads, rows, numbers=range(1, len(heads) - 1))
    return section("annotations", title, _LEAD, table, el("ul", notes) if notes else None)


def _line(dataset: str, one: Drawn) -> list[Node]:
    why = "; ".join(
        f"{readable(name)}: {count(number)}"
        for name, number in sorted(one.problems.items(), key=lambda item: (-item[1], item[0]))
    )
    kinds = [count(one.with_kind[kind]) for kind in KINDS]
    unusable = one.problems.total()
    return [el("code", dataset), count(one.pictures), *kinds, count(one.unmarked), count(unusable), why]
