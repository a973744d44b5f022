"""strip: find what the device burned in, and erase it; what cannot be made clean is set aside, all is written down."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
from pydantic import Field

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.core.schema import STRIPPED, Grain
from ultracurate.core.stage import Reject, Result, Row, each, stage
from ultracurate.stages._fields import NEEDS, settle
from ultracurate.stages._strip import PAINTED_BIT, settled_sector, votes

__all__ = ["PAINTED_BIT", "StripConfig", "strip"]


class StripConfig(Settings):
    """Settings of strip."""

    method: Literal["default", "classic", "seed", "none"] = Field(
        default="seed",
        description="default: a small net, and votes; classic: hand-made rules; seed: the published USF-MAE method, as "
        "it is; none: nothing is painted over",
    )
    audit: bool = Field(
        default=True,
        description="default and classic: read every cleaned frame, erase what is readable, set aside what stays so; "
        "needs tesserocr and rapidocr-onnxruntime",
    )
    ocr: bool = Field(default=True, description="The seed method's text branch; needs the tesseract program")
    radius: int = Field(default=3, ge=1, le=15, description="Radius of Navier-Stokes inpainting, pixels")


def settle_fields(columns: pa.Table, cfg: StripConfig, ctx: Context) -> pa.Table:
    """The insonated field of every frame, settled among its clip and its dataset's screens of one size."""
    del cfg, ctx
    return settle(columns)


@stage(
    "strip",
    version=3,
    after="frames",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=(
        "sample_id",
        "parent_id",
        "media",
        "width",
        "height",
        "frame_uri",
        "frame_format",
        "shows",
        "shows_confidence",
        "field_kind",
        "field_confidence",
    ),
    adds=STRIPPED,
    config=StripConfig,
    group_rows=24,  # about ten seconds of work: what a killed worker can lose
    prepare=settle_fields,
    prepare_needs=NEEDS,
    reasons={
        "text_left": "Something can still be read after two turns of cleaning; the frame stays where it came from.",
        "too_much_masked": "More than 10 % of the insonated field was taken for marks: too little of it is real.",
    },
)
def strip(part: pa.Table, cfg: StripConfig, ctx: Context) -> Result:
    """Write the cleaned frame and its mask (one bit for each branch and fate) to this part's pack."""
    import numpy as np

    from ultracurate.decoding.decode import decode_image, encode_png
    from ultracurate.imaging.cleaning import CleanSettings, Evidence, clean
    from ultracurate.imaging.overlay_seed import SeedParams

    settings = CleanSettings(radius=cfg.radius, audit=cfg.audit, seed=SeedParams(ocr=cfg.ocr))
    same = votes(part, ctx) if cfg.method in ("default", "classic") else {}

    def one(row: Row) -> Row | Reject:
        settled = ctx.prepared.get(row["sample_id"], {})
        image = decode_image(ctx.read(row, "frame"), row["frame_format"])
        constant, still = same.get(row["sample_id"], (None, None))
        known = Evidence(row.get("shows"), row.get("shows_confidence") or 0.0, constant=constant, still=still)
        sector = settled_sector(settled.get("sector"), row)
        try:
            done = clean(image, sector, method=cfg.method, evidence=known, settings=settings)
        except MissingExtraError as exc:  # no picture's fault: it would fail every row
            switch = "ocr" if cfg.method == "seed" else "audit"
            raise ConfigError(f"{exc}. Or do without it: --set strip.{switch}=false") from None
        ledger = done.ledger
        ctx.count(f"strip_{ledger.verdict}")
        if ledger.verdict == "quarantine":
            share = ledger.invented + ledger.zeroed
            return Reject(ledger.reason, f"{share:.1%} of the field masked, {ledger.strings_left or 0} strings left")
        name = row["sample_id"]
        cleaned = ctx.pack(f"{name}.png", encode_png(done.image))
        masked = ctx.pack(f"{name}.mask.png", encode_png(done.bits))
        return {
            **cleaned.columns("clean"),
            **masked.columns("mask"),
            **ledger.columns(),
            "sector": settled.get("sector"),
            "sector_from": settled.get("sector_from"),
            "overlay_share": float(np.mean((done.bits & PAINTED_BIT) > 0)),
        }

    return each(part, ctx, one)
