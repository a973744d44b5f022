"""What reaches strip besides pixels: regions of a DICOM header, which only vote, and the versions of what it uses."""

from __future__ import annotations

import json
import os
import stat
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.sequence import Sequence

from tests.decoding.samples import samples_folder
from tests.stages.bench import Bench, manifest, picture, png, resolved, run_folder
from tests.stages.test_strip import hand_made, pixels, stripped
from ultracurate.core.stage import Row, pipeline
from ultracurate.core.store import Store
from ultracurate.decoding.media import Region
from ultracurate.imaging.cleaning import Bit, clean
from ultracurate.imaging.constancy import grey_levels
from ultracurate.phantom.dicom_files import encode, region
from ultracurate.phantom.frame import make_frame
from ultracurate.stages import _strip
from ultracurate.stages._sample import regions_of
from ultracurate.stages._strip import PAINTED_BIT, net_digest, versions

KEEP = {"index": {"keep_foreign": True}, "frames": {"keep_foreign": True}}
HIGH, WIDE = 240, 320
HALF = region((0, 0, WIDE // 2, HIGH), 0.2)
FULL = {"field": "[]", "field_kind": "full", "field_confidence": 0.9}


def dim(seed: int) -> np.ndarray:
    """A grey screen whose marks are so dark that not all of them are beyond doubt."""
    screen = make_frame("thyroid", "linear", "atlas", seed, (HIGH, WIDE), ("caliper", "insector_text")).image
    return np.asarray(grey_levels(screen) * 0.45, np.uint8)


def bare(seed: int) -> np.ndarray:
    """Speckle without any mark."""
    noise = np.random.default_rng(seed).integers(0, 160, (HIGH, WIDE)).astype(np.float32)
    return np.asarray(np.clip(1.5 * cv2.GaussianBlur(noise, (0, 0), 1.6) - 70, 0, 255), np.uint8)


def framed(bench: Bench, data: bytes, name: str) -> list[Row]:
    """A file as `index` and `frames` hand it on."""
    indexed, ctx = bench.call("index", [bench.put(name, data)])
    assert not ctx.errors
    taken, ctx = bench.call("frames", indexed.rows.to_pylist())
    assert not ctx.errors
    rows: list[Row] = taken.rows.to_pylist()
    return rows


def painted(bench: Bench, rows: list[Row]) -> tuple[list[Row], list[np.ndarray]]:
    result, ctx = bench.call("strip", rows)
    found = result.rows.to_pylist()
    assert not ctx.errors
    return found, [pixels(ctx, row, "mask") for row in found]


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The evidence that strip hands to `clean`, which runs as always."""
    handed: list[Any] = []

    def noted(image: Any, sector: Any, **options: Any) -> Any:
        handed.append(options["evidence"])
        return clean(image, sector, **options)

    monkeypatch.setattr("ultracurate.imaging.cleaning.clean", noted)
    return handed


@pytest.mark.parametrize("frames", [1, 3])
def test_the_regions_of_a_header_reach_every_frame_and_only_vote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    screens = np.stack([bare(seed) for seed in (5, 11, 12)[:frames]])
    bench = Bench(tmp_path, stages=hand_made("default") | KEEP)
    rows = framed(bench, encode(screens, SequenceOfUltrasoundRegions=Sequence([HALF]), FrameTime="500"), "a.dcm")
    assert len(rows) == frames
    assert {regions_of(row) for row in rows} == {(Region((0, 0, WIDE // 2, HIGH), "2d", "tissue", 0.2, 0.2),)}
    handed = watched(monkeypatch)
    _, heard = painted(bench, [row | FULL for row in rows])
    assert len(handed) == len(heard) == frames
    for evidence, mask in zip(handed, heard, strict=True):
        votes = evidence.votes((HIGH, WIDE))
        assert (votes[:, WIDE // 2 :].all(), votes[:, : WIDE // 2].any()) == (True, False)
        assert not (mask & Bit.OUTSIDE).any(), "a region blanks nothing"
        assert (mask & PAINTED_BIT > 0)[:, WIDE // 2 :].mean() < 0.02, "and tissue beside it stays"


def test_rules_take_no_region_for_proof(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=hand_made("classic") | KEEP)
    (row,) = framed(bench, encode(dim(5)[None], SequenceOfUltrasoundRegions=Sequence([HALF])), "a.dcm")
    (_, (heard,)), (_, (unheard,)) = painted(bench, [row | FULL]), painted(bench, [row | FULL | {"regions": None}])
    assert np.array_equal(heard, unheard)


def test_what_is_no_dicom_file_has_no_regions(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=KEEP)
    (row,) = framed(bench, png(picture(1, 96, 128)), "a.png")
    assert row["regions"] is None
    assert regions_of(row) == ()


REAL = (
    ("pydicom-data/data_store/data/OBXXXX1A.dcm", [(120, 60, 800, 519), (176, 522, 744, 577)]),
    ("pydicom/src/pydicom/data/test_files/examples_ybr_color.dcm", [(84, 31, 320, 240)]),
)


@pytest.mark.samples
@pytest.mark.parametrize(("name", "boxes"), REAL, ids=["still", "clip"])
def test_regions_of_real_files_reach_strip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, boxes: list[tuple[int, int, int, int]]
) -> None:
    bench = Bench(tmp_path, stages=hand_made("default") | KEEP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydicom, about words in the headers
        rows = framed(bench, (samples_folder() / name).read_bytes(), "a.dcm")
    handed = watched(monkeypatch)
    painted(bench, rows[:2])
    assert handed
    for evidence, row in zip(handed, rows[:2], strict=True):
        assert [area.box for area in evidence.regions] == boxes
        assert evidence.votes((row["height"], row["width"])).any()


def test_versions_name_what_each_method_uses() -> None:
    assert versions("none", audit=True, ocr=True) == {}
    assert versions("classic", audit=False, ocr=True) == {}
    assert versions("seed", audit=True, ocr=False) == {}
    assert versions("default", audit=False, ocr=True).keys() == {"onnxruntime", "net"}
    assert {"tesseract", "pytesseract"} <= versions("seed", audit=True, ocr=True).keys()
    assert "audit" in versions("classic", audit=True, ocr=False)
    assert versions("default", audit=True, ocr=False).keys() >= {"audit", "onnxruntime", "net"}


def stand_in(folder: Path, version: str, model: bytes) -> None:
    """A program that says it is tesseract, with a model of its own."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "eng.traineddata").write_bytes(model)
    program = folder / "tesseract"
    words = f'echo "tesseract {version}"', f'echo "List of available languages in \\"{folder}/models/\\" (1):"'
    program.write_text(f'#!/bin/sh\nif [ "$1" = "--version" ]; then {words[0]}; else {words[1]}; fi\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_another_program_or_model_makes_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, stage = resolved(manifest(), stages={"strip": {"method": "seed"}}), pipeline().get("strip")
    found = []
    for place, (version, model) in enumerate((("5.3.0", b"one"), ("5.3.4", b"one"), ("5.3.4", b"two"))):
        folder = tmp_path / str(place)
        stand_in(folder, version, model)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        line = spec.line(stage)
        assert line["versions"]["tesseract"] == version
        found.append((spec.fingerprints([stage])["strip"], line["versions"]["eng"]))
    assert len({fingerprint for fingerprint, _ in found}) == 3
    assert found[0][1] == found[1][1] != found[2][1]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert spec.line(stage)["versions"]["tesseract"] == "none"


def test_a_program_that_fails_or_says_nothing_stops_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesseract"
    monkeypatch.setenv("PATH", str(tmp_path))
    for content in ("#!/bin/sh\nexit 3\n", "not a program"):
        program.write_text(content)
        program.chmod(0o755)
        assert _strip.program()["tesseract"] == "none"


def test_the_weights_of_every_net_count(tmp_path: Path) -> None:
    assert len(versions("default", audit=False, ocr=False)["net"]) == 16
    assert net_digest(tmp_path) == "none"
    found = []
    for name, content in (("overlay-a.onnx", b"1"), ("overlay-b.onnx", b"1"), ("overlay-a.onnx", b"2")):
        (tmp_path / name).write_bytes(content)
        found.append(net_digest(tmp_path))
    assert len({*found, "none"}) == 4
    (tmp_path / "__init__.py").write_bytes(b"3")
    assert net_digest(tmp_path) == found[-1]


def test_the_seed_method_says_who_read(tmp_path: Path) -> None:
    pytest.importorskip("pytesseract")
    small = picture(3, 40, 60)
    (row,), _ = stripped(Bench(tmp_path / "read", stages={"strip": {"method": "seed"}}), small)
    (unread,), _ = stripped(Bench(tmp_path / "unread", stages={"strip": {"method": "seed", "ocr": False}}), small)
    assert row["strip_ocr"] == f"tesseract {_strip.program()['tesseract']}"
    assert unread["strip_ocr"] is None


def test_the_ledger_holds_the_settled_field_and_the_method_asked_for(tmp_path: Path) -> None:
    known = {"field": "[[[20, 10], [300, 10], [300, 230], [20, 230]]]", "field_kind": "linear"}
    (row,), _ = stripped(Bench(tmp_path, stages=hand_made("default")), dim(5), **known, field_confidence=0.75)
    assert (row["sector_kind"], row["sector_confidence"], row["strip_asked"]) == ("linear", 0.75, "default")


def test_a_run_keeps_the_versions_beside_its_parts(tmp_path: Path) -> None:
    (tmp_path / "data" / "toy").mkdir(parents=True)
    (tmp_path / "data" / "toy" / "a.png").write_bytes(png(picture(3, 96, 128)))
    stages = hand_made("default", audit=False) | KEEP
    spec = resolved(manifest(), roots={"toy": str(tmp_path / "data")}, stages=stages)
    run_folder(tmp_path / "work", spec, "strip")
    store = Store(tmp_path / "work")
    (folder,) = store.names("strip")
    assert json.loads(store.read(f"strip/{folder}/settings.json"))["versions"] == versions(
        "default", audit=False, ocr=True
    )
    (name,) = store.names(f"strip/{folder}/runs")
    assert "onnxruntime" in json.loads(store.read(f"strip/{folder}/runs/{name}"))["environment"]
