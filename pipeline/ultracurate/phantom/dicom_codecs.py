"""One frame as the codestream of a DICOM transfer syntax, and a clip as the video of one."""

from __future__ import annotations

import io
import struct
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ultracurate.core.errors import ConfigError, MissingExtraError

Array = npt.NDArray[Any]

_GDCM = {"lossless1": "JPEGLosslessProcess14_1", "jpegls": "JPEGLSLossless", "jpegls-near": "JPEGLSNearLossless"}
_NEAR = 2
"""Error of a near-lossless sample."""
_SMALLEST = 96
_MUXERS = {"mpeg2": ("mpeg2video", "mpeg2video"), "h264": ("libx264", "h264"), "hevc": ("libx265", "hevc")}


def encode_frame(frame: Array, syntax: str, bits: int, *, ybr: bool, **options: Any) -> bytes:
    """The codestream of an (H, W) or (H, W, 3) frame.

    Args:
        frame: samples as they are to be stored, except for JPEG, which is given RGB.
        syntax: rle, jpeg, lossless, lossless1, jpegls, jpegls-near, jpeg2000 or jpeg2000-lossy.
        bits: of a sample.
        ybr: colour is stored as luminance and differences.
        **options: `quality` and `subsampling` (Pillow's) of JPEG, `predictor` (1 to 7) of lossless, `transform` (the
            multiple component transform) of JPEG 2000.

    Raises:
        ConfigError: an unknown transfer syntax.
        MissingExtraError: an encoder is not installed.
    """
    if syntax == "rle":
        return _rle(frame)
    if syntax == "jpeg":
        return _jpeg(frame, ybr=ybr, **options)
    if syntax == "lossless":
        return lossless_jpeg(frame, bits, **options)
    if syntax in _GDCM:
        return _gdcm(frame, _GDCM[syntax], bits)
    if syntax.startswith("jpeg2000"):
        return _jpeg2000(frame, bits, lossy=syntax.endswith("lossy"), **options)
    raise ConfigError(f"Expected a compressed transfer syntax, found {syntax!r}.")


