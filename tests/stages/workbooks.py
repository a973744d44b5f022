"""Writes small .xlsx workbooks part by part, so that a test can bend each part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | bool | None

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def sheet_xml(rows: Sequence[Sequence[Cell]], strings: list[str] | None = None) -> str:
    """A worksheet; texts go to `strings` if that is given, else they stand in their cells."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{_letters(column)}{number}", value, strings) for column, value in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    return f"<worksheet {MAIN}><sheetData>{''.join(lines)}</sheetData></worksheet>"


def _letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _cell(place: str, value: Cell, strings: list[str] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    if strings is None:
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    strings.append(value)
    return f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>'


def parts(sheets: Mapping[str, Sequence[Sequence[Cell]]], shared: bool = True) -> dict[str, str]:
    """The files of a workbook, by path."""
    strings: list[str] | None = [] if shared else None
    names = list(sheets)
    listed = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    relations += f'<Relationship Id="rId99" Type="{RELATION}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
    found = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATION}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relations}</Relationships>",
    }
    for n, name in enumerate(names, 1):
        found[f"xl/worksheets/sheet{n}.xml"] = sheet_xml(sheets[name], strings)
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings or [])
    found["xl/sharedStrings.xml"] = f"<sst {MAIN}>{items}</sst>"
    return found


def packed(files: Mapping[str, str]) -> bytes:
    """The ZIP of these files, deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return out.getvalue()


def workbook(rows: Sequence[Sequence[Cell]], shared: bool = True) -> bytes:
    """A workbook of one sheet."""
    return packed(parts({"Sheet1": rows}, shared))
