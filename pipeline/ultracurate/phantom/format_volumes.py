"""Volumes: NIfTI by nibabel; MetaImage and NRRD by hand, since their headers are a few lines of text."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import numpy as np

from ultracurate.core.errors import MissingExtraError
from ultracurate.phantom.format_facts import Facts, Writer
from ultracurate.phantom.textures import Grey


def _nifti(frames: Grey, facts: Facts) -> bytes:
    """NIfTI-1: x is the fastest axis, so columns, rows, slices; spacing in mm."""
    try:
        import nibabel
    except ImportError:
        raise MissingExtraError("Writing NIfTI files", "volumes") from None
    library: Any = nibabel
    values = np.moveaxis(frames, (0, 1, 2), (2, 1, 0))
    if frames.ndim == 4:
        values = np.ascontiguousarray(values).view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    image = library.Nifti1Image(values, np.diag([*(facts.spacing or (1.0, 1.0, 1.0)), 1.0]))
    image.header.set_xyzt_units("mm", "sec")
    data: bytes = image.to_bytes()
    return data


def _nifti_file(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".nii": _nifti(frames, facts)}


def _nifti_gz(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".nii.gz": gzip.compress(_nifti(frames, facts), 6, mtime=0)}


def _meta(frames: Grey, facts: Facts, file: str, compressed: int | None = None) -> bytes:
    """Header of a MetaImage (https://itk.org/Wiki/MetaIO/Documentation); `file` is LOCAL or a name beside it."""
    count, height, width = frames.shape[:3]
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        f"CompressedData = {compressed is not None}",
        *([f"CompressedDataSize = {compressed}"] if compressed is not None else []),
        "TransformMatrix = 1 0 0 0 1 0 0 0 1",
        "Offset = 0 0 0",
        "ElementSpacing = {} {} {}".format(*(facts.spacing or (1.0, 1.0, 1.0))),
        f"DimSize = {width} {height} {count}",
        *(["ElementNumberOfChannels = 3"] if frames.ndim == 4 else []),
        "ElementType = MET_UCHAR",
        f"ElementDataFile = {file}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _mha(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".mha": _meta(frames, facts, "LOCAL") + frames.tobytes()}


def _mha_zlib(frames: Grey, facts: Facts) -> dict[str, bytes]:
    packed = zlib.compress(frames.tobytes(), 6)
    return {".mha": _meta(frames, facts, "LOCAL", len(packed)) + packed}


def _mhd(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".mhd": _meta(frames, facts, "{stem}.raw"), ".raw": frames.tobytes()}


def _nrrd_header(frames: Grey, facts: Facts, encoding: str, file: str | None = None) -> bytes:
    """Header of an NRRD (https://teem.sourceforge.net/nrrd/format.html): axes from the fastest to the slowest."""
    colour = frames.ndim == 4
    x, y, z = facts.spacing or (1.0, 1.0, 1.0)
    sizes = [*([3] if colour else []), frames.shape[2], frames.shape[1], frames.shape[0]]
    lines = [
        "NRRD0004",
        "type: uint8",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {'none ' if colour else ''}({x},0,0) (0,{y},0) (0,0,{z})",
        f"kinds: {'RGB-color ' if colour else ''}domain domain domain",
        'space units: "mm" "mm" "mm"',
        f"encoding: {encoding}",
        *([f"data file: {file}"] if file else []),
    ]
    return ("\n".join(lines) + "\n\n").encode()


def _nrrd(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".nrrd": _nrrd_header(frames, facts, "raw") + frames.tobytes()}


def _nrrd_gzip(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".nrrd": _nrrd_header(frames, facts, "gzip") + gzip.compress(frames.tobytes(), 6, mtime=0)}


def _nhdr(frames: Grey, facts: Facts) -> dict[str, bytes]:
    packed = io.BytesIO(gzip.compress(frames.tobytes(), 6, mtime=0)).getvalue()
    return {".nhdr": _nrrd_header(frames, facts, "gzip", "{stem}.raw.gz"), ".raw.gz": packed}


WRITERS: dict[str, Writer] = {
    "nifti": _nifti_file,
    "nifti_gz": _nifti_gz,
    "mha": _mha,
    "mha_zlib": _mha_zlib,
    "mhd": _mhd,
    "nrrd": _nrrd,
    "nrrd_gzip": _nrrd_gzip,
    "nhdr": _nhdr,
}
"""Ways of writing; headers of formats in two files name the other one as `{stem}.<ending>`."""
