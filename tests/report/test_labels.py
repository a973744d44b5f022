"""The tree of labels: counts, parents, and labels that have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.report.labels import LabelNode, label_tree

LISTS = pa.list_(pa.string())


def frames(*rows: tuple[list[str], list[str], list[str]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    names = ("region", "organ", "structure")
    return pa.table({n: pa.array(list(c), LISTS) for n, c in zip(names, columns, strict=True)})


def outline(nodes: tuple[LabelNode, ...]) -> list[object]:
    return [(node.label, node.frames, outline(node.children)) for node in nodes]


def test_labels_stand_under_what_they_appear_with_most() -> None:
    tree = label_tree(
        frames(
            (["abdomen"], ["liver"], ["vein"]),
            (["abdomen"], ["liver"], []),
            (["abdomen", "chest"], ["liver"], []),
            (["chest"], [], ["rib"]),
        ),
        {},
    )
    assert outline(tree) == [
        ("abdomen", 3, [("liver", 3, [("vein", 1, [])])]),
        ("chest", 2, [("rib", 1, [])]),
    ]


def test_the_ontology_decides_where_it_knows_the_parent() -> None:
    rows = frames((["abdomen", "chest"], ["liver"], []), (["chest"], ["liver"], []))
    assert outline(label_tree(rows, {"liver": "abdomen"})) == [("chest", 2, []), ("abdomen", 1, [("liver", 2, [])])]


def test_a_label_without_company_is_a_root() -> None:
    assert outline(label_tree(frames(([], ["thyroid"], [])), {})) == [("thyroid", 1, [])]


def test_no_frames_and_null_lists_give_no_labels() -> None:
    assert label_tree(frames(), {}) == ()
    nulls = pa.table({"region": pa.nulls(2, LISTS), "organ": pa.nulls(2, LISTS)})
    assert label_tree(nulls, {}) == ()


labels = st.lists(st.sampled_from("abcdef"), max_size=3)


@given(
    rows=st.lists(st.tuples(labels, labels, labels), max_size=12),
    parents=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdefg"), max_size=6),
)
def test_every_label_is_there_once_even_with_parents_in_a_circle(rows: list[Any], parents: dict[str, str]) -> None:
    def walk(nodes: Any) -> Iterator[str]:
        for node in nodes:
            yield node.label
            yield from walk(node.children)

    found = list(walk(label_tree(frames(*rows), parents)))
    assert sorted(found) == sorted({label for row in rows for group in row for label in group})
