from __future__ import annotations

import re
import tomllib

import yaml

from tests.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_citation_file_has_what_the_format_requires() -> None:
    data = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert data["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= data.keys()
    known = {"cff-version", "message", "type", "title", "abstract", "authors", "version", "license", "keywords", "doi"}
    assert data.keys() <= known | {"repository-code", "url", "date-released", "references", "preferred-citation"}
    assert all("name" in author or {"family-names", "given-names"} & author.keys() for author in data["authors"])


def test_version_and_licence_are_those_of_the_project() -> None:
    data = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(data["version"]) == PROJECT["version"]
    assert data["license"] == PROJECT["license"]
    assert data["authors"][0]["name"] == PROJECT["authors"][0]["name"]


def test_changelog_begins_with_this_version() -> None:
    heads = re.findall(r"^## \[([^\]]+)\] - (Unreleased|\d{4}-\d{2}-\d{2})$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heads
    assert heads[0][0] == PROJECT["version"]


def test_log_entries_are_dated_newest_first() -> None:
    dates = re.findall(r"^## (\d{4}-\d{2}-\d{2})", (ROOT / "docs" / "LOG.md").read_text(), re.M)
    assert dates
    assert dates == sorted(dates, reverse=True)
