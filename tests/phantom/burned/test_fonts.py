from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.burned import fonts
from ultracurate.phantom.burned.fonts import DRAWN, FONTS, PACKAGES, font_file, ink, missing
from ultracurate.phantom.burned.words import HELD_WORDS, SEEN_WORDS, fill

HERE = [name for name in FONTS if name not in missing()]


@pytest.mark.parametrize("name", [name for name in HERE if fonts.LATIN in FONTS[name].scripts])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_font_draws_letters_apart_and_cut_to_their_ink(name: str, smooth: bool) -> None:
    drawn = [ink(text, name, 16, smooth) for text in ("A", "g", "8", "M1", "LT 3:00")]
    assert len({tile.tobytes() for tile in drawn}) == len(drawn)
    for tile in drawn:
        assert tile[0].any()
        assert tile[-1].any()
        assert tile[:, 0].any()
        assert tile[:, -1].any()
    assert 6 <= drawn[0].shape[0] <= 18
    if not smooth:
        assert set(np.unique(drawn[-1])) <= {0, 255}


def test_fonts_drawn_by_opencv_are_always_there() -> None:
    assert len(DRAWN) == 4
    assert {name in fonts.HELD_FONTS for name in DRAWN} == {True, False}
    assert set(DRAWN) <= set(HERE)
    with pytest.raises(ConfigError, match="Expected a font of"):
        font_file(DRAWN[0])


@pytest.mark.parametrize("script", list(SEEN_WORDS.foreign))
@pytest.mark.parametrize("held", [False, True])
def test_every_script_has_a_font_that_knows_its_letters(script: str, held: bool) -> None:
    half = fonts.HELD_FONTS if held else fonts.SEEN_FONTS
    able = [name for name, font in half.items() if script in font.scripts]
    assert able
    if missing().keys() & set(able):
        pytest.skip("these fonts are not installed: apt-get install " + " ".join(sorted(set(missing().values()))))
    rng = np.random.default_rng(0)
    words = (HELD_WORDS if held else SEEN_WORDS).foreign[script]
    for name in able:
        unknown = ink("\U000e0fff", name, 16).tobytes()
        for sign in {sign for word in words for sign in fill(word, rng) if not sign.isspace()}:
            assert ink(sign, name, 16).tobytes() != unknown, (name, sign)


def test_a_missing_font_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    fonts._installed.cache_clear()
    try:
        assert set(missing()) == set(FONTS) - set(DRAWN)
        with pytest.raises(ConfigError, match="apt-get install fonts-lato"):
            font_file("lato")
    finally:
        fonts._installed.cache_clear()


def test_packages_are_named_once() -> None:
    assert len(PACKAGES) == len(set(PACKAGES)) >= 12
    assert all(name.startswith("fonts-") for name in PACKAGES)
