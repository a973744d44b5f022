"""Files for proofs: the same bytes every time, and a clear word about what is not written."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.media import HEAD_BYTES, sniff
from ultracurate.phantom.containers import CONTAINERS, pack
from ultracurate.phantom.formats import VARIANTS, Facts, write, write_files

FRAMES = np.random.default_rng(0).integers(1, 255, (2, 32, 48), dtype=np.uint8)
FACTS = Facts(spacing=(0.2, 0.3, 0.5), fps=25.0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_frames_give_the_same_bytes_of_the_format_they_claim(variant: str) -> None:
    how = VARIANTS[variant]
    still = how.format in ("png", "jpg", "bmp", "webp", "jp2") and variant != "png/animated"
    frames = FRAMES[:1] if still else FRAMES
    files = write_files(variant, frames, FACTS)
    assert files == write_files(variant, frames, FACTS)
    data = files[how.ending]
    assert data == write(variant, frames, FACTS)
    if how.format != "tfrecord" and not how.ending.endswith(".gz"):
        assert sniff(data[:HEAD_BYTES], f"x{how.ending}") == how.format


def test_times_of_a_varying_rate_are_those_of_the_frames() -> None:
    from ultracurate.decoding.decode import iter_frames

    times = (0.0, 0.04, 0.2, 0.5)
    frames = np.concatenate([FRAMES, FRAMES])
    for variant in ("mkv", "mp4", "gif"):
        data = write(variant, frames, Facts(times=times))
        found = [time_s for _, time_s, _ in iter_frames(data, VARIANTS[variant].format)]
        assert found == pytest.approx(times, abs=2e-3), variant


def test_containers_are_the_same_bytes_every_time() -> None:
    members = {f"d/{n}.bin": bytes([n]) * 100 for n in range(4)}
    for kind in CONTAINERS:
        assert pack(kind, members) == pack(kind, members), kind
    (data,) = pack("zip/deflated", members).values()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == members


def test_what_is_not_written_is_said() -> None:
    with pytest.raises(ConfigError, match="found 'heic'"):
        write("heic", FRAMES)
    with pytest.raises(ConfigError, match="found 'arj'"):
        pack("arj", {})
