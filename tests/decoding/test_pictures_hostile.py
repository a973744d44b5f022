"""Pictures, masks and drawings made to cost time or memory out of all proportion: refused, or done in bands."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests.decoding.files import Array, animation, encode, speckle
from tests.decoding.test_pictures import deep, many_frames, pages
from ultracurate.core.errors import RowError
from ultracurate.decoding._annotation import json_file as as_json
from ultracurate.decoding._pictures.tiff import MAX_ALL_ENTRIES, MAX_ENTRIES, check_directories
from ultracurate.decoding.annotations import parse
from ultracurate.decoding.levels import to_8bit, value_range
from ultracurate.decoding.limits import MAX_FRAMES, check_work, decoding
from ultracurate.decoding.pictures import decode_picture, probe_picture


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Fails when more than `size` bytes were held at once; NumPy and OpenCV report what they allocate."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= size, f"{peak} bytes"


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_levels_of_a_large_array_take_little_more_than_their_result(dtype: type) -> None:
    values: Array = np.arange(4_000_000).reshape(2000, 2000).astype(dtype)
    low, high = value_range(values)
    assert (low, high) == (values.min(), values.max())
    with at_most(values.size + (40 << 20)):  # the whole in 64 bits, twice, would be 64 MB more
        levels = to_8bit(values, low, high)
        value_range(values)
    # Small pieces are scaled without a table and in one band.
    pieces = [to_8bit(row, low, high) for row in values[::97]]
    assert np.array_equal(levels[::97], np.stack(pieces))


def test_not_a_number_in_a_large_array_is_black_and_in_no_range() -> None:
    values = np.full((1500, 1000), np.nan, np.float32)
    assert value_range(values) == (0.0, 0.0)
    values[-1, -1], values[0, 0], values[1, 1] = 4.0, np.inf, -2.0
    assert value_range(values) == (-2.0, 4.0)
    assert to_8bit(values, -2.0, 4.0)[[0, 0, 1, -1], [0, 1, 1, -1]].tolist() == [255, 0, 0, 255]


def test_sixteen_bit_colour_with_alpha_is_composited_in_place() -> None:
    values = np.full((1200, 1000, 4), 40_000, np.uint16)
    data = deep(values, ".png")
    with at_most(values.nbytes + 4 * values[..., 0].size + (40 << 20)):  # was ten times the picture
        decoded = decode_picture(data, "png")
    assert decoded.shape == (1200, 1000)
    assert (decoded == 255).all()


@pytest.mark.parametrize("side", [7072, 9999])
def test_deep_pictures_have_a_limit_of_their_own(side: int) -> None:
    data = bytearray(encode(np.full((2, 2), 999, np.uint16), "PNG"))
    data[16:24] = struct.pack(">II", side, side)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(RowError, match="50000000 pixels of more than 8 bits"):
        probe_picture(bytes(data), "png")


def test_a_page_of_another_size_is_refused_before_it_is_decoded() -> None:
    data = animation([np.full((4, 4), 999, np.uint16), np.full((900, 900), 999, np.uint16)], "TIFF")
    with at_most(1 << 20), pytest.raises(RowError, match="expected pages of one size"):  # it takes 1.6 MB
        pages(data, "tif")


def directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def test_a_directory_of_too_many_entries_is_refused() -> None:
    head = b"II*\0\x08\0\0\0"
    check_directories(head + directory([(tag, 3, 1, 1) for tag in range(MAX_ENTRIES)]))
    bad = head + directory([(tag, 3, 1, 1) for tag in range(MAX_ENTRIES + 1)])
    for call in (probe_picture, pages):
        with pytest.raises(RowError, match="tif"):
            call(bad, "tif")
    with pytest.raises(RowError, match=f"at most {MAX_ENTRIES} entries"):
        check_directories(bad)


def test_directories_that_lie_over_each_other_are_refused() -> None:
    # Each begins sixteen bytes behind the one before: its count is a piece of an entry of many others.
    count, step = 900, 16
    most = MAX_ALL_ENTRIES // count + 2
    data = bytearray(b"II*\0\x08\0\0\0" + bytes(step * most + 12 * count + 64))
    for at in range(8, 8 + step * most, step):
        struct.pack_into("<H", data, at, count)
        struct.pack_into("<I", data, at + 2 + 12 * count, at + step)
    with pytest.raises(RowError, match=f"{MAX_ALL_ENTRIES} in all"):
        check_directories(bytes(data))


def test_values_that_lie_over_each_other_are_refused() -> None:
    size = 1 << 20
    entries = [(1000 + number, 7, size, 0) for number in range(900)]  # the whole file, nine hundred times
    data = b"II*\0\x08\0\0\0" + directory(entries) + bytes(size)
    with pytest.raises(RowError, match="values that fit"), at_most(4 << 20):
        check_directories(data)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_ordinary_pages_have_ordinary_directories(kind: str) -> None:
    if kind == "TIFF":
        check_directories(animation([speckle(30, 30, seed=seed) for seed in range(9)], "TIFF"))
        check_directories(encode(speckle(30, 30), "TIFF", big_tiff=True))
        check_directories(deep(np.ones((20, 30, 3), np.uint16), ".tif"))
    assert probe_picture(encode(speckle(30, 30), kind), {"PNG": "png", "TIFF": "tif"}[kind]).frames == 1


def test_an_animation_of_a_large_canvas_and_tiny_frames_is_refused() -> None:
    data = bytearray(many_frames("gif", 60_000))
    data[6:10] = struct.pack("<HH", 300, 300)
    data += bytes(1 << 20)  # behind the end: makes the file long enough for the work of so many pixels
    check_work(300 * 300 * 60_000, len(data), "gif")
    for call in (probe_picture, pages):
        with pytest.raises(RowError, match="expected an animation of at most 5000000000 pixels"):
            call(bytes(data), "gif")


@pytest.mark.parametrize("fmt", ["gif", "png", "webp"])
def test_frames_of_a_mask_are_counted_and_bounded(fmt: str) -> None:
    with pytest.raises(RowError, match=f"at most {MAX_FRAMES} frames"):
        parse(many_frames(fmt, MAX_FRAMES + 1), "mask")
    (one,) = parse(many_frames(fmt, 5), "mask").found
    assert (one.kind, one.rule) == ("mask", None)


def test_pages_of_a_mask_are_bounded() -> None:
    entry = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entry += [(278, 3, 1, 4), (279, 4, 1, 16)]
    length = 2 + 12 * len(entry) + 4
    links = [8 + length * (page + 1) for page in range(10_001)]
    data = b"II*\0\x08\0\0\0" + b"".join(directory(entry, link) for link in links) + bytes(64)
    with pytest.raises(RowError, match="at most 10000 pages"):
        parse(data, "mask")


def test_classes_of_a_large_mask_are_counted_in_bands() -> None:
    values = np.zeros((2400, 2000), np.uint16)
    values[100:200, :30], values[2300:, 5:7] = 300, 2
    data = encode(values, "PNG")
    with at_most(5 * values.nbytes):  # a copy in 64 bits would be four times the picture beside it
        found = parse(data, "mask").found
    assert [(one.label, one.area) for one in found] == [("2", 200), ("300", 3000)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_mask_of_no_numbers_is_a_row_error(value: float) -> None:
    with pytest.raises(RowError, match="mask"):
        parse(encode(np.full((30, 40), value, np.float32), "TIFF"), "mask")


def test_a_drawing_of_too_many_coordinates_is_refused_before_it_is_parsed() -> None:
    data = b'{"images":[],"annotations":[{"segmentation":[[' + b"1," * (as_json.MAX_VALUES + 1) + b"1]]}]}"
    assert len(data) < as_json.MAX_BYTES
    with pytest.raises(RowError, match="at most 5000000 values"), at_most(1 << 20):
        parse(data, "coco")


def test_what_a_library_says_about_a_file_is_not_repeated() -> None:
    with pytest.raises(RowError) as caught, decoding("png"):
        raise ValueError("could not read 'SMITH^JOHN'")
    assert "SMITH" not in str(caught.value)
    assert "ValueError" in str(caught.value)
