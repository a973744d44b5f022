"""Clusters of copies, and what the page says about them."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.report.tables import PATIENT, errors, full_run, rejects, run_of
from ultracurate.report.duplicates import clusters, duplicates_section
from ultracurate.report.model import EDGES, StageTables


def edges(*rows: tuple[str, str, str, float]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(EDGES.names, row, strict=True)) for row in rows], schema=EDGES)


def test_chains_become_one_cluster_with_the_closest_tie_of_each() -> None:
    found = clusters(edges(("c", "d", "phash", 4.0), ("a", "b", "phash", 2.0), ("b", "e", "phash", 1.0)))
    assert [[(c.sample_id, c.distance) for c in group] for group in found] == [
        [("a", 2.0), ("b", 1.0), ("e", 1.0)],
        [("c", 4.0), ("d", 4.0)],
    ]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_every_end_of_an_edge_is_in_one_cluster_whatever_the_order(pairs: list[tuple[int, int]]) -> None:
    rows = [(str(a), str(b), "phash", 1.0) for a, b in pairs]
    found = clusters(edges(*rows))
    members = [copy.sample_id for group in found for copy in group]
    assert sorted(members) == sorted({end for row in rows for end in row[:2]})
    assert clusters(edges(*reversed(rows))) == found
    place = {copy.sample_id: number for number, group in enumerate(found) for copy in group}
    assert all(place[row[0]] == place[row[1]] for row in rows)


def test_page_shows_distances_overlap_and_disagreeing_labels() -> None:
    text = duplicates_section(full_run()).text
    assert "9 nearly the same" in text
    assert "4 of 64 bits differ" in text
    assert "busi and thyroid-cine" in text
    assert "1 picture with labels that disagree" in text
    assert "is fetal head" in text
    assert PATIENT not in text


def test_overlap_takes_datasets_from_rejects_and_never_guesses_them() -> None:
    dropped = rejects(("duplicate", 1, ""), dataset="other-set")
    key = dropped.column("sample_id")[0].as_py()
    tables = run_of(1, stages=[StageTables("index", 1, 0, dropped, errors())])
    kept = tables.frames.column("sample_id")[0].as_py()
    found = edges((kept, key, "exact_bytes", 0.0), (kept, "nobody-knows", "exact_bytes", 0.0))
    text = duplicates_section(replace(tables, edges=found)).text
    assert "busi and other-set" in text
    assert text.count('<th scope="row">') == 1


def test_overlap_counts_groups_also_where_no_edge_joins_two_of_its_datasets() -> None:
    first, second = rejects(("one", 1, ""), dataset="set-b"), rejects(("two", 2, ""), dataset="set-c")
    tables = run_of(
        1, stages=[StageTables("index", 1, 0, first, errors()), StageTables("dedup", 2, 0, second, errors())]
    )
    ids = [*first.column("sample_id").to_pylist(), *second.column("sample_id").to_pylist()]
    kept = tables.frames.column("sample_id")[0].as_py()
    text = duplicates_section(replace(tables, edges=edges(*((kept, id, "phash", 0.0) for id in set(ids))))).text
    assert all(pair in text for pair in ("busi and set-b", "busi and set-c", "set-b and set-c"))
