"""How well methods remove what is burned in, and what they do to tissue: all methods side by side, in one run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import data_root
from ultracurate.decoding.levels import U8
from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.measure._overlay_methods import AUDITED, METHODS, notes
from ultracurate.measure._overlay_scores import score
from ultracurate.measure._overlay_sets import FIRST_SCREEN, LEAST_FRAMES, SETS, Case, cases
from ultracurate.measure._overlay_strings import missing
from ultracurate.measure._overlay_table import Column, rows
from ultracurate.phantom.burned import burned_screen

SAMPLES = "ULTRACURATE_ROOT_SAMPLES"

Figures = dict[str, dict[str, dict[str, float]]]
"""Row of the table -> method -> value, frames, low, high."""

SETS_QUICK = ("synth", "clean", "colour")
"""What a quick look takes if no set is named: it needs no picture that the project does not draw itself."""
TIMED, QUICK_TIMED = 20, 3
DEFAULT = "default"

MUST: tuple[tuple[str, float], ...] = (
    ("synth: pixels on the field removed", 0.95),
    ("synth: pixels removed, worst kind", 0.88),
    ("synth: precision of what is painted (3 px)", 0.95),
    ("synth: PSNR under thin marks, dB", 22.0),
    ("real, test half: marks on the field removed", 0.96),
)
"""At least this, by the default method."""

MUST_NOT: tuple[tuple[str, float], ...] = (
    ("synth: strings left, patient", 0.0),
    ("synth: strings left, screen", 0.005),
    ("synth: strings left, on the field", 0.02),
    ("real, test half: strings left, all", 0.02),
    ("synth: tissue painted, of the field, mean", 0.0005),
    ("synth: tissue painted, 95th centile", 0.002),
    ("clean, real test half: tissue painted, of the field, mean", 0.0008),
    ("clean, real test half: tissue painted, worst", 0.008),
    ("synth: field lost, mean", 0.003),
    ("synth: field lost, worst", 0.02),
    ("real, test half: field lost, mean", 0.005),
    ("real, test half: field lost, 95th centile", 0.02),
    ("real, test half: tissue changed > 8 levels, mean", 0.006),
    ("real, test half: tissue changed, 95th centile", 0.02),
    ("colour, flow phantom: colour erased, mean of frames", 0.005),
    ("colour, real test half: colour erased, mean of frames", 0.05),
    ("colour, tinted phantom: tissue painted, of the field, mean", 0.004),
    ("ms of an 800 x 600 screen, without audit, median", 170.0),
    ("ms of an 800 x 600 screen, with audit, median", 280.0),
)
"""At most this, by the default method."""


@MEASURES.register("overlays")
def measure_overlays(
    quick: bool = False, sets: Sequence[str] | None = None, methods: Sequence[str] | None = None
) -> Measurement:
    """Clean pictures whose marks are known by every method, and compare; shares are of 1, intervals 95 %.

    What is counted is said at `_overlay_scores.score`, how counts of frames are taken together at
    `_overlay_table.Line`. Every frame is judged on its own, without the votes of its dataset or clip.

    Args:
        quick: 12 screens, 6 clean and 3 coloured ones.
        sets: some of synth, real, clean, colour; all where none is named. Real frames need their folder.
        methods: some of `METHODS`; all where none is named.

    Raises:
        ConfigError: no such set or method.
    """
    chosen = list(methods or METHODS)
    if unknown := set(chosen) - set(METHODS):
        raise ConfigError(f"Expected methods of {', '.join(METHODS)}, found {', '.join(sorted(unknown))}.")
    columns: dict[tuple[str, str], Column] = {}
    for case in cases(sets or (SETS_QUICK if quick else SETS), quick, *_folders()):
        for method in chosen:
            counts = score(case, METHODS[method](case, True))
            for group in case.groups:
                columns.setdefault((group, method), []).append((case.cluster, counts))
    figures: Figures = {}
    for name, method, found in rows(columns, chosen, 1 if quick else LEAST_FRAMES):
        figures.setdefault(name, {})[method] = found
    for name, method, found in speed(chosen, QUICK_TIMED if quick else TIMED):
        figures.setdefault(name, {})[method] = found
    plain: dict[str, Any] = dict(figures)
    plain |= {"not measured": lines} if (lines := notes(chosen) + missing()) else {}
    return Measurement(plain, "seed", promises(figures))


def _folders() -> tuple[Path | None, Path | None]:
    """Where the hand-made labels and the pictures they belong to are."""
    labels = data_root() / "tests" / "labels"
    samples = Path(os.environ.get(SAMPLES, data_root().parent / "shared" / "samples"))
    there = (labels / "overlays.json").is_file() and samples.is_dir()
    return (labels, samples) if there else (None, None)


def promises(figures: Figures, method: str = DEFAULT) -> list[Promise]:
    """What the default method must keep, of what was measured; of a least value, how far it falls short."""
    must = [
        Promise(name, row[method]["value"], bound)
        for name, bound in MUST_NOT
        if method in (row := figures.get(name, {}))
    ]
    for name, bound in MUST:
        if method in (row := figures.get(name, {})):
            must.append(Promise(f"{bound:g} - {name}", bound - row[method]["value"], 0.0))
    return must


def speed(methods: Sequence[str], count: int) -> list[tuple[str, str, dict[str, float]]]:
    """CPU milliseconds of screens of 800 x 600, in all and by stage: median and 95th centile."""
    found = []
    timed = [_sized(seed) for seed in range(FIRST_SCREEN, FIRST_SCREEN + count)]
    for method in methods:
        taken = [METHODS[method](case, False).seconds for case in timed]
        if not taken[0]:
            continue
        stages = {stage: np.asarray([seconds[stage] for seconds in taken]) for stage in taken[0]}
        whole = {"without audit": sum(stages.values())}
        if method in AUDITED:
            whole["with audit"] = _audited(method, timed)
        for stage, seconds in (whole | stages).items():
            for what, value in (("median", np.median(seconds)), ("95th centile", np.percentile(seconds, 95))):
                name = f"ms of an 800 x 600 screen, {stage}, {what}"
                found.append((name, method, {"value": 1000 * float(value), "frames": float(count)}))
    return found


def _audited(method: str, timed: Sequence[Case]) -> npt.NDArray[np.float64]:
    return np.asarray([sum(METHODS[method](case, True).seconds.values()) for case in timed])


def _sized(seed: int) -> Case:
    """A screen of 800 x 600; its truth is not asked for."""
    burned = burned_screen(seed, held=True, size=(600, 800))
    image: U8 = np.asarray(cv2.resize(burned.image, (800, 600), interpolation=cv2.INTER_AREA), np.uint8)
    nothing = np.zeros((600, 800), np.bool_)
    return Case(("speed",), "", image, None, (), None, nothing)
