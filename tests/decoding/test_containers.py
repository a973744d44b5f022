"""Video containers and codecs: order, exact counts and times, what may be skipped, and files cut short."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

from tests.decoding.files import speckle
from tests.decoding.videos import CONTAINERS, LEVELS, WRITERS, decoded, remux, video
from ultracurate.core.errors import RowError
from ultracurate.decoding.media import Reading
from ultracurate.decoding.video import packet_digest, probe_video, video_times

CODECS = {"wmv": "wmv2", "mpg": "mpeg2video"}


@pytest.mark.parametrize(("fmt", "container", "codec", "pix_fmt"), WRITERS)
def test_every_container_gives_its_frames_in_order(fmt: str, container: str, codec: str, pix_fmt: str) -> None:
    data = video(container, codec, pix_fmt=pix_fmt, rate=25)
    info = probe_video(data, fmt)
    assert (info.format, info.media, info.width, info.height) == (fmt, "clip", 64, 48)
    assert (info.frames, info.fps) == (len(LEVELS), 25.0)
    assert info.channels == (1 if pix_fmt in ("gray", "gray16le") else 3)
    seen = decoded(data, fmt)
    assert [index for index, _, _ in seen] == list(range(len(LEVELS)))
    assert [time_s for _, time_s, _ in seen] == pytest.approx([index / 25 for index in range(len(LEVELS))], abs=6e-4)
    assert [float(image.mean()) for _, _, image in seen] == pytest.approx(LEVELS, abs=12)
    assert video_times(data, fmt) == tuple(time_s for _, time_s, _ in seen)
    for numbers in ({0}, {3, 7, 11}, {11}, {1, 2, 5, 6}, set(range(0, 12, 4))):
        few = decoded(data, fmt, frozenset(numbers))
        assert [index for index, _, _ in few] == sorted(numbers)
        for index, time_s, image in few:
            assert time_s == seen[index][1]
            assert np.array_equal(image, seen[index][2])


@pytest.mark.parametrize(
    ("fmt", "container", "codec"),
    [("mp4", "mp4", "libx264"), ("mkv", "matroska", "libx265"), ("mpg", "mpeg", "mpeg2video"), ("mp4", "mp4", "mpeg4")],
)
def test_frames_that_nothing_depends_on_are_skipped_without_a_trace(fmt: str, container: str, codec: str) -> None:
    """Motion and noise, so that a wrong reference shows; half of the frames are of the kind that may be left out."""
    base = speckle(160, 200)
    frames = [
        np.dstack([np.roll(base, (2 * k, 3 * k), (0, 1))[:96, :128] // 2 + speckle(96, 128, seed=k) // 4] * 3)
        for k in range(40)
    ]
    data = video(container, codec, frames, bf="2", g="15")
    whole = decoded(data, fmt)
    assert len(whole) == 40
    for step in (3, 7, 10):
        few = decoded(data, fmt, frozenset(range(1, 40, step)))
        assert [index for index, _, _ in few] == list(range(1, 40, step))
        assert all(np.array_equal(image, whole[index][2]) for index, _, image in few)


def test_numbers_outside_the_clip_are_not_there() -> None:
    data = video("mp4", "libx264")
    assert [index for index, _, _ in decoded(data, "mp4", frozenset({-1, 3, 99}))] == [3]
    assert decoded(data, "mp4", frozenset()) == []


def test_variable_rate_keeps_every_time() -> None:
    stamps = [0, 1, 2, 10, 11, 30, 31, 32, 33, 60, 61, 62]
    for fmt in ("mp4", "mkv", "mov"):
        data = video(CONTAINERS[fmt], "libx264", stamps=stamps)
        assert [time_s for _, time_s, _ in decoded(data, fmt)] == pytest.approx(
            [stamp / 20 for stamp in stamps], abs=1e-3
        )
        assert probe_video(data, fmt).fps == pytest.approx(
            12 / (63 / 20), rel=0.1
        )  # the last frame lasts as long as its writer says


def test_avi_with_reordered_frames_has_the_times_of_its_clock() -> None:
    data = video("avi", "libx264", bf="3")
    assert [time_s for _, time_s, _ in decoded(data, "avi")] == pytest.approx([index / 20 for index in range(12)])


def test_an_edit_list_hides_what_comes_before_it() -> None:
    whole = video("mp4", "mpeg4", rate=20)
    tick = probe_video(whole, "mp4").frames
    assert tick == 12
    later = remux(whole, "mp4", shift=5 * 512 * 5, avoid_negative_ts="disabled")
    assert video_times(later, "mp4") == video_times(whole, "mp4")
    cut = remux(whole, "mp4", shift=-4 * (video_stamp(whole)), avoid_negative_ts="disabled", use_editlist="1")
    assert probe_video(cut, "mp4").frames == 8
    seen = decoded(cut, "mp4")
    assert [time_s for _, time_s, _ in seen] == pytest.approx([index / 20 for index in range(8)])
    assert [float(image.mean()) for _, _, image in seen] == pytest.approx(LEVELS[4:], abs=8)
    assert packet_digest(cut, "mp4") != packet_digest(whole, "mp4")
    few = decoded(cut, "mp4", frozenset({2, 5}))
    assert all(np.array_equal(image, seen[index][2]) for index, _, image in few)


def video_stamp(data: bytes) -> int:
    """Ticks of the clip's clock from one frame to the next."""
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.video[0]
        assert stream.time_base is not None
        return int(1 / (20 * stream.time_base))


