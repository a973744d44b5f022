"""Two recognisers read what is left; tissue reads as nothing. Skipped where they are not installed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.core.errors import UltracurateError
from ultracurate.imaging.audit import lines, readable, version
from ultracurate.imaging.cleaning import CleanSettings, clean
from ultracurate.imaging.sector import Sector

ALL = Sector([], 1.0, "full")
INSIDE = np.ones((300, 400), bool)


def needs_readers() -> None:
    try:
        version()
    except UltracurateError:
        pytest.skip("the recognisers are not installed")


def tissue(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(rng.rayleigh(1, (300, 400)).astype(np.float32), (0, 0), 1.5)
    slow = cv2.resize(rng.random((4, 5)).astype(np.float32), (400, 300), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(speckle * slow * 130, 0, 200), np.uint8)


def written(seed: int, text: str) -> np.ndarray:
    image = tissue(seed)
    cv2.putText(image, text, (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 250, 2)
    return image


def test_candidates_hold_the_text_and_are_few() -> None:
    found = lines(written(1, "LT BREAST"), INSIDE)
    assert len(found) <= 6
    assert any(x0 <= 130 and x1 >= 200 and y0 <= 150 and y1 >= 155 for x0, y0, x1, y1 in found)


def test_text_is_read_and_tissue_is_not() -> None:
    needs_readers()
    for seed, text in ((1, "LT BREAST"), (2, "THYROID"), (3, "RT LOBE")):
        assert readable(written(seed, text), INSIDE)
    assert not any(readable(tissue(seed), INSIDE) for seed in range(6))
    assert "tesseract" in version()


def test_text_that_a_net_missed_is_erased_because_it_is_read() -> None:
    needs_readers()
    blind = CleanSettings(net=lambda _, b: np.zeros((b[3] - b[1], b[2] - b[0]), np.float32), audit=True)
    done = clean(written(1, "LT BREAST"), ALL, settings=blind)
    assert done.ledger.strings == 1
    assert done.ledger.retried
    assert done.ledger.strings_left == 0
    assert done.ledger.verdict == "ok"
    assert not readable(done.image, INSIDE)
