from __future__ import annotations

import contextlib
import hashlib
import http.client
import multiprocessing
import pickle
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import requests

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.datasets import load_records, save_record
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import HOSTS, LocalHosts

BIG = Blob(3_000_000, seed=3)
WHOLE = b"0123456789" * 100
FILES = (HostFile("small.bin", WHOLE), HostFile("big.bin", BIG), HostFile("empty.txt", b""))
RECORD = HostRecord("zenodo", "7", "Ultrasound of pigs", files=FILES)


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([RECORD]) as running:
        yield running


def content(hosts: LocalHosts, key: str = "small.bin", **more: Any) -> requests.Response:
    return requests.get(f"{hosts.hosts['zenodo']}/api/records/7/files/{key}/content", timeout=5, **more)


def test_every_host_has_a_base_address_of_its_own(hosts: LocalHosts) -> None:
    assert set(hosts.hosts) == set(HOSTS)
    assert len(set(hosts.hosts.values())) == len(HOSTS)
    assert hosts.hosts["kaggle"] == f"{hosts.url}/kaggle/api/v1"
    assert requests.get(f"{hosts.url}/nobody/x", timeout=5).status_code == 404


def test_a_host_can_be_served_without_its_prefix() -> None:
    with LocalHosts([HostRecord("kaggle", "ada/set", "Ultrasound")], root="kaggle") as hosts:
        for base in (f"{hosts.url}/api/v1", hosts.hosts["kaggle"]):
            assert requests.get(f"{base}/datasets/view/ada/set", timeout=5).json()["ref"] == "ada/set"


