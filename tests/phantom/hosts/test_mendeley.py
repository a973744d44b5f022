from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

FILES = (
    HostFile("Benign/one.png", b"\x89PNG 1"),
    HostFile("Malignant/deep/one.png", b"\x89PNG 2"),
    HostFile("README.txt", b"read me"),
)
MANY = tuple(HostFile(f"all/{number}.png", b"%d" % number) for number in range(1_200))
RECORDS = [
    HostRecord("mendeley", "abc123def4/1", "Liver ultrasound", created="2022-01-01", files=FILES[:1]),
    HostRecord("mendeley", "abc123def4/2", "Liver ultrasound", "Newer.", ("Liver", "Imaging"), files=FILES),
    HostRecord("mendeley", "many000001", "Many ultrasound images", files=MANY),
    HostRecord("mendeley", "emb0000001", "Embargoed ultrasound", access="embargoed", licence=None, files=FILES),
    HostRecord("mendeley", "gone000001", "Gone ultrasound", deleted=True),
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
    return requests.get(f"{hosts.hosts['mendeley']}/{path}", timeout=5, **more)


def test_a_dataset_and_its_versions(hosts: LocalHosts) -> None:
    newest = get(hosts, "public-api/datasets/abc123def4").json()
    assert (newest["id"], newest["version"], newest["doi"]["id"]) == ("abc123def4", 2, "10.17632/abc123def4.2")
    assert newest["data_licence"]["short_name"] == "CC BY 4.0"
    assert [category["label"] for category in newest["categories"]] == ["Liver", "Imaging"]
    assert get(hosts, "public-api/datasets/abc123def4?version=1").json()["version"] == 1
    snapshot = get(hosts, "public-api/datasets/abc123def4/snapshot/1").json()
    assert (snapshot["doi"], snapshot["licence"]["short_name"]) == ("10.17632/abc123def4.1", "CC BY 4.0")
    versions = get(hosts, "public-api/datasets/abc123def4/versions").json()
    assert [(row["version"], row["available"]) for row in versions] == [(1, True), (2, True)]
    assert get(hosts, "public-api/datasets/gone000001/versions").json()[0]["available"] is False
    for missing in ("gone000001", "nothing999", "abc123def4/snapshot/9"):
        assert get(hosts, f"public-api/datasets/{missing}").status_code == 404
    assert get(hosts, "public-api/datasets/abc123def4", headers={"User-Agent": ""}).status_code == 403


def test_folders_lead_to_every_file(hosts: LocalHosts) -> None:
    folders = {row["id"]: row for row in get(hosts, "public-api/datasets/abc123def4/folders/2").json()}

    def path(id: str | None) -> str:
        return "" if id is None else path(folders[id].get("parent_id")) + folders[id]["name"] + "/"

    found = {}
    for folder in ("root", *folders):
        for file in get(hosts, f"public-api/datasets/abc123def4/files?folder_id={folder}&version=2").json():
            found[path(file["folder_id"]) + file["filename"]] = file["content_details"]
    assert set(found) == {file.key for file in FILES}
    for file in FILES:
        details = found[file.key]
        assert details["sha256_hash"] == hashlib.sha256(file.body).hexdigest()  # type: ignore[arg-type]
        assert requests.get(details["download_url"], timeout=5).content == file.body


def test_long_listings_are_cut_with_a_success(hosts: LocalHosts) -> None:
    whole = get(hosts, "public-api/datasets/many000001/files?version=1")
    assert (whole.status_code, whole.headers["Content-Range"], len(whole.json())) == (206, "items 0-99/1200", 100)
    (folder,) = get(hosts, "public-api/datasets/many000001/folders/1").json()
    one = get(hosts, f"public-api/datasets/many000001/files?folder_id={folder['id']}&version=1&$start=1000")
    assert (one.status_code, one.headers["Content-Range"], len(one.json())) == (206, "items 0-999/1200", 1000)
    short = get(hosts, "public-api/datasets/abc123def4/files?version=2")
    assert (short.status_code, len(short.json())) == (200, 3)
    times = {type(file["content_details"]["download_expiry_time"]) for file in short.json()}
    assert times == {int, str}


def test_old_files_lie_at_lasting_addresses_and_new_ones_at_signed_ones(hosts: LocalHosts) -> None:
    places = []
    for version in (1, 2):
        file = get(hosts, f"public-api/datasets/abc123def4/files?version={version}").json()[0]
        answer = requests.get(file["content_details"]["download_url"], timeout=5, allow_redirects=False)
        places.append(answer.headers["Location"])
    assert [place.startswith(hosts.storage_url) for place in places] == [True, True]
    assert ["X-Amz-Signature" in place for place in places] == [False, True]
    assert requests.get(places[0], timeout=5).content == FILES[0].body


def test_the_zip_of_a_version(hosts: LocalHosts) -> None:
    status = get(hosts, "api/datasets-v2/datasets/abc123def4/zip?version=2").json()
    answer = get(hosts, "public-api/zip/abc123def4/download/2")
    assert "X-Amz-Expires=300" in answer.url
    assert status["status"] == "FINISH"
    assert (status["size"], status["sha256_hash"]) == (len(answer.content), hashlib.sha256(answer.content).hexdigest())
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"Liver ultrasound/{file.key}" for file in FILES]


def test_an_embargo_shows_no_files(hosts: LocalHosts) -> None:
    record = get(hosts, "public-api/datasets/emb0000001").json()
    assert (record["files"], record["embargo_date"][:4], "data_licence" in record) == ([], "2099", False)
    assert get(hosts, "public-api/datasets/emb0000001/files?version=1").status_code == 403
    assert get(hosts, "public-api/zip/emb0000001/download/1").status_code == 403


def test_the_site_search(hosts: LocalHosts) -> None:
    found = get(hosts, "api/research-data/search?query=ultrasound&page_size=2").json()
    assert (found["total_records"], len(found["records"])) == (3, 2)
    assert found["records"][0]["doi"] == ["10.17632/abc123def4"]
    assert {row["access"] for row in get(hosts, "api/research-data/search?page_size=9").json()["records"]} == {
        "open",
        "embargoed",
    }
    ignored = get(hosts, "api/research-data/search?search=nothing&size=1").json()
    assert ignored["total_records"] == 3
    assert get(hosts, f"api/research-data/search?query={'x' * 256}").status_code == 500
    assert get(hosts, "api/research-data/search?query=a&page_size=501").status_code == 400
    assert get(hosts, "api/research-data/search?query=a&page_size=500&page=21").status_code == 400


def test_digests_wrong_and_missing(hosts: LocalHosts) -> None:
    hosts.faults = Faults(wrong_md5=frozenset({"README.txt"}), no_md5=frozenset({"Benign/one.png"}))
    files = {
        file["filename"]: file["content_details"]
        for file in get(hosts, "public-api/datasets/abc123def4").json()["files"]
    }
    assert files["README.txt"]["sha256_hash"] != FILES[2].sha256
    first = get(hosts, "public-api/datasets/abc123def4/files?version=1").json()[0]
    assert "sha256_hash" not in first["content_details"]
