from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply, Script, Seen
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import Candidate, SourceError, SourceState, _datacite, mendeley
from ultracurate.sources.mendeley import SITE_SEARCH, MendeleySource

ID = "abc123def4"
DATA = b"PK\x03\x04" + b"carotid" * 500
SHA256 = hashlib.sha256(DATA).hexdigest()
JSON = {"Content-Type": "application/json"}
Serve = Callable[..., LocalHosts]


def dataset(id: str = ID, *files: HostFile, **more: Any) -> HostRecord:
    return HostRecord("mendeley", id, **{"title": "Ultrasound of the neck", "files": files} | more)


def numbered(count: int) -> list[HostRecord]:
    return [dataset(f"set{number:07d}") for number in range(count)]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *records, **faults: stack.enter_context(LocalHosts(records, Faults(**faults)))


@pytest.fixture
def source_of(make_context: MakeContext) -> Callable[..., MendeleySource]:
    def make(hosts: LocalHosts | Origin, **environ: str) -> MendeleySource:
        url = hosts.url if isinstance(hosts, Origin) else ""
        named = hosts.hosts if isinstance(hosts, LocalHosts) else {"mendeley": url, "datacite": f"{url}/datacite"}
        return MendeleySource(make_context(hosts=named, environ=environ))

    return make


SourceOf = Callable[..., MendeleySource]


def ref(record: str = ID, *names: str) -> SourceRef:
    return SourceRef(host="mendeley", record=record, files=[FileRef(name=name) for name in names])


def answer(data: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON | {name.replace("_", "-"): headers[name] for name in headers})


def asked(hosts: LocalHosts, path: str) -> list[dict[str, list[str]]]:
    return [request.query for request in hosts.requests if request.path == path]


# --- search through DataCite


def doi(number: int, **attributes: Any) -> dict[str, Any]:
    id = f"10.17632/set{number:07d}.1"
    about = {"doi": id, "url": f"https://data.mendeley.com/datasets/set{number:07d}/1"} | attributes
    return {"id": id, "type": "dois", "attributes": about}


def datacite_of(total: int, *, stop_after: int | None = None, cursor_stops: bool = False) -> Script:
    """DataCite with so many DOIs of Mendeley, whose links name the public host."""

    def script(seen: Seen) -> Reply:
        size, cursor = int(seen.query["page[size]"]), seen.query.get("page[cursor]")
        first = int(seen.query["page[number]"]) * size - size if cursor is None else int(cursor.removeprefix("c")) - 1
        rows = range(first, min(first + size, total, stop_after or total))
        after = f"https://api.datacite.org/dois?page%5Bcursor%5D={1 if cursor_stops else f'c{first + size + 1}'}"
        return answer({"data": [doi(n) for n in rows], "meta": {"total": total}, "links": {"next": after}})

    return script


