"""TFRecord files as containers: the pictures in their tf.train.Example records are members, labels a small JSON.

Source: TensorFlow's `tfrecord` documentation (framing) and `tensorflow/core/example/example.proto`, read here field
by field: Example { Features = 1 { map<string, Feature> = 1 } }, Feature { bytes = 1 | float = 2 | int64 = 3 }.
Lists of lists (SequenceExample) are left out.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ultracurate.archives.member import MIB, ArchiveLimits, Member, exactly, normalise
from ultracurate.core.errors import RowError

MAX_RECORD = 512 * MIB
"""Bytes of one record."""

_FRAMING = 12  # length and the checksum of the length
_CHECKSUM = 4  # of the record; members are checked by their own formats
_MASK = 0xA282EAD8
_SMALL = 1024  # bytes of a text that may be a label
_MAX_LABELS = 64  # numbers of one feature
_MAX_FEATURES = 4096
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5  # wire types


def is_tfrecord(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins with a record: its length fits and agrees with its checksum."""
    # An empty record is allowed further on; at the beginning it is too little to go by.
    return _begins(head, size) and any(head[:8])


def _begins(head: bytes, size: int) -> bool:
    if len(head) < _FRAMING:
        return False
    length, check = int.from_bytes(head[:8], "little"), int.from_bytes(head[8:_FRAMING], "little")
    return length <= size - _FRAMING - _CHECKSUM and check == _masked_crc(head[:8])


def tfrecord_members(fileobj: BinaryIO, limits: ArchiveLimits) -> Iterator[Member]:
    """Members in order: "000000/<feature>" for the bytes of record 0, "000000.json" for its numbers and short texts.

    A feature of several byte strings gives "000000/<feature>/000000" and so on. Bytes are referenced where they lie.
    Only the checksum of a record's length is verified: CRC-32C of the data would be minutes in Python, and every
    picture format tells damage by itself.

    Raises:
        RowError: a record that is cut off, too long, or whose length does not agree with its checksum.
    """
    end = fileobj.seek(0, 2)
    at = number = 0
    while at < end:
        fileobj.seek(at)
        head = fileobj.read(_FRAMING)
        if not _begins(head, end - at):
            raise RowError("a record that is cut off, or whose length does not agree with its checksum")
        length = int.from_bytes(head[:8], "little")
        if length > min(MAX_RECORD, limits.max_member_bytes):
            raise RowError(f"expected records of at most {MAX_RECORD} bytes, found one of {length}")
        record = b"".join(exactly(fileobj.read, length))
        yield from _record(fileobj, record, at + _FRAMING, f"{number:06d}")
        at += _FRAMING + length + _CHECKSUM
        number += 1


def _record(fileobj: BinaryIO, record: bytes, start: int, number: str) -> Iterator[Member]:
    labels: dict[str, list[int] | list[float] | list[str]] = {}
    for name, feature in _features(record):
        texts: list[str] = []
        values = _byte_strings(record, feature)
        for place, (first, last) in enumerate(values):
            text = _as_text(record[first:last])
            if text is not None:
                texts.append(text)
                continue
            path = normalise(f"{number}/{name}" if len(values) == 1 else f"{number}/{name}/{place:06d}")
            yield Member(path, last - first, start + first, None, _Slice(fileobj, start + first, last - first))
        if found := texts or _numbers(record, feature):
            labels[name] = found
    if labels:
        body = json.dumps(labels, sort_keys=True).encode()
        yield Member(f"{number}.json", len(body), None, None, lambda: iter((body,)))


@dataclass(frozen=True, slots=True)
class _Slice:
    """Reads a member's bytes where they lie in the file."""

    fileobj: BinaryIO
    start: int
    length: int

    def __call__(self) -> Iterator[bytes]:
        self.fileobj.seek(self.start)
        yield from exactly(self.fileobj.read, self.length)


def _features(record: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """(name, place of its Feature message) for every entry of the map, in order."""
    count = 0
    for features in _fields(record, (0, len(record)), 1):
        for entry in _fields(record, features, 1):
            names = list(_fields(record, entry, 1))
            count += 1
            if count > _MAX_FEATURES:
                raise RowError(f"expected at most {_MAX_FEATURES} features in a record, found more")
            for feature in _fields(record, entry, 2):
                if names:
                    yield record[names[-1][0] : names[-1][1]].decode("utf-8", "surrogateescape"), feature


def _byte_strings(record: bytes, feature: tuple[int, int]) -> list[tuple[int, int]]:
    return [place for found in _fields(record, feature, 1) for place in _fields(record, found, 1)]


def _numbers(record: bytes, feature: tuple[int, int]) -> list[int] | list[float]:
    """Few numbers, packed as every writer packs them; a long list is a picture or a signal, not a label."""
    for found in _fields(record, feature, 2):
        for first, last in _fields(record, found, 1):
            if last - first <= 4 * _MAX_LABELS:
                return [value for (value,) in struct.iter_unpack("<f", record[first:last])]
    for found in _fields(record, feature, 3):
        for first, last in _fields(record, found, 1):
            at = first
            numbers: list[int] = []
            while at < last and len(numbers) <= _MAX_LABELS:
                value, at = _varint(record, at, last)
                numbers.append(value - (1 << 64) if value >> 63 else value)
            return numbers if len(numbers) <= _MAX_LABELS else []
    return []


def _as_text(value: bytes) -> str | None:
    if len(value) > _SMALL:
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _fields(record: bytes, inside: tuple[int, int], wanted: int) -> Iterator[tuple[int, int]]:
    """(start, end) of every field of this number and of variable length in a message."""
    at, end = inside
    while at < end:
        key, at = _varint(record, at, end)
        kind, size = key & 7, 0
        if kind == _VARINT:
            _, at = _varint(record, at, end)
        elif kind == _BYTES:
            size, at = _varint(record, at, end)
        elif kind in (_FIXED_64, _FIXED_32):
            size = 8 if kind == _FIXED_64 else 4
        else:
            raise RowError("expected tf.train.Example records, found messages of another kind")
        if size > end - at:
            raise RowError("expected tf.train.Example records, found a field that is longer than its message")
        if kind == _BYTES and key >> 3 == wanted:
            yield at, at + size
        at += size


def _varint(record: bytes, at: int, end: int) -> tuple[int, int]:
    """(number, where it ends); seven bits in each byte, the lowest first."""
    value = 0
    for place in range(10):
        if at + place >= end:
            break
        value |= (record[at + place] & 0x7F) << 7 * place
        if record[at + place] < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + place + 1
    raise RowError("expected tf.train.Example records, found a number without an end")


def _masked_crc(data: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4) of a few bytes, rotated and masked as TFRecord wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
