from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

ZIP = HostFile("set one (a)/größe.zip", b"PK\x05\x06" + bytes(18))
CSV = HostFile("list.csv", b"a,b\n")
RECORDS = [
    HostRecord("zenodo", "11", "Thyroid ultrasound", "First.", created="2024-01-01", concept="10", files=(CSV,)),
    HostRecord(
        "zenodo",
        "12",
        "Thyroid ultrasound",
        "<p>Second &amp; better.</p>",
        ("thyroid",),
        "other",
        created="2025-01-01",
        version=2,
        concept="10",
        files=(ZIP, CSV),
    ),
    HostRecord("zenodo", "20", "Fetal ultrasound", access="restricted", licence=None, created="2023-05-05"),
    HostRecord("zenodo", "30", "Withdrawn ultrasound", deleted=True),
    HostRecord("zenodo", "40", "Ultrasound, elsewhere", doi="10.1234/other", related=("10.5281/zenodo.12",)),
    HostRecord("zenodo", "50", "Ultrasound viewer", kind="software"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


@pytest.fixture
def hosts(running: LocalHosts) -> LocalHosts:
    running.faults = Faults()
    return running


def get(hosts: LocalHosts, path: str, **more: Any) -> requests.Response:
    return requests.get(hosts.hosts["zenodo"] + path, timeout=5, **more)


def ids(answer: requests.Response) -> list[str]:
    return [hit["recid"] for hit in answer.json()["hits"]["hits"]]


def test_search_shows_the_newest_version_of_what_is_not_deleted(hosts: LocalHosts) -> None:
    answer = get(hosts, "/api/records", params={"q": "ultrasound", "type": "dataset"})
    assert ids(answer) == ["12", "20", "40"]
    every = get(hosts, "/api/records", params={"q": "ultrasound", "all_versions": "true"})
    assert ids(every) == ["11", "12", "20", "40", "50"]
    assert ids(get(hosts, "/api/records", params={"q": "ultrasound", "sort": "oldest"}))[0] == "20"
    assert ids(get(hosts, "/api/records", params={"q": "created:[2025-01-01 TO 2025-12-31]"})) == ["12"]


def test_pages_follow_their_links_to_the_end(hosts: LocalHosts) -> None:
    url, seen = f"{hosts.hosts['zenodo']}/api/records?q=ultrasound&size=2", []
    while url:
        answer = requests.get(url, timeout=5).json()
        seen += [hit["id"] for hit in answer["hits"]["hits"]]
        assert answer["hits"]["total"] == 4
        url = answer["links"].get("next")
        assert url is None or url.startswith(hosts.url)
    assert len(seen) == len(set(seen)) == 4


def test_limits_of_pages_in_the_words_of_the_host(hosts: LocalHosts) -> None:
    guest = get(hosts, "/api/records?size=26")
    assert (guest.status_code, guest.json()["errors"][0]["field"]) == (400, "size")
    assert "cannot be greater than 25. Please use authenticated" in guest.json()["errors"][0]["messages"][0]
    login = {"Authorization": "Bearer good"}
    assert get(hosts, "/api/records?size=100", headers=login).status_code == 200
    assert get(hosts, "/api/records?size=101", headers=login).status_code == 400
    assert get(hosts, "/api/records", headers={"Authorization": "Bearer bad"}).status_code == 401
    assert get(hosts, "/api/records?size=25&page=400").status_code == 200
    assert get(hosts, "/api/records?size=25&page=401").status_code == 400
    assert get(hosts, "/api/records?page=x").status_code == 400
    assert get(hosts, "/api/records?sort=prettiest").status_code == 400
    assert get(hosts, "/api/records?q=sea/ice").status_code == 500
    hosts.faults = Faults(shrink_pages=1)
    assert len(ids(get(hosts, "/api/records?q=ultrasound&size=25"))) == 1


def test_a_concept_leads_to_its_newest_version(hosts: LocalHosts) -> None:
    for path in ("/api/records/10", "/api/records/11/versions/latest", "/api/records/10/versions/latest"):
        answer = get(hosts, path)
        assert (answer.history[0].status_code, answer.json()["id"]) == (301, 12)
    old = get(hosts, "/api/records/11").json()
    assert old["metadata"]["relations"]["version"][0]["is_last"] is False
    assert old["conceptdoi"] == "10.5281/zenodo.10"
    assert ids(get(hosts, "/api/records/11/versions")) == ["12", "11"]
    own = get(hosts, "/api/records/20").json()["conceptrecid"]
    assert get(hosts, f"/api/records/{own}").json()["id"] == 20


def test_a_restricted_record_is_a_success_without_files(hosts: LocalHosts) -> None:
    answer = get(hosts, "/api/records/20")
    assert (answer.status_code, answer.json()["files"]) == (200, [])
    assert answer.json()["metadata"]["access_right"] == "restricted"
    assert "license" not in answer.json()["metadata"]
    assert get(hosts, "/api/records/20/files").status_code == 403


def test_missing_and_deleted_records(hosts: LocalHosts) -> None:
    assert get(hosts, "/api/records/123").json()["status"] == 404
    gone = get(hosts, "/api/records/30")
    assert (gone.status_code, gone.json()["message"]) == (410, "Record deleted")
    assert gone.json()["tombstone"]["is_visible"] is True


def test_an_external_doi_has_no_concept_doi(hosts: LocalHosts) -> None:
    record = get(hosts, "/api/records/40").json()
    assert record["doi"] == "10.1234/other"
    assert "conceptdoi" not in record
    assert record["metadata"]["related_identifiers"][0]["identifier"] == "10.5281/zenodo.12"
    assert get(hosts, "/api/records/12").json()["metadata"]["license"] == {"id": "other-open"}


def test_links_are_unescaped_and_files_have_their_checksums(hosts: LocalHosts) -> None:
    record = get(hosts, "/api/records/12").json()
    link = record["files"][0]["links"]["self"]
    assert link == f"{hosts.hosts['zenodo']}/api/records/12/files/{ZIP.key}/content"
    for file in record["files"]:
        answer = requests.get(file["links"]["self"], timeout=5)
        assert len(answer.content) == file["size"]
        assert file["checksum"] == "md5:" + hashlib.md5(answer.content).hexdigest()
        assert answer.headers["ETag"] == f'"{file["checksum"]}"'
    listing = get(hosts, "/api/records/12/files").json()["entries"]
    assert [entry["key"] for entry in listing] == [ZIP.key, CSV.key]
    for link in (
        listing[0]["links"]["content"],
        f"{hosts.hosts['zenodo']}/records/12/files/{quote(ZIP.key)}?download=1",
    ):
        answer = requests.get(link, timeout=5)
        assert answer.content == ZIP.body
        assert "filename*=UTF-8''gr%C3%B6%C3%9Fe.zip" in answer.headers["Content-Disposition"]
    assert get(hosts, "/api/records/12/files/other.zip/content").status_code == 404


def test_wrong_and_missing_checksums(hosts: LocalHosts) -> None:
    hosts.faults = Faults(wrong_md5=frozenset({ZIP.key}), no_md5=frozenset({CSV.key}))
    for files in (get(hosts, "/api/records/12").json()["files"], get(hosts, "/api/records/12/files").json()["entries"]):
        assert files[0]["checksum"] not in ("", f"md5:{ZIP.md5}")
        assert "checksum" not in files[1]


def test_answers_carry_rate_limits_even_when_all_is_well(hosts: LocalHosts) -> None:
    headers = get(hosts, "/api/records?q=ultrasound").headers
    assert (headers["Retry-After"], headers["X-RateLimit-Limit"]) == ("59", "30")
    assert get(hosts, "/api/records/12").headers["X-RateLimit-Limit"] == "133"
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after="1")
    slow = get(hosts, "/api/records/12")
    assert (slow.json()["message"], slow.headers["Retry-After"]) == ("30 per 1 minute", "1")


def test_a_thousand_and_one_files() -> None:
    files = tuple(HostFile(f"f/{number:04d}.png", b"%d" % number) for number in range(1001))
    with LocalHosts([HostRecord("zenodo", "1", "Many", files=files)]) as hosts:
        assert len(get(hosts, "/api/records/1").json()["files"]) == 1001


def test_pages_of_a_large_search_are_quick() -> None:
    text = "Ultrasound of something with many words in it. " * 20
    records = [HostRecord("zenodo", str(number), f"Set {number}", text) for number in range(1, 5001)]
    with LocalHosts(records) as hosts, requests.Session() as session:
        url = f"{hosts.hosts['zenodo']}/api/records?q=ultrasound AND words&size=25&page="
        assert session.get(url + "1", timeout=5).json()["hits"]["total"] == 5000
        start = time.perf_counter()
        for page in range(2, 52):
            session.get(url + str(page), timeout=5).raise_for_status()
        assert (time.perf_counter() - start) / 50 < 0.05  # a few ms; more would mean a new search for each page
        hosts.shelf.add(HostRecord("zenodo", "6000", "New", text))
        assert session.get(url + "1", timeout=5).json()["hits"]["total"] == 5001


def test_a_line_break_in_a_name_makes_no_header() -> None:
    file = HostFile("a\r\nX-Evil: 1.zip", b"x")
    with LocalHosts([HostRecord("zenodo", "1", "x", files=(file,))]) as hosts:
        answer = get(hosts, f"/api/records/1/files/{quote(file.key)}/content")
    assert (answer.status_code, "X-Evil" in answer.headers) == (200, False)
