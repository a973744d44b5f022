"""Pictures: every format to the same pixels, and every damaged file to a row error."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tests.decoding.files import Array, animation, clip, dicom, encode, png_header, speckle
from tests.decoding.videos import video
from ultracurate.core.errors import RowError
from ultracurate.decoding.decode import (
    FORMATS,
    PICTURES,
    VIDEOS,
    decode_image,
    encode_png,
    iter_frames,
    pixel_digest,
    probe,
    read_frames,
    sniff,
)

pictures = hnp.arrays(
    np.uint8,
    st.one_of(st.tuples(st.integers(1, 20), st.integers(1, 20)), st.tuples(st.just(7), st.just(9), st.just(3))),
)


@settings(deadline=None)
@given(pictures, st.sampled_from([("PNG", "png"), ("BMP", "bmp"), ("TIFF", "tif")]))
def test_lossless_formats_give_the_pixels_back(array: Array, kind: tuple[str, str]) -> None:
    data = encode(array, kind[0])
    assert sniff(data[:512], "no-ending") == kind[1]
    decoded = decode_image(data, kind[1])
    expected = array[..., 0] if array.ndim == 3 and (array == array[..., :1]).all() else array
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, expected)


@settings(deadline=None)
@given(pictures)
def test_our_png_is_deterministic_and_lossless(array: Array) -> None:
    assert encode_png(array) == encode_png(array.copy(order="F"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(array)))), array)


def test_our_png_refuses_other_arrays() -> None:
    bad: Any
    for bad in (np.zeros((4, 4), bool), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4), np.uint16)):
        with pytest.raises(ValueError, match="uint8"):
            encode_png(bad)


def test_grey_saved_as_colour_becomes_grey_and_one_coloured_pixel_keeps_it() -> None:
    grey = speckle(40, 50)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    assert decode_image(encode(rgb, "PNG"), "png").shape == (40, 50)
    assert pixel_digest(decode_image(encode(rgb, "BMP"), "bmp")) == pixel_digest([grey])
    rgb[33, 17, 2] ^= 1  # in a row that the quick look leaves out
    assert decode_image(encode(rgb, "PNG"), "png").shape == (40, 50, 3)


def test_palette_alpha_and_one_bit() -> None:
    palette = Image.fromarray(speckle(8, 8)).convert("P")
    palette.putpalette([v for i in range(256) for v in (i, 0, 255 - i)])
    out = io.BytesIO()
    palette.save(out, "PNG", transparency=0)
    assert decode_image(out.getvalue(), "png").shape == (8, 8, 3)
    clear = np.dstack([np.full((4, 4), 200, np.uint8)] * 3 + [np.array([[0, 128, 255, 0]] * 4, np.uint8)])
    assert decode_image(encode(clear, "PNG"), "png")[0].tolist() == [0, 100, 200, 0]
    bits = np.array([[True, False], [False, True]])
    assert decode_image(encode(bits, "PNG"), "png").tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_follow_one_documented_rule(kind: str) -> None:
    small = np.array([[0, 17, 255]], np.uint16)
    assert decode_image(encode(small, kind), {"PNG": "png", "TIFF": "tif"}[kind]).tolist() == [[0, 17, 255]]
    deep = np.array([[0, 1000, 2000, 4000]], np.uint16)
    assert decode_image(encode(deep, kind), {"PNG": "png", "TIFF": "tif"}[kind]).tolist() == [[0, 64, 128, 255]]


def test_float_tiff_with_holes() -> None:
    values = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    assert decode_image(encode(values, "TIFF"), "tif").tolist() == [[0, 128, 255, 0]]


def test_exif_rotation_turns_pixels_and_size() -> None:
    array = np.zeros((16, 32), np.uint8)
    array[:8] = 255
    exif = Image.Exif()
    exif[274] = 6
    data = encode(array, "JPEG", exif=exif.tobytes(), quality=95)
    info = probe(data, "jpg")
    assert (info.width, info.height) == (16, 32)
    turned = decode_image(data, "jpg")
    assert turned.shape == (32, 16)
    assert turned[:, -1].min() > 200 > 50 > turned[:, 0].max()


def test_gif_is_a_clip_with_its_own_timing() -> None:
    frames = [np.full((40, 40), level, np.uint8) for level in (10, 100, 200)]
    data = animation(frames, "GIF", duration=[100, 100, 200])
    info = probe(data, "gif")
    assert (info.media, info.frames, info.channels) == ("clip", 3, 3)
    assert info.fps == pytest.approx(7.5)
    seen = list(iter_frames(data, "gif"))
    assert [(index, time_s) for index, time_s, _ in seen] == [(0, 0.0), (1, 0.1), (2, 0.2)]
    assert [image[0, 0] for _, _, image in seen] == [10, 100, 200]
    assert all(image.shape == (40, 40) for _, _, image in seen)


def test_pages_of_a_tiff_are_a_volume_of_one_brightness() -> None:
    pages = [np.full((40, 40), level, np.uint16) for level in (0, 500, 1000)]
    data = animation(pages, "TIFF")
    assert probe(data, "tif").media == "volume"
    assert [(time_s, image[0, 0]) for _, time_s, image in iter_frames(data, "tif")] == [
        (None, 0),
        (None, 128),
        (None, 255),
    ]


def test_tiff_pages_of_different_sizes_are_refused() -> None:
    data = animation([speckle(40, 40), speckle(20, 20)], "TIFF")
    with pytest.raises(RowError, match="one size"):
        list(iter_frames(data, "tif"))


def test_wanted_frames_only() -> None:
    data = animation([np.full((8, 8), level, np.uint8) for level in range(5)], "TIFF")
    assert [(i, a[0, 0]) for i, _, a in read_frames(data, "tif", {3, 1})] == [(1, 1), (3, 3)]
    assert [i for i, _, _ in read_frames(data, "tif", lambda index, _: index % 2 == 0)] == [0, 2, 4]
    assert list(read_frames(data, "tif", [])) == []
    with pytest.raises(RowError, match="1 of the 2"):
        list(read_frames(data, "tif", {0, 9}))


def test_digest_tells_shape_and_order() -> None:
    a, b = np.arange(6, dtype=np.uint8).reshape(2, 3), np.arange(6, dtype=np.uint8).reshape(3, 2)
    assert pixel_digest([a]) == pixel_digest(a) == pixel_digest(iter([a.copy(order="F")]))
    assert len({pixel_digest(x) for x in ([a], [b], [a, b], [b, a], [a.astype(np.uint16)])}) == 5


def test_a_huge_header_is_refused_fast_and_small() -> None:
    """In a fresh process, so that the peak of memory is this call's own."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of memory is read from /proc, which this system does not have")
    code = (
        "import sys,time\n"
        "from ultracurate.decoding.decode import decode_image, probe\n"
        "from ultracurate.core.errors import RowError\n"
        "data=sys.stdin.buffer.read(); t=time.perf_counter()\n"
        "for call in (probe, decode_image):\n"
        "    try: call(data,'png'); sys.exit('decoded')\n"
        "    except RowError: pass\n"
        # Not ru_maxrss: that starts with the memory of the process that forked this one.
        "peak=next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1]\n"
        "print(time.perf_counter()-t, peak)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=png_header(30_000, 30_000), capture_output=True, check=True
    )
    seconds, kilobytes = map(float, done.stdout.split())
    assert seconds < 1
    assert kilobytes < 300 * 1024


