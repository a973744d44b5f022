"""Pictures made to cost much: the work stays in proportion to their pixels, and nothing warns."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from ultracurate.imaging import _lines, _strokes, audit, flow
from ultracurate.imaging.cleaning import CleanSettings, clean
from ultracurate.imaging.sector import Sector

SIDE = 600
INSIDE = np.ones((SIDE, SIDE), np.bool_)


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, pixels: Callable[..., int]) -> list[int]:
    real, seen = getattr(module, name), []

    def watched(*given: Any) -> Any:
        seen.append(pixels(*given))
        return real(*given)

    monkeypatch.setattr(module, name, watched)
    return seen


def test_lines_within_lines_are_split_as_long_as_their_boxes_are_few_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = counted(monkeypatch, _lines, "_split", lambda _, box, __: (box[2] - box[0]) * (box[3] - box[1]))
    monkeypatch.setattr(
        _lines, "_regions", lambda *_: iter(_lines._Region(9.0, (k, k, SIDE - k, SIDE - k), 0) for k in range(40))
    )
    list(_lines.find_lines(np.zeros((SIDE, SIDE), np.uint8), INSIDE, 24))
    assert 0 < sum(boxes) <= _lines._VISITED * INSIDE.size


def test_of_a_picture_full_of_text_no_more_is_split_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((SIDE, SIDE), np.uint8)
    for row in range(30, SIDE, 60):
        for column in range(10, SIDE - 100, 150):
            cv2.putText(image, "ABCD", (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 250, 2)
    seen = counted(monkeypatch, _lines, "_split", lambda *_: 1)
    assert len(list(_lines.find_lines(image, INSIDE, 5))) == 5
    assert len(seen) <= 5


def test_of_thousands_of_regions_the_likeliest_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((SIDE, 2 * SIDE), 20, np.uint8)
    for row in range(12, SIDE, 24):
        for column in range(4, 2 * SIDE - 30, 30):
            cv2.putText(image, "H", (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 90, 1)
    cv2.putText(image, "KIDNEY", (300, 306), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 250, 2)
    field = np.ones(image.shape, np.bool_)
    monkeypatch.setattr(_lines, "_MOST", 40)
    found = list(_lines._regions(image, 0, field, 0.6))
    assert len(found) <= 2 * 40
    best = max(found, key=lambda region: region.score).box
    assert 250 < best[0] < best[2] < 480
    assert 270 < best[1] < best[3] < 330


def test_boxes_within_boxes_are_lines_and_cost_their_own_pixels_only() -> None:
    image = np.zeros((SIDE, SIDE), np.uint8)
    for at in range(10, 250, 12):
        image[at : SIDE - at, at : SIDE - at] = 255
        image[at + 2 : SIDE - at - 2, at + 2 : SIDE - at - 2] = 0
    cv2.line(image, (290, 280), (320, 330), 0, 1)
    found = _strokes.find(image, INSIDE, ~INSIDE)
    assert (found.drawn | found.text)[image > 0].mean() > 0.99
    arc = cv2.ellipse(np.zeros((SIDE, SIDE), np.uint8), (300, 300), (200, 90), 0, 20, 150, 200, 2)
    pieces = _strokes._pieces(np.asarray(arc, np.uint8), INSIDE, ~INSIDE, 1.0)
    assert not _strokes._lines(pieces, 1.0).any()


def test_the_ground_is_no_stroke_even_if_votes_leave_little_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[1::3, 1::3] = 255
    image[200:320, 200:320] = 255
    monkeypatch.setattr(_strokes, "_MOST", 50)
    small = image[150:370, 150:370]
    pieces = _strokes._pieces(small, np.ones(small.shape, np.bool_), small > 0, 1.0)
    assert len(pieces.area) == 50
    assert not pieces.labels[small == 0].any()


def test_colour_bars_that_are_looked_at_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((SIDE, SIDE, 3), 60, np.uint8)
    for x in range(4, SIDE - 16, 14):
        for y in range(4, SIDE - 50, 48):
            image[y : y + 42, x : x + 10] = np.linspace(60, 255, 42).astype(np.uint8)[:, None, None] * [1, 0, 0]
    monkeypatch.setattr(flow, "_MOST", 20)
    seen = counted(monkeypatch, flow, "_is_bar", lambda *_: 1)
    flow.find_flow(image, np.ptp(image, axis=2).astype(np.float32), INSIDE)
    assert len(seen) == 20


def test_a_very_high_line_is_erased_by_strokes_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((SIDE, SIDE), 90, np.uint8)
    cv2.putText(image, "LT", (100, 400), cv2.FONT_HERSHEY_SIMPLEX, 9, 250, 18)
    real, sides = cv2.morphologyEx, []

    def watched(part: Any, how: int, kernel: np.ndarray) -> Any:
        sides.append(max(kernel.shape))
        return real(part, how, kernel)

    monkeypatch.setattr(cv2, "morphologyEx", watched)
    mask = audit.strokes_in(image, [(60, 120, 500, 440)])
    assert max(sides) <= audit._BROADEST
    assert mask[image > 200].mean() > 0.9


@pytest.mark.parametrize("method", ["default", "classic"])
@pytest.mark.parametrize("shape", [(40, 60), (1, 1), (2, 300), (300, 2)])
def test_one_colour_everywhere_warns_of_nothing(shape: tuple[int, int], method: str) -> None:
    image = np.full((*shape, 3), (255, 0, 0), np.uint8)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        done = clean(image, Sector([], 1.0, "full"), method=method, settings=CleanSettings())
    assert done.image.shape == image.shape
