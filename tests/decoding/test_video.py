"""Clips written by FFmpeg's libraries: order, colours, turns, limits and damage."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.decoding.files import clip, speckle
from tests.decoding.videos import decoded, video
from ultracurate.core.errors import RowError
from ultracurate.decoding._video.planar import pixels_of
from ultracurate.decoding.decode import decode_image, iter_frames, pixel_digest, probe, read_frames
from ultracurate.decoding.video import packet_digest, probe_video

LEVELS = [20, 60, 100, 140, 180, 220]
FRAMES = [np.full((48, 64, 3), level, np.uint8) for level in LEVELS]


@pytest.mark.parametrize(("fmt", "codec"), [("mp4", "mpeg4"), ("mp4", "libx264"), ("avi", "mpeg4")])
def test_frames_come_in_order_with_times(fmt: str, codec: str) -> None:
    data = clip(FRAMES, fmt, codec, rate=20)
    info = probe(data, fmt)
    assert (info.media, info.width, info.height, info.frames, info.fps) == ("clip", 64, 48, 6, 20.0)
    seen = list(iter_frames(data, fmt))
    assert [index for index, _, _ in seen] == list(range(6))
    assert [time_s for _, time_s, _ in seen] == pytest.approx([i / 20 for i in range(6)])
    assert [float(image.mean()) for _, _, image in seen] == pytest.approx(LEVELS, abs=6)
    assert all(image.shape[:2] == (48, 64) for _, _, image in seen)


def test_colour_survives_and_grey_is_grey() -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    image = decode_image(clip([red]), "mp4")
    assert image.shape == (48, 64, 3)
    assert image[..., 0].mean() > 180 > 40 > image[..., 2].mean()
    assert decode_image(clip([FRAMES[2]]), "mp4").ndim == 2


def test_decoding_twice_gives_the_same_digest() -> None:
    data = clip(FRAMES, codec="libx264")
    assert len({pixel_digest(image for _, _, image in iter_frames(data, "mp4")) for _ in range(3)}) == 1


def test_sampling_by_time_keeps_state() -> None:
    last = [-1.0]

    def every_tenth(_: int, time_s: float | None) -> bool:
        if time_s is not None and time_s - last[0] >= 0.1 - 1e-9:
            last[0] = time_s
            return True
        return False

    data = clip(FRAMES)
    chosen = list(read_frames(data, "mp4", every_tenth))
    assert [index for index, _, _ in chosen] == [0, 2, 4]
    whole = {index: image for index, _, image in iter_frames(data, "mp4")}
    assert all(np.array_equal(image, whole[index]) for index, _, image in chosen)
    assert [index for index, _, _ in read_frames(data, "mp4", {4})] == [4]


@pytest.mark.parametrize("index_first", [False, True])
def test_truncated_clips_are_refused_even_with_their_index_in_front(index_first: bool) -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(20)]
    data = clip(frames, index_first=index_first)
    assert (data.index(b"moov") < data.index(b"mdat")) is index_first
    assert len(list(iter_frames(data, "mp4"))) == 20
    for share in (0.5, 0.8, 0.99):
        with pytest.raises(RowError, match="mp4: truncated"):
            list(iter_frames(data[: int(len(data) * share)], "mp4"))


def test_sound_alone_is_no_clip() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44_100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(RowError, match="expected a video stream"):
        probe(out.getvalue(), "mp4")


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("fmt", "container"), [("mp4", "mp4"), ("mov", "mov"), ("mkv", "matroska")])
def test_a_telephone_held_sideways(fmt: str, container: str, degrees: int, mirror: bool) -> None:
    picture = np.repeat(np.repeat(speckle(6, 8), 8, 0), 8, 1)
    frames = [np.dstack([picture] * 3)] * 3
    upright = decoded(video(container, "libx264", frames, qp="0"), fmt)[0][2]
    data = video(container, "libx264", frames, turn=(degrees, mirror, False), qp="0")
    expected = np.rot90(upright, degrees // 90)
    expected = expected[:, ::-1] if mirror else expected
    info = probe_video(data, fmt)
    assert (info.height, info.width) == expected.shape[:2]
    for wanted in (lambda index, time_s: True, frozenset({0, 2})):
        assert all(np.array_equal(image, expected) for _, _, image in decoded(data, fmt, wanted))


def neutral(name: str, height: int = 37, width: int = 51) -> Any:
    """A frame of every brightness and no colour."""
    frame = av.VideoFrame(width, height, name)
    deep = "10" in name
    for number, plane in enumerate(frame.planes):
        lines = np.full(
            (plane.height, plane.line_size // (2 if deep else 1)), 512 if deep else 128, "<u2" if deep else "u1"
        )
        if not number:
            lines[:] = np.random.default_rng(0).integers(0, 1024 if deep else 256, lines.shape)
        plane.update(lines.tobytes())
    return frame


@pytest.mark.parametrize(
    "name",
    ["yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuvj420p", "yuvj444p", "yuv420p10le", "yuv444p10le"],
)
def test_grey_taken_from_the_brightness_is_that_of_rgb(name: str) -> None:
    frame = neutral(name)
    grey = pixels_of(frame)
    assert (grey.shape, str(grey.dtype), grey.flags.c_contiguous) == ((37, 51), "uint8", True)
    # Ten bits are dithered on the way to RGB, and odd widths take another path of the scaler there.
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - grey[..., None]).max() <= (2 if "10" in name else 1)
    assert set(grey.ravel()[[0, -1]]) != {0, 255}
    plane = frame.planes[2]
    colours = np.frombuffer(bytes(plane), np.uint8).copy()
    colours[plane.line_size] += 40
    plane.update(colours.tobytes())
    assert pixels_of(frame).shape == (37, 51, 3)


def test_full_range_by_its_mark() -> None:
    frame = neutral("yuv420p")
    frame.color_range = 2
    assert np.array_equal(pixels_of(frame), np.frombuffer(frame.planes[0], np.uint8).reshape(37, -1)[:, :51])


def test_deep_grey_video_is_scaled_to_eight_bits() -> None:
    frame = av.VideoFrame.from_ndarray(np.array([[0, 32_768, 65_535]] * 4, np.uint16), format="gray16le")
    assert pixels_of(frame)[0] == pytest.approx([0, 128, 255], abs=1)


def test_frames_that_change_their_size_are_refused() -> None:
    """Two recordings one after the other, as a raw stream allows."""
    one = video("mpeg2video", "mpeg2video", [np.full((48, 64, 3), 90, np.uint8)] * 12, rate=25)
    other = video("mpeg2video", "mpeg2video", [np.full((64, 96, 3), 90, np.uint8)] * 12, rate=25)
    with pytest.raises(RowError, match="mpg: expected frames of one size"):
        decoded(one + other, "mpg")


def test_a_cover_picture_and_sound_are_not_the_clip() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        sound: Any = file.add_stream("aac", rate=44_100)
        cover: Any = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream: Any = file.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        hum = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        hum.sample_rate = 44_100
        pictures = [(cover, speckle(32, 32, colour=True))] + [(stream, frame) for frame in FRAMES]
        for where, what in pictures:
            file.mux(where.encode(av.VideoFrame.from_ndarray(what, format="rgb24")))
        for track in (cover, stream):
            file.mux(track.encode())
        file.mux(sound.encode(hum))
        file.mux(sound.encode())
    info = probe(out.getvalue(), "mp4")
    assert (info.width, info.height, info.frames) == (64, 48, len(FRAMES))
    assert len(decoded(out.getvalue(), "mp4")) == len(decoded(out.getvalue(), "mp4", frozenset(range(6)))) == 6


def announcing(count: int) -> bytes:
    """A clip of six frames whose tables speak of `count` equal ones."""
    data = bytearray(clip(FRAMES))
    for table, at, value in (("stsz", 8, (1, count)), ("stts", 12, (count,)), ("stsc", 16, (count,))):
        place = data.index(table.encode()) + at
        data[place : place + 4 * len(value)] = struct.pack(f">{len(value)}I", *value)
    return bytes(data)


@pytest.mark.parametrize("count", [80_000_000, 1_000_000_000, 2**32 - 1])
def test_announced_frames_take_neither_time_nor_memory(count: int) -> None:
    """In a fresh process: FFmpeg alone would fill gigabytes with the table of 80 million frames."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of memory is read from /proc, which this system does not have")
    code = (
        "import sys\n"
        "from ultracurate.decoding.video import packet_digest, probe_video, iter_video, packet_digest\n"
        "from ultracurate.core.errors import RowError\n"
        "data = sys.stdin.buffer.read()\n"
        "for call in (probe_video, packet_digest, lambda d, f: list(iter_video(d, f, lambda i, t: True))):\n"
        "    try: call(data, 'mp4'); sys.exit('decoded')\n"
        "    except RowError as error: assert 'at most 100000 frames' in str(error), error\n"
        "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=announcing(count), capture_output=True, check=True)
    assert int(done.stdout) < 300 * 1024


def test_edits_that_repeat_all_frames_are_counted() -> None:
    data = clip([FRAMES[0]] * 200)
    at = data.index(b"elst") + 4
    entry = data[at + 8 : at + 20]
    many = data[at : at + 4] + struct.pack(">I", 60_000) + entry * 60_000
    grown = len(many) - (8 + len(entry))
    bomb = data[:at] + many + data[at + 20 :]
    for box in (b"moov", b"trak", b"edts", b"elst"):
        place = bomb.index(box) - 4
        bomb = (
            bomb[:place] + struct.pack(">I", int.from_bytes(bomb[place : place + 4], "big") + grown) + bomb[place + 4 :]
        )
    with pytest.raises(RowError, match="samples"):
        probe_video(bomb, "mp4")


def test_a_canvas_without_end_is_refused_by_its_header() -> None:
    data = video("avi", "rawvideo", FRAMES, pix_fmt="gray")
    at = data.index(b"strf") + 12
    bomb = data[:at] + struct.pack("<ii", 15_000, 15_000) + data[at + 8 :]
    for call in (probe_video, decoded):
        with pytest.raises(RowError, match="at most 100000000 pixels"):
            call(bomb, "avi")


@pytest.mark.slow
@pytest.mark.parametrize(("fmt", "container"), [("mp4", "mp4"), ("mkv", "matroska"), ("mpg", "mpegts")])
def test_a_canvas_without_end_is_refused_by_its_stream(fmt: str, container: str) -> None:
    data = video(container, "libx264", [np.zeros((9_000, 12_000, 3), np.uint8)], preset="ultrafast")
    for call in (probe_video, decoded):
        with pytest.raises(RowError, match="100000000 in all"):
            call(data, fmt)


def test_an_hour_of_black_in_a_few_bytes_is_refused() -> None:
    """One frame of a few bytes that says "as before", three thousand times."""
    short = video("webm", "libvpx", [np.zeros((1200, 1600, 3), np.uint8)] * 3, deadline="realtime")
    out = io.BytesIO()
    with av.open(io.BytesIO(short), "r") as source, av.open(out, "w", format="webm") as file:
        copy = file.add_stream_from_template(source.streams.video[0])
        first, last = [packet for packet in source.demux(video=0) if packet.size][:2]
        for index in range(3000):
            packet = av.Packet(bytes(last if index else first))
            packet.pts = packet.dts = index * 40
            packet.time_base = Fraction(1, 1000)
            packet.stream, packet.is_keyframe = copy, not index
            file.mux(packet)
    assert len(out.getvalue()) < 200_000
    for call in (probe_video, packet_digest, lambda data, fmt: decoded(data, fmt, lambda index, time_s: False)):
        with pytest.raises(RowError, match="decompression bomb"):
            call(out.getvalue(), "mkv")
