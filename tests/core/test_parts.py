from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.core import parts
from ultracurate.core.errors import ContractError
from ultracurate.core.parts import PartRef, check_conservation, commit, encode, find, read_table
from ultracurate.core.schema import REJECTS
from ultracurate.core.store import Store

TABLE = pa.table(
    {
        "id": [f"{n:04d}" for n in range(2500)],
        "n": pa.array([None if n % 7 == 0 else n for n in range(2500)], pa.int64()),
        "tags": pa.array([[str(i) for i in range(n % 4)] or None for n in range(2500)], pa.list_(pa.string())),
        "flag": [n % 3 == 0 for n in range(2500)],
    }
)


def test_the_same_table_gives_the_same_bytes() -> None:
    assert encode(TABLE) == encode(TABLE)
    assert encode(TABLE) == encode(pa.table(TABLE.to_pydict(), schema=TABLE.schema))
    assert encode(TABLE.slice(0, 10)) != encode(TABLE.slice(0, 11))


@pytest.mark.parametrize("rows", [1, 100, 1024, 1500, 2499])
def test_how_a_table_was_put_together_does_not_show(rows: int) -> None:
    """The same rows, whole or in chunks of another worker's making, are the same content."""
    chunked = pa.concat_tables([TABLE.slice(start, rows) for start in range(0, TABLE.num_rows, rows)])
    assert encode(chunked) == encode(TABLE)
    padded = pa.concat_tables([TABLE, TABLE]).slice(TABLE.num_rows, TABLE.num_rows)
    assert encode(padded) == encode(TABLE)


def test_wide_chunked_content_is_the_same_bytes() -> None:
    """More than one data page: their borders must not follow the chunks."""
    wide = pa.table({"text": [f"{n * 7919 % 100_003:06d}" * 40 for n in range(20_000)]})
    chunked = pa.concat_tables([wide.slice(start, 3333) for start in range(0, 20_000, 3333)])
    assert len(encode(wide)) > 100_000
    assert encode(chunked) == encode(wide)


def test_metadata_of_the_table_is_not_content() -> None:
    assert encode(TABLE.replace_schema_metadata({"pandas": "index"})) == encode(TABLE)


def test_what_was_encoded_reads_back(store: Store) -> None:
    store.write("p", encode(TABLE))
    assert read_table(store, "p").to_pydict() == TABLE.to_pydict()
    empty = TABLE.slice(0, 0)
    store.write("e", encode(empty))
    assert read_table(store, "e").num_rows == 0
    assert read_table(store, "e").schema.names == empty.schema.names


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Tables of 23 rows, named by the size of their row groups."""
    store = Store(tmp_path_factory.mktemp("grouped"))
    with pytest.MonkeyPatch.context() as patch:
        for size in (1, 4, 23, 24):
            patch.setattr(parts, "ROW_GROUP", size)
            store.write(f"{size}", encode(TABLE.slice(0, 23)))
            assert pq.ParquetFile(io.BytesIO(store.read(f"{size}"))).num_row_groups == -(-23 // size)
    return store


@given(
    st.sampled_from([1, 4, 23, 24]),
    st.integers(0, 30),
    st.none() | st.integers(0, 30),
    st.none() | st.lists(st.sampled_from(TABLE.schema.names), unique=True, min_size=1),
)
@settings(max_examples=300)
def test_a_slice_read_is_a_slice_of_the_table(
    grouped: Store, size: int, start: int, stop: int | None, columns: list[str] | None
) -> None:
    found = read_table(grouped, str(size), columns, start, stop)
    rows = TABLE.slice(0, 23).to_pylist()[start:stop]
    names = columns or TABLE.schema.names
    assert found.to_pylist() == [{name: row[name] for name in names} for row in rows]
    assert set(found.schema.names) == set(names)


def test_only_the_wanted_row_groups_are_read(grouped: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = pq.ParquetFile.read_row_group

    def counting(self: Any, group: int, *args: Any, **kwargs: Any) -> Any:
        read.append(group)
        return real(self, group, *args, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    read_table(grouped, "4", ["n"], 7, 9)
    assert read == [1, 2]


REF = PartRef("square/abc", "id1", "a", 0, "")
ERROR = {"sample_id": "e", "parent_id": "e", "dataset": "a", "exception": "ValueError", "message": "m", "attempt": 1}
REJECT = pa.Table.from_pylist([{"sample_id": "r", "parent_id": "r", "dataset": "a", "reason": "odd"}], schema=REJECTS)
RECORD: dict[str, Any] = {"counters": {"seen": 3}, "seconds": 0.5, "rows_in": 7, "run": "r1", "attempt": 1}


def put(store: Store, errors: bool = True) -> PartRef:
    side = {"edges": pa.table({"a": [1]}), "clusters": pa.table({"b": [2]})}
    return commit(store, REF, TABLE, REJECT, [ERROR] if errors else [], side, RECORD)


def test_a_finished_part_is_found_as_it_was_committed(store: Store) -> None:
    done = put(store)
    assert find(store, REF.directory, "id1") == done
    assert find(store, REF.directory, "id1", frozenset(store.names(REF.directory))) == done
    assert find(store, REF.directory, "id1", frozenset()) is None
    assert (done.rows, done.rejects, done.errors, done.dataset) == (2500, 1, 1, "a")
    assert done.side == ("clusters", "edges")
    assert done.counters == {"seen": 3}
    assert store.names(REF.directory) == sorted(
        [
            "clusters-id1.parquet",
            "edges-id1.parquet",
            "errors-id1.parquet",
            "part-id1.parquet",
            "rejects-id1.parquet",
            "stats-id1.json",
        ]
    )
    assert done.bytes == sum(store.size(f"{REF.directory}/{n}") for n in store.names(REF.directory) if "stats" not in n)
    assert read_table(store, done.path("errors")).to_pylist() == [ERROR]


def test_no_rejects_and_no_errors_write_no_files(store: Store) -> None:
    done = commit(store, REF, TABLE, REJECTS.empty_table(), [], {}, RECORD)
    assert store.names(REF.directory) == ["part-id1.parquet", "stats-id1.json"]
    assert done.errors_digest == ""


class KilledError(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def killed_after(store: Store, writes: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> bool:
    """Run `act` and kill it after so many finished files; False when it came through."""
    real, left = store.adopt, [writes]

    def adopt(*args: Any) -> None:
        if left[0] == 0:
            raise KilledError
        left[0] -= 1
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(store, "adopt", adopt)
        try:
            act()
        except KilledError:
            return True
    return False


def test_a_part_that_was_killed_at_any_point_is_not_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Store(str(store.url) + "-whole")
    put(whole)
    expected = {name: whole.read(f"{REF.directory}/{name}") for name in whole.names(REF.directory)}
    for writes in range(10):
        if not killed_after(store, writes, monkeypatch, lambda: put(store)):
            break
        assert find(store, REF.directory, "id1") is None
        assert len(store.names(REF.directory)) == writes
        assert "part-id1.parquet" not in store.names(REF.directory)
    assert writes == len(expected) == 6
    assert {name: store.read(f"{REF.directory}/{name}") for name in store.names(REF.directory)} == expected


def test_errors_of_a_killed_attempt_do_not_stay_beside_a_clean_part(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt met a passing trouble and was killed; the second one had none."""
    assert killed_after(store, 5, monkeypatch, lambda: put(store))
    assert "errors-id1.parquet" in store.names(REF.directory)
    commit(store, REF, TABLE, REJECTS.empty_table(), [], {}, RECORD)
    assert not {"errors-id1.parquet", "rejects-id1.parquet"} & set(store.names(REF.directory))


