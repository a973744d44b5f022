from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

RECORDS = [
    *(HostRecord("mendeley", f"abc00000{number:02d}", "Liver ultrasound") for number in range(30)),
    HostRecord("mendeley", "xyz0000001/2", "Kidney ultrasound", "Text.", ("Kidney",), licence="CC-BY-NC-3.0"),
    HostRecord("mendeley", "gone000001", "Ultrasound gone", deleted=True),
    HostRecord("zenodo", "77", "Zenodo ultrasound", concept="76", related=("10.17632/xyz0000001.2",)),
    HostRecord("zenodo", "78", "Zenodo ultrasound elsewhere", doi="10.1/x"),
    HostRecord("figshare", "5", "Figshare ultrasound", version=3, kind="image", licence="Ask us", access="embargoed"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


@pytest.fixture
def hosts(running: LocalHosts) -> LocalHosts:
    running.faults = Faults()
    return running


def get(hosts: LocalHosts, **query: Any) -> dict[str, Any]:
    answer = requests.get(f"{hosts.hosts['datacite']}/dois", params=query, timeout=5)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_each_client_has_its_own_records(hosts: LocalHosts) -> None:
    counts = {
        client: get(hosts, **{"query": "ultrasound", "client-id": client})["meta"]["total"]
        for client in ("bl.mendeley", "cern.zenodo", "figshare.ars", "nobody.x")
    }
    assert counts == {"bl.mendeley": 31, "cern.zenodo": 1, "figshare.ars": 1, "nobody.x": 0}
    assert get(hosts, query="ultrasound")["meta"]["total"] == 33
    assert get(hosts, **{"query": "ultrasound", "resource-type-id": "image"})["meta"]["total"] == 1


@pytest.mark.parametrize("start", [{"page[number]": 1}, {"page[cursor]": 1}])
def test_both_ways_of_paging_show_everything_once(hosts: LocalHosts, start: dict[str, Any]) -> None:
    query = {"query": "ultrasound", "client-id": "bl.mendeley", "page[size]": 8, **start}
    page, seen = get(hosts, **query), []
    while True:
        seen += [row["id"] for row in page["data"]]
        if "next" not in page["links"]:
            break
        assert page["links"]["next"].startswith(hosts.url)
        page = requests.get(page["links"]["next"], timeout=5).json()
    assert len(seen) == len(set(seen)) == page["meta"]["total"] == 31


def test_the_window_of_page_numbers_and_bad_cursors(hosts: LocalHosts) -> None:
    url = f"{hosts.hosts['datacite']}/dois"
    assert requests.get(url, {"page[number]": 11, "page[size]": 1000}, timeout=5).status_code == 400
    assert requests.get(url, {"page[cursor]": "x!"}, timeout=5).status_code == 400
    assert requests.get(url, {"query": '"open'}, timeout=5).status_code == 400


def test_a_record(hosts: LocalHosts) -> None:
    answer = requests.get(f"{hosts.hosts['datacite']}/dois/10.17632/XYZ0000001.2", timeout=5)
    found = answer.json()["data"]["attributes"]
    assert found["url"] == "https://data.mendeley.com/datasets/xyz0000001/2"
    assert found["relatedIdentifiers"][0]["relatedIdentifier"] == "10.17632/xyz0000001"
    assert found["rightsList"][1]["rightsIdentifier"] == "cc-by-nc-3.0"
    assert found["subjects"] == [{"subject": "Kidney"}]
    (zenodo,) = get(hosts, query="zenodo")["data"]
    related = {row["relationType"]: row["relatedIdentifier"] for row in zenodo["attributes"]["relatedIdentifiers"]}
    assert related == {"IsVersionOf": "10.5281/zenodo.76", "IsDerivedFrom": "10.17632/xyz0000001.2"}
    (figshare,) = get(hosts, query="figshare")["data"]
    assert (figshare["id"], figshare["attributes"]["rightsList"]) == (
        "10.6084/m9.figshare.5.v3",
        [{"rights": "Ask us"}],
    )
    gone = requests.get(f"{hosts.hosts['datacite']}/dois/10.17632/gone000001.1", timeout=5)
    assert gone.status_code == 404


def test_shrunken_pages(hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=3)
    assert len(get(hosts, query="ultrasound")["data"]) == 3
