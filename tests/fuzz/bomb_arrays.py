"""Volumes and arrays whose headers promise, or whose streams unpack to, gigabytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from tests.fuzz.bomb_pictures import grey, zeros
from ultracurate.phantom.formats import write


def nifti(dims: tuple[int, int, int], mib: int) -> bytes:
    data = bytearray(write("nifti", grey()[None]))
    struct.pack_into("<hhhh", data, 40, 3, *dims)
    packer = zlib.compressobj(9, wbits=31)
    body = packer.compress(bytes(data)) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(mib))
    return body + packer.flush()


def hdf5() -> bytes:
    """Declares 25 TB, of which nothing is stored."""
    import h5py

    library: Any = h5py
    out = io.BytesIO()
    with library.File(out, "w") as file:
        file.create_dataset("frames", (100_000, 16_000, 16_000), "u1", chunks=(1, 16_000, 16_000), fillvalue=7)
    return out.getvalue()


def hdf5_packed() -> bytes:
    """Chunks of zeros that unpack to 3 GB, 1,000 times their size."""
    import h5py

    library: Any = h5py
    out = io.BytesIO()
    with library.File(out, "w") as file:
        made = file.create_dataset("frames", (12, 16_000, 16_000), "u1", chunks=(1, 16_000, 16_000), compression="gzip")
        chunk = zeros(245)
        for number in range(12):
            made.id.write_direct_chunk((number, 0, 0), chunk)
    return out.getvalue()


def npy_header(shape: str) -> bytes:
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head = head.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head


def npz() -> bytes:
    """An array of 2 GB of zeros."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("frames.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy_header("(2048, 1024, 1024)"))
        for _ in range(2048):
            member.write(bytes(1 << 20))
    return out.getvalue()


def mat() -> bytes:
    """A compressed element that unpacks to 2 GB."""
    whole = write("mat", grey()[None])
    body = zeros(2048)
    return whole[:128] + struct.pack("<II", 15, len(body)) + body


def mha() -> bytes:
    header = write("mha/zlib", grey()[None]).split(b"ElementDataFile")[0]
    header = header.replace(b"DimSize = 64 64 1", b"DimSize = 1024 1024 3000")
    return header + b"ElementDataFile = LOCAL\n" + zeros(3000)


def nrrd() -> bytes:
    header = write("nrrd/gzip", grey()[None]).split(b"\n\n")[0]
    return header.replace(b"sizes: 64 64 1", b"sizes: 1024 1024 3000") + b"\n\n" + zeros(3000, 31)
