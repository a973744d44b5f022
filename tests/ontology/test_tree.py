from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import ontology_dir
from ultracurate.ontology.tree import Ontology

ONTOLOGY = Ontology.load()
IDS = st.lists(st.sampled_from(sorted(ONTOLOGY.nodes)), max_size=6)


def test_the_shipped_ontology_is_sound() -> None:
    assert ONTOLOGY.validate() == []
    assert {level: len(ids) for level, ids in ONTOLOGY.levels(ONTOLOGY.nodes).items()} == {
        "region": 9,
        "organ": 52,
        "structure": 56,
    }
    codes = [code for node in ONTOLOGY.nodes.values() for code in node.codes]
    assert (len(codes), sum(bool(node.codes) for node in ONTOLOGY.nodes.values())) == (297, 98)
    assert all(code.source for code in codes)


def test_lookup() -> None:
    assert ONTOLOGY.ancestors("left_ventricle") == ("cardiac_ventricle", "chest")
    assert ONTOLOGY.descendants("fetal_abdomen") == (
        "fetal_abdominal_aorta",
        "fetal_liver",
        "fetal_stomach",
        "umbilical_vein",
    )
    assert set(ONTOLOGY.descendants("neck")) >= {"thyroid", "thyroid_isthmus"}
    with pytest.raises(ConfigError, match="Did you mean 'thyroid'"):
        ONTOLOGY.node("thyriod")
    with pytest.raises(ConfigError, match="axis"):
        ONTOLOGY.close(["elbow"], [])


def test_load_is_cached_and_stamped() -> None:
    assert Ontology.load() is Ontology.load(ontology_dir())
    assert ONTOLOGY.stamp == f"0.1.0+{ONTOLOGY.digest[:12]}"


def test_a_changed_note_changes_the_digest_but_a_comment_does_not(tmp_path: Path) -> None:
    def copy(name: str, change: str) -> Ontology:
        folder = tmp_path / name
        folder.mkdir()
        for path in ontology_dir().glob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            (folder / path.name).write_text(text.replace("cranium", change), encoding="utf-8")
        return Ontology.load(folder)

    assert copy("same", "cranium").digest == ONTOLOGY.digest
    assert copy("comment", "cranium # skull\n   ").digest == ONTOLOGY.digest
    assert copy("other", "skull").digest != ONTOLOGY.digest


@given(IDS, IDS)
def test_closure_is_idempotent(positive: list[str], negative: list[str]) -> None:
    once = ONTOLOGY.close(positive, negative)
    assert ONTOLOGY.close(once.positive, once.negative) == once


@given(IDS, IDS)
def test_closure_holds_its_input_ancestors_and_descendants(positive: list[str], negative: list[str]) -> None:
    yes, no = ONTOLOGY.close(positive, negative)
    assert yes >= set(positive)
    assert no >= set(negative)
    assert all(yes >= set(ONTOLOGY.ancestors(node)) for node in yes)
    assert all(yes >= set(ONTOLOGY.node(node).implies) for node in yes)
    assert all(no >= set(ONTOLOGY.descendants(node)) for node in no)


@given(IDS, IDS, IDS, IDS)
def test_closure_is_monotone(positive: list[str], more: list[str], negative: list[str], less: list[str]) -> None:
    small, large = ONTOLOGY.close(positive, negative), ONTOLOGY.close(positive + more, negative + less)
    assert small.positive <= large.positive
    assert small.negative <= large.negative


@given(IDS)
def test_positives_never_make_negatives(positive: list[str]) -> None:
    assert ONTOLOGY.close(positive, []).negative == frozenset()
    assert ONTOLOGY.close([], positive).positive == frozenset()


def test_implies_crosses_branches_and_brings_its_ancestors() -> None:
    yes, _ = ONTOLOGY.close(["mitral_anterior_leaflet"], [])
    assert yes == {"mitral_anterior_leaflet", "mitral_valve", "heart_valve", "heart", "chest"}
    assert "paraspinal_muscle" not in ONTOLOGY.close([], ["skeletal_muscle"]).negative


def test_conflicts_are_reported_not_resolved() -> None:
    closed = ONTOLOGY.close(["left_ventricle"], ["heart"])
    assert closed.conflicts == {"heart"}
    assert "heart" in closed.positive
    assert "heart" in closed.negative
    assert ONTOLOGY.close(["fetal_liver"], ["fetal_abdomen"]).conflicts == {"fetal_abdomen", "fetal_liver"}
    assert ONTOLOGY.close(["breast"], ["lung"]).conflicts == frozenset()


def test_levels() -> None:
    yes, _ = ONTOLOGY.close(["thyroid_isthmus", "breast"], [])
    assert ONTOLOGY.levels(yes) == {
        "region": ["chest", "neck"],
        "organ": ["breast", "thyroid"],
        "structure": ["thyroid_isthmus"],
    }


def test_pathology_of_one_axis_excludes_itself_where_stated() -> None:
    assert ONTOLOGY.pathology_conflicts(["benign", "malignant"]) == {"benign", "malignant"}
    assert ONTOLOGY.pathology_conflicts(["benign", "bi_rads_3", "nodule"]) == frozenset()
    assert ONTOLOGY.pathology_conflicts(["A_line", "B_line"]) == frozenset()
    with pytest.raises(ConfigError, match="Did you mean 'benign'"):
        ONTOLOGY.pathology_conflicts(["benin"])
