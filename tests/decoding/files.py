"""Small real files, drawn and encoded in memory by the libraries that write them in the wild."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

Array = npt.NDArray[Any]


def speckle(height: int, width: int, *, colour: bool = False, seed: int = 0) -> Array:
    shape = (height, width, 3) if colour else (height, width)
    return np.random.default_rng(seed).integers(1, 255, shape, dtype=np.uint8)


def encode(array: Array, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def animation(frames: list[Array], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    pages = [Image.fromarray(frame) for frame in frames]
    pages[0].save(out, kind, save_all=True, append_images=pages[1:], **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A valid PNG header of any size, followed by almost no data."""

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def clip(
    frames: list[Array], kind: str = "mp4", codec: str = "mpeg4", rate: int = 20, *, index_first: bool = False
) -> bytes:
    """A clip of (H, W, 3) RGB frames; `index_first` puts the mp4's index before its pictures, as for streaming."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{kind}"
        options = {"movflags": "+faststart"} if index_first else {}
        with av.open(str(path), "w", format=kind, options=options) as container:
            stream: Any = container.add_stream(codec, rate=rate)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path.read_bytes()


def dicom(pixels: Array, *, multi: bool = False, **tags: Any) -> bytes:
    """An uncompressed ultrasound file; (H, W), (H, W, 3) or, with `multi`, (F, H, W)."""
    data: Any = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.Modality, data.PatientID, data.PatientName = "US", "MRN-0042", "Doe^Jane"
    data.PatientBirthDate = "19700131"
    shape = pixels.shape[1:] if multi else pixels.shape
    if multi:
        data.NumberOfFrames = pixels.shape[0]
    data.Rows, data.Columns = shape[:2]
    data.SamplesPerPixel = 3 if len(shape) == 3 else 1
    data.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        data.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for name, value in tags.items():
        setattr(data, name, value)
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()
