"""What a method hands on: the bits of a mask, the evidence it may use, the answer, and the ledger of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import Region

F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Bit(IntFlag):
    """What became of a pixel (the first three), and which branches took it for a mark."""

    OUTSIDE = 1  # blanked: not in the insonated field
    INVENTED = 2  # painted from its surroundings
    ZEROED = 4  # set to 0: too wide to be painted
    NET = 8
    COLOUR = 16
    TEXT = 32
    LEFT = 64  # something is still readable here
    STROKE = 128  # drawn by its shape


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known about a frame besides its pixels; nothing of it is needed.

    Attributes:
        shows: one of `modality.KINDS`, or None.
        shows_confidence: 0..1.
        regions: calibrated areas that a DICOM header names.
        constant: (H, W) bool, the same in most stills of one screen.
        still: (H, W) bool, the same over a clip.
    """

    shows: str | None = None
    shows_confidence: float = 0.0
    regions: Sequence[Region] = ()
    constant: Mask | None = None
    still: Mask | None = None

    @property
    def shows_map(self) -> bool:
        """Whether colour is to be expected that is signal."""
        return self.shows in ("colour_doppler", "elastography") and self.shows_confidence >= 0.5

    def votes(self, size: tuple[int, int]) -> Mask:
        """(H, W) bool: pixels that something besides the picture itself says are drawn."""
        voted = np.zeros(size, np.bool_)
        for mask in (self.constant, self.still):
            if mask is not None and mask.shape == size:
                voted |= mask
        tissue = [region.box for region in self.regions if region.spatial == "2d"]
        if tissue:
            beside = np.ones(size, np.bool_)
            for x0, y0, x1, y1 in tissue:
                beside[max(0, y0) : y1, max(0, x0) : x1] = False
            voted |= beside
        return voted


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What a detector found.

    Attributes:
        mask: (H, W) bool, to be erased with a rim of one pixel.
        spare: (H, W) bool, signal into which that rim must not reach; None: there is none.
        branches: what each branch voted for, (H, W) bool.
        used: the method that ran, where it is not the one asked for.
        net: name of the net that was used.
        strings: how many strings its own OCR read.
    """

    mask: Mask
    branches: dict[Bit, Mask] = field(default_factory=dict)
    used: str = ""
    net: str = ""
    strings: int | None = None
    spare: Mask | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was done to one frame, and why; shares are of the field, which is the whole picture where none is known.

    Attributes:
        method: the name asked for; `used` is what ran (`classic` where the net of `default` is not shipped).
        field_kind: one of `sector.KINDS`.
        field_confidence: 0..1.
        blanked: share of the picture outside the field.
        invented: share of the field that was painted.
        zeroed: share of the field that was set to 0.
        largest: pixels of the largest connected part of the mask.
        strings: strings that the audit read on the cleaned frame at first; None: there was no audit.
        strings_left: strings that it still read at the end.
        retried: whether the marks that the audit found were erased in a second turn.
        verdict: ok, flagged or quarantine.
        reason: why not ok, one of `REASONS`; empty if ok.
        net: the net's name, or empty.
        ocr: the recognisers and their versions, or empty.
    """

    method: str
    used: str
    field_kind: str
    field_confidence: float
    blanked: float
    invented: float
    zeroed: float
    largest: int
    strings: int | None
    strings_left: int | None
    retried: bool
    verdict: str
    reason: str
    net: str
    ocr: str

    def columns(self) -> dict[str, Any]:
        """As columns of a frame's row."""
        return {
            "strip_asked": self.method,
            "strip_method": self.used,
            "sector_kind": self.field_kind,
            "sector_confidence": self.field_confidence,
            "blanked_share": self.blanked,
            "invented_share": self.invented,
            "zeroed_share": self.zeroed,
            "largest_mark": self.largest,
            "strings_found": self.strings,
            "strings_left": self.strings_left,
            "retried": self.retried,
            "verdict": self.verdict,
            "verdict_reason": self.reason or None,
            "strip_net": self.net or None,
            "strip_ocr": self.ocr or None,
        }


REASONS = {
    "much_masked": "More than 3 % of the field was taken for marks.",
    "too_much_masked": "More than 10 % of the field was taken for marks.",
    "text_left": "Something could still be read after two turns of cleaning.",
    "field_unsure": "The insonated field is not certain, so nothing around it was blanked.",
    "wide_mark": "A mark was too wide to be painted over and was set to black.",
}
"""Why a frame is flagged or quarantined."""

FLAG_FROM, QUARANTINE_FROM = 0.03, 0.10
"""Shares of the field."""


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """A cleaned picture of the shape of the input, its mask of `Bit` (H, W) uint8, and its ledger."""

    image: U8
    bits: U8
    ledger: Ledger
