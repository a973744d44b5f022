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
from ultracurate.stages._fields import NEEDS as FIELD_NEEDS
from ultracurate.stages._fields import settle
from ultracurate.stages._sample import regions_of
from ultracurate.stages._strip import PAINTED_BIT, program, settled_sector, versions
from ultracurate.stages._votes import NEEDS as VOTE_NEEDS
from ultracurate.stages._votes import Votes, voters

__all__ = ["PAINTED_BIT", "StripConfig", "strip"]

VOTED = ("default", "classic")
"""Methods that listen to other frames."""


class StripConfig(Settings):
    """Settings of strip."""

    method: Literal["default", "classic", "seed", "none"] = Field(
        default="default",
        description="default: small nets, and votes; classic: hand-made rules; seed: the published USF-MAE method, as "
        "it is; none: nothing is painted over",
    )
    audit: bool = Field(
        default=True,
        description="default and classic: read every cleaned frame, erase what is readable, set aside what stays so; "
        "needs tesserocr and rapidocr",
    )
    ocr: bool = Field(default=True, description="The seed method's text branch; needs the tesseract program")
    radius: int = Field(default=3, ge=1, le=15, description="Radius of Navier-Stokes inpainting, pixels")


def settle_and_vote(columns: pa.Table, cfg: StripConfig, ctx: Context) -> pa.Table:
    """What each frame takes from its neighbours: the insonated field, and who votes on what never changes."""
    del ctx
    settled = settle(columns)
    nobody = pa.nulls(columns.num_rows, pa.large_string())
    return settled.append_column("voters", voters(columns) if cfg.method in VOTED else nobody)


def depends_on(cfg: StripConfig) -> dict[str, str]:
    """Net and recognisers that a result depends on: with others it is another run."""
    return versions(cfg.method, audit=cfg.audit, ocr=cfg.ocr)


@stage(
    "strip",
    version=4,
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
        "regions",
    ),
    adds=STRIPPED,
    config=StripConfig,
    group_rows=24,  # about ten seconds of work: what a killed worker can lose
    prepare=settle_and_vote,
    prepare_needs=tuple(dict.fromkeys((*FIELD_NEEDS, *VOTE_NEEDS))),
    versions=depends_on,
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
    votes = Votes(ctx)
    reader = f"tesseract {program()['tesseract']}" if cfg.method == "seed" and cfg.ocr else None

    def one(row: Row) -> Row | Reject:
        settled = ctx.prepared.get(row["sample_id"], {})
        image = decode_image(ctx.read(row, "frame"), row["frame_format"])
        vote, moving = votes.of(settled.get("voters")), row["media"] == "clip"
        known = Evidence(
            row["shows"],
            row["shows_confidence"] or 0.0,
            regions=regions_of(row) if cfg.method == "default" else (),  # rules would take a vote for proof
            constant=None if moving else vote,
            still=vote if moving else None,
        )
        sector = settled_sector(settled)
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
            **({"strip_ocr": reader} if reader else {}),
            "sector": settled.get("sector"),
            "sector_from": settled.get("sector_from"),
            "overlay_share": float(np.mean((done.bits & PAINTED_BIT) > 0)),
        }

    return each(part, ctx, one)
