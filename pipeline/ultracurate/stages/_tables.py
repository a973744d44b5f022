"""Joins a dataset's own tables (CSV, TSV) to its files: which table belongs to which files, and its values by key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO, cast

import pyarrow as pa

from ultracurate.archives.reading import ArchiveLimits, is_archive, iter_members
from ultracurate.core.blobs import Blobs
from ultracurate.core.context import Context
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.core.layout import compile_pattern, fill_template

FOUND = pa.schema([("file_id", pa.string()), ("tables", pa.string())])
HEAD = 4096
MOST_BYTES = 128 * 2**20
"""Of a table: parsed, it takes about twenty times as much memory."""
_MOST_OF_HEADER = 2**20
_QUOTED = re.compile(rb'"[^"]*"')


def find_tables(columns: pa.Table, ctx: Context) -> pa.Table:
    """For each file of a dataset that declares `tables`: where those tables lie, as JSON, pinned by digest."""
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for row in columns.to_pylist():
        if row["dataset"] in ctx.manifests and ctx.manifest(row["dataset"]).tables:
            by_dataset.setdefault(row["dataset"], []).append(row)
    found = []
    for dataset, files in by_dataset.items():
        places = []
        for file in files:
            try:
                places += _places(file, ctx.manifest(dataset).tables, ctx.blobs)
            except OSError:
                continue  # gone or unreadable since download: its index row will say so
        text = json.dumps(sorted(places, key=lambda place: (place["join"], place["sha256"])), sort_keys=True)
        found += [{"file_id": file["file_id"], "tables": text} for file in files if places]
    return pa.Table.from_pylist(found, schema=FOUND)


def _places(file: Mapping[str, Any], joins: list[Any], blobs: Blobs) -> list[dict[str, Any]]:
    """The joins whose table this file is, or holds as a member."""
    patterns = [compile_pattern(join.file) for join in joins]
    place = {"uri": file["file_uri"], "sha256": file["file_sha256"], "name": file["file_name"]}
    loose = [{**place, "join": n, "member": None} for n, p in enumerate(patterns) if p.fullmatch(file["file_name"])]
    if loose:
        return loose
    with blobs.open(file["file_uri"]) as reader:
        if not is_archive(file["file_name"], reader.read(HEAD)):
            return []
        reader.seek(0)
        found = []
        try:
            for member in iter_members(cast(BinaryIO, reader), file["file_name"]):
                path = f"{file['file_name']}/{member.path}"
                hits = [n for n, pattern in enumerate(patterns) if pattern.fullmatch(path) and not member.problem]
                found += [{**place, "join": n, "member": member.path} for n in hits]
        except (RowError, MissingExtraError):
            return found  # the index row of this archive will say what is wrong with it
        return found


def join_fields(fields: dict[str, str], tables: str | None, joins: list[Any], blobs: Blobs) -> dict[str, str]:
    """The fields of one file with the columns that its dataset's tables add; values of no match stay absent."""
    joined = dict(fields)
    for place in json.loads(tables or "[]"):
        join = joins[place["join"]]
        key = fill_template(join.on, fields)
        if key is None:
            continue
        values = _values(_Table(blobs, place), join.key, tuple(join.columns))
        joined |= values.get(key, {})
    return joined


class _Table:
    """A table's content, equal to another by digest, so that one process reads it once."""

    def __init__(self, blobs: Blobs, place: Mapping[str, Any]) -> None:
        self._blobs = blobs
        self._place = place
        self._identity = (place["sha256"], place["member"])

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Table) and self._identity == other._identity

    def read(self) -> bytes:
        """The bytes of the table."""
        with self._blobs.open(self._place["uri"]) as reader:
            if self._place["member"] is None:
                return _small(reader.read(MOST_BYTES + 1))
            limits = ArchiveLimits(max_member_bytes=MOST_BYTES)
            for member in iter_members(cast(BinaryIO, reader), self._place["name"], limits):
                if member.path == self._place["member"]:
                    return member.read()
        raise RowError(f"The table {self._place['member']} is no longer in its archive. Run again from download.")


def _small(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise RowError(f"Expected a table of at most {MOST_BYTES} bytes, found more. Correct `tables` in the manifest.")
    return data


def _delimiter(data: bytes) -> str:
    """The one of , ; tab | that is most often in the first line, quoted parts left out."""
    # Not `csv.Sniffer`'s guess, which takes hours on some lines of 100 kB.
    lines = _QUOTED.sub(b"", data[:_MOST_OF_HEADER]).splitlines()
    first = next(filter(None, map(bytes.strip, lines)), b"")
    return max(",;\t|", key=lambda mark: first.count(mark.encode()))


@lru_cache(maxsize=16)
def _values(table: _Table, key: str, columns: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Value of the key column -> the wanted columns that have a value; the first row of a key holds."""
    import pandas as pd

    data = table.read()
    try:
        frame = pd.read_csv(
            BytesIO(data), sep=_delimiter(data), engine="python", dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except Exception as exc:  # its text may hold values of the table
        raise RowError(
            f"The dataset's table could not be read ({type(exc).__name__}). Correct or exclude it."
        ) from None
    frame = frame.fillna("")  # a row that is shorter than the header
    if missing := {key, *columns} - set(frame.columns):
        raise RowError(
            # Its own columns are not listed: a table without a header has patients there.
            f"The dataset's table lacks columns {sorted(missing)} among its {len(frame.columns)}. "
            "Correct `tables` in the manifest, or give the table a header."
        )
    found: dict[str, dict[str, str]] = {}
    for record in frame[[key, *columns]].to_dict("records"):
        found.setdefault(record[key].strip(), {c: record[c].strip() for c in columns if record[c].strip()})
    return found
