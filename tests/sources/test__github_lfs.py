from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, Seen
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
from ultracurate.core.dataset import FileRef
from ultracurate.phantom.hosts.faults import Faults
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


def test_a_signed_lfs_address_that_expired_is_asked_for_again(
    github: GitHubSource, hosts: LocalHosts, tmp_path: Path
) -> None:
    (file,) = github.list_files(ref(NAME, SCAN.key))
    hosts.faults = Faults(only="/storage/", refuse_signed_first=1, cut_after=100_000)
    assert github.fetch(file, tmp_path / "f").sha256 == SCAN.sha256
    batches = [seen for seen in hosts.requests if seen.path.endswith("/objects/batch")]
    assert len(batches) == 3  # refused once, cut once
    assert {json.dumps(seen.json()["objects"]) for seen in batches} == {
        json.dumps([{"oid": SCAN.sha256, "size": SCAN.size}])
    }


def test_the_media_host_is_the_second_address(github: GitHubSource, hosts: LocalHosts, tmp_path: Path) -> None:
    (file,) = github.list_files(ref(NAME, SCAN.key))
    hosts.faults = Faults(only="/github_web/", fail_first=99, fail_status=404)
    assert github.fetch(file, tmp_path / "f").sha256 == SCAN.sha256


def test_a_pointer_nobody_announced_leads_to_the_data(github: GitHubSource, hosts: LocalHosts, tmp_path: Path) -> None:
    found = github.describe(ref())
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SCAN.sha256}\nsize {SCAN.size}\n".encode()
    blob = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()
    url = f"https://raw.githubusercontent.com/{NAME}/{found.version}/scans/big%20one.nii"
    plain = RemoteFile(SCAN.key, url, len(pointer), f"sha1_git:{blob}")
    assert github.fetch(plain, tmp_path / "f").sha256 == SCAN.sha256
    unmeasured = RemoteFile(SCAN.key, url.replace("//raw.", "//media.").replace(".com/", ".com/media/"))
    assert github.fetch(unmeasured, tmp_path / "g").sha256 == SCAN.sha256
    forged = replace(plain, checksum="sha1_git:" + "0" * 40)
    with pytest.raises(SourceError, match=f"found sha1_git:{blob}") as caught:
        github.fetch(forged, tmp_path / "h")
    assert state_of(caught) is SourceState.CHECKSUM_MISMATCH


def test_an_lfs_file_can_be_opened_in_the_middle(github: GitHubSource) -> None:
    (file,) = github.list_files(ref(NAME, SCAN.key))
    with github.open(file, 1000) as stream:
        assert stream.read(50) == b"".join(SCAN.pieces(1000, 1050))


def test_a_pinned_digest_must_be_that_of_the_pointer(github: GitHubSource) -> None:
    pinned = FileRef(name=SCAN.key, checksum="sha256:" + "0" * 64)
    with pytest.raises(SourceError, match="the manifest expects checksum") as caught:
        github.list_files(ref().model_copy(update={"files": [pinned]}))
    assert state_of(caught) is SourceState.CHECKSUM_MISMATCH


LFS_FILE = RemoteFile("a.nii", f"https://media.githubusercontent.com/media/a/b/{SHA}/a.nii", 5, "sha256:" + "d" * 64)


@pytest.mark.parametrize(
    ("status", "objects", "state", "words"),
    [
        (200, [{"error": {"code": 404, "message": "gone?"}}], SourceState.NOT_FOUND, "gone?"),
        (200, [{"error": {"code": 410, "message": "removed by owner"}}], SourceState.GONE, "removed by owner"),
        (200, [{"error": {"code": 422, "message": "size"}}], SourceState.CHECKSUM_MISMATCH, "size"),
        (200, [{"error": {"code": [], "message": None}}], SourceState.BAD_ANSWER, "LFS server answers"),
        (200, [{"error": {"code": 429, "message": "over its data quota"}}], SourceState.QUOTA, "next month"),
        (403, None, SourceState.QUOTA, "next month"),
        (200, [{"actions": {"download": {"href": "file:///etc/passwd"}}}], SourceState.BAD_ANSWER, "no https"),
        (200, [{"actions": {"download": {"href": "http://["}}}], SourceState.BAD_ANSWER, "no https"),
        (200, [{"actions": []}], SourceState.BAD_ANSWER, "no https"),
        (200, [{"oid": "other"}], SourceState.BAD_ANSWER, "does not mention"),
        (200, "x", SourceState.BAD_ANSWER, "does not mention"),
    ],
)
def test_what_the_lfs_server_may_say(
    origin: Origin, make_context: MakeContext, status: int, objects: Any, state: SourceState, words: str
) -> None:
    if isinstance(objects, list):
        objects = [{"oid": "d" * 64, "size": 5, **row} for row in objects]
    body = {"objects": objects} if objects is not None else {"message": "This repository is over its data quota."}
    kind = {"Content-Type": "application/vnd.git-lfs+json"}

    def batch(seen: Seen) -> Reply:
        assert seen.headers["accept"] == seen.headers["content-type"] == "application/vnd.git-lfs+json"
        return Reply(json.dumps(body).encode(), status, kind)

    origin.serve("/a/b.git/info/lfs/objects/batch", batch)
    source = GitHubSource(make_context(hosts={"github_web": origin.url, "github_media": origin.url}))
    with pytest.raises(SourceError, match=words.replace("?", r"\?")) as caught:
        source.open(LFS_FILE)
    assert state_of(caught) is state


def test_only_marked_small_files_are_taken_for_pointers(origin: Origin, make_context: MakeContext) -> None:
    rules = b"*.nii filter=lfs\n/data/** filter=lfs -text\nsmall/*.nii -filter\n[attr]x filter=lfs\n*.csv text\n"
    origin.serve(f"/a/b/{SHA}/.gitattributes", Reply(rules))
    names = ["x/a.nii", "data/b/c.raw", "small/d.nii", "e.csv", "data.csv"]
    for name in names:
        oid, size = hashlib.sha256(name.encode()).hexdigest(), 1 << 20
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()
        origin.serve(f"/a/b/{SHA}/{name}", Reply(pointer))
    entries = [blob(name, 132, sha=None) for name in names] + [blob(".gitattributes", 90)]
    repo = Repo(origin, make_context, {"tree": entries})
    measured = {file.name for file in repo.source.describe(ref("a/b")).files if file.size == 1 << 20}
    assert measured == {"x/a.nii", "data/b/c.raw"}


def test_a_marked_file_that_is_no_pointer_stays_itself(origin: Origin, make_context: MakeContext) -> None:
    origin.serve(f"/a/b/{SHA}/.gitattributes", Reply(b"*.csv filter=lfs\n"))
    origin.serve(f"/a/b/{SHA}/a.csv", Reply(b"x" * 120))
    repo = Repo(origin, make_context, {"tree": [blob("a.csv", 120), blob(".gitattributes", 17)]})
    file = next(file for file in repo.source.describe(ref("a/b")).files if file.name == "a.csv")
    assert (file.size, file.checksum) == (120, "sha1_git:" + "b" * 40)
    assert file.url.startswith("https://raw.githubusercontent.com/")
