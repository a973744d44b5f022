"""Removes what is burned into a frame: every method by name, from a picture and its field to a clean one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.levels import U8
from ultracurate.imaging._by_net import Net, net_marks
from ultracurate.imaging._lines import Box
from ultracurate.imaging.audit import readable, strokes_in, version
from ultracurate.imaging.erase import WIDEST, Erased, erase
from ultracurate.imaging.marks import (
    FLAG_FROM,
    QUARANTINE_FROM,
    REASONS,
    Bit,
    Cleaned,
    Evidence,
    Ledger,
    Marks,
    Mask,
)
from ultracurate.imaging.overlay_classic import classic_marks
from ultracurate.imaging.overlay_seed import PUBLISHED, SeedParams, seed_masks
from ultracurate.imaging.sector import Sector
from ultracurate.imaging.sector import mask as sector_mask

_RIM = 1
"""Pixels around a mark that its anti-aliasing and the compression have changed."""

__all__ = ["METHODS", "REASONS", "Bit", "CleanSettings", "Cleaned", "Evidence", "Ledger", "Method", "clean"]


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """Settings of all methods.

    Attributes:
        radius: pixels that Navier-Stokes inpainting looks at around a mark.
        audit: whether the cleaned frame is read by OCR; `default` and `classic` then erase once more what is readable.
        seed: of the published method.
        net: another overlay net than the shipped one.
    """

    radius: float = 3
    audit: bool = False
    seed: SeedParams = PUBLISHED
    net: Net | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A way to find marks.

    Attributes:
        find: a picture, the mask of its field, evidence and settings -> marks.
        literal: nothing is blanked, zeroed, read again or put into quarantine: what the method says is painted over.
    """

    find: Callable[[U8, Mask, Evidence, CleanSettings], Marks]
    literal: bool = False


def _none(image: U8, inside: Mask, evidence: Evidence, settings: CleanSettings) -> Marks:
    del inside, evidence, settings
    return Marks(np.zeros(image.shape[:2], np.bool_), strings=0)


def _seed(image: U8, inside: Mask, evidence: Evidence, settings: CleanSettings) -> Marks:
    del inside, evidence
    found = seed_masks(image, settings.seed)
    branches = {Bit.TEXT: found.ocr, Bit.COLOUR: found.colour, Bit.STROKE: found.grey}
    return Marks(found.final, branches, strings=found.strings)


def _classic(image: U8, inside: Mask, evidence: Evidence, settings: CleanSettings) -> Marks:
    del settings
    return classic_marks(image, inside, evidence)


def _default(image: U8, inside: Mask, evidence: Evidence, settings: CleanSettings) -> Marks:
    return net_marks(image, inside, evidence, settings.net)


METHODS: dict[str, Method] = {
    "default": Method(_default),
    "classic": Method(_classic),
    "seed": Method(_seed, literal=True),
    "none": Method(_none, literal=True),
}
"""All methods by name. `default`: a small net and votes; `classic`: no weights; `seed`: the published one, literal;
`none`: nothing is done."""