@pytest.mark.parametrize(("width", "height"), [(16_385, 10), (10, 16_385), (12_000, 12_000), (0, 5)])
def test_size_limits(width: int, height: int) -> None:
    for call in (probe, decode_image, lambda data, fmt: list(iter_frames(data, fmt))):
        with pytest.raises(RowError, match="png"):
            call(png_header(width, height), "png")


PICTURE = speckle(64, 64, colour=True)
WHOLE = {
    "png": encode(PICTURE, "PNG"),
    "jpg": encode(PICTURE, "JPEG"),
    "bmp": encode(PICTURE, "BMP"),
    "tif": encode(PICTURE, "TIFF"),
    "gif": animation([speckle(64, 64, seed=s) for s in range(3)], "GIF", duration=100),
    "dicom": dicom(PICTURE),
    "mp4": clip([PICTURE] * 5),
    "avi": clip([PICTURE] * 5, "avi"),
    "webp": encode(PICTURE, "WEBP"),
    "jp2": encode(PICTURE, "JPEG2000"),
    "mov": video("mov", "libx264", [PICTURE] * 5),
    "mkv": video("matroska", "libx264", [PICTURE] * 5),
    "wmv": video("asf", "wmv2", [PICTURE] * 5),
    "mpg": video("mpeg", "mpeg2video", [PICTURE] * 5),
}


def test_every_format_of_this_file_has_a_case() -> None:
    """Volumes and arrays have tests of their own."""
    assert set(WHOLE) == PICTURES | VIDEOS | {"dicom"}
    assert set(WHOLE) < FORMATS


@pytest.mark.parametrize("fmt", sorted(WHOLE))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_files_are_row_errors(fmt: str, share: float) -> None:
    whole = WHOLE[fmt]
    assert list(iter_frames(whole, fmt))
    cut = whole[: int(len(whole) * share)]
    with pytest.raises(RowError, match=fmt):
        list(iter_frames(cut, fmt))


@pytest.mark.parametrize("fmt", sorted(WHOLE))
def test_noise_behind_a_magic_never_escapes(fmt: str) -> None:
    """Whatever the bytes, the answer is an array or a row error."""
    rng = np.random.default_rng(7)
    for _ in range(25):
        data = bytearray(WHOLE[fmt])
        for at in rng.integers(0, len(data), 20):
            data[at] = rng.integers(256)
        try:
            for _, _, image in iter_frames(bytes(data), fmt):
                assert image.dtype == np.uint8
            probe(bytes(data), fmt)
        except RowError:
            continue


def test_unknown_formats() -> None:
    assert sniff(b"", "a.png") is None
    assert sniff(b"just text, whatever the ending says" * 20, "a.png") is None
    assert sniff(b"\0\0\0\x18ftypheic" + bytes(100), "a.mp4") is None
    assert sniff(b"BM" + bytes(510), "a.bmp") is None
    assert sniff(WHOLE["png"][:512], "a.jpg") == "png"
    for call in (probe, decode_image, lambda data, fmt: list(iter_frames(data, fmt))):
        with pytest.raises(RowError, match="found 'heic'"):
            call(b"", "heic")


def test_sniff_agrees_with_every_case() -> None:
    assert {fmt: sniff(data[:512], "x") for fmt, data in WHOLE.items()} == {fmt: fmt for fmt in WHOLE}


def test_warnings_of_the_consumer_stay_its_own() -> None:
    """A generator that is half read must not leave the warnings switched off."""
    frames = cast("Generator[Any]", iter_frames(WHOLE["gif"], "gif"))
    next(frames)
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    frames.close()


def test_decoding_is_not_slow() -> None:
    data = encode(speckle(600, 800), "PNG")
    started = time.perf_counter()
    decode_image(data, "png")
    assert time.perf_counter() - started < 0.5
