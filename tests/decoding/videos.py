"""Clips in every container and codec that FFmpeg's libraries write, drawn in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np

from tests.decoding.files import Array
from ultracurate.decoding.limits import each
from ultracurate.decoding.media import PLAIN, Reading
from ultracurate.decoding.pictures import Wanted
from ultracurate.decoding.video import iter_video

av.logging.set_level(None)

CONTAINERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "avi": "avi", "wmv": "asf", "mpg": "mpeg"}

WRITERS = [
    ("mp4", "mp4", "libx264", "yuv420p"),
    ("mp4", "mp4", "libx264", "yuv444p"),
    ("mp4", "mp4", "libx264", "yuv420p10le"),
    ("mp4", "mp4", "libx265", "yuv420p"),
    ("mov", "mov", "prores", "yuv422p10le"),
    ("mov", "mov", "mjpeg", "yuvj422p"),
    ("mkv", "matroska", "libx264", "yuv420p"),
    ("mkv", "webm", "libvpx", "yuv420p"),
    ("mkv", "webm", "libvpx-vp9", "yuv420p"),
    ("avi", "avi", "mjpeg", "yuvj420p"),
    ("avi", "avi", "rawvideo", "gray"),
    ("avi", "avi", "rawvideo", "bgr24"),
    ("avi", "avi", "rawvideo", "yuv420p"),
    ("avi", "avi", "ffv1", "gray16le"),
    ("avi", "avi", "libx264", "yuv420p"),
    ("avi", "avi", "mpeg4", "yuv420p"),
    ("wmv", "asf", "wmv2", "yuv420p"),
    ("mpg", "mpeg", "mpeg1video", "yuv420p"),
    ("mpg", "mpeg", "mpeg2video", "yuv420p"),
    ("mpg", "mpegts", "mpeg2video", "yuv420p"),
    ("mpg", "mpegts", "libx264", "yuv420p"),
    ("mpg", "mpeg2video", "mpeg2video", "yuv420p"),
]
"""Our name of the format, FFmpeg's name of the container, codec and pixel format."""

LEVELS = [20, 200, 60, 240, 100, 30, 140, 90, 180, 50, 220, 70]
"""Brightness of the frames: neighbours differ by more than any codec blurs."""


def video(
    container: str,
    codec: str,
    frames: Sequence[Array] | None = None,
    *,
    pix_fmt: str = "yuv420p",
    rate: int = 20,
    stamps: Sequence[int] | None = None,
    turn: tuple[int, bool, bool] | None = None,
    muxer: dict[str, str] | None = None,
    **options: str,
) -> bytes:
    """A clip of (H, W, 3) RGB frames; `stamps` are their times in frames, `turn` is degrees, mirror, upside down."""
    frames = [np.full((48, 64, 3), level, np.uint8) for level in LEVELS] if frames is None else frames
    if codec == "libx265":
        options["x265-params"] = "log-level=none"
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=muxer or {}) as file:
        stream: Any = file.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts = stamps[index] if stamps else index
            frame.time_base = Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


def remux(data: bytes, container: str, shift: int = 0, **muxer: str) -> bytes:
    """The same packets in another container, `shift` ticks of their clock later."""
    out = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as source, av.open(out, "w", format=container, options=muxer) as file:
        stream = source.streams.video[0]
        copy = file.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
                file.mux(packet)
    return out.getvalue()


def decoded(
    data: bytes, fmt: str, wanted: Wanted | frozenset[int] = lambda index, time_s: True, reading: Reading = PLAIN
) -> list[tuple[int, float | None, Array]]:
    """What `iter_video` yields, its errors as those of the package."""
    return list(each(fmt, iter_video(data, fmt, wanted, reading)))
