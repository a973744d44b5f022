"""Clips in every container and codec that is read, written by FFmpeg's libraries."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from ultracurate.core.errors import MissingExtraError
from ultracurate.phantom.format_facts import Facts, Writer
from ultracurate.phantom.textures import Grey

_ENDINGS = {
    "mp4": (".mp4", ".m4v"), "mov": (".mov",), "matroska": (".mkv",), "webm": (".webm",), "avi": (".avi",),
    "asf": (".wmv",), "mpeg": (".mpg", ".mpeg"), "mpegts": (".ts",),
}  # fmt: skip
_TICK = Fraction(1, 1000)
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_LAMBDA = 118  # FF_QP2LAMBDA


def writer(container: str, codec: str, pixels: str = "yuv420p", **options: str) -> Writer:
    """A writer of one container and codec; `pixels` is FFmpeg's name of the stored format, `options` the codec's."""

    def write(frames: Grey, facts: Facts) -> dict[str, bytes]:
        try:
            import av
        except ImportError:
            raise MissingExtraError("Writing video files", "video") from None
        if codec == "libx265":  # else it writes its settings to standard error
            # Asked to look ahead further than the clip lasts, it hands out times that nobody has set.
            plain = "log-level=none:pools=1:frame-threads=1:bframes=0:b-adapt=0:rc-lookahead=0"
            options.setdefault("x265-params", plain)
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=container, options={"fflags": "+bitexact"}) as output:
            rate = Fraction(facts.fps or 25.0).limit_denominator(1001)
            stream: Any = output.add_stream(codec, rate=rate)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = pixels
            if pixels == "gray":  # all 256 levels are used; unsaid, H.264 means 16 to 235
                stream.codec_context.color_range = _FULL_RANGE
            stream.thread_count = 1
            given = dict(options)
            if scale := given.pop("qscale", None):  # a constant quantiser: FFmpeg's own -q:v
                given["global_quality"] = str(_LAMBDA * int(scale))
                stream.bit_rate = 20_000_000
            stream.options = {"flags": "+bitexact+qscale" if scale else "+bitexact"} | given
            if facts.times:
                stream.codec_context.time_base = _TICK
            for number, image in enumerate(frames):
                frame = _frame(image, pixels)
                if facts.times:
                    frame.time_base, frame.pts = _TICK, round(facts.times[number] * 1000)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return dict.fromkeys(_ENDINGS[container], buffer.getvalue())

    return write


def _frame(image: Grey, pixels: str) -> Any:
    import av

    if pixels == "gray":
        return av.VideoFrame.from_ndarray(image, format="gray")
    if pixels == "yuvj420p" and image.ndim == 2:  # swscale would make the chroma of grey uneven by one level
        height, width = image.shape
        planes = np.vstack([image, np.full((height // 2, width), 128, np.uint8)])
        return av.VideoFrame.from_ndarray(planes, format="yuvj420p")
    rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image, np.uint8)
    return av.VideoFrame.from_ndarray(rgb, format="rgb24")
