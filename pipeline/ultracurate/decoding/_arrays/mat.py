"""MATLAB files of version 4 and 5 to 7, element by element, with bounded decompression.

scipy unpacks what a file asks for and builds every object in it; a picture needs the numeric arrays only. Source:
MATLAB MAT-File Format, MathWorks, R2019b. Version 7.3 is HDF5, see `_hdf5`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays.inflate import inflate
from ultracurate.decoding._arrays.planes import MAX_BYTES, Values, check_bytes
from ultracurate.decoding._arrays.stored import MAX_ARRAYS, Stored

_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
_CELL, _STRUCT = 1, 2
_NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}  # classes
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # element types
_V4_STORED = ("f8", "f4", "i4", "i2", "u2", "u1")
_COMPLEX, _LOGICAL = 0x08, 0x02  # flags
_DEPTH = 8
_PEEK = 4096  # bytes that hold the header of a matrix

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Head of a matrix element: class, flags, shape, name, and where in the element its parts begin."""

    kind: int
    flags: int
    shape: tuple[int, ...]
    name: str
    parts: int


def mat_arrays(data: bytes) -> list[Stored]:
    """Numeric arrays at the top, in fields of structures and in cells, named "a", "a/field", "a/0" (from 0).

    A structure or cell of one element has no number in its name. Text, sparse matrices, functions and objects are
    left out.

    Raises:
        RowError: damaged, truncated, too large, nested too deep, or too many arrays.
    """
    found = _version_5(data) if data[126:128] in (b"IM", b"MI") and data[:4].find(b"\0") < 0 else _version_4(data)
    arrays: list[Stored] = []
    for stored in found:
        if len(arrays) >= MAX_ARRAYS:
            raise RowError(f"mat: expected at most {MAX_ARRAYS} arrays, found more; cut the file into parts")
        arrays.append(stored)
    return arrays


def _version_5(data: bytes) -> Iterator[Stored]:
    order: Order = "little" if data[126:128] == b"IM" else "big"
    view = memoryview(data)
    at, room = _HEADER, MAX_BYTES
    while at + 8 <= len(data):
        kind, length = _number(view, at, order), _number(view, at + 4, order)
        if at + 8 + length > len(data):
            raise RowError(f"mat: truncated: expected an element of {length} bytes, found fewer; fetch the file again")
        body = view[at + 8 : at + 8 + length]
        at += 8 + length
        if kind == _MATRIX:
            yield from _matrices(body, order, "", 0)
        elif kind == _COMPRESSED:
            spent, arrays = _compressed(body, order, room)
            room -= spent
            yield from arrays


def _compressed(packed: memoryview, order: Order, room: int) -> tuple[int, Iterator[Stored]]:
    """(bytes that stay unpacked, arrays); only structures and cells are unpacked before an array is asked for."""
    head = memoryview(inflate(packed, _PEEK, "zlib", "mat", exact=False))
    if len(head) < 8 or _number(head, 0, order) != _MATRIX:
        return 0, iter(())
    length = _number(head, 4, order)
    check_bytes(length, "mat")

    def element() -> memoryview:
        return memoryview(inflate(packed, 8 + length, "zlib", "mat"))[8:]

    matrix = _head(head[8 : 8 + length], order)
    if matrix is not None and matrix.kind in _NUMERIC:
        return 0, iter((_stored(matrix, matrix.name, element, order),))
    if matrix is not None and matrix.kind in (_CELL, _STRUCT):
        if length > room:
            raise RowError(f"mat: expected structures of at most {MAX_BYTES} bytes in all, found more; cut the file")
        return length, _matrices(element(), order, "", 0)
    return 0, iter(())


