from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply
from tests.sources.repositories import (
    ASSET,
    EMPTY,
    HIDDEN,
    JSON,
    NAME,
    RECORD,
    SCAN,
    SCRIPTS,
    ref,
    state_of,
)
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostRecord
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


def test_a_repository_is_described_at_one_commit(github: GitHubSource) -> None:
    found = github.describe(ref())
    files = {file.name: file for file in found.files}
    assert (found.record, found.title, found.access) == (NAME, "thyroid-us", "open")
    assert (found.licence_raw, found.licence_spdx, found.published) == ("CC-BY-4.0", "CC-BY-4.0", "2026-02-03")
    assert found.keywords == ("ultrasound", "thyroid-nodule")
    assert found.files_listed
    assert found.url == f"https://github.com/{NAME}"
    assert len(str(found.version)) == 40
    first = files["images/a #1?.png"]
    assert first.url == f"https://raw.githubusercontent.com/{NAME}/{found.version}/images/a%20%231%3F.png"
    blob = hashlib.sha1(b"blob 5\0png a").hexdigest()
    assert (first.size, first.checksum) == (5, f"sha1_git:{blob}")
    scan = files[SCAN.key]
    assert (scan.size, scan.checksum) == (SCAN.size, f"sha256:{SCAN.sha256}")  # of the data, not of the pointer
    assert scan.url.startswith("https://media.githubusercontent.com/media/")
    assert {"images/b/a.png", "labels/a.png"} <= set(files)


def test_no_commit_message_or_address_is_asked_for(github: GitHubSource, hosts: LocalHosts) -> None:
    github.describe(ref())
    (commit,) = [seen for seen in hosts.requests if "/commits/" in seen.path]
    assert commit.headers["accept"] == "application/vnd.github.sha"


@pytest.mark.parametrize("record", [EMPTY.id, SCRIPTS.id])
def test_a_licence_the_site_does_not_know_is_none(github: GitHubSource, record: str) -> None:
    found = github.describe(ref(record))
    assert (found.licence_raw, found.licence_spdx) == (None, None)


@pytest.mark.parametrize("name", ["images/a #1?.png", SCAN.key])
def test_any_listed_file_can_be_fetched(github: GitHubSource, tmp_path: Path, name: str) -> None:
    (file,) = github.list_files(ref(NAME, name))
    bare = RemoteFile(file.name, file.url, file.size, file.checksum)  # as a table gives it back
    wanted = next(one for one in RECORD.files if one.key == name)
    assert github.fetch(bare, tmp_path / "f").sha256 == wanted.sha256


def test_the_token_reaches_github_and_no_storage(hosts: LocalHosts, make_context: MakeContext, tmp_path: Path) -> None:
    github = GitHubSource(make_context(hosts=hosts.hosts, environ={"GH_TOKEN": "s3cr3t"}))
    (file,) = github.list_files(ref(NAME, SCAN.key))
    github.fetch(file, tmp_path / "f")
    sent = {seen.host: seen.headers.get("authorization") for seen in hosts.requests}
    assert sent["github"] == sent["github_raw"] == "Bearer s3cr3t"
    assert str(sent["github_web"]).startswith("Basic ")
    assert sent["storage"] is None  # leaving the server checks that too
    storage = next(seen for seen in hosts.requests if seen.host == "storage")
    assert storage.headers["x-lfs-grant"] == "phantom"  # the header that the batch answer asked to send


def test_a_private_repository_is_seen_with_a_token_only(hosts: LocalHosts, make_context: MakeContext) -> None:
    with pytest.raises(SourceError, match="a private repository needs GITHUB_TOKEN") as caught:
        GitHubSource(make_context(hosts=hosts.hosts)).list_files(ref(HIDDEN.id))
    assert state_of(caught) is SourceState.NOT_FOUND
    github = GitHubSource(make_context(hosts=hosts.hosts, environ={"GITHUB_TOKEN": "good"}))
    assert github.describe(ref(HIDDEN.id)).access == "restricted"


def test_a_bad_token_is_told_as_such(hosts: LocalHosts, make_context: MakeContext) -> None:
    github = GitHubSource(make_context(hosts=hosts.hosts, environ={"GITHUB_TOKEN": "bad-one"}))
    with pytest.raises(SourceError, match="renew it, or unset it") as caught:
        github.describe(ref())
    assert state_of(caught) is SourceState.RESTRICTED
    assert "bad-one" not in str(caught.value)


def test_a_renamed_repository_leads_to_its_present_name(github: GitHubSource, tmp_path: Path) -> None:
    found = github.describe(ref("echo-lab/old-name"))
    assert found.record == NAME
    assert all(f"/{NAME}/" in file.url for file in found.files)


@pytest.mark.parametrize("suffix", ["@v1", "@main", "/tree/main", ".git", "/"])
def test_many_ways_lead_to_one_commit(github: GitHubSource, suffix: str) -> None:
    sha = github.describe(ref()).version
    assert github.describe(ref(f"https://github.com/{NAME}{suffix}")).version == sha
    assert github.describe(ref(f"{NAME}@{sha}")).record == f"{NAME}@{sha}"


def test_a_ref_that_is_not_there_is_told(github: GitHubSource) -> None:
    with pytest.raises(SourceError, match="No commit found") as caught:
        github.describe(ref(f"{NAME}@v99"))
    assert state_of(caught) is SourceState.NOT_FOUND


