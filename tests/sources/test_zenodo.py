from __future__ import annotations

import hashlib
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply, Script, Seen, ranged
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources.zenodo import TYPES, ZenodoSource, escape_query

JSON = {"Content-Type": "application/json", "Retry-After": "59"}
DATA = b"PK\x03\x04" + b"thyroid" * 1000
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture(autouse=True)
def one_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests script one list; the types have a test of their own."""
    monkeypatch.setattr("ultracurate.sources.zenodo.TYPES", ("dataset",))


def record(number: int, *files: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A record in today's shape; its links name the public host, as recorded answers do."""
    return {
        "id": number,
        "recid": str(number),
        "conceptrecid": str(number - 1),
        "doi": f"10.5281/zenodo.{number}",
        "title": f"Set {number}",
        "files": list(files),
        "links": {"self": f"https://zenodo.org/api/records/{number}"},
        "metadata": {
            "title": f"Set {number}",
            "description": "<p>B-mode frames</p>",
            "access_right": "open",
            "license": {"id": "cc-by-4.0"},
            "version": "v2",
        }
        | meta,
    }


def entry(key: str = "set.zip", **changes: Any) -> dict[str, Any]:
    link = f"https://zenodo.org/api/records/7/files/{key}/content"
    return {"id": "x", "key": key, "size": len(DATA), "checksum": f"md5:{MD5}", "links": {"self": link}} | changes


def answer(data: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON)


def search_of(total: int, *, page_limit: int = 25, stop_after: int | None = None) -> Script:
    """The search of a host that holds `total` records numbered from 1."""

    def script(seen: Seen) -> Reply:
        size, page = int(seen.query["size"]), int(seen.query["page"])
        if size > page_limit:
            words = f"Page size cannot be greater than {page_limit}."
            error = {"field": "size", "messages": [words]}
            return answer({"status": 400, "message": "A validation error occurred.", "errors": [error]}, 400)
        if size * page > 10_000:
            return answer({"status": 400, "message": "Maximum number of results is 10000."}, 400)
        shown = range((page - 1) * size + 1, min(page * size, stop_after or total, total) + 1)
        return answer({"hits": {"hits": [record(n) for n in shown], "total": total}, "links": {}})

    return script


@pytest.fixture
def zenodo(origin: Origin, make_context: MakeContext) -> ZenodoSource:
    return ZenodoSource(make_context(hosts={"zenodo": origin.url}))


def ref(number: str = "7", **more: Any) -> SourceRef:
    return SourceRef(host="zenodo", record=number, **more)


def test_a_search_goes_through_its_pages(zenodo: ZenodoSource, origin: Origin, fake_time: FakeTime) -> None:
    origin.serve("/api/records", search_of(60))
    found = list(zenodo.search("ultrasound", 1000))
    assert [candidate.record for candidate in found] == [str(n) for n in range(1, 61)]
    assert [seen.query["page"] for seen in origin.seen] == ["1", "2", "3"]
    assert {seen.query["size"] for seen in origin.seen} == {"25"}
    assert fake_time.slept == []  # retry-after of a 200 means nothing


