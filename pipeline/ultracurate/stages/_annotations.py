"""One mask or annotation file as rows of the side table `annotations`, with the path of the picture each is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from ultracurate.core.annotations import ANNOTATION
from ultracurate.core.blobs import PixelRef
from ultracurate.core.errors import RowError
from ultracurate.core.layout import ANYWHERE, Match
from ultracurate.core.schema import content_id
from ultracurate.core.stage import Row

if TYPE_CHECKING:
    from ultracurate.decoding.annotations import Annotation

MOST_ROWS = 2_000_000
"""Annotations of one part: about 450 MB as a table. The largest public sets of ultrasound have a tenth of it."""

_CHUNK = 20_000
"""Rows at a time that are Python objects, which take ten times as much memory as a table."""
_FILE = "{file}"


class Gathered:
    """The annotations of one part, as they come."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self.number = 0
        self._most = most
        self._rows: list[Row] = []
        self._tables: list[pa.Table] = []

    def add(self, rows: Iterable[Row]) -> int:
        """Take in the rows of one file, and say how many there were.

        Raises:
            RowError: the part has more than `most`; what came before stays.
        """
        before = self.number
        for row in rows:
            if self.number >= self._most:
                raise RowError(
                    f"annotations: expected at most {self._most} in the files of one part, found more. Cut the file, "
                    "or ignore it in the manifest"
                )
            self.number += 1
            self._rows.append(row)
            if len(self._rows) >= _CHUNK:
                self._pack()
        return self.number - before

    def table(self) -> pa.Table:
        """All of them."""
        self._pack()
        return pa.concat_tables(self._tables)

    def _pack(self) -> None:
        self._tables.append(pa.Table.from_pylist(self._rows, schema=ANNOTATION))
        self._rows = []


def annotation_rows(
    match: Match, data: bytes, place: Callable[[bytes], PixelRef], dataset: str, path: str
) -> tuple[Iterator[Row], int]:
    """Rows of `ANNOTATION` for one mask or annotation file.

    Where the rule's `of` names one picture, everything in the file belongs to it. Where `of` holds `{file}`, or the
    rule has none, the names inside the file decide, and a picture of that name may lie anywhere in the folder that
    `of` begins with, or in the same record.

    Args:
        match: what the layout said about the file: kind mask or annotation.
        data: its bytes.
        place: stores a reference to the bytes; called only for what has to be read again later.
        dataset: slug.
        path: the file's own path as the layout saw it.

    Returns:
        The rows, and how many entries of the file had no usable shape.

    Raises:
        RowError: the file is not what the layout calls it, or above a limit.
    """
    from ultracurate.decoding.annotations import parse, recognise
    from ultracurate.decoding.media import HEAD_BYTES, sniff

    stated = match.rule.format if match.rule else None
    form = stated or ("mask" if match.kind == "mask" else recognise(data))
    if form and "mask" in form and sniff(data[:HEAD_BYTES], path) is None:
        form = None  # a mask in a format that nobody here decodes is kept, but is no mask that can be counted on
    parsed = parse(data, form) if form else None
    found = parsed.found if parsed else []
    whole = not parsed or form is None or "mask" in form
    source = place(data).columns("source") if whole else {"source_sha256": hashlib.sha256(data).hexdigest()}
    common = {"dataset": dataset, "source_path": path} | source
    if parsed is None:
        return iter([_row(common, "file", 0) | _picture(match.of, None, path)]), 0
    rows = (
        _row(common, one.kind, number) | _picture(match.of, one.picture, path) | _shape(one)
        for number, one in enumerate(found)
    )
    return rows, parsed.refused


def _row(common: Row, kind: str, number: int) -> Row:
    key = content_id(common["dataset"], "annotation", common["source_sha256"], common["source_path"], number)
    return {**common, "annotation_id": key, "kind": kind, "empty": False}


def _shape(one: Annotation) -> Row:
    geometry = one.geometry()
    width, height = one.size or (None, None)
    text = json.dumps(geometry, separators=(",", ":")) if geometry else None
    common = {"label": one.label, "geometry": text, "width": width, "height": height, "empty": one.area == 0}
    corners = [point for ring in one.polygons for point in ring] or [point for point in one.points if point]
    if one.box:
        corners = [one.box[:2], one.box[2:]]
    if not corners:
        return common
    xs, ys = zip(*corners, strict=True)
    return common | {"left": min(xs), "top": min(ys), "right": max(xs), "bottom": max(ys)}


def _picture(of: str | None, name: str | None, path: str) -> Row:
    """`picture` and `within` of one annotation."""
    if of is not None and _FILE not in of:
        folder, anywhere, base = of.rpartition(ANYWHERE)
        return {"picture": folder + base, "within": folder.removesuffix("/") if anywhere else None}
    if not name:
        return {"picture": None, "within": None}
    inside = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    if of is not None:
        picture = of.replace(ANYWHERE, "").replace(_FILE, inside)
        return {"picture": picture, "within": of.partition(_FILE)[0].replace(ANYWHERE, "").rpartition("/")[0]}
    # No word from the layout: beside the annotation file, else anywhere in the same archive or record.
    beside, slash, _ = path.rpartition("/")
    return {"picture": f"{beside}{slash}{inside}", "within": path.partition("/")[0] if slash else ""}
