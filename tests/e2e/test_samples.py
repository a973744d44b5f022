"""The recipe `samples` on real files: every file is explained, known copies are found, both readers read the shards."""

from __future__ import annotations

import csv
import gc
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.e2e.lab import call
from ultracurate.core.config import load_recipe
from ultracurate.core.dataset import load_all
from ultracurate.core.parts import read_table
from ultracurate.core.plan import Planner
from ultracurate.core.resources import manifests_dir, recipes_dir
from ultracurate.core.spec import resolve
from ultracurate.core.store import Store
from ultracurate.ontology.tree import Ontology

pytestmark = [pytest.mark.samples, pytest.mark.timeout(900)]

NOT_ULTRASOUND = {
    "data_store/data/JPEG-LL.dcm",
    "src/pydicom/data/test_files/examples_overlay.dcm",
    "TestImages/NrrdSample.igs.nrrd",
    "TestImages/SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed_PatientCropped.igs.mha",
    "Screenshots/TimeSeriesAnnotation_2024-09-26_1.jpg",
}


class Finished:
    """Tables of the finished run."""

    def __init__(self, work: Path, root: Path) -> None:
        self.work, self.root = work, root
        self.store = Store(work)
        recipe = load_recipe(recipes_dir() / "samples.yaml", (), {"samples": str(root)})
        self.spec = resolve(recipe, load_all(manifests_dir()), Ontology.load().stamp)
        self.states = Planner(self.store, self.spec).look()

    def rows(self, stage: str, kind: str = "part") -> list[dict[str, Any]]:
        state = self.states[stage]
        assert state is not None
        have = {"part": "rows", "rejects": "rejects", "errors": "errors"}[kind]
        tables = [read_table(self.store, p.path(kind)) for p in state.done if getattr(p, have)]
        rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist() if tables else []
        return rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    checkout = Path(__file__).resolve().parents[2]
    root = Path(os.environ.get("ULTRACURATE_ROOT_SAMPLES", checkout.parent / "shared" / "samples"))
    if not (root / "index.csv").exists():
        pytest.skip(f"no real samples at {root}; set ULTRACURATE_ROOT_SAMPLES to their folder")
    work = tmp_path_factory.mktemp("samples") / "work"
    done = call("run", "all", "--recipe", "samples", "--work", str(work), "--root", f"samples={root}", "--workers", "2")
    assert done.code == 0, done.err
    return Finished(work, root)


def test_every_file_is_sharded_rejected_or_an_error(run: Finished) -> None:
    files = {row["file_id"]: f"{row['dataset']}:{row['file_name']}" for row in run.rows("download")}
    listed = list(csv.DictReader((run.root / "index.csv").read_text(encoding="utf-8").splitlines()))
    assert len(listed) == 298
    assert len(files) == 298 + 11  # the index leaves out the licence texts
    explained = {row["file_id"] for row in run.rows("index")}
    explained |= {row["parent_id"] for kind in ("rejects", "errors") for row in run.rows("index", kind)}
    assert explained == set(files)
    assert run.rows("index", "errors") == []


def test_samples_and_frames_are_all_accounted_for(run: Finished) -> None:
    samples = {row["sample_id"] for row in run.rows("index")}
    frames = run.rows("frames")
    lost = {row["parent_id"] for kind in ("rejects", "errors") for row in run.rows("frames", kind)}
    assert {row["parent_id"] for row in frames} | lost == samples
    kept = {row["sample_id"] for row in run.rows("shard")}
    dropped = {row["sample_id"] for stage in ("strip", "dedup") for row in run.rows(stage, "rejects")}
    assert kept | dropped == {row["sample_id"] for row in frames}
    assert not kept & dropped


def test_the_five_that_are_no_ultrasound_and_the_masks_stay_out(run: Finished) -> None:
    names = {row["file_id"]: row["file_name"] for row in run.rows("download")}
    rejects = run.rows("index", "rejects")
    assert {names[r["parent_id"]] for r in rejects if r["reason"] == "not_ultrasound"} == NOT_ULTRASOUND
    assert all(r["detail"] for r in rejects if r["reason"] == "not_ultrasound")
    assert Counter(r["dataset"] for r in rejects if r["reason"] == "mask") == {
        "busi": 40,
        "tg3k": 20,
        "usgra": 20,
        "fast_unet": 2,
    }


