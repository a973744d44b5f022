from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.grand_challenge import GrandChallengeSource

VOLUME = HostFile("case 1.mha", Blob(200_000, seed=4))
ARCHIVE = HostRecord(
    "grand_challenge",
    "fetal-head",
    "Fetal head ultrasound",
    "Planes of the skull",
    files=(VOLUME, HostFile("b.mhd", b"ObjectType = Image"), HostFile("b.zraw", b"\0\1"), HostFile("x/b.mhd", b"h")),
)
CLOSED = HostRecord("grand_challenge", "closed-set", "Closed ultrasound", access="restricted", files=(VOLUME,))
ENVIRON = {"GRAND_CHALLENGE_AUTHORIZATION": "BEARER s3cr3t"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([ARCHIVE, CLOSED]) as server:
        yield server


@pytest.fixture
def challenge(hosts: LocalHosts, make_context: MakeContext) -> GrandChallengeSource:
    return GrandChallengeSource(make_context(hosts=hosts.hosts, environ=ENVIRON))


def ref(record: str = ARCHIVE.id, *names: str) -> SourceRef:
    return SourceRef(host="grand_challenge", record=record, files=[FileRef(name=name) for name in names])


def answer(data: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON)


@pytest.mark.parametrize("token", ["s3cr3t", "BEARER s3cr3t", "Bearer s3cr3t "])
def test_the_token_may_carry_its_scheme(hosts: LocalHosts, make_context: MakeContext, token: str) -> None:
    environ = {"GRAND_CHALLENGE_AUTHORIZATION": token}
    GrandChallengeSource(make_context(hosts=hosts.hosts, environ=environ)).describe(ref())
    assert {seen.headers["authorization"].lower() for seen in hosts.requests} == {"bearer s3cr3t"}


def test_an_archive_lists_the_files_of_its_images(challenge: GrandChallengeSource) -> None:
    found = challenge.describe(ref("https://grand-challenge.org/archives/fetal-head/"))
    assert (found.record, found.title, found.access) == ("fetal-head", "Fetal head ultrasound", "open")
    names = [file.name.partition("/") for file in found.files]
    assert sorted(name for _, _, name in names) == ["b.mhd", "b.mhd", "b.zraw", "case 1.mha"]
    folders = {name: folder for folder, _, name in names}
    assert len({folder for folder, _, _ in names}) == 3  # header and data of one image stay together
    assert folders["b.zraw"] in {folder for folder, _, name in names if name == "b.mhd"}


def test_a_file_is_fetched_by_a_new_signature_each_time(
    challenge: GrandChallengeSource, hosts: LocalHosts, tmp_path: Path
) -> None:
    file = next(file for file in challenge.list_files(ref()) if file.name.endswith(".mha"))
    assert file.url.startswith("https://grand-challenge.org/cases/images/")
    assert "?" not in file.url
    before = len(hosts.requests)
    hosts.faults = Faults(only="/storage/", refuse_signed_first=1, cut_after=100_000)
    got = challenge.fetch(RemoteFile(file.name, file.url), tmp_path / "f")
    assert got.sha256 == VOLUME.sha256
    assert [seen.host for seen in hosts.requests[before:]].count("grand_challenge") == 3  # refused once, cut once
    with challenge.open(file, 100) as stream:
        assert stream.read(10) == b"".join(VOLUME.pieces(100, 110))


def test_small_pages_lose_nothing(challenge: GrandChallengeSource, hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=1)
    assert len(challenge.list_files(ref())) == 4


def test_an_archive_with_a_form_says_where_to_ask(challenge: GrandChallengeSource) -> None:
    assert challenge.describe(ref(CLOSED.id)).access == "restricted"
    with pytest.raises(SourceError, match=r"Ask for access at https://grand-challenge\.org/archives/closed-set/") as e:
        challenge.list_files(ref(CLOSED.id))
    assert e.value.state is SourceState.TERMS_REQUIRED


@pytest.mark.parametrize("page", ["https://hc18.grand-challenge.org/", "https://tn-scui2020.grand-challenge.org/Data"])
def test_a_challenge_is_left_to_a_person(challenge: GrandChallengeSource, hosts: LocalHosts, page: str) -> None:
    with pytest.raises(SourceError, match=r"Join at https://(hc18|tn-scui2020)\.grand-challenge\.org/") as caught:
        challenge.list_files(ref(page))
    assert caught.value.state is SourceState.TERMS_REQUIRED
    assert hosts.requests == []


@pytest.mark.parametrize("environ", [{}, {"GRAND_CHALLENGE_AUTHORIZATION": "bad-token"}])
def test_without_a_good_token_it_says_how_to_get_one(
    hosts: LocalHosts, make_context: MakeContext, environ: dict[str, str]
) -> None:
    with pytest.raises(SourceError, match="set GRAND_CHALLENGE_AUTHORIZATION") as caught:
        GrandChallengeSource(make_context(hosts=hosts.hosts, environ=environ)).list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED
    assert "bad-token" not in str(caught.value)


def test_a_missing_archive_is_told(challenge: GrandChallengeSource) -> None:
    with pytest.raises(SourceError, match="is not there") as caught:
        challenge.list_files(ref("nothing"))
    assert caught.value.state is SourceState.NOT_FOUND


def test_archives_can_be_searched_for(
    challenge: GrandChallengeSource, hosts: LocalHosts, make_context: MakeContext
) -> None:
    assert [one.record for one in challenge.search("ultrasound", 10)] == ["fetal-head", "closed-set"]
    assert [one.record for one in challenge.search("skull ULTRASOUND", 10)] == ["fetal-head"]
    assert len(list(challenge.search("ultrasound", 1))) == 1
    with pytest.raises(SourceError, match="GRAND_CHALLENGE_AUTHORIZATION"):
        list(GrandChallengeSource(make_context(hosts=hosts.hosts)).search("ultrasound", 10))


@pytest.mark.parametrize("wrong", ["", "a b", "https://example.org/archives/x", "../x"])
def test_a_wrong_record_is_a_mistake_of_the_manifest(challenge: GrandChallengeSource, wrong: str) -> None:
    with pytest.raises(ConfigError, match="slug of an archive"):
        challenge.describe(ref().model_copy(update={"record": wrong}))


@pytest.mark.parametrize("body", [[], {}, None, {"results": {}}, "x"])
def test_another_shape_is_told(origin: Origin, make_context: MakeContext, body: Any) -> None:
    origin.serve("/archives/", answer(body))
    with pytest.raises(SourceError, match="another shape") as caught:
        GrandChallengeSource(make_context(hosts={"grand_challenge": origin.url})).describe(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


def test_hostile_rows_are_passed_over(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/archives/", answer({"results": [{}, None, {"slug": "x", "pk": "7a"}], "next": None}))
    values = [{}, None, {"image": 7}, {"image": "http://x/../../etc"}, {"image": "https://g/v1/cases/images/ab/"}]
    items = [{"values": values}, {"values": "x"}, {}, 7, {"values": [{"image": "https://g/cases/images/ab/"}]}]
    origin.serve("/archives/items/", answer({"results": items, "next": None}))
    files = [{"file": None}, {"file": "http://["}, {"file": "https://s/a%2Fb.mha"}, {"file": "https://s/q/c.mha?sig=1"}]
    origin.serve("/cases/images/ab/", answer({"files": [*files, {"file": "https://s/r/.."}, 7]}))
    found = GrandChallengeSource(make_context(hosts={"grand_challenge": origin.url})).describe(ref("x"))
    assert [file.name for file in found.files] == ["ab/c.mha"]
    assert "sig" not in repr(found.files)
    assert len(origin.asked("/cases/images/ab/")) == 1


def test_a_list_that_only_promises_more_ends(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/archives/", answer({"results": [], "next": "https://grand-challenge.org/x", "count": 10**30}))
    with pytest.raises(SourceError, match="after 0 of unknown rows") as caught:
        GrandChallengeSource(make_context(hosts={"grand_challenge": origin.url})).describe(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) == 1
