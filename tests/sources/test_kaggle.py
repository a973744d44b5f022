from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, ranged
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.kaggle import KaggleSource

CSV = b"name,label\r\n" * 40
FILES = (
    HostFile("train/a.png", b"\x89PNG one"),
    HostFile("test/a.png", b"\x89PNG two!"),
    HostFile("train set/Schilddr\u00fcse #1?.png", b"\x89PNG three"),
    HostFile("labels/all.csv", CSV),
    HostFile("clip.avi", Blob(300_000, seed=4)),
)
RECORDS = [
    HostRecord(
        "kaggle",
        "ada/breast-us",
        "Breast ultrasound",
        "B-mode of breasts.",
        ("health", "cancer"),
        "CC-BY-NC-SA-4.0",
        created="2024-05-01",
        version=3,
        files=FILES,
    ),
    HostRecord("kaggle", "ada/gated", "Gated set", access="terms", files=FILES[:1]),
    HostRecord("kaggle", "ben/private", "Private set", access="closed", files=FILES[:1]),
    HostRecord("kaggle", "ben/empty", "Empty set"),
    *(HostRecord("kaggle", f"many/set-{n}", "Many scans", files=(HostFile("x.png", b"x" * n),)) for n in range(1, 131)),
]
BUNDLE = "https://www.kaggle.com/api/v1/datasets/download/ada/breast-us?datasetVersionNumber=3"
Make = Callable[..., KaggleSource]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


@pytest.fixture
def hosts(running: LocalHosts) -> LocalHosts:
    running.faults = Faults()
    return running


@pytest.fixture
def make(origin: Origin, hosts: LocalHosts, make_context: MakeContext, tmp_path: Path) -> Make:
    def made(**changes: Any) -> KaggleSource:
        environ = {"HOME": str(tmp_path / "home"), **changes.pop("environ", {})}
        return KaggleSource(make_context(**{"hosts": {"kaggle": hosts.hosts["kaggle"]}, "environ": environ, **changes}))

    return made


def ref(record: str = "ada/breast-us", *names: str) -> SourceRef:
    return SourceRef(host="kaggle", record=record, files=[FileRef(name=name) for name in names])


def asked(hosts: LocalHosts, since: int) -> list[str]:
    return [request.raw.partition("/api/v1")[2] for request in hosts.requests[since:] if request.host == "kaggle"]


def test_a_search_goes_through_its_pages(make: Make, hosts: LocalHosts, fake_time: FakeTime) -> None:
    since = len(hosts.requests)
    found = list(make().search("scans", 1000))
    assert len({candidate.record for candidate in found}) == len(found) == 130
    assert [int(line.partition("&page=")[2].partition("&")[0]) for line in asked(hosts, since)] == list(range(1, 9))
    assert not any(candidate.files_listed or candidate.files for candidate in found)
    assert fake_time.slept == []


def test_a_search_asks_no_more_than_it_needs(make: Make, hosts: LocalHosts) -> None:
    since = len(hosts.requests)
    assert len(list(make().search("scans", 20))) == 20
    assert len(asked(hosts, since)) == 1
    assert list(make().search("scans", 0)) == []


def test_short_pages_do_not_end_a_search(make: Make, hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=19)
    assert len(list(make().search("scans", 1000))) == 130


def test_a_row_of_a_search_is_read(make: Make) -> None:
    (found,) = make().search("breast", 10)
    assert (found.record, found.title, found.version) == ("ada/breast-us", "Breast ultrasound", "3")
    assert (found.licence_raw, found.licence_spdx) == ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0")
    assert (found.url, found.access) == ("https://www.kaggle.com/datasets/ada/breast-us", "open")
    assert found.keywords == ("health", "cancer")
    assert found.total_bytes == sum(file.size for file in FILES)
    assert json.loads(found.raw)["ref"] == "ada/breast-us"


def test_describe_lists_the_files_in_the_set_over_all_pages(make: Make, hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=2)
    found = make().describe(ref("https://www.kaggle.com/datasets/ada/breast-us"))
    assert [(file.name, file.size) for file in found.files] == [(file.key, file.size) for file in FILES]
    assert found.files_listed
    assert found.description == "B-mode of breasts."
    assert found.published == "2024-05-01"
    assert found.licence_spdx == "CC-BY-NC-SA-4.0"
    assert found.files[2].url.endswith("/train%20set/Schilddr%C3%BCse%20%231%3F.png?datasetVersionNumber=3")


