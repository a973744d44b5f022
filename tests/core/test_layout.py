from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ultracurate.core.layout import (
    FORMATS,
    NAMING,
    PICTURE_ENDINGS,
    REASONS,
    LayoutRule,
    compile_pattern,
    fill_template,
    literal_start,
    match_path,
    pattern_fields,
    template_fields,
)

PART = st.text("abcdefgXYZ0123456789 ()-", min_size=1, max_size=8).filter(lambda text: text == text.strip())


def fields_of(pattern: str, path: str) -> dict[str, str] | None:
    found = compile_pattern(pattern).fullmatch(path)
    return None if found is None else dict(found.groupdict())


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("a/*.png", "a/x.png", {}),
        ("a/*.png", "a/b/x.png", None),
        ("**/*.png", "x.png", {}),
        ("**/*.png", "a/b/x.png", {}),
        ("a/**", "a/b/c.txt", {}),
        ("a/**", "ab/c.txt", None),
        ("{class}/{name}.png", "benign/benign (5).png", {"class": "benign", "name": "benign (5)"}),
        ("{class}/{name}.png", "a/benign/x.png", None),
        ("{patient}_{n}.jpg", "a_b_c.jpg", {"patient": "a_b", "n": "c"}),
        (r"p{n:\d{2,3}}.jpg", "p123.jpg", {"n": "123"}),
        (r"p{n:\d{2,3}}.jpg", "p1.jpg", None),
        ("{rest:.*}/x.png", "a/b/x.png", {"rest": "a/b"}),
        ("{name}.{ending:png|jpg}", "x.JPG", {"name": "x", "ending": "JPG"}),
        ("a+b(1).png", "a+b(1).png", {}),
        ("a.b/x", "axb/x", None),
    ],
)
def test_patterns(pattern: str, path: str, fields: dict[str, str] | None) -> None:
    assert fields_of(pattern, path) == fields


def test_case_counts_everywhere_but_in_the_ending() -> None:
    assert fields_of("Data/{n}.jpg", "Data/1.JPG") == {"n": "1"}
    assert fields_of("Data/{n}.jpg", "data/1.jpg") is None


def test_anchored_at_both_ends() -> None:
    assert fields_of("a.png", "xa.png") is None
    assert fields_of("a.png", "a.png.bak") is None
    assert fields_of("a.png", "a.png\n") is None


@pytest.mark.parametrize(
    "pattern", ["a/{name.png", "a/name}.png", "{}/x", "{1a}/x", "{a:}/x", "{a}/{a}", "{a:(}/x", "/a", " a", "{a:[}/x"]
)
def test_broken_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        LayoutRule(match=pattern, kind="image")


@given(st.lists(PART, min_size=1, max_size=4))
def test_a_path_matches_itself_and_captures_its_parts(parts: list[str]) -> None:
    path = "/".join(parts)
    assert compile_pattern(path).fullmatch(path)
    pattern = "/".join(f"{{f{n}}}" for n in range(len(parts)))
    assert fields_of(pattern, path) == {f"f{n}": part for n, part in enumerate(parts)}
    assert pattern_fields(pattern) == {f"f{n}" for n in range(len(parts))}
    assert compile_pattern("**").fullmatch(path)
    assert compile_pattern("**/" + parts[-1]).fullmatch(path)


def test_first_rule_wins_and_says_which() -> None:
    rules = [
        LayoutRule(match="a/skip.png", kind="exclude", reason="not_ultrasound: a bone scan"),
        LayoutRule(match="a/{name}_mask.png", kind="mask", of="a/{name}.png", set={"site": "x"}),
        LayoutRule(match="a/{name}.png", kind="image"),
    ]
    skipped = match_path(rules, "a/skip.png")
    assert skipped is not None
    assert (skipped.kind, skipped.reason, skipped.detail, skipped.rule_index) == (
        "exclude",
        "not_ultrasound",
        "a bone scan",
        0,
    )
    mask = match_path(rules, "a/1_mask.png")
    assert mask is not None
    assert (mask.kind, mask.of, mask.fields) == ("mask", "a/1.png", {"name": "1", "site": "x"})
    image = match_path(rules, "a/1.png")
    assert image is not None
    assert (image.kind, image.reason, image.rule_index) == ("image", None, 2)
    assert match_path(rules, "b/1.png") is None


