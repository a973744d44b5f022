"""make: rows as wide as real frames; touch: one more column, row by row; rank: a verdict over all rows at once."""

from __future__ import annotations

import pyarrow as pa

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.schema import DATASET, FILE, FRAME, SAMPLE, STRIPPED, Grain, content_id
from ultracurate.core.stage import Result, Row, Scope, each, stage

PACKAGE = "ultracurate.measure._rows"
COLUMNS = (*DATASET, *FILE, *SAMPLE, *FRAME, *STRIPPED)


class MakeConfig(Settings):
    """How many rows each dataset has."""

    rows: int = 1000


@stage(
    "make",
    version=1,
    after=None,
    grain=(Grain.DATASET, Grain.SAMPLE),
    needs=(),
    adds=COLUMNS,
    config=MakeConfig,
    parent="dataset",
    package=PACKAGE,
)
def make(part: pa.Table, cfg: MakeConfig, ctx: Context) -> Result:
    """Fill every column with text or numbers of usual length."""
    dataset = part["dataset"][0].as_py()
    ids = [content_id(dataset, n) for n in range(cfg.rows)]
    made = {}
    for field in ctx.schema:
        if field.type == pa.string():
            made[field.name] = pa.array([f"{field.name}/{id}" for id in ids])
        else:
            made[field.name] = pa.array(range(cfg.rows)).cast(field.type)
    made |= {"sample_id": pa.array(ids), "dataset": pa.array([dataset] * cfg.rows)}
    return Result(pa.table(made, schema=ctx.schema))


class TouchConfig(Settings):
    """Nothing to set."""


@stage(
    "touch",
    version=1,
    after="make",
    grain=(Grain.SAMPLE, Grain.SAMPLE),
    needs=("frame_no",),
    adds=(pa.field("touched", pa.int64()),),
    config=TouchConfig,
    group_rows=1000,
    package=PACKAGE,
)
def touch(part: pa.Table, cfg: TouchConfig, ctx: Context) -> Result:
    """Add a number to every row: the row-by-row way that most stages go."""
    del cfg

    def one(row: Row) -> Row:
        return {"touched": row["frame_no"]}

    return each(part, ctx, one)


class RankConfig(Settings):
    """Nothing to set."""


@stage(
    "rank",
    version=1,
    after="touch",
    grain=(Grain.SAMPLE, Grain.SAMPLE),
    needs=("touched",),
    adds=(pa.field("rank", pa.int64()),),
    config=RankConfig,
    scope=Scope.GLOBAL,
    package=PACKAGE,
)
def rank(columns: pa.Table, cfg: RankConfig, ctx: Context) -> Result:
    """A verdict on every row from one narrow column."""
    del cfg, ctx
    return Result(pa.table({"sample_id": columns["sample_id"], "rank": columns["touched"]}))
