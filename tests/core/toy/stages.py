"""make: n rows a dataset; square: partition work with rejects, errors, packs and prepared values; rank: global."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from ultracurate.core.blobs import PixelRef
from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.schema import DATASET, REJECTS, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, Scope, each, stage

PACKAGE = "tests.core.toy"


def healed(path: str) -> bool:
    return bool(path) and Path(path).exists()


class MakeConfig(Settings):
    rows: int = 10
    first: int = 0
    bad: int = -1  # this number cannot be made
    heal: str = ""  # unless this file exists


@stage(
    "make",
    version=1,
    after=None,
    grain=(Grain.DATASET, Grain.FILE),
    needs=(),
    adds=(*DATASET, pa.field("file_id", pa.string()), pa.field("number", pa.int64())),
    config=MakeConfig,
    parent="dataset",
    sections=("sources",),
    package=PACKAGE,
)
def make(part: pa.Table, cfg: MakeConfig, ctx: Context) -> Result:
    """Numbers for each dataset."""

    def numbers(row: Row) -> list[Row | Reject]:
        slug = row["dataset"]
        ctx.manifest(slug).sources  # noqa: B018 - declared, so readable
        made: list[Row | Reject] = []
        for n in range(cfg.first, cfg.first + cfg.rows):
            if n == cfg.bad and not healed(cfg.heal):
                ctx.member_error(row, content_id(slug, n), ValueError(f"cannot make {n}"))
            else:
                made.append({"dataset": slug, "file_id": content_id(slug, n), "number": n})
        return made

    return each(part, ctx, numbers)


class SquareConfig(Settings):
    times: int = 1
    bad: int = -1  # this number cannot be squared
    heal: str = ""  # unless this file exists
    odd: bool = True  # keep odd numbers
    explode: int = -1  # this number breaks the whole part


REF = (
    pa.field("ref_uri", pa.string()),
    pa.field("ref_offset", pa.int64()),
    pa.field("ref_length", pa.int64()),
    pa.field("ref_sha256", pa.string()),
)


def common(columns: pa.Table, cfg: SquareConfig, ctx: Context) -> pa.Table:
    """A value for every number that more than one dataset has: how many."""
    numbers = columns["number"].to_pylist()
    rows = [
        {"file_id": i, "copies": numbers.count(n)}
        for i, n in zip(columns["file_id"].to_pylist(), numbers, strict=True)
        if n >= 1000
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([("file_id", pa.string()), ("copies", pa.int64())]))


@stage(
    "square",
    version=1,
    after="make",
    grain=(Grain.FILE, Grain.FILE),
    needs=("number",),
    adds=(pa.field("square", pa.int64()), pa.field("copies", pa.int64()), *REF),
    config=SquareConfig,
    reasons={"odd": "The number is odd."},
    group_rows=4,
    prepare=common,
    prepare_needs=("number",),
    package=PACKAGE,
)
def square(part: pa.Table, cfg: SquareConfig, ctx: Context) -> Result:
    """Square numbers, dropping odd ones on request."""
    if cfg.explode in part["number"].to_pylist() and not healed(cfg.heal):
        raise RuntimeError("this part always breaks")

    def one(row: Row) -> Row | Reject:
        n = row["number"]
        if n == cfg.bad and not healed(cfg.heal):
            raise ValueError(f"cannot square {n}")
        if n % 2 and not cfg.odd:
            return Reject("odd", str(n))
        ctx.count("squared")
        ref: PixelRef = ctx.pack(f"{row['file_id']}.txt", str(n * n).encode())
        prepared: dict[str, Any] = ctx.prepared.get(row["file_id"], {})
        return {"square": n * n * cfg.times, "copies": prepared.get("copies"), **ref.columns("ref")}

    return each(part, ctx, one)


class RankConfig(Settings):
    below: int = 10**9


@stage(
    "rank",
    version=1,
    after="square",
    grain=(Grain.FILE, Grain.FILE),
    needs=("square",),
    adds=(pa.field("rank", pa.int64()),),
    config=RankConfig,
    reasons={"too_large": "The square is not below the limit."},
    scope=Scope.GLOBAL,
    reads={"make": ("file_id", "number")},
    package=PACKAGE,
)
def rank(columns: pa.Table, cfg: RankConfig, ctx: Context) -> Result:
    """Rank within the dataset; drop the large ones."""
    kept, dropped = [], []
    seen: dict[str, int] = {}
    for row in columns.sort_by([("dataset", "ascending"), ("square", "ascending")]).to_pylist():
        if row["square"] >= cfg.below:
            ids = {"sample_id": row["file_id"], "parent_id": row["file_id"], "dataset": row["dataset"]}
            dropped.append(ids | {"reason": "too_large", "detail": ""})
            continue
        seen[row["dataset"]] = seen.get(row["dataset"], -1) + 1
        kept.append({"file_id": row["file_id"], "rank": seen[row["dataset"]]})
    rows = pa.Table.from_pylist(kept, schema=pa.schema([("file_id", pa.string()), ("rank", pa.int64())]))
    summary = pa.table({"made": [ctx.also["make"].num_rows], "pid": [0 if not os.getpid() else 1]})
    ctx.count("ranked", rows.num_rows)
    return Result(rows, pa.Table.from_pylist(dropped, schema=REJECTS), {"summary": summary})
