"""What a DICOM header says about its samples, checked against what can be read and against the length of the data."""

from __future__ import annotations

from dataclasses import dataclass

from ultracurate.core.errors import RowError
from ultracurate.decoding._dicom.reading import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, Header, Opened, Pixels
from ultracurate.decoding.limits import check_size

NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
"""Transfer syntaxes whose samples lie in the file as they are."""

FULL = frozenset({"YBR_FULL", "YBR_FULL_422"})
PARTIAL = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})
HALVED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_COLOUR = FULL | PARTIAL | {"RGB", "YBR_ICT", "YBR_RCT"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How the header describes its samples (Image Pixel module, PS3.3 C.7.6.3), checked against what can be read."""

    width: int
    height: int
    frames: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool

    @property
    def frame_bits(self) -> int:
        """Bits of one frame that is not compressed."""
        halved = self.photometric in HALVED
        return self.width * self.height * (2 if halved else self.samples) * self.allocated


def read_shape(header: Header) -> Shape:
    """Size and kind of the samples.

    Raises:
        RowError: no picture, a size above the limits, or samples of a kind that no ultrasound device writes.
    """
    if "Rows" not in header.dataset or "Columns" not in header.dataset:
        raise RowError("dicom: expected a picture, found a file without Rows and Columns (a report or a measurement)")
    width, height, frames = header.whole("Columns"), header.whole("Rows"), header.whole("NumberOfFrames", 1)
    frames = frames or 1  # 0 is written for stills
    check_size(width, height, frames, "dicom")
    samples, photometric = header.whole("SamplesPerPixel", 1), header.word("PhotometricInterpretation").upper()
    if photometric not in (_GREY if samples == 1 else _COLOUR if samples == 3 else ()):
        raise RowError(
            f"dicom: expected one sample of grey or palette, or three of RGB or YBR, for each pixel, found {samples} "
            "of another kind; convert the file first"
        )
    allocated = header.whole("BitsAllocated", 8)
    stored = header.whole("BitsStored", allocated)
    high = header.whole("HighBit", stored - 1)
    if allocated not in (1, 8, 16, 32, 64) or not 0 < stored <= allocated or not stored - 1 <= high < allocated:
        raise RowError(f"dicom: expected samples of 8, 16 or 32 bits, found {stored} of {allocated} up to bit {high}")
    signed, planar = header.whole("PixelRepresentation", 0) == 1, header.whole("PlanarConfiguration", 0) == 1
    return Shape(width, height, frames, samples, photometric, allocated, stored, high, signed, planar)


def check_length(opened: Opened, shape: Shape) -> Pixels:
    """The pixel data, if they are there and, where they are not compressed, as long as the frames of the header.

    Raises:
        RowError: too short, or with room for more frames than the header says.
    """
    pixels = opened.pixels
    if pixels is None:
        raise RowError("dicom: expected pixel data, found none; the file is a header alone or is cut short")
    if opened.syntax not in NATIVE:
        return pixels
    if pixels.encapsulated:
        raise RowError("dicom: its pixel data come in items although its transfer syntax is not compressed")
    need, found = -(-shape.frame_bits * shape.frames // 8), len(pixels.value)
    # Old writers pad to whole disk blocks, but nothing pads by a frame.
    if found < need or (found - need) * 8 >= max(shape.frame_bits, 16):
        raise RowError(
            f"dicom: its header says {shape.frames} frames, {need} bytes in all, its pixel data are {found} bytes; "
            "one of them is wrong"
        )
    return pixels