def test_the_archive_of_everything_is_what_is_fetched(make: Make, hosts: LocalHosts, tmp_path: Path) -> None:
    (file,) = make().list_files(ref())
    assert file == RemoteFile("breast-us.zip", BUNDLE)  # neither size nor digest is known before
    since = len(hosts.requests)
    got = make().fetch(file, tmp_path / "f")
    assert len(asked(hosts, since)) == 1  # its limits are tight: the address that was found is used
    with zipfile.ZipFile(got.path) as archive:
        assert archive.namelist() == [file.key for file in FILES]
        assert archive.testzip() is None
    assert got.transferred == got.size == got.path.stat().st_size


def test_a_version_stays_pinned(make: Make) -> None:
    (file,) = make().list_files(ref("ada/breast-us/versions/2"))
    assert file.url == BUNDLE.replace("=3", "=2")
    found = make().describe(ref("ada/breast-us/versions/2"))
    assert (found.version, found.total_bytes) == ("2", None)
    with pytest.raises(SourceError, match="its version") as caught:
        make().list_files(ref("ada/breast-us/versions/9"))
    assert caught.value.state is SourceState.NOT_FOUND


@pytest.mark.parametrize("name", [file.key for file in FILES])
def test_single_files_come_as_the_manifest_names_them(make: Make, tmp_path: Path, name: str) -> None:
    source = make()
    (file,) = source.list_files(ref("ada/breast-us", name))
    held = next(held for held in FILES if held.key == name)
    got = source.fetch(replace(file, mirrors=()), tmp_path / "f")
    assert (got.size, got.sha256) == (held.size, held.sha256)  # the CSV out of the zip it comes in
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["f"]
    assert source.fetch(file, tmp_path / "f").transferred == 0


def test_a_name_that_is_not_in_the_set_is_told(make: Make) -> None:
    with pytest.raises(SourceError, match=r"no file 'b\.png'") as caught:
        make().list_files(ref("ada/breast-us", "b.png"))
    assert caught.value.state is SourceState.NOT_FOUND


def test_the_stored_objects_own_digest_counts(make: Make, hosts: LocalHosts, tmp_path: Path) -> None:
    source = make()
    (file,) = source.list_files(ref())
    hosts.faults = Faults(wrong_md5=frozenset({"archive.zip"}))
    with pytest.raises(SourceError, match="fetched twice: expected md5:") as caught:
        source.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert not (tmp_path / "f").exists()


def test_cuts_and_expired_addresses_are_survived(make: Make, hosts: LocalHosts, tmp_path: Path) -> None:
    source = make(environ={"KAGGLE_API_TOKEN": "KGAT_s3cr3t"})
    (file,) = source.list_files(ref("ada/breast-us", "clip.avi"))
    hosts.faults = Faults(cut_at=(100_000, 200_000))
    assert source.fetch(file, tmp_path / "a").sha256 == FILES[4].sha256
    hosts.faults = Faults(refuse_signed_first=1)
    assert source.fetch(file, tmp_path / "b").sha256 == FILES[4].sha256
    hosts.faults = Faults(refuse_signed_first=100)
    with pytest.raises(SourceError, match="storage host") as caught:
        source.fetch(file, tmp_path / "c")
    assert caught.value.state is SourceState.RESTRICTED  # not a question of terms
    assert "X-Goog" not in str(caught.value)