def test_a_remux_keeps_the_digest_and_a_new_encoding_does_not() -> None:
    data = video("mp4", "libx264")
    digest = packet_digest(data, "mp4")
    assert len(digest) == 64
    for fmt in ("mov", "mkv", "mp4"):
        assert packet_digest(remux(data, CONTAINERS[fmt]), fmt) == digest
    assert packet_digest(video("mp4", "libx264", crf="30"), "mp4") != digest
    frames = [np.full((48, 64, 3), level, np.uint8) for level in LEVELS[:-1]]
    assert packet_digest(video("mp4", "libx264", frames), "mp4") != digest
    assert packet_digest(video("mp4", "libx264", turn=(90, False, False)), "mp4") != digest


@pytest.mark.parametrize("fmt", sorted(CONTAINERS))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_short_is_a_row_error(fmt: str, share: float) -> None:
    frames = [speckle(48, 64, colour=True, seed=seed) for seed in range(12)]
    data = video(CONTAINERS[fmt], CODECS.get(fmt, "libx264"), frames)
    assert len(decoded(data, fmt)) == 12
    cut = data[: int(len(data) * share)]
    for call in (probe_video, video_times, packet_digest, decoded):
        with pytest.raises(RowError, match=fmt):
            call(cut, fmt)


def test_recordings_that_were_never_finished_say_so() -> None:
    data = video("mp4", "libx264")
    with pytest.raises(RowError, match="never finished"):
        probe_video(data[: data.index(b"moov") - 4], "mp4")
    data = video("avi", "mjpeg", pix_fmt="yuvj420p")
    with pytest.raises(RowError, match="never finished"):
        probe_video(data[:4] + bytes(4) + data[8:], "avi")


def test_what_only_lacks_an_index_is_read() -> None:
    data = video("avi", "mjpeg", pix_fmt="yuvj420p")
    bare = data[: data.rindex(b"idx1")]
    bare = bare[:4] + struct.pack("<I", len(bare) - 8) + bare[8:]
    assert [image.mean() for _, _, image in decoded(bare, "avi")] == pytest.approx(LEVELS, abs=6)
    live = video("matroska", "libx264", muxer={"live": "1"})
    assert b"\x1c\x53\xbb\x6b" not in live  # no cues
    assert len(decoded(live, "mkv")) == len(LEVELS)
    with pytest.raises(RowError, match="mkv: truncated"):
        probe_video(live[:-3], "mkv")


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("mp4", "mpeg4"), ("mpeg", "mpeg2video")])
def test_a_damaged_frame_in_the_middle_is_a_row_error(container: str, codec: str) -> None:
    frames = [speckle(96, 128, colour=True, seed=seed) for seed in range(8)]
    fmt = "mp4" if container == "mp4" else "mpg"
    data = video(container, codec, frames)
    with av.open(io.BytesIO(data), "r") as file:
        fifth = [packet for packet in file.demux(video=0) if packet.size][4]
    start = data.index(bytes(fifth)[:64]) + fifth.size // 3
    bad = data[:start] + bytes(byte ^ 0x5A for byte in data[start : start + 200]) + data[start + 200 :]
    assert len(decoded(data, fmt)) == 8
    with pytest.raises(RowError, match=fmt):
        decoded(bad, fmt)


def test_fragments_and_blu_ray_packets() -> None:
    whole = video("mp4", "libx264", g="4")
    parts = remux(whole, "mp4", movflags="frag_keyframe+empty_moov")
    assert b"moof" in parts
    assert (probe_video(parts, "mp4").frames, probe_video(parts, "mp4").fps) == (len(LEVELS), 20.0)
    assert packet_digest(parts, "mp4") == packet_digest(whole, "mp4")
    assert len(decoded(parts, "mp4", frozenset({0, 5, 11}))) == 3
    stream = video("mpegts", "libx264")
    timed = b"".join(bytes(4) + stream[at : at + 188] for at in range(0, len(stream), 188))
    assert packet_digest(timed, "mpg") == packet_digest(stream, "mpg")
    with pytest.raises(RowError, match="mpg: truncated"):
        probe_video(timed[:-1], "mpg")


def test_the_manifest_gives_a_rate_only_where_the_file_has_none() -> None:
    assert probe_video(video("mp4", "libx264"), "mp4", Reading(fps=7)).fps == 20.0


def test_a_damaged_header_of_each_container_never_escapes() -> None:
    rng, said = np.random.default_rng(3), set()
    for fmt, container in CONTAINERS.items():
        whole = video(container, CODECS.get(fmt, "libx264"))
        for _ in range(12):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 12):
                data[at] = rng.integers(256)
            for call in (probe_video, packet_digest, decoded, lambda data, fmt: decoded(data, fmt, frozenset({2, 9}))):
                try:
                    call(bytes(data), fmt)
                except RowError as error:
                    said.add(str(error).split(":")[0])
    assert said == set(CONTAINERS)
