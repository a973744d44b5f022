"""frames: stills as they are, clips and volumes sampled; exact copies leave here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import pyarrow as pa
from pydantic import Field

from ultracurate.core.blobs import PixelRef
from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.schema import FRAME, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, each, stage

COPY = pa.schema([("sample_id", pa.string()), ("kept", pa.string()), ("kind", pa.string())])


class FramesConfig(Settings):
    """Settings of frames."""

    mode: Literal["fps", "every", "all"] = Field(
        default="fps", description="fps: OpenUS-46 takes 3 a second; every: EchoAtlas takes every 10th"
    )
    fps: float = Field(default=3.0, gt=0, description="Frames a second, where the clip's own rate is known")
    every: int = Field(default=10, ge=1, description="Every n-th frame; also for clips and volumes of unknown rate")
    max_per_clip: int = Field(default=1000, ge=1)


def exact_copies(columns: pa.Table, cfg: FramesConfig, ctx: Context) -> pa.Table:
    """For each sample whose decoded pixels another sample has too: which one is kept.

    That is the first in the recipe's order of datasets, then by id, so a dataset appended to a recipe does not change
    what was decided for those before it. Only a benchmark comes before all: of a held-out or official test image and
    its copy elsewhere the test image stays, or it would go on to train under another name.
    """
    del cfg
    order = {entry.slug: place for place, entry in enumerate(ctx.recipe.entries)}
    held_out = {slug for slug, manifest in ctx.manifests.items() if manifest.held_out}
    rows = columns.select(["sample_id", "dataset", "official_split", "pixel_sha256", "raw_sha256"]).to_pylist()
    rows.sort(
        key=lambda row: (
            row["dataset"] not in held_out,
            {"test": 0, "val": 1}.get(row["official_split"], 2),
            order[row["dataset"]],
            row["sample_id"],
        )
    )
    first: dict[str, Row] = {}
    copies = []
    for row in rows:
        kept = first.setdefault(row["pixel_sha256"], row)
        if kept is not row:
            kind = "bytes" if kept["raw_sha256"] == row["raw_sha256"] else "pixels"
            copies.append({"sample_id": row["sample_id"], "kept": kept["sample_id"], "kind": kind})
    return pa.Table.from_pylist(copies, schema=COPY)


@stage(
    "frames",
    version=1,
    after="index",
    grain=(Grain.SAMPLE, Grain.FRAME),
    needs=("sample_id", "format", "media", "frames", "fps", "raw_uri"),
    adds=FRAME,
    config=FramesConfig,
    parent="parent_id",
    group_rows=256,
    group_weight=("frames", 4096),
    prepare=exact_copies,
    prepare_needs=("pixel_sha256", "raw_sha256", "official_split"),
    sections=("held_out",),
    reasons={
        "exact_duplicate_bytes": "The same file content is kept under another id.",
        "exact_duplicate_pixels": "A file with other bytes decodes to exactly the same pixels.",
        "empty_frame": "The frame has fewer than 1,000 non-zero pixels, as the black lead-in of many clips.",
    },
)
def frames(part: pa.Table, cfg: FramesConfig, ctx: Context) -> Result:
    """Pass stills on by reference; write the chosen frames of clips and volumes to this part's pack."""

    def one(row: Row) -> list[Row | Reject]:
        copy = ctx.prepared.get(row["sample_id"])
        if copy:
            return [Reject(f"exact_duplicate_{copy['kind']}", f"same as {copy['kept']}")]
        if row["media"] == "image":
            still = PixelRef.of(row, "raw").columns("frame")
            return [_frame(row, 0, None) | still | {"frame_format": row["format"]}]
        return _clip(row, cfg, ctx)

    return each(part, ctx, one)


def _clip(row: Row, cfg: FramesConfig, ctx: Context) -> list[Row | Reject]:
    from ultracurate.imaging.decode import encode_png, read_frames
    from ultracurate.imaging.quality import nonzero_pixels

    wanted = chosen(row["frames"], row["fps"] if row["media"] == "clip" else None, cfg)
    made: list[Row | Reject] = []
    for number, time_s, image in read_frames(ctx.read(row, "raw"), row["format"], wanted):
        added = _frame(row, number, time_s)
        if nonzero_pixels(image) < EMPTY_BELOW:
            made.append(Reject("empty_frame", f"frame {number}", id=added["sample_id"]))
            continue
        ref = ctx.pack(f"{added['sample_id']}.png", encode_png(image))
        made.append(added | ref.columns("frame") | {"frame_format": "png"})
    ctx.count("frames_not_sampled", row["frames"] - len(made))
    return made


EMPTY_BELOW = 1000
"""Non-zero pixels below which EchoAtlas calls a frame empty."""


def chosen(n: int, fps: float | None, cfg: FramesConfig) -> list[int]:
    """Numbers of the frames to take out of `n`, increasing and at most `cfg.max_per_clip`.

    At `fps` mode frame k is the one nearest to time k / cfg.fps; a clip slower than that is taken whole.
    """
    if cfg.mode == "all":
        numbers: Iterable[int] = range(n)
    elif cfg.mode == "fps" and fps:
        step = max(fps / cfg.fps, 1.0)
        numbers = dict.fromkeys(i for k in range(int(n / step) + 1) if (i := round(k * step)) < n)
    else:
        numbers = range(0, n, cfg.every)
    picked = list(numbers)
    if len(picked) <= cfg.max_per_clip:
        return picked
    stride = len(picked) / cfg.max_per_clip  # thin evenly over the whole clip instead of cutting its end off
    return [picked[int(k * stride)] for k in range(cfg.max_per_clip)]


def _frame(row: Row, number: int, time_s: float | None) -> Row:
    sample_id = content_id(row["sample_id"], number)
    return {"sample_id": sample_id, "parent_id": row["sample_id"], "frame_no": number, "time_s": time_s}
