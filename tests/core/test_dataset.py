from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ultracurate.core.config import parse
from ultracurate.core.dataset import DatasetManifest, load_all, load_manifest
from ultracurate.core.errors import ConfigError, ContractError


def data(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "slug": "toy",
        "title": "A toy set",
        "licence": {"id": "CC-BY-4.0"},
        "access": "open",
        "sources": [{"host": "local", "root": "samples", "path": "toy"}],
        "layout": [{"match": "{class}/{patient}_{n}.png", "kind": "image"}],
    }
    return base | changes


def manifest(**changes: Any) -> DatasetManifest:
    return parse(DatasetManifest, data(**changes), "test")


def write(folder: Path, text: str | dict[str, Any], name: str = "toy.yaml") -> Path:
    path = folder / name
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
    return path


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_manifest(write(folder, data(**changes)))
    assert "toy.yaml" in str(caught.value)
    return str(caught.value)


def test_the_smallest_manifest(tmp_path: Path) -> None:
    loaded = load_manifest(write(tmp_path, data()))
    assert (loaded.slug, loaded.status, loaded.labels, loaded.split) == ("toy", "ready", [], None)


def test_dates_are_dates(tmp_path: Path) -> None:
    text = yaml.safe_dump(data()).replace("id: CC-BY-4.0", "id: CC-BY-4.0\n  read: 2024-05-01")
    assert load_manifest(write(tmp_path, text)).licence.read == datetime.date(2024, 5, 1)


@pytest.mark.parametrize(
    ("written", "hint"),
    [("CC BY 4.0", "CC-BY-4.0"), ("Apache 2.0", "Apache-2.0"), ("cc-by-nc-sa", "CC-BY-NC-SA"), ("free", "unknown")],
)
def test_a_bad_licence_names_field_found_expected_and_next_step(tmp_path: Path, written: str, hint: str) -> None:
    message = refusal(tmp_path, licence={"id": written})
    assert "licence.id" in message
    assert repr(written) in message
    assert "expected an SPDX licence id" in message
    assert hint in message


def test_an_unknown_key_gets_the_nearest_one(tmp_path: Path) -> None:
    assert "'citation'" in refusal(tmp_path, citaton="x")
    assert "'evidence'" in refusal(tmp_path, licence={"id": "MIT", "evidnce": "x"})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"slug": "Toy"}, "slug"),
        ({"version": 1}, "version"),
        ({"access": "free"}, "access"),
        ({"sources": []}, "sources"),
        ({"sources": [{"host": "local"}]}, "sources.0"),
        ({"sources": [{"host": "local", "root": "r", "path": "../x"}]}, "sources.0"),
        ({"sources": [{"host": "http", "files": [{"name": "/etc/passwd"}]}]}, "sources.0.files.0.name"),
        ({"sources": [{"host": "http", "files": [{"name": "a", "checksum": "md5:12"}]}]}, "sources.0.files.0.checksum"),
        ({"sources": [{"host": "http", "files": [{"name": "a", "size": -1}]}]}, "sources.0.files.0.size"),
        ({"doi": "https://doi.org/10.1/x"}, "doi"),
        ({"group": "{patient"}, "patient"),
        ({"layout": [{"match": "{a", "kind": "image"}]}, "layout.0"),
        ({"labels": [{"positive": "breast"}]}, "labels.0.positive"),
        ({"split": {"field": "class", "map": {"a": "validation"}}}, "split.map"),
    ],
)
def test_wrong_values_are_refused_with_their_place(tmp_path: Path, changes: dict[str, Any], where: str) -> None:
    assert where in refusal(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"group": "{patint}"}, "Did you mean 'patient'?"),
        ({"labels": [{"when": {"clas": "x"}}]}, "Did you mean 'class'?"),
        ({"split": {"field": "subset", "map": {"a": "train"}}}, "split.field"),
        ({"tables": [{"file": "t.csv", "key": "k", "on": "{nobody}", "columns": ["age"]}]}, "tables.0.on"),
    ],
)
def test_a_field_must_come_from_somewhere(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, **changes)


def test_table_columns_are_fields() -> None:
    joined = manifest(
        tables=[{"file": "t.csv", "key": "id", "on": "{patient}", "columns": ["Site No"]}],
        labels=[{"when": {"Site No": "3"}}],
        group="{Site No}/{patient}",
    )
    assert joined.known_fields() == {"class", "patient", "n", "Site No"}


