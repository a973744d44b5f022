"""The output directory of a stage: files of one part, written so that `part-<id>.parquet` comes last.

Its presence means that the part is complete. Nothing is ever overwritten by different content: the id is a digest of
everything that the content depends on. Several workers may write the same part at once; both write the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ultracurate.core.errors import ContractError
from ultracurate.core.schema import ERRORS, SCHEMA_VERSION
from ultracurate.core.store import Store

ROW_GROUP = 65_536


@dataclass(frozen=True, slots=True)
class PartRef:
    """A finished part: where it is, what it holds, and the digests that name its content."""

    directory: str
    id: str
    dataset: str | None
    rows: int
    digest: str  # sha256 of part-<id>.parquet
    rejects: int = 0
    errors: int = 0
    errors_digest: str = ""
    side: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict, compare=False)
    seconds: float = 0.0
    bytes: int = 0

    def path(self, kind: str = "part") -> str:
        """Path of one of its files: part, rejects, errors or a side table."""
        return f"{self.directory}/{kind}-{self.id}.parquet"


def encode(table: pa.Table) -> bytes:
    """Parquet bytes: dictionary-encoded, zstd, no clock inside; the same table gives the same bytes."""
    sink = io.BytesIO()
    table = table.combine_chunks()  # the writer's pages end with a chunk, and chunks are an accident of reading
    table = table.replace_schema_metadata({"ultracurate.schema": str(SCHEMA_VERSION)})
    pq.write_table(table, sink, compression="zstd", compression_level=3, row_group_size=ROW_GROUP, store_schema=False)
    return sink.getvalue()


def read_table(
    store: Store, path: str, columns: Iterable[str] | None = None, start: int = 0, stop: int | None = None
) -> pa.Table:
    """Rows `[start, stop)` of a Parquet file, reading only the row groups and columns that are wanted."""
    with store.open(path) as file:
        parquet = pq.ParquetFile(file)
        names = list(columns) if columns is not None else None
        first, tables, offset = None, [], 0
        for group in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(group).num_rows
            if offset + size > start and (stop is None or offset < stop):
                first = offset if first is None else first
                tables.append(parquet.read_row_group(group, columns=names))
            offset += size
        if not tables:
            return parquet.read(columns=names).slice(0, 0)
    joined = pa.concat_tables(tables)
    begin = start - (first or 0)
    return joined.slice(begin, None if stop is None else stop - start)


def commit(
    store: Store,
    ref: PartRef,
    rows: pa.Table,
    rejects: pa.Table,
    errors: list[dict[str, Any]],
    side: Mapping[str, pa.Table],
    record: Mapping[str, Any],
) -> PartRef:
    """Write the files of a part, `part-<id>.parquet` last, and return the reference with its digests."""
    total = 0
    for name, content in side.items():
        total += _put(store, ref.path(name), encode(content))
    failed = encode(pa.Table.from_pylist(errors, schema=ERRORS)) if errors else b""
    for name, data in (("rejects", encode(rejects) if rejects.num_rows else b""), ("errors", failed)):
        if data:
            total += _put(store, ref.path(name), data)
        else:
            store.remove(ref.path(name))  # of an attempt that met a passing trouble and was killed
    data = encode(rows)
    done = PartRef(
        directory=ref.directory,
        id=ref.id,
        dataset=ref.dataset,
        rows=rows.num_rows,
        digest=hashlib.sha256(data).hexdigest(),
        rejects=rejects.num_rows,
        errors=len(errors),
        errors_digest=hashlib.sha256(failed).hexdigest() if failed else "",
        side=tuple(sorted(side)),
        counters=dict(record["counters"]),
        seconds=record["seconds"],
        bytes=total + len(data),
    )
    stats = {k: v for k, v in asdict(done).items() if k not in ("directory", "id")} | dict(record)
    store.write(f"{ref.directory}/stats-{ref.id}.json", json.dumps(stats, sort_keys=True).encode())
    store.write(ref.path(), data)
    return done


def _put(store: Store, path: str, data: bytes) -> int:
    store.write(path, data)
    return len(data)


def find(store: Store, directory: str, id: str, present: frozenset[str] | None = None) -> PartRef | None:
    """The finished part of this id, or None; `present` may hold the directory's names, to save a question each."""
    name = f"part-{id}.parquet"
    if name not in present if present is not None else not store.exists(f"{directory}/{name}"):
        return None
    data = json.loads(store.read(f"{directory}/stats-{id}.json"))
    known = {
        k: data[k]
        for k in (
            "dataset",
            "rows",
            "digest",
            "rejects",
            "errors",
            "errors_digest",
            "counters",
            "seconds",
            "bytes",
        )
    }
    return PartRef(directory=directory, id=id, side=tuple(data["side"]), **known)


def check_conservation(
    where: str,
    keys: Iterable[str],
    parents: Iterable[str],
    rejected: Iterable[str],
    failed: Iterable[str],
    fan_out: bool,
) -> None:
    """Every input row must appear among the rows, the rejects or the errors, exactly once unless the stage fans out.

    Raises:
        ContractError: A row was lost, invented or counted twice; the message names up to three ids.
    """
    expected = set(keys)
    groups = [list(parents), list(rejected), list(failed)]
    found = [key for group in groups for key in group]
    if lost := expected - set(found):
        raise ContractError(f"{where}: {len(lost)} rows were lost, for example {sorted(lost)[:3]}")
    if invented := set(found) - expected:
        raise ContractError(f"{where}: {len(invented)} rows came from nowhere, for example {sorted(invented)[:3]}")
    if not fan_out and len(found) != len(expected):
        doubled = sorted(key for key, n in Counter(found).items() if n > 1)[:3]
        raise ContractError(f"{where}: {len(found)} outcomes for {len(expected)} rows; counted twice: {doubled}")
