"""Frames and clips as files: still formats, DICOM, video. The same input gives the same bytes."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.phantom.screens import Identity
from ultracurate.phantom.textures import Grey

STILL_FORMATS = ("png", "jpg", "bmp", "tif", "gif")
_UID_ROOT = "1.2.826.0.1.3680043.8.498."  # the root pydicom hands out for generated UIDs


def encode_still(image: Grey, fmt: str, quality: int = 90, level: int = 6) -> bytes:
    """A grey (H, W) or RGB (H, W, 3) uint8 picture as png, jpg, bmp, tif or gif bytes.

    `quality` is JPEG's, `level` is zlib's for PNG: another level gives other bytes with the same pixels.
    """
    if fmt not in STILL_FORMATS:
        raise ConfigError(f"Expected a format of {', '.join(STILL_FORMATS)}, found {fmt!r}. Choose one of these.")
    buffer = io.BytesIO()
    picture = Image.fromarray(image)
    if fmt == "png":
        picture.save(buffer, "PNG", compress_level=level)
    elif fmt == "jpg":
        picture.save(buffer, "JPEG", quality=quality)
    elif fmt == "gif" and image.ndim == 3:
        picture.quantize(256).save(buffer, "GIF")
    else:
        picture.save(buffer, {"bmp": "BMP", "tif": "TIFF", "gif": "GIF"}[fmt])
    return buffer.getvalue()


def encode_mask(mask: np.ndarray) -> bytes:
    """A bool mask (H, W) as a PNG of 0 and 255."""
    return encode_still(np.where(mask, 255, 0).astype(np.uint8), "png")


def encode_dicom(
    pixels: Grey,
    identity: Identity,
    seed: int,
    colour: bool = False,
    spacing_mm: float = 0.21,
    fps: float | None = None,
    region: tuple[int, int, int, int] | None = None,
) -> bytes:
    """An ultrasound DICOM file (explicit little endian): grey (H, W), RGB (H, W, 3), or clips (F, H, W[, 3]) uint8.

    The header carries the invented `identity` on purpose, so that leak tests have something to look for. `region` is
    the calibrated area (x0, y0, x1, y1), `spacing_mm` its mm per pixel on both axes, `fps` sets FrameTime.
    """
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.sequence import Sequence
        from pydicom.uid import (
            UID,
            ExplicitVRLittleEndian,
            UltrasoundImageStorage,
            UltrasoundMultiFrameImageStorage,
            generate_uid,
        )
    except ImportError as exc:
        raise MissingExtraError("Writing DICOM files", "dicom") from exc

    clip = pixels.ndim - int(colour) == 3
    frames = pixels if clip else pixels[None]
    rows, columns = frames.shape[1:3]
    kind = UltrasoundMultiFrameImageStorage if clip else UltrasoundImageStorage

    def uid(part: str) -> UID:
        return generate_uid(prefix=_UID_ROOT, entropy_srcs=[str(seed), part])

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, uid("instance")
    meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, uid("implementation")
    data = Dataset()
    data.file_meta = meta
    header: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SOPClassUID": kind,
        "SOPInstanceUID": uid("instance"),
        "StudyDate": "20240117",
        "Modality": "US",
        "Manufacturer": "Phantom Works",
        "InstitutionName": identity.hospital,
        "PatientName": identity.name,
        "PatientID": identity.patient_id,
        "PatientBirthDate": identity.birth_date,
        "StudyInstanceUID": uid("study"),
        "SeriesInstanceUID": uid("series"),
        "InstanceNumber": "1",
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
    }
    if colour:
        header["PlanarConfiguration"] = 0
    if clip:
        header |= {"NumberOfFrames": str(len(frames)), "FrameIncrementPointer": 0x00181063}
    if fps is not None:
        header["FrameTime"] = f"{1000.0 / fps:.6g}"
    for name, value in header.items():
        setattr(data, name, value)
    x0, y0, x1, y1 = region or (0, 0, columns, rows)
    area = Dataset()
    area.RegionSpatialFormat, area.RegionDataType, area.RegionFlags = 1, 1, 0
    area.RegionLocationMinX0, area.RegionLocationMinY0 = x0, y0
    area.RegionLocationMaxX1, area.RegionLocationMaxY1 = x1 - 1, y1 - 1
    area.PhysicalUnitsXDirection = area.PhysicalUnitsYDirection = 3  # centimetres
    area.PhysicalDeltaX = area.PhysicalDeltaY = spacing_mm / 10.0
    data.SequenceOfUltrasoundRegions = Sequence([area])
    raw = np.ascontiguousarray(frames).tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def encode_video(clip: Grey, fps: float, container: str = "mp4", codec: str | None = None) -> bytes:
    """A grey clip (F, H, W) uint8 as mp4 (mpeg4, or `codec`="libx264") or avi (Motion JPEG); one thread, bit-exact."""
    try:
        import av
    except ImportError as exc:
        raise MissingExtraError("Writing video files", "video") from exc

    name = codec or {"mp4": "mpeg4", "avi": "mjpeg"}[container]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options={"fflags": "+bitexact"}) as output:
        stream: Any = output.add_stream(name, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = "yuvj420p" if name == "mjpeg" else "yuv420p"
        stream.thread_count = 1
        stream.options = {"flags": "+bitexact"} | ({"qscale": "3"} if name != "libx264" else {"crf": "20"})
        if name != "libx264":
            stream.bit_rate = 4_000_000
        for grey in clip:
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), format="rgb24")
            for packet in stream.encode(frame):
                output.mux(packet)
        for packet in stream.encode(None):
            output.mux(packet)
    return buffer.getvalue()
