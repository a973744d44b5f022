"""The pictures that methods are measured on, and the whole measurement in its quick form."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.decode import encode_png
from ultracurate.measure import MEASURES
from ultracurate.measure._overlay_methods import METHODS
from ultracurate.measure._overlay_scores import score
from ultracurate.measure._overlay_sets import FIRST_SCREEN, cases, of_row, of_screen, real, runs_to_mask
from ultracurate.measure._overlay_table import LINES, figure
from ultracurate.measure.overlays import measure_overlays
from ultracurate.phantom.burned import burned_screen


def row(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "dataset": "d", "path": "a.png", "frame": 0, "size": [40, 30], "sha256": "", "half": "test", "clean": False,
        "note": "", "flow": [],
        "items": [
            {"type": "caliper", "box": [10, 10, 12, 12], "in_sector": True, "text": "+", "mask_rle": [0, 3, 1]},
            {"type": "patient_text", "box": [0, 0, 30, 5], "in_sector": False, "text": "<redacted>"},
        ],
    }  # fmt: skip
    return made | changes


def test_a_quick_look_takes_twelve_screens_six_clean_and_three_coloured_ones() -> None:
    found = list(cases(("synth", "clean", "colour"), True, None, None))
    groups = Counter(case.groups[0].split(",")[0] for case in found)
    assert groups == {"synth": 12, "clean": 6, "colour": 3}
    for case in found:
        if case.groups[0] == "clean, phantom":
            assert not case.truth.any()
        if case.groups[0] == "colour, flow phantom":
            assert case.flow.any()


def test_masks_of_a_screen_are_those_of_its_items() -> None:
    burned = burned_screen(FIRST_SCREEN, held=True)
    case = of_screen(burned, FIRST_SCREEN, ("synth",))
    assert (case.truth == burned.mask).all()
    assert case.field is not None
    assert (case.field == np.logical_or.reduce(burned.fields)).all()
    assert not case.loose.any()


def test_black_paint_hides_nothing_more_and_is_no_mark() -> None:
    for seed in range(FIRST_SCREEN, FIRST_SCREEN + 300):
        burned = burned_screen(seed, held=True)
        paint = [item for item in burned.items if item.kind == "redaction_paint"]
        if not paint:
            continue
        x0, y0, x1, y1 = paint[0].box
        burned.image[y0:y1, x0:x1] = 0
        marks = of_screen(burned, seed, ("synth",)).marks
        assert len([m for m in marks if m.kind == "redaction_paint"]) < len(paint)
        return
    pytest.fail("no screen holds redaction paint")


def test_a_hand_marked_row_becomes_a_case() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[20:24, 20:24, 0] = 100
    case = of_row(row(flow=[[18, 18, 30, 30]]), image, [[(0, 8), (40, 8), (40, 30), (0, 30)]], ("real, test half",))
    assert np.count_nonzero(case.truth) == 3
    assert case.field is not None
    assert np.count_nonzero(case.field) == 40 * 22
    assert case.loose[0:8, 0:33].all()
    assert case.loose[2:20, 2:19].all()  # eight pixels around the caliper's strokes
    assert not case.loose[20:].any()
    assert np.count_nonzero(case.flow) == 16
    assert [(mark.group, mark.text) for mark in case.marks] == [(None, None), ("patient", "")]


def test_runs_must_fill_their_box() -> None:
    assert runs_to_mask([1, 2, 3], (2, 3)).tolist() == [[False, True, True], [False, False, False]]
    with pytest.raises(ConfigError, match="found 5 pixels"):
        runs_to_mask([1, 4], (2, 3))


def files(folder: Path, rows: list[dict[str, Any]]) -> tuple[Path, Path]:
    for each in rows:
        (folder / each["path"]).write_bytes(encode_png(np.full((30, 40, 3), 50, np.uint8)))
    (folder / "overlays.json").write_text(json.dumps(rows), encoding="utf-8")
    fields = [{"path": rows[0]["path"], "frame": 0, "fields": [[[0, 0], [40, 0], [40, 30], [0, 30]]]}]
    (folder / "sectors.json").write_text(json.dumps(fields), encoding="utf-8")
    return folder, folder


def test_a_frame_of_two_sets_comes_once(tmp_path: Path) -> None:
    folders = files(tmp_path, [row(clean=True, items=[]), row(path="b.png", half="train", flow=[[0, 0, 5, 5]])])
    found = list(real(*folders, ("real", "clean", "colour"), 1))
    assert [case.groups for case in found] == [
        ("real, test half", "clean, real test half"),
        ("real, train half", "colour, real train half"),
    ]
    assert [case.field is not None for case in found] == [True, False]


def test_unknown_sets_methods_and_missing_frames_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match="synth, real, clean, colour"):
        list(cases(("real", "sythn"), True, None, None))
    with pytest.raises(ConfigError, match="ULTRACURATE_ROOT_SAMPLES"):
        list(cases(("real",), False, None, None))
    with pytest.raises(ConfigError, match="perfect"):
        MEASURES.get("overlays")(quick=True, methods=["prefect"])


FLOORS = {"pixels on the field removed": 0.7, "all marks removed": 0.7, "precision of what is painted (3 px)": 0.75}
CEILINGS = {
    "tissue painted, of the field, mean": 0.01,
    "tissue changed > 8 levels, mean": 0.01,
    "field lost, mean": 0.01,
    "screen kept, of all around the field": 0.1,
}
"""Of four screens: far from the goals of `overlays.MUST`, so that only what breaks falls through."""


def test_the_default_method_has_not_broken() -> None:
    first = islice(cases(("synth",), True, None, None), 4)
    column = [(case.cluster, score(case, METHODS["default"](case, False))) for case in first]
    found = {line.name: figure(column, line, 1) for line in LINES["synth"]}
    for name, bound in (FLOORS | CEILINGS).items():
        line = found[name]
        assert line is not None
        assert line["value"] >= bound if name in FLOORS else line["value"] <= bound, f"{name}: {line['value']:.4f}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_quick_measurement_holds_all_methods_and_no_word_of_any_screen() -> None:
    found = measure_overlays(quick=True)
    plain = json.dumps(found.plain())
    line = found.figures["synth: pixels on the field removed"]
    assert line["none"]["value"] == 0
    assert line["perfect"]["value"] == 1
    assert 0 < line["seed"]["value"] < line["default"]["value"]
    assert found.figures["colour, tinted phantom: tissue painted, of the field, mean"]["seed"]["value"] > 0.5
    assert {promise.name for promise in found.must} >= {"synth: field lost, mean"}
    for case in cases(("synth",), True, None, None):
        assert not any(mark.text and len(mark.text) > 5 and mark.text in plain for mark in case.marks)
