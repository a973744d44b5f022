"""NumPy's .npy and .npz files, whose pickled objects are never loaded."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ultracurate.archives.reading import DEFAULT_LIMITS, Member, iter_members
from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays.inflate import inflate
from ultracurate.decoding._arrays.planes import Values, check_bytes
from ultracurate.decoding._arrays.stored import MAX_ARRAYS, Stored

_HEAD = 16_384  # bytes; NumPy refuses to parse headers above 10,000
_MAX_AXES = 16
_SUFFIX = ".npy"
# Label maps pack better than the bombs that archives are searched for; what is unpacked is bounded by `MAX_BYTES`.
_LIMITS = replace(DEFAULT_LIMITS, max_ratio=1_100)


def npy_arrays(data: bytes, fmt: str) -> list[Stored]:
    """The array of an .npy file or those of an .npz file; values are read when they are asked for.

    Raises:
        RowError: damaged, truncated, too large, or an array of Python objects.
    """
    if fmt == "npy":
        shape, dtype, order, offset = _header(data[:_HEAD], fmt)
        return [Stored("array", shape, dtype, lambda: _values(data, shape, dtype, order, offset, fmt))]
    return list(_members(data, fmt))


def _members(data: bytes, fmt: str) -> Iterator[Stored]:
    for number, member in enumerate(iter_members(io.BytesIO(data), "npz", _LIMITS)):
        if number >= MAX_ARRAYS:
            raise RowError(f"{fmt}: expected at most {MAX_ARRAYS} arrays, found more; cut the file into parts")
        if not member.path.endswith(_SUFFIX):
            continue
        if member.problem:
            raise RowError(f"{fmt}: one of its arrays cannot be read: {member.problem}")
        shape, dtype, _, offset = _header(_body(data, member, _HEAD, fmt), fmt)
        yield Stored(member.path.removesuffix(_SUFFIX), shape, dtype, _loader(data, member, fmt, offset))


def _loader(data: bytes, member: Member, fmt: str, offset: int) -> Any:
    def load() -> Values:
        shape, dtype, order, _ = _header(_body(data, member, _HEAD, fmt), fmt)
        body = _body(data, member, offset + _length(shape, dtype, fmt), fmt)
        return _values(body, shape, dtype, order, offset, fmt)

    return load


def _body(data: bytes, member: Member, length: int, fmt: str) -> memoryview:
    """The first bytes of a member; without a copy where it is stored, and never more than asked for."""
    length = min(length, member.size)
    if member.offset is not None:
        return memoryview(data)[member.offset : member.offset + length]
    if member.deflate is not None:
        start, packed = member.deflate
        return memoryview(inflate(memoryview(data)[start : start + packed], length, "deflate", fmt))
    check_bytes(member.size, fmt)
    return memoryview(member.read())[:length]


def _header(head: bytes | memoryview, fmt: str) -> tuple[tuple[int, ...], np.dtype[Any], str, int]:
    """(shape, dtype, order, offset of the values); the header is a literal that NumPy parses without running it."""
    file = io.BytesIO(head)
    version = np.lib.format.read_magic(file)
    read: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read(file)
    if dtype.hasobject:
        raise RowError(
            f"{fmt}: expected numbers, found an array of Python objects, which is never opened; save it anew"
        )
    if len(shape) > _MAX_AXES or min(shape, default=0) < 0:
        raise RowError(f"{fmt}: expected at most {_MAX_AXES} axes of no negative length, found {len(shape)} axes")
    return tuple(int(part) for part in shape), dtype, "F" if by_columns else "C", file.tell()


def _length(shape: tuple[int, ...], dtype: np.dtype[Any], fmt: str) -> int:
    length = math.prod(shape) * dtype.itemsize
    check_bytes(length, fmt)
    return length


def _values(
    data: bytes | memoryview, shape: tuple[int, ...], dtype: np.dtype[Any], order: str, offset: int, fmt: str
) -> Values:
    length = _length(shape, dtype, fmt)
    if len(data) < offset + length:
        raise RowError(f"{fmt}: truncated: expected {length} bytes of values, found {len(data) - offset}")
    flat = np.frombuffer(data, dtype, count=math.prod(shape), offset=offset)
    return flat.reshape(shape, order="F" if order == "F" else "C")
