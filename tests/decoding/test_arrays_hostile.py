"""Files of arrays that lie, run code, name other files or unpack to gigabytes."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoding.array_files import frames, hdf5, mat, mat73, npy, npz
from tests.decoding.files import speckle
from ultracurate.core.errors import RowError
from ultracurate.decoding.arrays import probe_array
from ultracurate.decoding.media import Reading

PICTURE = speckle(20, 30)


class _Evil:
    """Leaves a folder behind wherever it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def refused(data: bytes, fmt: str, match: str, reading: Reading = Reading()) -> None:  # noqa: B008 (frozen)
    for function in (probe_array, frames):
        with pytest.raises(RowError, match=match) as caught:
            function(data, fmt, reading)
        assert str(caught.value).startswith((f"{fmt}: ", f"'{fmt}': "))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    evil = np.full((20, 30), _Evil(trap), object)
    refused(npy(evil), "npy", "Python objects")
    refused(npz(a=evil), "npz", "Python objects")
    refused(npz(a=evil, packed=True), "npz", "Python objects")
    record = np.zeros((20, 30), [("a", object)])
    record["a"] = evil
    refused(npy(record), "npy", "Python objects")
    refused(pickle.dumps(_Evil(trap)), "npy", "could not be decoded")
    assert not trap.exists()


def numpy_header(descr: str, shape: str, order: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (numpy_header("'|u1'", "(100000, 10000, 10000)"), "looks like|at most"),
        (numpy_header("'|u1'", "(20, 30)"), "truncated"),
        (numpy_header("'|u1'", "(-20, -30)"), "negative|not"),
        (numpy_header("'|u1'", "(20, 30)") + bytes(599), "truncated"),
        (numpy_header("'|V2000000000'", "(20, 30)"), "expected an array of pictures"),
        (numpy_header("('|u1', (9, 9))", "(20, 30)") + bytes(600), "."),
        (numpy_header("'|u1'", "(20, 30)" + " " * 12_000), "could not be decoded"),
        (numpy_header("__import__('os')", "(20, 30)"), "could not be decoded"),
        (numpy_header("'|u1'", "(" + "(" * 3000), "could not be decoded"),
        (b"\x93NUMPY\x09\x00" + bytes(99), "could not be decoded"),
        (npy(PICTURE)[:9], "could not be decoded"),
        (numpy_header("'<f8'", "(40, 16000, 16000)"), "at most"),
    ],
)  # fmt: skip
def test_numpy_headers_that_lie(data: bytes, match: str) -> None:
    tracemalloc.start()
    try:
        refused(data, "npy", match)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_npz_members_are_read_as_far_as_their_headers_say_and_bombs_are_not() -> None:
    def member(body: bytes, method: int) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("a.npy", body)
        return out.getvalue()

    long = npy(PICTURE) + bytes(60_000_000)
    tracemalloc.start()
    try:
        data = member(long, zipfile.ZIP_DEFLATED)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert np.array_equal(frames(data, "npz")[0], PICTURE)
        assert tracemalloc.get_traced_memory()[1] - before < 6_000_000
    finally:
        tracemalloc.stop()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert np.array_equal(frames(member(npy(PICTURE), method), "npz")[0], PICTURE)
    refused(member(numpy_header("'|u1'", "(9, 9000, 9000)"), zipfile.ZIP_DEFLATED), "npz", "truncated")
    broken = bytearray(npz(a=PICTURE, packed=True))
    broken[60:90] = bytes(30)
    refused(bytes(broken), "npz", ".")
    refused(npz(a=PICTURE)[:300], "npz", ".")


def compressed(body: bytes, declared: int | None = None) -> bytes:
    """A MATLAB 5 file of one packed element: a matrix that declares its length, then `body`."""
    element = struct.pack("<II", 14, len(body) if declared is None else declared) + body
    packed = zlib.compress(element)
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed


def matrix(kind: int, shape: tuple[int, ...], values: bytes, stored: int = 2, length: int | None = None) -> bytes:
    flags = struct.pack("<IIII", 6, 8, kind, 0)
    axes = struct.pack(f"<{len(shape)}i", *shape)
    axes = struct.pack("<II", 5, len(axes)) + axes + bytes(-len(axes) % 8)
    name = struct.pack("<HH4s", 1, 1, b"a")
    return flags + axes + name + struct.pack("<II", stored, len(values) if length is None else length) + values


def test_matlab_elements_that_lie() -> None:
    body = PICTURE.T.tobytes()
    assert np.array_equal(frames(compressed(matrix(9, (20, 30), body)), "mat")[0], PICTURE)
    tracemalloc.start()
    try:
        refused(compressed(matrix(9, (20, 30), body), declared=4_000_000_000), "mat", "at most")
        refused(compressed(matrix(9, (20, 30), body), declared=900_000_000), "mat", "truncated")
        refused(compressed(matrix(2, (1, 1), body), declared=900_000_000), "mat", "truncated")
        refused(compressed(matrix(9, (16_000, 16_000, 90), body)), "mat", "bomb|at most")
        refused(compressed(matrix(9, (20, 31), body)), "mat", "expected 620 numbers")
        refused(compressed(matrix(9, (20, 30), body, stored=99)), "mat", "another kind")
        refused(compressed(matrix(9, (-20, -30), body)), "mat", "negative")
        refused(compressed(matrix(9, (2,) * 40, body)), "mat", "32 axes")
        refused(compressed(matrix(9, (20, 30), body, length=1 << 31)), "mat", "another kind")
        refused(compressed(matrix(9, (20, 30), body))[:-40], "mat", "truncated")
        cell = matrix(9, (20, 30), body)
        for _ in range(12):
            cell = matrix(1, (1, 1), cell, stored=14)
        refused(compressed(cell), "mat", "deep")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    refused(mat(a=PICTURE, version="4")[:-5], "mat", "truncated")
    refused(struct.pack("<5I", 0, 2**31, 2**31, 0, 2) + b"a\0", "mat", "at most")
    refused(struct.pack("<5I", 777_777, 20, 30, 0, 2) + b"a\0" + body, "mat", "another kind")


