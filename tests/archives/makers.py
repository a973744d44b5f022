"""Archives of every kind, made by independent writers or by the letter of the format's own description."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import py7zr
import pyarrow as pa

Files = Mapping[str, bytes]


def make_7z(files: Files, **options: Any) -> bytes:
    """By py7zr: one solid stream, LZMA2 unless `filters` says otherwise; `password`, `header_encryption`."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return out.getvalue()


def make_7z_with(files: Files, modes: Mapping[str, int], renamed: Mapping[str, str]) -> bytes:
    """A 7z whose members say they are of another kind (a Unix mode), or have names that py7zr would not write."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        archive.set_encoded_header_mode(False)
        for name, data in files.items():
            archive.writestr(data, name)
    packed = bytearray(out.getvalue())
    offset, _ = struct.unpack_from("<QQ", packed, 12)
    attributes = len(packed) - 2 - 4 * len(files)  # the last field of the header
    for number, name in enumerate(files):
        if name in modes:
            struct.pack_into("<I", packed, attributes + 4 * number, modes[name] << 16 | 0x8020)
    for old, new in renamed.items():
        assert len(old) == len(new)
        place = packed.index(old.encode("utf-16-le"), 32 + offset)
        packed[place : place + 2 * len(old)] = new.encode("utf-16-le")
    struct.pack_into("<I", packed, 28, zlib.crc32(packed[32 + offset :]))
    struct.pack_into("<I", packed, 8, zlib.crc32(packed[12:32]))
    return bytes(packed)


def make_tar_zst(files: Files) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return make_zst(plain.getvalue())


def make_zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return bytes(sink.getvalue().to_pybytes())


def vint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


RAR5 = b"Rar!\x1a\x07\x01\x00"


def rar5_block(kind: int, flags: int, fields: bytes, data: bytes = b"", extra: bytes = b"") -> bytes:
    """One block of https://www.rarlab.com/technote.htm, with its checksum."""
    flags |= (1 if extra else 0) | (2 if kind == 2 else 0)
    head = vint(kind) + vint(flags) + (vint(len(extra)) if extra else b"") + (vint(len(data)) if kind == 2 else b"")
    body = head + fields + extra
    body = vint(len(body)) + body
    return zlib.crc32(body).to_bytes(4, "little") + body + data


def rar5_file(
    name: str, data: bytes, *, size: int | None = None, part: int = 0, extra: bytes = b"", **more: int
) -> bytes:
    """A stored file. `part`: 8 goes on from the last volume, 16 in the next; `flags` 8: size not stated."""
    raw = name.encode()
    flags = more.get("flags", 0) | 4
    crc = more.get("crc", zlib.crc32(data))
    fields = vint(flags) + vint(len(data) if size is None else size) + vint(more.get("attributes", 0o100644))
    fields += crc.to_bytes(4, "little") + vint(0) + vint(1) + vint(len(raw)) + raw
    return rar5_block(2, part, fields, data, extra)


def rar5_record(kind: int, body: bytes) -> bytes:
    """A record of the extra area."""
    content = vint(kind) + body
    return vint(len(content)) + content


def make_rar5(files: Files, *blocks: bytes) -> bytes:
    body = b"".join(rar5_file(name, data) for name, data in files.items())
    return RAR5 + rar5_block(1, 0, vint(0)) + body + b"".join(blocks) + rar5_block(5, 0, vint(0))


def make_rar5_volumes(name: str, data: bytes, cuts: list[int]) -> list[bytes]:
    """One stored file cut at the given places."""
    edges = [0, *cuts, len(data)]
    volumes = []
    for number, (start, end) in enumerate(pairwise(edges)):
        last = end == len(data)
        number_field = vint(number) if number else b""
        main = rar5_block(1, 0, vint(1 | (2 if number else 0)) + number_field)
        part = (8 if number else 0) | (0 if last else 16)
        piece = data[start:end]
        # Of a part its checksum is that of the packed part, of the last one that of the whole file.
        crc = zlib.crc32(data) if last else zlib.crc32(piece)
        volumes.append(
            RAR5
            + main
            + rar5_file(name, piece, size=len(data), part=part, crc=crc)
            + rar5_block(5, 0, vint(int(not last)))
        )
    return volumes


def make_rar4(files: Files) -> bytes:
    """The older format, stored (technote of UnRAR 3)."""

    def block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
        return (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + head + data

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, data in files.items():
        raw = name.encode("ascii")
        fields = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 20, 0x30, len(raw), 0o100644)
        out += block(0x74, 0x8000, fields + raw, data)
    return out + block(0x7B, 0x4000, b"")


def split_zip(data: bytes, size: int) -> list[bytes]:
    """A zip cut into volumes of `size` bytes as `zip -s` does it: places are a number of the volume and an offset."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        directory = archive.start_dir
    body = b"PK\x07\x08" + data[:directory]
    rest = bytearray(data[directory:])
    at = 0
    for info in infos:
        place = info.header_offset + 4
        struct.pack_into("<H", rest, at + 34, place // size)
        struct.pack_into("<I", rest, at + 42, place % size)
        lengths = struct.unpack_from("<3H", rest, at + 28)
        at += 46 + sum(lengths)
    start = len(body)
    whole = len(body) + len(rest)
    last = (whole - 1) // size
    struct.pack_into("<HHHHII", rest, at + 4, last, start // size, len(infos), len(infos), at, start % size)
    body += rest
    return [body[n : n + size] for n in range(0, len(body), size)]


def make_7z_of_names(count: int) -> bytes:
    """A few kilobytes of 7z (7zFormat.txt) whose packed header names `count` empty files."""
    names = b"a\0\0\0" * count
    header = b"\x01\x05" + seven_number(count)
    header += b"\x0e" + seven_number((count + 7) // 8) + b"\xff" * ((count + 7) // 8)  # none has a stream
    header += b"\x11" + seven_number(len(names) + 1) + b"\0" + names + b"\0\0"
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 2}]
    packed = lzma.compress(header, lzma.FORMAT_RAW, filters=filters)
    encoded = b"\x17\x06" + seven_number(0) + seven_number(1) + b"\x09" + seven_number(len(packed)) + b"\0"
    encoded += b"\x07\x0b\x01\x00\x01\x23\x03\x01\x01\x05" + b"\x5d" + (1 << 20).to_bytes(4, "little")
    encoded += b"\x0c" + seven_number(len(header)) + b"\0\0"
    start = struct.pack("<QQI", len(packed), len(encoded), zlib.crc32(encoded))
    return b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(start).to_bytes(4, "little") + start + packed + encoded


def seven_number(value: int) -> bytes:
    """A number as 7z writes it: the ones in front of the first byte count the bytes that follow."""
    for extra in range(8):
        if value < 1 << (7 * extra + 7):
            head = (0xFF00 >> extra) & 0xFF | value >> (8 * extra)
            return bytes([head]) + (value & (1 << 8 * extra) - 1).to_bytes(extra, "little")
    return b"\xff" + value.to_bytes(8, "little")
