"""Which words an archive carries beside its members: comments of a zip, owners of a tar. Counted, never kept.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.12 and 4.3.16; POSIX.1-2017, ustar interchange format.
"""

from __future__ import annotations

from collections import Counter
from typing import BinaryIO

MAX_DIRECTORY = 64 * 2**20
"""Bytes of a zip's list of members that are looked through: about half a million members."""

_TAIL = 22 + 65_535
_NOBODY = frozenset({b"", b"root", b"wheel", b"staff", b"users", b"nobody", b"nogroup", b"user", b"ubuntu", b"None"})


def archive_kinds(file: BinaryIO) -> Counter[str]:
    """`comment` (of a zip and of its members) and `owner` (of a plain tar's first member), each with its number.

    Args:
        file: opened at any place, seekable; it is left somewhere else. A packed tar is not unpacked for this, and of a
            zip beyond 4 GiB only what the plain directory says is counted.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(512)
    if head[257:262] == b"ustar":
        owners = {_text(head[265:297]), _text(head[297:329])} - _NOBODY
        return Counter({"owner": 1} if owners else {})
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Counter()
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return Counter()
    length, start = (int.from_bytes(tail[at + k : at + k + 4], "little") for k in (12, 16))
    found = Counter({"comment": int(any(tail[at + 22 :]))})
    if start + length <= size and length <= MAX_DIRECTORY:
        file.seek(start)
        found["comment"] += _commented(file.read(length))
    return +found


def _commented(directory: bytes) -> int:
    """Members with a comment of their own."""
    at = found = 0
    while directory[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(directory):
        name, extra, comment = (int.from_bytes(directory[at + k : at + k + 2], "little") for k in (28, 30, 32))
        found += comment > 0
        at += 46 + name + extra + comment
    return found


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0].strip()
