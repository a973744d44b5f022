"""Samples of a DICOM file frame by frame, as they lie in it, in RLE segments or in codestreams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import RowError
from ultracurate.decoding._dicom.codecs import decode, decode_rle
from ultracurate.decoding._dicom.frames import coded, cut
from ultracurate.decoding._dicom.reading import BIG_ENDIAN, Header, Opened, Pixels
from ultracurate.decoding._dicom.shape import FULL, HALVED, NATIVE, PARTIAL, Shape
from ultracurate.decoding.limits import check_work

Samples = npt.NDArray[Any]

_RLE = "1.2.840.10008.1.2.5"
_JPEG_FAMILY = "1.2.840.10008.1.2.4."
_CODED = frozenset(map(str, [*range(50, 82), 90, 91, 92, 93, 201, 202, 203]))
_KINDS = {"float32": "f4", "float64": "f8"}


class Stored(NamedTuple):
    """One frame as it is stored.

    Attributes:
        values: (H, W) or (H, W, 3), signed where the header says so.
        bits: of a sample.
        rgb: colour needs no conversion any more.
    """

    values: Samples
    bits: int
    rgb: bool


Source = Callable[[int], Stored]
"""A frame by its number."""


def source(opened: Opened, pixels: Pixels, shape: Shape) -> Source:
    """The way to the frames of a file that is no video.

    Raises:
        RowError: a transfer syntax that cannot be read, or another number of frames than the header says.
    """
    if opened.syntax in NATIVE:
        return _Native(opened, pixels, shape)
    if opened.syntax == _RLE:
        if shape.allocated not in (8, 16, 32):
            raise RowError(f"dicom: expected RLE samples of 8, 16 or 32 bits, found {shape.allocated}")
        return _Rle(opened, pixels, shape)
    if opened.syntax.startswith(_JPEG_FAMILY) and opened.syntax.removeprefix(_JPEG_FAMILY) in _CODED:
        return _Coded(opened, pixels, shape)
    raise RowError("dicom: its transfer syntax is not supported; convert the file first, to explicit little endian")


class _Native:
    """Samples as they lie in the file."""

    def __init__(self, opened: Opened, pixels: Pixels, shape: Shape) -> None:
        self._value, self._shape = pixels.value, shape
        self._order = ">" if opened.syntax == BIG_ENDIAN else "<"
        # Bytes in words of a big endian file change places (PS3.5 8.1.1 and annex A.3).
        self._swapped = self._order == ">" and pixels.vr == "OW" and shape.allocated == 8
        self._kind = _KINDS.get(pixels.kind, f"u{max(shape.allocated, 8) // 8}")

    def __call__(self, index: int) -> Stored:
        shape = self._shape
        if shape.allocated == 1:
            first = index * shape.frame_bits
            raw = np.frombuffer(self._value[first // 8 : -(-(first + shape.frame_bits) // 8)], np.uint8)
            bits = np.unpackbits(raw, bitorder="little")[first % 8 : first % 8 + shape.frame_bits]
            return Stored(bits.reshape(shape.height, shape.width), 1, True)
        length = shape.frame_bits // 8
        start, end = index * length, (index + 1) * length
        if self._swapped:
            pairs = np.frombuffer(self._value[start // 2 * 2 : -(-end // 2) * 2], np.uint16).byteswap()
            raw = pairs.view(np.uint8)[start % 2 : start % 2 + length]
        else:
            raw = np.frombuffer(self._value[start:end], np.uint8)
        values = raw.view(self._order + self._kind)
        if shape.photometric in HALVED:
            values = _widened(values)
        elif shape.samples == 3 and shape.planar:
            values = values.reshape(3, -1).T
        values = values.reshape((shape.height, shape.width, 3)[: 2 + (shape.samples == 3)])
        return _stored(values if self._kind.startswith("f") else _cleaned(values, shape), shape)


class _Rle:
    """RLE, the same samples in segments."""

    def __init__(self, opened: Opened, pixels: Pixels, shape: Shape) -> None:
        self._value, self._shape = pixels.value, shape
        self._cuts = cut(self._value, shape.frames, _extended(opened.header), one_each=True)

    def __call__(self, index: int) -> Stored:
        shape = self._shape
        ((start, end),) = self._cuts[index]
        frame, size = bytes(self._value[start:end]), shape.allocated // 8
        values = decode_rle(frame, shape.height, shape.width, shape.samples, size)
        return _stored(_cleaned(values, shape), shape)


class _Coded:
    """JPEG, JPEG-LS, JPEG 2000: each frame is a picture that describes itself."""

    def __init__(self, opened: Opened, pixels: Pixels, shape: Shape) -> None:
        self._value, self._shape = pixels.value, shape
        self._cuts = cut(self._value, shape.frames, _extended(opened.header), one_each=False)

    def __call__(self, index: int) -> Stored:
        shape = self._shape
        frame = b"".join(self._value[start:end] for start, end in self._cuts[index])
        stream = coded(frame)
        if (stream.width, stream.height, stream.samples) != (shape.width, shape.height, shape.samples):
            raise RowError(
                f"dicom: its header says {shape.width} x {shape.height} x {shape.samples}, frame {index} is "
                f"{stream.width} x {stream.height} x {stream.samples}; one of them is wrong"
            )
        if stream.bits > shape.allocated:
            raise RowError(f"dicom: its header says {shape.allocated} bits a sample, frame {index} has {stream.bits}")
        check_work(stream.width * stream.height * stream.scans, len(frame), "dicom")
        as_said = shape.photometric not in FULL | PARTIAL
        values, rgb = decode(frame, stream, rgb=as_said if stream.rgb is None else stream.rgb)
        return Stored(_signed(values, stream.bits) if shape.signed and shape.samples == 1 else values, stream.bits, rgb)


def _stored(values: Samples, shape: Shape) -> Stored:
    return Stored(values, shape.stored, shape.photometric not in FULL | PARTIAL)


def _extended(header: Header) -> list[int]:
    """The extended offset table (PS3.3 C.7.6.3.1.8)."""
    raw = header.data("ExtendedOffsetTable")
    return [int(offset) for offset in np.frombuffer(raw[: len(raw) // 8 * 8], "<u8")]


def _cleaned(values: Samples, shape: Shape) -> Samples:
    """Stored bits only: what lies above and below them may be overlays of old devices (PS3.5 8.1.1)."""
    low = shape.high + 1 - shape.stored
    if low:
        values = values >> low
    if shape.stored < shape.allocated:
        values = values & values.dtype.type((1 << shape.stored) - 1)
    return _signed(values, shape.stored) if shape.signed else values


def _signed(values: Samples, bits: int) -> Samples:
    """Two's complement numbers of `bits` bits, out of unsigned ones."""
    size = values.dtype.itemsize
    spare = values.dtype.type(size * 8 - bits)
    shifted = (values << spare).astype(f"u{size}").view(f"i{size}")
    signed: Samples = shifted >> np.dtype(f"i{size}").type(spare)
    return signed


def _widened(values: Samples) -> Samples:
    """Y1 Y2 B R as Y1 B R, Y2 B R (PS3.3 C.7.6.3.1.2, YBR_FULL_422)."""
    four = values.reshape(-1, 4)
    return four[:, [0, 2, 3, 1, 2, 3]].reshape(-1, 3)
