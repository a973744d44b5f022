"""split: train, val or test by the hash of the group id, so that a patient never stands on two sides."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from pydantic import Field, model_validator

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.schema import SPLIT, Grain
from ultracurate.core.stage import Result, Scope, stage

STRICTEST = ("test", "val", "train")
"""A group that an official split tears apart goes wholly to the first of these that it touches."""


class SplitConfig(Settings):
    """Settings of split: shares of the groups, and whether the datasets' own splits hold."""

    val: float = Field(default=0.05, ge=0, le=1)
    test: float = Field(default=0.10, ge=0, le=1)
    official: bool = Field(default=True, description="Follow a dataset's own split where it has one")

    @model_validator(mode="after")
    def _leave_some(self) -> SplitConfig:
        if self.val + self.test > 1:
            raise ValueError(f"val + test must not exceed 1, found {self.val + self.test}")
        return self


@stage(
    "split",
    version=1,
    after="label",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("group_id", "official_split"),
    adds=SPLIT,
    config=SplitConfig,
    scope=Scope.GLOBAL,
    sections=("held_out",),
    seeded=True,
    reasons={},
)
def split(columns: pa.Table, cfg: SplitConfig, ctx: Context) -> Result:
    """Assign whole groups to train, val or test; the answer for a group never depends on other groups."""
    held_out = {slug for slug, manifest in ctx.manifests.items() if manifest.held_out}
    of_group: dict[str, str] = {}
    rows = columns.select(["group_id", "dataset", "official_split"]).to_pylist()
    for row in rows:
        side = "test" if row["dataset"] in held_out else row["official_split"] if cfg.official else None
        if side is None:
            continue
        before = of_group.get(row["group_id"], side)
        if before != side:
            ctx.count("groups_torn_by_official_split")
        of_group[row["group_id"]] = min(before, side, key=STRICTEST.index)
    for row in rows:
        if row["group_id"] not in of_group:
            of_group[row["group_id"]] = side_of(row["group_id"], ctx.recipe.seed, cfg.val, cfg.test)
    sides = pa.array([of_group[row["group_id"]] for row in rows], pa.string())
    return Result(pa.table({"sample_id": columns["sample_id"], "split": sides}))


def side_of(group_id: str, seed: int, val: float, test: float) -> str:
    """The split of a group from a uniform hash in [0, 1): below `test`, then below `test + val`, else train."""
    number = int.from_bytes(hashlib.sha256(f"{seed}\x1f{group_id}".encode()).digest()[:8], "big") / 2**64
    return "test" if number < test else "val" if number < test + val else "train"
