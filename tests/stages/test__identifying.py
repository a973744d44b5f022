"""Counts at the door are kept by file, place and kind, and hold no word of what was met."""

from __future__ import annotations

from collections import Counter

from ultracurate.core.parts import encode
from ultracurate.stages._identifying import IDENTIFYING, Identities, identifying_table

ROW = {"dataset": "lab", "file_id": "f1", "file_name": "DOE^JANE/1961-03-04/J.S.png"}


def test_places_are_told_apart() -> None:
    met = Identities()
    met.file(ROW, frozenset({"JANE"}))
    met.member(ROW, "1962-03-04/MRN1234567.png")
    met.member(ROW, "1963-03-04/1964-03-04.png")
    met.header(ROW, ("PatientName", "private", "private"))
    met.metadata(ROW, Counter(gps=1))
    met.archive(ROW, Counter(comment=2))
    table = met.side()["identifying"]
    assert table.schema == IDENTIFYING
    found = {(row["where"], row["kind"]): row["count"] for row in table.to_pylist()}
    assert found == {
        ("archive", "comment"): 2,
        ("file", "initials"): 1,
        ("folder", "birth_date"): 1,
        ("folder", "header"): 1,
        ("folder", "name"): 1,
        ("header", "PatientName"): 1,
        ("header", "private"): 2,
        ("member", "birth_date"): 3,
        ("member", "number"): 1,
        ("metadata", "gps"): 1,
    }
    assert not any(word in str(table.to_pylist()) for word in ("JANE", "1961", "DOE"))


def test_where_nothing_was_met_there_is_no_table() -> None:
    met = Identities()
    met.file({"dataset": "lab", "file_id": "f1", "file_name": "images/001.png"})
    met.metadata(ROW, Counter())
    met.header(ROW, ())
    assert met.side() == {}


def test_a_folder_keeps_what_looks_like_an_ending() -> None:
    met = Identities()
    met.file({"dataset": "lab", "file_id": "f1", "file_name": "x@y.org/J.S/a.png"})
    found = {(row["where"], row["kind"]) for row in met.side()["identifying"].to_pylist()}
    assert found == {("folder", "mail"), ("folder", "initials")}


def test_the_order_of_findings_changes_no_byte() -> None:
    one = {("b", "f2", "file", "date"): 1, ("a", "f1", "file", "date"): 2, ("a", "f1", "file", "name"): 0}
    other = dict(reversed(one.items()))
    assert encode(identifying_table(one)) == encode(identifying_table(other))
    assert identifying_table(one).num_rows == 2
