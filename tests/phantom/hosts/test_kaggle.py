from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

FILES = (
    HostFile("train/a.png", b"\x89PNG first"),
    HostFile("test/a.png", b"\x89PNG second"),
    HostFile("labels.csv", b"name,label\n" * 50),
)
RECORDS = [
    HostRecord(
        "kaggle",
        "ada/breast-us",
        "Breast Ultrasound Images",
        "B-mode of breasts.",
        ("health", "cancer"),
        "CC0-1.0",
        created="2024-05-01",
        version=3,
        files=FILES,
    ),
    HostRecord("kaggle", "ada/gated", "Gated ultrasound", access="terms", licence=None, files=FILES[:1]),
    HostRecord("kaggle", "ben/private", "Private ultrasound", access="closed", files=FILES[:1]),
    HostRecord("kaggle", "ben/odd", "Ultrasound odd licence", licence="Ask me first", created="2026-02-01"),
    HostRecord("kaggle", "ben/gone", "Gone ultrasound", deleted=True),
]
LOGIN = {"Authorization": "Bearer KGAT_good"}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


@pytest.fixture
def hosts(running: LocalHosts) -> LocalHosts:
    running.faults = Faults()
    return running


def get(hosts: LocalHosts, path: str, **more: Any) -> requests.Response:
    return requests.get(f"{hosts.hosts['kaggle']}/datasets/{path}", timeout=5, **more)


def call(hosts: LocalHosts, method: str, **fields: Any) -> requests.Response:
    url = f"{hosts.hosts['kaggle']}/datasets.DatasetApiService/{method}"
    return requests.post(url, json=fields, timeout=5)


def refs(answer: requests.Response) -> list[str]:
    return [row["ref"] for row in answer.json()]


def test_the_list_is_a_bare_array_without_files(hosts: LocalHosts) -> None:
    answer = get(hosts, "list?search=ultrasound")
    assert refs(answer) == ["ada/breast-us", "ada/gated", "ben/private", "ben/odd"]
    row = answer.json()[0]
    assert (row["title"], row["titleNullable"], row["hasTitle"]) == (row["title"], row["title"], True)
    assert (row["totalBytes"], row["licenseName"]) == (sum(file.size for file in FILES), "CC0: Public Domain")
    assert (row["currentVersionNumber"], row["files"], row["description"]) == (3, [], "")
    assert [tag["name"] for tag in row["tags"]] == ["health", "cancer"]
    assert [row["licenseName"] for row in answer.json()[1::2]] == ["Unknown", "Other (specified in description)"]


def test_filters_of_the_list(hosts: LocalHosts) -> None:
    assert refs(get(hosts, "list?search=ultrasound&minSize=100")) == ["ada/breast-us"]
    assert "ada/breast-us" not in refs(get(hosts, "list?search=ultrasound&maxSize=100"))
    assert refs(get(hosts, "list?user=ben")) == ["ben/private", "ben/odd"]
    assert refs(get(hosts, "list?sortBy=updated"))[0] == "ben/odd"
    assert get(hosts, "list?sortBy=nicest").status_code == 400


def test_pages_of_twenty_end_at_five_hundred() -> None:
    records = [HostRecord("kaggle", f"a/{number}", "Ultrasound") for number in range(10_100)]
    with LocalHosts(records) as hosts:
        assert len(refs(get(hosts, "list?page=500"))) == 20
        assert refs(get(hosts, "list?page=501")) == []
        hosts.faults = Faults(shrink_pages=7)
        assert refs(get(hosts, "list?page=2"))[0] == "a/7"


def test_view_and_metadata(hosts: LocalHosts) -> None:
    view = get(hosts, "view/ada/breast-us").json()
    assert (view["description"], view["versions"][0]["versionNumber"]) == ("B-mode of breasts.", 3)
    info = get(hosts, "metadata/ada/breast-us").json()["info"]
    assert (info["licenses"], info["keywords"]) == ([{"name": "CC0-1.0"}], ["health", "cancer"])
    assert get(hosts, "status/ada/breast-us").json() == "ready"


def test_files_come_in_pages_without_checksums(hosts: LocalHosts) -> None:
    names, token = [], ""
    for _ in range(3):
        page = get(hosts, "list/ada/breast-us", params={"pageSize": 1, "pageToken": token}).json()
        names += [file["name"] for file in page["datasetFiles"]]
        assert not [key for key in page["datasetFiles"][0] if "md5" in key or "sha" in key]
        token = page["nextPageToken"]
    assert (names, token) == ([file.key for file in FILES], "")
    assert get(hosts, "list/ada/breast-us?pageToken=!!").status_code == 400


