"""The methods that are measured side by side: from a picture to what was made of it, and the time of each stage."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.decoding.levels import U8
from ultracurate.imaging import nets
from ultracurate.imaging.cleaning import Bit, CleanSettings, Evidence, clean
from ultracurate.imaging.erase import erase, inpaint
from ultracurate.imaging.modality import triage
from ultracurate.imaging.overlay_net import NET, probability
from ultracurate.imaging.overlay_seed import SeedParams, seed_masks
from ultracurate.imaging.sector import Sector, find_sector
from ultracurate.measure._overlay_sets import Box, Case

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method made of a picture.

    Attributes:
        image: cleaned, of the same shape.
        painted: (H, W) bool, taken for marks: filled by invention, or by black where too wide for that.
        blanked: (H, W) bool, taken for screen around the field.
        black: (H, W) bool, what of `painted` became black.
        verdict: ok, flagged or quarantine.
        seconds: CPU time by stage, of programs that were called too.
    """

    image: U8
    painted: Mask
    blanked: Mask
    verdict: str
    seconds: dict[str, float]
    black: Mask


_NOTHING = np.zeros((64, 64), np.uint8)


class Laps:
    """CPU seconds since the last lap, by name; time of finished child programs counts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = _spent()

    def lap(self, name: str) -> None:
        """Note the time since the last lap under `name`."""
        now = _spent()
        self.seconds[name], self._last = now - self._last, now


Method = Callable[[Case, bool], Answer]
"""From a case, and whether the cleaned picture is read by an audit where the method has one, to an answer."""


def _spent() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def none(case: Case, audit: bool) -> Answer:
    """Nothing is done: what can be read and seen in the pictures as they are."""
    del audit
    nothing = np.zeros(case.image.shape[:2], np.bool_)
    return Answer(case.image, nothing, nothing, "ok", {}, nothing)


def seed(case: Case, audit: bool) -> Answer:
    """The published method, literal: three branches over the whole picture, Navier-Stokes with radius 3."""
    del audit
    reads = _can_read()
    laps = Laps()
    found = seed_masks(case.image, SeedParams(ocr=reads))
    laps.lap("masks")
    image = inpaint(case.image, found.final, radius=3)
    laps.lap("inpaint")
    nothing = np.zeros_like(found.final)
    return Answer(image, found.final, nothing, "ok", laps.seconds, nothing)


def perfect(case: Case, audit: bool) -> Answer:
    """The ceiling: the true marks and one pixel more are erased, all but the true field is blanked."""
    del audit
    mask = cv2.dilate(case.truth.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    blanked = np.zeros_like(mask) if case.field is None else ~case.field
    laps = Laps()
    erased = erase(case.image, mask, blanked)
    laps.lap("erase")
    return Answer(erased.image, mask & ~blanked, blanked, "ok", laps.seconds, erased.zeroed)


def _ours(name: str) -> Method:
    """A method of `imaging.cleaning` on a frame of its own: what it shows and its field are found first."""

    def run(case: Case, audit: bool) -> Answer:
        inside_net = [0.0]

        def timed(image: U8, box: Box) -> npt.NDArray[np.float32]:
            began = _spent()
            found = probability(image, box)
            inside_net[0] += _spent() - began
            return found

        settings = CleanSettings(audit=audit and _can_audit(), net=timed if _has_net() else None)
        laps = Laps()
        seen = triage(case.image)
        laps.lap("triage")
        sector = find_sector(case.image)
        laps.lap("field")
        evidence = Evidence(shows=seen.kind, shows_confidence=seen.confidence)
        done = clean(case.image, sector, method=name, evidence=evidence, settings=settings)
        laps.lap("clean")
        laps.seconds |= {"net": inside_net[0], "clean": laps.seconds["clean"] - inside_net[0]}
        painted = (done.bits & (Bit.INVENTED | Bit.ZEROED)) > 0
        outside, black = ((done.bits & bit) > 0 for bit in (Bit.OUTSIDE, Bit.ZEROED))
        return Answer(done.image, painted, outside, done.ledger.verdict, laps.seconds, black)

    return run


METHODS: dict[str, Method] = {
    "none": none,
    "seed": seed,
    "classic": _ours("classic"),
    "default": _ours("default"),
    "perfect": perfect,
}
"""All methods by name, in the order of the table's columns."""
AUDITED = ("classic", "default")
"""Those that read what they cleaned."""


def notes(methods: Sequence[str]) -> list[str]:
    """What this machine lacks that changes the figures of these methods, one line each."""
    lines = []
    if "seed" in methods and not _can_read():
        lines.append("seed ran without its text branch: tesseract or pytesseract is missing")
    if set(AUDITED) & set(methods) and not _can_audit():
        lines.append("classic and default ran without their audit: its OCR packages are missing")
    if "default" in methods and not _has_net():
        lines.append("default ran as classic: the overlay net is not shipped")
    return lines


@cache
def _can_read() -> bool:
    try:
        seed_masks(_NOTHING)
    except (MissingExtraError, ConfigError):
        return False
    return True


@cache
def _can_audit() -> bool:
    try:
        clean(_NOTHING, Sector([], 0.0, "unsure"), method="classic", settings=CleanSettings(audit=True))
    except (MissingExtraError, ConfigError):
        return False
    return True


@cache
def _has_net() -> bool:
    try:
        nets.session(NET)
    except ConfigError:
        return False
    return True
