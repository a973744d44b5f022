"""Times of frames never go back, whatever a container's clock does, and one thread does all the work."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.decoding.videos import LEVELS, decoded, video
from ultracurate.core.errors import RowError
from ultracurate.decoding._video.packets import opened
from ultracurate.decoding.decode import iter_frames, read_frames
from ultracurate.decoding.media import Reading
from ultracurate.decoding.video import _Clock, packet_digest, probe_video, video_times

CLUSTER = bytes.fromhex("1f43b675")


def joined(*recordings: bytes) -> bytes:
    """Matroska files of unknown length one after the other in one segment: each begins its clock anew."""
    first, *others = recordings
    return first + b"".join(other[other.index(CLUSTER) :] for other in others)


def recording(codec: str, start: int = 0, **options: Any) -> bytes:
    stamps = [start + index for index in range(len(LEVELS))]
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    muxer = {"live": "1", "avoid_negative_ts": "disabled"}
    return video("matroska", codec, stamps=stamps, pix_fmt=pix_fmt, muxer=muxer, **options)


CODECS = [("libx264", {"bf": "2"}), ("libx264", {"bf": "2", "g": "4"}), ("mjpeg", {}), ("mpeg4", {})]


@pytest.mark.parametrize(("codec", "options"), CODECS)
@pytest.mark.parametrize("second", [0, 5, 11])
def test_a_clock_that_starts_again_is_replaced_by_the_rate(codec: str, options: dict[str, Any], second: int) -> None:
    """Recordings joined without new time stamps: all frames are there, in order, at the stated rate."""
    data = joined(recording(codec, **options), recording(codec, second, **options))
    times = [index / 20 for index in range(24)]
    seen = decoded(data, "mkv")
    assert [index for index, _, _ in seen] == list(range(24))
    assert [time_s for _, time_s, _ in seen] == pytest.approx(times)
    assert [float(image.mean()) for _, _, image in seen] == pytest.approx(LEVELS * 2, abs=12)
    assert video_times(data, "mkv") == pytest.approx(times)
    info = probe_video(data, "mkv")
    assert (info.frames, info.fps) == (24, 20.0)
    few = decoded(data, "mkv", frozenset({2, 13, 20}))
    assert [(index, time_s) for index, time_s, _ in few] == [(index, seen[index][1]) for index in (2, 13, 20)]
    assert all(np.array_equal(image, seen[index][2]) for index, _, image in few)
    late = read_frames(data, "mkv", lambda _, time_s: bool(time_s and time_s > 1))
    assert [index for index, _, _ in late] == [21, 22, 23]


@pytest.mark.parametrize(("codec", "options"), CODECS)
def test_a_pause_between_recordings_is_kept(codec: str, options: dict[str, Any]) -> None:
    data = joined(recording(codec, **options), recording(codec, 40, **options))
    seen = decoded(data, "mkv")
    assert [time_s for _, time_s, _ in seen] == pytest.approx([n / 20 for n in (*range(12), *range(40, 52))], abs=1e-3)
    assert video_times(data, "mkv") == tuple(time_s for _, time_s, _ in seen)


def test_the_manifest_knows_the_rate_of_what_has_no_times() -> None:
    """All frames at one time: the rate that FFmpeg makes of it is that of the clock's ticks."""
    out = io.BytesIO()
    with av.open(io.BytesIO(recording("mjpeg")), "r") as source, av.open(out, "w", format="matroska") as file:
        copy = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts = packet.dts = 7
                packet.time_base, packet.stream = Fraction(1, 1000), copy
                file.mux(packet)
    for data in (out.getvalue(), joined(recording("mjpeg"), recording("mjpeg"))):
        reading = Reading(fps=10)
        times = [index / 10 for index in range(probe_video(data, "mkv").frames)]
        assert probe_video(data, "mkv", reading).fps == 10
        assert video_times(data, "mkv", reading) == pytest.approx(times)
        assert [time_s for _, time_s, _ in decoded(data, "mkv", reading=reading)] == pytest.approx(times)
        assert [time_s for _, time_s, _ in decoded(data, "mkv", frozenset({5}), reading)] == [0.5]


def test_an_order_that_only_the_decoder_spoils_is_a_row_error() -> None:
    clock = _Clock(recording("mjpeg"), "mkv", Reading())
    assert [clock.seconds(index, stamp) for index, stamp in enumerate((100, 150, 150, 250))] == [0, 0.05, 0.05, 0.15]
    with pytest.raises(RowError, match=r"frame 4 at 0\.100 s after one at 0\.150 s"):
        clock.seconds(4, 200)
    with pytest.raises(RowError, match="order of their times"):
        clock.seconds(5, 40)


def test_the_digest_does_not_hang_on_the_clock() -> None:
    data = joined(recording("mjpeg"), recording("mjpeg"))
    assert packet_digest(data, "mkv") == packet_digest(joined(recording("mjpeg"), recording("mjpeg", 40)), "mkv")


KINDS = [
    ("mp4", "mp4", "libx264", "yuv420p"),
    ("mkv", "webm", "libvpx-vp9", "yuv420p"),
    ("mkv", "matroska", "libx265", "yuv420p"),
    ("mov", "mov", "prores", "yuv422p10le"),
    ("avi", "avi", "ffv1", "gray16le"),
    ("avi", "avi", "mjpeg", "yuvj420p"),
]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads through /proc")
@pytest.mark.parametrize(("fmt", "container", "codec", "pix_fmt"), KINDS)
def test_no_thread_is_started(
    fmt: str, container: str, codec: str, pix_fmt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames are large and coloured, so that decoder and scaler would share them out."""
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = np.arange(640) % 256
    data = video(container, codec, [red, red[:, ::-1].copy(), red], pix_fmt=pix_fmt)
    before = threads()
    probe_video(data, fmt)
    seen: list[Any] = []
    for _, _, image in iter_frames(data, fmt):
        seen.append(image)
        assert threads() <= before
    assert len(seen) == 3
    with opened(data, fmt) as (_, stream):
        assert stream.codec_context.thread_count == 1


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))
