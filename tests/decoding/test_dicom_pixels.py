"""Known pixels through every transfer syntax and colour that can be written here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from ultracurate.core.errors import RowError
from ultracurate.decoding.decode import iter_frames, read_frames
from ultracurate.decoding.levels import to_8bit
from ultracurate.phantom.dicom_codecs import encode_frame
from ultracurate.phantom.dicom_files import NATIVE, VIDEOS, encode, palette

Array = np.ndarray[Any, np.dtype[Any]]
LOSSLESS = [*sorted(NATIVE), "rle", "lossless1", "jpegls", "jpeg2000"]
LOSSY = ["jpeg", "jpegls-near", "jpeg2000-lossy"]

# A picture of (9 x + 5 y) mod 256 as high-throughput JPEG 2000 (ISO 15444-15), written by OpenJPH 0.26.
HTJ2K = bytes.fromhex(
    "ff4fff510029400000000010000000100000000000000000000000100000001000000000000000000001070101ff500008000200000002"
    "ff52000c00020001000504044001ff5c00132048505050505050505050505050484848ff64001700014f70656e4a50482056657220302e"
    "32362e332eff90000a0000000000670001ff93c0240087740000c012c01280a201077400da00877400c01340130010f4008274002cfb00"
    "035400c015100540c618f3aa700275009488fec1c9ecb500c02b20158000000000e7c0a7a7a7c27800080000fefd927bf649ecb800ffd9"
)


def waves(frames: int, *, colour: bool = False, height: int = 32, width: int = 48) -> Array:
    """Smooth pictures, each different, so that lossy codes come close and a swapped plane or frame does not."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [
        127.5 + 120 * np.sin(x / (9 + place) + place) * np.cos(y / 11 - frame)
        for frame in range(frames)
        for place in range(3 if colour else 1)
    ]
    stacked = np.round(np.stack(planes)).astype(np.uint8).reshape(frames, -1, height, width)
    return np.ascontiguousarray(np.moveaxis(stacked, 1, -1)) if colour else stacked[:, 0]


def decoded(data: bytes) -> list[Array]:
    return [image for _, _, image in iter_frames(data, "dicom")]


def psnr(one: Array, other: Array) -> float:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def assert_close(found: list[Array], truth: Array, at_least: float) -> None:
    assert len(found) == len(truth)
    for one, other in zip(found, truth, strict=True):
        assert one.shape == other.shape
        assert psnr(one, other) > at_least


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_grey_and_colour_come_back_as_they_were(syntax: str) -> None:
    for frames in (waves(3), waves(2, colour=True), waves(1, height=33, width=47)):
        assert_close(decoded(encode(frames, syntax)), frames, 1e9)


@pytest.mark.parametrize("syntax", [*LOSSLESS, "lossless"])
def test_deep_and_signed_samples_share_one_scale(syntax: str) -> None:
    deep = waves(2).astype(np.uint16) * 13 + 7
    signed = deep.astype(np.int16) - 900
    for frames, stored in ((deep, 12), (deep, 16), (signed, 16)):
        low, high = float(frames.min()), float(frames.max())
        found = decoded(encode(frames, syntax, stored=stored))
        assert all(np.array_equal(one, to_8bit(other, low, high)) for one, other in zip(found, frames, strict=True))


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_lossless_jpeg(predictor: int) -> None:
    frames = waves(1, height=17, width=23)
    assert_close(decoded(encode(frames, "lossless", coding={"predictor": predictor})), frames, 1e9)


@pytest.mark.parametrize("syntax", [*LOSSY, *sorted(VIDEOS)])
def test_lossy_codes_come_close_in_every_frame(syntax: str) -> None:
    size: dict[str, Any] = {"height": 96, "width": 128}
    grey, colour = waves(3, **size), waves(3, colour=True, **size)
    assert_close(decoded(encode(grey, syntax)), grey, 40)
    assert_close(decoded(encode(colour, syntax)), colour, 35)


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_ybr_is_converted_once(syntax: str) -> None:
    colour = waves(2, colour=True)
    coding = {"transform": False} if syntax.startswith("jpeg2000") else {}
    assert_close(decoded(encode(colour, syntax, photometric="YBR_FULL", coding=coding)), colour, 38)


