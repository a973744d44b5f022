"""Pictures, clips and DICOM files that ask for far too many pixels, frames or bytes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from ultracurate.phantom.formats import write

WIDE = 50_000


def zeros(mib: int, wbits: int = 15) -> bytes:
    """So many MiB of zero bytes, deflated; 31 makes a gzip stream, -15 a raw one."""
    packer = zlib.compressobj(9, wbits=wbits)
    block = bytes(1 << 20)
    return b"".join([packer.compress(block) for _ in range(mib)]) + packer.flush()


def grey() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 255, (64, 64), dtype=np.uint8)


def encoded(fmt: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(grey()).save(out, fmt, **options)
    return out.getvalue()


def one_bit_png() -> bytes:
    """A whole and valid PNG of 50,000 x 50,000 black pixels, 0.3 MB."""

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDE, WIDE, 1, 0, 0, 0, 0))
    packer = zlib.compressobj(9)
    rows = bytes(6251 * 500)
    body = b"".join(packer.compress(rows) for _ in range(100)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def wide_tiff() -> bytes:
    tags = {256: WIDE, 257: WIDE, 258: 8, 259: 5, 262: 1, 273: 8, 277: 1, 278: WIDE, 279: 100}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + 100) + bytes(100) + struct.pack("<H", len(tags)) + entries + bytes(4)


def wide_bmp() -> bytes:
    data = bytearray(encoded("BMP"))
    struct.pack_into("<ii", data, 18, WIDE, WIDE)
    return bytes(data)


def wide_jp2() -> bytes:
    data = bytearray(encoded("JPEG2000", no_jp2=True))
    struct.pack_into(">II", data, 8, WIDE, WIDE)
    return bytes(data)


def wide_webp() -> bytes:
    side = struct.pack("<I", WIDE - 1)[:3]
    still = encoded("WEBP", lossless=True)[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + side + side + still
    return b"RIFF" + struct.pack("<I", len(body)) + body


def long_gif() -> bytes:
    """A million frames of one pixel, 20 MB."""
    head = b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * 1_000_000 + b"\x3b"


def long_apng() -> bytes:
    """An animation of 150,000 frames."""

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    count, pixel = 150_000, zlib.compress(bytes(2))
    out = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))]
    out += [chunk(b"acTL", struct.pack(">II", count, 0)), chunk(b"IDAT", zlib.compress(bytes(65 * 64)))]
    for number in range(count):
        control = struct.pack(">IIIIIHHBB", 2 * number, 1, 1, 0, 0, 1, 25, 0, 0)
        out += [chunk(b"fcTL", control), chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + pixel)]
    return b"".join(out) + chunk(b"IEND", b"")


def long_webp() -> bytes:
    """An animation of 150,000 frames."""
    out = io.BytesIO()
    Image.new("L", (1, 1), 200).save(out, "WEBP", lossless=True)
    still = out.getvalue()[12:]
    frame = bytes(12) + b"\x28\0\0\0" + still
    frame = b"ANMF" + struct.pack("<I", len(frame)) + frame
    side = struct.pack("<I", 63)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + side + side
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + frame * 150_000
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_scans() -> bytes:
    """A progressive JPEG whose last scan comes 5,000 times over 16,000 x 6,000 pixels."""
    out = io.BytesIO()
    Image.new("L", (16_000, 6_000)).save(out, "JPEG", progressive=True, quality=5)
    data = out.getvalue()
    at = data.rfind(b"\xff\xda")
    return data[:-2] + data[at:-2] * 5000 + data[-2:]


def text_png() -> bytes:
    """A PNG with a comment that unpacks to 1 GB."""
    data = encoded("PNG")
    body = b"Comment\0\0" + zeros(1024)
    text = b"zTXt" + body
    return data[:33] + struct.pack(">I", len(body)) + text + struct.pack(">I", zlib.crc32(text)) + data[33:]


def dicom(**changes: Any) -> bytes:
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    from tests.decoding.files import dicom

    deflated = changes.pop("deflated", False)
    data = pydicom.dcmread(io.BytesIO(dicom(grey())))
    for name, value in changes.items():
        setattr(data, name, value)
    out = io.BytesIO()
    if not deflated:
        data.save_as(out)
        return out.getvalue()
    del data.PixelData
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data.save_as(out)
    head = out.getvalue()
    tail = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 1 << 30)
    cut = head.rfind(b"1.2.840.10008.1.2.1.99")
    end = end_of_meta(head) if cut > 0 else len(head)
    inner = zlib.decompress(head[end:], -15) + tail
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(inner) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    return head[:end] + body


def end_of_meta(data: bytes) -> int:
    """Where group 2 ends: its first element holds its length."""
    (length,) = struct.unpack_from("<I", data, 132 + 8)
    return 132 + 12 + int(length)


def long_mp4() -> bytes:
    """An index that announces a billion samples."""
    data = bytearray(write("mp4", np.stack([grey()] * 4)))
    for box, at in ((b"stsz", 12), (b"stts", 12)):
        place = data.find(box)
        struct.pack_into(">I", data, place + at, 1_000_000_000)
    place = data.find(b"stsz")
    struct.pack_into(">II", data, place + 8, 100, 1_000_000_000)
    return bytes(data)


def wide_mkv() -> bytes:
    """FFV1 knows no size of its own: it believes the container, which says 65,535 x 65,535."""
    frame = np.random.default_rng(0).integers(1, 255, (300, 300), dtype=np.uint8)
    data = write("mkv/ffv1", np.stack([frame] * 4))
    for element in (b"\xb0", b"\xba"):  # PixelWidth and PixelHeight
        assert element + b"\x82\x01\x2c" in data
        data = data.replace(element + b"\x82\x01\x2c", element + b"\x82\xff\xff")
    return data
