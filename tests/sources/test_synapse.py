from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, Seen
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.hosts.synapse import entity_id
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.synapse import SynapseSource

CLIP = HostFile("week 20/clip.avi", Blob(200_000, seed=2))
PROJECT = HostRecord(
    "synapse",
    "syn100",
    "Fetal ultrasound project",
    kind="project",
    created="2026-02-03",
    files=(HostFile("readme.txt", b"read me"), CLIP, *(HostFile(f"train/{n:03}.png", b"%d" % n) for n in range(60))),
)
DATASET = HostRecord("synapse", "syn200", "Cardiac ultrasound clips", files=(HostFile("a/x.avi", b"clip"),))
TWINS = HostRecord("synapse", "syn250", "Twins", files=(HostFile("a/x.avi", b"clip"), HostFile("b/x.avi", b"clop")))
TERMS = HostRecord("synapse", "syn300", "Liver sonography", access="terms", files=(HostFile("l.zip", b"l"),))
CLOSED = HostRecord("synapse", "syn400", "Secret ultrasound", access="restricted", files=(HostFile("s.zip", b"s"),))
ENVIRON = {"SYNAPSE_AUTH_TOKEN": "s3cr3t"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([PROJECT, DATASET, TWINS, TERMS, CLOSED]) as server:
        yield server


@pytest.fixture
def synapse(hosts: LocalHosts, make_context: MakeContext) -> SynapseSource:
    return SynapseSource(make_context(hosts=hosts.hosts, environ=ENVIRON))


@pytest.fixture
def scripted(origin: Origin, make_context: MakeContext) -> SynapseSource:
    return SynapseSource(make_context(hosts={"synapse": origin.url, "synapse_file": origin.url}, environ=ENVIRON))


def ref(record: str = PROJECT.id, *names: str) -> SourceRef:
    return SourceRef(host="synapse", record=record, files=[FileRef(name=name) for name in names])


def answer(data: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON)


def test_a_project_is_walked_through_its_folders_and_pages(synapse: SynapseSource) -> None:
    found = synapse.describe(ref("https://www.synapse.org/#!Synapse:syn100/files"))
    assert (found.record, found.title, found.access, found.files_listed) == ("syn100", PROJECT.title, "open", True)
    assert (found.licence_raw, found.licence_spdx, found.published) == ("CC-BY-4.0", "CC-BY-4.0", "2026-02-03")
    files = {file.name: file for file in found.files}
    assert set(files) == {file.key for file in PROJECT.files}
    clip = files[CLIP.key]
    assert (clip.size, clip.checksum) == (CLIP.size, f"md5:{CLIP.md5}")
    assert clip.url == f"https://www.synapse.org/Synapse:{entity_id(PROJECT, CLIP.key)}.1"


def test_a_dataset_lists_its_items_and_keeps_twins_apart(synapse: SynapseSource) -> None:
    found = synapse.describe(ref("10.7303/syn200"))
    assert [file.name for file in found.files] == ["x.avi"]
    assert (found.version, found.concept) == ("1", "syn200")
    assert [file.name for file in synapse.describe(ref("syn250")).files] == [
        "x.avi",
        f"{entity_id(TWINS, 'b/x.avi')}/x.avi",
    ]


def test_a_single_file_is_a_record_too(synapse: SynapseSource, tmp_path: Path) -> None:
    (file,) = synapse.list_files(ref(entity_id(PROJECT, CLIP.key)))
    assert (file.name, file.checksum) == ("clip.avi", f"md5:{CLIP.md5}")


def test_a_file_is_fetched_by_a_new_signature_each_time(
    synapse: SynapseSource, hosts: LocalHosts, tmp_path: Path
) -> None:
    (file,) = synapse.list_files(ref(PROJECT.id, CLIP.key))
    bare = RemoteFile(file.name, file.url, file.size, file.checksum)  # as a table gives it back
    before = len(hosts.requests)
    hosts.faults = Faults(only="/storage/", refuse_signed_first=1, cut_after=100_000)
    assert synapse.fetch(bare, tmp_path / "f").sha256 == CLIP.sha256
    assert [seen.host for seen in hosts.requests[before:]].count("synapse_file") == 3  # refused once, cut once
    with synapse.open(bare, 1000) as stream:
        assert stream.read(10) == b"".join(CLIP.pieces(1000, 1010))


def test_a_file_without_a_known_digest_is_verified_all_the_same(
    synapse: SynapseSource, hosts: LocalHosts, tmp_path: Path
) -> None:
    url = f"https://www.synapse.org/Synapse:{entity_id(PROJECT, CLIP.key)}"
    hosts.faults = Faults(wrong_md5=frozenset({CLIP.key}))
    with pytest.raises(SourceError, match="expected md5:") as caught:
        synapse.fetch(RemoteFile(CLIP.key, url), tmp_path / "f")
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH


def test_conditions_to_accept_are_told_with_their_page(synapse: SynapseSource, tmp_path: Path) -> None:
    assert synapse.describe(ref(TERMS.id)).access == "restricted"
    page = r"Open https://www\.synapse\.org/Synapse:syn\d+ with the account"
    with pytest.raises(SourceError, match=page) as caught:
        synapse.list_files(ref(TERMS.id))
    assert caught.value.state is SourceState.TERMS_REQUIRED
    url = f"https://www.synapse.org/Synapse:{entity_id(TERMS, 'l.zip')}.1"
    with pytest.raises(SourceError, match=page):
        synapse.fetch(RemoteFile("l.zip", url, 1, "md5:" + "0" * 32), tmp_path / "f")


def test_a_file_that_is_not_for_us_is_restricted(synapse: SynapseSource, tmp_path: Path) -> None:
    assert synapse.describe(ref(CLOSED.id)).access == "restricted"
    with pytest.raises(SourceError, match="accept the conditions it shows, or ask the owner") as caught:
        synapse.list_files(ref(CLOSED.id))
    assert caught.value.state is SourceState.RESTRICTED


@pytest.mark.parametrize("token", [None, "bad-token"])
def test_without_a_good_token_it_says_what_to_do(
    hosts: LocalHosts, make_context: MakeContext, tmp_path: Path, token: str | None
) -> None:
    environ = {"HOME": str(tmp_path)} | ({"SYNAPSE_AUTH_TOKEN": token} if token else {})
    synapse = SynapseSource(make_context(hosts=hosts.hosts, environ=environ))
    if token is None:
        assert len(synapse.describe(ref()).files) == 62  # everybody may look
    with pytest.raises(SourceError, match="set SYNAPSE_AUTH_TOKEN") as caught:
        synapse.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED
    assert "bad-token" not in str(caught.value)


@pytest.mark.parametrize("section", ["default", "authentication"])
def test_the_official_clients_file_is_read(
    hosts: LocalHosts, make_context: MakeContext, tmp_path: Path, section: str
) -> None:
    (tmp_path / ".synapseConfig").write_text(f"[{section}]\nusername = x\nauthtoken = from-file%\n")
    synapse = SynapseSource(make_context(hosts=hosts.hosts, environ={"HOME": str(tmp_path)}))
    assert synapse.list_files(ref(DATASET.id))
    assert {seen.headers["authorization"] for seen in hosts.requests} == {"Bearer from-file%"}


@pytest.mark.parametrize("words", ["no section", "[default]\n", "\xff", "[default]\nauthtoken\n=x"])
def test_a_broken_file_is_no_token(hosts: LocalHosts, make_context: MakeContext, tmp_path: Path, words: str) -> None:
    (tmp_path / ".synapseConfig").write_bytes(words.encode("latin-1"))
    synapse = SynapseSource(make_context(hosts=hosts.hosts, environ={"HOME": str(tmp_path)}))
    assert synapse._token is None


def test_the_token_in_the_file_does_not_go_elsewhere(make_context: MakeContext, tmp_path: Path) -> None:
    (tmp_path / ".synapseConfig").write_text("[default]\nauthtoken = from-file\n")
    context = make_context(hosts={"synapse": "https://collector.example.org"}, environ={"HOME": str(tmp_path)})
    assert SynapseSource(context)._token is None


def test_a_missing_entity_is_told(synapse: SynapseSource) -> None:
    with pytest.raises(SourceError) as caught:
        synapse.list_files(ref("syn999"))
    assert caught.value.state is SourceState.NOT_FOUND


def test_a_search_goes_through_its_pages(synapse: SynapseSource, hosts: LocalHosts) -> None:
    for number in range(120):
        hosts.shelf.add(HostRecord("synapse", f"syn{5000 + number}", "Lung ultrasound", created="2025-01-02"))
    found = list(synapse.search("lung ultrasound", 1000))
    assert len({one.record for one in found}) == len(found) == 120
    assert (found[0].published, found[0].files_listed) == ("2025-01-02", False)
    assert len(list(synapse.search("lung ultrasound", 7))) == 7
    hosts.faults = Faults(shrink_pages=9)
    assert len(list(synapse.search("lung ultrasound", 1000))) == 120


def test_a_search_that_ends_too_early_is_told(scripted: SynapseSource, origin: Origin) -> None:
    hits = [{}, None, {"id": 7}, {"id": "syn1", "created_on": 10**30}, {"id": "syn1"}]
    origin.serve("/search", answer({"found": 9, "hits": hits}), answer({"found": 9, "hits": []}))
    results = scripted.search("x", 10)
    assert (one := next(results)).record == "syn1"
    assert one.published is None
    with pytest.raises(SourceError, match="has 9 hits") as caught:
        next(results)
    assert caught.value.state is SourceState.PARTIAL_LISTING


@pytest.mark.parametrize("body", [[], None, {"hits": None}, "x"])
def test_another_shape_is_told(scripted: SynapseSource, origin: Origin, body: Any) -> None:
    origin.serve("/search", answer(body))
    with pytest.raises(SourceError, match="another shape"):
        list(scripted.search("x", 1))
    origin.serve("/entity/syn1", answer(body))
    with pytest.raises(SourceError, match="another shape") as caught:
        scripted.describe(ref("syn1"))
    assert caught.value.state is SourceState.BAD_ANSWER
    origin.serve("/entity/syn1", answer({"id": "syn1", "concreteType": "x.Folder"}))
    origin.serve("/entity/children", answer(body))
    with pytest.raises(SourceError, match="another shape"):
        scripted.describe(ref("syn1"))


class Tree:
    """A scripted project whose children are given by a function of parent and page."""

    def __init__(self, origin: Origin, rows: Any) -> None:
        origin.serve("/entity/syn1", answer({"id": "syn1", "concreteType": "x.Project", "name": ["odd"]}))
        origin.serve("/entity/syn1/annotations2", answer({"annotations": {"License": {"value": 7}, "x": []}}))

        def children(seen: Seen) -> Reply:
            return answer(rows(json.loads(seen.body)))

        origin.serve("/entity/children", children)


def test_hostile_children_are_passed_over(origin: Origin, make_context: MakeContext) -> None:
    file = {"type": "x.FileEntity"}
    page = [
        {},
        None,
        {**file, "id": "../x"},
        {**file, "id": "syn2", "name": "../../etc", "versionNumber": 10**30},
        {**file, "id": "syn3", "name": None},
        {**file, "id": "syn3", "name": "again"},
        {"type": "x.Folder", "id": "syn1", "name": "up"},
        {"type": ["x"], "id": "syn4", "name": "odd"},
    ]
    Tree(origin, lambda body: {"page": page})
    synapse = SynapseSource(make_context(hosts={"synapse": origin.url}, environ={"HOME": "/nowhere"}))
    found = synapse.describe(ref("syn1"))
    assert [file.name for file in found.files] == [".._.._etc", "syn3"]
    assert found.files[0].url == "https://www.synapse.org/Synapse:syn2"
    assert (found.title, found.licence_raw) == ("syn1", None)


def test_folders_without_end_are_cut(
    origin: Origin, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultracurate.sources._synapse_api.MOST_REQUESTS", 20)
    Tree(origin, lambda body: {"page": [], "nextPageToken": "again"})
    context = make_context(hosts={"synapse": origin.url, "synapse_file": origin.url}, environ=ENVIRON)
    with pytest.raises(SourceError, match="too large to be listed") as caught:
        SynapseSource(context).list_files(ref("syn1"))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) < 30


FILE = RemoteFile("a.avi", "https://www.synapse.org/Synapse:syn7.3", 4, "md5:" + "0" * 32)


@pytest.mark.parametrize(
    ("row", "state", "words"),
    [
        ({"failureCode": "NOT_FOUND"}, SourceState.NOT_FOUND, "has no file any more"),
        ({"failureCode": "UNAUTHORIZED"}, SourceState.RESTRICTED, "accept the conditions"),
        ({"failureCode": None, "preSignedURL": "http://["}, SourceState.BAD_ANSWER, "expected a signed"),
        ({"preSignedURL": {"x": 1}}, SourceState.BAD_ANSWER, "expected a signed"),
        ({"fileHandleId": "8"}, SourceState.BAD_ANSWER, "does not mention"),
    ],
)
def test_what_the_file_service_may_say(
    scripted: SynapseSource, origin: Origin, row: dict[str, Any], state: SourceState, words: str
) -> None:
    origin.serve("/entity/syn7", answer({"id": "syn7", "versionNumber": 4, "dataFileHandleId": "9"}))
    origin.serve("/entity/syn7/version/3", answer({"id": "syn7", "versionNumber": 3, "dataFileHandleId": "5"}))
    origin.serve("/fileHandle/batch", answer({"requestedFiles": [{"fileHandleId": "5", **row}]}))
    with pytest.raises(SourceError, match=words) as caught:
        scripted.open(FILE)
    assert caught.value.state is state
    (batch,) = origin.asked("/fileHandle/batch")  # of the version that the address names, not of today's
    assert json.loads(batch.body)["requestedFiles"][0]["fileHandleId"] == "5"


def test_an_entity_that_is_no_file_is_told(scripted: SynapseSource, origin: Origin) -> None:
    origin.serve("/entity/syn7", answer({"id": "syn7", "versionNumber": 3, "dataFileHandleId": {"x": 1}}))
    with pytest.raises(SourceError, match="is no file"):
        scripted.open(FILE)


@pytest.mark.parametrize("wrong", ["", "7", "syn", "syn1.x", "https://example.org/syn1"])
def test_a_wrong_record_is_a_mistake_of_the_manifest(synapse: SynapseSource, hosts: LocalHosts, wrong: str) -> None:
    with pytest.raises(ConfigError, match="syn and a number"):
        synapse.describe(ref().model_copy(update={"record": wrong}))
    assert hosts.requests == []