@pytest.mark.parametrize(
    "url",
    [
        "https://host/a.zip?X-Amz-Signature=1",
        "https://host/a.zip?access_token=1",
        "https://user:word@host/a.zip",
        "https://host/a.zip?sig=abc",
    ],
)
def test_tokens_and_signed_urls_never_enter_and_are_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_manifest(write(tmp_path, data(sources=[{"host": "http", "files": [{"name": "a", "url": url}]}])))
    assert "token or signature" in str(caught.value)
    assert "toy.yaml" in str(caught.value)
    assert "https" not in str(caught.value)


def test_plain_urls_with_a_query_are_fine() -> None:
    url = "https://host/a.zip?download=1"
    assert manifest(sources=[{"host": "http", "files": [{"name": "a", "url": url}]}]).sources[0].files[0].url == url


def test_slug_and_file_name_agree(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Rename one of them"):
        load_manifest(write(tmp_path, data(), "other.yaml"))


def test_a_key_given_twice_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 7.*'title' is given twice"):
        load_manifest(write(tmp_path, "slug: toy\ntitle: A\nlicence:\n  id: MIT\naccess: open\n\ntitle: B\n"))


def test_yes_no_on_and_off_are_words(tmp_path: Path) -> None:
    text = yaml.safe_dump(data(labels=[]))
    text += "tables:\n- {file: t.csv, key: id, on: '{patient}', columns: [no]}\n"
    text = text.replace("labels: []", "labels:\n- when: {no: yes}")
    assert load_manifest(write(tmp_path, text)).labels[0].when == {"no": "yes"}


def test_a_missing_and_a_broken_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Check the path"):
        load_manifest(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"broken\.yaml, line 2"):
        load_manifest(write(tmp_path, "a: 1\n b: ]\n", "broken.yaml"))


def test_section_digest_sees_only_the_named_fields() -> None:
    plain, retitled = manifest(), manifest(title="Another title")
    assert plain.section_digest("layout", "group") == retitled.section_digest("group", "layout")
    assert plain.section_digest("title") != retitled.section_digest("title")
    assert plain.section_digest() != retitled.section_digest()
    regrouped = manifest(group="{patient}")
    assert plain.section_digest("layout", "group") != regrouped.section_digest("layout", "group")
    assert plain.section_digest("group") == manifest(group=None).section_digest("group")
    with pytest.raises(ContractError, match="licens"):
        plain.section_digest("licens")


def test_section_digest_ignores_the_order_of_keys_but_not_of_rules() -> None:
    one = [{"match": "{class}/{patient}_{n}.png", "kind": "image"}, {"match": "b", "kind": "table"}]
    turned = [dict(reversed(rule.items())) for rule in one]
    assert manifest(layout=one).section_digest() == manifest(layout=turned).section_digest()
    assert manifest(layout=one).section_digest() != manifest(layout=one[::-1]).section_digest()


def test_section_digest_survives_a_round_trip() -> None:
    first = manifest(licence={"id": "MIT", "read": "2024-05-01"})
    again = parse(DatasetManifest, first.model_dump(mode="json", exclude_defaults=True), "again")
    assert again == first
    assert again.section_digest() == first.section_digest()


def test_load_all_takes_more_folders_but_no_second_definition(tmp_path: Path) -> None:
    ours, lab = tmp_path / "ours", tmp_path / "lab"
    ours.mkdir()
    lab.mkdir()
    write(ours, data())
    write(lab, data(slug="clinic"), "clinic.yaml")
    (lab / "notes.txt").write_text("not a manifest")
    assert list(load_all(ours, lab)) == ["clinic", "toy"]
    write(lab, data())
    with pytest.raises(ConfigError, match="'toy' is taken"):
        load_all(ours, lab)
    with pytest.raises(ConfigError, match="expected a folder"):
        load_all(tmp_path / "none")


def test_load_all_reports_every_broken_file_at_once(tmp_path: Path) -> None:
    write(tmp_path, data(slug="one", access="x"), "one.yaml")
    write(tmp_path, data(slug="two", media=["film"]), "two.yaml")
    with pytest.raises(ConfigError, match=r"(?s)one\.yaml.*two\.yaml"):
        load_all(tmp_path)
