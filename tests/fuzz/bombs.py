"""Small files that ask for far too much, each through index and frames, in a process that knows its own memory."""

from __future__ import annotations

import gzip
import json
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.decoding.files import png_header
from tests.fuzz import bomb_arrays as arrays
from tests.fuzz import bomb_pictures as pictures
from tests.fuzz.bomb_pictures import WIDE, zeros
from tests.fuzz.child import memory_peak
from tests.stages.bench import Bench
from ultracurate.phantom.containers import pack
from ultracurate.phantom.packing import pack_tar, pack_zip


def _nested_zip() -> bytes:
    """As 42.zip: six levels, each ten times the one below, with 32 MiB of zeros at the bottom: 32 TB in all."""
    data = pack_zip({"x.png": bytes(32 << 20)}, stored=False)
    for level in range(6):
        data = pack_zip({f"{n}.zip": data for n in range(10)}, stored=False) if level else pack_zip({"0.zip": data})
    return data


def _overlapping_zip() -> bytes:
    """2,000 members whose directory entries all point at the same 8 MiB of zeros."""
    data = pack_zip({"00000.png": bytes(8 << 20)}, stored=False)
    at = data.find(b"PK\x01\x02")
    entry = data[at : data.find(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"00000", f"{n:05d}".encode()) for n in range(2000))
    return data[:at] + entries + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2000, 2000, len(entries), at, 0)


def _tar_headers() -> bytes:
    """300,000 empty members."""
    one = pack_tar({"x": b""}, compress=False)[:512]
    return gzip.compress(one * 300_000 + bytes(1024), 6, mtime=0)


def _tfrecord() -> bytes:
    return struct.pack("<Q", 1 << 60) + bytes(4) + bytes(1000)


BOMBS: dict[str, Callable[[], bytes]] = {
    "nested.zip": _nested_zip,
    "overlapping.zip": _overlapping_zip,
    "zeros.tar.gz": lambda: zeros(1024, 31),
    "zeros.tar.xz": lambda: pack("tar/xz", {"x.png": bytes(300 << 20)})["a.tar.xz"],
    "zeros.tar.bz2": lambda: pack("tar/bz2", {"x.png": bytes(300 << 20)})["a.tar.bz2"],
    "zeros.tar.zst": lambda: pack("tar/zst", {"x.png": bytes(600 << 20)})["a.tar.zst"],
    "zeros.7z": lambda: pack("7z", {"x.png": bytes(300 << 20)})["a.7z"],
    "headers.tar.gz": _tar_headers,
    "zeros.png.gz": lambda: zeros(3000, 31),
    "header.png": lambda: png_header(WIDE, WIDE),
    "valid.png": pictures.one_bit_png,
    "text.png": pictures.text_png,
    "wide.tif": pictures.wide_tiff,
    "wide.bmp": pictures.wide_bmp,
    "wide.j2k": pictures.wide_jp2,
    "wide.webp": pictures.wide_webp,
    "long.gif": pictures.long_gif,
    "long.png": pictures.long_apng,
    "long.webp": pictures.long_webp,
    "scans.jpg": pictures.jpeg_scans,
    "deflated.dcm": lambda: pictures.dicom(deflated=True),
    "frames.dcm": lambda: pictures.dicom(NumberOfFrames=str(10**9)),
    "wide.dcm": lambda: pictures.dicom(Rows=65_000, Columns=65_000),
    "true.nii.gz": lambda: arrays.nifti((1024, 1024, 3000), 3000),
    "lying.nii.gz": lambda: arrays.nifti((64, 64, 1), 3000),
    "sparse.h5": arrays.hdf5,
    "packed.h5": arrays.hdf5_packed,
    "packed.npz": arrays.npz,
    "short.npy": lambda: arrays.npy_header("(100000, 16000, 16000)") + bytes(100),
    "packed.mat": arrays.mat,
    "packed.mha": arrays.mha,
    "packed.nrrd": arrays.nrrd,
    "long.mp4": pictures.long_mp4,
    "wide.mkv": pictures.wide_mkv,
    "long.tfrecord": _tfrecord,
}
"""File -> its bytes; each must end as an error or a reject, in little memory and little time."""


def main() -> None:
    """Answer one line of JSON for each bomb named on the command line."""
    for name in sys.argv[1:]:
        data = BOMBS[name]()
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder))
            files = [bench.put(name, data)]
            before, began = memory_peak(reset=True), time.perf_counter()
            result, ctx = bench.call("index", files)
            lost = [(row["reason"], row["detail"]) for row in result.rejects.to_pylist()]
            lost += [(row["exception"], row["message"]) for row in ctx.errors]
            rows = result.rows.to_pylist()
            if rows:
                result, ctx = bench.call("frames", rows)
                lost += [(row["reason"], row["detail"]) for row in result.rejects.to_pylist()]
                lost += [(row["exception"], row["message"]) for row in ctx.errors]
            answer = {
                "name": name,
                "bytes": len(data),
                "lost": lost[:20],
                "told": len(lost),
                "rows": result.rows.num_rows,
            }
            answer |= {"seconds": time.perf_counter() - began, "peak": memory_peak() - before}
            left = [path.name for path in Path(folder, "tmp").rglob("*") if path.is_file()]
            sys.stdout.write(json.dumps(answer | {"left": len(left)}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
