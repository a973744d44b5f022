from __future__ import annotations

import pytest
import requests

from tests.phantom.hosts.test_github import EMPTY, HIDDEN, NAME, REPOSITORY, get
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts


def many(number: int) -> list[HostRecord]:
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    return [
        HostRecord("github", f"lab/us-{n}", "Ultrasound set", keywords=("b-mode",), created=days[n % len(days)])
        for n in range(number)
    ]


def test_search_ends_at_a_thousand_and_can_be_cut_by_date() -> None:
    with LocalHosts(many(1_500)) as hosts:
        page, seen = get(hosts, "/search/repositories?q=ultrasound&per_page=100"), set()
        total = page.json()["total_count"]
        assert total == 1_500
        while True:
            seen |= {item["full_name"] for item in page.json()["items"]}
            if "next" not in page.links:
                break
            page = requests.get(page.links["next"]["url"], timeout=5)
        assert len(seen) == 1_000
        over = get(hosts, "/search/repositories?q=ultrasound&per_page=100&page=11")
        assert over.status_code == 422
        assert over.json()["message"] == "Only the first 1000 search results are available"
        parts = ("created:<=2026-06-15", "created:2026-06-16..*")
        counts = [
            get(hosts, "/search/repositories", params={"q": f"ultrasound {part}"}).json()["total_count"]
            for part in parts
        ]
        assert sum(counts) == total
        assert min(counts) > 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ultrasound", [NAME, "echo-lab/empty"]),
        ('"thyroid ultrasound"', [NAME]),
        ("ultrasound NOT thyroid", ["echo-lab/empty"]),
        ("topic:thyroid-nodule OR soon", [NAME, "echo-lab/empty"]),
        ("ultrasound created:2026-03-01", ["echo-lab/empty"]),
        ("ultrasound -created:>2026-02-28", [NAME]),
    ],
)
def test_search_words(query: str, found: list[str]) -> None:
    with LocalHosts([REPOSITORY, EMPTY, HIDDEN]) as hosts:
        items = get(hosts, "/search/repositories", params={"q": query}).json()["items"]
    assert [item["full_name"] for item in items] == found


@pytest.mark.parametrize("query", ["", "created:yesterday", "a OR b OR c OR d OR e OR f OR g", "x" * 300])
def test_search_refuses_what_it_cannot_read(query: str) -> None:
    with LocalHosts([REPOSITORY]) as hosts:
        answer = get(hosts, "/search/repositories", params={"q": query})
    assert (answer.status_code, answer.json()["message"]) == (422, "Validation Failed")
