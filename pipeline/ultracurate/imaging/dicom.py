"""DICOM pictures and clips through pydicom; only pixels, spacing, timing, modality and a group digest leave here."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from itertools import accumulate
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.imaging.levels import U8, drop_empty_colour, to_8bit, value_range
from ultracurate.imaging.limits import check_size, check_work, decoding
from ultracurate.imaging.media import Media, MediaInfo
from ultracurate.imaging.pictures import Wanted

_PLANAR_REGION = 1  # RegionSpatialFormat: 2D
_CENTIMETRES = 3  # PhysicalUnitsXDirection
_VOLUME_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.6.2"})  # Enhanced US Volume Storage
_DEFLATED_BYTES, _DEFLATED_RATIO = 64 << 20, 40
_IN_TIME = frozenset({"US", "IVUS", "XA", "RF", "ES", "ECG"})  # multi-frame files of these are clips


def probe_dicom(data: bytes) -> MediaInfo:
    """Facts of one DICOM file from its header; pixels are not decoded."""
    with decoding("dicom"):
        header = _read(data, stop_before_pixels=True)
        frames = _frames(header)
        check_size(int(header.Columns), int(header.Rows), frames, "dicom")
        spacing_x, spacing_y = _spacing(header)
        patient = str(header.get("PatientID") or "").strip()
        tag = str(header.get("Modality") or "").strip().upper()
        colour = header.get("SamplesPerPixel", 1) == 3 or header.get("PhotometricInterpretation") == "PALETTE COLOR"
        return MediaInfo(
            format="dicom",
            media=_media(header, frames),
            width=int(header.Columns),
            height=int(header.Rows),
            channels=3 if colour else 1,
            frames=frames,
            fps=_fps(header) if frames > 1 else None,
            spacing_x=spacing_x,
            spacing_y=spacing_y,
            group_hint=hashlib.sha256(patient.encode()).hexdigest() if patient else None,
            modality_tag=tag if tag.isalnum() and len(tag) <= 16 else None,
        )


def iter_dicom(data: bytes, wanted: Wanted) -> Iterator[tuple[int, float | None, U8]]:
    """Frames as (index, seconds or None, (H, W) or (H, W, 3) uint8 RGB), one decoded at a time.

    8-bit samples are taken as stored, with no window; deeper grey is scaled by `levels.to_8bit` over all frames;
    MONOCHROME1 is inverted so that 0 is black; palettes are applied. YBR needs nothing: pydicom hands out RGB.
    """
    dataset = _read(data)
    frames = _frames(dataset)
    check_size(int(dataset.Columns), int(dataset.Rows), frames, "dicom")
    check_work(int(dataset.Columns) * int(dataset.Rows) * frames, len(data), "dicom")
    times = _times(dataset, frames)
    chosen = [index for index in range(frames) if wanted(index, times[index])]
    if not chosen:
        return
    render = _Renderer(dataset, frames)
    for index, values in zip(chosen, _raw_frames(dataset, chosen), strict=True):
        yield index, times[index], render(values)


class _Renderer:
    """Turns raw frames of one file into grey or RGB, with what has to be known about the whole file."""

    def __init__(self, dataset: Any, frames: int) -> None:
        self.photometric = str(dataset.PhotometricInterpretation)
        self.lut = _palette(dataset) if self.photometric == "PALETTE COLOR" else None
        self.shift = max(0, int(dataset.get("BitsStored", 8)) - 8)
        self.low, self.high = 0.0, 255.0
        if self.lut is None and int(dataset.get("SamplesPerPixel", 1)) == 1 and int(dataset.BitsAllocated) > 8:
            ranges = [value_range(values) for values in _raw_frames(dataset, list(range(frames)))]
            self.low, self.high = min(low for low, _ in ranges), max(high for _, high in ranges)

    def __call__(self, values: npt.NDArray[Any]) -> U8:
        """(H, W) or (H, W, 3) samples as stored -> (H, W) or (H, W, 3) uint8."""
        if self.lut is not None:
            first, table = self.lut
            # Values outside the table take its ends (DICOM PS3.3 C.7.6.3.1.5).
            places = np.clip(values.astype(np.int64) - first, 0, len(table) - 1)
            return drop_empty_colour(table[places])
        if values.ndim == 3:
            return drop_empty_colour(values if values.dtype == np.uint8 else (values >> self.shift).astype(np.uint8))
        grey = to_8bit(values, self.low, self.high)
        return np.ascontiguousarray(255 - grey if self.photometric == "MONOCHROME1" else grey)


def _palette(dataset: Any) -> tuple[int, U8]:
    """First mapped value and (N, 3) uint8 table; 16-bit entries keep their high byte, unless all fit into 8 bits."""
    from pydicom.pixels.processing import apply_color_lut

    entries, first, _ = (int(part) for part in dataset.RedPaletteColorLookupTableDescriptor)
    entries = entries or 65_536
    # pydicom also expands segmented tables; feeding it every index once gives the table itself.
    if first > 32_767:
        first -= 65_536
    table = apply_color_lut(np.arange(first, first + entries).reshape(1, -1), dataset)[0]
    if table.dtype != np.uint8:
        table = table.astype(np.uint8) if int(table.max()) <= 255 else (table >> 8).astype(np.uint8)
    return first, np.ascontiguousarray(table[:, :3])


def _read(data: bytes, *, stop_before_pixels: bool = False) -> Any:
    try:
        import pydicom
    except ImportError:
        raise MissingExtraError("Reading DICOM files", "dicom") from None
    _refuse_bomb(data)
    dataset = pydicom.dcmread(io.BytesIO(data), force=False, stop_before_pixels=stop_before_pixels)
    if "Rows" not in dataset or "Columns" not in dataset:
        raise RowError("dicom: expected a picture, found a file without Rows and Columns (a report or a measurement)")
    return dataset


def _refuse_bomb(data: bytes) -> None:
    """Refuse a deflated file that pydicom, which inflates it in one go, could not hold."""
    from pydicom.filereader import data_element_generator
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    if DeflatedExplicitVRLittleEndian.encode() not in data[: 1 << 16]:
        return
    file = io.BytesIO(data)
    file.seek(132)  # after preamble and magic
    for _ in data_element_generator(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2):
        pass
    at, room = file.tell(), max(_DEFLATED_BYTES, _DEFLATED_RATIO * len(data))
    stream, more = zlib.decompressobj(-zlib.MAX_WBITS), data[at:]
    while more and not stream.eof:
        room -= len(stream.decompress(more, 1 << 20))
        if room < 0:
            raise RowError("dicom: its deflated part holds far more than a picture; it looks like a decompression bomb")
        more = stream.unconsumed_tail


def _raw_frames(dataset: Any, indices: list[int]) -> Iterator[npt.NDArray[Any]]:
    """Frames at `indices` as pydicom gives them, one by one."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import iter_pixels

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise RowError(f"dicom: transfer syntax '{syntax.name}' is not supported; convert the file first") from None
    if not decoder.is_available:
        raise MissingExtraError(f"Decoding DICOM with transfer syntax '{syntax.name}'", "dicom")
    for index in indices:
        yield from iter_pixels(dataset, indices=[index])


