"""Masks and annotation files as rows of a side table, tied to the pictures that they belong to by path."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ultracurate.core.blobs import PixelRef
from ultracurate.core.layout import Match
from ultracurate.core.schema import I64, S, content_id
from ultracurate.core.stage import Row

if TYPE_CHECKING:
    from ultracurate.decoding.annotations import Annotation

ANNOTATION = pa.schema(
    [
        ("annotation_id", S),
        ("dataset", S),
        ("picture", S),  # path of its picture as the layout sees it, as far as known; local: paths can hold names
        ("within", S),  # folder below which a picture of that base name may lie instead; null: nowhere else
        ("kind", S),  # mask, box, polygon, points; file: kept as it came, this version cannot read it
        ("label", S),  # the class as the file names it, "" where it names none
        ("geometry", S),  # JSON of `Annotation.geometry`; null for a file or volume that is read as a whole
        ("width", I64),  # of the picture, as the annotation says it
        ("height", I64),
        ("source_path", S),  # path of the mask or annotation file; local as well
        ("source_uri", S),  # PixelRef of the mask's bytes; null where `geometry` says everything
        ("source_offset", I64),
        ("source_length", I64),
        ("source_sha256", S),  # of the file that it was read from
    ]
)
"""Side table `annotations` of index. It joins samples by (dataset, path): see `tie`."""

TIED = pa.schema([("annotation_id", S), ("sample_id", S), ("tied_by", S)])
_FILE = "{file}"


def annotation_rows(
    match: Match, data: bytes, place: Callable[[bytes], PixelRef], dataset: str, path: str
) -> tuple[list[Row], int]:
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

    form = "mask" if match.kind == "mask" else ((match.rule and match.rule.format) or recognise(data))
    parsed = parse(data, form) if form else None
    found = parsed.found if parsed else []
    whole = not parsed or form is None or "mask" in form
    source = place(data).columns("source") if whole else {"source_sha256": hashlib.sha256(data).hexdigest()}
    common = {"dataset": dataset, "source_path": path} | source
    if parsed is None:
        return [_row(common, "file", 0) | _picture(match.of, None, path)], 0
    rows = [
        _row(common, one.kind, number) | _picture(match.of, one.picture, path) | _shape(one)
        for number, one in enumerate(found)
    ]
    return rows, parsed.refused


def _row(common: Row, kind: str, number: int) -> Row:
    key = content_id(common["dataset"], "annotation", common["source_sha256"], common["source_path"], number)
    return {**common, "annotation_id": key, "kind": kind}


def _shape(one: Annotation) -> Row:
    geometry = one.geometry()
    width, height = one.size or (None, None)
    text = json.dumps(geometry, separators=(",", ":")) if geometry else None
    return {"label": one.label, "geometry": text, "width": width, "height": height}


def _picture(of: str | None, name: str | None, path: str) -> Row:
    """`picture` and `within` of one annotation."""
    if of is not None and _FILE not in of:
        return {"picture": of, "within": None}
    if not name:
        return {"picture": None, "within": None}
    inside = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    if of is not None:
        return {"picture": of.replace(_FILE, inside), "within": of.partition(_FILE)[0].rpartition("/")[0]}
    # No word from the layout: beside the annotation file, else anywhere in the same archive or record.
    beside, slash, _ = path.rpartition("/")
    return {"picture": f"{beside}{slash}{inside}", "within": path.partition("/")[0] if slash else ""}


def tie(annotations: pa.Table, samples: pa.Table) -> pa.Table:
    """For each annotation the sample that it belongs to; a global step over narrow columns.

    Args:
        annotations: columns annotation_id, dataset, picture, within.
        samples: columns sample_id, dataset, path.

    Returns:
        `TIED`: `tied_by` is "path" where the path is exactly that of a sample, "name" where one single sample below
        `within` ends in the same folders and name or, failing that, has the same base name; both null where none
        or several do: a guess would put a lesion on another patient.
    """
    exact: dict[tuple[str, str], str] = {}
    named: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in samples.select(["sample_id", "dataset", "path"]).to_pylist():
        exact[row["dataset"], row["path"]] = row["sample_id"]
        named[row["dataset"], PurePosixPath(row["path"]).name].append((row["path"], row["sample_id"]))
    tied = []
    for row in annotations.select(["annotation_id", "dataset", "picture", "within"]).to_pylist():
        found, how = exact.get((row["dataset"], row["picture"] or "")), "path"
        if found is None and row["within"] is not None:
            found, how = _by_name(row, named), "name"
        tied.append({"annotation_id": row["annotation_id"], "sample_id": found, "tied_by": how if found else None})
    return pa.Table.from_pylist(tied, schema=TIED)


def _by_name(row: Row, named: dict[tuple[str, str], list[tuple[str, str]]]) -> str | None:
    picture, below = PurePosixPath(row["picture"]), row["within"] + "/" if row["within"] else ""
    near = [one for one in named.get((row["dataset"], picture.name), []) if one[0].startswith(below)]
    for tail in _tails(picture):
        hits = [sample for path, sample in near if f"/{path}".endswith(f"/{tail}")]
        if hits:
            return hits[0] if len(hits) == 1 else None
    return None


def _tails(picture: PurePosixPath) -> Iterator[PurePosixPath]:
    """The path without its first folder, without its first two, ..., down to the base name."""
    for start in range(1, len(picture.parts)):
        yield PurePosixPath(*picture.parts[start:])
    if len(picture.parts) == 1:
        yield picture


def annotation_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The side table."""
    return pa.Table.from_pylist(rows, schema=ANNOTATION)
