from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin
from tests.sources.repositories import (
    EMPTY,
    HIDDEN,
    NAME,
    RECORD,
    SCAN,
    SCRIPTS,
    SHA,
    Repo,
    blob,
    ref,
    state_of,
)
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.github import GitHubSource


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([RECORD, SCRIPTS, EMPTY, HIDDEN]) as server:
        yield server


@pytest.fixture
def github(hosts: LocalHosts, make_context: MakeContext) -> GitHubSource:
    return GitHubSource(make_context(hosts=hosts.hosts))


def test_a_hostile_tree_costs_its_odd_entries_only(origin: Origin, make_context: MakeContext) -> None:
    entries = [
        {},
        None,
        7,
        blob("../../etc/passwd"),
        blob("/etc/passwd"),
        blob("a\0b"),
        blob(7),
        blob("big.png", 10**30),
        blob("odd.png", [], sha=None),
        blob("link.png", mode="120000"),
        {"path": "other", "mode": "160000", "type": "commit", "sha": "c" * 40},
        blob("good.png"),
    ]
    repo = Repo(origin, make_context, {"tree": entries, "truncated": False}, license=[], topics={"a": 1}, size="x")
    files = {file.name: file for file in repo.source.describe(ref("a/b")).files}
    assert set(files) == {"big.png", "odd.png", "link.png", "other", "good.png"}
    assert (files["big.png"].size, files["big.png"].checksum) == (None, None)
    assert files["odd.png"].checksum is None
    assert "symbolic link" in str(files["link.png"].problem)
    assert "submodule" in str(files["other"].problem)
    assert {file.name for file in repo.source.list_files(ref("a/b"))} == {"big.png", "odd.png", "good.png"}


@pytest.mark.parametrize("tree", [[], None, {"tree": None}, {"truncated": 0}])
def test_another_shape_of_tree_is_told(origin: Origin, make_context: MakeContext, tree: Any) -> None:
    with pytest.raises(SourceError, match="another shape") as caught:
        Repo(origin, make_context, tree).source.describe(ref("a/b"))
    assert state_of(caught) is SourceState.BAD_ANSWER


def test_a_tree_without_end_is_left_to_the_archive(
    origin: Origin, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultracurate.sources._github_tree.MOST_TREES", 20)
    inner = {"path": "x", "mode": "040000", "type": "tree", "sha": SHA}
    tree = {"tree": [inner, blob("a.png")], "truncated": True}
    repo = Repo(origin, make_context, tree)
    assert not repo.source.describe(ref("a/b")).files_listed
    assert len(origin.seen) < 30
    (archive,) = repo.source.list_files(ref("a/b"))
    assert archive.name == "b-aaaaaaa.zip"
    with pytest.raises(SourceError, match="Name the archive") as caught:
        repo.source.list_files(ref("a/b", "deep/file.png"))
    assert state_of(caught) is SourceState.PARTIAL_LISTING


def test_a_cut_tree_is_walked_folder_by_folder(github: GitHubSource, hosts: LocalHosts) -> None:
    whole = {file.name: file for file in github.describe(ref()).files}
    hosts.faults = Faults(only="/git/trees/", shrink_pages=2)
    found = github.describe(ref())
    assert {file.name: file for file in found.files} == whole
    assert found.files_listed


def test_a_large_repository_comes_as_its_archive_with_the_lfs_files(
    github: GitHubSource, hosts: LocalHosts, tmp_path: Path
) -> None:
    many = tuple(HostFile(f"x/{n}.png", b"x%d" % n) for n in range(201))
    hosts.shelf.add(replace(RECORD, files=(*RECORD.files, *many)))
    found = github.describe(ref())
    archive, scan = github.list_files(ref())
    assert scan.name == SCAN.key
    assert archive.name == f"thyroid-us-{str(found.version)[:7]}.zip"
    assert (archive.size, archive.checksum) == (None, None)
    assert archive.url == f"https://codeload.github.com/{NAME}/zip/{found.version}"
    got = github.fetch(archive, tmp_path / "f")
    assert f"thyroid-us-{found.version}/x/200.png" in zipfile.ZipFile(got.path).namelist()
    assert github.list_files(ref(f"{NAME}@{found.version}", archive.name)) == [archive]


def test_the_archive_cannot_be_opened_in_the_middle(github: GitHubSource) -> None:
    archive = RemoteFile("r.zip", f"https://codeload.github.com/{NAME}/zip/{github.describe(ref()).version}")
    with github.open(archive) as stream:
        assert stream.read(2) == b"PK"
    with pytest.raises(SourceError, match="cannot start at byte 10"):
        github.open(archive, 10)


def test_the_names_inside_an_archive_are_readable(github: GitHubSource) -> None:
    archive = RemoteFile("r.zip", f"https://codeload.github.com/{NAME}/zip/{github.describe(ref()).version}")
    with github.open(archive) as stream:
        assert zipfile.ZipFile(io.BytesIO(stream.read())).testzip() is None


def test_a_blob_that_changed_is_caught(github: GitHubSource, hosts: LocalHosts, tmp_path: Path) -> None:
    hosts.faults = Faults(only="/git/trees/", wrong_md5=frozenset({"labels/a.png"}))
    (file,) = github.list_files(ref(NAME, "labels/a.png"))
    with pytest.raises(SourceError, match="fetched twice: expected sha1_git:") as caught:
        github.fetch(file, tmp_path / "f")
    assert state_of(caught) is SourceState.CHECKSUM_MISMATCH


def test_code_and_hidden_files_are_not_data(github: GitHubSource) -> None:
    names = {file.name for file in github.list_files(ref())}
    assert names == {"README.md", "images/a #1?.png", "images/b/a.png", "labels/a.png", SCAN.key}


def test_a_repository_of_code_holds_no_data(github: GitHubSource) -> None:
    with pytest.raises(SourceError, match=r"only 2 files of code and text\. Its read-me") as caught:
        github.list_files(ref(SCRIPTS.id))
    assert state_of(caught) is SourceState.NOT_FOUND


def test_an_empty_repository_is_told(github: GitHubSource) -> None:
    assert github.describe(ref(EMPTY.id)).files == ()
    with pytest.raises(SourceError, match="holds no files") as caught:
        github.list_files(ref(EMPTY.id))
    assert state_of(caught) is SourceState.NOT_FOUND
