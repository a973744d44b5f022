from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from ultracurate.core.config import (
    RUNTIME,
    DatasetEntry,
    Recipe,
    Settings,
    apply_sets,
    canonical,
    digest,
    fingerprint_fields,
    load_recipe,
    parse,
)
from ultracurate.core.errors import ConfigError


class Inner(Settings):
    radius: int = 3


class Example(Settings):
    threshold: float = 0.5
    name: str = "x"
    inner: Inner = Field(default_factory=Inner)
    workers: int = Field(default=4, json_schema_extra=RUNTIME)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def test_an_unknown_key_names_place_and_nearest_key() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Example, {"treshold": 1.0}, "Settings of stage 'strip'")
    message = str(caught.value)
    assert "Settings of stage 'strip'" in message
    assert "treshold: unknown key. Did you mean 'threshold'?" in message
    assert "inner, name, threshold, workers" in message


def test_an_unknown_key_inside_a_group_is_compared_with_the_keys_of_that_group() -> None:
    with pytest.raises(ConfigError, match=r"inner\.radios: unknown key. Did you mean 'radius'\? Known keys: radius$"):
        parse(Example, {"inner": {"radios": 1}}, "here")


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Example, {"threshold": "high", "name": 3, "nothing_alike": 1}, "here")
    assert str(caught.value).count("\n  - ") == 3
    assert "found 'high'" in str(caught.value)


@pytest.mark.parametrize(
    "data", [{"threshold": "0.5"}, {"workers": 4.5}, {"workers": True}, {"name": 1}, {"inner": None}]
)
def test_nothing_is_coerced(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        parse(Example, data, "here")


def test_a_whole_number_is_a_fraction_with_the_same_fingerprint() -> None:
    assert canonical(fingerprint_fields(parse(Example, {"threshold": 2}, ""))) == canonical(
        fingerprint_fields(parse(Example, {"threshold": 2.0}, ""))
    )


def test_long_values_are_shortened_in_messages() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Example, {"threshold": "9" * 5000}, "here")
    assert len(str(caught.value)) < 400


def test_settings_do_not_change_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(Example, {}, "").threshold = 1.0  # type: ignore[misc]


def test_runtime_settings_are_not_in_the_fingerprint() -> None:
    slow, fast = Example(workers=1), Example(workers=64)
    assert fingerprint_fields(slow) == fingerprint_fields(fast)
    assert "workers" not in fingerprint_fields(slow)
    assert fingerprint_fields(Example(threshold=0.6)) != fingerprint_fields(slow)


def test_runtime_settings_inside_a_group_are_not_in_the_fingerprint() -> None:
    class Group(Settings):
        inner: Example = Field(default_factory=Example)

    assert fingerprint_fields(Group(inner=Example(workers=1))) == fingerprint_fields(Group())
    assert fingerprint_fields(Group(inner=Example(name="y"))) != fingerprint_fields(Group())


def shuffled(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: shuffled(data[key]) for key in reversed(data)}
    return [shuffled(item) for item in data] if isinstance(data, list) else data


@given(plain)
def test_canonical_json_ignores_the_order_of_keys_and_keeps_the_content(data: Any) -> None:
    assert canonical(shuffled(data)) == canonical(data)
    assert json.loads(canonical(data)) == data
    assert digest(data) == digest(shuffled(data))


@given(plain, plain)
def test_different_content_has_different_canonical_json(a: Any, b: Any) -> None:
    assert (canonical(a) == canonical(b)) == (json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True))


def test_the_digest_keeps_its_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest(["a", "bc"])
    # Fingerprints name directories: a digest that changes with a release would orphan every finished part.
    assert digest("a", {"b": 1.5, "a": [None, True]})[:16] == "c46c2c6505fb18b0"


