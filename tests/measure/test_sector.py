from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.media import Region
from ultracurate.imaging.sector import Sector
from ultracurate.measure.sector import Case, compare, draw, score, settled, summary

Array = np.ndarray[Any, Any]


def screen(box: tuple[int, int, int, int], seed: int, lit: int = 220) -> tuple[Array, Array]:
    x0, y0, x1, y1 = box
    image, truth = np.zeros((240, 320), np.uint8), np.zeros((240, 320), np.bool_)
    image[y0:y1, x0:x1] = np.random.default_rng(seed).integers(20, lit, (y1 - y0, x1 - x0))
    truth[y0:y1, x0:x1] = True
    return image, truth


def test_an_answer_is_counted_beside_the_truth() -> None:
    image, truth = screen((40, 20, 240, 220), 1)
    got = compare(
        Case("a box", image, truth, "set"),
        Sector([[(60, 20), (260, 20), (260, 220), (60, 220)]], 0.9, "linear"),
        0.5,
    )
    assert got.cut == pytest.approx(0.1)
    assert got.kept_pixels == 20 * 200
    assert got.kept == pytest.approx(20 * 200 / truth.size)
    assert got.iou == pytest.approx(180 / 220)
    assert summary([got])["ms, median"] == 500


def test_frames_of_a_clip_are_settled_together() -> None:
    cases = []
    for seed in range(4):
        image, truth = screen((40, 20, 260, 220), seed)
        if seed == 3:  # a black frame: alone, nothing of it would be cut
            image[:] = 0
        cases.append(Case(str(seed), image, truth, "set", clip="one"))
    alone, together = score(cases[3]), settled(cases)[3]
    assert alone.found.kind == "unsure"
    assert alone.kept > 0.3
    assert together.found.polygons
    assert together.kept < 0.03


def test_the_areas_of_the_header_bound_the_answer() -> None:
    image, truth = screen((40, 20, 260, 220), 5)
    region = Region((43, 22, 258, 218), "2d", "tissue")
    got = settled([Case("tight", image, truth, "set", (region,))])[0]
    assert got.kept == 0
    assert got.cut == pytest.approx(1 - (215 * 196) / (220 * 200), abs=0.003)


def test_montages_are_written_into_folders_only(tmp_path: Path) -> None:
    image, truth = screen((40, 20, 260, 220), 6)
    case = Case("one", image, truth, "set")
    draw([case], [score(case)], tmp_path / "sheets", "real, test half")
    assert (tmp_path / "sheets" / "real-test-half-00.png").stat().st_size > 1000
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError):
        draw([case], [score(case)], tmp_path / "file", "x")
