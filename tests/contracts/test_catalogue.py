"""The catalogue of public datasets: what must hold of it without its tables at hand."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from ultracurate.core import licences, resources
from ultracurate.core.config import load_recipe, parse
from ultracurate.core.dataset import DatasetManifest, Use, load_all
from ultracurate.core.errors import ConfigError
from ultracurate.ontology.tree import Ontology
from ultracurate.terminal.datasets import ANATOMY

HELD_OUT = {
    "abdomenus_bgi": ["echocare_abdomenus"],
    "brain_benchmark": ["echocare_brainlandmark"],
    "bus_bra": ["echocare_busbra_birads", "usfmae_busbra"],
    "camus": ["echocare_camus_ef"],
    "ddti": ["echocare_ddti"],
    "fass": ["ultradino_fass"],
    "fetal_planes_db": ["ultradino_fetal_planes"],
    "focus": ["echocare_focus"],
    "gist514_db": ["usfmae_gist514"],
    "jnu_ifm": ["ultradino_jnu_ifm"],
    "mmotu_2d": ["usfmae_mmotu2d"],
    "mus_v": ["echocare_musv"],
    "sysu_fll_ceus": ["echocare_sysu_fll_ceus"],
    "thyroid_us_cineclip": ["echocare_thyroid_cineclip"],
    "usenhance_2023": ["echocare_usenhance"],
    "usreport": ["echocare_usreport_liver"],
}
"""The held-out sets but fm_uia_2026, which stands for all tasks of M2DINO."""

LICENCES = {
    "unknown": 71,
    "CC-BY-4.0": 20,
    "restricted": 8,
    "Apache-2.0": 3,
    "CC-BY-NC-SA-4.0": 3,
    "CC-BY-NC-4.0": 2,
    "CC-BY-NC-ND-4.0": 1,
}
CONFIDENCE = {None: 53, "atlas": 27, "secondary": 17, "primary": 7, "conflict": 4}
HOSTS = {"aimi", "figshare", "gdrive", "github", "http", "kaggle", "manual", "mendeley", "synapse", "tcia", "zenodo"}


@cache
def shipped() -> dict[str, DatasetManifest]:
    return load_all(resources.manifests_dir())


@cache
def catalogue() -> dict[str, DatasetManifest]:
    """The manifests of the catalogue: those that say how far their facts can be trusted."""
    return {slug: manifest for slug, manifest in shipped().items() if manifest.confidence is not None}


def uses(corpus: str) -> list[tuple[Use, str]]:
    """Every (use, slug) of a corpus, by row of its paper."""
    found = [(use, slug) for slug, m in catalogue().items() for use in m.used_in if use.corpus == corpus]
    return sorted(found, key=lambda pair: (pair[0].row, pair[1]))


def slugs_of(recipe: str) -> list[str]:
    return [entry.slug for entry in load_recipe(resources.recipes_dir() / f"{recipe}.yaml").entries]


def test_there_are_108_datasets() -> None:
    assert len(catalogue()) == 108


@pytest.mark.parametrize(("corpus", "datasets"), [("openus46", 46), ("echoatlas", 77)])
def test_a_recipe_names_its_paper_s_datasets_in_the_paper_s_order(corpus: str, datasets: int) -> None:
    named = slugs_of(corpus)
    assert named == [slug for _, slug in uses(corpus)]
    assert len(named) == len(set(named)) == datasets


def test_rows_are_those_of_the_papers() -> None:
    assert [use.row for use, _ in uses("openus46")] == list(range(1, 47))
    rows = Counter(use.row for use, _ in uses("echoatlas"))
    assert sorted(rows) == list(range(1, 77))
    assert {row: n for row, n in rows.items() if n > 1} == {45: 2}, "row 45 is MMOTU, in two parts"


def test_images_sum_to_the_totals_of_the_papers() -> None:
    assert sum(use.images or 0 for use, _ in uses("openus46")) == 374_192
    uncounted = {slug for use, slug in uses("echoatlas") if use.images is None}
    assert uncounted == {"mmotu_2d", "mmotu_ceus"}, "one printed count, 1,639, for both parts"
    assert sum(use.images or 0 for use, _ in uses("echoatlas")) + 1_639 == 1_128_701


def test_what_no_corpus_lists_is_held_out() -> None:
    unlisted = {slug for slug, m in catalogue().items() if not m.used_in}
    assert len(unlisted) == 9
    assert all(catalogue()[slug].held_out for slug in unlisted)


def test_seventeen_benchmark_sets_are_held_out() -> None:
    found = {slug: m.held_out for slug, m in catalogue().items() if m.held_out}
    assert len(found) == 17
    m2dino = found.pop("fm_uia_2026")
    assert found == HELD_OUT
    assert len(set(m2dino)) == len(m2dino) == 16
    assert all(name.startswith("m2dino_") for name in m2dino)


def test_licences_are_known_ids_and_counted() -> None:
    assert {m.licence.id for m in shipped().values()} <= licences.TERMS.keys()
    assert Counter(m.licence.id for m in catalogue().values()) == LICENCES
    assert Counter(m.confidence.licence for m in catalogue().values() if m.confidence) == CONFIDENCE


@pytest.mark.parametrize(("confidence", "word"), [("secondary", "secondary source"), ("conflict", "disagree")])
def test_a_doubtful_licence_says_so(confidence: str, word: str) -> None:
    for slug, m in catalogue().items():
        if m.confidence is not None and m.confidence.licence == confidence:
            assert word in (m.licence.evidence or "").lower(), slug
            assert confidence in (m.licence.note or "").lower(), slug
            assert "before any re-use" in (m.licence.note or ""), slug


def test_a_licence_that_nobody_found_allows_nothing() -> None:
    for slug, m in catalogue().items():
        if m.confidence is not None and m.confidence.licence is None:
            assert m.licence.id == licences.UNKNOWN, slug
            assert (m.licence.note or "").startswith("Not found"), slug
            assert m.licence.evidence is None, slug


def test_the_linked_version_of_bus_uclm_is_not_taken_for_the_freer_one() -> None:
    assert catalogue()["bus_uclm"].licence.terms.commercial is False


def test_every_overlap_names_a_dataset_and_is_named_by_it_in_turn() -> None:
    pairs = {(slug, o.dataset): o.status for slug, m in shipped().items() for o in m.overlaps}
    assert {other for _, other in pairs} <= shipped().keys()
    for (slug, other), status in pairs.items():
        assert slug != other
        assert pairs.get((other, slug)) == status, f"{other} does not name {slug} as {status}"


def test_a_guess_from_the_title_says_so() -> None:
    inferred = {slug for slug, m in catalogue().items() if m.confidence and m.confidence.content == "inferred"}
    assert len(inferred) == 41
    assert {slug for slug, m in catalogue().items() if "inferred from the title" in " ".join(m.remarks)} == inferred


def test_every_place_is_of_a_known_host_and_a_page_is_named_where_no_record_is() -> None:
    for slug, m in catalogue().items():
        assert {source.host for source in m.sources} <= HOSTS, slug
        text = " ".join((*m.remarks, m.licence.note or ""))
        for source in m.sources:
            if source.record is None and not source.files:
                assert re.search(r"Page: https?://|no place to get the set from is known", text), slug


UNLABELLED = {"abdomenus_bgi", "jnu_ifm", "mus_v", "three_vessels_gallbladder", "ubpd", "usenhance_2023", "usreport"}
"""Of several body parts, and no file name says which picture shows which; fm_uia_2026, of ten, is the eighth."""


def test_every_set_but_those_of_mixed_body_parts_is_labelled() -> None:
    assert {slug for slug, m in catalogue().items() if not m.labels} == UNLABELLED | {"fm_uia_2026"}


def test_one_rule_at_most_holds_without_a_condition() -> None:
    for slug, m in catalogue().items():
        whole = [rule for rule in m.labels if not rule.when]
        assert len(whole) <= 1, slug
        assert all(rule.when for rule in m.labels[1:]), f"{slug}: the rule for the whole set comes first"


def test_a_set_says_what_a_single_picture_need_not_show() -> None:
    ontology = Ontology.load()
    for slug, m in catalogue().items():
        for remark in m.remarks:
            if remark.startswith(ANATOMY):
                ids = remark.removeprefix(ANATOMY).partition(";")[0].split(",")
                assert {name.strip() for name in ids} <= ontology.nodes.keys(), slug


def test_no_page_or_remark_speaks_of_where_it_was_compiled() -> None:
    for slug, m in catalogue().items():
        assert not re.search(r"\bseeds?\b|_datasets\.csv", " ".join(m.remarks)), slug


def minimal(**changes: Any) -> DatasetManifest:
    base: dict[str, Any] = {
        "slug": "toy",
        "title": "Toy",
        "licence": {"id": "unknown"},
        "sources": [{"host": "manual"}],
    }
    return parse(DatasetManifest, base | changes, "test")


def test_only_a_dataset_without_layout_may_leave_its_access_open() -> None:
    assert minimal(status="needs_layout").access is None
    assert minimal(access="open").status == "ready"
    with pytest.raises(ConfigError, match="access: found none"):
        minimal()


@pytest.mark.parametrize(
    "changes",
    [
        {"used_in": [{"corpus": "x", "row": 0, "name": "X"}]},
        {"used_in": [{"corpus": "x", "row": 1, "name": ""}]},
        {"confidence": {"licence": "sure"}},
        {"confidence": {"content": "guessed"}},
        {"annotations": ["masks"]},
        {"patient_key": "yes"},
    ],
)
def test_wrong_facts_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        minimal(access="open", **changes)