def test_a_search_asks_no_more_pages_than_it_needs(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records", search_of(60))
    assert len(list(zenodo.search("ultrasound", 25))) == 25
    assert len(origin.seen) == 1
    assert list(zenodo.search("ultrasound", 0)) == []


def test_a_token_asks_for_larger_pages_and_is_sent(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/api/records", search_of(120, page_limit=100))
    context = make_context(hosts={"zenodo": origin.url}, environ={"ZENODO_TOKEN": "s3cr3t"})
    assert len(list(ZenodoSource(context).search("ultrasound", 1000))) == 120
    assert [seen.query["size"] for seen in origin.seen] == ["100", "100"]
    assert origin.seen[0].headers["authorization"] == "Bearer s3cr3t"
    assert "access_token" not in origin.seen[0].query


def test_a_token_that_is_not_honoured_falls_back_to_small_pages(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/api/records", search_of(30, page_limit=25))
    context = make_context(hosts={"zenodo": origin.url}, environ={"ZENODO_TOKEN": "expired"})
    assert len(list(ZenodoSource(context).search("ultrasound", 1000))) == 30
    assert [seen.query["size"] for seen in origin.seen] == ["100", "25", "25"]


def test_the_end_of_the_window_is_reported_after_what_it_shows(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/api/records", search_of(10_050, page_limit=100))
    context = make_context(hosts={"zenodo": origin.url}, environ={"ZENODO_TOKEN": "s3cr3t"})
    results = ZenodoSource(context).search("ultrasound", 20_000)
    assert len(list(islice(results, 10_000))) == 10_000
    with pytest.raises(SourceError, match="10050 records") as caught:
        next(results)
    assert caught.value.state is SourceState.PARTIAL_LISTING


def test_a_list_that_ends_too_early_is_reported(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records", search_of(60, stop_after=25))
    with pytest.raises(SourceError, match="showed 25"):
        list(zenodo.search("ultrasound", 1000))
    assert len(origin.seen) == 2


def test_a_record_on_two_pages_comes_once(zenodo: ZenodoSource, origin: Origin) -> None:
    pages = [[record(n) for n in numbers] for numbers in ((1, 2), (2, 3))]
    origin.serve("/api/records", *[answer({"hits": {"hits": page, "total": 4}}) for page in pages])
    assert [candidate.record for candidate in zenodo.search("x", 10)] == ["1", "2", "3"]


@pytest.mark.parametrize("status", [400, 500])
def test_a_query_that_cannot_be_parsed_is_asked_again_in_plain_words(
    zenodo: ZenodoSource, origin: Origin, fake_time: FakeTime, status: int
) -> None:
    inner = search_of(3)

    def script(seen: Seen) -> Reply:
        if seen.query["q"] == "liver/kidney <3":
            return answer({"status": status, "message": "Invalid query string syntax."}, status)
        return inner(seen)

    origin.serve("/api/records", script)
    assert len(list(zenodo.search("liver/kidney <3", 10))) == 3
    assert [seen.query["q"] for seen in origin.seen] == ["liver/kidney <3", r"liver\/kidney 3"]
    assert fake_time.slept == []


def test_a_query_that_stays_unparsable_ends(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records", answer({"status": 400, "message": "Invalid query string syntax."}, 400))
    with pytest.raises(SourceError, match="Invalid query string syntax"):
        list(zenodo.search("a && (b", 10))
    assert len(origin.seen) == 2


def test_operators_become_words() -> None:
    assert escape_query('heart AND (fetal OR "B-mode") &&') == r"heart and \(fetal or \"B\-mode\"\) \&\&"


def test_a_record_is_described(zenodo: ZenodoSource, origin: Origin) -> None:
    body = record(7, entry(), keywords=["ultrasound", "thyroid"])
    origin.serve("/api/records/7", answer(body))
    found = zenodo.describe(ref("https://doi.org/10.5281/zenodo.7"))
    assert (found.record, found.title, found.version, found.access) == ("7", "Set 7", "v2", "open")
    assert (found.licence_raw, found.licence_spdx) == ("cc-by-4.0", "CC-BY-4.0")
    assert found.keywords == ("ultrasound", "thyroid")
    assert found.url == "https://zenodo.org/records/7"  # rows keep the public address, whoever answers
    assert json.loads(found.raw) == body


def test_absent_fields_stay_absent(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records/7", answer({"id": 7, "metadata": {"title": "Bare", "access_right": "moon"}}))
    found = zenodo.describe(ref())
    assert (found.doi, found.version, found.licence_raw, found.licence_spdx) == (None, None, None, None)
    assert (found.access, found.keywords, found.files) == ("unknown", (), ())


def test_the_shape_of_october_2023_is_read_too(zenodo: ZenodoSource, origin: Origin) -> None:
    old = {"id": "x", "filename": "sub/set.zip", "filesize": 5, "checksum": MD5, "links": {"download": "https://x/y"}}
    origin.serve("/api/records/7", answer(record(7, old)))
    (file,) = zenodo.list_files(ref())
    assert (file.name, file.size, file.checksum) == ("sub/set.zip", 5, f"md5:{MD5}")
    assert file.url == "https://zenodo.org/api/records/7/files/sub/set.zip/content"


@pytest.mark.parametrize(
    "key", ["set.zip", "train set/Leber (1).zip", "Schilddrüse #2?.zip", "100%.zip", "a+b&c=d.zip"]
)
def test_any_file_name_can_be_fetched(zenodo: ZenodoSource, origin: Origin, tmp_path: Path, key: str) -> None:
    origin.serve("/api/records/7", answer(record(7, entry(key))))
    origin.serve(f"/api/records/7/files/{key}/content", ranged(DATA))
    (file,) = zenodo.list_files(ref())
    assert file.name == key
    got = zenodo.fetch(file, tmp_path / "f")
    assert got.sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_concept_leads_to_its_newest_version(zenodo: ZenodoSource, origin: Origin) -> None:
    away = Reply(b"{}", 302, {"Location": "https://zenodo.org/api/records/7"})  # as the real host writes it
    origin.serve("/api/records/6", away)
    origin.serve("/api/records/7", answer(record(7, entry())))
    found = zenodo.describe(ref("6"))
    assert found.record == "7"
    assert found.files[0].url.startswith("https://zenodo.org/api/records/7/")


@pytest.mark.parametrize("right", ["restricted", "embargoed", "closed"])
def test_a_restricted_record_is_not_an_empty_one(zenodo: ZenodoSource, origin: Origin, right: str) -> None:
    origin.serve("/api/records/7", answer(record(7, access_right=right)))
    assert zenodo.describe(ref()).access == right
    with pytest.raises(SourceError, match="Ask the owner") as caught:
        zenodo.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED


def test_an_open_record_without_files_is_told(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records/7", answer(record(7)))
    with pytest.raises(SourceError, match="holds no files"):
        zenodo.list_files(ref())


def test_a_tombstone_is_read(zenodo: ZenodoSource, origin: Origin) -> None:
    stone = {"removal_reason": {"id": "spam"}, "note": "Consent withdrawn.", "removal_date": "2026-01-02"}
    origin.serve("/api/records/7", answer({"status": 410, "message": "Record deleted", "tombstone": stone}, 410))
    with pytest.raises(SourceError, match=r"Record deleted; reason: spam; Consent withdrawn; removed 2026") as caught:
        zenodo.describe(ref())
    assert caught.value.state is SourceState.GONE


def test_a_missing_record_is_told(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records/7", answer({"status": 404, "message": "The persistent identifier does not exist."}, 404))
    with pytest.raises(SourceError, match="does not exist") as caught:
        zenodo.describe(ref())
    assert caught.value.state is SourceState.NOT_FOUND


def test_the_manifest_picks_files_and_adds_mirrors(
    zenodo: ZenodoSource, origin: Origin, elsewhere: Origin, tmp_path: Path
) -> None:
    origin.serve("/api/records/7", answer(record(7, entry("a.zip"), entry("b.zip"))))
    mirror = elsewhere.serve("/b.zip", ranged(DATA))
    sha256 = "sha256:" + hashlib.sha256(DATA).hexdigest()
    wanted = FileRef(name="b.zip", mirrors=[mirror], checksum=sha256)
    (file,) = zenodo.list_files(ref(files=[wanted]))
    assert (file.checksum, file.size) == (sha256, len(DATA))
    zenodo.fetch(file, tmp_path / "b")  # the record's own copy answers 404
    assert (tmp_path / "b").read_bytes() == DATA


def test_the_token_does_not_go_to_a_mirror(
    origin: Origin, elsewhere: Origin, make_context: MakeContext, tmp_path: Path
) -> None:
    context = make_context(hosts={"zenodo": origin.url}, environ={"ZENODO_TOKEN": "s3cr3t"})
    origin.serve("/api/records/7", answer(record(7, entry("b.zip"))))
    mirror = elsewhere.serve("/b.zip", ranged(DATA))
    zenodo = ZenodoSource(context)
    (file,) = zenodo.list_files(ref(files=[FileRef(name="b.zip", mirrors=[mirror])]))
    zenodo.fetch(file, tmp_path / "b")
    assert all("authorization" in seen.headers for seen in origin.seen)
    assert "authorization" not in elsewhere.seen[0].headers


def test_a_digest_that_changed_at_the_host_is_told_before_the_download(zenodo: ZenodoSource, origin: Origin) -> None:
    origin.serve("/api/records/7", answer(record(7, entry())))
    pinned = FileRef(name="set.zip", checksum="md5:" + "0" * 32)
    with pytest.raises(SourceError, match="the host states md5:") as caught:
        zenodo.list_files(ref(files=[pinned]))
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH


@pytest.mark.parametrize("key", ["../../etc/cron.d/x", "/etc/passwd", "a\\..\\b"])
def test_a_hostile_file_name_is_refused(zenodo: ZenodoSource, origin: Origin, key: str) -> None:
    origin.serve("/api/records/7", answer(record(7, entry(key))))
    with pytest.raises(SourceError, match="expected a relative path"):
        zenodo.list_files(ref())


@pytest.mark.parametrize("body", [[], {"hits": []}, {"hits": {"hits": None}}, "x", None])
def test_another_shape_of_answer_is_told(zenodo: ZenodoSource, origin: Origin, body: Any) -> None:
    origin.serve("/api/records", answer(body))
    with pytest.raises(SourceError, match="another shape"):
        list(zenodo.search("x", 1))
    origin.serve("/api/records/7", answer(body))
    with pytest.raises(SourceError, match="without an id"):
        zenodo.describe(ref())


@pytest.mark.parametrize("wrong", ["", "seven", "10.1016/j.x.7", "7/../8"])
def test_a_wrong_record_id_is_a_mistake_of_the_manifest(zenodo: ZenodoSource, origin: Origin, wrong: str) -> None:
    broken = ref().model_copy(update={"record": wrong})
    with pytest.raises(ConfigError, match="expects `record`"):
        zenodo.describe(broken)
    assert origin.seen == []


def test_searches_are_spread_over_the_minute(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    origin.serve("/api/records", search_of(1000))
    zenodo = ZenodoSource(make_context(hosts={"zenodo": origin.url}, limits={}))
    list(zenodo.search("ultrasound", 1000))  # 40 pages, 30 a minute
    assert fake_time.now > 60


def test_pictures_and_videos_are_searched_for_after_the_datasets(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultracurate.sources.zenodo.TYPES", TYPES)
    kinds = {"1": "video", "2": "image", "3": "dataset", "4": "publication", "5": "image"}
    records = [HostRecord("zenodo", id, "Liver ultrasound", kind=kind) for id, kind in kinds.items()]
    with LocalHosts(records) as server:
        zenodo = ZenodoSource(make_context(hosts=server.hosts))
        assert [found.record for found in zenodo.search("ultrasound", 10)] == ["3", "2", "5", "1"]
        assert [found.record for found in zenodo.search("ultrasound", 2)] == ["3", "2"]
