"""Strings are read by real recognisers where they are installed, and never leave the module."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.measure import _overlay_strings as strings
from ultracurate.measure._overlay_sets import Case, Mark

recognisers = pytest.mark.skipif(
    not strings.has_tesseract() and not strings.has_paddle(), reason="no recogniser is installed"
)


def written(text: str, note: str | None = None, group: str = "ui") -> Case:
    """A line of light text on dark speckle, as its mark, which notes down `note` or the text itself."""
    image = np.random.default_rng(3).integers(0, 40, (80, 300), np.uint8)
    cv2.putText(image, text, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 220, 2, cv2.LINE_AA)
    mark = Mark("ui_text", (18, 28, 280, 58), None, text if note is None else note, group, True)
    return Case(("synth",), "one", image, None, (mark,), None, np.zeros(image.shape, np.bool_))


@pytest.mark.parametrize(
    ("truth", "read", "same"),
    [
        ("Depth 12.5", "depth 12,5", True),
        ("Depth 12.5", "De th", False),  # four of eight
        ("Depth 12.5", "Depth", True),
        ("KIDNEY", "K I D N E Y", True),
        ("KIDNEY", "KxIxDxNxExY", False),
        ("LT", "L", False),
        ("почка", "ПОЧКА", True),
        ("", "anything", False),
    ],
)
def test_a_string_is_read_by_sixty_percent_in_runs_of_two(truth: str, read: str, same: bool) -> None:
    assert strings.matches(truth, read) == same


@recognisers
def test_text_that_is_still_there_is_left_and_erased_text_is_not() -> None:
    case = written("SPLEEN 42")
    erased = np.full_like(case.image, 20)
    assert strings.strings_left(case, case.image)["ui"] == (1, 1)
    assert strings.strings_left(case, erased)["ui"] == (0, 1)


@recognisers
def test_faint_text_is_still_read() -> None:
    case = written("SPLEEN 42")
    faint = np.where(case.image > 100, 30, 20).astype(np.uint8)
    assert strings.strings_left(case, faint)["ui"] == (1, 1)


@recognisers
def test_a_string_that_was_not_written_down_is_known_from_the_untouched_picture() -> None:
    case = written("SPLEEN 42", note="", group="patient")
    assert strings.strings_left(case, case.image)["patient"] == (1, 1)
    assert strings.strings_left(case, np.zeros_like(case.image))["patient"] == (0, 1)


@recognisers
def test_what_cannot_be_read_before_or_is_one_letter_is_not_counted() -> None:
    assert strings.strings_left(written("SPLEEN 42", note="WALRUS"), written("").image)["ui"] == (0, 0)
    assert strings.strings_left(written("7"), written("7").image)["ui"] == (0, 0)


def test_without_recognisers_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "has_tesseract", lambda: False)
    monkeypatch.setattr(strings, "has_paddle", lambda: False)
    case = written("SPLEEN 42")
    assert strings.strings_left(case, case.image) == {}
    assert strings.missing() == ["strings left: no recogniser is installed (pip install 'ultracurate[audit]')"]
