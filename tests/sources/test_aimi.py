from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.aimi import PUT_LIMIT, sas
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.aimi import ACCOUNT, AimiSource

BOX = "phantomecho-1"
LARGE = HostFile("videos/large.avi", Blob(PUT_LIMIT + 1, seed=3))
ODD = HostFile("videos/a & b #1 (ü).avi", b"clip" * 1000)
RECORD = HostRecord("aimi", BOX, "Echo clips", files=(HostFile("FileList.csv", b"name,ef\n"), LARGE, ODD))
OTHER = HostRecord("aimi", "phantomecho-2", "More", files=(HostFile("b.avi", b"b"),))
XML = {"Content-Type": "application/xml"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([RECORD, OTHER]) as server:
        yield server


def links(*containers: str, **how: str) -> dict[str, str]:
    return {"ULTRACURATE_AIMI_SAS": "\n ".join(f"{ACCOUNT}/{name}?{sas(name, **how)}" for name in containers)}


@pytest.fixture
def aimi(hosts: LocalHosts, make_context: MakeContext) -> AimiSource:
    return AimiSource(make_context(hosts=hosts.hosts, environ=links(BOX, OTHER.id)))


def ref(record: str = BOX, *names: str) -> SourceRef:
    return SourceRef(host="aimi", record=record, files=[FileRef(name=name) for name in names])


def listing(*names: str, marker: str = "", more: str = "") -> Reply:
    blobs = "".join(
        f"<Blob><Name>{name}</Name><Properties>{more}<Content-Length>3</Content-Length></Properties></Blob>"
        for name in names
    )
    text = f'\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs>'
    return Reply(f"{text}<NextMarker>{marker}</NextMarker></EnumerationResults>".encode(), 200, XML)


@pytest.fixture
def scripted(origin: Origin, make_context: MakeContext) -> AimiSource:
    return AimiSource(make_context(hosts={"aimi": origin.url}, environ=links(BOX)))


def test_a_container_is_listed_with_its_digests(aimi: AimiSource) -> None:
    found = aimi.describe(ref())
    assert (found.record, found.access, found.files_listed) == (BOX, "open", True)
    files = {file.name: file for file in found.files}
    assert set(files) == {file.key for file in RECORD.files}
    assert (files[ODD.key].size, files[ODD.key].checksum) == (ODD.size, f"md5:{ODD.md5}")
    assert files[ODD.key].url == f"{ACCOUNT}/{BOX}/videos/a%20%26%20b%20%231%20%28%C3%BC%29.avi"
    assert (files[LARGE.key].size, files[LARGE.key].checksum) == (LARGE.size, None)  # sent in blocks: no md5


@pytest.mark.parametrize("file", RECORD.files, ids=lambda file: file.key)
def test_every_file_can_be_fetched(aimi: AimiSource, tmp_path: Path, file: HostFile) -> None:
    (remote,) = aimi.list_files(ref(BOX, file.key))
    bare = RemoteFile(remote.name, remote.url, remote.size, remote.checksum)  # as a table gives it back
    assert aimi.fetch(bare, tmp_path / "f").sha256 == file.sha256


def test_a_cut_download_goes_on_where_it_was(aimi: AimiSource, hosts: LocalHosts, tmp_path: Path) -> None:
    (file,) = aimi.list_files(ref(BOX, LARGE.key))
    hosts.faults = Faults(only="large.avi", cut_after=1_000_000)
    got = aimi.fetch(file, tmp_path / "f")
    assert (got.sha256, got.transferred) == (LARGE.sha256, LARGE.size)


def test_a_file_can_be_opened_in_the_middle(aimi: AimiSource) -> None:
    (file,) = aimi.list_files(ref(BOX, LARGE.key))
    with aimi.open(file, 1000) as stream:
        assert stream.read(10) == b"".join(LARGE.pieces(1000, 1010))


def test_small_pages_lose_nothing(aimi: AimiSource, hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=1)
    assert len(aimi.list_files(ref())) == 3
    assert len([seen for seen in hosts.requests if seen.one("marker")]) == 2


def test_the_link_is_picked_by_its_container(aimi: AimiSource) -> None:
    assert [file.name for file in aimi.list_files(ref(OTHER.id))] == ["b.avi"]
    assert [file.name for file in aimi.list_files(ref(f"{ACCOUNT}/{OTHER.id}/"))] == ["b.avi"]


def test_the_link_may_name_the_server_itself(hosts: LocalHosts, make_context: MakeContext) -> None:
    environ = {"ULTRACURATE_AIMI_SAS": f"{hosts.hosts['aimi']}/{BOX}?{sas(BOX)}"}
    assert len(AimiSource(make_context(hosts=hosts.hosts, environ=environ)).list_files(ref())) == 3


def test_no_signature_is_ever_shown(
    hosts: LocalHosts, make_context: MakeContext, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    environ = links(BOX)
    signature = environ["ULTRACURATE_AIMI_SAS"].partition("sig=")[2][:12]
    aimi = AimiSource(make_context(hosts=hosts.hosts, environ=environ, retries=1))
    (file,) = aimi.list_files(ref(BOX, ODD.key))
    hosts.faults = Faults(fail_first=9)
    with pytest.raises(SourceError) as caught:
        aimi.fetch(file, tmp_path / "f")
    shown = f"{caught.value} {file!r} {aimi.describe(ref('nothing-1'))!r} {aimi._links!r} {aimi.asks(file)!r}"
    assert signature not in shown + caplog.text + "".join(path.read_text() for path in tmp_path.glob("*.json"))


def test_the_link_does_not_go_where_its_owner_did_not_mean_it(make_context: MakeContext) -> None:
    aimi = AimiSource(make_context(hosts={"aimi": "https://collector.example.org"}, environ=links(BOX)))
    with pytest.raises(SourceError, match="holds no link for it"):
        aimi.list_files(ref())


@pytest.mark.parametrize("value", ["", "nothing", f"{ACCOUNT}/{BOX}", "https://[x?sig=1", f"{ACCOUNT}/?sig=1"])
def test_without_a_link_it_says_where_to_get_one(hosts: LocalHosts, make_context: MakeContext, value: str) -> None:
    aimi = AimiSource(make_context(hosts=hosts.hosts, environ={"ULTRACURATE_AIMI_SAS": value}))
    assert aimi.describe(ref()).access == "restricted"
    with pytest.raises(SourceError, match="Accept the agreement on the dataset's page") as caught:
        aimi.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED
    assert hosts.requests == []


def test_a_link_whose_time_is_over_is_not_tried(hosts: LocalHosts, make_context: MakeContext, tmp_path: Path) -> None:
    old = links(BOX, until="2026-02-03T00:00:00Z")
    aimi = AimiSource(make_context(hosts=hosts.hosts, environ=old))
    assert aimi.describe(ref()).access == "restricted"
    for act in (
        lambda: aimi.list_files(ref()),
        lambda: aimi.fetch(RemoteFile("a", f"{ACCOUNT}/{BOX}/a"), tmp_path / "f"),
    ):
        with pytest.raises(SourceError, match=r"ended on 2026-02-03.*copy a new link") as caught:
            act()
        assert caught.value.state is SourceState.RESTRICTED
    assert hosts.requests == []


@pytest.mark.parametrize("how", [{"permissions": "l"}, {}])
def test_a_refused_link_says_how_to_get_a_new_one(
    hosts: LocalHosts, make_context: MakeContext, tmp_path: Path, how: dict[str, str]
) -> None:
    environ = links(BOX, **how)
    aimi = AimiSource(make_context(hosts=hosts.hosts, environ=environ))
    if not how:
        broken = environ["ULTRACURATE_AIMI_SAS"].replace("sig=", "sig=x")
        aimi = AimiSource(make_context(hosts=hosts.hosts, environ={"ULTRACURATE_AIMI_SAS": broken}))
        with pytest.raises(SourceError, match=r"\(AuthenticationFailed\).*copy a new link"):
            aimi.list_files(ref())
    file = RemoteFile(ODD.key, f"{ACCOUNT}/{BOX}/FileList.csv")
    for act in (lambda: aimi.fetch(file, tmp_path / "f"), lambda: aimi.open(file)):
        with pytest.raises(SourceError, match="copy a new link") as caught:
            act()
        assert caught.value.state is SourceState.RESTRICTED


def test_a_blob_that_is_gone_is_told(aimi: AimiSource, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="BlobNotFound") as caught:
        aimi.fetch(RemoteFile("x", f"{ACCOUNT}/{BOX}/x"), tmp_path / "f")
    assert caught.value.state is SourceState.NOT_FOUND


def test_the_link_does_not_go_to_a_mirror(aimi: AimiSource, hosts: LocalHosts, origin: Origin, tmp_path: Path) -> None:
    mirror = origin.serve("/m.csv", Reply(b"name,ef\n"))
    file = RemoteFile("x", f"{ACCOUNT}/{BOX}/x", checksum="md5:" + hashlib.md5(b"name,ef\n").hexdigest())
    aimi.fetch(RemoteFile(file.name, file.url, None, file.checksum, mirrors=(mirror,)), tmp_path / "f")
    assert origin.seen[0].query == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><EnumerationResults>&a;</EnumerationResults>', "with definitions"),
        (b"<EnumerationResults>", "something else"),
        (b"<Error><Code>x</Code></Error>", "something else"),
        (b"\xff\xfe\x00", "something else"),
        (b"", "something else"),
    ],
)
def test_another_kind_of_list_is_refused(scripted: AimiSource, origin: Origin, body: bytes, words: str) -> None:
    origin.serve(f"/{BOX}", Reply(body, 200, XML))
    with pytest.raises(SourceError, match=words) as caught:
        scripted.list_files(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


def test_hostile_blobs_are_passed_over(scripted: AimiSource, origin: Origin) -> None:
    half = base64.b64encode(b"short").decode()
    more = f"<Content-Length>{'9' * 30}</Content-Length><Content-MD5>{half}</Content-MD5>"
    origin.serve(f"/{BOX}", listing("../a", "/etc/passwd", "", "b.avi", more=more))
    (file,) = scripted.list_files(ref())
    assert (file.name, file.size, file.checksum) == ("b.avi", None, None)
    origin.serve(f"/{BOX}", listing("folder", "folder/x", more="<ResourceType>directory</ResourceType>"))
    with pytest.raises(SourceError, match="holds no files"):
        scripted.list_files(ref())


@pytest.mark.parametrize(("markers", "most"), [(["a"], 2), (["a", "b"], 200)])
def test_a_list_without_end_is_cut(scripted: AimiSource, origin: Origin, markers: list[str], most: int) -> None:
    replies = [listing(marker=marker) for marker in markers * 200]
    origin.serve(f"/{BOX}", *replies)
    with pytest.raises(SourceError, match="does not come to an end") as caught:
        scripted.list_files(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) <= most


def test_nothing_can_be_searched_for(aimi: AimiSource) -> None:
    assert list(aimi.search("echo", 5)) == []


@pytest.mark.parametrize("wrong", ["", "A b", "https://example.org/x-1", f"{ACCOUNT}/{BOX}?sig=s3cr3t"])
def test_a_wrong_record_is_told_without_repeating_it(aimi: AimiSource, wrong: str) -> None:
    with pytest.raises(ConfigError, match="name of a container") as caught:
        aimi.describe(ref().model_copy(update={"record": wrong}))
    assert "s3cr3t" not in str(caught.value)
