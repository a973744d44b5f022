"""What a person must do for a dataset: read off the manifest alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ultracurate.core.config import parse
from ultracurate.core.dataset import DatasetManifest, load_all
from ultracurate.core.licences import Licence
from ultracurate.core.resources import manifests_dir
from ultracurate.terminal.access import (
    NOTHING,
    licence_kind,
    optional_tokens,
    page,
    steps,
    todo,
    totals,
    waiting,
)

LAYOUT = [{"match": "**/{name}.png", "kind": "image"}]


def manifest(host: str, record: str | None = "r", access: str | None = "open", **changes: Any) -> DatasetManifest:
    source: dict[str, Any] = {"host": host} | ({"record": record} if record else {})
    base: dict[str, Any] = {"slug": "toy", "title": "Toy", "licence": {"id": "unknown"}, "sources": [source]}
    if access:
        base["access"] = access
    return parse(DatasetManifest, base | changes, "test")


@pytest.mark.parametrize("host", ["zenodo", "github", "figshare", "mendeley", "tcia", "gdrive", "http"])
def test_an_open_dataset_with_a_layout_needs_nothing(host: str) -> None:
    assert todo(manifest(host)) == [NOTHING]


@pytest.mark.parametrize(
    ("host", "access", "words"),
    [
        ("kaggle", "open", ["https://www.kaggle.com", "KAGGLE_API_TOKEN", "~/.kaggle"]),
        ("kaggle", "registration", ["accept the terms at https://www.kaggle.com/datasets/r", "KAGGLE_API_TOKEN"]),
        ("synapse", "open", ["https://www.synapse.org/Synapse:r", "SYNAPSE_AUTH_TOKEN"]),
        ("aimi", "registration", ["ULTRACURATE_AIMI_SAS"]),
        ("grand_challenge", "registration", ["GRAND_CHALLENGE_AUTHORIZATION"]),
    ],
)
def test_a_host_with_accounts_names_its_variable(host: str, access: str, words: list[str]) -> None:
    (text,) = todo(manifest(host, access=access))
    assert [word for word in words if word not in text] == []
    assert [step.kind for step in steps(manifest(host, access=access))] == ["account"]


def test_a_competition_has_its_own_page() -> None:
    assert page(manifest("kaggle", "competitions/nerves")) == "https://www.kaggle.com/competitions/nerves"


def test_a_request_is_a_form_and_a_registration_too() -> None:
    assert todo(manifest("zenodo", "7", "request")) == [
        "fill the request form at https://zenodo.org/records/7 and wait for the answer"
    ]
    assert todo(manifest("github", "a/b", "registration")) == ["register at https://github.com/a/b"]


def test_a_hand_download_names_the_page_of_the_remarks() -> None:
    there = manifest("manual", "toy", remarks=["Old.", "Page: https://host.example/set#f."])
    assert todo(there) == [
        "download by hand from https://host.example/set#f, put it into FOLDER/toy, then run with --root manual=FOLDER"
    ]
    assert todo(manifest("manual", None)) == [
        "find a place to get it from (none is known), put it into FOLDER, then run with --root manual=FOLDER"
    ], "the source reads the root itself where neither path nor record names a folder"


def by_hand(**changes: Any) -> DatasetManifest:
    source = {"host": "manual", "url": "https://host.example/liver", "path": "liver", "root": "clinic"}
    steps = ["Fill in the form.", "Download liver.zip"]
    return manifest("manual", None, sources=[source | {"steps": steps} | changes])


def test_a_hand_download_gives_the_steps_of_its_manifest() -> None:
    asked = "at https://host.example/liver: 1. Fill in the form; 2. Download liver.zip; then put it into "
    assert todo(by_hand()) == [asked + "FOLDER/liver, then run with --root clinic=FOLDER"]
    assert todo(by_hand(url=None)) == [
        "1. Fill in the form; 2. Download liver.zip; then put it into FOLDER/liver, then run with --root clinic=FOLDER"
    ]


def test_a_hand_download_names_the_folder_that_is_set_until_the_files_are_there(tmp_path: Path) -> None:
    roots = {"clinic": str(tmp_path / "by_hand")}
    liver = by_hand(files=[{"name": "liver.zip", "size": 4}])
    waits = f"then put it into {tmp_path / 'by_hand' / 'liver'}"
    folder = tmp_path / "by_hand" / "liver"
    assert todo(liver, roots)[0].endswith(waits), "no folder"
    folder.mkdir(parents=True)
    assert todo(liver, roots)[0].endswith(waits), "an empty one"
    (folder / "liver.zip").write_bytes(b"PK")
    assert todo(liver, roots)[0].endswith(waits), "a file that was cut"
    (folder / "liver.zip").write_bytes(b"PK\3\4")
    assert todo(liver, roots) == [NOTHING]
    assert totals([liver, liver], roots) == {NOTHING: 2}
    registered = manifest("manual", None, "registration", sources=[{"host": "manual", "root": "clinic"}])
    assert todo(registered, roots) == [NOTHING], "who has the files has registered"


def test_a_request_by_hand_is_asked_first_and_fetched_then() -> None:
    both = manifest("manual", None, "request", remarks=["Page: https://host.example/a"])
    assert [step.kind for step in steps(both)] == ["form", "manual"]


def test_a_missing_layout_and_an_unchecked_one_are_different_work() -> None:
    (missing,) = todo(manifest("zenodo", status="needs_layout"))
    (unchecked,) = todo(manifest("zenodo", status="needs_layout", layout=LAYOUT))
    assert "write the layout" in missing
    assert "check the layout" in unchecked
    assert "needs_layout" in missing
    assert "needs_layout" in unchecked


def test_an_access_that_nobody_looked_up_comes_first() -> None:
    unknown = manifest("zenodo", "7", None, status="needs_layout")
    assert [step.kind for step in steps(unknown)] == ["look", "layout"]
    assert "https://zenodo.org/records/7" in todo(unknown)[0]


def test_a_local_folder_is_asked_for_unless_its_path_is_known() -> None:
    rooted = manifest("local", None, sources=[{"host": "local", "root": "clinic", "path": "a"}])
    assert todo(rooted) == ["say where the folder is: --root clinic=PATH"]
    fixed = manifest("local", None, sources=[{"host": "local", "path": "/data/a"}])
    assert todo(fixed) == [NOTHING]


def test_a_local_folder_that_is_there_needs_no_word(tmp_path: Path) -> None:
    rooted = manifest("local", None, sources=[{"host": "local", "root": "clinic", "path": "a"}])
    roots = {"clinic": str(tmp_path)}
    assert todo(rooted, {"other": str(tmp_path)}) == ["say where the folder is: --root clinic=PATH"]
    assert todo(rooted, roots) == [
        f"there is no {tmp_path / 'a'}: make it, or name another place with --root clinic=PATH"
    ]
    (tmp_path / "a").mkdir()
    assert todo(rooted, roots) == [NOTHING]


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ({"id": "CC-BY-4.0"}, "open"),
        ({"id": "CC-BY-SA-4.0"}, "open"),
        ({"id": "CC0-1.0"}, "open"),
        ({"id": "CC-BY-NC-SA-4.0"}, "non-commercial"),
        ({"id": "CC-BY-NC-ND-4.0"}, "non-commercial"),
        ({"id": "CC-BY-4.0", "commercial": False}, "non-commercial"),
        ({"id": "CC-BY-ND-4.0"}, "restricted"),
        ({"id": "CC-BY-4.0", "redistribution": False}, "restricted"),
        ({"id": "restricted"}, "restricted"),
        ({"id": "unknown"}, "unknown"),
    ],
)
def test_licence_kind(licence: dict[str, Any], kind: str) -> None:
    assert licence_kind(parse(Licence, licence, "test")) == kind


def test_totals_count_a_dataset_under_every_kind_it_waits_for() -> None:
    sets = [
        manifest("zenodo"),
        manifest("kaggle", status="needs_layout"),
        manifest("zenodo", status="needs_layout"),
        manifest("github", access="registration"),
    ]
    counts = totals(sets)
    assert counts == {"layout": 2, "account": 1, "form": 1, NOTHING: 1}
    assert waiting(counts, 4) == "2 of 4 wait for a layout; 1 needs an account; 1 needs a form; 1 needs nothing"
    assert waiting(totals(sets[:1]), 1) == "1 of 1 needs nothing"
    assert optional_tokens(sets) == {"ZENODO_TOKEN": 2, "GITHUB_TOKEN": 1}


def test_every_shipped_dataset_names_a_page_or_says_that_none_is_known() -> None:
    for slug, shipped in load_all(manifests_dir()).items():
        for text in todo(shipped):
            assert "{" not in text, f"{slug}: {text}"
            assert "None" not in text, f"{slug}: {text}"
            assert "the dataset's page" not in text, f"{slug}: {text}"
