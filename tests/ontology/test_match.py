from __future__ import annotations

import pytest

from ultracurate.ontology.match import fold, match_label, propose
from ultracurate.ontology.tree import Ontology

ONTOLOGY = Ontology.load()


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("Breast", "breast"),
        ("  breast ", "breast"),
        ("thyroid_gland", "thyroid"),
        ("Left-Ventricle", "left_ventricle"),
        ("thorax", "chest"),
        ("Spinal Cord", "spinal_cord"),  # also a synonym of back: a name goes first
        ("Gastrointestinal", "intestine"),
        ("unknown", None),  # region `other` and organ `unspecified_organ`: nobody can tell
        ("TA", None),  # only one dataset says so
        ("brest", None),  # likeness is never a match
        ("", None),
    ],
)
def test_exact_matches_only(text: str, node: str | None) -> None:
    assert match_label(text, ONTOLOGY) == node


def test_words_of_one_dataset_count_only_there() -> None:
    assert match_label("thorax", ONTOLOGY, source="FOCUS") == "fetal_thorax"
    assert match_label("TA", ONTOLOGY, source="STMUS_NDA") == "tibialis_anterior"
    assert match_label("TA", ONTOLOGY, source="BUSI") is None


def test_a_level_settles_a_tie() -> None:
    assert match_label("unknown", ONTOLOGY, level="organ") == "unspecified_organ"
    assert match_label("unknown", ONTOLOGY, level="region") == "other"
    assert match_label("breast", ONTOLOGY, level="region") is None


def test_every_node_is_found_by_its_id() -> None:
    for node in ONTOLOGY.nodes:
        assert match_label(node, ONTOLOGY) == node


def test_proposals_are_ordered_and_bounded() -> None:
    found = propose("thyriod", ONTOLOGY)
    assert found[0][0] == "thyroid"
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.5 <= score <= 1 for score in scores)
    assert propose("qqqqqqqq", ONTOLOGY) == []
    assert propose("Breast", ONTOLOGY, count=1) == [("breast", 1.0)]


def test_fold_is_idempotent() -> None:
    assert fold(fold(" A_b--C ")) == fold(" A_b--C ") == "a b c"
