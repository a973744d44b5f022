"""Pascal VOC annotations: boxes in XML, read with the standard library's parser and without entities."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from ultracurate.core.errors import RowError
from ultracurate.decoding._annotation.shapes import Annotation, Parsed, ShapeError, corners, size, text

MAX_BYTES = 4 << 20
MAX_DEPTH = 16
MAX_TEXT = 1000
"""Characters of one element that are kept."""


def voc(data: bytes) -> Parsed:
    """The objects of a Pascal VOC file; coordinates as written (the originals count from 1, labelImg from 0).

    A document type is refused as a whole: entities, external ones among them, come only through it.
    Source: Everingham et al., IJCV 2010, doi:10.1007/s11263-009-0275-4, development kit.
    """
    if len(data) > MAX_BYTES:
        raise RowError(f"annotations: expected at most {MAX_BYTES} bytes of XML, found {len(data)}")
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as exc:  # its own words may quote the file
        raise RowError(f"annotations: expected valid XML, found otherwise ({type(exc).__name__})") from None
    if reader.root != "annotation":
        raise RowError("annotations: expected Pascal VOC, whose root is 'annotation', found another root")
    found: list[Annotation] = []
    refused = 0
    for entry in reader.objects:
        try:
            found.append(_object(entry, reader.facts))
        except ShapeError:
            refused += 1
    return Parsed(found, refused)


def _object(entry: dict[str, str], facts: dict[str, str]) -> Annotation:
    try:
        box = corners(*(float(entry[f"bndbox/{side}"]) for side in ("xmin", "ymin", "xmax", "ymax")))
    except (KeyError, ValueError):
        raise ShapeError("expected a box of four numbers") from None
    width, height = facts.get("size/width", ""), facts.get("size/height", "")
    known = width.isdecimal() and height.isdecimal()
    return Annotation(
        "box",
        text(entry.get("name", "")),
        picture=text(facts["filename"]) if facts.get("filename") else None,
        size=size(int(width), int(height)) if known else None,
        box=box,
    )


class _Reader:
    """Collects the texts of a small document by their path below `annotation`, or below one `object`."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.facts: dict[str, str] = {}
        self.objects: list[dict[str, str]] = []
        self._open: list[str] = []
        self._text = ""
        parser: Any = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.buffer_text = True
        self.parser = parser

    def _doctype(self, *_: Any) -> None:
        raise RowError("annotations: expected plain XML, found a document type, which can hold entities; refused")

    def _start(self, name: str, _: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise RowError(f"annotations: expected at most {MAX_DEPTH} levels of XML, found more")
        self.root = self.root or name
        self._open.append(name)
        self._text = ""
        if self._open[1:] == ["object"]:
            self.objects.append({})

    def _characters(self, more: str) -> None:
        if len(self._text) < MAX_TEXT:
            self._text += more[:MAX_TEXT]

    def _end(self, _: str) -> None:
        inside = self._open[1:]
        value = self._text.strip()[:MAX_TEXT]
        if inside[:1] == ["object"]:
            if inside[1:]:
                self.objects[-1].setdefault("/".join(inside[1:]), value)
        elif inside:
            self.facts.setdefault("/".join(inside), value)
        self._open.pop()
        self._text = ""
