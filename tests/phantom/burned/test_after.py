from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.phantom.burned.after import Resize, develop, item_of, jpeg_copy
from ultracurate.phantom.burned.layer import FAINT, Layer, Mark
from ultracurate.phantom.textures import Grey, Mask

SCALES = ((2, 5), (1, 2), (5, 8), (7, 10), (5, 6), (9, 10))
HOWS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


def _mark(rng: np.random.Generator, size: tuple[int, int], kind: str = "arrow") -> tuple[Mark, Grey]:
    """A mark anywhere, at the border too, and its coverage of the whole screen."""
    height, width = size
    tall, wide = int(rng.integers(3, 60)), int(rng.integers(3, 60))
    y, x = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    cover = (rng.random((tall, wide)) < 0.2).astype(np.uint8) * rng.integers(30, 256, (tall, wide)).astype(np.uint8)
    whole = np.zeros(size, np.uint8)
    whole[y : y + tall, x : x + wide] = cover
    return Mark(kind, "WORD", None, 1.0, x, y, cover), whole


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(("up", "down"), SCALES)
def test_a_mark_resized_alone_is_the_mark_of_the_resized_screen(up: int, down: int, back: bool, how: int) -> None:
    resize, rng = Resize(up, down, how, back), np.random.default_rng(up * 100 + down)
    size = (80 // down * down + down, 100 // down * down)
    for _ in range(20):
        mark, whole = _mark(rng, size)
        expected = resize(whole) >= FAINT
        item = item_of(mark, (0, 0, size[1], size[0]), resize, np.zeros(expected.shape, np.uint8))
        found = np.zeros(expected.shape, np.bool_)
        if item is not None:
            x0, y0, x1, y1 = item.box
            found[y0:y1, x0:x1] = item.mask
        assert np.array_equal(found, expected)


def test_a_crop_moves_marks_and_takes_words_apart() -> None:
    ground = np.zeros((50, 60), np.uint8)
    cover = np.full((10, 40), 255, np.uint8)
    whole = item_of(Mark("ui_text", "GAIN", "ui", 1.0, 30, 20, cover), (20, 10, 80, 60), None, ground)
    assert whole is not None
    assert (whole.box, whole.text, whole.group) == ((10, 10, 50, 20), "GAIN", "ui")
    part = item_of(Mark("ui_text", "GAIN", "ui", 1.0, 0, 20, cover), (20, 10, 80, 60), None, ground)
    assert part is not None
    assert (part.kind, part.box, part.text, part.group) == ("cropped_text", (0, 10, 20, 20), None, None)
    bar = item_of(Mark("grey_bar", None, None, 1.0, 0, 20, cover), (20, 10, 80, 60), None, ground)
    assert bar is not None
    assert bar.kind == "grey_bar"
    assert item_of(Mark("ui_text", "GAIN", "ui", 1.0, 100, 20, cover), (20, 10, 80, 60), None, ground) is None


def test_what_touches_the_field_is_in_it() -> None:
    ground = np.zeros((50, 60), np.uint8)
    ground[:, 30:] = 1
    cover = np.full((4, 4), 255, np.uint8)
    inside = [item_of(Mark("arrow", None, None, 1.0, x, 9, cover), (0, 0, 60, 50), None, ground) for x in (10, 27, 40)]
    assert [item is not None and item.in_field for item in inside] == [False, True, True]


def test_paint_hides_what_lies_below_it() -> None:
    layer = Layer(np.zeros((60, 120, 3), np.uint8))
    for x, word in ((10, "NAME"), (60, "DATE"), (95, "ID")):
        with layer.item("patient_text", word):
            layer.panel((x, 10, x + 20, 20), (255, 255, 255))
    with layer.item("redaction_paint", hides=True):
        layer.panel((5, 5, 65, 30), (128, 128, 128))
    told = [(mark.kind, mark.text, int((mark.cover > 0).sum())) for mark in layer.marks]
    assert told == [("patient_text", None, 150), ("patient_text", "ID", 200), ("redaction_paint", None, 1500)]


def test_every_copy_has_its_fields_flow_and_marks_in_step() -> None:
    height, width = 400, 500
    rows, columns = np.mgrid[0:height, 0:width]
    screen = np.stack([rows % 200, columns % 200, (rows + columns) % 200], axis=2).astype(np.uint8)
    field = (rows > 40) & (columns > 60) & (columns < 420)
    flow = field & (rows > 200)
    sizes = set()
    for seed in range(60):
        layer = Layer(screen)
        with layer.item("arrow"):
            layer.panel((200, 100, 260, 160), (255, 255, 255))
        done = develop(layer, [field], flow, np.random.default_rng(seed), jpeg=False)
        assert done.quality == 0
        assert done.image.shape == done.clean.shape == (*done.flow.shape, 3)
        assert not (done.flow & ~done.fields[0]).any()
        white: Mask = np.asarray((done.image > 250).all(axis=2), np.bool_)
        near = cv2.dilate(white.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
        (item,) = done.items
        found = np.zeros(white.shape, np.bool_)
        found[item.box[1] : item.box[3], item.box[0] : item.box[2]] = item.mask
        assert not (white & ~found).any()
        assert not (found & ~near).any()
        sizes.add(done.image.shape)
    assert len(sizes) > 8


def test_a_jpeg_copy_loses_little_at_a_high_quality_and_more_at_a_low_one() -> None:
    noise = np.random.default_rng(0).integers(90, 140, (64, 64, 3), dtype=np.uint8)
    lost = [
        float(np.abs(jpeg_copy(noise, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444).astype(int) - noise).mean())
        for quality in (98, 45)
    ]
    assert lost[0] < 2 < lost[1]
