from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.core import schema
from ultracurate.core.schema import KEY, Grain, content_id, table

GROUPS = {
    name: value
    for name, value in vars(schema).items()
    if name.isupper() and isinstance(value, tuple) and all(isinstance(field, pa.Field) for field in value)
}


def test_every_grain_has_a_key_that_some_group_holds() -> None:
    held = {field.name for group in GROUPS.values() for field in group}
    assert set(KEY) == set(Grain)
    assert set(KEY.values()) <= held


def test_no_column_is_in_two_groups() -> None:
    names = [field.name for group in GROUPS.values() for field in group]
    assert len(GROUPS) >= 10
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("group", GROUPS)
def test_a_pixel_reference_has_all_four_columns(group: str) -> None:
    names = {field.name for field in GROUPS[group]}
    for name in names:
        if name.endswith("_uri") and name != "file_uri":
            prefix = name.removesuffix("_uri")
            assert {f"{prefix}_{part}" for part in ("uri", "offset", "length", "sha256")} <= names


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_ids_differ_when_their_parts_differ(a: list[str], b: list[str]) -> None:
    assert (content_id(*a) == content_id(*b)) == (a == b)


def test_an_id_never_changes_between_releases() -> None:
    assert content_id("busi", "zenodo", 7, "a/b.png") == "d314a96e992733a397396eb6"


def test_a_table_has_exactly_the_schema() -> None:
    wanted = pa.schema([("a", pa.string()), ("b", pa.int64())])
    made = table([{"a": "x"}, {"b": 2}], wanted)
    assert made.schema == wanted
    assert made.to_pylist() == [{"a": "x", "b": None}, {"a": None, "b": 2}]
    with pytest.raises(KeyError, match="typo"):
        table([{"a": "x", "typo": 1}], wanted)
