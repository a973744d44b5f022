"""Files of invented deposits: named layouts, real small zips with believable members, large things made on demand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from ultracurate.phantom.hosts.records import Blob, HostFile

_SIZES = tuple(2_011 + 97 * step for step in range(60))
"""Bytes of zip members; few, so that packed bytes are made once and shared."""
_MAGIC = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "bmp": b"BM",
    "tif": b"II*\x00",
    "tiff": b"II*\x00",
    "dcm": b"\x00" * 128 + b"DICM",
    "": b"\x00" * 128 + b"DICM",
    "mp4": b"\x00\x00\x00\x18ftypmp42",
    "avi": b"RIFF\x00\x00\x00\x00AVI LIST",
    "wav": b"RIFF\x00\x00\x00\x00WAVEfmt ",
    "gz": b"\x1f\x8b\x08\x00",
    "mha": b"ObjectType = Image\nNDims = 3\n",
    "mat": b"MATLAB 5.0 MAT-file",
    "pdf": b"%PDF-1.7\n",
    "xlsx": b"PK\x03\x04",
    "docx": b"PK\x03\x04",
    "csv": b"id,age,value\n1,44,0.3\n",
    "txt": b"see the table\n",
    "py": b"import numpy as np\n",
    "json": b'{"version": 1}',
    "nrrd": b"NRRD0004\n",
}


def _suffix(name: str) -> str:
    tail = name.rpartition("/")[2]
    return tail.rpartition(".")[2].lower() if "." in tail else ""


@cache
def _packed(suffix: str, size: int) -> tuple[int, bytes]:
    """CRC and deflated bytes of a member: magic bytes, some that do not pack, then some that do."""
    head = _MAGIC.get(suffix, b"")
    data = (head + Random(size).randbytes(240)).ljust(size, b"\0")[:size]
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return zlib.crc32(data), packer.compress(data) + packer.flush()


def zip_bytes(members: Sequence[tuple[str, int]], comment: bytes = b"") -> bytes:
    """A zip of (name, size) members, made by hand because zipfile takes ten times as long."""
    body, directory = bytearray(), bytearray()
    for name, size in members:
        raw, (crc, packed) = name.encode(), _packed(_suffix(name), size)
        common = struct.pack("<HHHHHIIIHH", 20, 0x800, 8, 0, 0x5A21, crc, len(packed), size, len(raw), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + raw
        body += b"PK\x03\x04" + common + raw + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), len(comment))
    return bytes(body + directory + b"PK\x05\x06" + end + comment)


class Packer:
    """Makes the files of one world; no two archives of different content have the same size, as in life."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._taken: set[int] = set()

    def blob(self, key: str, low: int, high: int) -> HostFile:
        """A file of `low` to `high` bytes, as large as no other one that was asked for here."""
        size = self.chance.randint(low, high)
        while size in self._taken:
            size += 1
        self._taken.add(size)
        return HostFile(key, Blob(size, self.chance.randrange(16), hashed=False))

    def zip(self, key: str, names: Sequence[str]) -> HostFile:
        """A real zip whose members have these names."""
        return self.pack(key, [(name, self.chance.choice(_SIZES)) for name in names])

    def pack(self, key: str, members: Sequence[tuple[str, int]]) -> HostFile:
        """A real zip of (name, size) members."""
        data, spare = zip_bytes(members), 0
        while len(data) + spare in self._taken:
            spare += 1
        self._taken.add(len(data) + spare)
        return HostFile(key, zip_bytes(members, b" " * spare) if spare else data)

    def series(self, ending: str, low: int = 5, high: int = 14) -> list[str]:
        """Names of a run of files with this ending ("" for none), numbered in one of the ways people number them."""
        chance = self.chance
        form = chance.choice(_FORMS)
        first, stem = chance.choice((0, 1, 1, 1, 101)), f"{chance.randrange(16**6):06x}"
        tail = f".{ending}" if ending else ""
        return [form(stem, first + step) + tail for step in range(chance.randint(low, high))]

    def extras(self) -> list[HostFile]:
        """Side files that sets of every sort have: none, a README, a table, a licence."""
        number = self.chance.choice((0, 0, 1, 1, 2))
        return [self.blob(name, 300, 90_000) for name in self.chance.sample(_SIDE, number)]


_SIDE = ("README.txt", "readme.md", "labels.csv", "metadata.xlsx", "LICENSE", "split.json")
_FORMS: tuple[Callable[[str, int], str], ...] = (
    lambda stem, i: f"{i:04d}",
    lambda stem, i: f"img_{i}",
    lambda stem, i: f"IM{i:04d}",
    lambda stem, i: f"({i})",
    lambda stem, i: f"P{i:03d}_{i % 3}",
    lambda stem, i: f"case{i // 3:02d}/view{i % 3}",
    lambda stem, i: f"{stem}-{i:02d}",
    lambda stem, i: f"{stem[:3]}/{i:05d}",
)
