"""DICOM files made to hurt: each ends in a row error, in bounded memory."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ultracurate.core.errors import RowError
from ultracurate.decoding._dicom import frames as _dicom_frames
from ultracurate.decoding._dicom import reading as _dicom_reading
from ultracurate.decoding._dicom.gdcm import GdcmFailedError, unpack
from ultracurate.decoding.dicom import cardiac_times, identifying, iter_dicom, probe_dicom, technical
from ultracurate.phantom.dicom_codecs import encode_frame
from ultracurate.phantom.dicom_files import SYNTAXES, encode, palette

STILL, LARGER = np.zeros((1, 8, 8), np.uint8), np.zeros((1, 96, 96), np.uint8)
COUNT = 10_000
"""Elements of a header that has too many; more where the limit is the real one."""
IMPLICIT, EXPLICIT = SYNTAXES["implicit"], SYNTAXES["explicit"]
UNDEFINED = b"\xff\xff\xff\xff"
ITEM = b"\xfe\xff\x00\xe0"


def part10(syntax: str, body: bytes) -> bytes:
    """A file around a data set, as short as the standard allows."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + body


def element(tag: int, value: bytes, length: int | None = None) -> bytes:
    """Implicit little endian."""
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def shell(*extra: bytes, rows: int = 8, columns: int = 8, pixels: bytes = bytes(64)) -> bytes:
    """An implicit little endian still with `extra` elements before its pixels."""
    us = struct.Struct("<H").pack
    head = element(0x00280002, us(1)) + element(0x00280004, b"MONOCHROME2 ") + element(0x00280010, us(rows))
    head += element(0x00280011, us(columns)) + element(0x00280100, us(8)) + element(0x00280101, us(8))
    head += element(0x00280102, us(7)) + element(0x00280103, us(0))
    return part10(IMPLICIT, b"".join(extra) + head + element(0x7FE00010, pixels))


def deep(levels: int) -> bytes:
    """Sequences of undefined length within each other."""
    return (element(0x00081140, b"", 0xFFFFFFFF) + ITEM + UNDEFINED) * levels


def deep_explicit(levels: int) -> bytes:
    body = b""
    for _ in range(levels):
        body = element(0x00081140, ITEM + struct.pack("<I", len(body)) + body)
    return body


def many(tag: int, count: int) -> bytes:
    """A sequence whose one item has very many empty elements."""
    inner = b"".join(struct.pack("<HHI", 0x0011, 0x1000 + place % 0xE000, 0) for place in range(count))
    return element(tag, ITEM + UNDEFINED + inner, 0xFFFFFFFF)


def many_measured(tag: int, count: int) -> bytes:
    inner = b"".join(struct.pack("<HHI", 0x0018, 0x6011 + place % 64, 0) for place in range(count))
    return element(tag, ITEM + struct.pack("<I", len(inner)) + inner)