@pytest.mark.parametrize("syntax", [*sorted(NATIVE), "jpeg"])
def test_halved_colour_is_widened_and_converted_once(syntax: str) -> None:
    colour = waves(2, colour=True)
    coding = {"subsampling": 1} if syntax == "jpeg" else {}
    assert_close(decoded(encode(colour, syntax, photometric="YBR_FULL_422", coding=coding)), colour, 35)


def test_luminance_of_studio_range_is_stretched() -> None:
    samples = np.array([[[[16, 128, 128], [235, 128, 128], [126, 128, 128], [81, 90, 240]]]], np.uint8)
    data = encode(samples, "explicit", photometric="YBR_PARTIAL_420")
    truth = np.array([[[0, 0, 0], [255, 255, 255], [128, 128, 128], [254, 0, 0]]])
    assert np.abs(decoded(data)[0].astype(int) - truth).max() <= 1


@pytest.mark.parametrize(("syntax", "photometric"), [("jpeg2000", "YBR_RCT"), ("jpeg2000-lossy", "YBR_ICT")])
def test_colour_transforms_of_jpeg2000_are_undone_by_its_decoder(syntax: str, photometric: str) -> None:
    colour = waves(1, colour=True)
    assert_close(decoded(encode(colour, syntax, photometric=photometric)), colour, 40)


@pytest.mark.parametrize("syntax", sorted(NATIVE))
def test_colour_by_plane(syntax: str) -> None:
    colour = waves(2, colour=True, height=5, width=7)
    assert_close(decoded(encode(colour, syntax, planar=True)), colour, 1e9)


def test_jpeg_of_rgb_is_believed_by_its_own_marks() -> None:
    colour = waves(1, colour=True)
    named = encode_frame(colour[0], "jpeg", 8, ybr=False)  # its components are called R, G and B
    assert_close(decoded(encode(colour, "jpeg", photometric="YBR_FULL", ready=[named])), colour, 35)
    jfif = encode_frame(colour[0], "jpeg", 8, ybr=True)  # JFIF is YCbCr, whatever the header says
    assert_close(decoded(encode(colour, "jpeg", photometric="RGB", ready=[jfif])), colour, 35)
    bare = jfif[:2] + jfif[20:]  # without the mark, the header is all there is
    assert bare[2:4] == b"\xff\xdb"
    assert_close(decoded(encode(colour, "jpeg", photometric="YBR_FULL", ready=[bare])), colour, 35)
    assert psnr(decoded(encode(colour, "jpeg", photometric="RGB", ready=[bare]))[0], colour[0]) < 20


def test_high_throughput_jpeg2000() -> None:
    y, x = np.mgrid[:16, :16]
    frame = (x * 9 + y * 5).astype(np.uint8)
    assert np.array_equal(decoded(encode(frame[None], "htj2k", ready=[HTJ2K]))[0], frame)


def test_twelve_bit_jpeg() -> None:
    (image,) = decoded(Path(str(get_testdata_file("JPEG-lossy.dcm", download=False))).read_bytes())
    # libjpeg-turbo 3 finds samples from 0 to 264; this is what they add up to once 264 is white.
    assert (image.shape, int(image.max())) == ((1024, 256), 255)
    assert abs(int(image.sum()) - 3_641_700) < 0.002 * 3_641_700


@pytest.mark.parametrize("offsets", ["basic", "extended", "none"])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("syntax", ["jpeg", "jpegls", "jpeg2000"])
def test_fragments_with_and_without_offset_tables(syntax: str, pieces: int, offsets: str) -> None:
    frames = waves(3)
    assert_close(decoded(encode(frames, syntax, offsets=offsets, pieces=pieces)), frames, 40)
    single = encode(frames[:1], syntax, offsets=offsets, pieces=pieces)
    assert_close(decoded(single), frames[:1], 40)


def test_our_files_are_read_alike_by_pydicom() -> None:
    frames, colour = waves(2), waves(2, colour=True)
    for syntax in (*sorted(NATIVE), "rle", "lossless1", "jpegls", "jpeg2000"):
        for truth in (frames, colour):
            read = pydicom.dcmread(io.BytesIO(encode(truth, syntax)))
            assert np.array_equal(read.pixel_array, truth), syntax


