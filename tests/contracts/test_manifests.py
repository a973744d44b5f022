from __future__ import annotations

import csv
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from ultracurate.core import licences, resources
from ultracurate.core.config import load_recipe
from ultracurate.core.dataset import DatasetManifest, load_all, load_manifest, schema_text
from ultracurate.core.layout import Match, compile_pattern, match_path, template_fields
from ultracurate.ontology.rules import check_manifest

PATHS = sorted(resources.manifests_dir().glob("*.yaml"))


@cache
def load(path: Path) -> DatasetManifest:
    return load_manifest(path)


# Each test names every manifest that is wrong, not only the first one.


def test_each_loads_under_its_file_name() -> None:
    assert len(PATHS) > 100
    assert [path.stem for path in PATHS if load(path).slug != path.stem] == []


def test_their_licences_are_known() -> None:
    found = {path.stem: load(path).licence.id for path in PATHS}
    assert {slug: id for slug, id in found.items() if id not in licences.TERMS} == {}


def test_their_ontology_ids_exist() -> None:
    found = {path.stem: check_manifest(load(path)) for path in PATHS}
    assert {slug: problems for slug, problems in found.items() if problems} == {}


def test_their_patterns_compile() -> None:
    wrong: dict[str, str] = {}
    for path in PATHS:
        manifest = load(path)
        for pattern in [rule.match for rule in manifest.layout] + [join.file for join in manifest.tables]:
            try:
                compile_pattern(pattern)
            except ValueError as exc:
                wrong[f"{path.stem}: {pattern}"] = str(exc)
    assert wrong == {}


def test_the_fields_they_use_come_from_a_rule_or_a_table() -> None:
    wrong: dict[str, set[str]] = {}
    for path in PATHS:
        manifest = load(path)
        used = template_fields(manifest.group or "").union(*(rule.when for rule in manifest.labels))
        used |= {manifest.split.field} if manifest.split else set()
        if missing := set(used - manifest.known_fields()):
            wrong[path.stem] = missing
    assert wrong == {}


def test_their_local_overlaps_are_mutual() -> None:
    known = {path.stem: load(path) for path in PATHS}
    confirmed = {(slug, o.dataset) for slug, m in known.items() for o in m.overlaps if o.status == "confirmed"}
    named = {(slug, o.dataset) for slug, m in known.items() for o in m.overlaps}
    assert {pair for pair in confirmed if pair[1] in known and pair[::-1] not in named} == set()


def test_no_slug_twice_and_none_in_another_case() -> None:
    assert list(load_all(resources.manifests_dir())) == [path.stem for path in PATHS]


def test_the_json_schema_is_in_step() -> None:
    found = (resources.manifests_dir().parent / "_schema.json").read_text(encoding="utf-8")
    assert found == schema_text(), "manifests/_schema.json is old: run `ultracurate validate manifests --write-schema`"


# The real samples: which file is what.

COUNTS = {
    "busi": {"image": 40, "mask": 40},
    "covid_blues": {"clip": 10, "table": 1},
    "fast_unet": {"image": 2, "mask": 2, "exclude": 1, "ignore": 1},
    "gallbladder": {"image": 15},
    "itkpocus": {"image": 5, "clip": 1},
    "josh_muscle": {"clip": 3},
    "plus": {"image": 1, "volume": 4, "exclude": 2},
    "pydicom": {"image": 2, "clip": 1, "exclude": 1},
    "pydicom_data": {"image": 9, "clip": 1, "exclude": 1},
    "slicer_us": {"exclude": 1},
    "spj": {"image": 26},
    "tg3k": {"image": 20, "mask": 20},
    "timtrack": {"image": 29, "exclude": 4},
    "ultrasam": {"image": 5, "annotation": 1},
    "usgra": {"image": 20, "mask": 20},
    "vital": {"image": 9},
}

