from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

TOKEN = {"Authorization": "BEARER invented"}
OPEN = HostRecord(
    "grand_challenge",
    "fetal-head-us",
    "Fetal head ultrasound",
    files=(
        HostFile("case 1/scan.mhd", b"header"),
        HostFile("case 1/scan.zraw", b"pixels"),
        *(HostFile(f"{n}.mha", b"volume %d" % n) for n in range(5)),
    ),
)
JOINED = HostRecord("grand_challenge", "by-request", "Thyroid", access="terms", files=(HostFile("t.mha", b"t"),))


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([OPEN, JOINED]) as server:
        yield server


def get(hosts: LocalHosts, path: str, headers: dict[str, str] = TOKEN, **more: Any) -> requests.Response:
    return requests.get(hosts.hosts["grand_challenge"] + path, headers=headers, timeout=10, **more)


def archive(hosts: LocalHosts, slug: str) -> str:
    (row,) = get(hosts, f"/archives/?slug={slug}").json()["results"]
    return str(row["pk"])


def test_nothing_without_a_token(hosts: LocalHosts) -> None:
    for headers in ({}, {"Authorization": "Token invented"}, {"Authorization": "Bearer bad"}):
        answer = get(hosts, "/archives/?slug=fetal-head-us", headers)
        assert answer.status_code == 401
        assert answer.json()["detail"]
    assert get(hosts, "/archives/", {"Authorization": "Bearer invented"}).json()["count"] == 2


def test_archives_by_slug_and_number(hosts: LocalHosts) -> None:
    assert get(hosts, "/archives/?slug=none").json() == {"count": 0, "next": None, "previous": None, "results": []}
    found = get(hosts, f"/archives/{archive(hosts, OPEN.id)}/").json()
    assert (found["slug"], found["title"]) == (OPEN.id, OPEN.title)
    assert found["api_url"].startswith(hosts.url)
    assert get(hosts, "/archives/none/").status_code == 404
    moved = get(hosts, "/archives?slug=none", allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (
        301,
        f"{hosts.hosts['grand_challenge']}/archives/?slug=none",
    )


@pytest.mark.parametrize("shrink", [None, 1])
def test_items_page_forth_and_back(hosts: LocalHosts, shrink: int | None) -> None:
    hosts.faults = Faults(shrink_pages=shrink)
    page = get(hosts, f"/archives/items/?archive={archive(hosts, OPEN.id)}&limit=4").json()
    assert (page["count"], page["previous"]) == (6, None)
    images = []
    while True:
        images += [item["values"][0]["image"] for item in page["results"]]
        if page["next"] is None:
            break
        page = requests.get(page["next"], headers=TOKEN, timeout=5).json()
    assert len(set(images)) == len(images) == 6
    assert page["previous"].startswith(hosts.url)
    names = [requests.get(image, headers=TOKEN, timeout=5).json()["name"] for image in images]
    assert names == ["scan.mhd", "0.mha", "1.mha", "2.mha", "3.mha", "4.mha"]


def test_files_of_an_image_lie_in_storage(hosts: LocalHosts) -> None:
    (item, *_) = get(hosts, f"/archives/items/?archive={archive(hosts, OPEN.id)}").json()["results"]
    image = requests.get(item["values"][0]["image"], headers=TOKEN, timeout=5).json()
    assert image["modality"] == "US"
    assert [requests.get(file["file"], timeout=5).content for file in image["files"]] == [b"header", b"pixels"]
    first = image["files"][0]["file"]
    assert first.startswith(hosts.storage_url)
    assert requests.get(first, headers={"Range": "bytes=3-"}, timeout=5).content == b"der"
    hosts.faults = Faults(signature_seconds=0.0)
    late = requests.get(image["api_url"], headers=TOKEN, timeout=5).json()["files"][0]["file"]
    time.sleep(0.01)
    assert requests.get(late, timeout=5).status_code == 403


def test_archives_of_others_are_forbidden(hosts: LocalHosts) -> None:
    answer = get(hosts, f"/archives/items/?archive={archive(hosts, JOINED.id)}")
    assert answer.status_code == 403
    assert "permission" in answer.json()["detail"]
    assert get(hosts, "/archives/items/?archive=word").status_code == 400
    assert get(hosts, "/cases/images/word/").status_code == 404
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after="2")
    limited = get(hosts, "/archives/")
    assert (limited.status_code, limited.json()["detail"]) == (429, "Request was throttled.")


def give_the_token_to_storage() -> None:
    with LocalHosts([OPEN]) as hosts:
        (item, *_) = get(hosts, f"/archives/items/?archive={archive(hosts, OPEN.id)}").json()["results"]
        image = requests.get(item["values"][0]["image"], headers=TOKEN, timeout=5).json()
        requests.get(image["files"][0]["file"], headers=TOKEN, timeout=5)


def test_a_token_sent_to_storage_fails_the_run() -> None:
    with pytest.raises(RuntimeError, match="authorization"):
        give_the_token_to_storage()
