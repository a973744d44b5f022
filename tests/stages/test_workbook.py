"""Sheets of .xlsx workbooks are read as a person sees them, and a hostile workbook costs itself only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages.workbooks import MAIN, packed, parts, sheet_xml, workbook
from ultracurate.core.errors import RowError
from ultracurate.stages import _workbook
from ultracurate.stages._workbook import sheet_rows

ROWS: list[list[Any]] = [["ID", "age", "benign", None, "size"], ["p 1", 31, True, None, 1.5], ["ü<&", None, False]]


@pytest.mark.parametrize("shared", [True, False])
def test_texts_numbers_and_gaps(shared: bool) -> None:
    assert list(sheet_rows(workbook(ROWS, shared))) == [
        {0: "ID", 1: "age", 2: "benign", 4: "size"},
        {0: "p 1", 1: "31", 2: "TRUE", 4: "1.5"},
        {0: "ü<&", 2: "FALSE"},
    ]


def test_the_first_sheet_or_the_named_one() -> None:
    book = packed(parts({"Read me": [["hello"]], "Data": [["a"], ["b"]]}))
    assert list(sheet_rows(book)) == [{0: "hello"}]
    assert list(sheet_rows(book, "Data")) == [{0: "a"}, {0: "b"}]
    with pytest.raises(RowError, match="2 sheets"):
        list(sheet_rows(book, "data of Quill"))


def sheet(cells: str) -> bytes:
    files = parts({"S": []})
    files["xl/worksheets/sheet1.xml"] = f"<worksheet {MAIN}><sheetData><row>{cells}</row></sheetData></worksheet>"
    files["xl/sharedStrings.xml"] = (
        f"<sst {MAIN}><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>hint</t></rPh></si><si><t> plain </t></si></sst>"
    )
    return packed(files)


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        ('<c t="s"><v>0</v></c><c t="s"><v>1</v></c>', {0: "rich", 1: "plain"}),
        ('<c r="C1"><v>7.0</v></c><c><v>8</v></c>', {2: "7", 3: "8"}),
        ("<c><v>0.5</v></c><c><v>1E+20</v></c><c><v>-3.00</v></c>", {0: "0.5", 1: "1E+20", 2: "-3"}),
        ('<c t="e"><v>#N/A</v></c><c t="str"><f>A1&amp;"x"</f><v>word</v></c>', {1: "word"}),
        ('<c t="d"><v>2020-02-03</v></c>', {0: "2020-02-03"}),
        ('<c r="XFE1"><v>1</v></c><c r="AB1"><v>2</v></c>', {27: "2"}),
        ('<x:c xmlns:x="y" r="B1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c>', {1: "a"}),
        (f'<c t="inlineStr"><is><t>{"a" * 40_000}</t></is></c>', {0: "a" * 32_767}),
    ],
)
def test_every_kind_of_cell(cells: str, row: dict[int, str]) -> None:
    assert list(sheet_rows(sheet(cells))) == [row]


def replaced(path: str, text: str | None) -> bytes:
    files = parts({"S": [["Quill"]]})
    files.pop(path)
    if text is not None:
        files[path] = text
    return packed(files)


LAUGH = '<!DOCTYPE l [<!ENTITY a "Quill"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 and nothing more of Quill",
        packed({"Quill.txt": "hello"}),
        replaced("xl/workbook.xml", None),
        replaced("xl/workbook.xml", "<workbook><sheets/></workbook>"),
        replaced("xl/workbook.xml", "<workbook Quill"),
        replaced("xl/_rels/workbook.xml.rels", "<Relationships/>"),
        replaced(
            "xl/_rels/workbook.xml.rels",
            '<R><Relationship Id="rId1" Type="x/worksheet" Target="../../../etc/passwd"/></R>',
        ),
        replaced(
            "xl/_rels/workbook.xml.rels",
            '<R><Relationship Id="rId1" Type="x/worksheet" TargetMode="External" Target="http://Quill"/></R>',
        ),
        replaced("xl/worksheets/sheet1.xml", f"{LAUGH}<worksheet>&b;</worksheet>"),
        replaced("xl/worksheets/sheet1.xml", "<a>" * 1000 + "</a>" * 1000),
        replaced("xl/worksheets/sheet1.xml", sheet_xml([["Quill"]])[:-9]),
        replaced("xl/sharedStrings.xml", "<sst/>"),
        sheet("<c t='s'><v>-1</v></c>"),
        sheet("<c t='s'><v>99999999999999</v></c>"),
        sheet("<c t='s'><v>Quill</v></c>"),
    ],
    ids=[
        "magic", "other zip", "no workbook", "no sheets", "broken", "no relation", "climbs", "external", "entities",
        "depth", "truncated", "no strings", "negative", "far", "word",
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_an_error_without_a_word_of_it(data: bytes) -> None:
    with pytest.raises(RowError) as caught:
        list(sheet_rows(data))
    assert "Quill" not in f"{caught.value} {caught.value.__cause__}"


def test_a_sheet_that_unpacks_to_far_more_than_its_size_is_not_read() -> None:
    data = sheet("<c><v>1</v></c>" * 400_000)
    assert len(data) * 200 < 400_000 * 15
    with pytest.raises(RowError, match="ratio"):
        list(sheet_rows(data))


def test_so_many_elements_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workbook, "MOST_ELEMENTS", 1000)
    assert len(list(sheet_rows(workbook([[n] for n in range(300)])))) == 300
    with pytest.raises(RowError, match="at most 1000 elements"):
        list(sheet_rows(workbook([[n] for n in range(400)])))


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(workbook([["a"]]))
    for at in (at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"):
        data[at + 8] |= 1
    with pytest.raises(RowError):
        list(sheet_rows(bytes(data)))
