"""Coded frames to samples: JPEG by Pillow, JPEG 2000 by OpenJPEG, the other JPEGs by FFmpeg or GDCM."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._dicom.frames import Coded
from ultracurate.decoding._dicom.gdcm import GdcmFailedError, GdcmMissingError, unpack
from ultracurate.decoding.limits import MAX_PIXELS

Samples = npt.NDArray[Any]

_GDCM = {"jpeg12": 51, "lossless": 57, "jpegls": 80}
"""Last part of the transfer syntax under which GDCM takes a codestream of each kind, near-lossless ones too."""

_RLE_HEADER = 64


def decode(frame: bytes, stream: Coded, *, rgb: bool) -> tuple[Samples, bool]:
    """Samples of one coded frame, and whether they are RGB now: libjpeg converts its YCbCr on the way.

    Args:
        frame: one JPEG, JPEG-LS or JPEG 2000 codestream.
        stream: its own header, already compared with the file's.
        rgb: three samples are red, green and blue, and must not be converted.

    Returns:
        (H, W) or (H, W, 3), unsigned, uint8 up to 8 bits and uint16 or uint32 above.

    Raises:
        RowError: damaged, or a kind with more bits than can be read.
        MissingExtraError: GDCM or OpenJPEG is not installed.
    """
    if stream.kind == "jpeg":
        return _pillow(frame, rgb=rgb), True
    if stream.kind == "jpeg2000":
        return _openjpeg(frame, stream), rgb
    values = _ffmpeg(frame, stream)
    return (_gdcm(frame, stream) if values is None else values), rgb


def _pillow(frame: bytes, *, rgb: bool) -> Samples:
    opened: Any = Image.open(io.BytesIO(frame), formats=["JPEG"])
    with opened as image:
        if rgb and len(image.layer) == 3 and _taken_for_ycbcr(image):
            # Asked for YCbCr, libjpeg hands out as they are the samples that it takes for YCbCr.
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def _taken_for_ycbcr(image: Any) -> bool:
    """What libjpeg believes about three samples: JFIF, then Adobe's mark, then the names of the components."""
    if "jfif" in image.info:
        return True
    if "adobe_transform" in image.info:
        return bool(image.info["adobe_transform"] != 0)
    return bytes(layer[0] for layer in image.layer) != b"RGB"


def _openjpeg(frame: bytes, stream: Coded) -> Samples:
    try:
        from openjpeg.utils import decode as unpacked
    except ImportError:
        raise MissingExtraError("Decoding JPEG 2000 in DICOM", "dicom") from None
    values = unpacked(frame)
    unsigned = values.view(values.dtype.str.replace("i", "u"))
    # Signed samples fill their container with the sign.
    full = unsigned.dtype.itemsize * 8
    return unsigned if stream.bits == full else unsigned & unsigned.dtype.type((1 << stream.bits) - 1)


def _ffmpeg(frame: bytes, stream: Coded) -> Samples | None:
    """By FFmpeg, which is hardened against damaged data; None for what it cannot or does not do exactly."""
    exact = {"jpeg12": (12,), "lossless": range(8, 16), "jpegls": (8, 16)}[stream.kind]
    if stream.bits not in exact or (stream.samples == 3 and stream.bits != 8):
        return None
    try:
        import av
    except ImportError:
        return None
    av.logging.set_level(None)
    decoder: Any = av.CodecContext.create("jpegls" if stream.kind == "jpegls" else "mjpeg", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode", "max_pixels": str(MAX_PIXELS)}
    try:
        frames = decoder.decode(av.Packet(frame)) or decoder.decode(None)
    except av.error.PatchWelcomeError:  # colour of JPEG-LS that is not interleaved by line
        return None
    if len(frames) != 1 or frames[0].is_corrupt:
        raise RowError(f"dicom: a {stream.kind} frame could not be decoded; the file is damaged")
    values: Samples = frames[0].to_ndarray()
    kind = frames[0].format.name
    if kind in ("yuv444p", "yuvj444p"):  # three samples without a name
        values = np.moveaxis(values, 0, -1)
    elif kind == "bgr24":
        values = values[..., ::-1]
    elif kind not in ("gray", "gray16le", "rgb24"):
        return None
    # FFmpeg shifts deep samples up to the highest bit.
    return np.ascontiguousarray(values) if stream.bits == 8 else values >> np.uint16(16 - stream.bits)


def _gdcm(frame: bytes, stream: Coded) -> Samples:
    # GDCM unpacks JPEG-LS of 6 and 7 bits wrongly.
    if not 1 < stream.bits <= 16 or (stream.kind == "jpegls" and stream.bits in (6, 7)):
        raise RowError(f"dicom: a {stream.kind} frame of {stream.bits} bits a sample cannot be read; convert the file")
    try:
        raw = unpack(frame, _GDCM[stream.kind], stream.width, stream.height, stream.samples, stream.bits)
    except GdcmMissingError:
        raise MissingExtraError("Decoding JPEG lossless and JPEG-LS in DICOM", "dicom") from None
    except GdcmFailedError:
        raise RowError(f"dicom: a {stream.kind} frame could not be decoded; the file is damaged") from None
    kind = np.dtype(np.uint8 if stream.bits <= 8 else "<u2")
    shape = (stream.height, stream.width, 3)[: 2 + (stream.samples == 3)]
    if len(raw) != int(np.prod(shape)) * kind.itemsize:
        raise RowError("dicom: a frame unpacks to another number of bytes than its header says; the file is damaged")
    return np.frombuffer(raw, kind).reshape(shape)


def decode_rle(frame: bytes, height: int, width: int, samples: int, size: int) -> Samples:
    """Samples of one RLE frame (PS3.5 annex G): (H, W) or (H, W, 3), `size` bytes each.

    Raises:
        RowError: another number of segments than samples have bytes, or a segment that is too short.
    """
    if len(frame) < _RLE_HEADER:
        raise RowError("dicom: an RLE frame is shorter than its own header; the file is damaged")
    count, *starts = struct.unpack("<16I", frame[:_RLE_HEADER])
    if count != samples * size:
        raise RowError(f"dicom: expected {samples * size} segments in an RLE frame, found {count}")
    ends = [*starts[1:count], len(frame)]
    planes = [_unpacked(frame[one:other], height * width) for one, other in zip(starts[:count], ends, strict=True)]
    # One segment for each byte of each sample, the highest byte first.
    stacked = np.stack([np.frombuffer(plane, np.uint8) for plane in planes]).reshape(samples, size, height * width)
    values = np.ascontiguousarray(stacked.transpose(2, 0, 1)).view(f">u{size}").astype(f"<u{size}")
    return values.reshape((height, width, samples)[: 2 + (samples > 1)])


def _unpacked(segment: bytes, size: int) -> bytes:
    """PackBits, never further than `size` bytes."""
    out, at = bytearray(), 0
    while len(out) < size and at + 1 < len(segment):
        head = segment[at]
        if head < 128:
            out += segment[at + 1 : at + 2 + head]
            at += 2 + head
        else:
            if head > 128:
                out += segment[at + 1 : at + 2] * (257 - head)
            at += 2 if head > 128 else 1
    if len(out) < size:
        raise RowError(f"dicom: an RLE segment unpacks to {len(out)} of {size} bytes; the file is damaged")
    return bytes(out[:size])