def _matrices(body: memoryview, order: Order, path: str, depth: int) -> Iterator[Stored]:
    """The numeric arrays in the element of one matrix."""
    if depth > _DEPTH:
        raise RowError(f"mat: expected structures and cells at most {_DEPTH} deep, found deeper ones")
    matrix = _head(body, order)
    if matrix is None:
        return
    path = path or matrix.name
    if matrix.kind in _NUMERIC:
        yield _stored(matrix, path, lambda: body, order)
    elif matrix.kind == _CELL:
        for number, element in enumerate(_elements(body, matrix.parts, order)):
            yield from _matrices(element, order, _numbered(path, number, matrix.shape), depth + 1)
    elif matrix.kind == _STRUCT:
        following, at, _ = _data(body, matrix.parts, order)
        width = _number(body, at, order)
        following, at, size = _data(body, following, order)
        if not 1 <= width <= 64:
            raise RowError(f"mat: expected names of fields of at most 64 bytes, found {width}; the file is damaged")
        raw = bytes(body[at : at + size])
        fields = [_text(raw[start : start + width]) for start in range(0, size, width)]
        for number, element in enumerate(_elements(body, following, order)):
            if not fields:
                return
            place = _numbered(path, number // len(fields), matrix.shape)
            yield from _matrices(element, order, f"{place}/{fields[number % len(fields)]}", depth + 1)


def _stored(matrix: _Matrix, name: str, element: Callable[[], memoryview], order: Order) -> Stored:
    dtype = np.dtype("?" if matrix.flags & _LOGICAL else _NUMERIC[matrix.kind])
    if matrix.flags & _COMPLEX:
        dtype = np.dtype(np.complex128)

    def load() -> Values:
        count = math.prod(matrix.shape)
        check_bytes(count * dtype.itemsize, "mat")
        body = element()
        flat, following = _part(body, matrix.parts, order, count)
        if matrix.flags & _COMPLEX:
            flat = flat + 1j * _part(body, following, order, count)[0]
        return flat.astype(dtype, copy=False).reshape(matrix.shape, order="F")

    return Stored(name, matrix.shape, dtype, load, by_columns=True)


def _part(body: memoryview, at: int, order: Order, count: int) -> tuple[Values, int]:
    """The real or imaginary values; MATLAB stores them in the smallest type that holds them all."""
    kind = _number(body, at, order)
    start, first, size = _data(body, at, order)
    dtype = np.dtype(("<" if order == "little" else ">") + _STORED.get(kind & 0xFFFF if kind >> 16 else kind, "V1"))
    if dtype.kind == "V" or size != count * dtype.itemsize:
        raise RowError(f"mat: expected {count} numbers, found {size} bytes of another kind; the file is damaged")
    return np.frombuffer(body, dtype, count=count, offset=first), start


def _head(body: memoryview, order: Order) -> _Matrix | None:
    """Class, flags, shape and name; None for an empty element.

    Text, sparse matrices, functions and objects give their class only: what follows it is of another form.
    """
    if len(body) < 16:
        return None
    following, at, _ = _data(body, 0, order)
    flags = _number(body, at, order)
    if flags & 0xFF not in _NUMERIC and flags & 0xFF not in (_CELL, _STRUCT):
        return _Matrix(flags & 0xFF, 0, (), "", 0)
    following, at, size = _data(body, following, order)
    if size > 4 * 32:
        raise RowError(f"mat: expected at most 32 axes, found {size // 4}; the file is damaged")
    shape = tuple(int.from_bytes(body[at + 4 * i : at + 4 * i + 4], order, signed=True) for i in range(size // 4))
    if not shape or min(shape) < 0:
        raise RowError("mat: expected axes of no negative length, found others; the file is damaged")
    parts, at, size = _data(body, following, order)
    return _Matrix(flags & 0xFF, flags >> 8 & 0xFF, shape, _text(bytes(body[at : at + size])), parts)


def _elements(body: memoryview, at: int, order: Order) -> Iterator[memoryview]:
    while at + 8 <= len(body):
        following, first, size = _data(body, at, order)
        yield body[first : first + size]
        at = following


def _data(body: memoryview, at: int, order: Order) -> tuple[int, int, int]:
    """(start of the next element, start of the data, its bytes); four bytes or less share the tag."""
    tag = _number(body, at, order)
    if tag >> 16:
        return at + 8, at + 4, min(4, tag >> 16)
    size = _number(body, at + 4, order)
    return at + 8 + _padded(size), at + 8, size


def _padded(size: int) -> int:
    return size + -size % 8


def _number(body: memoryview, at: int, order: Order) -> int:
    if at + 4 > len(body):
        raise RowError("mat: truncated: an element ends before its header does; fetch the file again")
    return int.from_bytes(body[at : at + 4], order)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _numbered(path: str, number: int, shape: tuple[int, ...]) -> str:
    return path if math.prod(shape) == 1 else f"{path}/{number}"


def _version_4(data: bytes) -> Iterator[Stored]:
    """Matrices of two axes, one after the other; the type says order, storage and class in decimal digits."""
    at = 0
    while at + 20 <= len(data):
        order: Order = "little" if int.from_bytes(data[at : at + 4], "little") < 5000 else "big"
        kind, rows, columns, imaginary, name = (
            int.from_bytes(data[at + 4 * part : at + 4 * part + 4], order) for part in range(5)
        )
        storage, full = kind // 10 % 10, kind % 10 == 0
        if kind >= 2000 or kind // 100 % 10 or storage >= len(_V4_STORED) or not 1 <= name <= 1024:
            raise RowError("mat: expected a matrix of version 4, found a header of another kind; the file is damaged")
        dtype = np.dtype(("<" if order == "little" else ">") + _V4_STORED[storage])
        start, size = at + 20 + name, rows * columns * dtype.itemsize * (2 if imaginary else 1)
        check_bytes(size, "mat")
        if start + size > len(data):
            raise RowError(f"mat: truncated: expected {size} bytes of values, found fewer; fetch the file again")
        shown = np.dtype(np.complex128) if imaginary else dtype
        at = start + size
        if full:
            yield Stored(
                _text(data[start - name : start]), (rows, columns), shown,
                _v4_loader(data, start, (rows, columns), dtype, complex_values=bool(imaginary)), by_columns=True,
            )  # fmt: skip


def _v4_loader(
    data: bytes, start: int, shape: tuple[int, int], dtype: np.dtype[Any], *, complex_values: bool
) -> Callable[[], Values]:
    def load() -> Values:
        count = math.prod(shape)
        flat: Values = np.frombuffer(data, dtype, count=count, offset=start)
        if complex_values:
            flat = flat + 1j * np.frombuffer(data, dtype, count=count, offset=start + count * dtype.itemsize)
        return flat.reshape(shape, order="F")

    return load