def test_cells_of_countless_arrays_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultracurate.decoding._arrays.mat.MAX_ARRAYS", 1000)
    cells = matrix(1, (1, 2000), b"")[:-8]
    small = matrix(9, (1, 1), bytes(8))
    refused(compressed(cells + (struct.pack("<II", 14, len(small)) + small) * 2000), "mat", "at most 1000 arrays")


def test_structures_share_one_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand packed structures may not stay in memory at full length each."""
    data = mat(a={"x": PICTURE}, b={"y": np.zeros((300, 300))}, packed=True)
    assert np.array_equal(frames(data, "mat", Reading(array="a/x"))[0], PICTURE)
    monkeypatch.setattr("ultracurate.decoding._arrays.mat.MAX_BYTES", 100_000)
    refused(data, "mat", "in all", Reading(array="a/x"))


def test_hdf5_files_that_name_other_files_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    secret.write_bytes(hdf5({"a": PICTURE}))
    raw = tmp_path / "secret.raw"
    raw.write_bytes(PICTURE.tobytes())

    def written(fill: Callable[[Any], Any]) -> bytes:
        out = io.BytesIO()
        with h5py.File(out, "w") as file:
            fill(file)
        return out.getvalue()

    def external_link(file: Any) -> None:
        file["a"] = h5py.ExternalLink(str(secret), "/a")

    def soft_link(file: Any) -> None:
        file["a"] = h5py.SoftLink("/nowhere")

    def external_storage(file: Any) -> None:
        file.create_dataset("a", (20, 30), "u1", external=[(str(raw), 0, 600)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout((20, 30), "u1")
        layout[:] = h5py.VirtualSource(str(secret), "a", (20, 30))
        file.create_virtual_dataset("a", layout)

    for name, fill in (("link", external_link), ("storage", external_storage), ("virtual", virtual)):
        (tmp_path / name).write_bytes(written(fill))
        with h5py.File(tmp_path / name, "r") as file:
            assert np.array_equal(file["a"][:], PICTURE)  # h5py itself does follow
    for fill in (external_link, soft_link):
        refused(written(fill), "hdf5", "expected an array of pictures")
        refused(written(fill), "hdf5", "correct `array`", Reading(array="a"))
    for fill in (external_storage, virtual):
        refused(written(fill), "hdf5", "lies in other files")


def test_hdf5_circles_filters_and_sizes() -> None:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("g/a", data=PICTURE)
        file["g/again"] = file["/"]
        file["twice"] = file["g/a"]
    assert np.array_equal(frames(out.getvalue(), "hdf5")[0], PICTURE)

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((20, 30))
        plist.set_filter(32_015, h5py.h5z.FLAG_OPTIONAL, ())  # Zstandard: a plug-in
        space = h5py.h5s.create_simple((20, 30))
        h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_UINT8, space, plist).write_direct_chunk((0, 0), bytes(600))
    refused(out.getvalue(), "hdf5", "another filter")

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("a", (90_000, 10_000, 10_000), "u1", chunks=(1, 1000, 1000))
    refused(out.getvalue(), "hdf5", "bomb")

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("a", (1, 8000, 8000), "f8", chunks=(1, 8000, 8000))
    refused(out.getvalue(), "hdf5", "chunks of at most")

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_group("/".join("g" * 40)).create_dataset("a", data=PICTURE)
    refused(out.getvalue(), "hdf5", "deep")


SEEDS = [
    (npy(PICTURE.astype("<i2")), "npy"), (npz(a=PICTURE, packed=True), "npz"), (npz(a=PICTURE), "npz"),
    (mat(a=PICTURE, s={"b": 1}), "mat"), (mat(a=PICTURE, packed=True), "mat"), (mat(a=PICTURE, version="4"), "mat"),
    (hdf5({"g/a": PICTURE}), "hdf5"), (hdf5({"a": PICTURE}, compression="gzip"), "hdf5"),
    (mat73({"a": PICTURE}), "mat"),
]  # fmt: skip


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2500), st.binary(min_size=1, max_size=4)), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_is_a_row_error_or_pictures(seed: tuple[bytes, str], edits: list[tuple[int, bytes]]) -> None:
    data, fmt = bytearray(seed[0]), seed[1]
    for at, value in edits:
        data[at % len(data) : at % len(data) + len(value)] = value
    for function in (probe_array, frames):
        try:
            function(bytes(data), fmt)
        except RowError:
            continue
