"""Whether places that were cleaned can be told: the pairs, the figure, and the way to the net and back."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.measure import cleaned as module
from ultracurate.measure._overlay_methods import METHODS, Answer, perfect
from ultracurate.measure._overlay_sets import Case, of_screen
from ultracurate.measure.cleaned import EACH, FIRST_SCREEN, SIDE, Patches, area, measure_cleaned, patches
from ultracurate.phantom.burned import burned_screen

no_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


def scores(*values: float) -> np.ndarray:
    return np.asarray(values, np.float32)


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    one = np.zeros(3, np.int64)
    assert area(scores(4, 5, 6), scores(1, 2, 3), one) == {"value": 1.0, "frames": 1.0}
    assert area(scores(1, 2, 3), scores(4, 5, 6), one)["value"] == 0.0
    assert area(scores(1, 1, 1), scores(1, 1, 1), one)["value"] == 0.5
    assert area(scores(2, 4, 2), scores(1, 3, 2), one)["value"] == pytest.approx((1 + 0.5 + 3 + 1 + 0.5) / 9)


def test_the_interval_draws_whole_screens() -> None:
    rng = np.random.default_rng(2)
    shift = np.repeat(rng.normal(0, 1, 8), 25)
    up, down = ((rng.normal(m, 1, 200) + shift * m).astype(np.float32) for m in (1, 0))
    found = area(up, down, np.repeat(np.arange(8), 25))
    alone = area(up, down, np.arange(200))
    assert found["low"] < found["value"] < found["high"]
    assert found["high"] - found["low"] > alone["high"] - alone["low"]
    assert area(up, down, np.repeat(np.arange(8), 25)) == found


def test_pairs_show_the_same_places_and_differ_by_the_cleaning_only() -> None:
    seeds = range(FIRST_SCREEN, FIRST_SCREEN + 3)
    found = patches("perfect", seeds)
    assert found.cleaned.shape == found.untouched.shape == (len(found.screens), SIDE, SIDE, 3)
    assert set(found.screens) <= set(seeds)
    assert max(np.count_nonzero(found.screens == seed) for seed in seeds) <= EACH
    apart = np.abs(found.cleaned.astype(int) - found.untouched).max(axis=3)
    assert apart.max() > 8
    assert np.median(apart) <= 2  # most of a patch is tissue that nobody touched
    for seed in seeds:
        case = of_screen(burned_screen(seed, held=True), seed, ())
        answer = perfect(case, False)
        black = answer.blanked | answer.black
        untouched, middles, left = module._judged(case, answer)
        assert not untouched[black].any()
        assert case.clean is not None
        assert (untouched[~black] == case.clean[~black]).all()
        assert not (middles & black).any()
        assert not left.any()


def test_patches_that_still_show_a_mark_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = len(patches("perfect", [FIRST_SCREEN]).screens)
    assert whole > 0

    def careless(case: Case, audit: bool) -> Answer:
        done = perfect(case, audit)
        half = np.arange(case.image.shape[1]) % 2 == 0
        done.image[:, half] = case.image[:, half]
        done.painted[:, half] = False
        done.blanked[:] = False
        return done

    monkeypatch.setitem(METHODS, "perfect", careless)
    with pytest.raises(ConfigError, match="painted nothing"):
        patches("perfect", [FIRST_SCREEN])


def test_methods_that_paint_nothing_and_a_missing_torch_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("none", "defaults"):
        with pytest.raises(ConfigError, match=name):
            measure_cleaned(methods=[name])
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"ultracurate\[train\]"):
        measure_cleaned(methods=["default"])


def test_a_training_that_fails_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    dark = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    few = Patches(dark, dark, np.zeros(2, np.int64))
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(ConfigError, match="exit code 1"):
        module._scores(few, few)


@no_torch
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_net_tells_what_the_published_method_painted() -> None:
    found = measure_cleaned(quick=True, methods=["seed"])
    (row,) = found.figures.values()
    assert 0.6 < row["seed"]["value"] <= 1
    assert not found.must  # only the default method is promised