def _frames(header: Any) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _media(header: Any, frames: int) -> Media:
    if frames == 1:
        return "image"
    if str(header.get("SOPClassUID", "")) in _VOLUME_CLASSES:
        return "volume"
    return "clip" if _fps(header) or str(header.get("Modality", "")).upper() in _IN_TIME else "volume"


def _spacing(header: Any) -> tuple[float | None, float | None]:
    """(x, y) in mm per pixel; regions that disagree give none, because one number could not be true."""
    found = set()
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        if region.get("RegionSpatialFormat") == _PLANAR_REGION and units == (_CENTIMETRES, _CENTIMETRES):
            x, y = abs(float(region.get("PhysicalDeltaX") or 0)), abs(float(region.get("PhysicalDeltaY") or 0))
            if 0 < x < inf and 0 < y < inf:
                found.add((round(x * 10, 9), round(y * 10, 9)))
    if found:
        return found.pop() if len(found) == 1 else (None, None)
    spacing = header.get("PixelSpacing")
    if spacing and len(spacing) == 2 and all(0 < float(part) < inf for part in spacing):
        return float(spacing[1]), float(spacing[0])  # stored as row spacing (y), column spacing (x)
    return None, None


def _fps(header: Any) -> float | None:
    """Frames per second: FrameTime, then the mean of FrameTimeVector, CineRate, RecommendedDisplayFrameRate."""
    frame_ms = float(header.get("FrameTime") or 0)
    if frame_ms > 0:
        return 1000.0 / frame_ms
    steps = [float(step) for step in (_vector(header)[1:])]
    if steps and sum(steps) > 0:
        return 1000.0 * len(steps) / sum(steps)
    rate = float(header.get("CineRate") or header.get("RecommendedDisplayFrameRate") or 0)
    return rate if rate > 0 else None


def _times(header: Any, frames: int) -> list[float | None]:
    """Seconds since the first frame for every frame; all None for stills, volumes and clips without timing."""
    if _media(header, frames) != "clip":
        return [None] * frames
    steps = _vector(header)
    if len(steps) == frames and not header.get("FrameTime"):
        return [total / 1000 for total in accumulate(steps[1:], initial=0.0)]
    fps = _fps(header)
    return [index / fps if fps else None for index in range(frames)]


def _vector(header: Any) -> list[float]:
    steps = header.get("FrameTimeVector")
    if steps is None:
        return []
    return [float(step) for step in steps] if hasattr(steps, "__iter__") else [float(steps)]
