"""Makes one file of a header and the data file it names: MetaImage, NRRD and NIfTI can keep their pixels elsewhere.

What comes out reads like a file that was written in one piece, so that nobody later has to know of two.
"""

from __future__ import annotations

import re

from ultracurate.core.errors import RowError

# The value is stripped outside: a lazy value between two runs of blanks takes the cube of their length.
_META = re.compile(rb"^[ \t]*ElementDataFile[ \t]*=([^\r\n]*+)\r?(?:\n|$)", re.MULTILINE)
_META_SKIP = re.compile(rb"^[ \t]*HeaderSize[ \t]*=[ \t]*(-?\d{1,12})[ \t]*\r?\n", re.MULTILINE)
_NRRD = re.compile(rb"^data ?file:([^\r\n]*+)\r?(?:\n|$)", re.MULTILINE | re.IGNORECASE)
_NIFTI_HEADERS = {b"ni1\0": 344, b"ni2\0": 4}
_HEADER = 16 << 20
"""Bytes of a text header that are looked at: a tracked sequence has some kilobytes for every frame."""


def data_file(data: bytes, fmt: str, name: str) -> str | None:
    """The data file that a header names, relative to it; None for a file that holds its own pixels.

    Args:
        data: the header.
        fmt: nifti, mha or nrrd.
        name: the header's own base name: a NIfTI header names nothing, its pixels are in `<stem>.img`.

    Raises:
        RowError: the header names a list or a pattern of files.
    """
    if fmt == "nifti":
        pair = any(data[at : at + 4] == magic for magic, at in _NIFTI_HEADERS.items())
        return re.sub(r"\.hdr$", ".img", name, flags=re.IGNORECASE) if pair and name.lower().endswith(".hdr") else None
    found = (_META if fmt == "mha" else _NRRD).search(data[:_HEADER])
    if found is None:
        return None
    named = found[1].strip(b" \t").decode("utf-8", "replace")
    if fmt == "mha" and named.upper() == "LOCAL":
        return None
    if "%" in named or named.upper().startswith("LIST"):
        raise RowError(f"{fmt}: expected one data file, found a header that names several; join them into one file")
    return named


def attach(header: bytes, pixels: bytes, fmt: str) -> bytes:
    """The header and its pixels as one file.

    Args:
        header: a header for which `data_file` gives a name.
        pixels: the content of that file.
        fmt: nifti, mha or nrrd.
    """
    if fmt == "nifti":
        return header + pixels
    if fmt == "nrrd":
        found = _NRRD.search(header[:_HEADER])
        text = header if found is None else header[: found.start()] + header[found.end() :]
        return text.rstrip(b"\r\n") + b"\n\n" + pixels
    skip = _META_SKIP.search(header[:_HEADER])
    if skip is not None:
        header = header[: skip.start()] + header[skip.end() :]
        # -1: the pixels are the end of the file, however long its own header is; its size is that of the picture.
        pixels = pixels[int(skip[1]) :] if int(skip[1]) >= 0 else pixels
    found = _META.search(header[:_HEADER])
    assert found is not None, "data_file named one"
    return header[: found.start()] + b"ElementDataFile = LOCAL\n" + pixels
