"""Small volumes as the libraries of the field write them, and what decoding them must give."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np

from tests.decoding.files import Array
from ultracurate.decoding.levels import to_8bit
from ultracurate.decoding.limits import each
from ultracurate.decoding.media import PLAIN, Reading
from ultracurate.decoding.volumes import Companion, iter_volume

TYPES = {
    "u1": "MET_UCHAR", "i1": "MET_CHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT", "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}  # fmt: skip


def frames(data: bytes, fmt: str, reading: Reading = PLAIN, companion: Companion | None = None) -> list[Array]:
    return [image for _, _, image in each(fmt, iter_volume(data, fmt, lambda *_: True, reading, companion))]


def times(data: bytes, fmt: str, reading: Reading = PLAIN) -> list[float | None]:
    return [time_s for _, time_s, _ in iter_volume(data, fmt, lambda *_: True, reading)]


def nifti(values: Array, *, version: int = 1, units: tuple[str, str] = ("mm", "sec"), **fields: Any) -> bytes:
    """A file of `values` with axes (x, y, z, t); `fields` overwrite the header."""
    kind: Any = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image  # without type information
    image = kind(values, np.eye(4), dtype=values.dtype)
    image.header.set_xyzt_units(*units)
    zooms = fields.pop("zooms", None)
    if zooms:
        image.header.set_zooms(zooms)
    data = bytearray(image.to_bytes())
    header: Any = type(image.header)(bytes(data[: image.header.sizeof_hdr]), check=False)
    for name, value in fields.items():
        header[name] = value
    data[: image.header.sizeof_hdr] = header.binaryblock
    return bytes(data)


def mha(values: Array, *, packed: bool = False, big: bool = False, data_file: str = "LOCAL", **fields: Any) -> bytes:
    """A file of `values` with axes (x, y, z); with another `data_file`, the header alone."""
    kind = values.dtype.str[1:]
    body = values.T.astype((">" if big else "<") + kind).tobytes()
    body = zlib.compress(body) if packed else body
    lines: dict[str, Any] = {
        "ObjectType": "Image", "NDims": values.ndim, "BinaryData": True, "BinaryDataByteOrderMSB": big,
        "CompressedData": packed, "DimSize": " ".join(map(str, values.shape)), "ElementType": TYPES[kind],
    } | fields  # fmt: skip
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)
    return f"{text}ElementDataFile = {data_file}\n".encode() + (body if data_file == "LOCAL" else b"")


def nrrd_file(values: Array, folder: Path, **header: Any) -> bytes:
    """A file of `values` with axes as the header counts them, written by pynrrd."""
    nrrd.write(str(folder / "x.nrrd"), values, header)
    return (folder / "x.nrrd").read_bytes()


def expected(values: Array) -> list[Array]:
    """Slices of (x, y, z) as pictures, all scaled alike."""
    cube = values.reshape(values.shape[0], values.shape[1], -1)
    low, high = float(np.min(values)), float(np.max(values))
    return [to_8bit(cube[:, :, index].T, low, high) for index in range(cube.shape[2])]


def same(found: list[Array], wanted: list[Array]) -> bool:
    return len(found) == len(wanted) and all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))
