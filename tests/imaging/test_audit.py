"""What is left of text is found, read and erased; tissue reads as nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from ultracurate.imaging import _recognisers
from ultracurate.imaging._lines import find_lines
from ultracurate.imaging.audit import PATIENCE, readable, strokes_in, version
from ultracurate.imaging.cleaning import CleanSettings, clean
from ultracurate.imaging.sector import Sector

ALL = Sector([], 1.0, "full")
INSIDE = np.ones((300, 400), bool)
BLIND = CleanSettings(net=lambda _, b: np.zeros((b[3] - b[1], b[2] - b[0]), np.float32), audit=True)


def tissue(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(rng.rayleigh(1, (300, 400)).astype(np.float32), (0, 0), 1.5)
    slow = cv2.resize(rng.random((4, 5)).astype(np.float32), (400, 300), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(speckle * slow * 130, 0, 200), np.uint8)


def written(seed: int, text: str, ink: int | tuple[int, int, int] = 250, at: tuple[int, int] = (80, 160)) -> np.ndarray:
    image = tissue(seed)
    if not isinstance(ink, int):
        image = np.repeat(image[..., None], 3, axis=2)
    return np.asarray(cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2))


def test_the_likeliest_line_is_the_text_and_lines_are_few() -> None:
    found = list(find_lines(written(1, "LT BREAST"), INSIDE, 6))
    assert len(found) <= 6
    words = [line.box for line in found[:2]]
    assert min(x0 for x0, _, _, _ in words) <= 90
    assert max(x1 for _, _, x1, _ in words) >= 200
    assert all(135 < y0 < 156 < y1 < 175 for _, y0, _, y1 in words)
    assert found[0].score > 2 * max(line.score for line in find_lines(tissue(1), INSIDE, 6))


def test_nothing_is_sought_outside_the_field() -> None:
    image = written(1, "LT BREAST")
    below = INSIDE.copy()
    below[:200] = False
    assert all(line.box[1] >= 190 for line in find_lines(image, below, 6))
    assert not list(find_lines(image, ~INSIDE, 6))
    one = ~INSIDE
    one[150, 150] = True
    assert not list(find_lines(image, one, 6))


def test_lines_of_a_block_are_told_apart() -> None:
    image = written(4, "Gain 63")
    for row, text in ((182, "Depth 7"), (204, "Zoom 40")):
        cv2.putText(image, text, (80, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 250, 1)
    heights = [line.box[3] - line.box[1] for line in find_lines(image, INSIDE, 6) if line.score > 10]
    assert len(heights) >= 3
    assert max(heights) < 30


def test_text_is_read_and_tissue_is_not() -> None:
    for seed, text in ((1, "LT BREAST"), (2, "THYROID"), (3, "RT LOBE"), (4, "AO"), (5, "IVC")):
        assert readable(written(seed, text), INSIDE), text
    assert not any(readable(tissue(seed), INSIDE) for seed in range(12))
    assert "tesseract" in version()
    assert "rapidocr" in version()


@pytest.mark.parametrize("ink", [(60, 170, 60), (90, 90, 220)])
def test_coloured_text_as_bright_as_tissue_is_read_and_erased(ink: tuple[int, int, int]) -> None:
    image = np.clip(written(6, "", ink), 110, 170)
    cv2.putText(image, "LIVER", (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2)
    found = readable(image, INSIDE)
    assert found
    letters = np.ptp(image.astype(np.int16), axis=2) > 60
    assert strokes_in(image, found)[letters].mean() > 0.85


def test_a_dark_rim_goes_with_its_letters_and_tissue_between_them_stays() -> None:
    image = np.full((300, 400), 120, np.uint8)
    cv2.putText(image, "KIDNEY", (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 4)
    rim = image == 0
    cv2.putText(image, "KIDNEY", (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 250, 1)
    mask = strokes_in(image, [(78, 138, 180, 164)])
    assert mask[image > 200].all()
    assert mask[rim & (image == 0)].mean() > 0.95
    assert mask[image == 120].mean() < 0.005


def test_reading_stops_where_nothing_looks_like_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from ultracurate.imaging import _recognisers

    asked: list[int] = []
    real = _recognisers.by_paddle

    def counted(lines: list[np.ndarray]) -> list[tuple[str, float]]:
        asked.append(len(lines))
        return real(lines)

    monkeypatch.setattr(_recognisers, "by_paddle", counted)
    for seed in range(8):
        readable(tissue(seed), INSIDE)
    assert 0 < len(asked) <= 8 * PATIENCE
    asked.clear()
    image = tissue(7)
    for row in range(30, 290, 26):
        cv2.putText(image, "PATIENT NAME", (80, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 250, 2)
    assert len(readable(image, INSIDE)) >= 9
    assert len(asked) >= 9


def test_text_that_a_net_missed_is_erased_because_it_is_read() -> None:
    done = clean(written(1, "LT BREAST"), ALL, settings=BLIND)
    assert done.ledger.strings in (1, 2)
    assert done.ledger.retried
    assert done.ledger.strings_left == 0
    assert done.ledger.verdict == "ok"
    assert not readable(done.image, INSIDE)


def test_half_of_a_word_is_read_and_erased() -> None:
    image = written(2, "CAROTID")
    image[130:175, 78:110] = tissue(2)[130:175, 78:110]
    done = clean(image, ALL, settings=BLIND)
    assert done.ledger.retried
    assert not readable(done.image, INSIDE)
    changed = (done.image != image).any(axis=0)
    assert not changed[:70].any()
    assert not changed[230:].any()


def test_threads_of_one_worker_do_not_read_into_each_others_lines() -> None:
    """Without a lock the program dies: Tesseract lets other threads run while it reads."""
    lines = [written(seed, text)[130:180, 60:260] for seed, text in enumerate(["LIVER", "KIDNEY", "DEPTH"] * 4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(_recognisers.by_tesseract, lines)) == [_recognisers.by_tesseract(line) for line in lines]
