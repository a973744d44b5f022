"""Turns counts, times and strings of the tables into words that may be shown to anyone who gets the file."""

from __future__ import annotations

import re
import string

from ultracurate.core.schema import Grain, content_id

_PLAIN_ID = re.compile(r"[0-9a-z_-]{1,64}")
# A detail that seems to name a file, a folder or an address is held back as a whole: such names can hold patient
# names and scan dates, and cutting them out of a sentence cannot be done safely. Plain fractions are fine.
_NAMES_SOMETHING = re.compile(r"""["'`“”‘’«»\\]|(?<!\d)/|/(?!\d)|\.[A-Za-z][A-Za-z0-9]{1,4}\b|%2[fF]""")
# Eight digits in a row, or a date: how scan dates and record numbers look when they stand alone.
_DATE_OR_RECORD = re.compile(r"\b\d{4}[-.]\d{2}[-.]\d{2}\b|\b\d{2}[-.]\d{2}[-.]\d{4}\b|(?<![0-9a-f])\d{8,}(?![0-9a-f])")

_ENDINGS = """
7z arw avi bin bmp bvec bz2 c cfg cpp css csv dat db dcm dicom dng doc docx exe gif gz h5 hdf5 heic html img ini ipynb
jp2 jpeg jpg js json log m m4v mat md mha mhd mkv mov mp4 mpeg mpg nii npy npz nrrd onnx parquet pdf pickle pkl png ppt
pptx pt pth py r rar raw rf rst sh stl svg tar tex tfrecord tga tif tiff toml tsv txt vtk wav webm webp wmv xls xlsx xml
xz yaml yml zip zst
"""
_KNOWN_ENDINGS = frozenset(_ENDINGS.split())

HELD_BACK = "held back: it may name a file or a person"
_DETAIL_LENGTH = 240


def count(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 frame, 2 frames."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def of_grain(number: int, grain: Grain) -> str:
    """A number of rows, named by what one row is."""
    return counted(number, str(grain))


def percent(share: float | None) -> str:
    """A share between 0 and 1 in percent, two digits below one percent."""
    if share is None:
        return "unknown"
    value = 100 * share
    if 0 < value < 0.01:
        return "< 0.01 %"
    return f"{value:.2f} %" if 0 < value < 1 else f"{value:.1f} %"


def size(number: int) -> str:
    """Bytes in decimal units, as disks are sold."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{number} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def shown_id(identifier: str | None) -> str:
    """The id itself if it has the shape of one, else a digest of it: an id must not turn out to be a file name."""
    if not identifier:
        return "none"
    if _PLAIN_ID.fullmatch(identifier):
        return identifier
    return "~" + content_id(identifier)[:12]


def short_id(identifier: str | None) -> str:
    """The first twelve digits of an id, enough to tell pictures on one page apart."""
    return shown_id(identifier)[:12]


def shown_detail(text: str | None) -> str:
    """The detail of a loss, or a remark that it was held back because it seems to name a file, a date or a record."""
    if not text:
        return ""
    if _NAMES_SOMETHING.search(text) or _DATE_OR_RECORD.search(text):
        return HELD_BACK
    flat = " ".join(text.split())
    return flat if len(flat) <= _DETAIL_LENGTH else flat[: _DETAIL_LENGTH - 1] + "…"


def shown_ending(text: str | None) -> str:
    """The ending of a file's name if it is one of a format; what else stands behind a dot may be a family name."""
    if not text:
        return ""
    return text if text.lower() in _KNOWN_ENDINGS else HELD_BACK


def readable(identifier: str) -> str:
    """An id of the ontology or of a reason as words."""
    return identifier.rsplit(":", 1)[-1].replace("_", " ").strip(string.whitespace) or identifier
