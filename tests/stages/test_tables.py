"""A dataset's own tables: how their columns are told apart, and what a hostile or unreadable one costs."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.stages.bench import Bench, manifest
from tests.stages.workbooks import workbook
from ultracurate.archives.reading import iter_members
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.phantom.packing import pack_tar, pack_zip
from ultracurate.stages import _tables
from ultracurate.stages._containers import locate_parts

JOIN: dict[str, Any] = {"file": "list.csv", "key": "file", "on": "{name}", "columns": ["age"]}
TOY = manifest(layout=[{"match": "list.csv", "kind": "table"}, {"match": "{name}.png", "kind": "image"}], tables=[JOIN])


def joined(folder: Path, table: bytes, name: str = "one") -> dict[str, str]:
    """What the table adds to a file of that name."""
    bench = Bench(folder, TOY)
    return added(bench, [bench.put("list.csv", table)], name)


def added(bench: Bench, files: list[dict[str, Any]], name: str = "one") -> dict[str, str]:
    """What the tables of these files, the first of which is the picture's, add to it."""
    ctx = bench.context("index")
    columns = pa.Table.from_pylist(files)
    parts = {row["file_id"]: row["parts"] for row in locate_parts(columns, ctx)}
    found = {row["file_id"]: row["tables"] for row in _tables.find_tables(columns, ctx, parts).to_pylist()}
    fields = _tables.join_fields({"name": name}, found.get(files[0]["file_id"]), "toy", ctx)
    return {key: value for key, value in fields.items() if key != "name"}


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


TABLE = b"file,age\none,31\n"
ANYWHERE = manifest(
    layout=[{"match": "**list.csv", "kind": "table"}, {"match": "**{name}.png", "kind": "image"}],
    tables=[JOIN | {"file": "**list.csv"}],
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", pack_zip({"in.zip": pack_zip({"d/list.csv": TABLE})})),
        ("a.zip", pack_zip({"in.zip": pack_zip({"d/list.csv": TABLE})}, stored=False)),
        ("a.tar.gz", pack_tar({"x/in.zip": pack_zip({"deep.tar": pack_tar({"list.csv": TABLE}, compress=False)})})),
        ("a.zip", pack_zip({"other.zip": b"PK damaged", "in.tar.gz": pack_tar({"list.csv": TABLE})})),
    ],
    ids=["stored", "deflated", "three levels", "beside a damaged one"],
)
def test_a_table_is_found_as_deep_as_pictures_are(tmp_path: Path, name: str, data: bytes) -> None:
    bench = Bench(tmp_path, ANYWHERE)
    assert added(bench, [bench.put(name, data)]) == {"age": "31"}


def test_a_table_in_an_archive_of_several_files_is_found_once(tmp_path: Path) -> None:
    whole = pack_zip({"list.csv": TABLE, "one.png": bytes(3000)}, stored=False)
    bench = Bench(tmp_path, ANYWHERE)
    files = [bench.put(f"a.zip.{n + 1:03}", whole[n * 150 : (n + 1) * 150]) for n in range(-(-len(whole) // 150))]
    assert len(files) > 1
    assert added(bench, files) == {"age": "31"}


def test_only_archives_that_may_hold_the_table_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def noted(row: Any, *rest: Any, **more: Any) -> Any:
        opened.append(row["file_name"])
        return open_file(row, *rest, **more)

    from ultracurate.stages._containers import open_file

    monkeypatch.setattr(_tables, "open_file", noted)
    toy = manifest(
        layout=[{"match": "**{name}.png", "kind": "image"}],
        tables=[JOIN | {"file": "facts.ZIP/list.csv"}, JOIN | {"file": "facts{n}.zip/list.csv"}],
    )
    bench = Bench(tmp_path, toy)
    names = ["pictures.zip", "facts.zip", "facts2.zip", "fact.zip"]
    files = [bench.put(name, pack_zip({"list.csv": TABLE, name: b"x"})) for name in names]
    found = _tables.find_tables(pa.Table.from_pylist(files), bench.context("index"))
    assert opened == ["facts.zip", "facts2.zip"]
    places = json.loads(found["tables"][0].as_py())
    assert [(place["join"], place["path"]) for place in places] == [(1, "facts2.zip/list.csv")]


def test_an_unreadable_table_is_read_once_and_refused_to_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def counting(data: bytes) -> Any:
        reads.append(len(data))
        return rows(data)

    rows = _tables._csv_rows
    monkeypatch.setattr(_tables, "_csv_rows", counting)
    bench = Bench(tmp_path, TOY)
    files = [bench.put("list.csv", b"never seen before,age\nQuill,31\n")]
    for _ in range(3):
        with pytest.raises(RowError, match="lacks columns"):
            added(bench, files)
    assert len(reads) == 1


def test_an_old_workbook_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"\.xlsx"):
        joined(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def test_a_workbook_adds_its_columns_like_any_table(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ANYWHERE)
    book = pack_zip({"d/list.csv": workbook([["file", "age"], ["one", 31], ["two", None]])})
    assert added(bench, [bench.put("a.zip", book)]) == {"age": "31"}
    assert added(bench, [bench.put("a.zip", book)], "two") == {}


def test_a_workbook_inside_a_zip_is_no_archive(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("facts.xlsx", workbook([["file", "age"], ["one", 31]]))
        packed.writestr("one.png", b"")
    toy = manifest(
        layout=[{"match": "**.xlsx", "kind": "table"}, {"match": "**{name}.png", "kind": "image"}],
        tables=[JOIN | {"file": "**/facts.xlsx"}],
    )
    bench = Bench(tmp_path, toy)
    file = bench.put("a.zip", out.getvalue())
    assert added(bench, [file]) == {"age": "31"}
    result, _ = bench.call("index", [file])
    assert result.rejects["reason"].to_pylist() == ["table"]


def test_a_table_of_too_many_columns_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(RowError, match="at most 4096 columns, found 40001"):
        next(iter(_tables._csv_rows(b"a" + b",a" * 40_000 + b"\n")))
