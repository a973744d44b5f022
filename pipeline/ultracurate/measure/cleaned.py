"""Whether it shows where a picture was cleaned: a small net looks at patches that were, and at the same untouched."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.decoding.levels import U8
from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.measure._overlay_methods import METHODS, Answer
from ultracurate.measure._overlay_sets import CHANGED, Case, difference, of_screen
from ultracurate.measure._overlay_table import DRAWS, SEED
from ultracurate.phantom.burned import burned_screen

FIRST_SCREEN = 930_000
"""Seed of the first invented screen, of fonts, words, devices and patients that the overlay net never saw."""
LEARNED, JUDGED = 130, 70
QUICK_LEARNED, QUICK_JUDGED = 16, 8
EACH = 12
"""Patches of a screen at most, so that one with much text does not outvote the others."""
SIDE = 48
LEFT = 0.1
"""Share of a patch's marked pixels that may be left: a patch that still shows a mark says nothing about paint."""
MOST = 0.65
"""Area under the curve that the default method may reach; 0.5 is chance."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Pairs of patches (N, SIDE, SIDE, 3) uint8 of the same places, cleaned and untouched; `screens` (N,) seeds."""

    cleaned: U8
    untouched: U8
    screens: npt.NDArray[np.int64]


@MEASURES.register("cleaned")
def measure_cleaned(quick: bool = False, methods: Sequence[str] | None = None) -> Measurement:
    """Area under the ROC curve of a small net that tells cleaned places from untouched ones, by method.

    The places are painted pixels in the true field of invented screens, `EACH` of a screen. Each is seen twice: in the
    cleaned picture, and in the same picture drawn without marks and compressed alike, blacked out where the other is.
    So neither place nor brightness nor anatomy tells, only what cleaning left. The net learns from some screens and
    judges others, one patch at a time; it is trained anew for each method. Intervals of 95 % draw whole screens.

    Args:
        quick: fewer screens, for a first look: the net then learns little.
        methods: some of `METHODS` that paint; seed, classic and default if none is named.

    Raises:
        ConfigError: no such method, one that paints nothing, or the training failed.
        MissingExtraError: torch is not installed.
    """
    chosen = list(methods or ("seed", "classic", "default"))
    if unknown := set(chosen) - (set(METHODS) - {"none"}):
        raise ConfigError(f"Expected methods of {', '.join(METHODS)} that paint, found {', '.join(sorted(unknown))}.")
    if find_spec("torch") is None:
        raise MissingExtraError("Training a net that looks for cleaned places", "train")
    learned, judged = (QUICK_LEARNED, QUICK_JUDGED) if quick else (LEARNED, JUDGED)
    middle = FIRST_SCREEN + learned
    row: dict[str, dict[str, float]] = {}
    for method in chosen:
        learn = patches(method, range(FIRST_SCREEN, middle))
        judge = patches(method, range(middle, middle + judged))
        scores = _scores(learn, judge)
        row[method] = area(scores[: len(judge.screens)], scores[len(judge.screens) :], judge.screens)
    name = "cleaned places told from untouched ones, area under the curve"
    return Measurement({name: row}, "seed", [Promise(name, row[m]["value"], MOST) for m in ("default",) if m in row])


def patches(method: str, seeds: Sequence[int]) -> Patches:
    """Pairs of the screens of `seeds`, cleaned by a method without its audit."""
    found = [pair for seed in seeds for pair in _pairs(method, seed)]
    if not found:
        raise ConfigError(f"{method} painted nothing on {len(seeds)} screens: there is nothing to tell apart.")
    cleaned, untouched, screens = zip(*found, strict=True)
    return Patches(np.stack(cleaned), np.stack(untouched), np.asarray(screens))


def _pairs(method: str, seed: int) -> Iterator[tuple[U8, U8, int]]:
    case = of_screen(burned_screen(seed, held=True), seed, ("cleaned",))
    answer = METHODS[method](case, False)
    untouched, middles, left = _judged(case, answer)
    half = SIDE // 2
    rows, columns = np.nonzero(middles[half : -half or None, half : -half or None])
    taken = 0
    for n in np.random.default_rng([seed, 7]).permutation(len(rows)):
        window = np.s_[rows[n] : rows[n] + SIDE, columns[n] : columns[n] + SIDE]
        if left[window].sum() > LEFT * max(1, int(case.seen[window].sum())):
            continue
        yield _colour(answer.image[window]), _colour(untouched[window]), seed
        taken += 1
        if taken == EACH:
            return


def _judged(case: Case, answer: Answer) -> tuple[U8, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The picture without marks, as black as the answer; painted pixels of the field; what is left of marks."""
    if case.clean is None or case.field is None:
        raise ValueError("expected a screen whose clean picture and field are known")
    untouched = case.clean.copy()
    untouched[answer.blanked | answer.black] = 0
    removed = (difference(case.image, answer.image) > CHANGED) | answer.painted | answer.blanked
    return untouched, answer.painted & ~answer.black & case.field, case.seen & ~removed


def _colour(part: U8) -> U8:
    return part if part.ndim == 3 else np.repeat(part[..., None], 3, axis=2)


def _scores(learn: Patches, judge: Patches) -> Scores:
    """Scores (2 N,) of patches to judge, the cleaned ones first; learned in a process of its own, which has torch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(
            folder / "patches.npz",
            learn=np.concatenate([learn.cleaned, learn.untouched]),
            answers=np.repeat([True, False], len(learn.screens)),
            judge=np.concatenate([judge.cleaned, judge.untouched]),
        )
        command = [sys.executable, "-m", "ultracurate.train.cleaned", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ConfigError(f"Expected a trained net, found exit code {done.returncode} ({last}). Try --quick.")
        return np.asarray(np.load(folder / "scores.npy", allow_pickle=False), np.float32)


def area(cleaned: Scores, untouched: Scores, screens: npt.NDArray[np.int64]) -> dict[str, float]:
    """Area under the ROC curve with its percentile bootstrap interval over whole screens.

    Args:
        cleaned: (N,), the higher the more a patch looks cleaned.
        untouched: (N,), of the same places.
        screens: (N,), which belong together.

    Returns:
        value, frames (screens), and low and high where there is more than one screen.
    """
    names = np.unique(screens)
    found = {"value": _area(cleaned, untouched), "frames": float(len(names))}
    if len(names) > 1:
        places = [np.flatnonzero(screens == name) for name in names]
        picks = np.random.default_rng(SEED).integers(len(names), size=(DRAWS, len(names)))
        rows = [np.concatenate([places[n] for n in pick]) for pick in picks]
        drawn = [_area(cleaned[each], untouched[each]) for each in rows]
        found["low"], found["high"] = (float(v) for v in np.percentile(drawn, [2.5, 97.5]))
    return found


def _area(above: Scores, below: Scores) -> float:
    """Share of pairs of one from each in which `above` is the larger; a tie is half a pair."""
    ordered = np.sort(below)
    wins = np.searchsorted(ordered, above, side="left") + np.searchsorted(ordered, above, side="right")
    return float(wins.mean() / 2 / len(ordered))
