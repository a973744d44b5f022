from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

FILES = tuple(HostFile(f"img {number:02d}.png", b"\x89PNG %d" % number) for number in range(24))
LINK = HostFile("https://example.org/d/set.zip", b"")
RECORDS = [
    HostRecord("figshare", "100.v1", "Muscle ultrasound", created="2023-01-01", files=FILES[:1]),
    HostRecord("figshare", "100.v2", "Muscle ultrasound", "Text.", ("muscle",), created="2024-01-01", files=FILES),
    HostRecord("figshare", "200", "<b>Embargoed</b> ultrasound", access="embargoed", licence=None, files=FILES[:2]),
    HostRecord("figshare", "300", "Linked ultrasound", files=(LINK, FILES[0])),
    HostRecord("figshare", "400", "Ultrasound figure", kind="image", created="2020-01-01"),
    HostRecord("figshare", "500", "Gone ultrasound", deleted=True),
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
    return requests.get(f"{hosts.hosts['figshare']}/{path}", timeout=5, **more)


def search(hosts: LocalHosts, cursor: str | None = None, **body: Any) -> requests.Response:
    headers = {"X-Cursor": cursor} if cursor else {}
    return requests.post(f"{hosts.hosts['figshare']}/articles/search", json=body, headers=headers, timeout=5)


def ids(answer: requests.Response) -> list[int]:
    return [row["id"] for row in answer.json()]


def test_search_shows_short_records_of_the_newest_versions(hosts: LocalHosts) -> None:
    answer = search(hosts, search_for="ultrasound", item_type=3)
    assert ids(answer) == [100, 200, 300]
    assert answer.json()[0]["doi"] == "10.6084/m9.figshare.100.v2"
    assert not {"files", "license", "tags", "description"} & set(answer.json()[0])
    newest_first = search(hosts, search_for="ultrasound", order="published_date", order_direction="desc")
    assert ids(newest_first)[-1] == 400
    assert ids(search(hosts, search_for="ultrasound", published_since="2025-01-01")) == [200, 300]
    assert ids(search(hosts, search_for=":title: figure AND :title: ultrasound")) == [400]
    assert ids(search(hosts, search_for=":tag: muscle")) == [100]


def test_search_refuses(hosts: LocalHosts) -> None:
    assert search(hosts, search_for="us").status_code == 422
    assert search(hosts, search_for="ultrasound", page_size=1001).status_code == 422
    assert search(hosts, search_for="ultrasound", offset=5001).status_code == 422
    assert search(hosts, search_for="ultrasound", page=52, page_size=100).status_code == 422
    assert search(hosts, search_for="ultrasound", page=[1]).status_code == 422
    assert search(hosts, search_for='"open').status_code == 400
    assert get(hosts, "articles/search").status_code == 405
    assert requests.post(f"{hosts.hosts['figshare']}/articles/search", data=b"{", timeout=5).status_code == 400


def test_a_cursor_goes_on_where_offsets_end() -> None:
    records = [HostRecord("figshare", str(number), "Ultrasound") for number in range(1, 6_501)]
    with LocalHosts(records) as hosts:
        answer, seen = search(hosts, search_for="ultrasound", page_size=1000), []
        while ids(answer):
            seen += ids(answer)
            answer = search(hosts, answer.headers["X-Cursor"], search_for="ultrasound", page_size=1000)
        assert len(seen) == len(set(seen)) == 6_500
        assert search(hosts, answer.headers["X-Cursor"], search_for="ultrasound", page=2).status_code == 422
        assert search(hosts, "made-up", search_for="ultrasound").status_code == 422


def test_an_article_shows_ten_files_and_the_list_all(hosts: LocalHosts) -> None:
    article = get(hosts, "articles/100").json()
    assert (len(article["files"]), article["version"], article["license"]["name"]) == (10, 2, "CC BY 4.0")
    assert article["size"] == sum(file.size for file in FILES)
    pages = [get(hosts, f"articles/100/files?page={page}&page_size=10").json() for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [10, 10, 4, 0]
    files = [file for page in pages for file in page]
    assert [file["name"] for file in files] == [file.key for file in FILES]
    for file, true in zip(files, FILES, strict=True):
        digests = {file["computed_md5"], file["supplied_md5"]} - {""}
        assert digests <= {true.md5}
    assert {file["supplied_md5"] == "" for file in files} == {True, False}
    assert get(hosts, f"articles/100/files/{files[3]['id']}").json() == files[3]
    assert get(hosts, "articles/100/files?page_size=1001").status_code == 422


def test_versions(hosts: LocalHosts) -> None:
    rows = get(hosts, "articles/100/versions").json()
    assert [row["version"] for row in rows] == [1, 2]
    first = requests.get(rows[0]["url"], timeout=5).json()
    assert (first["doi"], len(first["files"])) == ("10.6084/m9.figshare.100.v1", 1)
    assert get(hosts, "articles/100/versions/3").json()["code"] == 404
    assert get(hosts, "articles/500").status_code == 404


def test_three_ways_to_a_file(hosts: LocalHosts) -> None:
    file = get(hosts, "articles/100/files").json()[0]
    assert file["download_url"].startswith(hosts.hosts["figshare_web"])
    challenge = requests.get(file["download_url"], timeout=5)
    assert (challenge.status_code, challenge.content) == (202, b"")
    assert challenge.headers["x-amzn-waf-action"] == "challenge"
    for url in (
        f"{hosts.hosts['figshare_download']}/files/{file['id']}",
        f"{hosts.hosts['figshare']}/file/download/{file['id']}",
    ):
        answer = requests.get(url, headers={"Authorization": "token good"}, timeout=5)
        assert answer.content == FILES[0].body
        assert "X-Amz-Expires=10" in answer.url
        assert answer.headers["Content-Disposition"] == "attachment;filename=img%2000.png"
        assert answer.headers["ETag"].strip('"') == hashlib.md5(answer.content).hexdigest()
    assert get(hosts, "file/download/1").status_code == 404


def test_embargo_and_links(hosts: LocalHosts) -> None:
    embargoed = get(hosts, "articles/200").json()
    assert (embargoed["is_embargoed"], embargoed["files"], embargoed["license"]) == (True, [], None)
    assert get(hosts, "articles/200/files").json() == []
    linked = get(hosts, "articles/300").json()
    assert (linked["has_linked_file"], linked["files"][0]["is_link_only"]) == (True, True)
    assert linked["files"][0]["download_url"] == "https://example.org/d/set.zip"
    assert linked["files"][0]["computed_md5"] == linked["files"][0]["supplied_md5"] == ""


def test_digests_wrong_and_missing_and_bad_logins(hosts: LocalHosts) -> None:
    hosts.faults = Faults(wrong_md5=frozenset({"img 00.png"}), no_md5=frozenset({"img 01.png"}))
    files = get(hosts, "articles/100/files").json()
    assert FILES[0].md5 not in (files[0]["computed_md5"], files[0]["supplied_md5"])
    assert files[1]["computed_md5"] == files[1]["supplied_md5"] == ""
    assert get(hosts, "articles/100", headers={"Authorization": "token bad"}).status_code == 403
