"""The lines of the table of `measure overlays`: how counts of many frames become one figure and its interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ultracurate.measure._overlay_scores import Score
from ultracurate.measure._overlay_sets import LEAST_FRAMES

Floats = npt.NDArray[np.float64]
Column = list[tuple[str, Score]]
"""All answers of one method to the frames of one group: (cluster, counts)."""

Row = tuple[str, str, dict[str, float]]
"""Name of the line, method, figure."""

DRAWS = 1000
SEED = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: the counts called `key`, taken together as `how` says.

    `how`: `sum`, all frames' counts summed before they are divided; `mean`, `p95`, `max` of the frames' shares;
    `worst`, the smallest `sum` of all keys that begin with `key` and that enough frames have.
    """

    name: str
    key: str
    how: str


_DAMAGE = (
    Line("tissue painted, of the field, mean", "painted tissue", "mean"),
    Line("tissue painted, 95th centile", "painted tissue", "p95"),
    Line("tissue painted, worst", "painted tissue", "max"),
    Line("tissue changed > 8 levels, mean", "changed tissue", "mean"),
    Line("tissue changed, 95th centile", "changed tissue", "p95"),
    Line("field lost, mean", "lost", "mean"),
    Line("field lost, 95th centile", "lost", "p95"),
    Line("field lost, worst", "lost", "max"),
    Line("screen kept, of all around the field", "kept", "sum"),
)
_VERDICTS = (Line("frames quarantined", "quarantined", "mean"), Line("frames flagged", "flagged", "mean"))
_MARKS = (
    Line("pixels on the field removed", "pixels", "sum"),
    Line("pixels removed, worst kind", "pixels ", "worst"),
    Line("marks on the field removed", "field marks", "sum"),
    Line("marks removed, worst kind", "field marks ", "worst"),
    Line("all marks removed", "marks", "sum"),
    Line("pixels around the field removed", "pixels outside", "sum"),
    Line("precision of what is painted (3 px)", "precision", "sum"),
    Line("IoU of what is painted, strict", "iou", "sum"),
)
_STRINGS = (
    Line("strings left, patient", "strings patient", "sum"),
    Line("strings left, screen", "strings ui", "sum"),
    Line("strings left, on the field", "strings in_sector", "sum"),
    Line("strings left, all", "strings", "sum"),
    Line("strings left on frames not quarantined", "strings passed", "sum"),
)
_FIDELITY = (
    Line("PSNR under thin marks, dB", "psnr", "mean"),
    Line("SSIM under thin marks", "ssim", "mean"),
)
_COLOUR = (Line("colour erased, mean of frames", "flow", "mean"), Line("colour erased, worst", "flow", "max"))

LINES: dict[str, tuple[Line, ...]] = {
    "synth": (*_MARKS, *_STRINGS, *_DAMAGE, *_FIDELITY, *_VERDICTS),
    "real": (*_MARKS, *_STRINGS, *_DAMAGE, *_VERDICTS),
    "clean": (*_DAMAGE, *_VERDICTS),
    "colour": (*_COLOUR, *_DAMAGE[:3], *_VERDICTS),
}
"""First word of a group -> its lines."""


def figure(column: Column, line: Line, least: int = LEAST_FRAMES) -> dict[str, float] | None:
    """The figure of a line with its 95 % interval, or nothing where no frame has it.

    The interval is the percentile bootstrap (Efron, 1979, doi:10.1214/aos/1176344552) over whole clusters: frames of
    one dataset are no independent witnesses. Extremes have none.

    Args:
        column: answers of one method.
        line: what to make of them.
        least: frames that a kind needs to be called the worst.

    Returns:
        value, frames, and low and high where there is more than one cluster.
    """
    if line.how == "worst":
        return _worst(column, line.key, least)
    counts = [(cluster, score[line.key]) for cluster, score in column if line.key in score]
    if not counts:
        return None
    done, of = np.asarray([pair for _, pair in counts], np.float64).T
    found = {"value": _value(done, of, line.how), "frames": float(len(counts))}
    members = np.unique([cluster for cluster, _ in counts], return_inverse=True)[1]
    if members.max() > 0 and line.how != "max":
        drawn = _draws(done, of, members, line.how)
        found["low"], found["high"] = (float(v) for v in np.percentile(drawn, [2.5, 97.5]))
    return found


def _value(done: Floats, of: Floats, how: str) -> float:
    if how == "sum":
        return float(done.sum() / of.sum())
    if how == "mean":
        return float((done / of).mean())
    return float(np.percentile(done / of, 95 if how == "p95" else 100))


def _draws(done: Floats, of: Floats, members: npt.NDArray[np.intp], how: str) -> Floats:
    """The value of `DRAWS` samples of clusters, each as many as there are, with replacement."""
    clusters = int(members.max()) + 1
    picks = np.random.default_rng(SEED).integers(clusters, size=(DRAWS, clusters))
    if how == "p95":
        shares = done / of
        if clusters == len(shares):
            return np.asarray(np.percentile(shares[np.argsort(members)][picks], 95, axis=1))
        places = [np.flatnonzero(members == n) for n in range(clusters)]
        return np.asarray([np.percentile(shares[np.concatenate([places[n] for n in p])], 95) for p in picks])
    above, below = (done, of) if how == "sum" else (done / of, np.ones_like(of))
    tops, bottoms = np.bincount(members, above), np.bincount(members, below)
    return np.asarray(tops[picks].sum(axis=1) / bottoms[picks].sum(axis=1))


def by_kind(column: Column, prefix: str) -> dict[str, tuple[float, int]]:
    """Share and number of frames of every key that begins with `prefix`, by the rest of the key."""
    counts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _, score in column:
        for key, pair in score.items():
            if key.startswith(prefix) and key != "pixels outside":
                counts[key.removeprefix(prefix)].append(pair)
    return {kind: (sum(d for d, _ in c) / sum(n for _, n in c), len(c)) for kind, c in sorted(counts.items())}


def _worst(column: Column, prefix: str, least: int) -> dict[str, float] | None:
    enough = [(share, frames) for share, frames in by_kind(column, prefix).values() if frames >= least]
    return None if not enough else {"value": min(enough)[0], "frames": float(min(enough)[1])}


def rows(
    columns: dict[tuple[str, str], Column], methods: Sequence[str], least: int
) -> Iterable[tuple[str, str, dict[str, float]]]:
    """Every figure, in the order of groups and lines, kinds last."""
    for group in dict.fromkeys(group for group, _ in columns):
        lines = list(LINES[group.split(",")[0]])
        for line in lines:
            for method in methods:
                if found := figure(columns[group, method], line, least):
                    yield f"{group}: {line.name}", method, found
        if "pixels " not in {line.key for line in lines}:
            continue
        for prefix, what in (("pixels ", "pixels"), ("field marks ", "marks")):
            for method in methods:
                for kind, (share, frames) in by_kind(columns[group, method], prefix).items():
                    yield f"{group}: {what} removed, {kind}", method, {"value": share, "frames": float(frames)}
