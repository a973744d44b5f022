"""Turns valid bytes into hostile ones, the same ones for the same random draws; checksums may be made right again."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable

import numpy as np

Draws = np.random.Generator
LARGEST = 4 << 20
"""Bytes of a mutated file."""

NUMBERS = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE,
           0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
WORDS = (
    b"0", b"-1", b"1", b"3", b"65535", b"4294967295", b"99999999999999999999", b"1e308", b"-1e308", b"nan", b"inf",
    b"true", b"null", b"1.5", b"", b"%s%n", b"\x00", b"\xff\xfe",
)  # fmt: skip
TOKENS: dict[str, tuple[bytes, ...]] = {
    "png": (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"zTXt", b"eXIf", b"gAMA"),
    "jpg": (b"\xff\xd8", b"\xff\xc0", b"\xff\xc2", b"\xff\xc4", b"\xff\xda", b"\xff\xdb", b"\xff\xdd", b"\xff\xd9",
            b"\xff\xe1\x00\x20Exif\x00\x00", b"\xff\xee\x00\x0eAdobe"),
    "bmp": (b"BM", struct.pack("<i", -1), struct.pack("<HH", 1, 4), struct.pack("<I", 1), struct.pack("<I", 3)),
    "tif": (b"II*\0", b"MM\0*", b"II+\0", b"\x00\x01\x04\x00", b"\x01\x01\x04\x00", b"\x03\x01\x03\x00", b"\x11\x01",
            b"\x16\x01", b"\x1c\x01", b"\x53\x01"),
    "gif": (b"GIF89a", b"\x21\xf9\x04", b"\x2c", b"\x3b", b"\x21\xff\x0bNETSCAPE2.0"),
    "webp": (b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"EXIF"),
    "jp2": (b"\xff\x4f\xff\x51", b"\xff\x52", b"\xff\x5c", b"\xff\x90", b"\xff\x93", b"\xff\xd9", b"jp2c", b"ihdr",
            b"colr", b"pclr", b"cmap"),
    "mp4": (b"moov", b"trak", b"mdia", b"stbl", b"stsz", b"stco", b"stts", b"ctts", b"elst", b"mdat", b"avc1", b"avcC",
            b"free", b"moof", b"dref", b"url ", b"alis", b"tkhd", b"cmov", b"rmra"),
    "mkv": (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\xa3", b"\xa0",
            b"\xe7", b"\x63\xa2", b"\xff" * 8, b"\x01\xff\xff\xff\xff\xff\xff\xff"),
    "avi": (b"RIFF", b"LIST", b"hdrl", b"avih", b"strh", b"strf", b"movi", b"idx1", b"00dc", b"00db", b"odml", b"indx",
            b"MJPG", b"DIB ", b"H264"),
    "wmv": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\x36\x26\xb2\x75", b"\xa1\xdc\xab\x8c", b"WMV2", b"WMV1"),
    "mpg": (b"\0\0\1\xba", b"\0\0\1\xb3", b"\0\0\1\xb5", b"\0\0\1\xb8", b"\0\0\1\0", b"\0\0\1\xe0", b"\x47\x40\0\x10"),
    "dicom": (b"DICM", b"\x28\0\x10\0US", b"\x28\0\x08\0IS", b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff",
              b"\xfe\xff\0\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0", b"SQ\0\0",
              b"1.2.840.10008.1.2.1.99\0", b"1.2.840.10008.1.2.4.50\0", b"1.2.840.10008.1.2.5\0",
              b"1.2.840.10008.1.2.4.90\0", b"YBR_FULL_422", b"PALETTE COLOR "),
    "nifti": (struct.pack("<i", 348), struct.pack("<h", -1), struct.pack("<h", 7), struct.pack("<f", 1e30), b"n+1\0",
              struct.pack("<h", 1792), struct.pack("<h", 128)),
    "mha": (b"DimSize = ", b"NDims = ", b"ElementType = MET_DOUBLE\n", b"ElementDataFile = LOCAL\n",
            b"ElementDataFile = /etc/passwd\n", b"ElementDataFile = ../x\n", b"ElementDataFile = LIST\n",
            b"CompressedData = True\n", b"HeaderSize = -1\n", b"ElementNumberOfChannels = 3\n", b"Comment = "),
    "nrrd": (b"NRRD0005\n", b"sizes: ", b"dimension: 16\n", b"encoding: gzip\n", b"encoding: bzip2\n",
             b"encoding: hex\n", b"type: block\n", b"data file: /etc/passwd\n", b"data file: LIST\n",
             b"data file: x%d 1 9 1\n", b"line skip: 9\n",
             b"byte skip: -1\n", b"endian: big\n", b"block size: 9\n", b"space directions: none "),
    "npy": (b"\x93NUMPY\x01\0", b"\x93NUMPY\x03\0", b"'descr': '|O'", b"'descr': '<c16'", b"'shape': (", b"True",
            b"'|V8'", b"('a',[('b','<f4')])", b"__import__('os')"),
    "npz": (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"|O", b"descr"),
    "mat": (b"MATLAB 5.0", b"\x0e\0\0\0", b"\x0f\0\0\0", b"\x01\0\0\0", b"IM", b"MI", b"\x06\x08\0\0", b"\x11\0\0\0"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", b"SNOD", b"HEAP", b"TREE", b"OHDR", b"OCHK", b"FRHP", b"GCOL"),
    "container": (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"ustar\00000", b"../",
                  b"/", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\0", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0",
                  b"\x28\xb5\x2f\xfd", b"././@LongLink", b"30 path=../x\n", b"99999999999"),
    "annotations": (b"{", b"[", b"}", b"]", b",", b'"counts":"', b'"size":[', b'"id":', b"NaN", b"1e999", b'"\\ud800"',
                    b"<!DOCTYPE a [", b"<!ENTITY x 'y'>", b"&x;", b"<object>", b"</object>"),
    "table": (b"\n", b"\r", b'"', b",", b";", b"\t", b"key", b"\x00", b"\xff", b'"""', b"\n\n\n"),
}  # fmt: skip
TOKENS["mov"] = TOKENS["mp4"]