def conserve(keys: str, rows: str, rejects: str = "", errors: str = "", fan_out: bool = False) -> None:
    check_conservation("Stage 'x', part 1", keys, rows, rejects, errors, fan_out)


def test_every_row_is_accounted_for() -> None:
    conserve("abc", "a", "b", "c")
    conserve("", "")
    conserve("ab", "aaa", "ab", "a", fan_out=True)


@pytest.mark.parametrize("fan_out", [False, True])
def test_lost_and_invented_rows_are_named(fan_out: bool) -> None:
    with pytest.raises(ContractError, match=r"Stage 'x', part 1: 4 rows were lost, for example \['b', 'c', 'd'\]"):
        conserve("abcde", "a", fan_out=fan_out)
    with pytest.raises(ContractError, match=r"1 rows came from nowhere, for example \['z'\]"):
        conserve("ab", "ab", "z", fan_out=fan_out)


@pytest.mark.parametrize(
    ("rows", "rejects", "errors"), [("aab", "", ""), ("ab", "a", ""), ("ab", "", "a"), ("b", "a", "a")]
)
def test_a_row_is_counted_once(rows: str, rejects: str, errors: str) -> None:
    with pytest.raises(ContractError, match=r"3 outcomes for 2 rows; counted twice: \['a'\]"):
        conserve("ab", rows, rejects, errors)
    conserve("ab", rows, rejects, errors, fan_out=True)


@given(st.lists(st.sampled_from("re x"), min_size=1), st.integers(0, 40))
def test_any_one_row_dropped_silently_is_noticed(fate: list[str], victim: int) -> None:
    keys = [str(n) for n in range(len(fate))]
    groups = {kind: [k for k, f in zip(keys, fate, strict=True) if f == kind] for kind in "re x"}
    made, dropped, failed = groups["r"] + groups[" "], groups["e"], groups["x"]
    check_conservation("w", keys, made, dropped, failed, fan_out=False)
    gone = keys[victim % len(keys)]
    made, dropped, failed = ([key for key in group if key != gone] for group in (made, dropped, failed))
    for fan_out in (False, True):
        with pytest.raises(ContractError, match="1 rows were lost"):
            check_conservation("w", keys, made, dropped, failed, fan_out)
