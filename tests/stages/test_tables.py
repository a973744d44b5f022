"""A dataset's own tables: how their columns are told apart, and what a hostile or unreadable one costs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.stages.bench import Bench, manifest
from ultracurate.archives.reading import iter_members
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.stages import _tables

JOIN: dict[str, Any] = {"file": "list.csv", "key": "file", "on": "{name}", "columns": ["age"]}
TOY = manifest(layout=[{"match": "list.csv", "kind": "table"}, {"match": "{name}.png", "kind": "image"}], tables=[JOIN])


def joined(folder: Path, table: bytes, name: str = "one") -> dict[str, str]:
    """What the table adds to a file of that name."""
    bench = Bench(folder, TOY)
    file = bench.put("list.csv", table)
    place = {"uri": file["file_uri"], "sha256": file["file_sha256"], "name": "list.csv", "join": 0, "member": None}
    found = _tables.join_fields({"name": name}, json.dumps([place]), TOY.tables, bench.context("index").blobs)
    return {key: value for key, value in found.items() if key != "name"}


@pytest.mark.parametrize(
    "table",
    [
        b"file,age\none,31\n",
        b"file;age;size\none;31;1,5\n",
        b"file\tage\r\none\t31\r\n",
        b"\xef\xbb\xbffile|age|a,b\none|31|c,d,e\n",
        b"\n\nfile,age\none,31\n",
        b'"a;b;c;d",file,"of the\npatient; in years; or so",age\nx,one,y,31\n',
        b'file,age,"1;;;;;;5"" gauge"\none,31,x\n',
    ],
)
def test_columns_are_told_apart_by_the_first_line(tmp_path: Path, table: bytes) -> None:
    assert joined(tmp_path, table) == {"age": "31"}


def test_a_line_of_quotes_is_read_once(tmp_path: Path) -> None:
    """`csv.Sniffer` takes minutes for it, and the square of that for one ten times as long."""
    mark = b',"a' * 100_000
    assert len(mark) == 300_000
    assert _tables._delimiter(mark) == ","
    with pytest.raises(RowError, match="table"):
        joined(tmp_path, mark + b"\nx,y\n")


def test_an_unreadable_table_is_a_row_error_without_a_word_of_it(tmp_path: Path) -> None:
    for table in (b"file,age\nQuill,31\xff\n", b'file,age\n"Quill', b"file,age\nQuill,31\nQuill,1,2,3,4,5\n"):
        with pytest.raises(RowError) as caught:
            joined(tmp_path, table)
        assert "Quill" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_an_archive_that_nothing_here_reads_has_no_tables_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, TOY)
    files = [bench.put("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100)), bench.put("list.csv", b"file,age\none,31\n")]
    monkeypatch.setitem(sys.modules, "libarchive", None)
    with (tmp_path / files[0]["file_uri"]).open("rb") as file, pytest.raises(MissingExtraError):
        list(iter_members(file, "a.7z"))
    found = _tables.find_tables(pa.Table.from_pylist(files), bench.context("index"))
    assert set(found["file_id"].to_pylist()) == {"toy/a.7z", "toy/list.csv"}
    assert '"list.csv"' in found["tables"][0].as_py()
