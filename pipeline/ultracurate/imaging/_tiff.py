"""What the directories of a TIFF say beside its pixels: how many pages, and ImageJ's note on time and space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ultracurate.imaging.media import Media

MAX_PAGES = 10_000
"""Pages of a TIFF; volumes have some hundreds."""

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


def more_pages(data: bytes, most: int) -> bool:
    """Whether the chain of directories of a TIFF or BigTIFF is longer than `most`; Pillow's way is quadratic."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    large = data[2:4] in (b"+\0", b"\0+")
    count_size, entry_size, offset_size = (8, 20, 8) if large else (2, 12, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at, pages = number(8 if large else 4, offset_size), 0
    while 0 < at < len(data) and pages <= most:
        pages += 1
        at = number(at + count_size + entry_size * number(at, count_size), offset_size)
    return pages > most


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
