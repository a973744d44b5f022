"""Which words a picture, video or volume carries beside its pixels: authors, places, comments. Counted, never kept."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ultracurate.decoding._pictures.exif import exif_kinds
from ultracurate.decoding._video.packets import opened

MAX_STEPS = 100_000
"""Blocks of one file that are looked at; real files have some hundreds."""

_XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_KEYWORDS = {
    "author": "author",
    "artist": "author",
    "comment": "comment",
    "copyright": "copyright",
    "creation time": "date",
    "date:create": "date",
    "date:modify": "date",
    "date:timestamp": "date",
    "description": "description",
    "title": "title",
    "xml:com.adobe.xmp": "xmp",
}
_PNG_TECHNICAL = frozenset({"software", "disclaimer", "warning", "source", "dpi", "colorspace"})
_VIDEO_TAGS = {
    "title": ("title", "show", "album", "grouping", "program", "service_name"),
    "author": ("artist", "author", "album_artist", "composer", "performer", "publisher", "writer", "owner", "director"),
    "comment": ("comment", "lyrics", "note", "keywords", "genre"),
    "description": ("description", "synopsis", "subject", "summary", "network"),
    "copyright": ("copyright", "provider", "license"),
    "date": ("date", "creation_time", "year", "date_recorded", "modification_time"),
    "gps": ("location", "com.apple.quicktime.location.iso6709", "gps_latitude", "xyz"),
    "host": ("host_computer", "model", "make", "com.apple.quicktime.model", "com.apple.quicktime.make"),
}
_OF_TAG = {tag: kind for kind, tags in _VIDEO_TAGS.items() for tag in tags}
_TECHNICAL_TAGS = (
    "compatible_brands encoder encoded_by handler_name language major_brand minor_version software rotate "
    "vendor_id duration bps number_of_frames number_of_bytes statistics_tags device_conversion_time timecode "
    "wmfsdkversion wmfsdkneeded isvbr variant_bitrate"
)
_VIDEO_TECHNICAL = frozenset(_TECHNICAL_TAGS.split())
_TAGGED = frozenset({"mp4", "mov", "mkv", "avi", "wmv"})
"""Videos; MPEG streams have no tags."""


def metadata_kinds(data: bytes, fmt: str) -> Counter[str]:
    """Kinds of words in a file, each with how often it is there: gps, author, comment, title, xmp, date, ...

    Only the presence of non-empty fields is counted. Damage ends the count and raises nothing: whether the file can be
    used is for its decoder to say. Headers of DICOM are counted in `decoding.dicom`.

    Args:
        data: the encoded file.
        fmt: one of `decode.FORMATS`; formats without such fields give nothing.
    """
    found: Counter[str] = Counter()
    if fmt in _TAGGED:
        return _video(data, fmt)
    walk = _WALKS.get(fmt)
    if walk is not None:
        try:
            for step, kind in enumerate(walk(data)):
                if kind:
                    found[kind] += 1
                if step >= MAX_STEPS:
                    break
        except (IndexError, ValueError, struct.error, zlib.error, EOFError, OverflowError):
            pass  # a damaged file: what was found until there stands
    return found


def _png(data: bytes) -> Iterator[str]:
    """Chunks: PNG specification (W3C, third edition), 11.3.3 and 11.3.4."""
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            word = data[at + 8 : at + 8 + min(length, 80)].partition(b"\0")[0].decode("latin-1").lower().strip()
            yield "" if word in _PNG_TECHNICAL else _PNG_KEYWORDS.get(word, "text")
        elif kind == b"tIME":
            yield "date"
        elif kind == b"eXIf":
            yield from exif_kinds(data[at + 8 : at + 8 + length])
        else:
            yield ""
        at += 12 + length


def _jpg(data: bytes) -> Iterator[str]:
    """Segments up to the first scan: ITU-T T.81 annex B; APP1 as Exif 3.0 and XMP part 3 use it."""
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        body = data[at + 4 : at + 2 + length]
        if marker == 0xFE and body.strip(b"\0 \r\n"):
            yield "comment"
        elif marker == 0xE1 and body.startswith(b"Exif\0"):
            yield from exif_kinds(body[6:])
        elif marker == 0xE1 and body.startswith(_XMP_JPEG[:-1]):
            yield "xmp"
        elif marker == 0xED:
            yield "iptc"
        else:
            yield ""
        at += 2 + max(2, length)


def _gif(data: bytes) -> Iterator[str]:
    """Blocks: GIF89a specification, sections 17 to 26."""

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    def after_blocks(place: int) -> int:
        while data[place]:
            place += 1 + data[place]
        return place + 1

    at = 13 + table(data[10])
    while data[at] in (0x21, 0x2C):
        if data[at] == 0x2C:
            at = after_blocks(at + 11 + table(data[at + 9]))
            yield ""
            continue
        label, size = data[at + 1], data[at + 2]
        if label == 0xFE and size:
            yield "comment"
        elif label == 0xFF and data[at + 3 : at + 14] == b"XMP DataXMP":
            yield "xmp"
        else:
            yield ""
        at = after_blocks(at + 2)


def _webp(data: bytes) -> Iterator[str]:
    """Chunks: RFC 9649, section 2."""
    at = 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"EXIF":
            yield from exif_kinds(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        else:
            yield "xmp" if kind == b"XMP " else ""
        at += 8 + length + length % 2


def _jp2(data: bytes) -> Iterator[str]:
    """Boxes: ISO/IEC 15444-1 annex I; a bare code stream has none."""
    at = 0
    while at + 8 <= len(data) and data.startswith(b"\0\0\0\x0cjP  "):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"uuid" and data[at + 8 : at + 24] == b"JpgTiffExif->JP2":
            yield from exif_kinds(data[at + 24 : at + length])
        else:
            yield {b"xml ": "text", b"uuid": "xmp"}.get(kind, "")
        if length < 8:
            return
        at += length


def _nifti(data: bytes) -> Iterator[str]:
    """Texts of the header, packed or not: NIfTI-1.1 (348 bytes) and NIfTI-2 (540 bytes)."""
    head = zlib.decompressobj(wbits=31).decompress(data[:65_536], 544) if data.startswith(b"\x1f\x8b") else data[:544]
    second = head[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    texts = ((240, 80), (320, 24), (508, 16)) if second else ((14, 18), (148, 80), (228, 24), (328, 16))
    for start, length in texts:
        yield "description" if head[start : start + length].partition(b"\0")[0].strip() else ""
    if any(head[540:541] if second else head[348:349]):  # an extension follows, which may hold a whole DICOM header
        yield "text"


def _nrrd(data: bytes) -> Iterator[str]:
    """Comments and key/value pairs: teem.sourceforge.net/nrrd/format.html."""
    for line in data[:65_536].partition(b"\n\n")[0].splitlines()[1:]:
        if line.startswith(b"#"):
            yield "" if b"http" in line or b"Complete NRRD file format" in line else "comment"
        elif b":=" in line:
            yield "text"
        else:
            yield "description" if line.startswith(b"content:") else ""


def _mha(data: bytes) -> Iterator[str]:
    """Fields for people among those of the header: the MetaIO library's MetaObject and MetaImage."""
    for line in data[:65_536].partition(b"ElementDataFile")[0].splitlines():
        key, _, value = line.partition(b"=")
        kind = {b"comment": "comment", b"name": "title", b"acquisitiondate": "date"}.get(key.strip().lower(), "")
        yield kind if value.strip() else ""


def _video(data: bytes, fmt: str) -> Counter[str]:
    """Tags of the container and of its streams, as FFmpeg reads them from any kind of container."""
    found: Counter[str] = Counter()
    try:
        with opened(data, fmt) as (container, _):
            groups: list[dict[str, Any]] = [dict(container.metadata), *(dict(s.metadata) for s in container.streams)]
    except Exception:  # damaged, too large, or nothing here reads it: its decoder will say so
        return found
    for tag, value in [item for group in groups for item in group.items()][:MAX_STEPS]:
        name = tag.lower().partition("-eng")[0]
        if name not in _VIDEO_TECHNICAL and str(value).strip():
            found[_OF_TAG.get(name, "text")] += 1
    return found


_WALKS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "gif": _gif,
    "jp2": _jp2,
    "jpg": _jpg,
    "mha": _mha,
    "nifti": _nifti,
    "nrrd": _nrrd,
    "png": _png,
    "tif": exif_kinds,
    "webp": _webp,
}
