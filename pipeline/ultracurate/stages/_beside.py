"""What lies in other files than the one at hand: tables, volumes of one archive, pixels of a header, twins."""

from __future__ import annotations

import pyarrow as pa

from ultracurate.core.context import Context
from ultracurate.stages._containers import locate_parts
from ultracurate.stages._tables import find_tables

BESIDE = pa.schema([(name, pa.string()) for name in ("file_id", "tables", "parts", "again")])


def locate(columns: pa.Table, ctx: Context) -> pa.Table:
    """For each file to which others belong: its tables, parts and twin, columns of `BESIDE`; a global step."""
    parts = {row["file_id"]: row["parts"] for row in locate_parts(columns, ctx)}
    tables = {row["file_id"]: row["tables"] for row in find_tables(columns, ctx, parts).to_pylist()}
    again = _repeated(columns)
    found = [
        {"file_id": id, "tables": tables.get(id), "parts": parts.get(id), "again": again.get(id)}
        for id in sorted({*tables, *parts, *again})
    ]
    return pa.Table.from_pylist(found, schema=BESIDE)


def _repeated(columns: pa.Table) -> dict[str, str]:
    """Files whose name and content another file of the dataset has too, in another record: id -> id of the first."""
    first: dict[tuple[str, str, str], str] = {}
    repeated = {}
    for row in sorted(columns.to_pylist(), key=lambda row: row["file_id"]):
        key = (row["dataset"], row["file_name"], row["file_sha256"])
        if (kept := first.setdefault(key, row["file_id"])) != row["file_id"]:
            repeated[row["file_id"]] = kept
    return repeated
