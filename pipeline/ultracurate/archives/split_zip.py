"""A zip of several volumes (.z01, .z02, ... .zip) as the zip of one that it was cut from."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from itertools import accumulate

from ultracurate.archives.joined import Piece, joined
from ultracurate.archives.member import MIB, ArchiveLimits
from ultracurate.core.errors import RowError

_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


def unsplit_zip(volumes: Sequence[Piece], limits: ArchiveLimits) -> list[Piece]:
    """The pieces of a zip of one volume with the same members: its data in place, its directory written anew.

    In a split zip each member is found by the number of its volume and an offset in it (APPNOTE.TXT 8.5); here those
    become offsets in the joined file. The members' own headers and data need no change.

    Raises:
        RowError: the volumes are not those of one zip, or one is missing.
    """
    starts = [0, *accumulate(volume.length for volume in volumes)]
    whole = joined(volumes)
    tail_at = max(0, starts[-1] - 65_557)
    whole.seek(tail_at)
    tail = whole.read()
    at = tail.rfind(b"PK\x05\x06")
    try:
        if at < 0:
            raise struct.error
        _, disk, first, _, _, size, offset, _ = _END.unpack_from(tail, at)
        if at >= _LOCATOR.size and tail[at - _LOCATOR.size :].startswith(b"PK\x06\x07"):
            _, record_disk, record_offset, disks = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
            disk = disks - 1
            whole.seek(_absolute(starts, record_disk, record_offset, disk))
            _, _, _, _, _, first, _, _, size, offset = _END64.unpack(whole.read(_END64.size))
    except struct.error:
        raise RowError("expected the end of a zip in its last volume, found none; fetch the volumes again") from None
    directory = _absolute(starts, first, offset, disk)
    if size > max(MIB, 1024 * limits.max_members):
        raise RowError(f"a zip directory of {size} bytes, too long for {limits.max_members} members; it was not read")
    whole.seek(directory)
    entries = _entries(whole.read(size), starts, disk)
    anew = b"".join(entries)
    end = _END64.pack(b"PK\x06\x06", _END64.size - 12, 45, 45, 0, 0, len(entries), len(entries), len(anew), directory)
    end += _LOCATOR.pack(b"PK\x06\x07", 0, directory + len(anew), 1)
    end += _END.pack(b"PK\x05\x06", 0, 0, _FULL16, _FULL16, _FULL32, _FULL32, 0)
    return [*_until(volumes, directory), Piece(io.BytesIO(anew + end), 0, len(anew) + len(end))]


def _absolute(starts: Sequence[int], disk: int, offset: int, last: int) -> int:
    if last != len(starts) - 2:
        raise RowError(
            f"expected {last + 1} volumes, as the last one says, found {len(starts) - 1}; fetch the missing ones"
        )
    if disk > last or starts[disk] + offset > starts[-1]:
        raise RowError("a split zip whose directory names a place outside its volumes; fetch the volumes again")
    return starts[disk] + offset


def _entries(directory: bytes, starts: Sequence[int], last: int) -> list[bytes]:
    """The entries of the directory with places in the joined file, all in the 64-bit form."""
    found, at = [], 0
    while at + _ENTRY.size <= len(directory):
        signature, *fields = _ENTRY.unpack_from(directory, at)
        if signature != b"PK\x01\x02":
            break
        packed, size, name_length, extra_length, comment_length, disk = fields[7:13]
        inside, outside, offset = fields[13:]
        name_at = at + _ENTRY.size
        name = directory[name_at : name_at + name_length]
        extra = directory[name_at + name_length : name_at + name_length + extra_length]
        at = name_at + name_length + extra_length + comment_length
        kept, wide = _extra(extra)
        size, packed, offset, disk = _widened((size, packed, offset), disk, wide)
        place = _absolute(starts, disk, offset, last)
        kept += struct.pack("<HH3Q", 1, 24, size, packed, place)
        head = _ENTRY.pack(
            signature, *fields[:7], _FULL32, _FULL32, name_length, len(kept), 0, 0, inside, outside, _FULL32
        )
        found.append(head + name + kept)
    return found


def _extra(extra: bytes) -> tuple[bytes, bytes]:
    """The Unicode path field as it is, and the content of the 64-bit field; other fields are not needed."""
    kept = wide = b""
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            wide = extra[at + 4 : at + 4 + size]
        elif tag == 0x7075:
            kept += extra[at : at + 4 + size]
        at += 4 + size
    return kept, wide


def _widened(numbers: tuple[int, int, int], disk: int, wide: bytes) -> tuple[int, int, int, int]:
    """(size, packed, offset, disk), each from the 64-bit field where its own field is full (APPNOTE.TXT 4.5.3)."""
    values, at = [], 0
    for number in numbers:
        if number == _FULL32 and at + 8 <= len(wide):
            number = int.from_bytes(wide[at : at + 8], "little")
            at += 8
        values.append(number)
    if disk == _FULL16 and at + 4 <= len(wide):
        disk = int.from_bytes(wide[at : at + 4], "little")
    return values[0], values[1], values[2], disk


def _until(pieces: Sequence[Piece], end: int) -> list[Piece]:
    """The first `end` bytes."""
    kept = []
    for piece in pieces:
        if end <= 0:
            break
        kept.append(piece._replace(length=min(end, piece.length)))
        end -= piece.length
    return kept
