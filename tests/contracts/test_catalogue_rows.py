"""The catalogue of public datasets, row by row against its table, where that lies beside the checkout."""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.test_catalogue import catalogue, uses
from ultracurate.core import licences, resources
from ultracurate.core.dataset import DatasetManifest
from ultracurate.ontology.tree import Ontology

RENAMED = {"busi": "busi_full", "covid_blues": "covid_blues_full"}
"""Catalogue ids whose slug is taken by the manifest of a local sample."""


def read(name: str) -> list[dict[str, str]]:
    """The rows of a table of the catalogue; the test is skipped where the catalogue does not lie."""
    place = os.environ.get("ULTRACURATE_ROOT_SAMPLES")
    shared = Path(place).parent if place else resources.manifests_dir().parents[2] / "shared"
    table = shared / "catalog" / name
    if not table.is_file():
        pytest.skip(f"no catalogue at {table}; it lies beside the folder of samples (ULTRACURATE_ROOT_SAMPLES)")
    with table.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    return {RENAMED.get(row["id"], row["id"]): row for row in read("union.csv")}


def cut(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def worded(text: str) -> str:
    """The catalogue's shorthand for the papers, and for its own tables, as the manifests write it."""
    for short, written in {
        "seed 001": "the EchoAtlas paper",
        "seed 002": "the USF-MAE paper",
        "seed 003": "the UltraDINO paper",
        "see echoatlas_datasets.csv": "see below",
    }.items():
        text = text.replace(short, written)
    return " ".join(text.split()).casefold()


def compare(m: DatasetManifest, row: dict[str, str]) -> Iterator[tuple[str, object, object]]:
    """(what, as the manifest has it, as the catalogue has it)."""
    assert m.confidence is not None
    modalities = cut(row["modality"])
    yield "licence", m.licence.id, row["licence"] or licences.UNKNOWN
    yield "licence confidence", m.confidence.licence, row["licence_confidence"] or None
    yield "content", m.confidence.content, {"read": "read"}.get(row["modality_media_basis"], "inferred")
    yield "access", m.access, row["access"] or None
    yield "media", m.media, [{"video": "clip"}.get(kind, kind) for kind in cut(row["media"])]
    yield "modality", m.modality, modalities[0] if len(modalities) == 1 else None
    yield "species", m.species, cut(row["species"])
    yield "annotations", m.annotations, [kind for kind in cut(row["label_types"]) if kind != "none"]
    yield "patient key", m.patient_key, {"yes": True, "no": False}.get(row["patient_id_available"])
    anatomy = {name for axis in ("regions", "organs", "structures") for name in cut(row[axis])}
    yield "anatomy that no row names", whole(m) - anatomy, set()
    yield "held out", bool(m.held_out), row["held_out"] == "true"
    listed = [use for use in cut(row["used_in"]) if not use.startswith("benchmark:")]
    yield "used in", [use.corpus for use in m.used_in], listed
    for use in m.used_in:
        yield f"name in {use.corpus}", use.name, row[f"alias_{use.corpus}"]
        yield f"images in {use.corpus}", "" if use.images is None else str(use.images), row[f"images_{use.corpus}"]
    for benchmark in (use.removeprefix("benchmark:") for use in cut(row["used_in"]) if use not in listed):
        yield f"benchmark {benchmark}", any(name.startswith(benchmark) for name in m.held_out), True


def whole(m: DatasetManifest) -> set[str]:
    """Ids that every picture of the set is labelled with, whatever its name."""
    views = Ontology.load().views
    rules = [rule for rule in m.labels if not rule.when]
    return {n for rule in rules for n in (*rule.positive, *(i for view in rule.view for i in views[view].implies))}


def texts(row: dict[str, str]) -> Iterator[str]:
    """What must stand somewhere in the words of the manifest."""
    yield worded(row["remarks"])
    yield worded(row["licence_source"])
    yield worded(row["official_split"]).removeprefix("official").removeprefix("none").strip()
    yield ", ".join(cut(row["file_formats"]))
    if len(cut(row["modality"])) > 1:
        yield ", ".join(cut(row["modality"]))
    if row["raw_count"]:
        yield row["raw_count"]


@pytest.mark.samples
def test_the_catalogue_has_exactly_these_rows(rows: dict[str, dict[str, str]]) -> None:
    assert rows.keys() == catalogue().keys()


@pytest.mark.samples
def test_every_manifest_says_what_its_row_says(rows: dict[str, dict[str, str]]) -> None:
    wrong = [
        f"{slug}: {what}: {found!r}, the catalogue has {wanted!r}"
        for slug, row in rows.items()
        for what, found, wanted in compare(catalogue()[slug], row)
        if found != wanted
    ]
    assert wrong == []


@pytest.mark.samples
def test_no_word_of_a_row_is_lost(rows: dict[str, dict[str, str]]) -> None:
    for slug, row in rows.items():
        m = catalogue()[slug]
        counts = m.expected.model_dump(exclude_none=True).values() if m.expected else ()
        said = [*m.remarks, m.licence.evidence, m.licence.note, *counts]
        text = worded(" ".join(str(part) for part in said if part is not None)).replace("by lists", "lists")
        for wanted in texts(row):
            assert wanted in text or wanted in text.replace(",", ""), f"{slug}: {wanted!r} is not in its manifest"


@pytest.mark.samples
def test_every_record_and_page_of_a_row_is_in_its_manifest(rows: dict[str, dict[str, str]]) -> None:
    for slug, row in rows.items():
        m = catalogue()[slug]
        text = " ".join(m.remarks)
        records = [source.record for source in m.sources if source.record]
        files = [file.url for source in m.sources for file in source.files]
        for record in (part.strip().removesuffix(" (competition)") for part in row["record_id"].split("|")):
            assert not record or any(record in known for known in records), f"{slug}: record {record}"
        for url in filter(None, (row["url"], row["url_alt"])):
            assert url in text or url in files or any(known in url for known in records), f"{slug}: {url}"


@pytest.mark.samples
def test_aliases_are_in_its_manifest(rows: dict[str, dict[str, str]]) -> None:
    for slug, row in rows.items():
        known = set(catalogue()[slug].aliases)
        for name in (row["alias_echoatlas"], row["alias_openus46"]):
            assert not name or name in known, f"{slug}: {name}"
        benchmark = re.sub(r" \(printed (.+?)\)", r";\1", row["alias_benchmark"].partition(" (M2DINO")[0])
        for name in cut(benchmark.replace(" / ", ";")):
            assert name in known, f"{slug}: {name}"


@pytest.mark.samples
def test_overlaps_join_the_groups_of_the_catalogue(rows: dict[str, dict[str, str]]) -> None:
    """Pairs are stated only where a source states them; together they must join each group and no two groups."""
    joined: dict[str, set[str]] = defaultdict(set)
    for slug, m in catalogue().items():
        joined[slug] |= {o.dataset for o in m.overlaps if o.dataset in catalogue()}
    for slug, row in rows.items():
        group = {RENAMED.get(name, name) for name in row["overlap_group"].split("+")} & catalogue().keys()
        reached, todo = {slug}, [slug]
        while todo:
            todo += (new := joined[todo.pop()] - reached)
            reached |= new
        assert reached == (group or {slug}), slug


@pytest.mark.samples
def test_no_organ_or_structure_of_a_row_is_lost(rows: dict[str, dict[str, str]]) -> None:
    """What not every picture shows stands in the remarks instead of in the rule for the whole set."""
    ontology = Ontology.load()
    for slug, row in rows.items():
        m = catalogue()[slug]
        labelled = whole(m) | {n for rule in m.labels for n in rule.positive}
        labelled |= {i for rule in m.labels for view in rule.view for i in ontology.views[view].implies}
        said = ontology.close(labelled, set()).positive | set(re.findall(r"[a-z_]+", " ".join(m.remarks)))
        assert {n for axis in ("organs", "structures") for n in cut(row[axis])} <= said, slug


@pytest.mark.samples
@pytest.mark.parametrize(("corpus", "images"), [("openus46", "images_used"), ("echoatlas", "images")])
def test_every_row_of_a_paper_is_covered(corpus: str, images: str) -> None:
    known = {(use.row, use.name): use for use, _ in uses(corpus)}
    table = read(f"{corpus}_datasets.csv")
    assert {(int(row["n"]), row["short_name"]) for row in table} == known.keys()
    for row in table:
        use = known[int(row["n"]), row["short_name"]]
        if row["short_name"] != "MMOTU":  # one printed count for two manifests
            assert str(use.images) == row[images], row["short_name"]
        if row.get("cases") and row["short_name"] != "MMOTU":
            assert str(use.cases) == row["cases"], row["short_name"]


@pytest.mark.samples
def test_every_benchmark_holds_its_dataset_out() -> None:
    for row in read("benchmarks.csv"):
        assert row["name"] in catalogue()[row["dataset_id"]].held_out, row["name"]
