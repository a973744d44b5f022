from __future__ import annotations

import json
from typing import Any

import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources._kaggle_records import (
    Handle,
    candidate,
    find_kaggle_licence,
    handle_of,
    page_of,
    ref_of,
    refuse_error,
    remote_files,
)

ADA = Handle("ada", "breast-us")


@pytest.mark.parametrize(
    ("record", "handle"),
    [
        ("ada/breast-us", ADA),
        (" ada/breast-us/ ", ADA),
        ("ada/breast-us/versions/3", Handle("ada", "breast-us", 3)),
        ("https://www.kaggle.com/datasets/ada/breast-us", ADA),
        ("https://kaggle.com/ada/breast-us", ADA),
        ("https://www.kaggle.com/datasets/ada/breast-us/data?select=a.png", ADA),
        ("https://www.kaggle.com/datasets/ada/breast-us/versions/12", Handle("ada", "breast-us", 12)),
        ("ada/-leading_mark", Handle("ada", "-leading_mark")),
        ("competitions/nerve", Handle("competitions", "nerve")),
        ("https://www.kaggle.com/c/nerve/rules", Handle("competitions", "nerve")),
    ],
)
def test_a_record_is_named_in_several_ways(record: str, handle: Handle) -> None:
    assert handle_of(record) == handle


@pytest.mark.parametrize(
    "record",
    [None, "", "breast-us", "ada/../x", "a/b/c/d", "https://www.kaggle.com/datasets/ada", "https://x.org/a/b", "a b/c"],
)
def test_a_wrong_record_says_the_right_forms(record: str | None) -> None:
    with pytest.raises(ConfigError, match="owner/slug"):
        handle_of(record)


def test_a_doi_leads_to_the_page() -> None:
    with pytest.raises(ConfigError, match="leads to that page"):
        handle_of("10.34740/kaggle/dsv/123")


@pytest.mark.parametrize(
    ("written", "spdx"),
    [
        ("CC0: Public Domain", "CC0-1.0"),
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
        ("Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("Attribution-NonCommercial-NoDerivatives 4.0 International (CC BY-NC-ND 4.0)", "CC-BY-NC-ND-4.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("MIT", "MIT"),
        ("GPL 2", "GPL-2.0-only"),
        ("ODC Public Domain Dedication and Licence (PDDL)", "PDDL-1.0"),
        ("ODC Attribution License (ODC-By)", "ODC-By-1.0"),
        ("Community Data License Agreement - Sharing - Version 1.0", "CDLA-Sharing-1.0"),
        ("Attribution 3.0 IGO (CC BY 3.0 IGO)", None),
        ("Database: Open Database, Contents: © Original Authors", None),
        ("Data files © Original Authors", None),
        ("Other (specified in description)", None),
        ("Unknown", None),
        ("unknown", None),
        ("restricted", None),
        ("", None),
    ],
)
def test_licences_in_the_words_of_the_host(written: str, spdx: str | None) -> None:
    assert find_kaggle_licence(written) == spdx


@pytest.mark.parametrize(
    ("shown", "machine", "spdx"),
    [
        ("Other (specified in description)", ["CC-BY-4.0"], "CC-BY-4.0"),
        ("CC0: Public Domain", ["other"], "CC0-1.0"),
        ("CC0: Public Domain", ["CC0-1.0", "CC-BY-4.0"], None),  # two licences are not one of them
        ("Unknown", ["unknown"], None),
    ],
)
def test_the_machine_name_of_a_licence_is_preferred(shown: str, machine: list[str], spdx: str | None) -> None:
    found = candidate(ADA, {"licenseName": shown}, {"licenses": [{"name": name} for name in machine]})
    assert (found.licence_raw, found.licence_spdx) == (shown, spdx)


@pytest.mark.parametrize("value", [None, [], {}, 7, "x", [None, {}, 7, ["x"]], 10**30, True, "a\0b", -1])
def test_any_value_in_any_field_is_survived(value: Any) -> None:
    names = (
        "title",
        "subtitle",
        "description",
        "licenseName",
        "currentVersionNumber",
        "totalBytes",
        "tags",
        "versions",
    )
    row = dict.fromkeys((*names, "lastUpdated", "isPrivate", "files"), value)
    info = dict.fromkeys(("title", "description", "licenses", "keywords"), value)
    found = candidate(ADA, row, info)
    assert "\0" not in found.title + found.description
    assert found.total_bytes is None or 0 <= found.total_bytes < 1 << 63
    assert found.published is None
    json.loads(found.raw)
    list(remote_files(ADA, 3, value))
    list(remote_files(ADA, 3, [{"name": value, "totalBytes": value}]))
    refuse_error({"code": value, "error": value}, "x")
    assert ref_of({"ref": value}) is None


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\\..\\b", "a/../../b"])
def test_a_hostile_file_name_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="relative path"):
        list(remote_files(ADA, 3, [{"name": name}]))


@pytest.mark.parametrize("ref", ["competitions/x", "datasets/x", "a/b/c", "a/..", "a"])
def test_a_row_that_names_no_dataset_is_none(ref: str) -> None:
    assert ref_of({"ref": ref}) is None


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (401, SourceState.RESTRICTED),
        (404, SourceState.NOT_FOUND),
        ("404", SourceState.NOT_FOUND),
        (429, SourceState.QUOTA),
        (400, SourceState.BAD_ANSWER),
        (503, SourceState.UNREACHABLE),
    ],
)
def test_both_shapes_of_an_error_are_read(code: Any, state: SourceState) -> None:
    said = {"code": code, "message": "see https://x.org/?token=s3cr3t\n\x1b[2J now"}
    for body in (said, {"error": said | {"status": "SOMETHING"}}):
        with pytest.raises(SourceError, match=r"answered \d+ \(see") as caught:
            refuse_error(body, "Kaggle thing")
        assert caught.value.state is state
        assert caught.value.status == int(code)
        assert not {"s3cr3t", "\x1b", "\n"} & set(str(caught.value).split())
        assert "s3cr3t" not in str(caught.value)
    refuse_error({"code": 200, "message": "fine"}, "x")
    refuse_error([{"code": 404}], "x")


def test_addresses_are_rebuilt_and_name_their_page() -> None:
    assert ADA.address("train set/é.png", 3).endswith("/ada/breast-us/train%20set/%C3%A9.png?datasetVersionNumber=3")
    assert page_of(ADA.address("a/b.png", 3)) == "https://www.kaggle.com/datasets/ada/breast-us"
    assert page_of(ADA.address(None, None)) == ADA.page
    nerve = Handle("competitions", "nerve")
    assert page_of(nerve.address(None, None)) == page_of(nerve.address("a.csv", None)) == nerve.page
    assert page_of("https://mirror.example.org/a.zip") == "https://www.kaggle.com"


def test_only_what_is_needed_of_a_view_is_kept() -> None:
    view = {
        "title": "A",
        "titleNullable": "A",
        "hasTitle": True,
        "files": [{"url": "https://x/?X-Goog-Signature=s3cr3t"}],
    }
    assert json.loads(candidate(ADA, view).raw) == {"title": "A"}
