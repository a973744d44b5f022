"""The demo data: tiny datasets as records of an invented host, with their truth."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.clips import CARDIAC_TAR, DICOM_ZIP, cardiac_archive, dicom_archive
from ultracurate.phantom.files import encode_still
from ultracurate.phantom.frame import make_frame
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.packing import pack_hostile_zip, pack_zip
from ultracurate.phantom.stills import BREAST_ZIP, breast_archive, thyroid_files
from ultracurate.phantom.textures import Grey
from ultracurate.phantom.truth import DemoTruth

RECORDS = {
    "phantom_breast": 9000001,
    "phantom_cardiac": 9000002,
    "phantom_thyroid": 9000003,
    "phantom_dicom": 9000004,
    "phantom_hostile": 9000005,
}
"""Record id of each dataset; its concept id is 100,000 higher."""

SEARCH_ONLY = {
    "text_only": 9000006,
    "restricted": 9000007,
    "not_ultrasound": 9000008,
    "candidate": 9000009,
    "duplicate": 9000010,
    "unknown_licence": 9000011,
    "deleted": 9000012,
    "software": 9000013,
    "older_version": 9000021,
}
"""Records that no manifest covers, by why; `candidate` is the one worth a manifest."""

HOSTILE_ZIP = "phantom_hostile.zip"
_GENERATED = "Generated pictures, not from any patient."


def build_demo(folder: Path, seed: int = 0, scale: float = 1.0) -> DemoTruth:
    """Write the demo records below `folder` and `truth.json` beside them; returns the truth.

    `scale` multiplies the number of pictures; every plant is there at any scale. The same seed and scale give the same
    bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    truth = DemoTruth(seed, scale, records=dict(RECORDS), search_only=dict(SEARCH_ONLY))
    breast = breast_archive(seed, scale, truth)
    _dataset(folder, "phantom_breast", "Breast ultrasound screens with lesion masks", {BREAST_ZIP: breast})
    cardiac = cardiac_archive(seed, scale, truth)
    _dataset(folder, "phantom_cardiac", "Echocardiography ultrasound clips, two views", {CARDIAC_TAR: cardiac})
    thyroid = thyroid_files(seed, scale, truth)
    _dataset(folder, "phantom_thyroid", "Thyroid ultrasound images with official split", thyroid, version=2)
    _dataset(folder, "phantom_dicom", "Abdominal ultrasound DICOM", {DICOM_ZIP: dicom_archive(seed, scale, truth)})
    hostile = _hostile(seed, truth)
    _dataset(folder, "phantom_hostile", "Muscle ultrasound, badly packed", {HOSTILE_ZIP: hostile})
    _search_only(folder, seed, breast)
    truth.save(folder / "truth.json")
    return truth


def save_record(folder: Path, record: HostRecord, contents: dict[str, bytes]) -> None:
    """Write a record to `<folder>/<id>/record.json` and its files (key -> bytes) to `<folder>/<id>/files/<key>`."""
    home = folder / record.id
    entries = []
    for key, data in contents.items():
        path = home / "files" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entries.append({"key": key, "size": len(data), "md5": HostFile(key, data).md5})
    home.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(record) | {"files": entries}, indent=1, ensure_ascii=False)
    (home / "record.json").write_text(text + "\n", encoding="utf-8")


def load_records(folder: Path) -> list[HostRecord]:
    """All records below `folder`, by id; their files stay on disk. Raises ConfigError if there are none."""
    found = []
    for path in sorted(folder.glob("*/record.json"), key=lambda path: path.parent.name):
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        keys = [entry["key"] for entry in raw.pop("files")]
        files = tuple(HostFile(key, path.parent / "files" / key) for key in keys)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        found.append(HostRecord(**raw | lists, files=files))
    if not found:
        raise ConfigError(f"Expected host records (<id>/record.json) in {folder}, found none. Run build_demo first.")
    return found


