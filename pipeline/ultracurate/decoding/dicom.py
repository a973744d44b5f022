"""DICOM pictures, clips and volumes; only pixels, technical facts and a group digest leave here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ultracurate.decoding._dicom import header as facts
from ultracurate.decoding._dicom.identity import ALLOWED, Identifying, read_identifying, read_technical
from ultracurate.decoding._dicom.pixels import iter_pixels
from ultracurate.decoding._dicom.reading import Opened, guarded, open_dicom
from ultracurate.decoding._dicom.shape import Shape, check_length, read_shape
from ultracurate.decoding._dicom.video import is_video, iter_stream
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import check_work
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading
from ultracurate.decoding.pictures import Wanted

__all__ = ["ALLOWED", "Identifying", "cardiac_times", "identifying", "iter_dicom", "probe_dicom", "technical"]


def probe_dicom(data: bytes, reading: Reading = PLAIN) -> MediaInfo:
    """Facts of one DICOM file from its header; pixels are not decoded.

    Args:
        data: the file.
        reading: only its `fps` is used, where the header has no timing.

    Raises:
        RowError: damaged, no picture, above the limits, or without the pixel data that its header announces.
        MissingExtraError: pydicom is not installed.
    """
    opened = open_dicom(data)
    header = opened.header
    shape = read_shape(header)
    check_length(opened, shape)
    with guarded("its header"):
        media = facts.media(header, shape.frames)
        x, y, z = facts.spacing(header)
        patient, tag = header.word("PatientID"), header.word("Modality").upper()
        return MediaInfo(
            format="dicom",
            media=media,
            width=shape.width,
            height=shape.height,
            channels=3 if shape.samples == 3 or shape.photometric == "PALETTE COLOR" else 1,
            frames=shape.frames,
            fps=_rate(opened, reading) if shape.frames > 1 else None,
            spacing_x=x,
            spacing_y=y,
            spacing_z=z if media == "volume" else None,
            group_hint=hashlib.sha256(patient.encode("utf-8", "replace")).hexdigest() if patient else None,
            modality_tag=tag if tag.isalnum() and tag.isascii() and len(tag) <= 16 else None,
            regions=facts.regions(header, shape.width, shape.height),
            set_aside=facts.set_aside(header),
        )


def iter_dicom(data: bytes, wanted: Wanted, reading: Reading = PLAIN) -> Iterator[tuple[int, float | None, U8]]:
    """Frames as (index, seconds or None, (H, W) or (H, W, 3) uint8 RGB), one decoded at a time.

    How samples become 8 bits is told in `_dicom_pixels.iter_pixels`. MPEG2, H.264 and HEVC are decoded as videos are,
    every frame from the first to the last wanted one; their times are the header's.

    Raises:
        RowError: as `probe_dicom`, and for damaged pixel data, unknown transfer syntaxes, or more or fewer frames than
            the header says.
        MissingExtraError: pydicom, or the decoder of this transfer syntax, is not installed.
    """
    opened = open_dicom(data)
    shape = read_shape(opened.header)
    check_work(shape.width * shape.height * shape.frames, len(data), "dicom")
    with guarded("its header"):
        times = _times(opened, shape, reading)
    if is_video(opened.syntax):
        yield from iter_stream(opened, shape, times, wanted)
        return
    chosen = [index for index in range(shape.frames) if wanted(index, times[index])]
    if chosen:
        for index, image in zip(chosen, iter_pixels(opened, shape, chosen), strict=True):
            yield index, times[index], image


def cardiac_times(data: bytes) -> tuple[float, ...]:
    """Seconds of the R waves since the first frame of a clip, as its header says; () where it does not.

    Raises:
        RowError: as `probe_dicom`.
        MissingExtraError: pydicom is not installed.
    """
    opened = open_dicom(data)
    shape = read_shape(opened.header)
    with guarded("its header"):
        last = _times(opened, shape, PLAIN)[-1]
        return facts.beats(opened.header, last) if last else ()


def technical(data: bytes) -> dict[str, str | int | float]:
    """Values of the technical elements in `ALLOWED` that the file has, by keyword.

    Numbers are finite; words are codes of the standard or names of devices, and never repeat a word of a value that
    identifies. Nothing else of a header is ever kept.

    Raises:
        RowError: not a DICOM file, or damaged.
        MissingExtraError: pydicom is not installed.
    """
    opened = open_dicom(data)
    with guarded("its header"):
        return read_technical(opened.header, read_identifying(opened.header).values)


def identifying(data: bytes) -> Identifying:
    """Which identifying elements the file has, and their words for comparing with file names.

    Raises:
        RowError: not a DICOM file, or damaged.
        MissingExtraError: pydicom is not installed.
    """
    opened = open_dicom(data)
    with guarded("its header"):
        return read_identifying(opened.header)


def _rate(opened: Opened, reading: Reading) -> float | None:
    return facts.rate(opened.header) or reading.fps


def _times(opened: Opened, shape: Shape, reading: Reading) -> list[float | None]:
    """Seconds since the first frame; None for stills, slices and clips without timing."""
    if facts.media(opened.header, shape.frames) != "clip":
        return [None] * shape.frames
    return facts.times(opened.header, shape.frames, _rate(opened, reading))