def encode_stream(frames: Array, syntax: str, fps: int = 25) -> bytes:
    """The bare MPEG-2, H.264 or HEVC stream of (F, H, W) or (F, H, W, 3) uint8 frames with even sides.

    Raises:
        ConfigError: smaller than 96 x 96; libx265 writes past its buffers there.
        MissingExtraError: PyAV is not installed.
    """
    if min(frames.shape[1:3]) < _SMALLEST:
        raise ConfigError(f"Expected frames of at least {_SMALLEST} pixels a side, found {frames.shape[1:3]}.")
    try:
        import av
    except ImportError as exc:
        raise MissingExtraError("Writing video files", "video") from exc
    name, muxer = _MUXERS[syntax]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=muxer) as output:
        stream: Any = output.add_stream(name, rate=Fraction(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        # HEVC's encoder greets on the screen unless told not to.
        stream.options = {"mpeg2": {"qscale": "2", "flags": "+qscale"}, "h264": {"crf": "8"}}.get(
            syntax, {"x265-params": "log-level=none:pools=none:frame-threads=1:crf=8"}
        )
        if syntax == "mpeg2":
            stream.bit_rate = 8_000_000
        for frame in frames:
            rgb = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def _rle(frame: Array) -> bytes:
    """PackBits segments (PS3.5 annex G), one for each byte of each sample, the highest first."""
    planes = frame[None] if frame.ndim == 2 else np.moveaxis(frame, -1, 0)
    segments = []
    for plane in planes:
        raw = np.ascontiguousarray(plane).astype(plane.dtype.newbyteorder(">")).view(np.uint8)
        for byte in range(plane.dtype.itemsize):
            rows = raw.reshape(plane.shape[0], -1, plane.dtype.itemsize)[..., byte]
            packed = b"".join(_packbits(row.tobytes()) for row in rows)
            segments.append(packed + b"\0" * (len(packed) % 2))
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(segments)


def _packbits(row: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(row):
        run = 1
        while run < 128 and at + run < len(row) and row[at + run] == row[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, row[at]])
            at += run
            continue
        end = at + 1
        while end < len(row) and end - at < 128 and row[end : end + 1] != row[end + 1 : end + 2]:
            end += 1
        out += bytes([end - at - 1]) + row[at:end]
        at = end
    return bytes(out)


def _jpeg(frame: Array, *, ybr: bool, quality: int = 95, subsampling: int = 0) -> bytes:
    out = io.BytesIO()
    keep = {"keep_rgb": True} if frame.ndim == 3 and not ybr else {"subsampling": subsampling}
    Image.fromarray(frame).save(out, "JPEG", quality=quality, **keep)
    return out.getvalue()


def _jpeg2000(frame: Array, bits: int, *, lossy: bool, transform: bool = True) -> bytes:
    try:
        from openjpeg.utils import encode_array
    except ImportError as exc:
        raise MissingExtraError("Writing JPEG 2000", "dicom") from exc
    kind, ratios = (1 if frame.ndim == 3 else 0), ([4.0] if lossy else None)
    return bytes(
        encode_array(frame, bits, photometric_interpretation=kind, use_mct=transform, compression_ratios=ratios)
    )


def _gdcm(frame: Array, kind: str, bits: int) -> bytes:
    """GDCM encodes what it has read, so the frame goes through a file in a folder that is removed again."""
    try:
        import gdcm
    except ImportError as exc:
        raise MissingExtraError("Writing JPEG lossless and JPEG-LS", "dicom") from exc
    from ultracurate.phantom.dicom_files import encode

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        path.write_bytes(encode(frame[None], stored=bits))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        if not reader.Read():
            raise ConfigError("GDCM could not read the frame that it should encode.")
        change = gdcm.ImageChangeTransferSyntax()
        change.SetForce(True)
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kind)))
        change.SetInput(reader.GetImage())
        codec = gdcm.JPEGLSCodec()
        if kind == "JPEGLSNearLossless":
            codec.SetLossless(False)
            codec.SetLossyError(_NEAR)
            change.SetUserCodec(codec)
        if not change.Change():
            raise ConfigError(f"GDCM cannot encode {frame.dtype} samples as {kind}.")
        fragments = change.GetOutput().GetDataElement().GetSequenceOfFragments()
        return bytes(fragments.GetFragment(0).GetByteValue().GetBuffer().encode("utf-8", "surrogateescape"))


def lossless_jpeg(frame: Array, bits: int, predictor: int = 4) -> bytes:
    """Lossless JPEG (ISO 10918-1 annex H) of an (H, W) frame, with any of the seven predictors.

    One Huffman table of 17 codes of five bits: nothing is gained by it, but any decoder reads it.
    """
    height, width = frame.shape
    values = frame.astype(np.int64) & ((1 << bits) - 1)
    left, above, corner = np.zeros_like(values), np.zeros_like(values), np.zeros_like(values)
    left[:, 1:], above[1:], corner[1:, 1:] = values[:, :-1], values[:-1], values[:-1, :-1]
    guesses: list[Array] = [left, above, corner, left + above - corner, left + ((above - corner) >> 1)]
    guesses += [above + ((left - corner) >> 1), (left + above) >> 1]
    guess = guesses[predictor - 1].copy()
    # The first row is told from the left, the first column from above, the first sample from the middle grey.
    guess[0], guess[:, 0] = left[0], above[:, 0]
    guess[0, 0] = 1 << (bits - 1)
    text = []
    for difference in ((values - guess + 32_768) % 65_536 - 32_768).ravel().tolist():
        size = abs(difference).bit_length()
        coded = difference if difference > 0 else difference + (1 << size) - 1
        text.append(f"{size:05b}" + (f"{coded:0{size}b}" if 0 < size < 16 else ""))
    packed = "".join(text)
    packed += "1" * (-len(packed) % 8)
    body = int(packed, 2).to_bytes(len(packed) // 8, "big").replace(b"\xff", b"\xff\0")
    table = bytes([0, *(17 if length == 5 else 0 for length in range(1, 17)), *range(17)])
    return (
        b"\xff\xd8"
        + _segment(0xC3, struct.pack(">BHHB3B", bits, height, width, 1, 1, 0x11, 0))
        + _segment(0xC4, table)
        + _segment(0xDA, bytes([1, 1, 0, predictor, 0, 0]))
        + body
        + b"\xff\xd9"
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
