"""The members of a zip file, each with what is wrong with it."""

from __future__ import annotations

import copy
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import BinaryIO

from ultracurate.archives.joined import Piece, joined
from ultracurate.archives.member import MIB, ArchiveLimits, Member, exactly, is_noise, measure, normalise
from ultracurate.archives.packed import Unpacked
from ultracurate.core.errors import RowError

_TAIL = 65_557  # the end record with the longest comment
_ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}

_UTF8, _SPOILED = 0x800, 0x8000  # flags of a member: its name is UTF-8; our own: it should be (a bit without a meaning)


def zip_members(fileobj: BinaryIO, limits: ArchiveLimits) -> Iterator[Member | None]:
    """Members in the order of their data, None for a folder or a system file.

    Encrypted, overlapping, linked and over-compressed ones come with a problem.
    """
    _check_directory(fileobj, limits)
    try:
        archive = zipfile.ZipFile(fileobj)  # left open: it owns nothing, and members may be read after the last came
    except UnicodeDecodeError:
        archive = zipfile.ZipFile(_decodable(fileobj))
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    for info, following in zip_longest(infos, infos[1:]):
        path = normalise(_zip_name(info))
        if info.is_dir() or is_noise(path):
            yield None
            continue
        problem = _zip_problem(info, limits)
        if not problem and following and info.header_offset + 30 + info.compress_size > following.header_offset:
            problem = "data that overlaps the next member"
        data = None if problem else _zip_data_offset(fileobj, info)
        offset = data if info.compress_type == zipfile.ZIP_STORED else None
        deflated = info.compress_type == zipfile.ZIP_DEFLATED
        deflate = (data, info.compress_size) if deflated and data is not None else None
        yield Member(path, info.file_size, offset, problem, _zip_chunks(fileobj, archive, info), deflate)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name as UTF-8 where the archive holds it so; zipfile takes what is not flagged as UTF-8 for cp437.

    Either Info-ZIP's Unicode path field (APPNOTE.TXT 4.6.9) says so, or the bytes are UTF-8 although nothing does, as
    in the zips of macOS. A name in another old code page stays what cp437 makes of it.
    """
    if info.flag_bits & _UTF8:
        return info.filename
    if info.flag_bits & _SPOILED:
        return info.orig_filename.encode("cp437").partition(b"\0")[0].decode(errors="surrogateescape")
    try:
        raw = info.orig_filename.encode("cp437")
        return _unicode_path(info.extra, raw) or raw.partition(b"\0")[0].decode()
    except UnicodeError:
        return info.filename


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        content = extra[at + 4 : at + 4 + size]
        if tag == 0x7075 and content[:1] == b"\x01" and content[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            return content[5:].decode()
        at += 4 + size
    return None


def _decodable(fileobj: BinaryIO) -> BinaryIO:
    """The zip with every name that is not the UTF-8 it claims to be flagged as such: zipfile would refuse the whole."""
    end = measure(fileobj)
    fileobj.seek(max(0, end - _TAIL))
    tail = fileobj.read()
    at = tail.rfind(b"PK\x05\x06")
    stop = end - len(tail) + at
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if tail[max(0, at - 20) :].startswith(b"PK\x06\x07"):
        stop -= 76  # the records of zip64 lie between
        fileobj.seek(stop)
        size = int.from_bytes(fileobj.read(56)[40:48], "little")
    start = max(0, stop - size)
    fileobj.seek(start)
    directory = bytearray(fileobj.read(stop - start))
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(directory):
        flags, lengths = directory[at + 9], struct.unpack_from("<3H", directory, at + 28)
        try:
            directory[at + 46 : at + 46 + lengths[0]].decode()
        except UnicodeDecodeError:
            if flags & _UTF8 >> 8:
                directory[at + 9] = flags & ~(_UTF8 >> 8) | _SPOILED >> 8
        at += 46 + sum(lengths)
    anew = Piece(io.BytesIO(directory), 0, len(directory))
    return joined([Piece(fileobj, 0, start), anew, Piece(fileobj, stop, end - stop)])


def _check_directory(fileobj: BinaryIO, limits: ArchiveLimits) -> None:
    """Refuse a part of a zip, and one whose list of members is absurdly long: `zipfile` reads all of it at once."""
    end = fileobj.seek(0, 2)
    fileobj.seek(max(0, end - _TAIL))
    tail = fileobj.read()
    at = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    volume = int.from_bytes(tail[at + 4 : at + 6], "little") if at >= 0 else 0
    if 0 < volume < 0xFFFF:
        raise RowError(f"expected a whole zip, found volume {volume + 1} of a split one; add the others (.z01, ...)")
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


def _zip_chunks(fileobj: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    # zipfile expands whatever LZMA input it is given at once, so it gets little at a time.
    step = 4096 if info.compress_type == zipfile.ZIP_LZMA else MIB

    def chunks() -> Iterator[bytes]:
        wider = copy.copy(info)
        wider.file_size += 1  # else zipfile stops at the declared size, and the stream can hold gigabytes more
        source_of = _flagged(fileobj, archive, info) if info.flag_bits & _SPOILED else archive
        with source_of.open(wider) as source:
            yield from exactly(source.read, info.file_size, step)
            if source.read(1):
                raise zipfile.BadZipFile

    return (lambda: _bzip2_chunks(fileobj, info)) if info.compress_type == zipfile.ZIP_BZIP2 else chunks


def _flagged(fileobj: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> zipfile.ZipFile:
    """The archive with the member's own header flagged as its entry is; zipfile compares the name in both."""
    at, flags = info.header_offset + 6, io.BytesIO(info.flag_bits.to_bytes(2, "little"))
    anew = copy.copy(archive)
    anew.fp = joined([Piece(fileobj, 0, at), Piece(flags, 0, 2), Piece(fileobj, at + 2, measure(fileobj) - at - 2)])
    return anew


def _bzip2_chunks(fileobj: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A bzip2 member without zipfile, which would expand 4 KiB into gigabytes in one go."""
    at = _zip_data_offset(fileobj, info)
    if at is None:
        raise zipfile.BadZipFile
    end = at + info.compress_size

    def packed(size: int) -> bytes:
        nonlocal at
        fileobj.seek(at)
        data = fileobj.read(min(size, end - at))
        at += len(data)
        return data

    stream, size, digest = Unpacked(packed, "bzip2"), 0, 0
    while data := stream.read(min(MIB, info.file_size + 1 - size)):
        size, digest = size + len(data), zlib.crc32(data, digest)
        if size > info.file_size:
            raise zipfile.BadZipFile
        yield data
    if size != info.file_size or digest != info.CRC:
        raise zipfile.BadZipFile
