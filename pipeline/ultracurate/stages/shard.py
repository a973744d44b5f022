"""shard: which frames go into which tar, and the tars themselves: byte-identical WebDataset shards with an index."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from pydantic import Field

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.parts import PartRef, encode, read_table
from ultracurate.core.schema import PLANNED, SHARDED, Grain, content_id
from ultracurate.core.seeds import seed_for
from ultracurate.core.stage import Result, Row, Scope, each, stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUBLIC = (
    "shard",
    "shard_row",
    "sample_id",
    "dataset",
    "licence",
    "group_id",
    "split",
    "positive",
    "negative",
    "region",
    "organ",
    "structure",
    "view",
    "pathology",
    "modality",
    "label_conflict",
    "overlay_share",
    "cluster_id",
    "pixel_sha256",
    "tar_image_offset",
    "tar_image_length",
    "tar_mask_offset",
    "tar_mask_length",
    "tar_json_offset",
    "tar_json_length",
)
"""Columns of the index beside each tar; no path, file or member name is among them, for those can hold names."""

PUBLIC_GROUP = pa.field("public_group", pa.string())
"""The group id that is published. The one of the tables is a digest of the patient's key, and who knows how a dataset
numbers its patients can try them all; this one is a digest of pixels."""

UNREAL = {"outside": (64, 1), "zeroed": (128, 4), "invented": (255, 2)}
"""Value in a shard's mask and bit in strip's (`imaging.cleaning.Bit`), lowest value first. outside: black, beside the
field or beside the letterboxed picture; zeroed: black, in place of a mark too wide to be painted over; invented:
painted from its surroundings."""

ON_THIS_MACHINE = frozenset({"local", "manual"})
"""Sources whose files nobody else need have: what is published of them must not let anybody try names."""


class PlanConfig(Settings):
    """Settings of shard.plan."""

    samples: int = Field(default=1000, ge=1, description="Samples in one shard")
    mix: Literal["dataset", "all"] = Field(
        default="dataset",
        description="dataset: a shard holds one dataset, so appended datasets leave old shards as they are; all: mixed",
    )


@stage(
    "shard.plan",
    version=2,
    after="split",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("split", "group_id", "pixel_sha256"),
    adds=(*PLANNED, PUBLIC_GROUP),
    config=PlanConfig,
    scope=Scope.GLOBAL,
    part_by="shard",
    seeded=True,
    reasons={},
)
def plan_shards(columns: pa.Table, cfg: PlanConfig, ctx: Context) -> Result:
    """Put frames into shards: shuffled by a hash of their ids, a part of the engine's work for each shard."""
    order = {entry.slug: place for place, entry in enumerate(ctx.recipe.entries)}
    buckets: dict[tuple[str, int], list[str]] = defaultdict(list)
    plain = columns.select(["sample_id", "dataset", "split", "group_id", "pixel_sha256"]).to_pylist()
    groups = public_groups(plain)
    group_of = {row["sample_id"]: groups[row["dataset"], row["group_id"]] for row in plain}
    for row in plain:
        buckets[row["split"], order[row["dataset"]] if cfg.mix == "dataset" else 0].append(row["sample_id"])
    numbers: dict[str, int] = defaultdict(int)
    rows = []
    for (side, _), ids in sorted(buckets.items()):
        ids.sort(key=lambda id: seed_for(ctx.recipe.seed, "shard.plan", id))
        for start in range(0, len(ids), cfg.samples):
            name = f"{ctx.recipe.name}-{side}-{numbers[side]:06d}.tar"
            numbers[side] += 1
            # Members of a tar are sorted; which frames share a tar is what was shuffled.
            for place, id in enumerate(sorted(ids[start : start + cfg.samples])):
                rows.append({"sample_id": id, "shard": name, "shard_row": place, "public_group": group_of[id]})
    schema = pa.schema([("sample_id", pa.string()), *PLANNED, PUBLIC_GROUP])
    return Result(pa.Table.from_pylist(rows, schema=schema))


