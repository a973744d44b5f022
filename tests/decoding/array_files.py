"""Files of arrays as NumPy, MATLAB (through scipy and h5py) and HDF5 write them."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import scipy.io

from tests.decoding.files import Array
from ultracurate.decoding.arrays import iter_array
from ultracurate.decoding.limits import each
from ultracurate.decoding.media import PLAIN, Reading


def frames(data: bytes, fmt: str, reading: Reading = PLAIN) -> list[Array]:
    return [image for _, _, image in each(fmt, iter_array(data, fmt, lambda *_: True, reading))]


def npy(array: Array) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(*, packed: Any = False, **arrays: Any) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, **arrays)
    return out.getvalue()


def mat(*, packed: bool = False, version: str = "5", **variables: Any) -> bytes:
    out = io.BytesIO()
    scipy.io.savemat(out, variables, do_compression=packed, format=version)
    return out.getvalue()


def hdf5(arrays: dict[str, Array], **settings: Any) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **settings)
    return out.getvalue()


def mat73(arrays: dict[str, Array], kind: str = "double") -> bytes:
    """As MATLAB 7.3 writes: a header of 512 bytes, axes in reverse, the class beside the values."""
    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            dataset = file.create_dataset(name, data=array.T)
            dataset.attrs["MATLAB_class"] = np.bytes_(kind)
        text = file.create_dataset("note", data=np.full((40, 40), 65, np.uint16))
        text.attrs["MATLAB_class"] = np.bytes_("char")
        file.create_dataset("#refs#/a", data=np.zeros((64, 64)))
    data = bytearray(out.getvalue())
    data[:128] = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM"
    return bytes(data)
