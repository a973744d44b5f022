"""MP4 and AVI through FFmpeg's libraries in process, frame by frame in constant memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.imaging.levels import U8, drop_empty_colour
from ultracurate.imaging.limits import MAX_FRAMES, MAX_PIXELS, check_size, check_work, decoding
from ultracurate.imaging.media import MediaInfo
from ultracurate.imaging.pictures import Wanted

_DEMUXER = {"mp4": "mov", "avi": "avi"}


def probe_video(data: bytes, fmt: str) -> MediaInfo:
    """Facts of the first video stream; frames is the header's count, else duration times rate."""
    with decoding(fmt), _open(data, fmt) as container:
        stream = _stream(container, fmt)
        fps = float(stream.average_rate or stream.base_rate or 0) or None
        frames = int(stream.frames or 0)
        if not frames and fps and stream.duration and stream.time_base:
            frames = max(1, round(float(stream.duration * stream.time_base) * fps))
        frames = frames or 1
        check_size(stream.width, stream.height, frames, fmt)
        return MediaInfo(
            format=fmt,
            media="clip",
            width=stream.width,
            height=stream.height,
            channels=1 if str(stream.pix_fmt or "").startswith("gray") else 3,
            frames=frames,
            fps=fps,
        )


def iter_video(data: bytes, fmt: str, wanted: Wanted) -> Iterator[tuple[int, float | None, U8]]:
    """Frames in display order as (index, seconds since the first frame or None, array).

    Only wanted frames are converted to RGB, but every frame is decoded: seeking in clips of unknown origin lands on
    different frames in different builds. One decoding thread, because workers are processes already.

    Raises:
        RowError: the container is cut short, no frame decodes, or a frame was patched up by the decoder.
    """
    with _open(data, fmt) as container:
        stream = _stream(container, fmt)
        check_size(stream.width, stream.height, 1, fmt)
        stream.codec_context.thread_count = 1
        # The stream may say another size than the container did, and FFmpeg would make room for it.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        first: float | None = None
        index = -1
        for index, frame in enumerate(container.decode(stream)):
            if frame.is_corrupt:
                raise RowError(f"{fmt}: frame {index} is damaged; the decoder could only have invented a part of it")
            check_work((index + 1) * frame.width * frame.height, len(data), fmt)
            if index >= MAX_FRAMES:
                check_size(frame.width, frame.height, index + 1, fmt)
            first = frame.time if first is None else first
            time_s = None if frame.time is None or first is None else float(frame.time - first)
            if wanted(index, time_s):
                check_size(frame.width, frame.height, 1, fmt)
                yield index, time_s, _pixels(frame)
        if index < 0:
            raise RowError(
                f"{fmt}: expected at least one video frame, found none; the file is damaged or has no pictures"
            )


def _pixels(frame: Any) -> U8:
    name = str(frame.format.name)
    if name in ("gray", "gray8"):
        return drop_empty_colour(frame.to_ndarray(format="gray"))
    return drop_empty_colour(frame.to_ndarray(format="rgb24"))


def _open(data: bytes, fmt: str) -> Any:
    _refuse_truncated(data, fmt)
    return _library().open(io.BytesIO(data), mode="r", format=_DEMUXER[fmt])


def _stream(container: Any, fmt: str) -> Any:
    if not container.streams.video:
        raise RowError(f"{fmt}: expected a video stream, found {len(container.streams)} streams of other kinds")
    return container.streams.video[0]


def _library() -> ModuleType:
    try:
        import av
    except ImportError:
        raise MissingExtraError("Reading mp4 and avi files", "video") from None
    av.logging.set_level(None)
    return av


def _refuse_truncated(data: bytes, fmt: str) -> None:
    """Refuse a file whose own box sizes reach past its end; FFmpeg would silently return fewer frames."""
    if fmt == "avi":
        # One byte of tolerance: some writers count the padding byte and leave it out.
        if int.from_bytes(data[4:8], "little") + 8 > len(data) + 1:
            raise RowError(
                f"{fmt}: truncated: its header announces more than the {len(data)} bytes found; fetch it again"
            )
        return
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # allowed for the last box: it reaches to the end
            return
        if size < 8 or at + size > len(data):
            raise RowError(
                f"{fmt}: truncated or damaged: a box of {size} bytes at byte {at} does not fit into {len(data)} bytes; "
                "fetch the file again"
            )
        at += size
