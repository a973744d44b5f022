"""One look at one decoded frame: is it worth keeping, what does it show, and where is the insonated field?

`index` looks at stills, `frames` at the frames it takes from clips; nobody decodes a picture only to look at it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import Region
from ultracurate.imaging.modality import rejects, triage
from ultracurate.imaging.quality import Problem, check
from ultracurate.imaging.sector import Sector, find_sector

EMPTY = frozenset({"empty", "constant"})
"""Problems of a frame that holds nothing, which says nothing about the clip around it."""

SMALLEST_JUDGED = 96
"""Pixels of the shorter side from which on a frame can be said to be no ultrasound; smaller ones hold too little."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one frame.

    Attributes:
        shows: one of `modality.KINDS`.
        shows_confidence: 0..1.
        dual: 0..1, the probability of two views side by side.
        sector: the insonated field; without polygons everything is kept.
    """

    shows: str
    shows_confidence: float
    dual: float
    sector: Sector

    def columns(self) -> dict[str, str | float]:
        """As columns of a frame's row."""
        return {
            "shows": self.shows,
            "shows_confidence": self.shows_confidence,
            "dual": self.dual,
            "field": json.dumps([[list(point) for point in polygon] for polygon in self.sector.polygons]),
            "field_kind": self.sector.kind,
            "field_confidence": self.sector.confidence,
        }


def look(
    image: U8,
    *,
    regions: Sequence[Region] = (),
    encoded_bytes: int | None = None,
    fmt: str | None = None,
    keep_foreign: bool = False,
) -> Look | Problem:
    """Look at a frame; a `Problem` says why it should not be kept.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        regions: calibrated areas that a DICOM header names.
        encoded_bytes: length of the still's file, to notice over-compression.
        fmt: its format.
        keep_foreign: keep what does not look like ultrasound.
    """
    if problem := check(image, encoded_bytes=encoded_bytes, fmt=fmt):
        return problem
    seen = triage(image)
    judged = not keep_foreign and min(image.shape[:2]) >= SMALLEST_JUDGED
    if judged and (problem := rejects(seen)):
        return problem
    return Look(seen.kind, round(seen.confidence, 4), round(seen.dual, 4), find_sector(image, regions))
