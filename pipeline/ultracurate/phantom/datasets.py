"""The demo data: tiny datasets as records of an invented host, with their truth."""

from __future__ import annotations

from pathlib import Path

from ultracurate.phantom.clips import CARDIAC_TAR, DICOM_ZIP, cardiac_archive, dicom_archive
from ultracurate.phantom.files import encode_still
from ultracurate.phantom.frame import make_frame
from ultracurate.phantom.packing import pack_hostile_zip, pack_zip
from ultracurate.phantom.records import HostRecord, save_record
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
    _dataset(folder, "phantom_thyroid", "Thyroid ultrasound images with official split", thyroid, version_index=1)
    _dataset(folder, "phantom_dicom", "Abdominal ultrasound DICOM", {DICOM_ZIP: dicom_archive(seed, scale, truth)})
    hostile = _hostile(seed, truth)
    _dataset(folder, "phantom_hostile", "Muscle ultrasound, badly packed", {HOSTILE_ZIP: hostile})
    _search_only(folder, seed, breast)
    truth.save(folder / "truth.json")
    return truth


def _dataset(folder: Path, slug: str, title: str, contents: dict[str, bytes], version_index: int = 0) -> None:
    number = RECORDS[slug]
    record = HostRecord(
        number,
        number + 100_000,
        f"{title} ({slug})",
        f"{_GENERATED} B-mode ultrasound for testing curation.",
        keywords=["ultrasound", "phantom", "synthetic"],
        version=f"{version_index + 1}.0",
        version_index=version_index,
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
    def record(why: str, title: str, text: str, contents: dict[str, bytes] | None = None, **more: object) -> None:
        number = SEARCH_ONLY[why]
        settings = {"keywords": ["ultrasound"], "created": f"2026-02-{number % 100:02d}"} | more
        concept = settings.pop("conceptid", number + 100_000)
        save_record(folder, HostRecord(number, concept, title, text, **settings), contents or {})  # type: ignore[arg-type]

    link = "https://github.com/example/phantom-liver-ultrasound"
    record(
        "text_only",
        "Liver ultrasound: reading protocol",
        f'Supplement of an ultrasound study. Images at <a href="{link}">the repository</a>.',
        {"protocol.txt": b"Reading protocol for liver ultrasound.\n", "ratings.csv": b"case,reader,score\n1,A,2\n"},
        related=[link],
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
        keywords=["welding", "ultrasound", "polymer"],
        licence="cc-by-4.0",
    )
    lung = [make_frame("lung", "convex", "plain", seed * 1000 + 950 + n, (240, 320), ()).image for n in range(2)]
    record(
        "candidate",
        "Lung ultrasound images of volunteers",
        f"B-mode lung ultrasound, PNG. {_GENERATED}",
        {"lung_images.zip": pack_zip({f"lung_{n}.png": encode_still(image, "png") for n, image in enumerate(lung)})},
        licence="cc-by-4.0",
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
        type="software",
        licence="mit",
    )
    record(
        "older_version",
        "Thyroid ultrasound images (phantom_thyroid)",
        f"{_GENERATED} First version.",
        {"train/TH01_left.png": encode_still(_muscle(seed, 5), "png")},
        conceptid=RECORDS["phantom_thyroid"] + 100_000,
        created="2025-11-01",
    )
