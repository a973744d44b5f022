"""How counts of frames become figures."""

from __future__ import annotations

import numpy as np
import pytest

from ultracurate.measure._overlay_scores import Score
from ultracurate.measure._overlay_table import LINES, Column, Line, figure, rows
from ultracurate.measure.overlays import MUST, MUST_NOT, promises


def column(*pairs: tuple[float, float], clusters: str = "") -> Column:
    return [(clusters[i] if clusters else str(i), {"lost": pair}) for i, pair in enumerate(pairs)]


def value(found: Column, how: str) -> float:
    line = figure(found, Line("", "lost", how))
    assert line is not None
    return line["value"]


def test_shares_are_summed_or_averaged_as_the_line_says() -> None:
    frames = column((0, 100), (10, 10), (50, 100))
    assert value(frames, "sum") == pytest.approx(60 / 210)
    assert value(frames, "mean") == pytest.approx(0.5)
    assert value(frames, "max") == 1.0
    assert value(column(*[(n, 100) for n in range(101)]), "p95") == pytest.approx(0.95)


def test_frames_that_lack_a_count_are_left_out() -> None:
    frames = [*column((1, 2)), ("x", {"kept": (1.0, 1.0)})]
    assert figure(frames, Line("", "lost", "mean")) == {"value": 0.5, "frames": 1.0}
    assert figure(frames, Line("", "flow", "mean")) is None


def test_the_interval_draws_whole_clusters() -> None:
    rng = np.random.default_rng(1)
    pairs = [(float(v), 1.0) for v in np.repeat(rng.random(5), 20)]
    alone = figure(column(*pairs), Line("", "lost", "mean"))
    together = figure(column(*pairs, clusters="".join(c * 20 for c in "abcde")), Line("", "lost", "mean"))
    assert alone is not None
    assert together is not None
    assert alone["value"] == together["value"]
    assert alone["low"] < alone["value"] < alone["high"]
    assert together["high"] - together["low"] > 2.5 * (alone["high"] - alone["low"])
    assert figure(column(*pairs), Line("", "lost", "mean")) == alone


def test_one_cluster_and_extremes_have_no_interval() -> None:
    for how, clusters in (("mean", "aaa"), ("max", "abc")):
        found = figure(column((1, 4), (2, 4), (3, 4), clusters=clusters), Line("", "lost", how))
        assert found is not None
        assert "low" not in found


def test_the_worst_kind_is_one_that_enough_frames_have() -> None:
    frames: Column = [(str(n), {"pixels caliper": (8.0, 10.0), "pixels outside": (0.0, 10.0)}) for n in range(15)]
    frames += [("z", {"pixels ecg": (1.0, 10.0)})]
    assert figure(frames, Line("", "pixels ", "worst")) == {"value": 0.8, "frames": 15.0}
    assert figure(frames, Line("", "pixels ", "worst"), least=1) == {"value": 0.1, "frames": 1.0}
    assert figure(frames[-1:], Line("", "pixels ", "worst")) is None


def test_methods_stand_side_by_side_and_kinds_come_last() -> None:
    one: Score = {"pixels": (1.0, 2.0), "pixels caliper": (1.0, 2.0), "field marks": (1.0, 1.0)}
    table = {("synth", name): [("a", one)] for name in ("seed", "default")}
    found = list(rows(table, ("seed", "default"), 1))
    assert [(name, method) for name, method, _ in found if name == "synth: pixels on the field removed"] == [
        ("synth: pixels on the field removed", "seed"),
        ("synth: pixels on the field removed", "default"),
    ]
    assert found[-1][0] == "synth: pixels removed, caliper"


def test_every_promise_is_a_line_of_the_table_or_a_time() -> None:
    known = {f"{group}: {line.name}" for group in ("synth", "real, test half", "clean, real test half",
             "colour, flow phantom", "colour, real test half", "colour, tinted phantom")
             for line in LINES[group.split(",")[0]]}  # fmt: skip
    for name, _ in MUST + MUST_NOT:
        assert name in known or name.startswith("ms of an 800 x 600 screen")


def test_promises_are_the_default_methods_own() -> None:
    name, bound = MUST[0]
    figures = {
        name: {"seed": {"value": 1.0}, "default": {"value": bound - 0.1}},
        MUST_NOT[1][0]: {"seed": {"value": 0.0}},
    }
    (short,) = promises(figures)
    assert (short.name, short.bound) == (f"{bound:g} - {name}", 0.0)
    assert short.value == pytest.approx(0.1)
    assert not short.met
    assert promises({name: {"default": {"value": bound}}})[0].met
