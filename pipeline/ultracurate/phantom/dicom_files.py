"""DICOM files of known pixels in every transfer syntax that can be written here, for tests of the reader."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.phantom.dicom_codecs import encode_frame, encode_stream

Array = npt.NDArray[Any]

SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "big": "1.2.840.10008.1.2.2",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg": "1.2.840.10008.1.2.4.50",
    "lossless": "1.2.840.10008.1.2.4.57",
    "lossless1": "1.2.840.10008.1.2.4.70",
    "jpegls": "1.2.840.10008.1.2.4.80",
    "jpegls-near": "1.2.840.10008.1.2.4.81",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
    "jpeg2000-lossy": "1.2.840.10008.1.2.4.91",
    "htj2k": "1.2.840.10008.1.2.4.201",
    "mpeg2": "1.2.840.10008.1.2.4.100",
    "h264": "1.2.840.10008.1.2.4.102",
    "hevc": "1.2.840.10008.1.2.4.107",
}
"""Names of the transfer syntaxes (PS3.6 annex A) that `encode` writes; for htj2k it must be given the codestreams."""

NATIVE = frozenset({"implicit", "explicit", "deflated", "big"})
VIDEOS = frozenset({"mpeg2", "h264", "hevc"})
_ITEM = b"\xfe\xff\x00\xe0"


def encode(
    frames: Array,
    syntax: str = "explicit",
    *,
    photometric: str | None = None,
    planar: bool = False,
    stored: int | None = None,
    offsets: str = "basic",
    pieces: int = 1,
    coding: dict[str, Any] | None = None,
    ready: Sequence[bytes] = (),
    **tags: Any,
) -> bytes:
    """An ultrasound file of (F, H, W) grey or palette samples, or (F, H, W, 3) RGB.

    Args:
        frames: uint8, uint16 or int16; colour is uint8 RGB and stored as `photometric` says.
        syntax: one of `SYNTAXES`.
        photometric: by default MONOCHROME2 or RGB.
        planar: colour by plane instead of by pixel; only without compression.
        stored: Bits Stored; by default all.
        offsets: where the frames begin: "basic", "extended", or "none" for an empty table.
        pieces: fragments of a coded frame.
        coding: further options of the encoder, see `dicom_codecs.encode_frame`.
        ready: codestreams to take instead of coding the frames.
        **tags: further elements by keyword; None takes one out.

    Raises:
        ConfigError: an unknown transfer syntax.
        MissingExtraError: pydicom or an encoder is not installed.
    """
    if syntax not in SYNTAXES:
        raise ConfigError(
            f"Expected a transfer syntax of {', '.join(SYNTAXES)}, found {syntax!r}. Choose one of these."
        )
    colour = frames.ndim == 4
    photometric = photometric or ("RGB" if colour else "MONOCHROME2")
    samples = _to_ybr(frames) if photometric.startswith("YBR_FULL") and syntax not in {"jpeg", *VIDEOS} else frames
    data = _header(frames, photometric, stored or frames.dtype.itemsize * 8, planar=planar)
    extended = b""
    if syntax in NATIVE:
        payload = _native(samples, photometric, planar=planar, big=syntax == "big")
        encapsulated = False
    elif syntax in VIDEOS:
        payload, encapsulated = _items([[encode_stream(frames, syntax)]], "none")[0], True
    else:
        bits, options = stored or frames.dtype.itemsize * 8, coding or {}
        coded = ready or [
            encode_frame(frame, syntax, bits, ybr=photometric.startswith("YBR"), **options) for frame in samples
        ]
        payload, extended = _items([_split(frame, pieces) for frame in coded], offsets)
        encapsulated = True
    return _written(data, SYNTAXES[syntax], payload, encapsulated, extended, tags)


def palette(table: Array, bits: int = 16, first: int = 0) -> dict[str, Any]:
    """The palette elements of an (N, 3) table of red, green and blue, for `encode`."""
    found: dict[str, Any] = {}
    for place, colour in enumerate(("Red", "Green", "Blue")):
        entries = table[:, place].astype(f"<u{bits // 8}").tobytes()
        found[f"{colour}PaletteColorLookupTableDescriptor"] = [len(table) % 65_536, first, bits]
        found[f"{colour}PaletteColorLookupTableData"] = entries + b"\0" * (len(entries) % 2)
    return found


def region(box: tuple[int, int, int, int], mm: float, spatial: int = 1, data: int = 1, units: int = 3) -> Any:
    """One item of the sequence of ultrasound regions; `box` is half-open, `mm` the spacing of both axes."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = spatial, data, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2] - 1, box[3] - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX = item.PhysicalDeltaY = mm / 10
    return item


