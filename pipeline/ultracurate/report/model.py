"""What the report is made from: plain tables of one run, without any knowledge of the work directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ultracurate.core.errors import ContractError
from ultracurate.core.schema import ERRORS, REJECTS, Grain

EDGES = pa.schema([("a", pa.string()), ("b", pa.string()), ("kind", pa.string()), ("distance", pa.float64())])
"""One row for each pair of copies: sample ids, `exact_bytes`, `exact_pixels` or `phash`, differing hash bits."""

IDENTIFYING = pa.schema(
    [
        ("dataset", pa.string()),
        ("file_id", pa.string()),
        ("where", pa.string()),
        ("kind", pa.string()),
        ("count", pa.int64()),
    ]
)
"""One row for each file, place and kind of what may identify somebody, with the number of findings."""

KINDS = ("exact_bytes", "exact_pixels", "phash")

Pixels = Callable[[str, int, int], bytes]
"""Fetches the encoded bytes of one PixelRef: (uri, offset, length) -> bytes."""


@dataclass(frozen=True)
class StageTables:
    """What one stage took, gave and lost.

    A stage that makes many rows from one (fan-out) sets `parents`, and its books are kept by parent: rows_in = opened
    inputs + rejects and errors of whole inputs. A reject or an error whose parent_id is not its sample_id concerns one
    child (a member of an archive, a frame of a clip), and its parent counts as opened. A parent that gave rows and
    then failed counts as failed.
    """

    name: str
    rows_in: int
    rows: int
    rejects: pa.Table  # core.schema.REJECTS
    errors: pa.Table  # core.schema.ERRORS
    seconds: float = 0.0  # worker time, added up over the parts
    bytes: int = 0  # size of everything the stage wrote
    parts: int = 0
    grain_in: Grain = Grain.FRAME
    grain: Grain = Grain.FRAME
    parents: Any = None  # fan-out only: pa.Array or ChunkedArray with the input's key for each row out

    def __post_init__(self) -> None:
        for table, schema, what in ((self.rejects, REJECTS, "rejects"), (self.errors, ERRORS, "errors")):
            if missing := set(schema.names) - set(table.schema.names):
                raise ContractError(
                    f"Stage {self.name}: expected the columns {schema.names} in its {what}, "
                    f"found {table.schema.names}, missing {sorted(missing)}. Write them with core.schema."
                )


@dataclass(frozen=True)
class DatasetLicence:
    """The terms of one dataset as its manifest records them; None means that nobody has established it."""

    dataset: str
    licence: str  # SPDX id, "restricted" or "unknown"
    title: str = ""
    redistribution: bool | None = None
    commercial: bool | None = None
    evidence: str | None = None  # address of the page that states the terms
    read: str | None = None  # ISO date on which that page was read
    note: str | None = None


@dataclass(frozen=True)
class RunTables:
    """All tables of one run; `frames` are the rows after dedup, label and split, with every column."""

    recipe: str
    run_id: str
    stages: Sequence[StageTables]  # in the order of the run
    files: pa.Table  # DATASET + FILE + DOWNLOADED
    samples: pa.Table  # SAMPLE (and dataset)
    frames: pa.Table
    edges: pa.Table  # EDGES
    conflicts: Sequence[str]  # sample ids of frames whose copies carry different labels
    pixels: Pixels
    licences: Mapping[str, DatasetLicence]  # by dataset slug
    candidates: pa.Table | None = None  # frames as they entered dedup, for pictures of the copies it dropped
    searched: pa.Table | None = None  # side table of discover's searches: one row for each record found
    identifying: pa.Table | None = None  # side tables of index: counts of what may identify somebody; None: not looked
    annotations: pa.Table | None = None  # what index found drawn, tied to samples; None: nothing was
    own: frozenset[str] = frozenset()  # datasets with files of this machine, whose names nobody else need know
    started: str | None = None  # as the run recorded them; the report has no clock of its own
    finished: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)  # software and ontology versions of the run
    names: Mapping[str, str] = field(default_factory=dict)  # ontology id -> readable name
    parents: Mapping[str, str] = field(default_factory=dict)  # ontology id -> id of its parent
    reasons: Mapping[str, str] = field(default_factory=dict)  # reject reason -> one plain sentence

    def __post_init__(self) -> None:
        if missing := set(EDGES.names) - set(self.edges.schema.names):
            raise ContractError(
                f"Run {self.run_id}: expected the columns {EDGES.names} in the edges, "
                f"found {self.edges.schema.names}, missing {sorted(missing)}. Build them with report.model.EDGES."
            )


def column(table: pa.Table, name: str, kind: pa.DataType | None = None) -> Any:
    """One column as a pa.ChunkedArray; all null (of `kind`, string by default) where the run has no such column."""
    if name in table.schema.names:
        return table.column(name)
    return pa.chunked_array([pa.nulls(table.num_rows, kind or pa.string())])


def values(table: pa.Table, name: str) -> list[Any]:
    """One column as Python values; all None where the run has no such column."""
    found: list[Any] = column(table, name).to_pylist()
    return found