@given(st.text("abcdefgh_", min_size=1), st.integers() | st.booleans() | st.none() | st.lists(st.integers()))
def test_set_gives_a_stage_its_setting(name: str, value: Any) -> None:
    data = apply_sets({"name": "r", "datasets": ["a"]}, [f"dedup.hash.{name}={json.dumps(value)}"])
    assert data == {"name": "r", "datasets": ["a"], "stages": {"dedup.hash": {name: value}}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("seed=7", {"seed": 7}),
        ("title=", {"title": None}),
        ("title=a=b", {"title": "a=b"}),
        ("datasets=[a, b]", {"datasets": ["a", "b"]}),
        ("frames.fps=2.5", {"stages": {"frames": {"fps": 2.5}}}),
        ("dedup.hash.crop=true", {"stages": {"dedup.hash": {"crop": True}}}),
        ("stages.frames.fps=2", {"stages": {"frames": {"fps": 2}}}),
        ("stages.dedup.hash.crop=1", {"stages": {"dedup.hash": {"crop": 1}}}),
        ("roots.sets=/data", {"roots": {"sets": "/data"}}),
        ("hosts.zenodo=http://localhost:1", {"hosts": {"zenodo": "http://localhost:1"}}),
        ("limits.zenodo.search=5", {"limits": {"zenodo.search": 5}}),
        ("strip.size=null", {"stages": {"strip": {"size": None}}}),
    ],
)
def test_set_reads_yaml_and_finds_its_place(item: str, expected: dict[str, Any]) -> None:
    assert apply_sets({}, [item]) == expected


def test_set_wins_over_the_recipe_and_the_last_one_wins() -> None:
    data = {"seed": 1, "stages": {"frames": {"fps": 1, "keep": True}}}
    merged = apply_sets(data, ["frames.fps=2", "seed=5", "frames.fps=3"])
    assert merged == {"seed": 5, "stages": {"frames": {"fps": 3, "keep": True}}}
    assert data["stages"] == {"frames": {"fps": 1, "keep": True}}, "the caller's data is its own"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("frames.fps", "expected key=value"),
        ("=3", "expected key=value"),
        ("sede=3", "unknown recipe setting"),
        ("seed.x=3", "'seed' is not a group"),
        ("datasets.0=a", "'datasets' is not a group"),
        ("frames.fps=[1", "YAML"),
    ],
)
def test_a_wrong_set_says_so(item: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        apply_sets({"seed": 1, "datasets": ["a"]}, [item])
    assert item in str(caught.value) or item.partition("=")[0] in str(caught.value)


@pytest.mark.parametrize("name", ["Big", "a b", "", "../x", "-a"])
def test_a_recipe_name_is_a_safe_file_name(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        parse(Recipe, {"name": name, "datasets": ["a"]}, "here")


def test_a_recipe_needs_a_dataset() -> None:
    with pytest.raises(ConfigError, match="datasets"):
        parse(Recipe, {"name": "r", "datasets": []}, "here")


def test_entries_are_in_the_recipes_order() -> None:
    recipe = parse(Recipe, {"name": "r", "datasets": ["b", {"slug": "a", "overrides": {"version": "2"}}]}, "")
    assert recipe.entries == (DatasetEntry(slug="b"), DatasetEntry(slug="a", overrides={"version": "2"}))


def recipe_file(folder: Path, text: str = "") -> Path:
    path = folder / "r.yaml"
    path.write_text(f"name: r\ndatasets: [a]\n{text}", encoding="utf-8")
    return path


def test_roots_by_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recipe_file(tmp_path, "roots: {one: data/one, two: data/two, three: /abs/three}\nmanifests: [mine]\n")
    monkeypatch.setenv("ULTRACURATE_ROOT_TWO", str(tmp_path / "env-two"))
    monkeypatch.setenv("ULTRACURATE_ROOT_THREE", str(tmp_path / "env-three"))
    recipe = load_recipe(path, roots={"three": str(tmp_path / "cli-three"), "four": str(tmp_path / "cli-four")})
    assert recipe.roots == {
        "one": str(tmp_path / "data" / "one"),
        "two": str(tmp_path / "env-two"),
        "three": str(tmp_path / "cli-three"),
        "four": str(tmp_path / "cli-four"),
    }
    assert recipe.manifests == [str(tmp_path / "mine")]


def test_relative_roots_of_the_command_line_are_relative_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "here").mkdir()
    path = recipe_file(tmp_path / "recipes", "roots: {env: x}\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("ULTRACURATE_ROOT_ENV", "e")
    recipe = load_recipe(path, roots={"cli": "c"})
    assert recipe.roots == {"env": str(tmp_path / "here" / "e"), "cli": str(tmp_path / "here" / "c")}


def test_a_root_may_be_named_by_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRACURATE_ROOT_SETS", str(tmp_path))
    assert load_recipe(recipe_file(tmp_path)).roots["sets"] == str(tmp_path)


def test_a_recipe_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("- a\n- b\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"r\.yaml is not a recipe.*found list"):
        load_recipe(path)


def test_a_recipe_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"r\.yaml.*\n.*stagse: unknown key. Did you mean 'stages'"):
        load_recipe(recipe_file(tmp_path, "stagse: {}\n"))