def public_groups(rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    """For each (dataset, group id) an id that says nothing about the group's key: from the smallest of its digests.

    It needs no secret, is the same wherever the same frames are planned, and can be computed again by whoever has the
    pictures, which tells nothing that they do not have. No two groups share one, since exact copies are dropped before.
    """
    least: dict[tuple[str, str], str] = {}
    for row in rows:
        key = row["dataset"], row["group_id"]
        least[key] = min(least.get(key, row["pixel_sha256"]), row["pixel_sha256"])
    return {key: content_id("group", key[0], digest) for key, digest in least.items()}


class ShardConfig(Settings):
    """Settings of shard."""

    size: int | None = Field(
        default=256, ge=16, description="Pixels of both sides after letterboxing; null keeps the size"
    )


@stage(
    "shard",
    version=3,
    after="shard.plan",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("sample_id", "clean_uri", "mask_uri", "shard", "public_group"),
    adds=SHARDED,
    config=ShardConfig,
    reasons={},
    publish=lambda ctx, cfg, parts: publish(ctx, parts),
)
def shard(part: pa.Table, cfg: ShardConfig, ctx: Context) -> Result:
    """Write one tar: for each frame `<id>.png`, `<id>.mask.png` (what is not real in it) and `<id>.json`."""
    from ultracurate.decoding.decode import decode_image, encode_png
    from ultracurate.imaging.resize import letterbox

    def one(row: Row) -> Row:
        image = decode_image(ctx.read(row, "clean"), "png")
        mask, transform = unreal(decode_image(ctx.read(row, "mask"), "png"), cfg.size), None
        if cfg.size is not None:
            image, transform = letterbox(image, cfg.size, smooth=True)
        id = row["sample_id"]
        described = ctx.pack(f"{id}.json", json.dumps(describe(row, transform), sort_keys=True).encode())
        masked = ctx.pack(f"{id}.mask.png", encode_png(mask))
        pictured = ctx.pack(f"{id}.png", encode_png(image))
        added: Row = {}
        for name, ref in (("image", pictured), ("mask", masked), ("json", described)):
            added |= {f"tar_{name}_offset": ref.offset, f"tar_{name}_length": ref.length}
        return added

    return each(part.sort_by("shard_row"), ctx, one)


def unreal(bits: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """What a shard's mask says of each pixel of its picture: 0 real, or a value of `UNREAL`.

    A pixel of the smaller picture is made of several, and takes the highest value among them: a thin stroke that was
    painted over does not get lost.

    Args:
        bits: (H, W) uint8, strip's mask (`imaging.cleaning.Bit`).
        size: side of the letterboxed picture, pixels; None keeps (H, W).
    """
    import numpy as np

    from ultracurate.imaging.resize import letterbox

    if size is None:
        mask = np.zeros(bits.shape, np.uint8)
        for value, bit in UNREAL.values():
            mask[bits & bit > 0] = value
        return mask
    beside = letterbox(np.ones_like(bits), size, smooth=False)[0] == 0
    mask = np.zeros(beside.shape, np.uint8)
    for value, bit in UNREAL.values():
        # From a middle level, since a pixel of an enlarged picture can also have a negative share in it.
        share, _ = letterbox(np.where(bits & bit, np.uint8(255), np.uint8(128)), size, smooth=True)
        mask[share != 128] = value
    mask[beside] = UNREAL["outside"][0]
    return mask


def describe(row: Row, transform: dict[str, float] | None) -> dict[str, Any]:
    """What a shard says about a frame: labels, licence, digests and geometry; never a path or a name.

    Every key has one type in all samples, since readers that infer a table (such as Hugging Face `datasets`) take it
    from the first few: ids of labels are one string with blanks between them, an unknown text is empty, and what may
    be absent stands in `geometry`, itself JSON text. In it, `transform` maps pixel edges of the cleaned frame to those
    of the shard's picture (x' = x * scale_x + dx); `sector` and `spacing_mm` belong to the frame before that.

    `sample_id` and `parent_id` are digests of the file's digest and the path. For a file that nobody else has, the two
    digests of encoded bytes are left empty, so that nobody can try paths with them; so is `record`, which for a folder
    is whatever its owner wrote there.

    What cleaning did: `strip_method`, `strip_net`, `verdict` and `verdict_reason` are words, empty where there is none;
    `blanked_share` is of the frame, `invented_share` and `zeroed_share` are of its field; `strings_left` is -1 where
    nothing was read. `<id>.mask.png` says it by pixel: 0 real, 64 outside the field or the picture (black), 128 black
    in place of a mark, 255 invented (`UNREAL`). The frame before cleaning is found by `original_sha256`, or where that
    is empty by `sample_id`: `ultracurate original` writes it out, where the run was made.
    """
    own = row["host"] in ON_THIS_MACHINE
    geometry = {
        "spacing_mm": [row["spacing_x"], row["spacing_y"]] if row["spacing_x"] else None,
        "sector": json.loads(row["sector"]) if row["sector"] else None,
        "transform": transform,
        "fps": row["fps"],
        "time_s": row["time_s"],
    }
    labels = ("positive", "negative", "region", "organ", "structure", "view", "pathology")
    return {
        "sample_id": row["sample_id"],
        "dataset": row["dataset"],
        "host": row["host"],
        "record": "" if own else row["record"] or "",
        "archive_sha256": "" if own else row["file_sha256"],
        "original_sha256": "" if own else row["frame_sha256"],
        "pixel_sha256": row["pixel_sha256"],
        "licence": row["licence"],
        "group_id": row["public_group"],
        "parent_id": row["parent_id"],
        "split": row["split"],
        **{name: " ".join(row[name]) for name in labels},
        "modality": row["modality"] or "",
        "label_conflict": row["label_conflict"],
        "media": row["media"],
        "frame_no": row["frame_no"],
        "width": row["width"],
        "height": row["height"],
        "geometry": json.dumps(geometry, sort_keys=True),
        "overlay_share": round(row["overlay_share"], 6),
        "strip_method": row["strip_method"] or "",
        "strip_net": row["strip_net"] or "",
        **{name: round(row[name] or 0.0, 6) for name in ("blanked_share", "invented_share", "zeroed_share")},
        "verdict": row["verdict"] or "",
        "verdict_reason": row["verdict_reason"] or "",
        "strings_left": -1 if row["strings_left"] is None else row["strings_left"],
        "cluster_size": row["cluster_size"],
        "lineage": row["lineage"],
    }


def publish(ctx: Context, parts: tuple[PartRef, ...]) -> str:
    """Show the finished tars under `shards/<recipe>/`, each with its index and digest, `SHA256SUMS` last.

    What an earlier run of the recipe left there and this run no longer has is taken away: those are only links.
    """
    store, folder = ctx.store, f"shards/{ctx.recipe.name}"
    sums: dict[str, str] = {}
    for part in parts:
        if part.rows == 0:
            continue
        rows = read_table(store, part.path()).sort_by("shard_row")
        name = rows["shard"][0].as_py()
        store.link(f"{part.directory}/pack-{part.id}.tar", f"{folder}/{name}")
        rows = rows.set_column(rows.schema.get_field_index("group_id"), "group_id", rows["public_group"])
        table = encode(rows.select(list(PUBLIC)))
        store.write(f"{folder}/{name.removesuffix('.tar')}.parquet", table)
        sums[name] = store.sha256(f"{folder}/{name}")
        sums[f"{name.removesuffix('.tar')}.parquet"] = hashlib.sha256(table).hexdigest()
    if not sums and store.exists(f"{folder}/SHA256SUMS"):
        return folder  # nothing came: hosts that did not answer must not take away what an earlier run has made
    ours = re.compile(rf"{re.escape(ctx.recipe.name)}-(train|val|test)-\d{{6}}\.(tar|parquet)")
    for name in store.names(folder):
        if ours.fullmatch(name) and name not in sums:
            store.remove(f"{folder}/{name}")
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    store.write(f"{folder}/SHA256SUMS", lines.encode())
    return folder