def test_the_whole_dataset_comes_from_the_storage_port(hosts: LocalHosts) -> None:
    answer = get(hosts, "download/ada/breast-us", headers=LOGIN, allow_redirects=False)
    assert (answer.status_code, answer.headers["Content-Length"]) == (302, "0")
    assert answer.headers["Location"].startswith(hosts.storage_url + "/kaggle/kaggle-data-sets/")
    assert "X-Goog-Signature=" in answer.headers["Location"]
    # A real client that keeps its login on this hop would be an offence, and fail at the end of the module.
    followed = get(hosts, "download/ada/breast-us", headers=LOGIN)
    md5 = base64.b64encode(hashlib.md5(followed.content).digest()).decode()
    assert followed.headers["x-goog-hash"].split(",")[1] == f"md5={md5}"
    with zipfile.ZipFile(io.BytesIO(followed.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {file.key: file.body for file in FILES}
    again = get(hosts, "download/ada/breast-us?datasetVersionNumber=3", headers={"Range": "bytes=5-"})
    assert (again.status_code, again.content) == (206, followed.content[5:])


def test_crc32c_is_right() -> None:
    # The check value of the polynomial: RFC 3720, B.4 gives 32 zero bytes as aa 36 91 8a, least byte first.
    with LocalHosts([HostRecord("kaggle", "a/b", "x", files=(HostFile("zeros.bin", bytes(32)),))]) as hosts:
        found = get(hosts, "download/a/b/zeros.bin").headers["x-goog-hash"]
    assert found.startswith("crc32c=" + base64.b64encode(bytes.fromhex("8a9136aa")).decode())


def test_single_files(hosts: LocalHosts) -> None:
    assert get(hosts, "download/ada/breast-us/train/a.png").content == FILES[0].body
    assert get(hosts, "download/ada/breast-us", params={"fileName": "test/a.png"}).content == FILES[1].body
    packed = get(hosts, "download/ada/breast-us/labels.csv")
    assert packed.url.partition("?")[0].endswith("/labels.csv.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.read("labels.csv") == FILES[2].body
    assert get(hosts, "download/ada/breast-us/none.png").status_code == 404
    assert requests.head(f"{hosts.hosts['kaggle']}/datasets/download/ada/breast-us", timeout=5).status_code == 404


def test_who_may_not_have_it(hosts: LocalHosts) -> None:
    assert get(hosts, "view/ada/gated").json()["files"] == []
    refused = get(hosts, "download/ada/gated")
    assert (refused.status_code, refused.json()["code"]) == (403, 403)
    assert get(hosts, "list/ada/gated").status_code == 403
    assert get(hosts, "download/ada/gated/train/a.png", headers=LOGIN).content == FILES[0].body
    assert get(hosts, "view/ben/private", headers=LOGIN).status_code == 403
    assert get(hosts, "view/ben/gone").json() == {"code": 404, "message": "Not found"}
    assert get(hosts, "list", headers={"Authorization": "Bearer bad"}).status_code == 401
    assert get(hosts, "view/ada/breast-us?datasetVersionNumber=4").status_code == 404


def test_errors_in_a_success_and_too_many_requests(hosts: LocalHosts) -> None:
    hosts.faults = Faults(error_in_200=True)
    hidden = get(hosts, "view/ben/gone")
    assert (hidden.status_code, hidden.json()["code"]) == (200, 404)
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after=None)
    slow = get(hosts, "list")
    assert (slow.status_code, slow.json()) == (429, {"code": 429, "message": "TooManyRequests"})
    assert "Retry-After" not in slow.headers
    assert call(hosts, "ListDatasets").json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_checksums_wrong_and_missing(hosts: LocalHosts) -> None:
    true = get(hosts, "download/ada/breast-us").headers["x-goog-hash"]
    hosts.faults = Faults(wrong_md5=frozenset({"archive.zip"}))
    assert get(hosts, "download/ada/breast-us").headers["x-goog-hash"] != true
    hosts.faults = Faults(no_md5=frozenset({"archive.zip"}))
    assert "md5" not in get(hosts, "download/ada/breast-us").headers["x-goog-hash"]


def test_the_newer_api(hosts: LocalHosts) -> None:
    breast = {"ownerSlug": "ada", "datasetSlug": "breast-us"}
    assert call(hosts, "GetDataset", **breast).json()["currentVersionNumber"] == 3
    assert call(hosts, "GetDatasetMetadata", **breast).json()["info"]["datasetSlug"] == "breast-us"
    listed = call(hosts, "ListDatasets", search="breast", page=1).json()
    assert [row["ref"] for row in listed["datasets"]] == ["ada/breast-us"]
    page = call(hosts, "ListDatasetFiles", **breast, pageSize=2).json()
    rest = call(hosts, "ListDatasetFiles", **breast, pageSize=2, pageToken=page["nextPageToken"]).json()
    assert [len(page["datasetFiles"]), len(rest["datasetFiles"])] == [2, 1]
    one = call(hosts, "DownloadDataset", **breast, fileName="train/a.png", datasetVersionNumber=3)
    assert one.content == FILES[0].body
    assert call(hosts, "DownloadDataset", ownerSlug="ada", datasetSlug="gated").status_code == 403
    assert call(hosts, "Explode", **breast).status_code == 404
    form = {"owner_slug": "ada", "dataset_slug": "breast-us"}
    url = f"{hosts.hosts['kaggle']}/datasets.DatasetApiService/DownloadDataset"
    assert requests.post(url, data=form, timeout=5).content.startswith(b"PK")


def test_a_large_bundle_is_made_on_disk() -> None:
    files = (HostFile("big.bin", Blob(40 << 20)), HostFile("x.txt", b"x"))
    with LocalHosts([HostRecord("kaggle", "a/b", "Big", files=files)]) as hosts:
        answer = get(hosts, "download/a/b")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert [info.file_size for info in archive.infolist()] == [40 << 20, 1]
        assert "md5=" in answer.headers["x-goog-hash"]
