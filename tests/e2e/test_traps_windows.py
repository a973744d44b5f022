"""Searches that the hosts cut: at a size of pages, and at a last page, each in its own words."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.e2e.naive import Duel, refusal, trap
from ultracurate.phantom.hosts import datacite as their_datacite
from ultracurate.phantom.hosts import kaggle_data as their_kaggle
from ultracurate.phantom.hosts import zenodo as their_zenodo
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.sources import SourceState, _datacite, kaggle, zenodo

LIMITS = "page limits with the real error bodies"


def scans(host: str, name: str, count: int) -> list[HostRecord]:
    """Records that a search for "scans" finds, spread over years and sizes."""
    return [
        HostRecord(
            host,
            name.format(n),
            "Liver scans",
            created=f"{2014 + n % 12}-{n % 11 + 1:02}-{n % 28 + 1:02}",
            files=(HostFile("x.png", b"x" * n),),
        )
        for n in range(1, count + 1)
    ]


@trap(LIMITS)
def test_pages_that_are_too_large_for_a_guest() -> None:
    with Duel(*scans("zenodo", "{}", 110)) as duel:
        answer = duel.naive.get(duel.url("zenodo", "/api/records?q=scans&size=100"))
        assert answer.status_code == 400
        assert "cannot be greater than 25" in answer.json()["errors"][0]["messages"][0]
        with pytest.raises(KeyError, match="hits"):
            answer.json()["hits"]["hits"]
        assert len(list(duel.ours("zenodo").search("scans", 1000))) == 110
        with_token = duel.ours("zenodo", environ={"ZENODO_TOKEN": "good"})
        assert len(list(with_token.search("scans", 1000))) == 110
        datasets = [asked.one("size") for asked in duel.asked_by_ours() if asked.one("type") == "dataset"]
        assert datasets == ["25"] * 5 + ["100"] * 2


@trap(LIMITS)
def test_zenodo_shows_no_more_than_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(their_zenodo, "WINDOW", 100)
    monkeypatch.setattr(zenodo, "WINDOW", 100)
    with Duel(*scans("zenodo", "{}", 230)) as duel:
        rows, link = 0, duel.url("zenodo", "/api/records?q=scans&size=25")
        while link:
            page = duel.naive.json(link)
            rows, link = rows + len(page["hits"]["hits"]), page["links"].get("next")
        assert rows == 100  # and no word of the others
        beyond = duel.naive.get(duel.url("zenodo", "/api/records?q=scans&size=25&page=5"))
        assert (beyond.status_code, "100 results" in beyond.text) == (400, True)
        found = [one.record for one in duel.ours("zenodo").search("scans", 1000)]
        assert len(found) == len(set(found)) == 230


@trap(LIMITS)
def test_kaggle_is_empty_after_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(their_kaggle, "LAST_PAGE", 4)
    monkeypatch.setattr(kaggle, "LAST_PAGE", 4)
    with Duel(*scans("kaggle", "many/set-{}", 190)) as duel:
        rows, page = 0, 1
        while found := duel.naive.json(duel.url("kaggle", f"/datasets/list?search=scans&page={page}")):
            rows, page = rows + len(found), page + 1
        assert rows == 80
        refs = [one.record for one in duel.ours("kaggle").search("scans", 1000)]
        assert len(refs) == len(set(refs)) == 190


@trap(LIMITS)
def test_github_shows_a_thousand() -> None:
    with Duel(*scans("github", "lab/set-{}", 1100)) as duel:
        rows, link = 0, duel.url("github", "/search/repositories?q=scans&per_page=100")
        while link:
            answer = duel.naive.get(link)
            rows, link = rows + len(answer.json()["items"]), answer.links.get("next", {}).get("url", "")
        assert rows == 1000
        beyond = duel.naive.get(duel.url("github", "/search/repositories?q=scans&per_page=100&page=11"))
        assert (beyond.status_code, beyond.json()["message"]) == (
            422,
            "Only the first 1000 search results are available",
        )
        assert len({one.record for one in duel.ours("github").search("scans", 5000)}) == 1100


@trap(LIMITS)
def test_figshare_refuses_large_offsets() -> None:
    with Duel(*scans("figshare", "{}", 6100)) as duel:
        rows: list[Any] = []
        for page in range(1, 10):
            asked = {"search_for": "scans", "page": page, "page_size": 1000}
            found = duel.naive.post(duel.url("figshare", "/articles/search"), asked).json()
            rows += found
            if len(found) < 1000:
                break
        assert rows[6000:] == ["message", "code"]  # the fields of the refusal, taken for the last records
        assert len({one.record for one in duel.ours("figshare").search("scans", 10_000)}) == 6100


@trap(LIMITS)
def test_datacite_refuses_pages_beyond_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(their_datacite, "WINDOW", 200)
    monkeypatch.setattr(_datacite, "WINDOW", 200)
    with Duel(*scans("mendeley", "set{:07}", 350)) as duel:
        rows, number = [], 1
        while True:
            query = f"/dois?query=scans&client-id=bl.mendeley&page[size]=100&page[number]={number}"
            answer = duel.naive.get(duel.url("datacite", query))
            if not answer.ok:  # "no more pages"
                break
            rows += answer.json()["data"]
            number += 1
        assert (len(rows), answer.status_code) == (200, 400)
        assert "cursor" in answer.text
        assert len({one.record for one in duel.ours("mendeley").search("scans", 1000)}) == 350


@trap(LIMITS)
def test_a_list_that_cannot_be_shown_whole_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """All on one day: no slice is small enough."""
    monkeypatch.setattr(their_zenodo, "WINDOW", 50)
    monkeypatch.setattr(zenodo, "WINDOW", 50)
    with Duel(*(HostRecord("zenodo", str(n), "Liver scans") for n in range(1, 91))) as duel:
        page = duel.naive.json(duel.url("zenodo", "/api/records?q=scans&size=25&page=2"))
        assert "next" not in page["links"]
        hits = duel.ours("zenodo").search("scans", 1000)
        assert len(list(islice(hits, 50))) == 50
        error = refusal(lambda: next(hits))
        assert (error.state, "has 90 records" in str(error)) == (SourceState.PARTIAL_LISTING, True)
