"""What a header tells about a picture, a clip or a volume, and what its first bytes tell about its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Media = Literal["image", "clip", "volume"]

HEAD_BYTES = 512
"""How many leading bytes `sniff` wants to see; DICOM shows itself only at byte 128."""

_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_NOT_VIDEO = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"jp2 ", b"M4A ", b"crx "})
_QUICKTIME = (".mov", ".qt", ".mp4", ".m4v")


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Facts of one file, read from headers only.

    Attributes:
        format: png, jpg, bmp, tif, gif, dicom, mp4 or avi.
        media: image (one frame), clip (frames in time) or volume (slices in space).
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


def sniff(head: bytes, name: str) -> str | None:
    """The format by its magic bytes, or None for anything this package does not decode.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it if it is shorter.
        name: file name; it only confirms QuickTime files of the time before brands, it never decides alone.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    # DICOM before TIFF: whole-slide files may carry a TIFF header in the DICOM preamble.
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "tif"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _NOT_VIDEO else "mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide") and name.lower().endswith(_QUICKTIME):
        return "mp4"
    return None
