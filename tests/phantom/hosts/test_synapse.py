from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

TOKEN = {"Authorization": "Bearer invented"}
PROJECT = HostRecord(
    "synapse",
    "syn100",
    "Fetal ultrasound project",
    kind="project",
    files=(
        HostFile("readme.txt", b"read me"),
        *(HostFile(f"train/week 20/{n:03}.png", b"%d" % n) for n in range(60)),
    ),
)
DATASET = HostRecord("synapse", "syn200", "Cardiac ultrasound clips", files=(HostFile("a.avi", b"clip"),))
TERMS = HostRecord("synapse", "syn300", "Liver sonography", access="terms", files=(HostFile("l.zip", b"l"),))
CLOSED = HostRecord("synapse", "syn400", "Secret ultrasound", access="closed", files=(HostFile("s.zip", b"s"),))
RECORDS = (PROJECT, DATASET, TERMS, CLOSED)


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


def post(hosts: LocalHosts, path: str, body: Any, name: str = "synapse", **more: Any) -> requests.Response:
    return requests.post(hosts.hosts[name] + path, json=body, timeout=10, **more)


def entity(hosts: LocalHosts, number: str, **more: Any) -> requests.Response:
    return requests.get(f"{hosts.hosts['synapse']}/entity/{number}", timeout=10, **more)


def children(hosts: LocalHosts, parent: str, **more: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    token = None
    while True:
        body = {"parentId": parent, "includeTypes": ["folder", "file"], "nextPageToken": token}
        answer = post(hosts, "/entity/children", body, **more).json()
        rows += answer["page"]
        token = answer.get("nextPageToken")
        if token is None:
            return rows


def handle_of(hosts: LocalHosts, number: str) -> dict[str, str]:
    handle = entity(hosts, number, headers=TOKEN).json()["dataFileHandleId"]
    return {"fileHandleId": handle, "associateObjectId": number, "associateObjectType": "FileEntity"}


def batch(hosts: LocalHosts, asked: list[dict[str, str]], headers: dict[str, str] = TOKEN) -> requests.Response:
    body = {"requestedFiles": asked, "includeFileHandles": True, "includePreSignedURLs": True}
    return post(hosts, "/fileHandle/batch", body, "synapse_file", headers=headers)


def test_search_is_open_to_all(hosts: LocalHosts) -> None:
    kinds = [{"key": "node_type", "value": "dataset|project"}]
    query = {"queryTerm": ["ultrasound"], "size": 1, "start": 1, "booleanQuery": kinds}
    answer = post(hosts, "/search", query).json()
    assert (answer["found"], answer["start"]) == (2, 1)
    assert [hit["id"] for hit in answer["hits"]] == ["syn200"]
    assert answer["hits"][0]["created_on"] == 1767605400
    only = post(hosts, "/search", {**query, "start": 0, "booleanQuery": [{"key": "node_type", "value": "dataset"}]})
    assert only.json()["found"] == 1
    assert post(hosts, "/search", {"queryTerm": ["ultrasound"], "size": 101}).status_code == 400
    assert post(hosts, "/search", {"queryTerm": []}).status_code == 400
    assert post(hosts, "/search", ["a list"]).status_code == 400


def test_children_page_through_folders(hosts: LocalHosts) -> None:
    readme, train = children(hosts, "syn100")
    assert (readme["name"], train["name"]) == ("readme.txt", "train")
    assert train["type"].endswith(".Folder")
    (week,) = children(hosts, train["id"])
    before = len(hosts.requests)
    files = children(hosts, week["id"])
    assert len(hosts.requests) - before == 2
    assert [row["name"] for row in files] == [f"{n:03}.png" for n in range(60)]
    hosts.faults = Faults(shrink_pages=7)
    assert len({row["id"] for row in children(hosts, week["id"])}) == 60
    bad = post(hosts, "/entity/children", {"parentId": "syn100", "nextPageToken": "nonsense"})
    assert bad.status_code == 400
    assert post(hosts, "/entity/children", {"parentId": "syn5"}).status_code == 404


def test_entities_and_annotations(hosts: LocalHosts) -> None:
    dataset = entity(hosts, "syn200").json()
    assert dataset["concreteType"].endswith(".table.Dataset")
    (item,) = dataset["datasetItems"]
    file = entity(hosts, item["entityId"]).json()
    assert (file["name"], file["parentId"]) == ("a.avi", "syn200")
    licence = entity(hosts, "syn200/annotations2").json()["annotations"]["license"]["value"]
    assert licence == ["CC-BY-4.0"]
    assert entity(hosts, "syn9").status_code == 404
    assert entity(hosts, "syn400").status_code == 403
    assert entity(hosts, "syn200", headers={"Authorization": "Bearer bad"}).status_code == 401


def test_files_want_a_token_and_come_from_storage(hosts: LocalHosts) -> None:
    (row,) = children(hosts, "syn200")
    asked = [handle_of(hosts, row["id"])]
    assert batch(hosts, asked, {}).status_code == 401
    (given,) = batch(hosts, asked).json()["requestedFiles"]
    assert given["fileHandle"]["contentMd5"] == DATASET.files[0].md5
    assert given["fileHandle"]["contentSize"] == 4
    assert given["preSignedURL"].startswith(hosts.storage_url)
    part = requests.get(given["preSignedURL"], headers={"Range": "bytes=1-"}, timeout=5)
    assert (part.status_code, part.content) == (206, b"lip")
    hosts.faults = Faults(signature_seconds=0.0, no_md5=frozenset({"a.avi"}))
    (late,) = batch(hosts, asked).json()["requestedFiles"]
    assert late["fileHandle"]["contentMd5"] is None
    time.sleep(0.01)
    assert requests.get(late["preSignedURL"], timeout=5).status_code == 403


def test_unmet_requirements_and_wrong_handles(hosts: LocalHosts) -> None:
    (locked,) = children(hosts, "syn300")
    refused = batch(hosts, [handle_of(hosts, locked["id"])])
    assert refused.status_code == 403
    assert "unmet access requirements" in refused.json()["reason"]
    (row,) = children(hosts, "syn200")
    good = handle_of(hosts, row["id"])
    wrong = [{**good, "fileHandleId": "1"}, {**good, "associateObjectId": "syn8"}, good]
    answers = batch(hosts, wrong).json()["requestedFiles"]
    assert [answer.get("failureCode") for answer in answers] == ["UNAUTHORIZED", "NOT_FOUND", None]
    assert batch(hosts, [good] * 101).status_code == 400


def test_failures_are_json(hosts: LocalHosts) -> None:
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after="3")
    answer = entity(hosts, "syn200")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.json()["reason"]
    assert entity(hosts, "syn200").status_code == 200