@pytest.mark.parametrize("wrong", ["", "thyroid", "a/..", "a/b/c", "https://gitlab.com/a/b", "a/b@../c", "a/b@x y"])
def test_a_wrong_record_is_a_mistake_of_the_manifest(github: GitHubSource, hosts: LocalHosts, wrong: str) -> None:
    with pytest.raises(ConfigError, match="owner/repository@commit"):
        github.describe(ref().model_copy(update={"record": wrong}))
    assert hosts.requests == []


@pytest.mark.parametrize("tag", ["v2.0", "latest"])
def test_a_release_lists_its_assets(github: GitHubSource, tmp_path: Path, tag: str) -> None:
    found = github.describe(ref(f"{NAME}#releases/{tag}"))
    assert (found.record, found.version) == (f"{NAME}#releases/v2.0", "v2.0")
    (file,) = github.list_files(ref(f"https://github.com/{NAME}/releases/tag/v2.0"))
    assert file.url == f"https://github.com/{NAME}/releases/download/v2.0/frames.zip"
    assert (file.size, file.checksum) == (ASSET.size, f"sha256:{ASSET.sha256}")
    assert github.fetch(file, tmp_path / "f").sha256 == ASSET.sha256


def test_a_missing_release_is_told(github: GitHubSource) -> None:
    with pytest.raises(SourceError) as caught:
        github.list_files(ref(f"{NAME}#releases/v7"))
    assert state_of(caught) is SourceState.NOT_FOUND


@pytest.mark.parametrize(("asked", "waited"), [("30", 30), (None, 1)])
def test_a_rate_limit_is_waited_for(
    github: GitHubSource, hosts: LocalHosts, fake_time: FakeTime, asked: str | None, waited: int
) -> None:
    hosts.faults = Faults(only="/git/trees/", fail_first=1, fail_status=403, retry_after=asked)
    github.describe(ref())
    assert waited <= sum(fake_time.slept) <= 2 * waited


def test_a_long_rate_limit_ends_with_what_to_do(github: GitHubSource, hosts: LocalHosts) -> None:
    hosts.faults = Faults(only="/github/", fail_first=99, fail_status=403, retry_after="3000")
    with pytest.raises(SourceError, match="Set GITHUB_TOKEN") as caught:
        github.describe(ref())
    assert state_of(caught) is SourceState.QUOTA


def found_in_search(number: int) -> HostRecord:
    return HostRecord("github", f"lab/us-{number}", "Ultrasound set", created=f"2020-{1 + number % 12:02}-15")


def test_a_search_goes_through_its_pages(github: GitHubSource, hosts: LocalHosts) -> None:
    for number in range(250):
        hosts.shelf.add(found_in_search(number))
    found = list(github.search("ultrasound set", 1000))
    assert len({one.record for one in found}) == len(found) == 250
    assert not any(one.files_listed for one in found)
    assert all(json.loads(one.raw)["full_name"] == one.record for one in found)
    assert [seen.one("page") for seen in hosts.requests] == ["1", "2", "3"]
    assert len(list(github.search("ultrasound set", 100))) == 100
    assert len(hosts.requests) == 4


def test_smaller_pages_than_asked_for_lose_nothing(github: GitHubSource, hosts: LocalHosts) -> None:
    for number in range(25):
        hosts.shelf.add(found_in_search(number))
    hosts.faults = Faults(shrink_pages=10)
    assert len(list(github.search("ultrasound set", 1000))) == 25


def test_more_than_the_window_is_asked_for_by_days(github: GitHubSource, hosts: LocalHosts) -> None:
    for number in range(1203):
        hosts.shelf.add(found_in_search(number))
    assert len({one.record for one in github.search("ultrasound set", 5000)}) == 1203
    assert any("created:" in seen.one("q") for seen in hosts.requests)


def test_the_end_of_the_window_is_told_after_what_it_shows(github: GitHubSource, hosts: LocalHosts) -> None:
    for number in range(1050):
        hosts.shelf.add(replace(found_in_search(number), created="2021-05-05"))
    found: list[str | None] = []
    query = "ultrasound set created:2021-01-01..2022-01-01"  # days that are asked for cannot be divided
    with pytest.raises(SourceError, match="1050 repositories") as caught:
        found.extend(one.record for one in github.search(query, 5000))
    assert state_of(caught) is SourceState.PARTIAL_LISTING


def test_a_query_that_is_refused_is_asked_again_in_plain_words(github: GitHubSource, hosts: LocalHosts) -> None:
    query = "ultrasound AND thyroid NOT a NOT b NOT c NOT d NOT e created:[2024-01-01 TO 2024-12-31]"
    assert list(github.search(query, 10)) == []
    assert [seen.one("q") for seen in hosts.requests][1] == "ultrasound thyroid a b c d e TO 2024 12 31"


def test_a_search_that_ran_out_of_time_is_told(origin: Origin, make_context: MakeContext) -> None:
    item = {"full_name": "a/b", "id": 7, "license": None}
    body = {"total_count": 1, "incomplete_results": True, "items": [item, {}, None, {"full_name": "x"}]}
    origin.serve("/search/repositories", Reply(json.dumps(body).encode(), 200, JSON))
    results = GitHubSource(make_context(hosts={"github": origin.url})).search("x", 10)
    assert next(results).record == "a/b"
    with pytest.raises(SourceError, match="ran out of time") as caught:
        next(results)
    assert state_of(caught) is SourceState.PARTIAL_LISTING
