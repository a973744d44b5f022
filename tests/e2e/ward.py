"""A ward's own files as they should never be: persons named in folders, headers, comments, tags and tables."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pydicom
from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset

from tests.e2e.identities import BIRTHS, Words, birth
from tests.e2e.lab import Lab, encode, picture, png
from ultracurate.phantom.files import encode_dicom
from ultracurate.phantom.screens import Identity

LAYOUT = [
    {"match": "people.csv", "kind": "table"},
    {"match": "{patient}/{study}/{name}.{ending:png|jpg|tif|gif|dcm|webp|bmp}", "kind": "image"},
    {"match": "{patient}/{study}/{name}.{ending:mp4}", "kind": "clip"},
    {"match": "{patient}/{study}/{name}.nii.gz", "kind": "volume"},
    {"match": "{place}/{study}/{name}.{pack:zip|tar}/{patient}/**.{ending:png|dcm}", "kind": "image"},
]


def fill(lab: Lab, count: int, words: Words) -> None:
    """Put `count` files into the lab's dataset, in turn of every kind, and describe them; all words are new."""
    rows = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        family, given = words.new("folder"), words.new("folder")
        name, ending, data = kind(number, words)
        # Two files in a row belong to one patient where the next is of another kind.
        folder = f"{family}^{given} {birth(number)}" if number % 3 else f"{family}, {given} (J.S.) born {birth(number)}"
        study = f"{words.new('study folder')} {birth(number + 1)}"
        lab.add(f"{folder}/{study}/{words.new('file name')}_{name}{number:04d}.{ending}", data)
        rows.append(f'"{folder}",{words.new("table")},{birth(number + 2)}')
    for folder in ("", "a/b/"):  # behind a dot, where only the ending of a format is expected
        lab.add(f"{folder}letter.{words.new('ending')}", f"Dear {words.new('content')}".encode())
    lab.add("people.csv", "\n".join(["patient,remark,born", *rows]).encode())
    lab.describe(
        layout=LAYOUT,
        group="{patient}",
        tables=[{"file": "people.csv", "key": "patient", "on": "{patient}", "columns": ["remark", "born"]}],
        sources=[{"host": "local", "root": "lab", "record": words.new("record of the source")}],
    )


def _png(number: int, words: Words) -> tuple[str, str, bytes]:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", words.new("png tEXt"))
    info.add_text("Comment", words.new("png zTXt") * 20, zip=True)
    info.add_itxt("Patient", words.new("png iTXt"))
    info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{words.new('png xmp')}</x:xmpmeta>")
    return "scan", "png", encode(picture(number), pnginfo=info, exif=_exif(number, words))


def _exif(number: int, words: Words) -> Image.Exif:
    exif = Image.Exif()
    exif[0x013B], exif[0x010E] = words.new("exif artist"), f"{words.new('exif description')} {birth(number)}"
    exif[0x9C9C] = words.new("exif XPComment").encode("utf-16-le")
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + words.new("exif user comment").encode()
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.1234)
    exif.get_ifd(0x8825)[28] = b"ASCII\0\0\0" + words.new("exif gps area").encode()
    return exif


def _jpg(number: int, words: Words) -> tuple[str, str, bytes]:
    comment = f"{words.new('jpg comment')} {birth(number)}".encode()
    exif = _exif(number, words)
    return "photo", "jpg", encode(picture(number), "JPEG", exif=exif, comment=comment, quality=95)


def _tif(number: int, words: Words) -> tuple[str, str, bytes]:
    tags = {315: words.new("tif artist"), 316: words.new("tif host"), 270: f"born {birth(number)}"}
    return "page", "tif", encode(picture(number), "TIFF", tiffinfo=tags)


def _gif(number: int, words: Words) -> tuple[str, str, bytes]:
    return "still", "gif", encode(picture(number), "GIF", comment=words.new("gif comment").encode())


