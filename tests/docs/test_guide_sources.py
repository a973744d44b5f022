from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.docs.pages import ROOT, blocks
from ultracurate.cli import app
from ultracurate.core.dataset import load_all
from ultracurate.core.resources import manifests_dir
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

PAGE = "guide-sources.md"
QUERY = "thyroid ultrasound"


def packed(names: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x" * 2000)
    return out.getvalue()


def pictures(folder: str, count: int, seed: int) -> tuple[HostFile, ...]:
    return tuple(HostFile(f"{folder}/case_{n:03d}.png", Blob(180_000 + n, seed + n)) for n in range(count))


OUTLINES = (
    HostFile("images.zip", packed([f"images/p{n:03d}.png" for n in range(120)])),
    HostFile("readme.pdf", b"%PDF-1.4 " + b"a" * 3000),
)
DICOM = (HostFile("dicom.zip", packed([f"dicom/p{n:03d}.dcm" for n in range(60)])),)
CLIPS = tuple(HostFile(f"v{n:02d}.mp4", Blob(2_000_000 + n, 7000 + n)) for n in range(40))
RECORDS = [
    HostRecord(
        "zenodo",
        "9300001",
        "Thyroid nodule ultrasound images with expert outlines",
        "B-mode ultrasound stills of 120 patients with thyroid nodules, and masks drawn by two radiologists.",
        ("ultrasound", "thyroid"),
        files=OUTLINES,
    ),
    HostRecord(
        "zenodo",
        "9300002",
        "Neck ultrasound clips of the carotid artery",
        "Ultrasound video clips of the carotid artery, 40 volunteers.",
        ("ultrasound",),
        "CC-BY-NC-4.0",
        files=CLIPS,
    ),
    HostRecord(
        "zenodo",
        "9300003",
        "Thyroid ultrasound: questionnaire of 300 sonographers",
        "Answers to a questionnaire on thyroid ultrasound training.",
        ("survey",),
        files=(HostFile("answers.csv", b"id,answer\n" * 30),),
    ),
    HostRecord(
        "zenodo",
        "9300004",
        "Thyroid ultrasound images of a children's hospital",
        "Ultrasound images of the thyroid; on request.",
        ("ultrasound",),
        access="restricted",
        files=(HostFile("images.zip", packed(["a.png"])),),
    ),
    HostRecord(
        "zenodo",
        "9300005",
        "Ultrasound sonication of graphene: thickness spectra",
        "Raman spectra after ultrasound sonication in thyroid-shaped vessels.",
        ("graphene",),
        files=(HostFile("spectra.csv", b"1,2\n" * 40),),
    ),
    HostRecord(
        "zenodo",
        "9300006",
        "Where our thyroid ultrasound images are",
        "The B-mode ultrasound images of the thyroid are at https://data.mendeley.com/datasets/abc123def4/1",
        ("ultrasound", "thyroid"),
        files=(HostFile("README.txt", b"see the link\n"),),
    ),
    HostRecord(
        "kaggle",
        "owlworks/thyroid-nodule-ultrasound",
        "Thyroid nodule ultrasound",
        "B-mode ultrasound images of thyroid nodules, benign and malignant.",
        ("ultrasound",),
        "CC0-1.0",
        files=pictures("benign", 30, 3000) + pictures("malignant", 30, 4000),
    ),
    HostRecord(
        "kaggle",
        str(load_all(manifests_dir())["auitd"].sources[0].record),
        "Algeria Ultrasound Images Thyroid Dataset",
        "Thyroid ultrasound images.",
        ("ultrasound",),
        None,
        files=pictures("normal", 5, 6000),
    ),
    HostRecord(
        "kaggle",
        "nestlab/thyroid-disease-table",
        "Thyroid disease",
        "Blood values and ultrasound findings of thyroid patients as a table.",
        ("tabular",),
        files=(HostFile("thyroid.csv", b"a,b\n" * 99),),
    ),
    HostRecord(
        "mendeley",
        "abc123def4",
        "Ultrasound images of the thyroid, 210 patients",
        "B-mode ultrasound images of the thyroid with nodules, DICOM.",
        ("Thyroid", "Ultrasound"),
        files=DICOM,
        created="2025-03-02",
    ),
    HostRecord(
        "figshare",
        "9400001",
        "Thyroid nodule ultrasound images with expert outlines (copy)",
        "B-mode ultrasound stills of 120 patients with thyroid nodules.",
        ("ultrasound", "thyroid"),
        files=OUTLINES,
    ),
    HostRecord(
        "figshare",
        "9400002",
        "Figure 2: thyroid ultrasound of one patient",
        "Figure of an article on thyroid ultrasound.",
        files=(HostFile("figure2.png", Blob(200_000, 9)),),
    ),
]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The guide's search, run: its folder, and the lines it printed."""
    folder = tmp_path_factory.mktemp("search")
    with LocalHosts(RECORDS) as server:
        settings = [word for name, url in server.hosts.items() for word in ("--set", f"hosts.{name}={url}")]
        words = ["discover", QUERY, "--work", str(folder / "found"), "--propose", str(folder / "drafts"), *settings]
        done = CliRunner().invoke(app, words, env={"COLUMNS": "118"})
    assert done.exit_code == 0, done.output
    return folder, done.output.splitlines()


def test_the_printed_funnel_is_what_the_search_says(search: tuple[Path, list[str]]) -> None:
    printed = next(block.text for block in blocks("text") if block.page == PAGE).splitlines()
    begins = ("identified", "- ", "accepted")
    assert [line for line in search[1] if line.startswith(begins)] == [
        line for line in printed if line.startswith(begins)
    ]


def test_the_drafts_are_valid_and_wait(search: tuple[Path, list[str]]) -> None:
    drafts = load_all(search[0] / "drafts")
    assert len(drafts) == 3
    assert {draft.status for draft in drafts.values()} == {"needs_layout"}


@pytest.mark.parametrize("number", [0, 1])
def test_the_snippets_run(search: tuple[Path, list[str]], number: int) -> None:
    block = [block for block in blocks("py") if block.page == PAGE][number]
    done = subprocess.run(
        [sys.executable, "-c", block.text], capture_output=True, text=True, check=False, cwd=search[0], timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert ("9400002", "2 requests")[number] in done.stdout


def test_the_dataset_by_hand_waits_then_goes_on(tmp_path: Path) -> None:
    text = next(b.text for b in blocks("yaml") if b.page == PAGE and yaml.safe_load(b.text)["name"] == "by_hand")
    (tmp_path / "by_hand.yaml").write_text(text)
    words = ["run", "download", "--recipe", str(tmp_path / "by_hand.yaml"), "--work", str(tmp_path / "work"), "--json"]
    (tmp_path / "by_hand").mkdir()
    assert '"error_rows": 1' in CliRunner().invoke(app, words).stdout
    (tmp_path / "by_hand" / "registered_liver").mkdir()
    (tmp_path / "by_hand" / "registered_liver" / "liver.zip").write_bytes(packed(["P001/a.png"]))
    assert '"error_rows": 0' in CliRunner().invoke(app, words).stdout


def test_the_guide_names_every_source_and_state() -> None:
    from ultracurate.sources import SourceState, source_names

    page = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    assert [name for name in source_names() if f"| `{name}` |" not in page] == []
    assert [state for state in SourceState if state != "ok" and f"| `{state}` |" not in page] == []
