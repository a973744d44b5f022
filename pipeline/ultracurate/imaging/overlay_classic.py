"""Finds marks without a net: strokes by their shape, text by its lines, colours that are neither tint nor flow.

Every rule asks for what a device's pen does and tissue does not: one level of ink, sharp sides, letters on one line,
dots at even steps, crosses of two straight arms, lines without a bend.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging import _strokes
from ultracurate.imaging.constancy import grey_levels
from ultracurate.imaging.flow import Flow, find_flow
from ultracurate.imaging.marks import Bit, Evidence, Marks, Mask
from ultracurate.imaging.tint import COLOURED, residual

F32 = npt.NDArray[np.float32]

_VIVID = 24.0  # CIELAB units that the strongest pixel of a coloured mark has


def classic_marks(image: U8, inside: Mask, evidence: Evidence) -> Marks:
    """All marks that the rules find in the field.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, the field.
        evidence: what else is known.
    """
    away = residual(image, inside)
    flow = find_flow(image, away, inside, expected=evidence.shows_map)
    coloured = colour_marks(away, flow, inside)
    grey = np.where(inside, grey_levels(image), 0).astype(np.uint8)
    # Bright borders between colours of flow look like strokes.
    found = _strokes.find(grey, inside & ~flow.sure, evidence.votes(inside.shape))
    branches = {Bit.COLOUR: coloured, Bit.TEXT: found.text, Bit.STROKE: found.drawn}
    return Marks(coloured | found.text | found.drawn, branches, spare=flow.sure)


def colour_marks(away: F32, flow: Flow, inside: Mask) -> Mask:
    """Coloured parts that are no flow: (H, W) bool; `away` is the residual of `tint.residual`."""
    drawn = (away > COLOURED) & inside & ~flow.sure & ~flow.maybe
    count, numbered, stats, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8), connectivity=8)
    labels = np.asarray(numbered, np.int32)
    if count <= 1:
        return drawn
    strongest = np.zeros(count, np.float32)
    np.maximum.at(strongest, labels[drawn], away[drawn])
    kept = (stats[:, cv2.CC_STAT_AREA] >= 4) & (strongest > _VIVID)
    kept[0] = False
    return np.asarray(kept[labels])