def test_the_login_goes_to_kaggle_only(make: Make, hosts: LocalHosts, tmp_path: Path) -> None:
    source = make(environ={"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "s3cr3t"})
    since = len(hosts.requests)
    (file,) = source.list_files(ref("ada/gated"))
    source.fetch(file, tmp_path / "f")
    with source.open(file) as stream:
        assert stream.read(4) == b"PK\x03\x04"
    sent = {request.host: request.headers.get("authorization", "") for request in hosts.requests[since:]}
    assert sent["kaggle"].startswith("Basic ")
    assert sent["storage"] == ""
    assert not hosts.offences
    assert all(request.method == "GET" for request in hosts.requests[since:])  # HEAD is not served


@pytest.mark.parametrize("in_200", [False, True])
@pytest.mark.parametrize(
    ("record", "environ", "state", "advice"),
    [
        ("ada/gated", {}, SourceState.TERMS_REQUIRED, r"Open https://www\.kaggle\.com/datasets/ada/gated .*settings"),
        ("ben/private", {"KAGGLE_API_TOKEN": "good"}, SourceState.TERMS_REQUIRED, "ask for access"),
        ("ada/nowhere", {}, SourceState.NOT_FOUND, "Compare the manifest with https://"),
        ("ada/breast-us", {"KAGGLE_API_TOKEN": "bad-one"}, SourceState.RESTRICTED, "Make a new token at https://"),
        ("ben/empty", {}, SourceState.NOT_FOUND, "holds no files"),
    ],
)
def test_what_cannot_be_had_says_what_to_do(
    make: Make, hosts: LocalHosts, record: str, environ: dict[str, str], state: SourceState, advice: str, in_200: bool
) -> None:
    hosts.faults = Faults(error_in_200=in_200)
    with pytest.raises(SourceError, match=advice) as caught:
        make(environ=environ).list_files(ref(record))
    assert caught.value.state is state
    assert "bad-one" not in str(caught.value)


@pytest.mark.parametrize("in_200", [False, True])
def test_a_refused_download_is_not_stored(make: Make, hosts: LocalHosts, tmp_path: Path, in_200: bool) -> None:
    (file,) = make(environ={"KAGGLE_API_TOKEN": "good"}).list_files(ref("ada/gated"))
    hosts.faults = Faults(error_in_200=in_200)
    for take in (lambda: make().fetch(file, tmp_path / "f"), lambda: make().open(file)):
        with pytest.raises(SourceError, match="set KAGGLE_API_TOKEN") as caught:
            take()
        assert caught.value.state is SourceState.TERMS_REQUIRED
    assert not (tmp_path / "f").exists()


def test_a_gated_set_is_described_without_its_files(make: Make) -> None:
    found = make().describe(ref("ada/gated"))
    assert (found.title, found.access, found.files, found.files_listed) == ("Gated set", "restricted", (), False)


def test_too_many_requests_without_a_time_are_waited_out(make: Make, hosts: LocalHosts, fake_time: FakeTime) -> None:
    hosts.faults = Faults(fail_first=2, fail_status=429, retry_after=None, only="/view/")
    assert make().describe(ref()).title == "Breast ultrasound"
    assert fake_time.slept == [60.0, 120.0]
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after="7", only="/view/")
    assert make().describe(ref()).title == "Breast ultrasound"
    assert fake_time.slept[2:] == [7.0]


def test_a_host_that_stays_busy_ends_as_quota(make: Make, hosts: LocalHosts, fake_time: FakeTime) -> None:
    hosts.faults = Faults(fail_first=99, fail_status=429, retry_after=None)
    with pytest.raises(SourceError) as caught:
        make().describe(ref())
    assert caught.value.state is SourceState.QUOTA
    assert sum(fake_time.slept) <= 900


def test_a_busy_download_goes_on_after_the_wait(
    make: Make, hosts: LocalHosts, fake_time: FakeTime, tmp_path: Path
) -> None:
    (file,) = make().list_files(ref())
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after=None, only="/download/")
    assert make().fetch(file, tmp_path / "f").size > 0
    assert fake_time.slept == [60.0]


def test_the_archive_can_be_looked_into(make: Make, tmp_path: Path) -> None:
    source = make()
    (file,) = source.list_files(ref())
    body = source.fetch(file, tmp_path / "f").path.read_bytes()
    with source.open(file, len(body) - 100) as stream:
        assert stream.read() == body[-100:]
    (table,) = source.list_files(ref("ada/breast-us", "labels/all.csv"))
    with pytest.raises(SourceError, match="zip of its own"):
        source.open(table)


def test_a_wrong_record_asks_nothing(make: Make, hosts: LocalHosts) -> None:
    since = len(hosts.requests)
    with pytest.raises(ConfigError, match="owner/slug"):
        make().describe(ref("no-slug"))
    assert asked(hosts, since) == []


def test_a_mirror_is_tried_without_the_login(make: Make, hosts: LocalHosts, elsewhere: Origin, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", b"x")
    mirror = elsewhere.serve("/b.zip", ranged(buffer.getvalue()))
    file = RemoteFile("b.zip", BUNDLE.replace("ada/", "nobody/"), mirrors=(mirror,))
    got = make(environ={"KAGGLE_API_TOKEN": "KGAT_s3cr3t"}).fetch(file, tmp_path / "f")
    assert got.sha256 == hashlib.sha256(buffer.getvalue()).hexdigest()
    assert all("authorization" not in seen.headers for seen in elsewhere.seen)
    make(environ={"KAGGLE_API_TOKEN": "KGAT_s3cr3t"}).fetch(replace(file, url=mirror, mirrors=()), tmp_path / "h")
    assert all("authorization" not in seen.headers for seen in elsewhere.seen)
    with pytest.raises(SourceError, match=r"nobody.*nowhere") as caught:
        make().fetch(replace(file, mirrors=(elsewhere.url + "/nowhere",)), tmp_path / "g")
    assert caught.value.state is SourceState.NOT_FOUND
