"""Words beside the pixels are counted by kind in every format that can carry them, and damage raises nothing."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from ultracurate.decoding.metadata import metadata_kinds

PICTURE = Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64))
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>GRIZELDA</x:xmpmeta>"


def saved(fmt: str, **options: Any) -> bytes:
    out = io.BytesIO()
    PICTURE.save(out, fmt, **options)
    return out.getvalue()


def exif(**more: Any) -> Image.Exif:
    """Artist, description, date, a Windows comment, an owner, a place on earth, and an empty copyright."""
    made = Image.Exif()
    made[0x013B], made[0x010E], made[0x0132] = "GRIZELDA", "scan of AMBROSIUS", "1961:03:04 10:11:12"
    made[0x9C9C], made[0x8298] = "LAVINIA".encode("utf-16-le"), "  "
    made.get_ifd(0x8769)[0xA430] = "GRIZELDA"
    made.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0    "
    made.get_ifd(0x8825)[2] = (48.0, 51.0, 29.1)
    made.get_ifd(0x8825)[0] = b"\2\3\0\0"
    return made


OF_EXIF = Counter(author=2, description=1, date=1, comment=1, gps=1)


def png_with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "GRIZELDA")
    info.add_text("Comment", "AMBROSIUS", zip=True)
    info.add_itxt("Patient", "LAVINIA")
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Software", "a program")
    info.add(b"tIME", struct.pack(">HBBBBB", 1961, 3, 4, 10, 11, 12))
    return saved("PNG", pnginfo=info)


def video(container: str, codec: str, **tags: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        made.metadata.update(tags)
        stream: Any = made.add_stream(codec, rate=Fraction(5))
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for _ in range(2):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(PICTURE.convert("RGB")), format="rgb24")))
        made.mux(stream.encode(None))
    return out.getvalue()


def nifti(second: bool = False, **texts: bytes) -> bytes:
    size = 540 if second else 348
    head = bytearray(size + 4)
    head[:4] = struct.pack("<i", size)
    for name, text in texts.items():
        at = {"descrip": 240 if second else 148, "aux_file": 320 if second else 228, "extension": size}[name]
        head[at : at + len(text)] = text
    return bytes(head)


CASES: dict[str, tuple[str, bytes, dict[str, int]]] = {
    "plain png": ("png", saved("PNG"), {}),
    "png text": ("png", png_with_text(), {"author": 1, "comment": 1, "text": 1, "xmp": 1, "date": 1}),
    "png exif": ("png", saved("PNG", exif=exif()), dict(OF_EXIF)),
    "plain jpg": ("jpg", saved("JPEG"), {}),
    "jpg comment": ("jpg", saved("JPEG", comment=b"Nurse TANSY"), {"comment": 1}),
    "jpg exif": ("jpg", saved("JPEG", exif=exif(), xmp=XMP), dict(OF_EXIF + Counter(xmp=1))),
    "plain tif": ("tif", saved("TIFF"), {}),
    "tif tags": (
        "tif",
        saved("TIFF", tiffinfo={315: "GRIZELDA", 316: "HEATHCLIFFE", 33432: "AMBROSIUS"}),
        {"author": 1, "host": 1, "copyright": 1},
    ),
    "plain gif": ("gif", saved("GIF"), {}),
    "gif comment": ("gif", saved("GIF", comment=b"LAVINIA"), {"comment": 1}),
    "plain webp": ("webp", saved("WEBP"), {}),
    "webp exif": ("webp", saved("WEBP", exif=exif(), xmp=XMP), dict(OF_EXIF + Counter(xmp=1))),
    "plain jp2": ("jp2", saved("JPEG2000"), {}),
    "bmp has none": ("bmp", saved("BMP"), {}),
    "plain mp4": ("mp4", video("mp4", "mpeg4"), {}),
    "mp4 tags": (
        "mp4",
        video("mp4", "mpeg4", title="AMBROSIUS", artist="GRIZELDA", comment="x"),
        {"title": 1, "author": 1, "comment": 1},
    ),
    "avi tags": ("avi", video("avi", "mjpeg", title="AMBROSIUS", copyright="GRIZELDA"), {"title": 1, "copyright": 1}),
    "mkv tags": ("mkv", video("matroska", "mpeg4", patient="AMBROSIUS"), {"text": 1}),
    "plain nifti": ("nifti", nifti(), {}),
    "nifti": (
        "nifti",
        nifti(descrip=b"AMBROSIUS", aux_file=b"GRIZELDA", extension=b"\1"),
        {"description": 2, "text": 1},
    ),
    "nifti-2": ("nifti", nifti(True, descrip=b"AMBROSIUS"), {"description": 1}),
    "nifti gz": ("nifti", gzip.compress(nifti(descrip=b"AMBROSIUS")), {"description": 1}),
    "nrrd": (
        "nrrd",
        b"NRRD0004\n# Complete NRRD file format specification at:\n# http://teem\n# for LAVINIA\ntype: uchar\n"
        b"content: AMBROSIUS\npatient:=GRIZELDA\n\n# pixels",
        {"comment": 1, "description": 1, "text": 1},
    ),
    "mha": ("mha", b"ObjectType = Image\nComment = AMBROSIUS\nName =\nElementDataFile = LOCAL\n", {"comment": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_words_are_counted_by_kind(case: str) -> None:
    fmt, data, expected = CASES[case]
    assert metadata_kinds(data, fmt) == Counter(expected)


@pytest.mark.parametrize("case", CASES)
def test_only_kinds_come_back(case: str) -> None:
    fmt, data, _ = CASES[case]
    said = " ".join(metadata_kinds(data, fmt)).upper()
    for word in ("GRIZELDA", "AMBROSIUS", "LAVINIA", "TANSY", "HEATHCLIFFE"):
        assert word not in said


@pytest.mark.parametrize("fmt", sorted({fmt for fmt, _, _ in CASES.values()}))
@given(st.data())
def test_damage_raises_nothing(fmt: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([file for form, file, _ in CASES.values() if form == fmt]))
    place = data.draw(st.integers(0, min(len(whole), 800)))
    noise = data.draw(st.binary(max_size=6))
    metadata_kinds(whole[:place] + noise + whole[place + len(noise) :], fmt)
    metadata_kinds(whole[:place], fmt)


def test_directories_that_lead_in_circles_or_promise_too_much_end() -> None:
    circle = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1)
    circle += struct.pack("<HHII", 0x013B, 2, 4, int.from_bytes(b"NAME", "little")) + struct.pack("<I", 8)
    assert metadata_kinds(circle, "tif") == Counter(author=1)
    many = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 65_535) + b"\xff" * 800_000
    assert metadata_kinds(many, "tif") == Counter()
    huge = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + struct.pack("<HHII", 0x013B, 2, 2**32 - 1, 8)
    assert metadata_kinds(huge, "tif") == Counter(author=1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says how large a process was")
def test_a_table_of_equal_samples_asks_for_no_gigabytes(tmp_path: Path) -> None:
    """FFmpeg keeps 24 bytes for each of them, and the table is as short for fifty millions as for two."""
    whole = video("mp4", "mpeg4", title="AMBROSIUS")
    at = whole.index(b"stsz") + 8
    assert int.from_bytes(whole[at + 4 : at + 8], "big") == 2
    count = struct.pack(">I", 50_000_000)
    bomb = whole[:at] + struct.pack(">I", 1) + count + whole[at + 8 :]
    entry = bomb.index(b"stts") + 12
    (tmp_path / "bomb").write_bytes(bomb[:entry] + count + bomb[entry + 4 :])
    code = (
        "import pathlib, resource, sys\nfrom ultracurate.decoding.metadata import metadata_kinds\n"
        "import av, numpy\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = metadata_kinds(pathlib.Path(sys.argv[1]).read_bytes(), 'mp4')\n"
        "print(len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "bomb")]
    found, kilobytes = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert int(found) == 0
    assert int(kilobytes) < 100_000


def test_a_format_without_fields_gives_nothing() -> None:
    assert metadata_kinds(b"anything", "npy") == metadata_kinds(b"", "png") == Counter()
