"""Archives of every kind that is opened, in one file or in several parts, for proofs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.phantom.packing import pack_tar, pack_zip

Members = dict[str, bytes]
Parts = dict[str, bytes]
"""File name to bytes: one file, or the parts of one archive."""


def pack(kind: str, members: Members, stem: str = "a") -> Parts:
    """An archive of name -> bytes as a file called after `stem`, or as the files that are its parts.

    Raises:
        ConfigError: `kind` is no key of `CONTAINERS`.
        MissingExtraError: 7z without libarchive.
    """
    if kind not in CONTAINERS:
        raise ConfigError(f"Expected one of {', '.join(CONTAINERS)}, found {kind!r}. Choose one of these.")
    return CONTAINERS[kind](members, stem)


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def _tar(ending: str, squeeze: Callable[[bytes], bytes]) -> Callable[[Members, str], Parts]:
    return lambda members, stem: {f"{stem}.tar{ending}": squeeze(pack_tar(members, compress=False))}


def _seven(members: Members) -> bytes:
    try:
        import libarchive
    except (ImportError, OSError, AttributeError):  # the package, or the library that it loads
        raise MissingExtraError("Writing 7z archives", "archives") from None
    library: Any = libarchive
    # A 7z has its directory at the end and a pointer to it at the start: its writer wants a real file.
    with tempfile.TemporaryDirectory(prefix="ultracurate-7z-") as folder:
        path = Path(folder) / "a.7z"
        with library.file_writer(str(path), "7zip") as archive:
            for name, data in members.items():
                archive.add_file_from_memory(name, len(data), data, permission=0o644, mtime=0)
        return path.read_bytes()


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
    """One block of a RAR 5 archive: its header with length and checksum, then its data."""
    size = _vint(len(data)) if flags & 2 else b""
    header = _vint(kind) + _vint(flags) + size + fields
    header = _vint(len(header)) + header
    return struct.pack("<I", zlib.crc32(header)) + header + data


def _rar(members: Members) -> bytes:
    """A RAR 5 archive of stored members (https://www.rarlab.com/technote.htm)."""
    out = b"Rar!\x1a\x07\x01\x00" + _block(1, 0, _vint(0))
    for name, data in members.items():
        written = name.encode()
        facts = _vint(4) + _vint(len(data)) + _vint(0o100644) + struct.pack("<I", zlib.crc32(data))
        out += _block(2, 2, facts + _vint(0) + _vint(1) + _vint(len(written)) + written, data)
    return out + _block(5, 0, _vint(0))


def _cut(data: bytes, parts: int = 3) -> list[bytes]:
    step = -(-len(data) // parts)
    return [data[start : start + step] for start in range(0, len(data), step)]


def _numbered(name: str, data: bytes) -> Parts:
    return {f"{name}.{number:03d}": piece for number, piece in enumerate(_cut(data), 1)}


def _split_zip(members: Members, stem: str) -> Parts:
    """`.z01`, `.z02`, ..., `.zip`: offsets count from the start of the part they lie in (APPNOTE 8.5.4).

    A local header must not be cut, so each part ends where a member ends.
    """
    disks = [b"PK\x07\x08"]
    directory = bytearray()
    for number, (name, data) in enumerate(members.items()):
        if number and number % max(1, len(members) // 3) == 0 and len(disks) < 3:
            disks.append(b"")
        written = name.encode()
        facts = struct.pack(
            "<HHHHHIIIHH", 20, 0x800, 0, 0x4BC0, 0x5C25, zlib.crc32(data), len(data), len(data), len(written), 0
        )
        place = struct.pack("<HHHII", 0, len(disks) - 1, 0, 0o100644 << 16, len(disks[-1]))
        directory += b"PK\x01\x02" + struct.pack("<H", 20 | 3 << 8) + facts + place + written
        disks[-1] += b"PK\x03\x04" + facts + written + data
    disks.append(b"")  # the directory has the last part to itself
    last = len(disks) - 1
    end = struct.pack("<HHHHIIH", last, last, len(members), len(members), len(directory), 0, 0)
    disks[-1] = bytes(directory) + b"PK\x05\x06" + end
    return {f"{stem}.z{number:02d}": disk for number, disk in enumerate(disks[:-1], 1)} | {f"{stem}.zip": disks[-1]}


def _nested(members: Members, stem: str) -> Parts:
    """A zip in a tar.gz in a zip."""
    inner = pack_tar({"inner.zip": pack_zip(members, stored=False)})
    return {f"{stem}.zip": pack_zip({"middle.tar.gz": inner})}


CONTAINERS: dict[str, Callable[[Members, str], Parts]] = {
    "zip": lambda members, stem: {f"{stem}.zip": pack_zip(members)},
    "zip/deflated": lambda members, stem: {f"{stem}.zip": pack_zip(members, stored=False)},
    "zip/nested": _nested,
    "zip/split": _split_zip,
    "zip/numbered": lambda members, stem: _numbered(f"{stem}.zip", pack_zip(members)),
    "tar": _tar("", bytes),
    "tar/gz": _tar(".gz", lambda data: gzip.compress(data, 6, mtime=0)),
    "tar/bz2": _tar(".bz2", bz2.compress),
    "tar/xz": _tar(".xz", lzma.compress),
    "tar/zst": _tar(".zst", _zstd),
    "7z": lambda members, stem: {f"{stem}.7z": _seven(members)},
    "7z/numbered": lambda members, stem: _numbered(f"{stem}.7z", _seven(members)),
    "rar": lambda members, stem: {f"{stem}.rar": _rar(members)},
}
"""Kinds of archives, by `kind` or `kind/variant`."""

SQUEEZED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 6, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}
"""Ways of compressing one single file, by the ending they add."""


def gzip_bomb(size: int) -> bytes:
    """A gzip stream that unpacks to `size` zero bytes, for proofs of bounds."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as stream:
        for start in range(0, size, 1 << 20):
            stream.write(bytes(min(1 << 20, size - start)))
    return out.getvalue()