def test_without_rules_the_ending_decides() -> None:
    for ending in PICTURE_ENDINGS:
        found = match_path([], f"a.b/x.{ending.upper()}")
        assert found is not None
        assert (found.kind, found.fields, found.rule_index) == ("image", {}, -1)
    assert match_path([], "notes.txt") is None
    assert match_path([], "png") is None
    assert match_path([], "a.png/readme") is None


@pytest.mark.parametrize(
    "rule",
    [
        {"match": "a", "kind": "exclude"},
        {"match": "a", "kind": "ignore"},
        {"match": "a", "kind": "exclude", "reason": "because"},
        {"match": "a", "kind": "image", "reason": "not_needed"},
        {"match": "a", "kind": "image", "of": "b"},
        {"match": "{a}", "kind": "mask", "of": "{b}"},
        {"match": "{a}", "kind": "mask", "set": {"a": "x"}},
        {"match": "a", "kind": "image", "set": {"not a name": "x"}},
        {"match": "a", "kind": "picture"},
        {"match": "a", "kind": "image", "format": "mask"},
        {"match": "a", "kind": "mask", "format": "coco"},
        {"match": "a", "kind": "mask", "of": "b/*.png"},
        {"match": "a", "kind": "mask", "of": "**/b/c.png"},
        {"match": "a", "kind": "mask", "of": "b**/c.png"},
        {"match": "a", "kind": "mask", "of": "**/**/c.png"},
        {"match": "a", "kind": "annotation", "format": "yolo"},
        {"match": "a", "kind": "annotation", "of": "b/{file}"},
        {"match": "a", "kind": "mask", "format": "indexed_mask", "of": "b/{file}"},
    ],
)
def test_rules_that_make_no_sense_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LayoutRule.model_validate(rule)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_of_an_annotation_may_be_named(form: str) -> None:
    assert LayoutRule.model_validate({"match": "a", "kind": "annotation", "format": form}).format == form
    named = {"match": "a", "kind": "annotation", "format": form, "of": "b/{file}"}
    if form in NAMING:
        found = match_path([LayoutRule.model_validate(named)], "a")
        assert found is not None
        assert found.of == "b/{file}", "the content of the file fills it in"
    else:
        with pytest.raises(ValidationError, match="needs a format among coco, labelme, voc"):
            LayoutRule.model_validate(named)


def test_a_captured_field_named_file_wins_over_the_one_inside() -> None:
    rule = LayoutRule(match="{file}.json", kind="annotation", format="coco", of="img/{file}.png")
    found = match_path([rule], "x.json")
    assert found is not None
    assert found.of == "img/x.png"


@pytest.mark.parametrize(("path", "of"), [("m/1.png", "i/1.png"), ("a/b/m/1.png", "a/b/i/1.png")])
def test_a_mask_in_no_folder_has_its_picture_in_none(path: str, of: str) -> None:
    found = match_path([LayoutRule(match="{place:(?:.*/)?}m/{n}.png", kind="mask", of="{place}i/{n}.png")], path)
    assert found is not None
    assert found.of == of


@pytest.mark.parametrize(
    ("pattern", "start"),
    [("a.zip/b*.csv", "a.zip/b"), ("**/x.csv", ""), ("{n}.csv", ""), ("a/{n}", "a/"), ("list.csv", "list.csv")],
)
def test_what_a_pattern_begins_with(pattern: str, start: str) -> None:
    assert literal_start(pattern) == start


def test_reasons_are_single_words() -> None:
    assert all(word.isidentifier() and meaning for word, meaning in REASONS.items())


def test_templates() -> None:
    assert template_fields("{site}/{patient}") == {"site", "patient"}
    assert fill_template("{site}/{patient}", {"site": "A", "patient": "7"}) == "A/7"
    assert fill_template("{site}/{patient}", {"site": "A"}) is None
    assert fill_template("{site}/{patient}", {"site": "A", "patient": ""}) is None
    assert fill_template("{a}", {"a": "{b}", "b": "x"}) == "{b}"  # a value is never read as a template
    for broken in ("{a", "a}", "{}", "{{a}}"):
        with pytest.raises(ValueError, match="template"):
            template_fields(broken)