def _dicom_bytes(number: int, words: Words) -> bytes:
    """Names, dates and numbers in the elements that PS3.15 table E.1-1 lists, in a sequence and in private ones."""
    day = BIRTHS[number % len(BIRTHS)].replace("-", "")
    name = f"{words.new('dicom PatientName')}^{words.new('dicom PatientName')}"
    identity = Identity(name, words.new("dicom PatientID"), day, words.new("dicom InstitutionName"))
    data = pydicom.dcmread(io.BytesIO(encode_dicom(picture(number), identity, number)))
    for keyword in (
        "ReferringPhysicianName", "OperatorsName", "OtherPatientNames", "PatientMotherBirthName", "PatientComments",
        "ImageComments", "StudyDescription", "SeriesDescription", "ProtocolName", "AccessionNumber", "StationName",
    ):  # fmt: skip
        setattr(data, keyword, words.new(f"dicom {keyword}"))
    inner = Dataset()
    inner.PatientID = words.new("dicom sequence")
    data.OtherPatientIDsSequence = [inner]
    block = data.private_block(0x0011, words.new("dicom private creator"), create=True)
    block.add_new(0x01, "LO", words.new("dicom private element"))
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return b"Xqvzjk in the preamble".ljust(128, b"\0") + out.getvalue()[128:]


def _dicom(number: int, words: Words) -> tuple[str, str, bytes]:
    return "IM", "dcm", _dicom_bytes(number, words)


def _zip(number: int, words: Words) -> tuple[str, str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED) as archive:
        archive.comment = f"For {words.new('zip comment')}, born {birth(number)}".encode()
        member = zipfile.ZipInfo(f"{words.new('zip member')}_{birth(number)}/{words.new('zip member')}.png")
        member.comment = words.new("zip member comment").encode()
        archive.writestr(member, png(number))
        archive.writestr(f"{words.new('zip member')}/a.dcm", _dicom_bytes(number + 100_000, words))
        archive.writestr(f"../{words.new('unsafe member')}.png", png(number))
        archive.writestr(f"{words.new('broken member')}/b.png", b"no picture of " + words.new("content").encode())
    return "export", "zip", out.getvalue()


def _tar(number: int, words: Words) -> tuple[str, str, bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(f"{words.new('tar member')}/{birth(number)}.png")
        info.size, info.uname, info.gname = len(png(number)), words.new("tar owner"), words.new("tar group")
        info.pax_headers = {"comment": words.new("tar pax comment")}
        archive.addfile(info, io.BytesIO(png(number)))
    return "backup", "tar", out.getvalue()


def _mp4(number: int, words: Words) -> tuple[str, str, bytes]:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        container.metadata.update(
            {"title": words.new("mp4 title"), "artist": words.new("mp4 artist"), "comment": words.new("mp4 comment")}
        )
        stream: Any = container.add_stream("mpeg4", rate=Fraction(5))
        stream.width = stream.height = 96
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        frame = av.VideoFrame.from_ndarray(np.stack([picture(number)] * 3, axis=-1), format="rgb24")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return "loop", "mp4", out.getvalue()


def _nifti(number: int, words: Words) -> tuple[str, str, bytes]:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 96, 96, 2, 1, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, 0.3, 0.3, 1, 1, 1, 1, 1)
    struct.pack_into("<ff", head, 108, 352, 1)
    for at, place in ((148, "nifti descrip"), (228, "nifti aux_file"), (14, "nifti db_name")):
        word = words.new(place).encode()
        head[at : at + len(word)] = word
    head[344:348] = b"n+1\0"
    slices = b"".join(picture(number + 200_000 + plane).T.tobytes() for plane in range(2))
    return "sweep", "nii.gz", gzip.compress(bytes(head) + slices, mtime=0)


def _broken(number: int, words: Words) -> tuple[str, str, bytes]:
    before = set(words.places)
    whole = _png(number, words)[2]
    words.places |= dict.fromkeys(words.places.keys() - before, "cut off")
    return "half", ("png", "zip", "txt")[number // len(KINDS) % 3], whole[: 300 + number % 50]


KINDS: tuple[Callable[[int, Words], tuple[str, str, bytes]], ...] = (
    *(_png, _jpg, _dicom, _png, _tif, _dicom, _zip, _jpg, _gif, _png, _dicom, _nifti, _png, _tar, _mp4, _broken),
)
"""What is put in, in turn."""
