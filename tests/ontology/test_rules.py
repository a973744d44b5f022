from __future__ import annotations

from typing import Any

import pytest

from ultracurate.core.config import parse
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import ConfigError
from ultracurate.ontology.rules import apply_rules, check_manifest


def manifest(labels: list[dict[str, Any]], **changes: Any) -> DatasetManifest:
    data: dict[str, Any] = {
        "slug": "toy",
        "title": "Toy",
        "licence": {"id": "MIT"},
        "access": "open",
        "sources": [{"host": "local", "path": "/data"}],
        "layout": [{"match": "{class}/{site}/{name}.png", "kind": "image"}],
        "labels": labels,
    }
    return parse(DatasetManifest, data | changes, "test")


def test_rules_add_up_and_are_closed() -> None:
    toy = manifest(
        [
            {"positive": ["breast"]},
            {"when": {"class": "benign"}, "pathology": ["benign"]},
            {"when": {"class": ["normal", "none"]}, "pathology": ["normal"], "negative": ["lung"]},
        ],
        modality="b_mode",
    )
    labels = apply_rules(toy, {"class": "benign"})
    assert (labels.positive, labels.negative) == (("breast", "chest"), ())
    assert (labels.pathology, labels.modality, labels.conflicts) == (("benign",), "b_mode", ())
    assert apply_rules(toy, {"class": "none"}).pathology == ("normal",)
    assert apply_rules(toy, {"class": "none"}).negative == ("lung",)
    assert apply_rules(toy, {}).pathology == ()


def test_all_conditions_of_a_rule_must_hold() -> None:
    toy = manifest([{"when": {"class": "a", "site": ["x", "y"]}, "positive": ["liver"]}])
    assert apply_rules(toy, {"class": "a", "site": "y"}).positive == ("abdomen", "liver")
    assert apply_rules(toy, {"class": "a", "site": "z"}).positive == ()
    assert apply_rules(toy, {"class": "a"}).positive == ()


def test_no_rule_means_unknown_not_negative() -> None:
    labels = apply_rules(manifest([]), {"class": "a"})
    assert (labels.positive, labels.negative, labels.view, labels.modality) == ((), (), (), None)


def test_a_view_brings_the_anatomy_it_shows() -> None:
    labels = apply_rules(manifest([{"view": ["FP_BRAIN"]}]), {})
    assert labels.view == ("FP_BRAIN",)
    assert labels.positive == ("fetal_brain", "fetal_head", "fetus")


def test_the_last_rule_with_a_modality_holds() -> None:
    toy = manifest([{"modality": "ceus"}, {"when": {"class": "a"}, "modality": "doppler"}], modality="b_mode")
    assert apply_rules(toy, {"class": "a"}).modality == "doppler"
    assert apply_rules(toy, {"class": "b"}).modality == "ceus"


def test_contradictions_are_reported() -> None:
    toy = manifest(
        [
            {"positive": ["left_ventricle"], "negative": ["heart"]},
            {"pathology": ["benign"]},
            {"pathology": ["malignant"]},
        ]
    )
    assert apply_rules(toy, {}).conflicts == ("benign", "heart", "malignant")


def test_unknown_ids_are_found_with_place_and_nearest() -> None:
    toy = manifest(
        [{"positive": ["brest"], "view": ["A4"], "pathology": ["benin"], "modality": "dopler"}],
        modality="bmode",
        species=["humans"],
    )
    problems = "\n".join(check_manifest(toy))
    for piece in ("labels.0.positive", "'breast'", "'A4C'", "'benign'", "'doppler'", "'b_mode'", "'human'"):
        assert piece in problems
    assert len(check_manifest(toy)) == 6
    with pytest.raises(ConfigError):
        apply_rules(toy, {})
    assert check_manifest(manifest([{"positive": ["breast"], "view": ["A4C"]}], modality="b_mode")) == []