def _dataset(folder: Path, slug: str, title: str, contents: dict[str, bytes], version: int = 1) -> None:
    number = RECORDS[slug]
    record = HostRecord(
        "zenodo",
        str(number),
        f"{title} ({slug})",
        f"{_GENERATED} B-mode ultrasound for testing curation.",
        ("ultrasound", "phantom", "synthetic"),
        licence="CC0-1.0",
        version=version,
        concept=str(number + 100_000),
        created=f"2026-01-{number % 100:02d}",
    )
    save_record(folder, record, contents)


def _hostile(seed: int, truth: DemoTruth) -> bytes:
    good, bad = (encode_still(_muscle(seed, number), "png") for number in (1, 2))
    data, names = pack_hostile_zip({"images/M01.png": good}, bad)
    truth.add("phantom_hostile", "images", f"{HOSTILE_ZIP}/images/M01.png")
    truth.add("phantom_hostile", "hostile", *names)
    return data


def _muscle(seed: int, number: int) -> Grey:
    return make_frame("muscle", "linear", "plain", seed * 1000 + 900 + number, (240, 320), ()).image


def _search_only(folder: Path, seed: int, breast: bytes) -> None:
    def record(why: str, title: str, text: str, contents: dict[str, bytes] | None = None, **more: Any) -> None:
        number = SEARCH_ONLY[why]
        settings: dict[str, Any] = {"keywords": ("ultrasound",), "licence": "CC0-1.0"}
        settings |= {"created": f"2026-02-{number % 100:02d}", "concept": str(number + 100_000)} | more
        save_record(folder, HostRecord("zenodo", str(number), title, text, **settings), contents or {})

    link = "https://github.com/example/phantom-liver-ultrasound"
    record(
        "text_only",
        "Liver ultrasound: reading protocol",
        f'Supplement of an ultrasound study. Images at <a href="{link}">the repository</a>.',
        {"protocol.txt": b"Reading protocol for liver ultrasound.\n", "ratings.csv": b"case,reader,score\n1,A,2\n"},
        related=(link,),
    )
    record(
        "restricted",
        "Obstetric ultrasound clips (on request)",
        "Fetal ultrasound. Access on request.",
        access="restricted",
        licence=None,
    )
    record(
        "not_ultrasound",
        "Ultrasonic welding of thermoplastics: process images",
        "Weld seams after ultrasonic welding. The word ultrasound appears, a patient does not.",
        {"seams.zip": pack_zip({"seam_01.png": encode_still(_muscle(seed, 3), "png")})},
        keywords=("welding", "ultrasound", "polymer"),
        licence="CC-BY-4.0",
    )
    lung = [make_frame("lung", "convex", "plain", seed * 1000 + 950 + n, (240, 320), ()).image for n in range(2)]
    record(
        "candidate",
        "Lung ultrasound images of volunteers",
        f"B-mode lung ultrasound, PNG. {_GENERATED}",
        {"lung_images.zip": pack_zip({f"lung_{n}.png": encode_still(image, "png") for n, image in enumerate(lung)})},
        licence="CC-BY-4.0",
    )
    record(
        "duplicate", "Breast ultrasound (re-upload)", "Copy of a public breast ultrasound set.", {BREAST_ZIP: breast}
    )
    record(
        "unknown_licence",
        "Shoulder ultrasound stills",
        "Ultrasound of tendons. No licence is given.",
        {"shoulder_01.png": encode_still(_muscle(seed, 4), "png")},
        licence=None,
    )
    record("deleted", "Withdrawn ultrasound set", "Ultrasound images.", deleted=True)
    record(
        "software",
        "Ultrasound viewer",
        "A program that shows ultrasound images.",
        {"viewer-1.0.zip": pack_zip({"viewer.py": b"print('ultrasound')\n"})},
        kind="software",
        licence="MIT",
    )
    record(
        "older_version",
        "Thyroid ultrasound images (phantom_thyroid)",
        f"{_GENERATED} First version.",
        {"train/TH01_left.png": encode_still(_muscle(seed, 5), "png")},
        concept=str(RECORDS["phantom_thyroid"] + 100_000),
        created="2025-11-01",
    )
