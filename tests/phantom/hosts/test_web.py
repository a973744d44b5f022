from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

LARGE = HostFile("data/set one.zip", Blob(2_500_000, seed=4))
RECORD = HostRecord(
    "http",
    "lab/ultrasound",
    "Files of a lab",
    files=(
        LARGE,
        HostFile("data/écho.zip", b"PK e"),
        HostFile("picture.png", b"png"),
        HostFile("own.zip.md5", b"d41d8cd98f00b204e9800998ecf8427e"),
        HostFile("own.zip", b""),
    ),
)
ROOT = HostRecord("http", "", "The root", keywords=("no-head",), files=(HostFile("top.zip", b"PK top"),))
LOCKED = HostRecord("http", "members", "Members", access="terms", files=(HostFile("m.zip", b"PK m"),))


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([ROOT, RECORD, LOCKED]) as server:
        yield server


def get(hosts: LocalHosts, path: str, method: str = "GET", **more: Any) -> requests.Response:
    return requests.request(method, hosts.hosts["http"] + path, timeout=10, **more)


def test_files_with_ranges_and_both_forms_of_their_name(hosts: LocalHosts) -> None:
    whole = get(hosts, "/lab/ultrasound/data/set%20one.zip")
    assert hashlib.sha256(whole.content).hexdigest() == LARGE.sha256
    assert whole.headers["Content-Disposition"] == 'attachment; filename="set one.zip"'
    headers = {"Range": "bytes=2499990-", "If-Range": whole.headers["ETag"]}
    part = get(hosts, "/lab/ultrasound/data/set%20one.zip", headers=headers)
    assert (part.status_code, part.content) == (206, whole.content[-10:])
    other = get(hosts, "/lab/ultrasound/data/%C3%A9cho.zip").headers["Content-Disposition"]
    assert other == "attachment; filename=\"?cho.zip\"; filename*=UTF-8''%C3%A9cho.zip"
    assert "Content-Disposition" not in get(hosts, "/lab/ultrasound/picture.png").headers
    assert get(hosts, "/top.zip").content == b"PK top"
    assert get(hosts, "/lab/ultrasound/nothing.zip").status_code == 404


def test_head_may_be_refused(hosts: LocalHosts) -> None:
    assert get(hosts, "/top.zip", "HEAD").status_code == 405
    answer = get(hosts, "/lab/ultrasound/data/set%20one.zip", "HEAD")
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(LARGE.size))
    hosts.faults = Faults(head_status=404)
    assert get(hosts, "/lab/ultrasound/data/set%20one.zip", "HEAD").status_code == 404
    assert get(hosts, "/lab/ultrasound/data/set%20one.zip").status_code == 200


def test_sign_in_page_is_a_success_that_is_no_file(hosts: LocalHosts) -> None:
    answer = get(hosts, "/members/m.zip")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert 'type="password"' in answer.text
    assert b"PK" not in answer.content


def test_side_files_state_the_digests(hosts: LocalHosts) -> None:
    sums = get(hosts, "/lab/ultrasound/data/SHA256SUMS").text.splitlines()
    assert f"{LARGE.sha256}  set one.zip" in sums
    assert len(sums) == 2
    assert len(get(hosts, "/lab/ultrasound/SHA256SUMS").text.splitlines()) == 5
    assert get(hosts, "/lab/ultrasound/data/set one.zip.md5").text == f"{LARGE.md5}  set one.zip\n"
    bsd = get(hosts, "/lab/ultrasound/data/set one.zip.sha256").text
    assert bsd == f"SHA256 (set one.zip) = {LARGE.sha256}\n"
    assert get(hosts, "/lab/ultrasound/own.zip.md5").text == "d41d8cd98f00b204e9800998ecf8427e"
    hosts.faults = Faults(wrong_md5=frozenset({LARGE.key}), no_md5=frozenset({"data/écho.zip"}))
    (wrong,) = get(hosts, "/lab/ultrasound/data/SHA256SUMS").text.splitlines()
    assert wrong.endswith("  set one.zip")
    assert LARGE.sha256 not in wrong
    assert get(hosts, "/lab/ultrasound/data/écho.zip.md5").status_code == 404


def test_index_pages_list_a_folder(hosts: LocalHosts) -> None:
    moved = get(hosts, "/lab/ultrasound/data", allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (301, f"{hosts.hosts['http']}/lab/ultrasound/data/")
    page = get(hosts, "/lab/ultrasound/").text
    links = re.findall(r'<a href="([^"]*)">', page)
    assert links == ["?C=N;O=D", "?C=S;O=A", "../", "data/", "own.zip", "own.zip.md5", "picture.png"]
    inner = re.findall(r'<a href="([^"?.][^"]*)">', get(hosts, "/lab/ultrasound/data/").text)
    assert inner == ["set%20one.zip", "%C3%A9cho.zip"]
    for link in inner:
        assert get(hosts, f"/lab/ultrasound/data/{link}").content.startswith((b"PK", LARGE.body.read(0, 2)))  # type: ignore[union-attr]
