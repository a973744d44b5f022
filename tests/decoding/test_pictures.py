"""Pictures: every mode and turn, animations and pages, what resolutions mean, and bombs."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.decoding.files import Array, animation, encode, png_header, speckle
from ultracurate.core.errors import RowError
from ultracurate.decoding._pictures.animations import frame_delays
from ultracurate.decoding.limits import MAX_FRAMES, each
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading
from ultracurate.decoding.pictures import decode_picture, iter_pages, probe_picture

KINDS = {"PNG": "png", "TIFF": "tif", "WEBP": "webp", "JPEG": "jpg", "JPEG2000": "jp2", "GIF": "gif"}


def pages(data: bytes, fmt: str, reading: Reading = PLAIN) -> list[tuple[int, float | None, Array]]:
    return list(each(fmt, iter_pages(data, fmt, lambda index, time_s: True, reading)))


def deep(array: Array, ending: str) -> bytes:
    """16-bit colour, which Pillow cannot write; (H, W, 3 or 4) uint16 RGB or RGBA."""
    order = [2, 1, 0, 3][: array.shape[2]]
    found, data = cv2.imencode(ending, array[..., order])
    assert found
    return bytes(data)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"lossless": True}), ("JPEG2000", {"irreversible": False}), ("JPEG2000", {"no_jp2": True})],
)
def test_lossless_webp_and_jpeg_2000_give_the_pixels_back(kind: str, options: dict[str, Any], colour: bool) -> None:
    array = speckle(37, 53, colour=colour)
    data = encode(array, kind, **options)
    info = probe_picture(data, KINDS[kind])
    assert (info.media, info.width, info.height, info.frames) == ("image", 53, 37, 1)
    assert np.array_equal(decode_picture(data, KINDS[kind]), array)


def test_deep_jpeg_2000_follows_the_rule_of_sixteen_bits() -> None:
    values = np.repeat(np.array([[0, 1000, 2000, 4000]], np.uint16), 8, axis=0)
    data = encode(values, "JPEG2000", irreversible=False)
    assert probe_picture(data, "jp2").channels == 1
    assert decode_picture(data, "jp2")[0].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize("kind", ["WEBP", "JPEG2000"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_truncated_pictures_are_row_errors(kind: str, share: float) -> None:
    data = encode(speckle(64, 64, colour=True), kind)
    with pytest.raises(RowError, match=KINDS[kind]):
        decode_picture(data[: int(len(data) * share)], KINDS[kind])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(2, 300).map(lambda ten: 10 * ten), min_size=2, max_size=7))
def test_animations_keep_their_own_time(kind: str, delays: list[int]) -> None:
    frames = [np.full((24, 30), 5 + 30 * level, np.uint8) for level in range(len(delays))]
    options = {"lossless": True, "minimize_size": False} if kind == "WEBP" else {}
    data = animation(frames, kind, duration=delays, **options)
    fmt = KINDS[kind]
    info = probe_picture(data, fmt)
    assert (info.media, info.frames, info.width, info.height) == ("clip", len(delays), 30, 24)
    assert info.fps == pytest.approx(1000 * len(delays) / sum(delays))
    assert frame_delays(data, fmt) == delays
    seen = pages(data, fmt)
    assert [time_s for _, time_s, _ in seen] == pytest.approx([sum(delays[:i]) / 1000 for i in range(len(delays))])
    assert all(np.array_equal(image, frame) for (_, _, image), frame in zip(seen, frames, strict=True))
    chosen = each(fmt, iter_pages(data, fmt, lambda index, _: index == len(delays) - 1))
    assert [(index, image[0, 0]) for index, _, image in chosen] == [(len(delays) - 1, frames[-1][0, 0])]


def test_the_default_picture_of_an_animated_png_is_no_frame() -> None:
    frames = [np.full((8, 8), level, np.uint8) for level in (200, 10, 20)]
    data = animation(frames, "PNG", default_image=True, duration=100)
    assert probe_picture(data, "png").frames == 2
    assert [image[0, 0] for _, _, image in pages(data, "png")] == [10, 20]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_cut_short_is_a_row_error(kind: str) -> None:
    data = animation([speckle(20, 20, seed=seed) for seed in range(6)], kind, duration=50)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(RowError, match=KINDS[kind]):
            pages(data[: int(len(data) * share)], KINDS[kind])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_turns_pixels_and_size_of_every_format(kind: str, orientation: int) -> None:
    array = cv2.GaussianBlur(speckle(24, 40), (0, 0), 2)
    exif = Image.Exif()
    exif[274] = orientation
    data = encode(array, kind, exif=exif.tobytes() if kind == "JPEG" else exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    decoded = decode_picture(data, KINDS[kind])
    assert np.array_equal(decoded, np.asarray(upright)[..., 0] if decoded.ndim == 2 else np.asarray(upright))
    assert decoded.shape[:2] == ((40, 24) if orientation > 4 else (24, 40))
    info = probe_picture(data, KINDS[kind])
    assert (info.height, info.width) == decoded.shape[:2]


def test_cmyk_jpeg_has_its_colours() -> None:
    array = np.zeros((32, 32, 3), np.uint8)
    array[:, :16] = (220, 30, 20)
    array[:, 16:] = 90
    data = encode(np.zeros((1, 1), np.uint8), "PNG")
    out = io.BytesIO()
    Image.fromarray(array).convert("CMYK").save(out, "JPEG", quality=95)
    data = out.getvalue()
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    decoded = decode_picture(data, "jpg")
    assert np.abs(decoded.astype(int) - array)[:, [4, 28]].max() <= 6


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_sixteen_bit_colour_follows_the_rule_of_grey(ending: str) -> None:
    fmt = ending[1:]
    small = np.array([[[0, 17, 255], [9, 9, 9]]], np.uint16)
    assert decode_picture(deep(small, ending), fmt).tolist() == small.tolist()
    large = np.array([[[0, 1000, 2000], [4000, 0, 4000]]], np.uint16)
    assert decode_picture(deep(large, ending), fmt).tolist() == [[[0, 64, 128], [255, 0, 255]]]
    grey = np.random.default_rng(1).integers(0, 60_000, (9, 11), dtype=np.uint16)
    from_colour = decode_picture(deep(np.dstack([grey] * 3), ending), fmt)
    assert np.array_equal(from_colour, decode_picture(encode(grey, ending[1:].replace("tif", "tiff")), fmt))


def test_sixteen_bit_alpha_is_composited_on_black() -> None:
    clear = np.dstack([np.full((1, 3), 40_000, np.uint16)] * 3 + [np.array([[0, 32_768, 65_535]], np.uint16)])
    clear[0, 2] = 65_535
    assert decode_picture(deep(clear, ".png"), "png").tolist() == [[0, 78, 255]]


def test_pages_of_sixteen_bit_colour_share_one_brightness() -> None:
    volume = [np.full((6, 7, 3), level, np.uint16) for level in (100, 500, 1000)]
    found, data = cv2.imencodemulti(".tif", volume)
    assert found
    assert [image[0, 0] for _, _, image in pages(bytes(data), "tif")] == [26, 128, 255]


def test_white_is_zero_is_turned_round() -> None:
    values = np.array([[0, 30_000, 65_535]], np.uint16)
    out = io.BytesIO()
    Image.fromarray(values).save(out, "TIFF", tiffinfo={262: 0})
    data = out.getvalue()
    if Image.open(io.BytesIO(data)).tag_v2[262] != 0:  # type: ignore[attr-defined]
        at = data.index(struct.pack("<HHI", 262, 3, 1))
        data = data[: at + 8] + struct.pack("<H", 0) + data[at + 10 :]
    decoded = decode_picture(data, "tif")
    assert decoded.tolist() == [[255, 138, 0]]


def test_the_first_picture_of_a_volume_is_its_first_frame() -> None:
    data = animation([np.full((8, 8), level, np.uint16) for level in (500, 1000)], "TIFF")
    assert decode_picture(data, "tif")[0, 0] == pages(data, "tif")[0][2][0, 0] == 128


@pytest.mark.parametrize(
    ("reading", "media", "times"),
    [
        (PLAIN, "volume", [None, None, None]),
        (Reading(kind="volume", fps=5), "volume", [None, None, None]),
        (Reading(kind="clip"), "clip", [None, None, None]),
        (Reading(kind="clip", fps=5), "clip", [0.0, 0.2, 0.4]),
        (Reading(kind="image"), "stack", [None, None, None]),
        (Reading(kind="stack"), "stack", [None, None, None]),
    ],
)
def test_the_manifest_says_what_pages_are(reading: Reading, media: str, times: list[float | None]) -> None:
    data = animation([speckle(20, 20, seed=seed) for seed in range(3)], "TIFF")
    info = probe_picture(data, "tif", reading)
    assert (info.media, info.frames) == (media, 3)
    assert info.fps == (reading.fps if media == "clip" else None)
    assert [time_s for _, time_s, _ in pages(data, "tif", reading)] == times
    single = encode(speckle(20, 20), "TIFF")
    assert probe_picture(single, "tif", reading).media == "image"


def imagej(note: str, count: int = 4) -> MediaInfo:
    frames = [speckle(20, 20, seed=seed) for seed in range(count)]
    data = animation(
        frames, "TIFF", description=f"ImageJ=1.53t\nimages={count}\n{note}", x_resolution=5, y_resolution=4
    )
    return probe_picture(data, "tif")


def test_imagej_says_what_pages_are_and_how_large_a_pixel_is() -> None:
    info = imagej("slices=4\nunit=mm\nspacing=0.75\nloop=false\n")
    assert (info.media, info.spacing_x, info.spacing_y, info.spacing_z) == ("volume", 0.2, 0.25, 0.75)
    info = imagej("frames=4\nunit=cm\nfps=12.5\n")
    assert (info.media, info.fps, info.spacing_x, info.spacing_z) == ("clip", 12.5, 2.0, None)
    assert imagej("frames=4\nfinterval=0.05\n").fps == pytest.approx(20)
    assert imagej("unit=\\u00B5m\n").spacing_x == pytest.approx(0.0002)
    for unknown in ("unit=pixel\n", "unit=inch\n", "", "unit=mm", "spacing=nan\nunit=\nfps=-3\n"):
        info = imagej(unknown)
        assert (info.media, info.fps) == ("volume", None)
        assert (info.spacing_x == 0.2) == (unknown == "unit=mm")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_the_resolution_of_a_printer_is_no_spacing(kind: str) -> None:
    info = probe_picture(encode(speckle(20, 20), kind, dpi=(72, 72)), KINDS[kind])
    assert (info.spacing_x, info.spacing_y, info.spacing_z) == (None, None, None)


def many_frames(fmt: str, count: int) -> bytes:
    """A small file of very many frames, each of a few bytes."""
    if fmt == "gif":
        data = animation([np.zeros((1, 1), np.uint8), np.ones((1, 1), np.uint8)], "GIF", duration=10)
        at = data.index(b"\x21\xf9", data.index(b"\x2c"))
        return data[:at] + data[at:-1] * count + b";"
    if fmt == "webp":
        still = encode(np.zeros((2, 2, 3), np.uint8), "WEBP", lossless=True)[12:]
        frame = bytes(6) + b"\1\0\0\1\0\0\x64\0\0\0" + still
        body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0\1\0\0\1\0\0" + b"ANIM" + struct.pack("<I", 6) + bytes(6)
        body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * count
        return b"RIFF" + struct.pack("<I", len(body)) + body
    data = animation([np.zeros((1, 1), np.uint8), np.ones((1, 1), np.uint8)], "PNG", duration=10)
    at = data.index(b"fcTL", data.index(b"IDAT")) - 4
    return data[:at] + data[at : data.index(b"IEND") - 4] * count + data[data.index(b"IEND") - 4 :]


@pytest.mark.parametrize("fmt", ["gif", "webp", "png"])
def test_very_many_frames_are_refused(fmt: str) -> None:
    assert probe_picture(many_frames(fmt, 3), fmt).frames >= 3
    bomb = many_frames(fmt, MAX_FRAMES + 1)
    with pytest.raises(RowError, match=f"at most {MAX_FRAMES} frames"):
        probe_picture(bomb, fmt)
    with pytest.raises(RowError, match=f"at most {MAX_FRAMES} frames"):
        pages(bomb, fmt)


def huge(fmt: str, side: int) -> bytes:
    if fmt == "png":
        return png_header(side, side)
    if fmt == "gif":
        data = encode(np.zeros((2, 2), np.uint8), "GIF")
        return data[:6] + struct.pack("<HH", side, side) + data[10:]
    if fmt == "webp":
        data = many_frames("webp", 2)
        return data[:24] + struct.pack("<I", side - 1)[:3] * 2 + data[30:]
    if fmt == "jp2":
        data = encode(np.zeros((8, 8), np.uint8), "JPEG2000")
        for at in (data.index(b"ihdr") + 4, data.index(b"\xff\x51") + 6):
            data = data[:at] + struct.pack(">II", side, side) + data[at + 8 :]
        return data
    data = encode(np.zeros((2, 2), np.uint8), "TIFF")
    for tag in (256, 257):
        for kind in (3, 4):
            entry = struct.pack("<HHI", tag, kind, 1)
            if entry in data:
                at = data.index(entry)
                data = data[: at + 8] + struct.pack("<I", side) + data[at + 12 :]
    return data


@pytest.mark.parametrize("fmt", ["png", "gif", "webp", "jp2", "tif"])
def test_fifty_thousand_pixels_a_side_are_refused(fmt: str) -> None:
    for call in (probe_picture, decode_picture, pages):
        with pytest.raises(RowError, match=fmt):
            call(huge(fmt, 50_000), fmt)


def test_a_jpeg_2000_of_ordinary_limits_is_too_much_for_its_decoder() -> None:
    with pytest.raises(RowError, match="25000000 pixels"):
        probe_picture(huge("jp2", 9_000), "jp2")


def test_a_png_chunk_that_lies_about_its_size() -> None:
    chunk = struct.pack(">I", 2**31 - 1) + b"tEXt" + b"x" * 20
    data = encode(speckle(8, 8), "PNG")
    bad = data[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + data[33:]
    with pytest.raises(RowError, match="png"):
        probe_picture(bad, "png")