NOT_ULTRASOUND = {
    "pydicom-data/data_store/data/JPEG-LL.dcm",
    "pydicom/src/pydicom/data/test_files/examples_overlay.dcm",
    "plus/TestImages/NrrdSample.igs.nrrd",
    "plus/TestImages/SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed_PatientCropped.igs.mha",
    "slicer-us/Screenshots/TimeSeriesAnnotation_2024-09-26_1.jpg",
}

SAMPLE_SLUGS = sorted(COUNTS)


def test_the_samples_recipe_names_exactly_the_sample_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ULTRACURATE_ROOT_SAMPLES", raising=False)
    recipe = load_recipe(resources.recipes_dir() / "samples.yaml")
    assert sorted(entry.slug for entry in recipe.entries) == SAMPLE_SLUGS
    expected = resources.manifests_dir().parents[2] / "shared" / "samples"
    assert Path(recipe.roots["samples"]) == expected.resolve()


@pytest.mark.parametrize("slug", SAMPLE_SLUGS)
def test_expected_counts_agree_with_the_rules(slug: str) -> None:
    expected = load(resources.manifests_dir() / f"{slug}.yaml").expected
    assert expected is not None
    stated = {"image": expected.images, "clip": expected.clips, "volume": expected.volumes, "mask": expected.masks}
    counted = {kind: COUNTS[slug].get(kind, 0) for kind in stated}
    assert {kind: count or 0 for kind, count in stated.items()} == counted


@pytest.fixture(scope="module")
def samples() -> Path:
    place = os.environ.get("ULTRACURATE_ROOT_SAMPLES")
    folder = Path(place) if place else resources.manifests_dir().parents[2] / "shared" / "samples"
    if not (folder / "index.csv").is_file():
        pytest.skip(f"no real samples at {folder}; set ULTRACURATE_ROOT_SAMPLES to the folder with index.csv")
    return folder


@pytest.fixture(scope="module")
def matches(samples: Path) -> dict[str, Match | None]:
    """What the manifests say about every file that lies in a dataset's folder, by path below the samples folder."""
    found: dict[str, Match | None] = {}
    for slug in SAMPLE_SLUGS:
        manifest = load(resources.manifests_dir() / f"{slug}.yaml")
        folder = samples / (manifest.sources[0].path or "")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inner = path.relative_to(folder).as_posix()
            found[f"{folder.name}/{inner}"] = match_path(manifest.layout, inner)
    return found


@pytest.fixture(scope="module")
def index(samples: Path) -> list[dict[str, str]]:
    with (samples / "index.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.samples
def test_every_sample_file_has_a_rule(matches: dict[str, Match | None], index: list[dict[str, str]]) -> None:
    assert [path for path, match in matches.items() if match is None] == []
    assert [row["path"] for row in index if row["path"] not in matches] == []
    assert len(index) == 298


@pytest.mark.samples
def test_exactly_five_files_are_not_ultrasound(matches: dict[str, Match | None]) -> None:
    assert {path for path, match in matches.items() if match and match.reason == "not_ultrasound"} == NOT_ULTRASOUND


@pytest.mark.samples
def test_masks_and_pictures_are_told_apart_as_in_the_index(
    matches: dict[str, Match | None], index: list[dict[str, str]], samples: Path
) -> None:
    for row in index:
        match = matches[row["path"]]
        assert match is not None
        assert (match.kind == "mask") == (row["modality"] == "mask"), row["path"]
        if match.of is not None:
            top = row["path"].partition("/")[0]
            assert (samples / top / match.of).is_file(), f"{row['path']}: its picture {match.of} is not there"
        if "drawn analysis" in row["modality"]:
            assert match.reason == "derived_figure", row["path"]


@pytest.mark.samples
@pytest.mark.parametrize("slug", SAMPLE_SLUGS)
def test_counts_per_dataset(slug: str, matches: dict[str, Match | None], index: list[dict[str, str]]) -> None:
    folder = load(resources.manifests_dir() / f"{slug}.yaml").sources[0].path
    listed = [row["path"] for row in index if row["dataset"] == folder]
    counts = Counter(match.kind for path in listed if (match := matches[path]) is not None)
    assert counts == COUNTS[slug]
