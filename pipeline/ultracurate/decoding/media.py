"""What a header tells about a picture, a clip or a volume, and what its first bytes tell about its format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Media = Literal["image", "clip", "volume", "stack"]
"""One frame; frames in time; slices in space; pictures that have nothing to do with each other, in one file."""

HEAD_BYTES = 512
"""How many leading bytes `sniff` wants to see; DICOM shows itself only at byte 128."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dataset's manifest says about how a file is to be read, where the file itself does not say.

    Attributes:
        kind: what the file holds; None: the file decides. Formats that know their own kind ignore it.
        array: path of the array inside an HDF5, MAT or NPZ file; None: the only one that can be a picture.
        axis: the axis along which frames or slices lie, as stored; None: the first, or what the format says.
        fps: frames per second of a clip whose file does not say.
    """

    kind: Media | None = None
    array: str | None = None
    axis: int | None = None
    fps: float | None = None


PLAIN = Reading()


@dataclass(frozen=True, slots=True)
class Region:
    """One calibrated area of a device screen (DICOM SequenceOfUltrasoundRegions, PS3.3 C.8.5.5).

    Attributes:
        box: (x0, y0, x1, y1) half-open pixels, inside the picture.
        spatial: 2d, m_mode, spectral, waveform, graphics or none.
        data: tissue, colour_flow, pw_spectral, cw_spectral, other or none.
        spacing_x: mm per pixel, None where the unit is not a length.
        spacing_y: mm per pixel.
    """

    box: tuple[int, int, int, int]
    spatial: str
    data: str
    spacing_x: float | None = None
    spacing_y: float | None = None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Facts of one file, read from headers only.

    Attributes:
        format: one of `decode.FORMATS`.
        media: image, clip, volume or stack.
        width: pixels, after any EXIF rotation.
        height: pixels, after any EXIF rotation.
        channels: 1 grey or 3 colour by the header; a grey picture saved as RGB is 3 here and 2-D once decoded.
        frames: by the header; for some videos an estimate, 1 for an image.
        fps: frames per second, None for images and where the file does not say.
        spacing_x: mm per pixel, None where the file does not say or where its regions disagree.
        spacing_y: mm per pixel.
        group_hint: sha256 of the PatientID of a DICOM file. It groups, it does not hide: short ids can be guessed
            by trying them all, so it never belongs in anything that is shared.
        modality_tag: the DICOM Modality, such as US, MR or NM; None for other formats.
        spacing_z: mm between slices of a volume, None where the file does not say.
        regions: calibrated areas of the screen, in the order of the header.
        set_aside: why the file is no picture although it can be read ("rf_data", "iq_data", "mask"), else None.
    """

    format: str
    media: Media
    width: int
    height: int
    channels: int
    frames: int
    fps: float | None = None
    spacing_x: float | None = None
    spacing_y: float | None = None
    group_hint: str | None = None
    modality_tag: str | None = None
    spacing_z: float | None = None
    regions: tuple[Region, ...] = ()
    set_aside: str | None = None


_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_NOT_VIDEO = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"jp2 ", b"M4A ", b"crx "})
_QUICKTIME = (".mov", ".qt", ".mp4", ".m4v")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),  # a bare JPEG 2000 codestream
    (b"\x1a\x45\xdf\xa3", "mkv"),  # EBML: Matroska and WebM
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),  # ASF
    (b"\x00\x00\x01\xba", "mpg"),
    (b"\x00\x00\x01\xb3", "mpg"),
    (b"\x93NUMPY", "npy"),
    (b"NRRD000", "nrrd"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"MATLAB 5.0 MAT-file", "mat"),
    (b"MATLAB 7.3 MAT-file", "mat"),
)
_META_IMAGE = re.compile(rb"\s*(ObjectType|NDims|Comment|ObjectSubType)\s*=")


def sniff(head: bytes, name: str) -> str | None:
    """The format by its magic bytes, or None for anything this package does not decode.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it if it is shorter.
        name: file name; it only tells apart what has the same first bytes (an NPZ is a zip) or none at all (MATLAB 4,
            QuickTime before brands), it never decides alone.
    """
    # DICOM before all: whole-slide files may carry a TIFF header in the DICOM preamble.
    if head[128:132] == b"DICM":
        return "dicom"
    for magic, form in _MAGIC:
        if head.startswith(magic):
            return form
    lower = name.lower()
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "tif"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if head.startswith(b"RIFF"):
        return {b"AVI ": "avi", b"WEBP": "webp"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _NOT_VIDEO else "mov" if head[8:12] == b"qt  " else "mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip") and lower.endswith(_QUICKTIME):
        return "mov"
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return "nifti"
    if _META_IMAGE.match(head):
        return "mha"
    if head.startswith(b"PK\x03\x04") and lower.endswith(".npz"):
        return "npz"
    if head[:1] == b"\x47" == head[188:189] or head[4:5] == b"\x47" == head[196:197]:
        return "mpg"  # an MPEG transport stream: packets of 188 bytes, with a time of four bytes before them in .m2ts
    if lower.endswith(".mat") and int.from_bytes(head[:4], "little") in _MATLAB4 and len(head) >= 20:
        return "mat"
    return None


_MATLAB4 = frozenset(p * 10 + t for p in range(6) for t in range(3)) | frozenset(
    int.from_bytes((1000 + p * 10 + t).to_bytes(4, "big"), "little") for p in range(6) for t in range(3)
)
"""First four bytes of a MATLAB 4 file: type codes, little and big endian; it has no other magic."""
