"""Reads one sheet of an .xlsx workbook as rows of text: a ZIP of XML files, met as hostile input.

Only the standard library is used, and only what a table needs is read: no formula, macro, link or picture. Source:
ECMA-376 part 1, sections 12.3 and 18.3 to 18.4.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from ultracurate.archives.reading import ArchiveLimits, iter_members
from ultracurate.core.errors import MissingExtraError, RowError

MIB = 1 << 20
LIMITS = ArchiveLimits(max_members=10_000, max_member_bytes=128 * MIB, max_total_bytes=256 * MIB, max_depth=1)
"""Of one workbook; also at most 200 times its packed size."""
MOST_ELEMENTS = 10_000_000
"""XML elements of one member: a sheet of a million rows and five columns has so many."""
MOST_TEXT = 32_767
"""Characters of one cell, as in the program itself."""
MOST_DEPTH = 64
MOST_COLUMNS = 16_384

_CELL = re.compile(r"([A-Z]{1,3})\d+")
_WHOLE = re.compile(r"-?\d{1,15}\.0+")

Cells = dict[int, str]
"""Column, from 0, -> text; empty cells are absent."""


def sheet_rows(data: bytes, sheet: str | None = None) -> Iterator[Cells]:
    """The rows of a sheet that have any text, from top to bottom.

    A cell is what is stored: a number without its format (so a date is a count of days), a formula's last value; cells
    with an error are empty.

    Args:
        data: the file.
        sheet: its name; None: the first one.

    Raises:
        RowError: no workbook, no such sheet, damaged, or above a limit.
    """
    relations, workbook = _Relations(), _Workbook()
    _parse(data, "xl/workbook.xml", workbook)
    _parse(data, "xl/_rels/workbook.xml.rels", relations)
    wanted = [part for name, part in workbook.sheets if sheet is None or name == sheet]
    target = relations.targets.get(wanted[0]) if wanted else None
    if target is None:
        which = "a first sheet" if sheet is None else "the sheet that `tables` names"
        raise RowError(f"table: expected {which} in the workbook, found none among {len(workbook.sheets)} sheets")
    strings = _Strings()
    if relations.strings is not None:
        _parse(data, relations.strings, strings)
    reader = _Sheet(strings.found)
    for _ in _pieces(data, target, reader):
        yield from reader.take()


def _parse(data: bytes, path: str, reader: _Reader) -> None:
    for _ in _pieces(data, path, reader):
        pass


def _pieces(data: bytes, path: str, reader: _Reader) -> Iterator[None]:
    """Feeds one member of the workbook to a reader, and stops after each piece of it."""
    try:
        for member in iter_members(io.BytesIO(data), "table.xlsx", LIMITS):
            if member.path == path:
                for chunk in member.stream():
                    reader.parser.Parse(chunk, False)
                    yield
                reader.parser.Parse(b"", True)
                yield
                return
    except (expat.ExpatError, ValueError, LookupError, MissingExtraError) as exc:  # its own words may quote the file
        raise RowError(f"table: expected the XML of a workbook, found otherwise ({type(exc).__name__})") from None
    raise RowError("table: expected an .xlsx workbook with its sheets, found a ZIP file that lacks one of its parts")


class _Reader:
    """An expat parser with bounds, without document types; tells elements by name without prefix."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._elements = 0
        parser: Any = expat.ParserCreate()
        parser.StartElementHandler = self._enter
        parser.EndElementHandler = self._leave
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.buffer_text = True
        self.parser = parser

    def start(self, name: str, found: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, more: str) -> None:
        """Text inside the innermost element."""

    def inside(self, name: str) -> bool:
        """Whether an element of that name is open."""
        return name in self._open

    def _enter(self, name: str, found: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= MOST_DEPTH or self._elements > MOST_ELEMENTS:
            raise RowError(f"table: expected at most {MOST_ELEMENTS} elements in {MOST_DEPTH} levels, found more")
        name = name.rpartition(":")[2]
        self._open.append(name)
        self.start(name, {key.rpartition(":")[2]: value for key, value in found.items()} if found else found)

    def _leave(self, _: str) -> None:
        self.end(self._open.pop())

    def _doctype(self, *_: Any) -> None:
        raise RowError("table: expected plain XML, found a document type, which can hold entities; refused")


class _Workbook(_Reader):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str]] = []  # name, id of the relation

    def start(self, name: str, found: dict[str, str]) -> None:
        if name == "sheet" and self.inside("sheets"):
            self.sheets.append((found.get("name", ""), found.get("id", "")))


class _Relations(_Reader):
    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}  # id of a sheet's relation -> path of the member
        self.strings: str | None = None

    def start(self, name: str, found: dict[str, str]) -> None:
        if name != "Relationship" or found.get("TargetMode") == "External":
            return
        # Relative to the folder of the workbook; a path that climbs finds no member.
        path = posixpath.normpath(posixpath.join("/xl", found.get("Target", ""))).lstrip("/")
        kind = found.get("Type", "").rpartition("/")[2]
        if kind == "sharedStrings":
            self.strings = path
        elif kind == "worksheet":
            self.targets[found.get("Id", "")] = path


class _Texts(_Reader):
    """Collects the text of `t` and `v`, of rich text too; phonetic hints are left out."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def text(self, more: str) -> None:
        if self._open[-1] in ("t", "v") and not self.inside("rPh") and len(self._text) < MOST_TEXT:
            self._text = (self._text + more)[:MOST_TEXT]

    def taken(self) -> str:
        text, self._text = self._text, ""
        return text


class _Strings(_Texts):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def end(self, name: str) -> None:
        if name == "si":
            self.found.append(self.taken())


class _Sheet(_Texts):
    def __init__(self, strings: list[str]) -> None:
        super().__init__()
        self._strings = strings
        self._rows: list[Cells] = []
        self._row: Cells = {}
        self._kind, self._column = "n", -1

    def take(self) -> list[Cells]:
        """Rows that are complete and were not taken yet."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, found: dict[str, str]) -> None:
        if name == "row":
            self._row, self._column = {}, -1
        elif name == "c":
            place = _CELL.fullmatch(found.get("r", ""))
            self._column = _number(place[1]) if place else self._column + 1
            self._kind = found.get("t", "n")
            self.taken()

    def end(self, name: str) -> None:
        if name == "row" and self._row:
            self._rows.append(self._row)
        elif name == "c" and self._column < MOST_COLUMNS and (value := self._value(self.taken().strip())):
            self._row[self._column] = value

    def _value(self, text: str) -> str:
        return _VALUES.get(self._kind, str)(text) if self._kind != "s" else self._shared(text)

    def _shared(self, text: str) -> str:
        if not (text.isdecimal() and len(text) < 10 and int(text) < len(self._strings)):
            raise RowError("table: expected the number of a shared text in a cell, found none of that number")
        return self._strings[int(text)].strip()


def _plain(text: str) -> str:
    """A number as a person writes it: 12.0 is 12."""
    return text.partition(".")[0] if _WHOLE.fullmatch(text) else text


def _number(letters: str) -> int:
    value = 0
    for letter in letters:
        value = value * 26 + ord(letter) - 64
    return value - 1


_VALUES: dict[str, Callable[[str], str]] = {
    "n": _plain,
    "b": lambda text: {"1": "TRUE", "0": "FALSE"}.get(text, ""),
    "e": lambda _: "",
}
