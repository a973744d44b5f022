"""Real DICOM files: the pixels that were labelled by hand, regions of real screens, what identifies in them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.decoding.samples import samples_folder
from ultracurate.core.identifying import normal
from ultracurate.decoding.decode import read_frames
from ultracurate.decoding.dicom import cardiac_times, identifying, probe_dicom, technical

pytestmark = pytest.mark.samples
STORE = "pydicom-data/data_store/data"
LOSSY_JPEG = {"sonoque_anechoic-3mm-3mm.dcm", "examples_ybr_color.dcm"}
"""Labelled with another JPEG decoder, whose pixels differ in the last bit."""


@pytest.fixture(scope="module")
def root() -> Path:
    return samples_folder()


def labelled(root: Path) -> list[dict[str, Any]]:
    rows = [row for part in "ab" for row in json.loads((root.parent / "labels" / f"part_{part}.json").read_text())]
    return [row for row in rows if row["path"].endswith(".dcm")]


def test_pixels_are_those_that_were_labelled(root: Path) -> None:
    if not (root.parent / "labels").is_dir():
        pytest.skip("no labels beside the samples")
    same = set()
    for row in labelled(root):
        data = (root / row["path"]).read_bytes()
        ((_, _, image),) = read_frames(data, "dicom", {row["frame"]})
        assert image.shape[:2] == (row["height"], row["width"])
        name = Path(row["path"]).name
        if name not in LOSSY_JPEG:
            assert hashlib.sha256(image.tobytes()).hexdigest() == row["sha256"], name
            same.add((name, row["frame"]))
    # Among them the inverted second frame and the 16-bit palette of segments.
    assert {("OBXXXX1A_2frame.dcm", 0), ("OBXXXX1A_2frame.dcm", 1), ("gdcm-US-ALOKA-16.dcm", 0)} <= same
    assert len(same) == 13


def test_regions_lie_in_the_picture_and_agree_with_the_spacing(root: Path) -> None:
    found = 0
    for path in sorted(root.rglob("*.dcm")):
        info = probe_dicom(path.read_bytes())
        for region in info.regions:
            x0, y0, x1, y1 = region.box
            assert 0 <= x0 < x1 <= info.width
            assert 0 <= y0 < y1 <= info.height
            found += 1
        flat = {(region.spacing_x, region.spacing_y) for region in info.regions if region.spatial == "2d"}
        if len(flat) == 1:
            assert flat == {(info.spacing_x, info.spacing_y)}
    assert found >= 4


def test_nothing_of_a_header_but_technical_values(root: Path) -> None:
    for path in sorted(root.rglob("*.dcm")):
        data = path.read_bytes()
        found, kept = identifying(data), technical(data)
        assert found.headers
        values = [*kept.values(), *asdict(probe_dicom(data)).values()]
        words = {normal(word) for value in values for word in re.split(r"[\W_]+", str(value))}
        assert not words & found.values
        assert all(time_s >= 0 for time_s in cardiac_times(data))
        assert kept.get("Modality") in ("US", None)
