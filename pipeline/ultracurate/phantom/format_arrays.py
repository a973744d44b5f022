"""Frames as plain arrays: NumPy, MATLAB, HDF5, and as encoded pictures in a TFRecord."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

from ultracurate.core.errors import MissingExtraError
from ultracurate.phantom.format_facts import Facts, Writer
from ultracurate.phantom.textures import Grey

_EPOCH = "Sun Jan 04 09:30:00 2026"


def _plain(frames: Grey) -> Grey:
    """One frame without its axis of frames, as people save it."""
    return frames[0] if len(frames) == 1 else frames


def _npy(frames: Grey, facts: Facts) -> dict[str, bytes]:
    out = io.BytesIO()
    np.save(out, _plain(frames), allow_pickle=False)
    return {".npy": out.getvalue()}


def _npz(frames: Grey, facts: Facts) -> dict[str, bytes]:
    out = io.BytesIO()
    np.savez_compressed(out, frames=_plain(frames), label=np.arange(3))
    return {".npz": out.getvalue()}


def _columns_first(frames: Grey) -> Grey:
    """As MATLAB holds it: (H, W, N), or (H, W, 3, N) in colour."""
    return _plain(frames) if len(frames) == 1 else np.moveaxis(frames, 0, -1)


def _mat5(frames: Grey, facts: Facts) -> dict[str, bytes]:
    try:
        from scipy.io import savemat
    except ImportError:
        raise MissingExtraError("Writing MATLAB files", "arrays") from None
    out = io.BytesIO()
    savemat(out, {"frames": _columns_first(frames), "label": np.arange(3)}, do_compression=True)
    data = bytearray(out.getvalue())
    data[:116] = f"MATLAB 5.0 MAT-file Platform: posix, Created on: {_EPOCH}".encode().ljust(116)
    return {".mat": bytes(data)}


def _hdf5(frames: Grey, facts: Facts) -> dict[str, bytes]:
    return {".h5": _h5({"study/frames": _plain(frames)}, 0)}


def _mat73(frames: Grey, facts: Facts) -> dict[str, bytes]:
    """A MATLAB 7.3 file is HDF5 behind 512 bytes, its axes turned round, since MATLAB counts columns first."""
    data = bytearray(_h5({"frames": _columns_first(frames).T}, 512))
    head = f"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: {_EPOCH} HDF5 schema 1.00 .".encode().ljust(116)
    data[:128] = head + bytes(8) + b"\x00\x02IM"
    return {".mat": bytes(data)}


def _h5(arrays: dict[str, Grey], before: int) -> bytes:
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("Writing HDF5 files", "arrays") from None
    library: Any = h5py
    out = io.BytesIO()
    with library.File(out, "w", userblock_size=before, track_order=False) as file:
        for name, array in arrays.items():
            made = file.create_dataset(name, data=array, compression="gzip", track_times=False)
            made.attrs["MATLAB_class"] = np.bytes_(b"uint8")
    return out.getvalue()


def _tfrecord(frames: Grey, facts: Facts) -> dict[str, bytes]:
    """One tf.train.Example for each frame, its picture as PNG under `image/encoded`, its number under `image/id`."""
    out = bytearray()
    for number, frame in enumerate(frames):
        picture = io.BytesIO()
        Image.fromarray(frame).save(picture, "PNG")
        features = {"image/encoded": _field(1, _field(1, picture.getvalue())), "image/id": _field(3, _field(1, number))}
        entries = (_field(1, _field(1, name.encode()) + _field(2, value)) for name, value in features.items())
        example = _field(1, b"".join(entries))
        length = struct.pack("<Q", len(example))
        out += length + _masked(length) + example + _masked(example)
    return {".tfrecord": bytes(out)}


def _field(number: int, value: bytes | int) -> bytes:
    """One protobuf field: a varint, or bytes with their length before them."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def _masked(data: bytes) -> bytes:
    """CRC-32C as TFRecord stores it, rotated by 15 bits (tensorflow/core/lib/hash/crc32c.h)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


WRITERS: dict[str, Writer] = {
    "npy": _npy,
    "npz": _npz,
    "mat5": _mat5,
    "mat73": _mat73,
    "hdf5": _hdf5,
    "tfrecord": _tfrecord,
}
"""Ways of writing arrays."""