def test_palettes_of_8_and_16_bits_negative_and_short_ones() -> None:
    ramp = np.stack([np.arange(200), 255 - np.arange(200), np.full(200, 7)], axis=1).astype(np.uint8)
    indices = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    truth = ramp[np.minimum(indices[0], 199)]  # beyond its end a palette keeps its last entry
    for syntax in (*sorted(NATIVE), "rle"):
        wide = palette(ramp.astype(np.uint16) * 257)
        assert np.array_equal(decoded(encode(indices, syntax, photometric="PALETTE COLOR", **wide))[0], truth)
    narrow = palette(ramp, bits=8)
    assert np.array_equal(decoded(encode(indices, photometric="PALETTE COLOR", **narrow))[0], truth)
    signed = indices.astype(np.int16) - 100
    tags = palette(ramp, first=-100)
    data = encode(signed, photometric="PALETTE COLOR", **tags)
    assert np.array_equal(decoded(data)[0], truth)


def test_segmented_palette() -> None:
    red = [0, 2, 10, 20, 1, 3, 50, 2, 1, 0, 0]  # two entries; three steps up to 50; the first segment again
    steady = [0, 1, 200, 1, 6, 200]
    tags: dict[str, Any] = {}
    for colour, words in (("Red", red), ("Green", steady), ("Blue", steady)):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [7, 0, 16]
        tags[f"Segmented{colour}PaletteColorLookupTableData"] = np.array(words, "<u2").tobytes()
    indices = np.arange(7, dtype=np.uint8).reshape(1, 1, 7)
    image = decoded(encode(indices, photometric="PALETTE COLOR", **tags))[0]
    assert image[0, :, 0].tolist() == [10, 20, 30, 40, 50, 10, 20]
    assert set(image[0, :, 1].tolist()) == {200}


def test_overlays_in_the_unused_bits_are_not_seen() -> None:
    plain = waves(1).astype(np.uint16)
    marked = plain | np.uint16(0x8000) * (plain % 3 == 0).astype(np.uint16)
    assert np.array_equal(decoded(encode(marked, stored=8))[0], plain[0])
    high = (plain << 4).astype(np.uint16) | np.uint16(0xF00F)  # stored in bits 4 to 11, rubbish around them
    assert np.array_equal(decoded(encode(high, stored=8, HighBit=11))[0], plain[0])


def test_overlay_planes_are_not_drawn() -> None:
    frames = waves(1)
    dataset = pydicom.dcmread(io.BytesIO(encode(frames)))
    dataset.add_new(0x60000010, "US", 32)
    dataset.add_new(0x60000011, "US", 48)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"\xff" * (32 * 48 // 8))
    out = io.BytesIO()
    dataset.save_as(out)
    assert np.array_equal(decoded(out.getvalue())[0], frames[0])


def test_only_wanted_frames_are_decoded() -> None:
    frames = waves(3)
    good = [encode_frame(frame, "jpeg2000", 8, ybr=False) for frame in frames]
    data = encode(frames, "jpeg2000", ready=[good[0], good[1][:40], good[2]])
    found = [image for _, _, image in read_frames(data, "dicom", {0, 2})]
    assert [np.array_equal(image, frames[place]) for image, place in zip(found, (0, 2), strict=True)] == [True, True]
    with pytest.raises(RowError, match="dicom"):
        decoded(data)


@pytest.mark.parametrize("syntax", ["explicit", "rle", "jpeg", "jpegls", "jpeg2000", "mpeg2", "h264", "hevc"])
@pytest.mark.parametrize("said", [2, 4])
@pytest.mark.parametrize("offsets", ["basic", "none"])
def test_another_number_of_frames_than_the_header_says_is_an_error(syntax: str, said: int, offsets: str) -> None:
    data = encode(waves(3, height=96, width=96), syntax, offsets=offsets, NumberOfFrames=said)
    with pytest.raises(RowError, match=r"header says .* wrong"):
        decoded(data)
