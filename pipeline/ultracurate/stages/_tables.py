"""Joins a dataset's own tables (CSV, TSV, XLSX) to its files: which table belongs to which files, its values by key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pyarrow as pa

from ultracurate.archives.reading import ArchiveLimits
from ultracurate.core.context import Context
from ultracurate.core.dataset import TableJoin
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.core.layout import compile_pattern, fill_template, literal_start
from ultracurate.stages._containers import open_file, volume_of
from ultracurate.stages._workbook import Cells, sheet_rows

FOUND = pa.schema([("file_id", pa.string()), ("tables", pa.string())])
MOST_BYTES = 128 * 2**20
"""Of a table: parsed, it takes about twenty times as much memory."""
MOST_KEPT = 16
"""Tables that one process keeps, parsed."""

_MOST_OF_HEADER = 2**20
_MOST_COLUMNS = 4096
_QUOTED = re.compile(rb'"[^"]*"')
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Values = dict[str, dict[str, str]]
"""Value of the key column -> the wanted columns that have a value."""


def find_tables(columns: pa.Table, ctx: Context, parts: Mapping[str, str] | None = None) -> pa.Table:
    """For each file of a dataset that declares `tables`: where those tables lie, as JSON, pinned by digest.

    Args:
        columns: `dataset`, `file_id`, `file_name`, `file_uri`, `file_sha256`.
        ctx: of index; opens the archives in which a table may lie, and those in them.
        parts: what `locate_parts` found, by file id.
    """
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for row in columns.to_pylist():
        if row["dataset"] in ctx.manifests and ctx.manifest(row["dataset"]).tables:
            by_dataset.setdefault(row["dataset"], []).append(row)
    found = []
    for files in by_dataset.values():
        places: list[dict[str, Any]] = []
        for file in files:
            try:
                places += _places(file, ctx, (parts or {}).get(file["file_id"]))
            except OSError:
                continue  # gone or unreadable since download: its index row will say so
        text = json.dumps(sorted(places, key=lambda one: (one["join"], one["sha256"], one["path"])), sort_keys=True)
        found += [{"file_id": file["file_id"], "tables": text} for file in files if places]
    return pa.Table.from_pylist(found, schema=FOUND)


def _places(file: Mapping[str, Any], ctx: Context, parts: str | None) -> Iterator[dict[str, Any]]:
    """The joins whose table this file is, or holds at any depth."""
    name, prepared = file["file_name"], {"parts": parts}
    joins = ctx.manifest(file["dataset"]).tables
    place = {"uri": file["file_uri"], "sha256": file["file_sha256"], "name": name, "parts": parts}
    loose = [number for number, join in enumerate(joins) if compile_pattern(join.file).fullmatch(name)]
    if loose:
        yield from ({**place, "join": number, "path": name} for number in loose)
        return
    inside = {number: join for number, join in enumerate(joins) if _may_hold(name, join.file)}
    if not inside or volume_of(prepared):
        return
    try:
        for entry in open_file(file, ctx, prepared=prepared):
            for number, join in inside.items():
                if not entry.problem and not entry.error and compile_pattern(join.file).fullmatch(entry.path):
                    yield {**place, "join": number, "path": entry.path}
    except (RowError, MissingExtraError):
        return  # the index row of this archive will say what is wrong with it


def _may_hold(name: str, pattern: str) -> bool:
    """Whether a path in this archive can match, so that others stay closed."""
    below, start = f"{name}/".casefold(), literal_start(pattern).casefold()
    return below.startswith(start) or start.startswith(below)


def join_fields(fields: dict[str, str], tables: str | None, dataset: str, ctx: Context) -> dict[str, str]:
    """The fields of one file with the columns that its dataset's tables add; values of no match stay absent."""
    joined = dict(fields)
    joins = ctx.manifest(dataset).tables
    for place in json.loads(tables or "[]"):
        join = joins[place["join"]]
        key = fill_template(join.on, fields)
        if key is not None:
            joined |= _values(place, join, dataset, ctx).get(key, {})
    return joined


_KEPT: dict[tuple[str, ...], Values | str] = {}
"""Tables by digest, place and what is wanted of them; a text is why that one cannot be read."""


def _values(place: Mapping[str, Any], join: TableJoin, dataset: str, ctx: Context) -> Values:
    key = (dataset, place["sha256"], place["path"], place["parts"] or "", join.model_dump_json())
    if (found := _KEPT.get(key)) is None:
        try:
            found = _pick(_read(place, dataset, ctx), join)
        except RowError as exc:  # for the first file of the dataset as for the ten thousandth
            found = str(exc)
        while len(_KEPT) >= MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = found
    if isinstance(found, str):
        raise RowError(found)
    return found


def _read(place: Mapping[str, Any], dataset: str, ctx: Context) -> bytes:
    row = {"dataset": dataset, "file_name": place["name"], "file_uri": place["uri"]}
    limits = ArchiveLimits(max_member_bytes=MOST_BYTES)
    for entry in open_file(row, ctx, limits, {"parts": place["parts"]}):
        if entry.path == place["path"]:
            return entry.read()
    raise RowError("A table of the dataset is no longer in its archive. Run again from download.")


def _pick(data: bytes, join: TableJoin) -> Values:
    """The wanted columns by key; the first row of a key holds."""
    rows = sheet_rows(data, join.sheet) if data.startswith(_ZIP) else _csv_rows(data)
    header = next(rows, {})
    places: dict[str, int] = {}
    for column in sorted(header):
        places.setdefault(header[column].strip(), column)
    if missing := {join.key, *join.columns} - places.keys():
        raise RowError(
            # Its own columns are not listed: a table without a header has patients there.
            f"The dataset's table lacks columns {sorted(missing)} among its {len(header)}. "
            "Correct `tables` in the manifest, or give the table a header."
        )
    found: Values = {}
    for row in rows:
        values = {name: value for name in join.columns if (value := row.get(places[name], "").strip())}
        found.setdefault(row.get(places[join.key], "").strip(), values)
    found.pop("", None)
    return found


def _csv_rows(data: bytes) -> Iterator[Cells]:
    import pandas as pd

    if data.startswith(_OLE):
        raise RowError(
            "Expected a table as CSV, TSV or .xlsx, found an old or encrypted workbook (.xls). Save it as one of "
            "these, as a file of the dataset"
        )
    mark = _delimiter(data)
    try:
        frame = pd.read_csv(
            BytesIO(data), sep=mark, engine="python", dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except Exception as exc:  # its text may hold values of the table
        raise RowError(
            f"The dataset's table could not be read ({type(exc).__name__}). Correct or exclude it."
        ) from None
    yield dict(enumerate(frame.columns))
    frame = frame.fillna("")  # a row that is shorter than the header
    for values in frame.itertuples(index=False, name=None):
        yield dict(enumerate(values))


def _delimiter(data: bytes) -> str:
    """The one of , ; tab | that is most often in the first line, quoted parts left out."""
    # Not `csv.Sniffer`'s guess, which takes hours on some lines of 100 kB.
    lines = _QUOTED.sub(b"", data[:_MOST_OF_HEADER]).splitlines()
    first = next(filter(None, map(bytes.strip, lines)), b"")
    best = max(",;\t|", key=lambda mark: first.count(mark.encode()))
    if (columns := first.count(best.encode()) + 1) > _MOST_COLUMNS:  # pandas takes minutes to tell so many names apart
        raise RowError(
            f"Expected a table of at most {_MOST_COLUMNS} columns, found {columns} in its first line. "
            "Correct or exclude it."
        )
    return best
