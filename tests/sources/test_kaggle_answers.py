"""Kaggle's rarer answers, from a scripted server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply, Script, Seen
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.sources import RemoteFile, SourceError, SourceState, kaggle
from ultracurate.sources.kaggle import KaggleSource, _halves

JSON = {"Content-Type": "application/json"}
API = "https://www.kaggle.com/api/v1"
VIEW = {"ref": "ada/scans", "title": "Scans", "currentVersionNumber": 4, "totalBytes": 99}


@pytest.fixture
def source(origin: Origin, make_context: MakeContext, tmp_path: Path) -> KaggleSource:
    environ = {"HOME": str(tmp_path), "KAGGLE_API_TOKEN": "KGAT_s3cr3t"}
    return KaggleSource(make_context(hosts={"kaggle": origin.url}, environ=environ))


def answer(data: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON)


def ref(record: str = "ada/scans", *names: str) -> SourceRef:
    return SourceRef(host="kaggle", record=record, files=[FileRef(name=name) for name in names])


def listing(*pages: dict[str, Any]) -> Script:
    """Pages of files whose tokens are their numbers."""
    return lambda seen: answer(pages[int(seen.query.get("pageToken") or 0)])


def library(sizes: list[int], pages: int = 2, bounds: int = 0) -> Script:
    """A search over sets of these sizes that shows `pages` pages of 20; `bounds` 1: it leaves out its bounds."""

    def script(seen: Seen) -> Reply:
        least, most = int(seen.query.get("minSize", -9)), int(seen.query.get("maxSize", 1 << 60))
        hits = [n for n, size in enumerate(sizes) if least + bounds <= size <= most - bounds]
        page = int(seen.query["page"])
        shown = hits[(page - 1) * 20 : page * 20] if page <= pages else []
        return answer([{"ref": f"o/s{n}", "title": "T", "totalBytes": sizes[n]} for n in shown])

    return script


@pytest.mark.parametrize("bounds", [0, 1])
def test_beyond_the_window_a_search_is_cut_by_size(
    source: KaggleSource, origin: Origin, monkeypatch: pytest.MonkeyPatch, bounds: int
) -> None:
    monkeypatch.setattr(kaggle, "LAST_PAGE", 2)
    sizes = [0, 1, 2] + [7**n // 3 for n in range(1, 18)] * 5 + list(range(10**6, 10**6 + 42))
    origin.serve("/datasets/list", library(sizes, bounds=bounds))
    found = [candidate.record for candidate in source.search("x", 1000)]
    assert len(found) == len(set(found)) == len(sizes)
    assert not [seen for seen in origin.seen if int(seen.query["page"]) > 2]


def test_a_search_that_cannot_be_cut_further_says_what_is_missing(
    source: KaggleSource, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kaggle, "LAST_PAGE", 2)
    origin.serve("/datasets/list", library([5] * 60))
    found: list[Any] = []
    with pytest.raises(SourceError, match="more words") as caught:
        found.extend(source.search("x", 1000))
    assert caught.value.state is SourceState.PARTIAL_LISTING


def test_a_host_that_fills_every_page_does_not_hold_us_for_ever(
    source: KaggleSource, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kaggle, "LAST_PAGE", 1)
    monkeypatch.setattr(kaggle, "SLICES", 20)
    origin.serve("/datasets/list", answer([{"ref": "o/s"}] * 20))
    with pytest.raises(SourceError) as caught:
        list(source.search("x", 1000))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) <= 1 + 2 * 20


def test_halves_cover_a_range_and_end() -> None:
    for span in ((0, 1), (0, 1 << 50), (7, 9), (10**6, 10**6 + 1)):
        low, high = _halves(span)
        assert (low[0], low[1] + 1, high[1]) == (span[0], high[0], span[1])
        assert low[0] <= low[1]
        assert high[0] <= high[1]


@pytest.mark.parametrize("body", ["x", None, 7, {}, {"datasets": {}}])
def test_another_shape_of_search_is_told(source: KaggleSource, origin: Origin, body: Any) -> None:
    origin.serve("/datasets/list", answer(body))
    with pytest.raises(SourceError, match="another shape"):
        list(source.search("x", 5))


def test_broken_rows_are_skipped(source: KaggleSource, origin: Origin) -> None:
    rows: list[Any] = [
        None,
        {},
        [],
        "x",
        {"ref": 5},
        {"ref": "../x"},
        {"ref": "competitions/x"},
        {"ref": "o/good"},
        {"ref": "o/good"},
    ]
    origin.serve("/datasets/list", answer(rows), answer([]))
    assert [found.record for found in source.search("x", 5)] == ["o/good"]


@pytest.mark.parametrize(
    "body", [{"code": 404, "message": "Gone"}, {"error": {"code": 404, "message": "Gone", "status": "NOT_FOUND"}}]
)
def test_an_error_in_a_success_is_an_error(source: KaggleSource, origin: Origin, body: Any) -> None:
    origin.serve("/datasets/view/ada/scans", answer(body))
    with pytest.raises(SourceError, match="Gone") as caught:
        source.describe(ref())
    assert caught.value.state is SourceState.NOT_FOUND


def test_a_guard_that_refuses_the_machine_is_no_question_of_terms(source: KaggleSource, origin: Origin) -> None:
    origin.serve("/datasets/view/ada/scans", Reply(b"<html>no</html>", 403, {"Content-Type": "text/html"}))
    with pytest.raises(SourceError) as caught:
        source.describe(ref())
    assert caught.value.state is SourceState.BLOCKED


@pytest.mark.parametrize("body", [None, [], {}, "x", {"title": 3}])
def test_another_shape_of_view_is_told(source: KaggleSource, origin: Origin, body: Any) -> None:
    origin.serve("/datasets/view/ada/scans", answer(body))
    origin.serve("/datasets/list/ada/scans", answer({"datasetFiles": body}))
    with pytest.raises(SourceError) as caught:
        source.describe(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


def test_files_are_listed_without_metadata(source: KaggleSource, origin: Origin) -> None:
    origin.serve("/datasets/view/ada/scans", answer(VIEW | {"licenseName": "MIT"}))
    origin.serve("/datasets/metadata/ada/scans", answer({"code": 403, "message": "no"}, 403))
    page = {"datasetFiles": [{"name": "b/1.png", "totalBytes": 3}, {}, None, {"ref": "1.png"}], "nextPageToken": "1"}
    last = {"datasetFiles": [{"name": "b/1.png", "totalBytes": 3}, {"name": "B/1.png", "totalBytes": 10**30}]}
    origin.serve("/datasets/list/ada/scans", listing(page, last))
    found = source.describe(ref())
    assert [(file.name, file.size) for file in found.files] == [("b/1.png", 3), ("1.png", None), ("B/1.png", None)]
    assert found.licence_spdx == "MIT"
    assert {seen.query["datasetVersionNumber"] for seen in origin.asked("/datasets/list/ada/scans")} == {"4"}


@pytest.mark.parametrize(
    ("page", "why", "state"),
    [
        ({"datasetFiles": [{"name": "a"}], "nextPageToken": "0"}, "circles", SourceState.BAD_ANSWER),
        ({"datasetFiles": [], "nextPageToken": {"x": 1}}, "nextPageToken", SourceState.BAD_ANSWER),
        ({"datasetFiles": None}, "expected rows", SourceState.BAD_ANSWER),
        ({"datasetFiles": [], "errorMessage": "Version is broken"}, "Version is broken", SourceState.BAD_ANSWER),
        ({"datasetFiles": [{"name": "../../etc/passwd"}]}, "relative path", SourceState.BAD_ANSWER),
    ],
)
def test_a_listing_that_cannot_be_right_is_told(
    source: KaggleSource, origin: Origin, page: Any, why: str, state: SourceState
) -> None:
    origin.serve("/datasets/view/ada/scans", answer(VIEW))
    origin.serve("/datasets/list/ada/scans", answer(page))
    with pytest.raises(SourceError, match=why) as caught:
        source.describe(ref())
    assert caught.value.state is state


def test_an_endless_listing_is_given_up(source: KaggleSource, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle, "FILE_PAGES", 5)
    origin.serve("/datasets/view/ada/scans", answer(VIEW))

    def page(seen: Seen) -> Reply:
        number = int(seen.query.get("pageToken") or 0)
        return answer({"datasetFiles": [{"name": f"{number}.png"}], "nextPageToken": str(number + 1)})

    origin.serve("/datasets/list/ada/scans", page)
    with pytest.raises(SourceError, match="more than 5 files") as caught:
        source.describe(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING


def test_an_error_in_place_of_a_file_is_an_error(source: KaggleSource, origin: Origin, tmp_path: Path) -> None:
    where = "/datasets/download/ada/scans/a.json"
    file = RemoteFile("a.json", API + where)
    origin.serve(where, answer({"error": {"code": 429, "message": "Too many requests"}}), answer({"frames": 3}))
    assert source.fetch(file, tmp_path / "f").path.read_bytes() == b'{"frames": 3}'  # JSON that was asked for is one
    origin.serve("/datasets/download/ada/scans", answer({"frames": 3}))
    with pytest.raises(SourceError, match="JSON instead of the file"):
        source.fetch(RemoteFile("scans.zip", f"{API}/datasets/download/ada/scans"), tmp_path / "g")


def test_the_rules_of_a_competition_are_named(source: KaggleSource, origin: Origin, fake_time: FakeTime) -> None:
    words = "The rules of this competition must be accepted first."
    origin.serve("/competitions/list", answer([{"ref": "https://www.kaggle.com/competitions/nerve", "title": "Nerve"}]))
    origin.serve("/competitions/data/list/nerve", answer({"code": 403, "message": words}, 403))
    with pytest.raises(SourceError, match=r"competitions/nerve/rules") as caught:
        source.list_files(ref("competitions/nerve"))
    assert caught.value.state is SourceState.TERMS_REQUIRED
    found = source.describe(ref("competitions/nerve"))
    assert (found.title, found.access, found.files_listed) == ("Nerve", "restricted", False)
    rows = {"files": [{"name": "train.zip", "totalBytes": 8}], "nextPageToken": ""}
    origin.serve("/competitions/data/list/nerve", answer(rows))
    (file,) = source.list_files(ref("competitions/nerve"))
    assert (file.name, file.url) == ("nerve.zip", f"{API}/competitions/data/download-all/nerve")
    (file,) = source.list_files(ref("competitions/nerve", "train.zip"))
    assert (file.url, file.size) == (f"{API}/competitions/data/download/nerve/train.zip", 8)
    assert fake_time.slept == []
