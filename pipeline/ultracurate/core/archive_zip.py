"""The members of a zip file, each with what is wrong with it."""

from __future__ import annotations

import bz2
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import BinaryIO

from ultracurate.core.archive_member import MIB, ArchiveLimits, Member, is_noise, normalise, read_exactly
from ultracurate.core.errors import RowError

_ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


def zip_members(fileobj: BinaryIO, limits: ArchiveLimits) -> Iterator[Member]:
    """Members in the order of their data; encrypted, overlapping, linked and over-compressed ones with a problem."""
    _check_directory(fileobj, limits)
    with zipfile.ZipFile(fileobj) as archive:
        infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
        for info, following in zip_longest(infos, infos[1:]):
            path = normalise(info.filename)
            if info.is_dir() or is_noise(path):
                continue
            problem = _zip_problem(info, limits)
            if not problem and following and info.header_offset + 30 + info.compress_size > following.header_offset:
                problem = "data that overlaps the next member"
            data = None if problem else _zip_data_offset(fileobj, info)
            offset = data if info.compress_type == zipfile.ZIP_STORED else None
            deflated = info.compress_type == zipfile.ZIP_DEFLATED
            deflate = (data, info.compress_size) if deflated and data is not None else None
            yield Member(path, info.file_size, offset, problem, _zip_reader(fileobj, archive, info), deflate)


def _check_directory(fileobj: BinaryIO, limits: ArchiveLimits) -> None:
    """Refuse a zip whose list of members is absurdly long, because `zipfile` reads all of it at once."""
    end = fileobj.seek(0, 2)
    fileobj.seek(max(0, end - 65_557))
    tail = fileobj.read()
    at = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    locator = tail.rfind(b"PK\x06\x07")
    if locator >= 0:  # zipfile follows it also where the short field holds a number of its own
        fileobj.seek(min(end, int.from_bytes(tail[locator + 8 : locator + 16], "little")))
        size = max(size % 0xFFFFFFFF, int.from_bytes(fileobj.read(56)[40:48], "little"))
    if size > max(MIB, 1024 * limits.max_members):
        raise RowError(f"a zip directory of {size} bytes, too long for {limits.max_members} members; it was not read")


def _zip_problem(info: zipfile.ZipInfo, limits: ArchiveLimits) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    if kind not in (0, stat.S_IFREG):
        return "a device or another special file"
    if info.flag_bits & 0x41:
        return "encrypted"
    if info.compress_type not in _ZIP_METHODS:
        return f"compression method {info.compress_type}, which is not supported"
    if info.file_size > MIB and info.file_size > limits.max_ratio * max(1, info.compress_size):
        return f"a compression ratio above {limits.max_ratio}"
    return None


def _zip_data_offset(fileobj: BinaryIO, info: zipfile.ZipInfo) -> int | None:
    """Where the data starts: the local header repeats name and extra field with lengths of its own."""
    fileobj.seek(info.header_offset)
    header = fileobj.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        return None
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    return int(info.header_offset + 30 + name_length + extra_length)


def _zip_reader(fileobj: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    # zipfile expands whatever LZMA input it is given at once, so it gets little at a time.
    step = 4096 if info.compress_type == zipfile.ZIP_LZMA else MIB

    def read() -> bytes:
        with archive.open(info) as source:
            return read_exactly(source.read, info.file_size, step)

    return (lambda: _read_bzip2(fileobj, info)) if info.compress_type == zipfile.ZIP_BZIP2 else read


def _read_bzip2(fileobj: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """A bzip2 member without zipfile, which would expand 4 KiB into gigabytes in one go."""
    at = _zip_data_offset(fileobj, info)
    if at is None:
        raise zipfile.BadZipFile
    fileobj.seek(at)
    packed = fileobj.read(info.compress_size)
    expander = bz2.BZ2Decompressor()
    data = expander.decompress(packed, max_length=info.file_size + 1)
    while not expander.eof and len(data) <= info.file_size:
        more = expander.decompress(b"", max_length=info.file_size + 1 - len(data))
        if not more:
            break
        data += more
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile
    return data
