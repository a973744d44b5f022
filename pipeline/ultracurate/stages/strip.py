"""strip: find what the device burned in, and paint it over; masks of every branch are kept."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
from pydantic import Field

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.core.schema import STRIPPED, Grain
from ultracurate.core.stage import Result, Row, each, stage
from ultracurate.stages._fields import NEEDS, settle

OCR_BIT, COLOUR_BIT, GREY_BIT, PAINTED_BIT = 1, 2, 4, 128


class StripConfig(Settings):
    """Settings of strip."""

    method: Literal["seed", "none"] = Field(
        default="seed", description="seed: the published USF-MAE method, as it is; none: nothing is painted over"
    )
    ocr: bool = Field(default=True, description="The seed method's text branch; needs the tesseract program")
    radius: int = Field(default=3, ge=1, le=15, description="Radius of Navier-Stokes inpainting, pixels")


def settle_fields(columns: pa.Table, cfg: StripConfig, ctx: Context) -> pa.Table:
    """The insonated field of every frame, settled among its clip and its dataset's screens of one size."""
    del cfg, ctx
    return settle(columns)


@stage(
    "strip",
    version=2,
    after="frames",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("sample_id", "frame_uri", "frame_format"),
    adds=STRIPPED,
    config=StripConfig,
    group_rows=24,  # about ten seconds of work: what a killed worker can lose
    prepare=settle_fields,
    prepare_needs=NEEDS,
    reasons={},
)
def strip(part: pa.Table, cfg: StripConfig, ctx: Context) -> Result:
    """Write the cleaned frame and its mask (one bit for each branch) to this part's pack."""
    import numpy as np

    from ultracurate.decoding.decode import decode_image, encode_png
    from ultracurate.imaging.erase import inpaint
    from ultracurate.imaging.overlay_seed import SeedParams, seed_masks

    def one(row: Row) -> Row:
        settled = ctx.prepared.get(row["sample_id"], {})
        image = decode_image(ctx.read(row, "frame"), row["frame_format"])
        mask = np.zeros(image.shape[:2], np.uint8)
        strings, clean = 0, image
        if cfg.method == "seed":
            try:
                found = seed_masks(image, SeedParams(ocr=cfg.ocr))
            except MissingExtraError as exc:  # no picture's fault: it would fail every row
                raise ConfigError(f"{exc}. Or switch the text branch off with --set strip.ocr=false") from None
            clean = inpaint(image, found.final, radius=cfg.radius)
            for bit, branch in ((OCR_BIT, found.ocr), (COLOUR_BIT, found.colour), (GREY_BIT, found.grey)):
                mask[branch] |= bit
            mask[found.final] |= PAINTED_BIT
            strings = found.strings
        name = row["sample_id"]
        cleaned = ctx.pack(f"{name}.png", encode_png(clean))
        masked = ctx.pack(f"{name}.mask.png", encode_png(mask))
        return {
            **cleaned.columns("clean"),
            **masked.columns("mask"),
            "sector": settled.get("sector"),
            "sector_from": settled.get("sector_from"),
            "overlay_share": float(np.mean((mask & PAINTED_BIT) > 0)),
            "strings_found": strings,
        }

    return each(part, ctx, one)
