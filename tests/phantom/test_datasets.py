from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from ultracurate.core.dataset import load_manifest
from ultracurate.core.layout import match_path
from ultracurate.phantom.datasets import build_demo
from ultracurate.phantom.truth import DemoTruth

MANIFESTS = Path(__file__).parents[2] / "manifests"
Demo = tuple[Path, DemoTruth]


@pytest.fixture(scope="module")
def read(small_demo: Demo) -> Callable[[str], bytes]:
    """Bytes of `<dataset>:<path>`, looked up in record folders and archives."""
    folder, truth = small_demo
    archives: dict[Path, dict[str, bytes]] = {}

    def members(path: Path) -> dict[str, bytes]:
        if path not in archives:
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    archives[path] = {name: archive.read(name) for name in archive.namelist()}
            else:
                with tarfile.open(path) as tar:
                    archives[path] = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
        return archives[path]

    def look(where: str) -> bytes:
        dataset, _, path = where.partition(":")
        home = folder / str(truth.records[dataset]) / "files"
        if (home / path).is_file():
            return (home / path).read_bytes()
        archive, _, member = path.partition("/")
        return members(home / archive)[member]

    return look


def pixels(data: bytes) -> np.ndarray:
    if data[128:132] == b"DICM":
        pydicom = pytest.importorskip("pydicom")
        return np.asarray(pydicom.dcmread(io.BytesIO(data)).pixel_array)
    return np.asarray(Image.open(io.BytesIO(data)))


def digest_tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_building_again_gives_the_same_bytes(small_demo: Demo, tmp_path: Path) -> None:
    build_demo(tmp_path, seed=0, scale=0.2)
    assert digest_tree(tmp_path) == digest_tree(small_demo[0])


def test_truth_survives_its_file(small_demo: Demo) -> None:
    assert DemoTruth.load(small_demo[0] / "truth.json") == small_demo[1]


def test_sizes_and_checksums_of_the_records_are_true(small_demo: Demo) -> None:
    for path in small_demo[0].glob("*/record.json"):
        for entry in json.loads(path.read_text())["files"]:
            data = (path.parent / "files" / entry["key"]).read_bytes()
            assert (len(data), hashlib.md5(data).hexdigest()) == (entry["size"], entry["md5"])


def test_every_counted_path_exists_and_decodes(small_demo: Demo, read: Callable[[str], bytes]) -> None:
    truth = small_demo[1]
    for dataset, kinds in truth.paths.items():
        for kind, paths in kinds.items():
            assert truth.expected[dataset][kind] == len(set(paths)) == len(paths)
            if kind in ("images", "masks", "poor"):
                for path in paths:
                    assert pixels(read(f"{dataset}:{path}")).size > 0


def test_planted_copies_are_what_they_say(small_demo: Demo, read: Callable[[str], bytes]) -> None:
    kinds = set()
    for plant in small_demo[1].plants:
        first, second = read(plant.original), read(plant.copy)
        kinds.add(plant.kind)
        if plant.kind in ("bytes", "cross_class"):
            assert first == second
        else:
            assert first != second
        if plant.kind in ("pixels", "cross_dataset"):
            assert np.array_equal(pixels(first), pixels(second))
        if plant.kind in ("near", "leak"):
            hashes = [imagehash.phash(Image.fromarray(pixels(data))) for data in (first, second)]
            assert hashes[0] - hashes[1] <= 6
    assert kinds == {"bytes", "pixels", "near", "cross_class", "cross_dataset", "leak"}


def test_broken_files_do_not_decode(small_demo: Demo, read: Callable[[str], bytes]) -> None:
    broken = small_demo[1].paths["phantom_thyroid"]["unreadable"]
    assert len(broken) == 3
    for path in broken:
        with pytest.raises((UnidentifiedImageError, OSError)):
            Image.open(io.BytesIO(read(f"phantom_thyroid:{path}"))).load()


def test_hostile_members_are_there(small_demo: Demo) -> None:
    folder, truth = small_demo
    path = folder / str(truth.records["phantom_hostile"]) / "files" / "phantom_hostile.zip"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert set(truth.paths["phantom_hostile"]["hostile"]) < set(names)
    assert any(name.startswith("/") for name in names)
    assert any(".." in name for name in names)


def test_planted_identities_can_be_found_in_the_headers(small_demo: Demo, read: Callable[[str], bytes]) -> None:
    truth = small_demo[1]
    paths = truth.paths["phantom_dicom"]["images"] + truth.paths["phantom_dicom"]["clips"]
    everything = b"".join(read(f"phantom_dicom:{path}") for path in paths) + "".join(paths).encode()
    assert truth.identities
    assert not [word for word in truth.identities if word.encode() not in everything]


@pytest.mark.parametrize("slug", ["phantom_breast", "phantom_cardiac", "phantom_thyroid", "phantom_dicom"])
def test_manifests_say_what_the_files_are(slug: str, small_demo: Demo) -> None:
    manifest = load_manifest(MANIFESTS / "datasets" / f"{slug}.yaml")
    truth = small_demo[1]
    assert manifest.sources[0].record == str(truth.records[slug])
    kinds = {"images": "image", "poor": "image", "unreadable": "image", "clips": "clip", "masks": "mask"}
    for what, paths in truth.paths[slug].items():
        for path in paths:
            match = match_path(manifest.layout, path)
            assert match is not None
            assert match.kind == kinds[what]
            assert match.of is None or match.of in truth.paths[slug]["images"]
            assert match.fields["patient"]


@pytest.mark.slow
def test_expected_counts_of_the_manifests_hold_at_full_scale(tmp_path: Path) -> None:
    truth = build_demo(tmp_path)
    for slug, number in truth.records.items():
        manifest = load_manifest(MANIFESTS / "datasets" / f"{slug}.yaml")
        counts = truth.expected[slug]
        assert manifest.expected is not None
        assert manifest.expected.images in (None, counts.get("images", 0) + counts.get("poor", 0))
        assert manifest.expected.clips in (None, counts.get("clips"))
        assert manifest.expected.masks in (None, counts.get("masks"))
        assert manifest.expected.files == len(list((tmp_path / str(number) / "files").rglob("*.*")))
