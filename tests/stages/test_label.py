from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stages.bench import Bench, manifest
from ultracurate.ontology.tree import Ontology

RULES: dict[str, Any] = {
    "layout": [{"match": "{class}/{name}.png", "kind": "image"}],
    "labels": [
        {"when": {"class": ["benign", "malignant"]}, "positive": ["breast"]},
        {"when": {"class": "benign"}, "pathology": ["benign"]},
        {"when": {"class": "malignant"}, "pathology": ["malignant"]},
        {"when": {"class": "empty"}, "negative": ["breast"]},
        {"when": {"class": "brain"}, "view": ["FP_BRAIN"]},
        {"when": {"class": "left"}, "negative": ["liver"], "positive": ["left_ventricle"]},
    ],
}


def alias(id: str, cls: str, kind: str, of: str, dataset: str = "toy") -> str:
    """A copy as dedup describes it; `of` is the frame whose picture it shows exactly."""
    return json.dumps({"dataset": dataset, "fields": {"class": cls}, "kind": kind, "of": of, "sample_id": id})


def frame(id: str, cls: str, *copies: tuple[str, str], dataset: str = "toy") -> dict[str, Any]:
    """A row as dedup leaves it; copies are (class, kind)."""
    aliases = [
        alias(f"copy{n}", other, kind, id if kind.startswith("exact") else f"copy{n}", dataset)
        for n, (other, kind) in enumerate(copies)
    ]
    return {"sample_id": id, "dataset": dataset, "fields": json.dumps({"class": cls}), "aliases": aliases}


def labelled(bench: Bench, *rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    result, ctx = bench.call("label", rows)
    assert not ctx.errors
    return {row["sample_id"]: row for row in result.rows.to_pylist()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, manifest(modality="b_mode", **RULES))


def test_a_positive_label_makes_its_ancestors_positive_level_by_level(bench: Bench) -> None:
    row = labelled(bench, frame("s", "benign"))["s"]
    ontology = Ontology.load()
    assert {"breast", *ontology.ancestors("breast")} <= set(row["positive"])
    assert sorted(row["region"] + row["organ"] + row["structure"]) == row["positive"]
    for level in ("region", "organ", "structure"):
        assert all(ontology.node(id).level == level for id in row[level])
    assert row["pathology"] == ["benign"]
    assert row["modality"] == "b_mode"
    assert row["label_conflict"] is False


def test_a_negative_label_makes_its_descendants_negative(bench: Bench) -> None:
    row = labelled(bench, frame("s", "empty"))["s"]
    assert set(row["negative"]) == {"breast", *Ontology.load().descendants("breast")}
    assert row["positive"] == []


def test_a_view_brings_the_anatomy_that_it_implies(bench: Bench) -> None:
    row = labelled(bench, frame("s", "brain"))["s"]
    assert row["view"] == ["FP_BRAIN"]
    assert "fetal_brain" in row["positive"]


def test_what_no_rule_knows_stays_unknown(bench: Bench) -> None:
    row = labelled(bench, frame("s", "something else"))["s"]
    assert row["positive"] == row["negative"] == row["view"] == row["pathology"] == []


def test_exact_copies_of_another_class_are_a_conflict_and_both_labels_stay(bench: Bench) -> None:
    row = labelled(bench, frame("s", "benign", ("malignant", "exact_bytes")))["s"]
    assert row["label_conflict"] is True
    assert row["pathology"] == ["benign", "malignant"]


def test_exact_copies_that_agree_are_no_conflict(bench: Bench) -> None:
    assert not labelled(bench, frame("s", "benign", ("benign", "exact_pixels")))["s"]["label_conflict"]


def test_a_copy_that_says_more_adds_it_without_a_conflict(bench: Bench) -> None:
    row = labelled(bench, frame("s", "something else", ("benign", "exact_pixels")))["s"]
    assert row["pathology"] == ["benign"]
    assert not row["label_conflict"]


def test_a_copy_that_denies_what_the_image_shows_is_a_conflict_and_the_positive_stays(bench: Bench) -> None:
    row = labelled(bench, frame("s", "benign", ("empty", "exact_bytes")))["s"]
    assert row["label_conflict"] is True
    assert "breast" in row["positive"]
    assert not set(row["positive"]) & set(row["negative"])


def test_negatives_of_copies_are_joined(bench: Bench) -> None:
    row = labelled(bench, frame("s", "left", ("empty", "exact_pixels")))["s"]
    assert {"liver", "breast"} <= set(row["negative"])
    assert not row["label_conflict"]


def test_near_copies_lend_no_labels(bench: Bench) -> None:
    row = labelled(bench, frame("s", "benign", ("malignant", "phash")))["s"]
    assert row["pathology"] == ["benign"]
    assert not row["label_conflict"]


def test_near_copies_whose_own_copies_disagree_are_a_conflict_without_lending_labels(bench: Bench) -> None:
    row = frame("s", "benign")
    row["aliases"] = [alias("n", "benign", "phash", "n"), alias("x", "malignant", "exact_bytes", "n")]
    found = labelled(bench, row)["s"]
    assert found["pathology"] == ["benign"]
    assert found["label_conflict"] is True


def test_copies_can_be_left_out_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manifest(**RULES), stages={"label": {"merge_copies": False}})
    assert labelled(bench, frame("s", "benign", ("malignant", "exact_bytes")))["s"]["pathology"] == ["benign"]


def test_a_copy_of_another_dataset_is_read_with_that_dataset_s_rules(tmp_path: Path) -> None:
    other = manifest("other", layout=RULES["layout"], labels=[{"when": {"class": "b"}, "pathology": ["benign"]}])
    bench = Bench(tmp_path, manifest(**RULES), other)
    row = frame("s", "malignant")
    row["aliases"] = [alias("x", "b", "exact_bytes", "s", "other")]
    assert labelled(bench, row)["s"]["label_conflict"] is True
