"""frames: stills as they are, clips and volumes sampled; exact copies leave here."""

from __future__ import annotations

import json

import pyarrow as pa

from ultracurate.core.blobs import PixelRef
from ultracurate.core.context import Context
from ultracurate.core.schema import FRAME, Grain
from ultracurate.core.stage import Reject, Result, Row, each, stage
from ultracurate.stages._clips import frame_row, take_frames
from ultracurate.stages._sample import PROBLEMS
from ultracurate.stages._sampling import FramesConfig

ARRAYS = frozenset({"npy", "npz", "mat", "hdf5", "nifti", "mha", "nrrd"})
"""Formats whose reading the manifest may have to explain: their stills are written as PNG, so that nobody else must."""

COPY = pa.schema([("sample_id", pa.string()), ("kept", pa.string()), ("kind", pa.string())])


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
    version=2,
    after="index",
    grain=(Grain.SAMPLE, Grain.FRAME),
    needs=("sample_id", "format", "media", "frames", "fps", "raw_uri", "reading", "regions", "seen", "spacing_z"),
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
        "empty_slice": "The slice of a volume has fewer than 1,000 non-zero pixels.",
        **PROBLEMS,
    },
)
def frames(part: pa.Table, cfg: FramesConfig, ctx: Context) -> Result:
    """Pass stills on by reference; write the chosen frames of clips and volumes to this part's pack."""

    def one(row: Row) -> list[Row | Reject]:
        copy = ctx.prepared.get(row["sample_id"])
        if copy:
            return [Reject(f"exact_duplicate_{copy['kind']}", f"same as {copy['kept']}")]
        if row["media"] == "image" and row["format"] not in ARRAYS:
            still = PixelRef.of(row, "raw").columns("frame")
            return [frame_row(row, 0, None) | still | json.loads(row["seen"]) | {"frame_format": row["format"]}]
        return take_frames(row, cfg, ctx)

    return each(part, ctx, one)