def _header(frames: Array, photometric: str, stored: int, *, planar: bool) -> Any:
    try:
        from pydicom.dataset import Dataset
    except ImportError as exc:
        raise MissingExtraError("Writing DICOM files", "dicom") from exc
    data: Any = Dataset()
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1" if len(frames) == 1 else "1.2.840.10008.5.1.4.1.1.3.1"
    data.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    data.Modality = "US"
    data.Rows, data.Columns = frames.shape[1:3]
    data.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    data.PhotometricInterpretation = photometric
    if frames.ndim == 4:
        data.PlanarConfiguration = int(planar)
    data.BitsAllocated = frames.dtype.itemsize * 8
    data.BitsStored, data.HighBit = stored, stored - 1
    data.PixelRepresentation = int(frames.dtype.kind == "i")
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    return data


def _written(
    data: Any, syntax: str, payload: bytes, encapsulated: bool, extended: bytes, tags: dict[str, Any]
) -> bytes:
    """The whole file; the pixel data are written by hand, because the library would put them right."""
    from pydicom import config
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import dcmwrite

    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = syntax
    if extended:
        data.ExtendedOffsetTable = extended
        data["ExtendedOffsetTable"].VR = "OV"
    with config.disable_value_validation():
        for name, value in tags.items():
            setattr(data, name, value)
            if value is None:
                delattr(data, name)
        data.PixelData = payload + b"\0" * (len(payload) % 2)
        data["PixelData"].VR = "OB" if encapsulated or data.BitsAllocated == 8 else "OW"
        data["PixelData"].is_undefined_length = encapsulated
        buffer = io.BytesIO()
        dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def _to_ybr(frames: Array) -> Array:
    """YBR_FULL of RGB, PS3.3 C.7.6.3.1.2."""
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    ybr = frames.astype(np.float64) @ matrix.T + [0, 128, 128]
    out: Array = np.clip(np.floor(ybr + 0.5), 0, 255).astype(np.uint8)
    return out


def _native(samples: Array, photometric: str, *, planar: bool, big: bool) -> bytes:
    if photometric.endswith("_422"):
        pairs = samples.reshape(-1, 2, 3)
        samples = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], axis=1)
    elif planar:
        samples = np.moveaxis(samples, -1, 1)
    stored = samples.dtype.newbyteorder(">" if big else "<")
    return np.ascontiguousarray(samples).astype(stored).tobytes()


def _split(frame: bytes, pieces: int) -> list[bytes]:
    """Fragments of even length, as the standard wants them."""
    frame += b"\0" * (len(frame) % 2)
    step = max(2, -(-len(frame) // pieces) // 2 * 2 + 2) if pieces > 1 else len(frame)
    return [frame[at : at + step] for at in range(0, len(frame), step)]


def _items(frames: Sequence[Sequence[bytes]], offsets: str) -> tuple[bytes, bytes]:
    """Encapsulated frames with their offset table (PS3.5 A.4), and the extended one; the end mark is the library's."""
    body, places = b"", []
    for frame in frames:
        places.append(len(body))
        for piece in frame:
            piece += b"\0" * (len(piece) % 2)
            body += _ITEM + struct.pack("<I", len(piece)) + piece
    table = struct.pack(f"<{len(places)}I", *places) if offsets == "basic" else b""
    extended = struct.pack(f"<{len(places)}Q", *places) if offsets == "extended" else b""
    return _ITEM + struct.pack("<I", len(table)) + table + body, extended