def mutate(data: bytes, kind: str, others: list[bytes], rng: Draws) -> bytes:
    """A few random wounds; inside of a compressed stream as well, and often with right checksums."""
    if data.startswith(b"\x1f\x8b") and rng.random() < 0.7:
        try:
            return gzip.compress(_wound(gzip.decompress(data), kind, others, rng), 1, mtime=0)
        except (OSError, EOFError, zlib.error):
            pass
    wounded = _wound(data, kind, others, rng)
    return _repair(wounded) if rng.random() < 0.6 else wounded


def _wound(data: bytes, kind: str, others: list[bytes], rng: Draws) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3, 5, 9]))):
        way = WAYS[int(rng.integers(len(WAYS)))]
        way(out, kind, others, rng)
        del out[LARGEST:]
    return bytes(out)


def _at(out: bytearray, rng: Draws, room: int = 0) -> int:
    """A place; headers are hit as often as all the rest."""
    most = max(1, len(out) - room)
    return int(rng.integers(min(most, 600) if rng.random() < 0.5 else most))


def _flip(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    for _ in range(int(rng.integers(1, 9))):
        if out:
            out[_at(out, rng)] ^= 1 << int(rng.integers(8))


def _byte(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    if out:
        out[_at(out, rng)] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))]))


def _number(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    """A length, an offset, a count: any width, either order, also a little beside what was there."""
    size = int(rng.choice([2, 4, 4, 4, 8]))
    if len(out) <= size:
        return
    at, order = _at(out, rng, size), "<" if rng.random() < 0.5 else ">"
    form = order + {2: "H", 4: "I", 8: "Q"}[size]
    old = struct.unpack_from(form, out, at)[0]
    near = old + int(rng.integers(-4, 5))
    value = near if rng.random() < 0.3 else NUMBERS[int(rng.integers(len(NUMBERS)))]
    struct.pack_into(form, out, at, value % (1 << 8 * size))


def _digits(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    """A number written in text, as tar, NRRD, MetaImage, NumPy, JSON and DICOM have them."""
    places = [at for at in range(min(len(out), 4000)) if 48 <= out[at] < 58]
    if not places:
        return
    start = end = places[int(rng.integers(len(places)))]
    while end < len(out) and 48 <= out[end] < 58:
        end += 1
    word = WORDS[int(rng.integers(len(WORDS)))]
    if rng.random() < 0.5:  # without moving what lies behind
        word = word[: end - start].ljust(end - start, b"9")
    out[start:end] = word


def _token(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    tokens = TOKENS.get(kind, TOKENS["container"])
    token, at = tokens[int(rng.integers(len(tokens)))], _at(out, rng)
    out[at : at + (len(token) if rng.random() < 0.5 else 0)] = token


def _blocks(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    """Delete, duplicate or swap runs of bytes."""
    if len(out) < 8:
        return
    size = min(len(out) // 2, 1 << int(rng.integers(14)))
    a, b = _at(out, rng, size), _at(out, rng, size)
    way = int(rng.integers(4))
    if way == 0:
        del out[a : a + size]
    elif way == 1:
        out[b:b] = bytes(out[a : a + size]) * int(rng.choice([1, 1, 2, 50]))
    elif way == 2:
        out[a : a + size], out[b : b + size] = out[b : b + size], out[a : a + size]
    else:
        out[a : a + size] = bytes([int(rng.choice([0, 255, int(rng.integers(256))]))]) * size


def _splice(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    """The head of another file, or a part of its middle."""
    if not others:
        return
    other = others[int(rng.integers(len(others)))]
    cut = int(rng.integers(1, min(len(other), 2000) + 1))
    if rng.random() < 0.5:
        out[:cut] = other[:cut]
    else:
        start = int(rng.integers(len(other)))
        out[_at(out, rng) :] = other[start:]


def _cut(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    if rng.random() < 0.5:
        del out[_at(out, rng) :]
    else:
        out += rng.bytes(int(rng.integers(1, 200)))


def _repeat(out: bytearray, kind: str, others: list[bytes], rng: Draws) -> None:
    """The same bytes so often that whoever follows them by recursion dies."""
    if rng.random() < 0.2 and out:
        at = _at(out, rng)
        out[at:at] = bytes(out[at : at + int(rng.integers(1, 24))]) * int(rng.choice([100, 5000, 50_000]))


WAYS: tuple[Callable[[bytearray, str, list[bytes], Draws], None], ...] = (
    _flip, _flip, _byte, _number, _number, _number, _digits, _token, _token, _blocks, _blocks, _splice, _cut, _repeat,
)  # fmt: skip


def _repair(data: bytes) -> bytes:
    """Right checksums where a wrong one would hide everything behind it: PNG chunks and RAR 5 headers."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _repair_png(data)
    return _repair_rar(data) if data.startswith(b"Rar!\x1a\x07\x01\x00") else data


def _repair_png(data: bytes) -> bytes:
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        (size,) = struct.unpack_from(">I", out, at)
        end = at + 8 + size
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


def _repair_rar(data: bytes) -> bytes:
    out, at = bytearray(data), 8
    while at + 7 < len(out):
        size = out[at + 4]  # headers of our seeds are shorter than 128 bytes
        end = at + 5 + size
        if size > 127 or end > len(out):
            break
        struct.pack_into("<I", out, at, zlib.crc32(out[at + 4 : end]))
        extra = _data_size(out[at + 5 : end])
        at = end + extra
    return bytes(out)


def _data_size(header: bytearray) -> int:
    """Bytes of data behind a RAR 5 header, from its third number if its second says that there are any."""
    values, value, shift = [], 0, 0
    for byte in header:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    return values[2] if len(values) > 2 and values[1] & 2 else 0
