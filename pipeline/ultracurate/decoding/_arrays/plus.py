"""What the PLUS toolkit writes into the headers of its sequences: image type, orientation and times.

Source: https://plustoolkit.github.io (user manual, "Ultrasound image orientation" and "Metaimage sequence file");
A. Lasso et al., PLUS, IEEE Trans. Biomed. Eng. 61, 2014, doi:10.1109/TBME.2014.2322864.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ultracurate.decoding._arrays.grid import Grid

FRAME_FIELD = re.compile(r"Seq_Frame(\d{1,9})_(\w+)$")
_SET_ASIDE = {"rf_real": "rf_data", "rf_iq_line": "iq_data", "rf_i_line_q_line": "iq_data"}


@dataclass(frozen=True, slots=True)
class Plus:
    """Facts of a PLUS header.

    Attributes:
        kind: UltrasoundImageType in lower case: brightness, rgb_color, rf_real, ...
        orientation: towards which side of the transducer x, y (and z) grow, such as MF or UNA.
        sequence: pictures in time, because there are fields for each of them.
        times: by number of the picture, in seconds of some clock.
    """

    kind: str
    orientation: str
    sequence: bool
    times: Mapping[int, float]


def plus_facts(fields: Mapping[str, str], per_frame: Mapping[tuple[int, str], str]) -> Plus:
    """Facts from the named fields of a header (names in any case) and from its Seq_Frame fields."""
    named = {key.lower().replace(" ", ""): value.strip() for key, value in fields.items()}
    times = {number: float(value) for (number, name), value in per_frame.items() if name == "Timestamp"}
    kind = named.get("ultrasoundimagetype", "").lower()
    return Plus(kind, named.get("ultrasoundimageorientation", "").upper(), bool(per_frame), times)


def turned(grid: Grid, plus: Plus) -> Grid:
    """The grid as PLUS holds it in memory: marked side towards growing x, far away downwards ("MF"), slices ascending.

    A signal is left as it is and set aside. An orientation that is unknown or mixes in the third axis changes nothing.
    The spacing of a sequence is always 1 there and means nothing.
    """
    if plus.kind in _SET_ASIDE:
        return replace(grid, aside=_SET_ASIDE[plus.kind])
    values, spacing = grid.values, list(grid.spacing)
    first = 1 if grid.colour == 0 else 0
    letters = plus.orientation
    if letters[:2] in ("FM", "FU", "NM", "NU"):
        values = np.swapaxes(values, first, first + 1)
        spacing[first], spacing[first + 1] = spacing[first + 1], spacing[first]
        letters = letters[1] + letters[0] + letters[2:]
    if letters[:2] in ("MF", "MN", "UF", "UN"):
        values = np.flip(values, first) if letters[0] == "U" else values
        values = np.flip(values, first + 1) if letters[1] == "N" else values
        if letters[2:3] == "D" and not plus.sequence and values.ndim > first + 2:
            values = np.flip(values, first + 2)
    grid = replace(grid, values=values, spacing=tuple(spacing))
    return _in_time(grid, plus, first + 2) if plus.sequence else grid


def _in_time(grid: Grid, plus: Plus, axis: int) -> Grid:
    if all(part in (1, None) for part in grid.spacing):
        grid = replace(grid, spacing=(None,) * len(grid.spacing))
    if grid.values.ndim <= axis:
        return grid
    grid = replace(grid, time=grid.values.ndim - 1 if grid.colour != grid.values.ndim - 1 else axis)
    count = grid.values.shape[grid.time or 0]
    stamps = [plus.times.get(number) for number in range(count)]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < count or any(later < earlier for earlier, later in pairwise(known)):
        return grid
    length = known[-1] - known[0]
    fps = (count - 1) / length if 0 < length < np.inf else None
    return replace(grid, times=tuple(stamp - known[0] for stamp in known), fps=fps)
