"""MPEG-2, H.264 and HEVC inside DICOM: the stream is taken out of its items and decoded as videos are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._dicom.frames import fragments
from ultracurate.decoding._dicom.reading import Opened, guarded
from ultracurate.decoding._dicom.shape import Shape, check_length
from ultracurate.decoding._video.boxes import refuse_incomplete_boxes
from ultracurate.decoding._video.planar import converted
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import MAX_PIXELS, check_work
from ultracurate.decoding.pictures import Wanted

_ELEMENTARY = {"100": "mpegvideo", "101": "mpegvideo"} | dict.fromkeys(("102", "103", "104", "105", "106"), "h264")
_ELEMENTARY |= dict.fromkeys(("107", "108"), "hevc")
"""FFmpeg's name of a bare stream, by the last part of the transfer syntax (PS3.5 8.2.5 to 8.2.10)."""
_FAMILY = "1.2.840.10008.1.2.4."
_LIMITS = {"max_pixels": str(MAX_PIXELS), "max_streams": "64"}


def is_video(syntax: str) -> bool:
    """Whether the pixel data of this transfer syntax are one video."""
    return _number(syntax) in _ELEMENTARY


def iter_stream(
    opened: Opened, shape: Shape, times: Sequence[float | None], wanted: Wanted
) -> Iterator[tuple[int, float | None, U8]]:
    """Frames of the video in display order as (index, seconds by the header or None, array).

    Only wanted frames are converted to RGB.

    Raises:
        RowError: no or a damaged stream, another size, or more or fewer frames than the header says.
        MissingExtraError: PyAV is not installed.
    """
    with guarded("its video"):
        data = _stream(opened, shape)
        demuxer = _format(data, opened.syntax)
        if demuxer == "mov":  # its tables can ask for gigabytes; the other containers have none
            refuse_incomplete_boxes(data, "dicom")
        container = _library().open(io.BytesIO(data), mode="r", format=demuxer, options=_LIMITS)
    with container:
        frames = _decoded(container, shape, len(data))
        index = -1
        while True:
            with guarded("its video"):
                frame = next(frames, None)
                if frame is None:
                    break
                index += 1
                if index >= shape.frames:
                    raise RowError(f"dicom: its header says {shape.frames} frames, its video has more; one is wrong")
                image = _pixels(frame) if wanted(index, times[index]) else None
            if image is not None:
                yield index, times[index], image
    if index + 1 != shape.frames:
        raise RowError(f"dicom: its header says {shape.frames} frames, its video has {index + 1}; one of them is wrong")


def _decoded(container: Any, shape: Shape, size: int) -> Iterator[Any]:
    if not container.streams.video:
        raise RowError("dicom: expected a video in its pixel data, found none")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    for index, frame in enumerate(container.decode(stream)):
        if frame.is_corrupt:
            raise RowError(f"dicom: frame {index} is damaged; the decoder could only have invented a part of it")
        if (frame.width, frame.height) != (shape.width, shape.height):
            raise RowError(
                f"dicom: its header says {shape.width} x {shape.height}, frame {index} of its video is "
                f"{frame.width} x {frame.height}; one of them is wrong"
            )
        check_work((index + 1) * frame.width * frame.height, size, "dicom")
        yield frame


def _pixels(frame: Any) -> U8:
    grey = str(frame.format.name) in ("gray", "gray8")
    return converted(frame, "gray" if grey else "rgb24")


def _stream(opened: Opened, shape: Shape) -> bytes:
    """The bytes of all items after the basic offset table, one after the other."""
    pixels = check_length(opened, shape)
    if not pixels.encapsulated:
        raise RowError("dicom: expected a video in items, found plain pixel data")
    return b"".join(pixels.value[start:end] for start, end in fragments(pixels.value)[1:])


def _format(data: bytes, syntax: str) -> str:
    """FFmpeg's name of the container: MP4, MPEG transport or program stream, else the bare stream."""
    if data[4:8] == b"ftyp":
        return "mov"
    if data[:1] == b"\x47" and data[188:189] == b"\x47":
        return "mpegts"
    return "mpeg" if data.startswith(b"\x00\x00\x01\xba") else _ELEMENTARY[_number(syntax)]


def _number(syntax: str) -> str:
    """The last part of a transfer syntax; `.1` after it means that the stream may lie in several items."""
    return syntax.removeprefix(_FAMILY).removesuffix(".1") if syntax.startswith(_FAMILY) else ""


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise MissingExtraError("Reading videos in DICOM files", "video") from None
    av.logging.set_level(None)
    return av