def deflated(size: int) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(size >> 20)) + squeeze.flush()
    return part10(SYNTAXES["deflated"], body)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG that says another size than the file."""
    frame = bytearray(encode_frame(STILL[0], "jpeg", 8, ybr=False))
    at = frame.index(b"\xff\xc0")
    frame[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(frame)


def jpeg2000(place: int, value: int) -> bytes:
    """A JPEG 2000 whose SIZ segment holds `value` at its byte `place`."""
    frame = bytearray(encode_frame(LARGER[0], "jpeg2000", 8, ybr=False))
    frame[place : place + 4] = struct.pack(">I", value)
    return bytes(frame)


def tiles() -> bytes:
    """96 x 96 tiles of one pixel."""
    frame = bytearray(jpeg2000(24, 1))
    frame[28:32] = struct.pack(">I", 1)
    return bytes(frame[:32]) + bytes(8) + bytes(frame[40:])


def rle(first: int, body: bytes) -> bytes:
    return struct.pack("<16I", 1, first, *[0] * 14) + body


def coded(syntax: str, frame: bytes, **tags: Any) -> bytes:
    return encode(STILL, syntax, ready=[frame], **tags)


def lying_palette(count: int, words: list[int]) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    for colour in ("Red", "Green", "Blue"):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [count % 65_536, 0, 16]
        tags[f"Segmented{colour}PaletteColorLookupTableData"] = np.array(words, "<u2").tobytes()
    return tags


def short_palette() -> dict[str, Any]:
    tags = palette(np.zeros((256, 3), np.uint16))
    for colour in ("Red", "Green", "Blue"):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [0, 0, 16]  # 65,536 entries
    return tags


PALETTE: dict[str, Any] = {"photometric": "PALETTE COLOR"}
ATTACKS: dict[str, Callable[[], bytes]] = {
    "nested 10,000 deep": lambda: shell(deep(10_000)),
    "very many elements in an open sequence": lambda: shell(many(0x00081140, COUNT)),
    "very many elements in the regions": lambda: shell(many_measured(0x00186011, COUNT)),
    "very many empty elements": lambda: shell(
        b"".join(struct.pack("<HHI", 0x0009, 0x1000 + place % 0xE000, 0) for place in range(COUNT))
    ),
    "huge length before the pixels": lambda: part10(IMPLICIT, element(0x00280010, b"\x08\0", 0xFFFFFFF0)),
    "undefined length without an end": lambda: part10(IMPLICIT, element(0x00111001, bytes(1000), 0xFFFFFFFF)),
    "pixels of four gigabytes": lambda: shell(pixels=b"")[:-4] + struct.pack("<I", 0xFFFFFFF0),
    "65,535 x 65,535": lambda: shell(rows=65_535, columns=65_535),
    "10^9 frames": lambda: encode(STILL, NumberOfFrames="1000000000"),
    "10^30 frames": lambda: encode(STILL).replace(
        b"(\0\x10\0US", b"(\0\x08\0IS" + b"\x06\0" + b"9E30  " + b"(\0\x10\0US"
    ),
    "minus one frame": lambda: encode(STILL, NumberOfFrames="-1"),
    "deflate bomb": lambda: deflated((COUNT >> 10) << 20),
    "palette of 65,536 that has 256": lambda: encode(STILL, **PALETTE, **short_palette()),
    "palette without a table": lambda: encode(STILL, **PALETTE),
    "jpeg 2000 of a million tiles": lambda: encode(LARGER, "jpeg2000", ready=[tiles()]),
    "palette of endless repeats": lambda: encode(
        STILL, **PALETTE, **lying_palette(0, [0, 0] + [2, 65_535, 0, 0] * 9999)
    ),
    "palette that repeats itself": lambda: encode(STILL, **PALETTE, **lying_palette(9, [0, 1, 5, 2, 9, 6, 0])),
    "jpeg of another size": lambda: coded("jpeg", jpeg(60_000, 60_000)),
    "jpeg 2000 of another size": lambda: encode(LARGER, "jpeg2000", ready=[jpeg2000(8, 60_000)]),
    "jpeg 2000 without tiles": lambda: encode(LARGER, "jpeg2000", ready=[jpeg2000(24, 0)]),
    "rle of another length": lambda: coded("rle", rle(64, b"\xff\0" * 4)),
    "rle whose segment lies elsewhere": lambda: coded("rle", rle(4_000_000_000, b"\x81\0" * 40)),
    "items past the end": lambda: encode(STILL, "jpeg").replace(ITEM, ITEM[:3] + b"\xe1"),
    "jpeg of nothing": lambda: coded("jpeg", b"\0" * 100),
    "no dicom": lambda: b"\xff" * 5000,
    "nothing": lambda: b"",
}
CALLS = (probe_dicom, technical, identifying, cardiac_times, lambda data: list(iter_dicom(data, lambda *_: True)))


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_row_errors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dicom_reading, "MAX_READS", 8_000)
    monkeypatch.setattr(_dicom_reading, "INFLATED_BYTES", 4 << 20)
    data, told = ATTACKS[name](), []
    for call in CALLS:
        try:
            call(data)
        except RowError as error:
            told.append(str(error))
    assert told
    assert all(text.startswith("dicom: ") and len(text) < 400 for text in told)


@pytest.mark.slow
def test_memory_stays_bounded_over_all_attacks() -> None:
    """In a process of its own, whose largest size the system keeps; with the limits as they are."""
    code = "\n".join(
        [
            "import resource",
            "import time",
            "from tests.imaging import test_dicom_hostile as hostile",
            "from ultracurate.core.errors import RowError",
            "hostile.COUNT = 250_000",
            "for name, attack in hostile.ATTACKS.items():",
            "    data = attack()",
            "    for call in hostile.CALLS:",
            "        start = time.perf_counter()",
            "        try:",
            "            call(data)",
            "        except RowError:",
            "            pass",
            "        took = time.perf_counter() - start",
            "        if took > 1:",
            "            print(f'{name}: {took:.1f} s')",
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)",
        ]
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout)  # noqa: T201 - seconds and kilobytes, for whoever runs it with -s
    assert int(done.stdout.split()[-1]) < 1_000_000


def test_deep_files_of_measured_sequences_are_read_as_far_as_needed() -> None:
    data = shell(deep_explicit(2_000))
    assert probe_dicom(data).width == 8
    assert identifying(data).headers == ()


def test_the_number_of_reads_is_what_bounds_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(STILL)
    probe_dicom(data)
    monkeypatch.setattr(_dicom_reading, "MAX_READS", 20)
    with pytest.raises(RowError, match="at most 20 parts"):
        probe_dicom(data)


def test_the_number_of_fragments_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(STILL, "jpeg", pieces=50)
    assert len(list(iter_dicom(data, lambda *_: True))) == 1
    monkeypatch.setattr(_dicom_frames, "MAX_FRAGMENTS", 20)
    with pytest.raises(RowError, match="at most 20 parts"):
        list(iter_dicom(data, lambda *_: True))


@pytest.mark.parametrize("syntax", ["explicit", "deflated", "rle", "jpeg", "lossless1", "jpegls", "jpeg2000", "h264"])
def test_every_cut_is_a_row_error_or_whole(syntax: str) -> None:
    frames = np.arange(96 * 96, dtype=np.uint8).reshape(1, 96, 96)
    data = encode(frames, syntax)
    for length in range(0, len(data) - 40, max(1, len(data) // 60)):
        with pytest.raises(RowError, match="dicom"):
            list(iter_dicom(data[:length], lambda *_: True))


def test_gdcm_may_end_itself_but_not_us() -> None:
    """Without its Huffman table, a lossless JPEG makes GDCM call `terminate`: the child dies of it, a row is lost."""
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    good = encode_frame(ramp, "lossless1", 16, ybr=False)
    at = good.index(b"\xff\xc4")
    broken = good[:at] + b"\xff" * 4 + good[at + 4 :]
    with pytest.raises(RowError, match="could not be decoded"):
        list(iter_dicom(encode(ramp[None], "lossless1", ready=[broken]), lambda *_: True))
    for _ in range(2):
        with pytest.raises(GdcmFailedError):
            unpack(broken, 57, 64, 64, 1, 16)
        assert unpack(good, 57, 64, 64, 1, 16) == ramp.tobytes()  # by the next child
