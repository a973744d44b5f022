"""What the directories of a TIFF say beside its pixels: how many pages, and ImageJ's note on time and space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding.media import Media

MAX_PAGES = 10_000
"""Pages of a TIFF; volumes have some hundreds."""
MAX_ENTRIES = 1_000
"""Entries of one directory; microscopes write about a hundred."""
MAX_ALL_ENTRIES = 500_000
"""Entries of all directories, which may lie over each other: the tags of some seconds."""

_SLACK = 1 << 16
"""Bytes of values that may be named twice."""
_BYTES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] + [0] * 237, np.float64)
"""Bytes of one value of each type: TIFF 6.0 section 2, BigTIFF; Pillow leaves out entries of other types."""

_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION = 270, 282, 283
_MM = {"mm": 1.0, "cm": 10.0, "micron": 1e-3, "um": 1e-3, "µm": 1e-3, "\\u00b5m": 1e-3}


@dataclass(frozen=True, slots=True)
class Note:
    """What ImageJ wrote into the first page of a TIFF; all None where it did not.

    Attributes:
        kind: clip or volume, where only one of frames and slices is counted.
        fps: frames per second.
        spacing: mm per pixel along x and y, and mm between slices.
    """

    kind: Media | None = None
    fps: float | None = None
    spacing: tuple[float | None, float | None, float | None] = (None, None, None)


def check_directories(data: bytes) -> None:
    """Refuse a TIFF or BigTIFF by the chain of its directories, before Pillow, whose way is quadratic, walks it.

    Raises:
        RowError: too many pages, too many entries in one directory or in all of them, or values that lie over each
            other: Pillow copies each, so that a thousand entries could name the whole file a thousand times.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    large = data[2:4] in (b"+\0", b"\0+")
    count_size, entry_size, offset_size = (8, 20, 8) if large else (2, 12, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    sign, word = "<" if order == "little" else ">", f"u{offset_size}"
    layout = np.dtype([("tag", f"{sign}u2"), ("kind", f"{sign}u2"), ("count", sign + word), ("value", sign + word)])
    at, pages, total, copied = number(8 if large else 4, offset_size), 0, 0, 0.0
    while 0 < at < len(data):
        pages, entries = pages + 1, number(at, count_size)
        total += entries
        if pages > MAX_PAGES:
            raise RowError(f"tif: expected at most {MAX_PAGES} pages, found more; cut the volume into parts")
        if entries > MAX_ENTRIES or total > MAX_ALL_ENTRIES:
            raise RowError(
                f"tif: expected at most {MAX_ENTRIES} entries in a directory and {MAX_ALL_ENTRIES} in all, "
                f"found {entries} and {total} by page {pages}; write the picture again without its notes"
            )
        there = max(0, min(entries, (len(data) - at - count_size) // entry_size))
        named = np.frombuffer(data, layout, there, at + count_size) if there else np.empty(0, layout)
        values = float((_BYTES[np.minimum(named["kind"], 255)] * named["count"]).sum())
        copied += values
        if values > len(data) + _SLACK or copied > 8 * len(data) + _SLACK:
            raise RowError(f"tif: expected values that fit into its {len(data)} bytes, found more; it is damaged")
        at = number(at + count_size + entry_size * entries, offset_size)


def imagej_note(tags: Mapping[int, Any]) -> Note:
    """Time and space of an ImageJ stack.

    The resolution of other TIFFs is that of a printer and says nothing about tissue. ImageJ keeps pixels per `unit`
    there (`ij.io.FileInfo`, `TiffEncoder.setResolution`), and the unit in the first lines of the description.
    """
    text = tags.get(_DESCRIPTION)
    if not isinstance(text, str) or not text.startswith("ImageJ="):
        return Note()
    said = dict(line.split("=", 1) for line in text[:4096].splitlines() if "=" in line)
    frames, slices = _positive(said.get("frames")) or 1, _positive(said.get("slices")) or 1
    seconds = _positive(said.get("finterval"))
    unit = _MM.get(said.get("unit", "").strip().lower())

    def spacing(pixels_per_unit: object) -> float | None:
        value = _positive(pixels_per_unit)
        return unit / value if unit and value else None

    step = _positive(said.get("spacing"))
    return Note(
        kind="clip" if frames > 1 and slices == 1 else "volume" if slices > 1 and frames == 1 else None,
        fps=_positive(said.get("fps")) or (1 / seconds if seconds else None),
        spacing=(
            spacing(tags.get(_X_RESOLUTION)),
            spacing(tags.get(_Y_RESOLUTION)),
            unit * step if unit and step else None,
        ),
    )


def _positive(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and 1e-9 < number < 1e9 else None
