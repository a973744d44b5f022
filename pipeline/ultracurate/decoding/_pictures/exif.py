"""Which fields of an Exif block, or of a TIFF's own directories, say something about a person, a place or a time.

Source: TIFF 6.0 (1992); Exif 3.0 (CIPA DC-008-2023), 4.6. Read here and not by Pillow, which gives values, drops the
fields that it does not know, and follows directories without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

MAX_DIRECTORIES = 64
MAX_ENTRIES = 1_000
"""Fields of one directory; cameras write fewer than a hundred."""

_GPS, _EXIF = 0x8825, 0x8769
_KINDS = {
    0x010D: "title",  # DocumentName
    0x010E: "description",  # ImageDescription
    0x0132: "date",  # DateTime
    0x013B: "author",  # Artist
    0x013C: "host",  # HostComputer
    0x02BC: "xmp",
    0x8298: "copyright",
    0x83BB: "iptc",
    0x8649: "iptc",  # Photoshop's image resources
    0x9003: "date",  # DateTimeOriginal
    0x9004: "date",  # DateTimeDigitized
    0x927C: "maker_note",
    0x9286: "comment",  # UserComment
    0x9C9B: "title",  # XPTitle
    0x9C9C: "comment",  # XPComment
    0x9C9D: "author",  # XPAuthor
    0x9C9E: "comment",  # XPKeywords
    0x9C9F: "title",  # XPSubject
    0xA420: "number",  # ImageUniqueID
    0xA430: "author",  # CameraOwnerName
    0xA431: "number",  # BodySerialNumber
    0xA435: "number",  # LensSerialNumber
    0xA436: "title",  # ImageTitle
    0xA437: "author",  # Photographer
    0xA438: "author",  # ImageEditor
}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_EMPTY = b"\0 \t\r\n0"
_CHARSETS = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0")


def exif_kinds(data: bytes) -> Iterator[str]:
    """The kind of every field that is there and not empty; directories are followed once, and not without end.

    Args:
        data: from the byte order mark (II or MM) on; TIFF or BigTIFF.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[:2] not in (b"II", b"MM"):
        return
    large = data[2:4] in (b"+\0", b"\0+")
    count_size, entry_size, wide = (8, 20, 8) if large else (2, 12, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    waiting, seen = [(number(8 if large else 4, wide), False)], set[int]()
    while waiting and len(seen) < MAX_DIRECTORIES:
        start, gps = waiting.pop()
        if start in seen or not 8 <= start < len(data):
            continue
        seen.add(start)
        entries = number(start, count_size)
        first = start + count_size
        for at in range(first, first + min(entries, MAX_ENTRIES) * entry_size, entry_size):
            if at + entry_size > len(data):
                return
            tag, kind, values = number(at, 2), number(at + 2, 2), number(at + 4, wide)
            if tag in (_EXIF, _GPS):
                waiting.append((number(at + 4 + wide, wide), tag == _GPS))
            elif gps or tag in _KINDS:
                length = min(values * _SIZES.get(kind, 1), 4096)
                place = at + 4 + wide if length <= wide else number(at + 4 + wide, wide)
                value = data[place : place + length]
                for charset in _CHARSETS:
                    value = value.removeprefix(charset)
                # A GPS block holds its version number in any case (tag 0).
                if value.strip(_EMPTY) and not (gps and tag == 0):
                    yield "gps" if gps else _KINDS[tag]
        waiting.append((number(first + entries * entry_size, wide), False))
