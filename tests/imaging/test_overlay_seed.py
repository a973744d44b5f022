"""The published method on a drawn screen, with the real tesseract."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.imaging.erase import inpaint
from ultracurate.imaging.overlay_seed import SeedParams, colour_mask, refine, seed_masks, text_mask

NO_OCR = SeedParams(ocr=False)
Array = npt.NDArray[Any]
Drawn = tuple[Array, Array, Array]
YELLOW = (255, 230, 0)

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="needs the program tesseract (apt-get install tesseract-ocr)"
)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """A smooth grey picture with white words and two thick yellow calipers: image, words, calipers."""
    noise = np.random.default_rng(5).normal(60, 8, (300, 400)).clip(0, 255).astype(np.uint8)
    tissue = np.repeat(cv2.GaussianBlur(noise, (9, 9), 3)[..., None], 3, axis=2)
    tissue[:70] = 0
    words = np.zeros((300, 400), np.uint8)
    cv2.putText(words, "LIVER RIGHT LOBE", (30, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2, cv2.LINE_AA)
    calipers = np.zeros((300, 400), np.uint8)
    for x, y in ((120, 180), (280, 220)):
        cv2.line(calipers, (x - 12, y), (x + 12, y), 255, 6)
        cv2.line(calipers, (x, y - 12), (x, y + 12), 255, 6)
    image = tissue.copy()
    image[words > 100] = 255
    image[calipers > 0] = YELLOW
    return image, words > 100, calipers > 0


@needs_tesseract
def test_every_branch_hits_its_own_mark(drawn: Drawn) -> None:
    image, words, calipers = drawn
    masks = seed_masks(image)
    assert masks.strings >= 2
    assert masks.ocr[words].mean() > 0.9
    assert masks.ocr.mean() < 0.4  # boxes of words, not the whole page
    assert masks.colour[calipers].mean() > 0.95
    assert masks.final[words | calipers].mean() > 0.9
    assert masks.final[240:].mean() < 0.1
    assert all(mask.shape == (300, 400) and mask.dtype == bool for mask in (masks.ocr, masks.colour, masks.grey))


@needs_tesseract
def test_cleaning_touches_nothing_outside_the_final_mask(drawn: Drawn) -> None:
    image, _, calipers = drawn
    masks = seed_masks(image)
    clean = inpaint(image, masks.final, SeedParams().radius)
    assert np.array_equal(clean[~masks.final], image[~masks.final])
    core = cv2.erode((masks.final & calipers).astype(np.uint8), np.ones((3, 3))) > 0
    yellow = np.abs(clean[core].astype(int) - YELLOW).sum(axis=1) < 60
    assert yellow.mean() < 0.2


@needs_tesseract
def test_confidence_is_a_threshold(drawn: Drawn) -> None:
    image, _, _ = drawn
    luma: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    mask, strings = text_mask(luma, SeedParams(min_confidence=101))
    assert strings == 0
    assert not mask.any()


@needs_tesseract
def test_what_was_read_is_not_in_the_answer(
    drawn: Drawn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    image, _, _ = drawn
    with caplog.at_level("DEBUG"):
        answer = repr(seed_masks(image))
    out, err = capfd.readouterr()
    assert "LIVER" not in answer + caplog.text + out + err


def test_without_text_branch(drawn: Drawn) -> None:
    image, words, _ = drawn
    masks = seed_masks(image, NO_OCR)
    assert masks.strings == 0
    assert not masks.ocr.any()
    assert np.array_equal(masks.final, refine(masks.colour | masks.grey))
    assert words.any()


def test_a_missing_program_is_a_setting_to_change(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt-get install tesseract-ocr"):
        seed_masks(drawn[0])


def test_thin_marks_are_lost_in_the_last_opening() -> None:
    """A known weakness of the published method, kept on purpose."""
    line = np.zeros((40, 40), bool)
    line[20, 5:35] = True
    assert not refine(line).any()
    assert refine(np.pad(np.ones((9, 9), bool), 9)).any()


def test_colour_doppler_counts_as_overlay() -> None:
    """Another one: saturated pixels are overlay whatever they mean."""
    image = np.full((80, 80, 3), 70, np.uint8)
    image[20:50, 20:50] = (200, 30, 10)
    assert colour_mask(image)[22:48, 22:48].all()
    assert not colour_mask(image)[60:].any()


def test_colour_edge_cases() -> None:
    assert not colour_mask(np.zeros((40, 40, 3), np.uint8)).any()
    two = np.full((40, 40, 3), 70, np.uint8)
    two[5, 5:7] = (255, 0, 0)  # fewer coloured pixels than clusters
    assert not colour_mask(two).any()
    one_colour = np.full((40, 40, 3), (255, 0, 0), np.uint8)  # fewer colours than clusters
    assert colour_mask(one_colour).all()
    assert not seed_masks(np.full((40, 40), 90, np.uint8), NO_OCR).final.any()


def test_grey_and_grey_as_colour_agree(drawn: Drawn) -> None:
    grey: Any = cv2.cvtColor(drawn[0], cv2.COLOR_RGB2GRAY)
    one, three = seed_masks(grey, NO_OCR), seed_masks(np.repeat(grey[..., None], 3, axis=2), NO_OCR)
    assert np.array_equal(one.final, three.final)


@pytest.mark.slow  # a fresh process imports scikit-learn again
def test_same_masks_in_another_process_with_other_threads(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)  # far more than `max_samples`
    np.save(tmp_path / "image.npy", image)
    code = (
        "import sys, numpy as np\n"
        "from ultracurate.imaging.overlay_seed import seed_masks, SeedParams\n"
        "np.save(sys.argv[2], seed_masks(np.load(sys.argv[1]), SeedParams(ocr=False, min_value=150)).colour)\n"
    )
    env = {**os.environ, "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "3"}
    paths = [str(tmp_path / "image.npy"), str(tmp_path / "mask.npy")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, env=env)
    here = colour_mask(image, SeedParams(min_value=150))
    assert 0.1 < here.mean() < 0.9
    assert np.array_equal(here, np.load(paths[1]))