def clean(
    image: U8,
    sector: Sector,
    *,
    method: str = "default",
    evidence: Evidence = Evidence(),  # noqa: B008 - frozen, and without evidence it is the same for all
    settings: CleanSettings = CleanSettings(),
) -> Cleaned:
    """Blank what lies outside the field, erase the marks inside it, read the result, and say what was done.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        sector: its field; without polygons nothing is blanked.
        method: one of `METHODS`.
        evidence: what is known besides the pixels.
        settings: of all methods.

    Returns:
        A picture of the same shape, equal to `image` wherever no bit of `Bit.OUTSIDE`, `INVENTED` or `ZEROED` is set.

    Raises:
        ConfigError: no such method.
        MissingExtraError: `settings.audit`, or the seed method's text branch, without its OCR packages.
    """
    if method not in METHODS:
        raise ConfigError(f"Expected a method of {', '.join(METHODS)}, found {method!r}. Choose one of these.")
    chosen = METHODS[method]
    inside = sector_mask(sector, (image.shape[0], image.shape[1]))
    marks = chosen.find(image, inside, evidence, settings)

    def erased_of(mask: Mask) -> Erased:
        if chosen.literal:
            return erase(image, mask, radius=settings.radius, widest=None)
        # Nobody will use a frame that is mostly marks: it is blackened, since painting so much takes seconds.
        too_much = np.count_nonzero(mask & inside) > QUARANTINE_FROM * np.count_nonzero(inside)
        widest = 1 if too_much else WIDEST
        return erase(image, mask, ~inside, spare=marks.spare, radius=settings.radius, widest=widest, grow=_RIM)

    erased = erased_of(marks.mask)
    strings: list[Box] | None = None
    left: list[Box] | None = None
    retried = np.zeros(inside.shape, np.bool_)
    if settings.audit and not chosen.literal:
        strings = left = readable(erased.image, inside)
        if strings:
            retried = strokes_in(image, strings) & inside & ~marks.mask
            erased = erased_of(marks.mask | retried)
            left = readable(erased.image, inside)
    ledger = _ledger(method, marks, sector, inside, erased, chosen.literal, strings, left)
    return Cleaned(erased.image, _bits(marks, inside, erased, retried, left or (), chosen.literal), ledger)


def _bits(marks: Marks, inside: Mask, erased: Erased, retried: Mask, left: list[Box] | tuple[()], literal: bool) -> U8:
    seen = np.zeros(inside.shape, np.bool_)
    for x0, y0, x1, y1 in left:
        seen[y0:y1, x0:x1] = True
    fates = {Bit.INVENTED: erased.invented, Bit.ZEROED: erased.zeroed, Bit.LEFT: seen}
    branches = marks.branches | {Bit.TEXT: marks.branches.get(Bit.TEXT, retried) | retried}
    bits = np.zeros(inside.shape, np.uint8)
    for bit, where in (fates | branches | ({} if literal else {Bit.OUTSIDE: ~inside})).items():
        bits[where] |= np.uint8(bit)
    return bits


def _ledger(
    method: str,
    marks: Marks,
    sector: Sector,
    inside: Mask,
    erased: Erased,
    literal: bool,
    strings: list[Box] | None,
    left: list[Box] | None,
) -> Ledger:
    field = max(1, int(inside.sum()))
    masked = erased.invented | erased.zeroed
    share = float((masked & inside).sum()) / field
    verdict, reason = "ok", ""
    if not literal:
        verdict, reason = _verdict(share, bool(left), bool(erased.zeroed.any()), sector)
    read = None if strings is None else len(strings)
    return Ledger(
        method=method,
        used=marks.used or method,
        field_kind=sector.kind,
        field_confidence=sector.confidence,
        blanked=0.0 if literal else 1 - float(inside.mean()),
        invented=float((erased.invented & inside).sum()) / field,
        zeroed=float((erased.zeroed & inside).sum()) / field,
        largest=_largest(masked),
        strings=marks.strings if read is None else read,
        strings_left=None if left is None else len(left),
        retried=bool(strings),
        verdict=verdict,
        reason=reason,
        net=marks.net,
        ocr=version() if strings is not None else "",
    )


def _verdict(share: float, read: bool, zeroed: bool, sector: Sector) -> tuple[str, str]:
    if read:
        return "quarantine", "text_left"
    if share > QUARANTINE_FROM:
        return "quarantine", "too_much_masked"
    if share > FLAG_FROM:
        return "flagged", "much_masked"
    if zeroed:
        return "flagged", "wide_mark"
    if sector.kind == "unsure":
        return "flagged", "field_unsure"
    return "ok", ""


def _largest(mask: Mask) -> int:
    """Pixels of the largest connected part."""
    stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