def test_one_breast_image_with_two_labels_is_reported_as_such(run: Finished) -> None:
    conflicts = [row for row in run.rows("label") if row["label_conflict"]]
    assert [row["dataset"] for row in conflicts] == ["busi"]
    (row,) = conflicts
    members = {"benign (433).png", "malignant (145).png"}
    alias = next(a for a in map(json.loads, row["aliases"]) if a["kind"] == "exact_bytes")
    by_id = {r["sample_id"]: Path(r["path"]).name for r in run.rows("index")}
    assert {by_id[row["parent_id"]], by_id[alias["sample_id"]]} == members
    assert set(row["pathology"]) >= {"benign", "malignant"}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("US1_UNCR.dcm", "US1_J2KR.dcm"), "exact_duplicate_pixels"),
        (("OBXXXX1A.dcm", "OBXXXX1A_rle.dcm"), "exact_duplicate_pixels"),
        (("color-px.dcm", "color-pl.dcm"), "exact_duplicate_pixels"),
        (("standard_0.png", "standard_1.png"), "exact_duplicate_bytes"),
        (("0043.png", "0077.png"), "exact_duplicate_bytes"),
        (("gastroc_range_of_motion_002.png", "example_ultrasound_image4.png"), "exact_duplicate_bytes"),
    ],
)
def test_known_copies_are_found(run: Finished, names: tuple[str, str], reason: str) -> None:
    by_id = {row["sample_id"]: Path(row["path"]).name for row in run.rows("index")}
    if not set(names) <= set(by_id.values()):
        pytest.skip(f"this sample does not hold both of {names}")
    found = {
        frozenset((by_id[r["sample_id"]], by_id[r["detail"].removeprefix("same as ")]))
        for r in run.rows("frames", "rejects")
        if r["reason"] == reason
    }
    assert frozenset(names) in found


def test_black_first_frames_of_clips_are_skipped(run: Finished) -> None:
    black = [r for r in run.rows("frames", "rejects") if r["reason"] == "empty_frame"]
    by_id = {row["sample_id"]: Path(row["path"]).name for row in run.rows("index")}
    assert {by_id[r["parent_id"]] for r in black} == {"patient_26_L3.mp4", "patient_2_L2.mp4", "patient_6_R2.mp4"}
    assert {r["detail"] for r in black} == {"frames 0 to 1"}


def test_a_table_of_the_dataset_reaches_the_labels(run: Finished) -> None:
    lung = [row for row in run.rows("label") if row["dataset"] == "covid_blues"]
    assert lung
    assert all(row["organ"] == ["lung"] for row in lung)
    assert {p for row in lung for p in row["pathology"]} & {"covid19", "lung_healthy"}


def test_no_group_stands_on_two_sides(run: Finished) -> None:
    sides: dict[str, set[str]] = {}
    for row in run.rows("split"):
        sides.setdefault(row["group_id"], set()).add(row["split"])
    assert all(len(side) == 1 for side in sides.values())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset_and_datasets_read_the_shards(run: Finished) -> None:
    import datasets
    import webdataset

    tars = sorted(str(path) for path in (run.work / "shards" / "samples").glob("*.tar"))
    rows = {row["sample_id"]: row for row in run.rows("shard")}
    seen = {}
    for sample in webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode("rgb8"):
        seen[sample["__key__"]] = (sample["png"].shape, sample["json"]["split"])
    gc.collect()  # now, while the warning about its open files is expected
    assert seen.keys() == rows.keys()
    assert all(shape == (256, 256, 3) and side == rows[key]["split"] for key, (shape, side) in seen.items())
    cache = str(run.work / "hf-cache")
    loaded = datasets.load_dataset("webdataset", data_files={"train": tars}, split="train", cache_dir=cache)
    assert {row["__key__"] for row in loaded} == set(rows)
    assert call("validate", "shards", str(run.work / "shards" / "samples")).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_second_run_from_nothing_gives_the_same_tars(run: Finished, tmp_path: Path, workers: int) -> None:
    """Serial, and with other numbers of Dask workers than the two of the first run."""
    other = tmp_path / "again"
    how = ("--workers", str(workers)) if workers else ("--executor", "serial")
    args = ("--recipe", "samples", "--root", f"samples={run.root}", *how, "--work", str(other))
    assert call("run", "all", *args).code == 0
    first, second = ((w / "shards" / "samples" / "SHA256SUMS").read_text() for w in (run.work, other))
    assert second == first