def test_datasets_are_found_through_datacite(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(*numbered(250), HostRecord("zenodo", "7", "Ultrasound elsewhere"))
    found = list(source_of(hosts).search("ultrasound", 1000))
    assert [one.record for one in found] == [f"set{number:07d}/1" for number in range(250)]
    pages = asked(hosts, "/dois")
    assert [page["page[number]"] for page in pages] == [["1"], ["2"], ["3"]]
    assert pages[0]["client-id"] == ["bl.mendeley"]
    assert pages[0]["resource-type-id"] == ["dataset"]
    assert {request.host for request in hosts.requests} == {"datacite"}  # the site itself is left alone


def test_a_hit_says_what_datacite_knows(serve: Serve, source_of: SourceOf) -> None:
    more = {"keywords": ("Neck", "Carotid"), "description": "B-mode", "related": ("10.5281/zenodo.7",)}
    (found,) = source_of(serve(dataset(f"{ID}/2", **more))).search("ultrasound", 10)
    assert (found.host, found.record, found.version, found.concept) == ("mendeley", f"{ID}/2", "2", f"10.17632/{ID}")
    assert (found.doi, found.url) == (f"10.17632/{ID}.2", f"https://data.mendeley.com/datasets/{ID}/2")
    assert (found.title, found.description) == ("Ultrasound of the neck", "B-mode")
    assert (found.licence_raw, found.licence_spdx, found.access) == ("cc-by-4.0", "CC-BY-4.0", "open")
    assert (found.keywords, found.published) == (("Neck", "Carotid"), "2026-01-05")
    assert found.related == (f"10.17632/{ID}", "10.5281/zenodo.7")
    assert (found.files, found.files_listed) == ((), False)
    assert json.loads(found.raw)["id"] == f"10.17632/{ID}.2"


def test_each_version_is_a_hit_of_one_concept(serve: Serve, source_of: SourceOf) -> None:
    found = list(source_of(serve(dataset(f"{ID}/1"), dataset(f"{ID}/2"))).search("ultrasound", 10))
    assert [one.record for one in found] == [f"{ID}/1", f"{ID}/2"]
    assert len({one.concept for one in found}) == 1


def test_no_more_pages_are_asked_than_needed(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(*numbered(250))
    assert len(list(source_of(hosts).search("ultrasound", 100))) == 100
    assert list(source_of(hosts).search("ultrasound", 0)) == []
    assert len(hosts.requests) == 1


def test_smaller_pages_than_asked_lose_nothing(serve: Serve, source_of: SourceOf) -> None:
    assert len(list(source_of(serve(*numbered(45), shrink_pages=10)).search("ultrasound", 100))) == 45


def test_beyond_the_window_a_cursor_goes_on(
    source_of: SourceOf, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_datacite, "WINDOW", 200)
    origin.serve("/datacite/dois", datacite_of(420))
    found = [one.record for one in source_of(origin).search("ultrasound", 1000)]
    assert found == [f"set{number:07d}/1" for number in range(420)]
    places = [seen.query.get("page[number]") or seen.query["page[cursor]"] for seen in origin.seen]
    assert places == ["1", "2", "1", "c101", "c201", "c301", "c401"]
    assert all("page[number]" not in seen.query for seen in origin.seen[2:])


def test_records_that_change_places_between_pages_are_not_lost(source_of: SourceOf, origin: Origin) -> None:
    inner = datacite_of(150)

    def script(seen: Seen) -> Reply:
        if seen.query.get("page[number]") != "2":
            return inner(seen)
        rows = [doi(n) for n in range(90, 140)]  # ten of page 1 come again, ten others never
        return answer({"data": rows, "meta": {"total": 150}})

    origin.serve("/datacite/dois", script)
    assert len(list(source_of(origin).search("ultrasound", 1000))) == 150


@pytest.mark.parametrize("how", [{"stop_after": 300}, {"cursor_stops": True}])
def test_a_list_that_ends_too_early_is_reported_after_its_last_record(
    source_of: SourceOf, origin: Origin, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    monkeypatch.setattr(_datacite, "WINDOW", 200)
    origin.serve("/datacite/dois", datacite_of(420, **how))
    found: list[Candidate] = []
    with pytest.raises(SourceError, match="has 420 datasets") as caught:
        found.extend(source_of(origin).search("ultrasound", 1000))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(found) >= 200
    assert len(origin.seen) < 10


def test_a_query_that_cannot_be_parsed_is_asked_again_in_plain_words(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(dataset(title="Liver/kidney ultrasound"))
    assert len(list(source_of(hosts).search("liver/kidney", 10))) == 1
    assert [page["query"] for page in asked(hosts, "/dois")] == [["liver/kidney"], [r"liver\/kidney"]]


def test_the_doi_of_all_versions_stands_for_the_newest(source_of: SourceOf, origin: Origin) -> None:
    links = [{"relationType": "HasVersion", "relatedIdentifier": f"10.17632/{ID}.{n}"} for n in (2, 10, 9)]
    whole = {"doi": f"10.17632/{ID}", "url": f"https://data.mendeley.com/datasets/{ID}", "relatedIdentifiers": links}
    rows = [
        {"id": f"10.17632/{ID}", "attributes": whole},
        doi(1),
        {"id": "10.4121/x", "attributes": {"doi": "10.4121/x"}},
    ]
    rows.append({"id": f"10.17632/{ID}.10", "attributes": {"doi": f"10.17632/{ID}.10"}})  # the same once more
    origin.serve("/datacite/dois", answer({"data": rows, "meta": {"total": 4}}))
    found = list(source_of(origin).search("x", 10))
    assert [one.record for one in found] == [f"{ID}/10", "set0000001/1"]
    assert found[0].doi == f"10.17632/{ID}.10"


@pytest.mark.parametrize(
    "body", [[], {}, None, "x", {"data": {}}, {"data": [], "meta": {"total": None}}, {"data": [], "meta": []}]
)
def test_another_shape_of_search_answer_is_told(source_of: SourceOf, origin: Origin, body: Any) -> None:
    origin.serve("/datacite/dois", answer(body))
    with pytest.raises(SourceError, match="expected `data`") as caught:
        list(source_of(origin).search("x", 10))
    assert caught.value.state is SourceState.BAD_ANSWER


@pytest.mark.parametrize("odd", [None, 5, {}, [], "x\0y", [None, {}, 7], 10**30, {"a": {}}])
def test_odd_values_in_a_doi_are_survived(source_of: SourceOf, origin: Origin, odd: Any) -> None:
    names = ("titles", "descriptions", "subjects", "rightsList", "dates", "relatedIdentifiers", "created")
    rows = [odd, {"id": odd, "attributes": {}}, {"id": "x", "attributes": odd}, doi(1, **dict.fromkeys(names, odd))]
    origin.serve("/datacite/dois", answer({"data": rows, "meta": {"total": 3}, "links": odd}))
    source = source_of(origin)
    found = next(iter(source.search("x", 10)))
    assert (found.record, found.title, found.keywords, found.licence_raw) == ("set0000001/1", "", (), None)


# --- the site's own search


def test_the_sites_own_search_is_used_only_when_allowed(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(*numbered(3), dataset("emb1234567", access="embargoed"))
    assert len(list(source_of(hosts, **{SITE_SEARCH: "0"}).search("ultrasound", 10))) == 4
    assert asked(hosts, "/api/research-data/search") == []
    found = list(source_of(hosts, **{SITE_SEARCH: "1"}).search("ultrasound", 10))
    assert [one.record for one in found] == ["set0000000", "set0000001", "set0000002", "emb1234567"]
    assert (found[0].doi, found[0].access, found[0].files_listed) == ("10.17632/set0000000", "open", False)
    assert found[3].access == "embargoed"
    (query,) = asked(hosts, "/api/research-data/search")  # `search` and `size` would be ignored without a word
    assert (query["query"], query["page_size"], query["type"]) == (["ultrasound"], ["500"], ["DATASET"])


def site(count: int, total: int, **more: Any) -> Reply:
    rows = [{"id": f"set{n:07d}", "title": "T", "source": {"external": False}} | more for n in range(count)]
    return answer({"records": rows, "total_records": total})


def test_records_of_other_repositories_are_left_out(source_of: SourceOf, origin: Origin) -> None:
    origin.serve("/api/research-data/search", site(2, 2, source={"external": True}))
    assert list(source_of(origin, **{SITE_SEARCH: "1"}).search("x", 10)) == []


def test_the_sites_window_is_reported(source_of: SourceOf, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mendeley, "SITE_WINDOW", 1000)
    origin.serve("/api/research-data/search", site(500, 1200))
    with pytest.raises(SourceError, match=r"has 1200 datasets .* showed 1000") as caught:
        list(source_of(origin, **{SITE_SEARCH: "1"}).search("x", 2000))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert [seen.query["page"] for seen in origin.seen] == ["1", "2"]


def test_a_query_too_long_for_the_site_is_a_mistake_of_the_user(source_of: SourceOf, origin: Origin) -> None:
    with pytest.raises(ConfigError, match="at most 255 characters, found 256"):
        list(source_of(origin, **{SITE_SEARCH: "1"}).search("x" * 256, 10))
    assert origin.seen == []


# --- one dataset


@pytest.mark.parametrize(
    "record",
    [
        ID,
        f"{ID}/1",
        f"10.17632/{ID}",
        f"10.17632/{ID.upper()}.1",
        f"https://doi.org/10.17632/{ID}.1",
        f"https://data.mendeley.com/datasets/{ID}/1",
        f"https://data.mendeley.com/datasets/{ID}/",
    ],
)
def test_a_dataset_is_described(serve: Serve, source_of: SourceOf, record: str) -> None:
    file = HostFile("set.zip", DATA)
    hosts = serve(dataset(ID, file, keywords=("Neck",), licence="CC-BY-NC-3.0", related=("10.1/x",)))
    found = source_of(hosts).describe(ref(record))
    assert (found.record, found.version, found.concept) == (f"{ID}/1", "1", f"10.17632/{ID}")
    assert (found.doi, found.url) == (f"10.17632/{ID}.1", f"https://data.mendeley.com/datasets/{ID}/1")
    assert (found.licence_raw, found.licence_spdx, found.access) == ("CC BY NC 3.0", "CC-BY-NC-3.0", "open")
    assert (found.keywords, found.published, found.total_bytes) == (("Neck",), "2026-01-05", len(DATA))
    assert (found.related, found.files_listed) == (("10.1/x",), True)
    (listed,) = found.files
    assert (listed.name, listed.size, listed.checksum) == ("set.zip", len(DATA), f"sha256:{SHA256}")
    assert listed.url.startswith(f"https://data.mendeley.com/public-files/datasets/{ID}/files/")
    assert listed.url.endswith("/file_downloaded")


@pytest.mark.parametrize("wrong", ["", "abc", "10.5281/zenodo.7", f"{ID}/x", f"{ID}/../1", "https://x.org/datasets/1"])
def test_a_wrong_record_id_is_a_mistake_of_the_manifest(source_of: SourceOf, origin: Origin, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"expects `record`: .*abc123def4/1"):
        source_of(origin).describe(ref().model_copy(update={"record": wrong}))
    assert origin.seen == []


def test_what_is_kept_does_not_change_from_one_reading_to_the_next(serve: Serve, source_of: SourceOf) -> None:
    source = source_of(serve(dataset(ID, HostFile("set.zip", DATA))))
    first, second = source.describe(ref()), source.describe(ref())
    assert first.raw == second.raw
    assert b"expiry" not in first.raw
    assert b"download_url" not in first.raw
    assert json.loads(first.raw)["files"][0]["filename"] == "set.zip"


def test_the_newest_version_is_read_without_naming_it(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(dataset(f"{ID}/1"), dataset(f"{ID}/2", HostFile("a.zip", DATA)))
    assert source_of(hosts).describe(ref(f"{ID}/2")).record == f"{ID}/2"
    assert asked(hosts, f"/public-api/datasets/{ID}") == [{}]  # `?version=` was refused where this works
    assert asked(hosts, f"/public-api/datasets/{ID}/files") == [{"folder_id": ["root"]}]


def test_an_older_version_is_read_as_a_snapshot(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(dataset(f"{ID}/1", HostFile("old.zip", DATA)), dataset(f"{ID}/2", HostFile("new.zip", DATA)))
    found = source_of(hosts).describe(ref(f"{ID}/1"))
    assert (found.record, found.doi) == (f"{ID}/1", f"10.17632/{ID}.1")  # here `doi` is a text
    assert (found.licence_raw, found.licence_spdx) == ("CC BY 4.0", "CC-BY-4.0")  # and the key is `licence`
    assert [file.name for file in found.files] == ["old.zip"]
    assert asked(hosts, f"/public-api/datasets/{ID}/files") == [{"folder_id": ["root"], "version": ["1"]}]


def serve_record(origin: Origin, files: list[Any] | None = None, folders: Any = (), **changes: Any) -> None:
    base = f"/public-api/datasets/{ID}"
    origin.serve(base, answer({"id": ID, "version": 2, "name": "N"} | changes))
    origin.serve(f"{base}/folders/2", answer(list(folders)))
    origin.serve(f"{base}/files", answer([] if files is None else files))


def entry(id: str = "f-1", name: str = "a.png", **changes: Any) -> dict[str, Any]:
    content = {"sha256_hash": SHA256, "size": len(DATA), "download_expiry_time": 1}
    return {"id": id, "filename": name, "folder_id": None, "size": len(DATA), "content_details": content} | changes


def test_a_withdrawn_version_is_gone(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, versions=[{"version": 1, "available": False}, {"version": 2, "available": True}])
    with pytest.raises(SourceError, match="withdrawn") as caught:
        source_of(origin).describe(ref(f"{ID}/1"))
    assert caught.value.state is SourceState.GONE
    assert source_of(origin).describe(ref(f"{ID}/2")).access == "open"
    serve_record(origin, available=False)
    with pytest.raises(SourceError, match=r"Version 2 .* withdrawn"):
        source_of(origin).describe(ref())


@pytest.mark.parametrize("record", ["zzz999zzz9", f"{ID}/7"])
def test_a_missing_dataset_or_version_is_told(serve: Serve, source_of: SourceOf, record: str) -> None:
    with pytest.raises(SourceError) as caught:
        source_of(serve(dataset())).describe(ref(record))
    assert caught.value.state is SourceState.NOT_FOUND


def test_another_version_than_asked_is_told(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin)
    origin.serve(f"/public-api/datasets/{ID}/snapshot/1", answer({"id": ID, "version": 2}))
    with pytest.raises(SourceError, match="asked for version 1"):
        source_of(origin).describe(ref(f"{ID}/1"))


def test_an_embargo_is_described_and_told_with_its_end(serve: Serve, source_of: SourceOf) -> None:
    source = source_of(serve(dataset(ID, HostFile("a.zip", DATA), access="embargoed")))
    assert (source.describe(ref()).access, source.describe(ref()).files) == ("embargoed", ())
    with pytest.raises(SourceError, match=r"embargoed until 2099-01-01.*Ask its owner on that page") as caught:
        source.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED


def test_an_embargo_that_is_over_hides_nothing(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [entry()], embargo_date="2020-01-01T00:00:00.000Z")
    assert len(source_of(origin).list_files(ref())) == 1


def test_refused_files_make_a_restricted_dataset(serve: Serve, source_of: SourceOf) -> None:
    source = source_of(serve(dataset(ID, HostFile("a.zip", DATA), access="restricted")))
    assert source.describe(ref()).access == "restricted"
    with pytest.raises(SourceError, match="is restricted") as caught:
        source.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED


def test_a_description_without_files_is_restricted(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, is_metadata_only=True)
    assert source_of(origin).describe(ref()).access == "restricted"


def test_an_open_dataset_without_files_is_told(serve: Serve, source_of: SourceOf) -> None:
    with pytest.raises(SourceError, match="holds no files"):
        source_of(serve(dataset())).list_files(ref())


def test_the_guard_in_front_of_the_host_is_a_block(source_of: SourceOf, origin: Origin, fake_time: FakeTime) -> None:
    page = Reply(b"<!DOCTYPE html><title>Attention Required!</title>", 403, {"Content-Type": "text/html"})
    origin.serve(f"/public-api/datasets/{ID}", page)
    with pytest.raises(SourceError) as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BLOCKED
    serve_record(origin)
    origin.serve(f"/public-api/datasets/{ID}/files", page)
    with pytest.raises(SourceError) as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BLOCKED  # not a restricted dataset
    assert len(origin.asked(f"/public-api/datasets/{ID}/files")) == 1  # asking on makes it worse
    assert fake_time.slept == []


@pytest.mark.parametrize(
    "body", [[], None, "x", {"id": ID}, {"id": ID, "version": 10**30}, {"id": "other", "version": 1}, {"error": 400}]
)
def test_another_shape_of_dataset_is_told(source_of: SourceOf, origin: Origin, body: Any) -> None:
    origin.serve(f"/public-api/datasets/{ID}", answer(body))
    with pytest.raises(SourceError, match="expected that `id`") as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


@pytest.mark.parametrize("odd", [None, 5, {}, [], "x\0y", [None, {}, 7], 10**30])
def test_odd_values_in_a_dataset_are_survived(source_of: SourceOf, origin: Origin, odd: Any) -> None:
    names = ("name", "description", "categories", "data_licence", "related_links", "publish_date", "doi", "versions")
    file = entry(size=odd, content_details=odd, folder_id=odd, status=None)
    serve_record(origin, [odd, file], [odd, {"id": odd, "name": odd}], **dict.fromkeys((*names, "size"), odd))
    (found,) = source_of(origin).list_files(ref())
    assert (Path(found.name).name, found.checksum) == ("a.png", None)


# --- files


def test_folders_are_walked_and_files_of_one_name_stay_apart(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    keys = ("image.png", "train/image.png", "train/benign/image.png", "test/Näh (1).png")
    hosts = serve(dataset(ID, *(HostFile(key, key.encode()) for key in keys)))
    source = source_of(hosts)
    files = source.list_files(ref())
    assert {file.name for file in files} == set(keys)
    for file in files:
        assert source.fetch(file, tmp_path / "f" / file.name).path.read_bytes() == file.name.encode()
    assert {request.host for request in hosts.requests} == {"mendeley", "storage"}


def test_the_manifest_picks_files(serve: Serve, source_of: SourceOf) -> None:
    source = source_of(serve(dataset(ID, HostFile("a/x.png", b"1"), HostFile("b/x.png", b"2"))))
    assert [file.name for file in source.list_files(ref(ID, "b/x.png"))] == ["b/x.png"]
    with pytest.raises(SourceError, match=r"has no file 'c\.png'"):
        source.list_files(ref(ID, "c.png"))


def test_two_files_of_one_path_stay_apart(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [entry("f-1"), entry("f-2"), entry("f-3", "b.png")])
    assert [file.name for file in source_of(origin).list_files(ref())] == ["f-1/a.png", "f-2/a.png", "b.png"]


def test_a_host_that_lists_everything_for_each_folder_is_understood(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [entry("f-1"), entry("f-2", folder_id="d-1")], [{"id": "d-1", "name": "train"}])
    assert {file.name for file in source_of(origin).list_files(ref())} == {"a.png", "train/a.png"}


@pytest.mark.parametrize(
    "folders",
    [
        [{"id": "d-1", "name": "a", "parent_id": "d-2"}, {"id": "d-2", "name": "b", "parent_id": "d-1"}],
        [{"id": "d-1", "name": "a", "parent_id": "d-1"}],
        [{"id": f"d-{n}", "name": "a", "parent_id": f"d-{n + 1}"} for n in range(100)],
        [{"id": "d-1", "name": ".."}],
        [{"id": "d-1", "name": "/etc"}],
    ],
)
def test_impossible_folders_are_refused(source_of: SourceOf, origin: Origin, folders: list[Any]) -> None:
    serve_record(origin, [entry()], folders)
    with pytest.raises(SourceError) as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


def test_a_folder_whose_parent_is_not_listed_is_at_the_top(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [entry(folder_id="d-1")], [{"id": "d-1", "name": "train", "parent_id": "lost"}])
    assert [file.name for file in source_of(origin).list_files(ref())] == ["train/a.png"]


@pytest.mark.parametrize("change", [{"filename": "../x"}, {"filename": "/x"}, {"filename": ""}, {"id": "../f"}])
def test_a_hostile_file_is_refused(source_of: SourceOf, origin: Origin, change: dict[str, str]) -> None:
    serve_record(origin, [entry() | change])
    with pytest.raises(SourceError) as caught:
        source_of(origin).list_files(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


@pytest.mark.parametrize("what", ["files", "folders/2"])
def test_a_list_of_another_shape_is_told(source_of: SourceOf, origin: Origin, what: str) -> None:
    serve_record(origin)
    origin.serve(f"/public-api/datasets/{ID}/{what}", answer({"error": 400}))
    with pytest.raises(SourceError, match="expected a list"):
        source_of(origin).describe(ref())


def test_a_list_that_wants_a_version_gets_it(source_of: SourceOf, origin: Origin) -> None:
    def script(seen: Seen) -> Reply:
        return answer([entry()]) if seen.query.get("version") == "2" else answer({"error": 400}, 400)

    serve_record(origin)
    origin.serve(f"/public-api/datasets/{ID}/files", script)
    assert len(source_of(origin).list_files(ref())) == 1


def test_an_upload_that_did_not_end_carries_a_problem(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [entry(status="COMPLETED"), entry("f-2", "b.png", status="FAILED")])
    first, second = source_of(origin).list_files(ref())
    assert (first.problem, second.problem) == (None, "its upload is FAILED, not COMPLETED")


# --- the zip in place of a list that the host cuts


def test_a_folder_that_is_cut_is_fetched_as_the_zip_of_all(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    hosts = serve(dataset(ID, *(HostFile(f"{n}.png", b"x") for n in range(1001))), refuse_signed_first=1)
    source = source_of(hosts)
    (file,) = source.list_files(ref())
    assert (file.name, file.url) == (f"{ID}-1.zip", f"https://data.mendeley.com/public-api/zip/{ID}/download/1")
    assert source.describe(ref()).files == (file,)
    assert file.size
    got = source.fetch(file, tmp_path / "set.zip")  # its first signed address is refused: asked anew
    assert (f"sha256:{got.sha256}", got.size) == (file.checksum, file.size)


def test_files_that_the_host_does_list_need_no_zip(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(dataset(ID, *(HostFile(f"{n}.png", b"x") for n in range(15))), shrink_pages=10)
    source = source_of(hosts)
    assert [file.name for file in source.list_files(ref(ID, "3.png"))] == ["3.png"]
    assert not [request for request in hosts.requests if request.path.endswith("/zip")]
    with pytest.raises(SourceError, match=r"has no file '12\.png'"):
        source.list_files(ref(ID, "12.png"))


@pytest.mark.parametrize(
    ("status", "span", "whole"),
    [(206, "items 0-0/1", True), (206, "items 0-0/2", False), (206, "", False), (200, "items 0-0/2", False)],
)
def test_a_cut_list_is_known_by_its_status_and_range(
    source_of: SourceOf, origin: Origin, status: int, span: str, whole: bool
) -> None:
    serve_record(origin)
    origin.serve(
        f"/public-api/datasets/{ID}/files", answer([entry()], status, **({"content_range": span} if span else {}))
    )
    origin.serve(f"/api/datasets-v2/datasets/{ID}/zip", answer({"status": "FINISH", "sha256_hash": SHA256, "size": 5}))
    (file,) = source_of(origin).list_files(ref())
    assert file.name == ("a.png" if whole else f"{ID}-2.zip")


def test_too_many_folders_are_fetched_as_the_zip(source_of: SourceOf, origin: Origin) -> None:
    serve_record(origin, [], [{"id": f"d-{n}", "name": f"patient {n}"} for n in range(501)])
    origin.serve(f"/api/datasets-v2/datasets/{ID}/zip", answer({"status": "FINISH"}))
    (file,) = source_of(origin).list_files(ref())
    assert (file.name, file.size, file.checksum) == (f"{ID}-2.zip", None, None)
    assert len(origin.seen) == 3


def cut(origin: Origin, *zip_answers: Reply) -> None:
    serve_record(origin)
    origin.serve(f"/public-api/datasets/{ID}/files", answer([entry()], 206, content_range="items 0-0/2000"))
    origin.serve(f"/api/datasets-v2/datasets/{ID}/zip", *zip_answers)


def test_a_zip_that_is_being_built_is_waited_for(source_of: SourceOf, origin: Origin, fake_time: FakeTime) -> None:
    building, ready = answer({"status": "RUNNING"}), answer({"status": "FINISH", "size": 7, "sha256_hash": SHA256})
    cut(origin, building, building, ready)
    (file,) = source_of(origin).list_files(ref())
    assert (file.size, file.checksum) == (7, f"sha256:{SHA256}")
    assert len(fake_time.slept) == 2


class Kept(dict[str, bytes]):
    def put(self, key: str, answer: bytes) -> None:
        self[key] = answer


def test_kept_answers_do_not_stop_the_wait(origin: Origin, make_context: MakeContext) -> None:
    cut(origin, answer({"status": "RUNNING"}), answer({"status": "FINISH"}))
    source = MendeleySource(make_context(hosts={"mendeley": origin.url}, answers=Kept()))
    assert source.describe(ref()).files[0].name == f"{ID}-2.zip"


@pytest.mark.parametrize(
    "reply",
    [
        answer({"status": "RUNNING"}),
        answer({"error": 404}, 404),
        answer([]),
        answer({"status": {}}),
        Reply(b"<html>", 200, {"Content-Type": "text/html"}),
    ],
)
def test_without_a_zip_the_listing_is_partial(source_of: SourceOf, origin: Origin, reply: Reply) -> None:
    cut(origin, reply)
    with pytest.raises(SourceError, match=rf"more files than the host lists.*by hand from .*{ID}/2") as caught:
        source_of(origin).list_files(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) <= 3 + 6


# --- download


@pytest.mark.parametrize("created", ["2020-01-01", "2026-01-01"])
def test_a_file_comes_from_storage_and_is_verified(
    serve: Serve, source_of: SourceOf, tmp_path: Path, created: str
) -> None:
    hosts = serve(dataset(ID, HostFile("set.zip", DATA), created=created), cut_after=1000, multipart_etag=True)
    source = source_of(hosts)
    (file,) = source.list_files(ref())
    assert not urlsplit(file.url).query
    assert source.fetch(file, tmp_path / "set.zip").sha256 == SHA256
    assert hosts.requests[-1].headers["range"] == "bytes=1000-"
    with source.open(file, 10) as stream:
        assert stream.read() == DATA[10:]


def test_other_bytes_than_stated_are_refused(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    source = source_of(serve(dataset(ID, HostFile("set.zip", DATA)), wrong_md5=frozenset({"set.zip"})))
    (file,) = source.list_files(ref())
    with pytest.raises(SourceError) as caught:
        source.fetch(file, tmp_path / "set.zip")
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert not (tmp_path / "set.zip").exists()
