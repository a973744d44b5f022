"""Tells raw ultrasound signals (RF and IQ) from pictures, by their values.

A beamformed or channel RF line swings around zero at the frequency of the transducer: as often above as below, no
energy near frequency zero. Envelopes, B-mode pictures, decibels and even pictures made free of their mean are the
opposite: most of their energy lies at the lowest frequencies. See R. S. C. Cobbold, Foundations of Biomedical
Ultrasound, 2007, chapter 8, for the signal chain.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

MIN_LINE = 512
"""Samples of a line below which values alone do not make it RF: at 20 MHz it would see 2 cm deep."""

_MIN_NAMED_LINE = 64
_NAMED_RF = re.compile(r"(^|[^a-z])(rf|raw|channel)([^a-z]|data|$)|rf_?(data|lines?|signal)", re.IGNORECASE)
_LINES = 64  # lines looked at
_LOW_SHARE = 0.1  # energy below a third of the mean frequency: RF up to 0.01, white noise 0.16, pictures above that
_BALANCE = 0.25  # an RF line is positive for half of its samples

Floats = npt.NDArray[np.float64]


def recognise(values: npt.NDArray[Any], name: str = "") -> Literal["rf_data", "iq_data"] | None:
    """What kind of signal an array holds, or None for pictures and everything else.

    Args:
        values: (H, W) lines in either direction, or (H, W, 2) with I and Q beside each other; complex is IQ.
            Eight unsigned bits are never taken for a signal: no scanner of our time digitises with so few.
        name: of the array, where the file gives one; one that says RF makes lines of 64 samples enough.
    """
    if values.dtype.kind == "c":
        return "iq_data"
    if values.dtype.kind not in "iuf" or values.dtype == np.uint8 or values.ndim < 2:
        return None
    shortest = _MIN_NAMED_LINE if _NAMED_RF.search(name) else MIN_LINE
    if values.ndim == 3 and values.shape[2] == 2:
        both = all(_signal(values[:, :, part], shortest) for part in (0, 1))
        return "iq_data" if both else None
    return "rf_data" if values.ndim == 2 and _signal(values, shortest) else None


def _signal(picture: npt.NDArray[Any], shortest: int) -> bool:
    return any(lines.shape[1] >= shortest and _oscillates(lines) for lines in (picture, picture.T))


def _oscillates(lines: npt.NDArray[Any]) -> bool:
    """Whether the rows of (lines, samples) swing around one level, without a slow part."""
    step = max(1, lines.shape[0] // _LINES)
    values = np.nan_to_num(lines[::step][:_LINES].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if not values.any():
        return False
    if values.min() >= 0:  # straight from a converter, around the middle of its range
        low, centre, high = np.quantile(values, (0.05, 0.5, 0.95))
        if abs(low + high - 2 * centre) > _BALANCE * (high - low):
            return False
        values = values - centre
    moving = values[values != 0]
    spread = float(values.std())
    if moving.size < values.size // 10 or spread == 0 or abs(float(values.mean())) > _BALANCE * spread:
        return False
    if not _BALANCE <= np.count_nonzero(moving > 0) / moving.size <= 1 - _BALANCE:
        return False
    return _low_share(values) < _LOW_SHARE


def _low_share(values: Floats) -> float:
    """Share of the energy below a third of the mean frequency, over all rows together."""
    windowed = values * np.hanning(values.shape[1])
    power = (np.abs(np.fft.rfft(windowed, axis=1)) ** 2).sum(axis=0)
    total = float(power.sum())
    if total <= 0:
        return 1.0
    mean = float((np.arange(power.size) * power).sum()) / total
    # The window itself spreads frequency zero over three bins.
    return float(power[: max(3, round(mean / 3))].sum()) / total
