from __future__ import annotations

import dataclasses
import json

import pytest

from tests.core.toy.build import manifest, toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core.config import Recipe, parse
from ultracurate.core.errors import ConfigError
from ultracurate.core.spec import Spec, open_spec, resolve
from ultracurate.core.stage import chain, pipeline
from ultracurate.core.store import Store

STAGES = chain(package=PACKAGE)


def changed(spec: Spec, base: Spec | None = None) -> list[str]:
    """Stages whose fingerprint differs from that of the plain toy recipe."""
    before, after = (base or toy_spec()).fingerprints(STAGES), spec.fingerprints(STAGES)
    return [name for name in before if before[name] != after[name]]


@pytest.mark.parametrize(
    ("setting", "stages"),
    [
        ("make.rows=11", ["make", "square", "rank"]),
        ("square.times=2", ["square", "rank"]),
        ("rank.below=5", ["rank"]),
        ("square.times=1", []),  # the default, said aloud
        ("seed=7", []),  # no stage of this pipeline draws
        ("title=Other", []),
        ("roots.toy=/elsewhere", []),
        ("limits.zenodo=3", []),
        ("hosts.zenodo=http://localhost:1", []),
    ],
)
def test_a_setting_changes_its_stage_and_those_below(setting: str, stages: list[str]) -> None:
    assert changed(toy_spec([setting])) == stages


def test_the_datasets_are_not_in_the_line_of_settings() -> None:
    assert changed(toy_spec(datasets=("b", "c", "a"))) == []
    override = {"slug": "a", "overrides": {"sources": [{"host": "local", "root": "toy", "path": "x"}]}}
    assert changed(toy_spec(more={"datasets": [override, "b"]})) == []


def test_version_ontology_and_seed_count_where_they_are_declared() -> None:
    plain = toy_spec()
    other = dataclasses.replace(toy_spec(["seed=9"]), ontology="v2")
    (square,) = (s for s in STAGES if s.name == "square")
    for declared, differs in (
        (square, False),
        (dataclasses.replace(square, ontology=True), True),
        (dataclasses.replace(square, seeded=True), True),
    ):
        assert (plain.line(declared) != other.line(declared)) is differs
    assert plain.line(square) != plain.line(dataclasses.replace(square, version=2))


def test_what_a_stage_says_of_its_programs_counts_and_saying_nothing_does_not() -> None:
    spec, square = toy_spec(), pipeline(PACKAGE).get("square")
    plain, silent, one, other = (
        dataclasses.replace(square, versions=said)
        for said in (None, lambda cfg: {}, lambda cfg: {"reader": "1"}, lambda cfg: {"reader": "2"})
    )
    assert spec.line(plain) == spec.line(silent)
    assert spec.line(one) == spec.line(plain) | {"versions": {"reader": "1"}}
    assert len({spec.fingerprints([stage])["square"] for stage in (plain, one, other)}) == 3


def test_fingerprints_are_names_of_directories() -> None:
    prints = toy_spec().fingerprints(STAGES)
    assert all(len(value) == 16 and set(value) <= set("0123456789abcdef") for value in prints.values())
    assert prints == toy_spec().fingerprints(STAGES)
    # Pinned: a release that moves them without a reason makes everybody compute everything again.
    assert prints == {"make": "2ce10f151f8a7f62", "square": "d4d8a2916a9d9a02", "rank": "e1f92a65bd55fe2e"}


def test_a_spec_opens_as_it_was_saved(store: Store) -> None:
    override = {"slug": "a", "overrides": {"version": "2"}}
    spec = toy_spec(["square.times=3", "seed=4"], more={"datasets": [override, "b"], "roots": {"toy": "/x"}})
    name = spec.save(store)
    assert name == spec.digest
    again_store, again = open_spec(store.url, name)
    assert (again_store.url, again.digest) == (store.url, spec.digest)
    assert again.recipe == spec.recipe
    assert dict(again.manifests) == dict(spec.manifests)
    assert again.manifests["a"].version == "2"
    assert again.fingerprints(STAGES) == spec.fingerprints(STAGES)
    spec.save(store)
    assert store.names("specs") == [f"{name}.json"]
    assert json.loads(store.read(f"specs/{name}.json"))["recipe"]["seed"] == 4


def test_specs_that_differ_have_different_names() -> None:
    specs = [toy_spec(), toy_spec(["seed=1"]), toy_spec(["square.times=2"]), toy_spec(datasets=("a",))]
    assert len({spec.digest for spec in specs}) == 4


def test_a_dataset_without_a_manifest_is_named() -> None:
    recipe = parse(Recipe, {"name": "r", "datasets": ["a", "c"]}, "")
    with pytest.raises(ConfigError, match=r"Recipe 'r' names dataset 'c', which has no manifest. Known: a, b"):
        resolve(recipe, {"b": manifest("b"), "a": manifest("a")}, "none", PACKAGE)


def test_a_dataset_named_twice_is_an_error() -> None:
    recipe = parse(Recipe, {"name": "r", "datasets": ["a", {"slug": "a"}]}, "")
    with pytest.raises(ConfigError, match="'a' twice"):
        resolve(recipe, {"a": manifest("a")}, "none", PACKAGE)


def test_only_the_datasets_of_the_recipe_are_kept_in_its_order() -> None:
    known = {slug: manifest(slug) for slug in "abc"}
    spec = resolve(parse(Recipe, {"name": "r", "datasets": ["c", "a"]}, ""), known, "none", PACKAGE)
    assert (spec.order, sorted(spec.manifests)) == (("c", "a"), ["a", "c"])


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["square.tmies=2"], r"stage 'square' in recipe 'toy'.*\n.*tmies: unknown key. Did you mean 'times'"),
        (["square.times=two"], "times: .*found 'two'"),
        (["sqare.times=2"], "No stage is called 'sqare'. Did you mean 'square'"),
    ],
)
def test_wrong_settings_are_found_before_anything_runs(sets: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        toy_spec(sets)


def test_overrides_are_as_strict_as_a_manifest() -> None:
    with pytest.raises(ConfigError, match=r"Overrides of dataset 'a' in recipe 'toy'.*\n.*versoin: unknown key"):
        toy_spec(more={"datasets": [{"slug": "a", "overrides": {"versoin": "2"}}]})
    with pytest.raises(ConfigError, match="slug"):
        toy_spec(more={"datasets": [{"slug": "a", "overrides": {"slug": "other"}}]})


def test_the_digest_of_sections_is_of_declared_fields_only() -> None:
    make, square, _ = STAGES
    other = toy_spec(more={"datasets": [{"slug": "a", "overrides": {"remarks": ["new"]}}, "b"]})
    moved = [{"host": "local", "root": "toy", "path": "elsewhere"}]
    sources = toy_spec(more={"datasets": [{"slug": "a", "overrides": {"sources": moved}}, "b"]})
    for dataset in ("a", None):
        plain = toy_spec().sections_digest(make, dataset)
        assert other.sections_digest(make, dataset) == plain
        assert sources.sections_digest(make, dataset) != plain
    assert sources.sections_digest(make, "b") == toy_spec().sections_digest(make, "b")
    assert sources.sections_digest(square, "a") == "", "square reads no manifest"


def test_views_show_what_the_stage_declared() -> None:
    views = toy_spec().views(pipeline(PACKAGE).get("make"))
    assert sorted(views) == ["a", "b"]
    assert views["b"].sources[0].path == "b"