def test_ranges(hosts: LocalHosts) -> None:
    whole = content(hosts)
    assert (whole.status_code, whole.headers["Content-Length"], whole.content) == (200, "1000", WHOLE)
    part = content(hosts, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["Content-Range"] == "bytes 10-19/1000"
    assert content(hosts, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    fresh = {"Range": "bytes=100-", "If-Range": whole.headers["ETag"]}
    assert content(hosts, headers=fresh).content == whole.content[100:]
    stale = content(hosts, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, 1000)
    beyond = content(hosts, headers={"Range": "bytes=1000-"})
    assert (beyond.status_code, beyond.headers["Content-Range"], beyond.content) == (416, "bytes */1000", b"")
    assert content(hosts, "empty.txt").content == b""


def test_a_file_on_disk_is_sent_whole_and_in_ranges(tmp_path: Path) -> None:
    data = BIG.read(0, BIG.size)
    (tmp_path / "x.bin").write_bytes(data)
    record = HostRecord("zenodo", "7", "On disk", files=(HostFile("x.bin", tmp_path / "x.bin"),))
    with LocalHosts([record]) as hosts:
        assert content(hosts, "x.bin").content == data
        assert content(hosts, "x.bin", headers={"Range": "bytes=1000000-1999999"}).content == data[1_000_000:2_000_000]
        hosts.faults = Faults(cut_at=(1_500_000,))
        assert broken(hosts, "x.bin", "bytes=1000000-") == data[1_000_000:1_500_000]


def test_head_has_the_length_and_no_body(hosts: LocalHosts) -> None:
    url = f"{hosts.hosts['zenodo']}/api/records/7/files/small.bin/content"
    answer = requests.head(url, timeout=5)
    assert (answer.headers["Content-Length"], answer.content) == ("1000", b"")
    hosts.faults = Faults(head_status=405)
    assert requests.head(url, timeout=5).status_code == 405
    assert content(hosts).status_code == 200


def test_requests_are_logged_with_what_was_answered(hosts: LocalHosts) -> None:
    content(hosts, headers={"User-Agent": "probe/1"})
    last = hosts.requests[-1]
    assert (last.method, last.host, last.path) == ("GET", "zenodo", "/api/records/7/files/small.bin/content")
    assert (last.status, last.headers["user-agent"]) == (200, "probe/1")


@pytest.mark.parametrize("status", [429, 503, 500, 403])
def test_fail_first(hosts: LocalHosts, status: int) -> None:
    hosts.faults = Faults(only="content", fail_first=2, fail_status=status, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
    answers = [content(hosts) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"].endswith("GMT")
    assert requests.get(f"{hosts.hosts['zenodo']}/api/records/7", timeout=5).status_code == 200


def broken(hosts: LocalHosts, key: str, span: str = "bytes=0-") -> bytes:
    """What came of a body before its connection broke; fails if it did not break."""
    with contextlib.closing(http.client.HTTPConnection(hosts.url.removeprefix("http://"), timeout=5)) as connection:
        connection.request("GET", f"/zenodo/api/records/7/files/{key}/content", headers={"Range": span})
        answer = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead) as caught:
            answer.read()
    return caught.value.partial


def test_cut_after_breaks_a_body_once_and_a_range_gets_the_rest(hosts: LocalHosts) -> None:
    whole = BIG.read(0, BIG.size)
    hosts.faults = Faults(cut_after=2_000_000)
    assert broken(hosts, "big.bin") == whole[:2_000_000]
    assert content(hosts, "big.bin", headers={"Range": "bytes=2000000-"}).content == whole[2_000_000:]


def test_cut_at_breaks_each_place_once_wherever_the_transfer_began(hosts: LocalHosts) -> None:
    whole = BIG.read(0, BIG.size)
    hosts.faults = Faults(cut_at=(500_000, 100_000, 2_999_999))
    assert broken(hosts, "big.bin") == whole[:100_000]
    assert broken(hosts, "big.bin", "bytes=100000-") == whole[100_000:500_000]
    assert broken(hosts, "big.bin", "bytes=500000-") == whole[500_000:2_999_999]
    assert content(hosts, "big.bin", headers={"Range": "bytes=2999999-"}).content == whole[2_999_999:]
    assert content(hosts, "big.bin").content == whole


def test_a_place_behind_the_start_of_a_transfer_is_passed_over(hosts: LocalHosts) -> None:
    hosts.faults = Faults(cut_at=(10, 600))
    assert len(broken(hosts, "small.bin", "bytes=500-")) == 100
    assert content(hosts).status_code == 200
    assert len(content(hosts).content) == 1000


def test_reset_sends_what_was_promised_and_then_no_goodbye(hosts: LocalHosts) -> None:
    hosts.faults = Faults(cut_at=(400,), reset=True)
    received = b""
    with socket.create_connection(("127.0.0.1", int(hosts.url.rpartition(":")[2])), timeout=5) as raw:
        raw.sendall(b"GET /zenodo/api/records/7/files/small.bin/content HTTP/1.1\r\nHost: x\r\n\r\n")
        while not received.endswith(WHOLE[:400]):
            received += raw.recv(65536)
        with pytest.raises(ConnectionResetError):
            raw.recv(65536)


def test_a_body_in_chunks_that_breaks_off_and_one_that_lies_about_its_end(hosts: LocalHosts) -> None:
    hosts.faults = Faults(no_length=True)
    answer = content(hosts)
    assert "Content-Length" not in answer.headers
    assert answer.content == WHOLE
    hosts.faults = Faults(cut_chunked=300)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        content(hosts)
    assert len(content(hosts).content) == 1000
    hosts.faults = Faults(cut_chunked=300, clean_end=True)
    assert len(content(hosts).content) == 300


def test_faults_of_ranges(hosts: LocalHosts) -> None:
    hosts.faults = Faults(ignore_range=True)
    assert content(hosts, headers={"Range": "bytes=10-"}).status_code == 200
    hosts.faults = Faults(wrong_content_range=True)
    assert content(hosts, headers={"Range": "bytes=10-"}).headers["Content-Range"] == "bytes 11-1000/1000"


def test_faults_of_etags(hosts: LocalHosts) -> None:
    hosts.faults = Faults(weak_etag=True)
    weak = content(hosts).headers["ETag"]
    assert weak.startswith('W/"')
    assert content(hosts, headers={"Range": "bytes=10-", "If-Range": weak}).status_code == 200
    hosts.faults = Faults(multipart_etag=True)
    assert content(hosts).headers["ETag"].endswith('-14"')
    hosts.faults = Faults(no_etag=True)
    assert not {"ETag", "Last-Modified"} & set(content(hosts).headers)
    hosts.faults = Faults(change_etag=True)
    assert content(hosts).headers["ETag"] != content(hosts).headers["ETag"]


def test_change_file_after(hosts: LocalHosts) -> None:
    hosts.faults = Faults(change_file_after=1)
    first, second = content(hosts), content(hosts)
    assert first.content == WHOLE
    assert (len(second.content), second.content == first.content) == (1000, False)
    assert first.headers["ETag"] != second.headers["ETag"]
    rest = content(hosts, headers={"Range": "bytes=10-", "If-Range": first.headers["ETag"]})
    assert rest.status_code == 200


def test_faults_that_answer_something_else(hosts: LocalHosts) -> None:
    key = frozenset({"small.bin"})
    hosts.faults = Faults(html_instead=key)
    assert content(hosts).headers["Content-Type"].startswith("text/html")
    assert content(hosts, "big.bin").headers["Content-Type"] == "application/octet-stream"
    hosts.faults = Faults(empty_instead=key)
    empty = content(hosts)
    assert (empty.status_code, empty.content, empty.headers["x-amzn-waf-action"]) == (202, b"", "challenge")
    hosts.faults = Faults(xml_error_instead=key)
    assert b"<Code>AccessDenied</Code>" in content(hosts).content
    hosts.faults = Faults(lfs_pointer_instead=key)
    assert f"oid sha256:{hashlib.sha256(WHOLE).hexdigest()}" in content(hosts).text
    hosts.faults = Faults(block_agents=("python-requests/",))
    assert content(hosts).status_code == 403
    assert content(hosts, headers={"User-Agent": "other"}).status_code == 200


def test_drips_take_their_time(hosts: LocalHosts) -> None:
    hosts.faults = Faults(drip=4000)
    start = time.monotonic()
    assert content(hosts).content == WHOLE
    assert 0.2 < time.monotonic() - start < 2
    hosts.faults = Faults(drip_header=0.2)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{hosts.hosts['zenodo']}/api/records/7", timeout=0.1)


def test_leaving_does_not_wait_for_a_drip() -> None:
    start = time.monotonic()
    with LocalHosts([RECORD], Faults(drip=10)) as hosts:
        answer = content(hosts, stream=True)
        assert answer.status_code == 200
    assert time.monotonic() - start < 2


def test_a_kept_connection_is_not_answered_after_the_end() -> None:
    session = requests.Session()
    with LocalHosts([RECORD]) as hosts:
        url = f"{hosts.hosts['zenodo']}/api/records/7"
        assert session.get(url, timeout=5).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(url, timeout=5)


def test_a_file_without_a_disk_is_the_same_from_every_start() -> None:
    whole = b"".join(BIG.pieces())
    assert len(whole) == BIG.size
    assert BIG.read(1_048_570, 1_048_590) == whole[1_048_570:1_048_590]
    assert whole[: 1 << 20] != whole[1 << 20 : 2 << 20]
    assert Blob(100, seed=1).read(0, 100) != Blob(100, seed=2).read(0, 100)


def test_invented_digests_cost_nothing_and_tell_files_apart() -> None:
    huge = [HostFile("a.zip", Blob(1 << 50, seed, hashed=False)) for seed in (1, 1, 2)]
    assert huge[0].md5 == huge[1].md5 != huge[2].md5
    assert len(huge[0].sha256) == 64


def _serve(records: list[HostRecord], pipe: Connection) -> None:
    with LocalHosts(records) as hosts:
        pipe.send(hosts.hosts)
        pipe.recv()


def test_it_runs_in_a_process_of_its_own() -> None:
    assert pickle.loads(pickle.dumps(RECORD)) == RECORD
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=([RECORD], theirs))
    process.start()
    try:
        assert ours.poll(60)
        answer = requests.get(f"{ours.recv()['zenodo']}/api/records/7", timeout=5)
        assert answer.json()["title"] == RECORD.title
    finally:
        ours.send("end")
        process.join(10)
    assert process.exitcode == 0


def test_records_come_back_from_their_folder(tmp_path: Path) -> None:
    related = HostRecord("zenodo", "8", "Linked", keywords=("a", "b"), related=("10.1/x",))
    save_record(tmp_path, related, {"a b/c.txt": b"hello"})
    (loaded,) = load_records(tmp_path)
    assert (loaded.keywords, loaded.related, loaded.files[0].key) == (("a", "b"), ("10.1/x",), "a b/c.txt")
    assert b"".join(loaded.files[0].pieces(1, 3)) == b"el"
    with pytest.raises(ConfigError, match="build_demo"):
        load_records(tmp_path / "8")
