"""Clips written by FFmpeg's libraries: order, times, limits and damage."""

from __future__ import annotations

import numpy as np
import pytest

from tests.imaging.files import clip
from ultracurate.core.errors import RowError
from ultracurate.imaging.decode import decode_image, iter_frames, pixel_digest, probe, read_frames

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
    import io

    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44_100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(RowError, match="expected a video stream"):
        probe(out.getvalue(), "mp4")
