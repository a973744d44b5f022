from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply, Script, Seen
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import Candidate, RemoteFile, SourceError, SourceState, figshare
from ultracurate.sources.figshare import TOKEN, FigshareSource

DATA = b"PK\x03\x04" + b"fetal" * 500
MD5 = hashlib.md5(DATA).hexdigest()
JSON = {"Content-Type": "application/json"}
WAF = Reply(b"", 202, {"x-amzn-waf-action": "challenge", "Content-Type": "text/html"})
SEARCH = "/articles/search"
Serve = Callable[..., LocalHosts]
SourceOf = Callable[..., FigshareSource]


def article(number: int = 77, *files: HostFile, **more: Any) -> HostRecord:
    return HostRecord("figshare", str(number), **{"title": "Fetal ultrasound", "files": files} | more)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *records, **faults: stack.enter_context(LocalHosts(records, Faults(**faults)))


@pytest.fixture
def source_of(make_context: MakeContext) -> SourceOf:
    def make(hosts: LocalHosts | Origin, **more: Any) -> FigshareSource:
        named = {"figshare": hosts.url} if isinstance(hosts, Origin) else hosts.hosts
        return FigshareSource(make_context(**{"hosts": named} | more))

    return make


def ref(record: str = "77", *names: str) -> SourceRef:
    return SourceRef(host="figshare", record=record, files=[FileRef(name=name) for name in names])


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON | (headers or {}))


def bodies(hosts: LocalHosts) -> list[Any]:
    return [request.json() for request in hosts.requests if request.path == SEARCH]


# --- search


def test_a_search_goes_through_its_pages(serve: Serve, source_of: SourceOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figshare, "PAGE", 100)
    hosts = serve(*(article(number) for number in range(1, 251)), article(900, title="Weather"))
    found = list(source_of(hosts).search("ultrasound", 1000))
    assert [one.record for one in found] == [str(number) for number in range(1, 251)]
    asked = bodies(hosts)
    assert [body.get("page") for body in asked] == [1, 2, 3, None]
    assert asked[0] == {"search_for": "ultrasound", "item_type": 3, "page": 1, "page_size": 100}


def test_a_hit_is_short(serve: Serve, source_of: SourceOf) -> None:
    title = "<b>Fetal</b> ultrasound &amp; <i>Doppler</i>, p <0.05 and n> 3"
    (found,) = source_of(serve(article(77, title=title, version=2))).search("ultrasound", 10)
    assert found.title == "Fetal ultrasound & Doppler, p <0.05 and n> 3"
    assert (found.host, found.record, found.version) == ("figshare", "77", "2")
    assert (found.doi, found.concept) == ("10.6084/m9.figshare.77.v2", "10.6084/m9.figshare.77")
    assert (found.url, found.published) == ("https://figshare.com/articles/dataset/_/77", "2026-01-05")
    assert (found.files, found.files_listed, found.licence_raw, found.access) == ((), False, None, "unknown")
    assert json.loads(found.raw)["id"] == 77


def test_the_doi_of_a_journal_is_no_concept(serve: Serve, source_of: SourceOf) -> None:
    (found,) = source_of(serve(article(77, doi="10.3389/fmed.2026.1.s001"))).search("ultrasound", 10)
    assert (found.doi, found.concept, found.version) == ("10.3389/fmed.2026.1.s001", "77", None)


def test_no_more_is_asked_than_needed(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(*(article(number) for number in range(1, 60)))
    assert len(list(source_of(hosts).search("ultrasound", 20))) == 20
    assert list(source_of(hosts).search("ultrasound", 0)) == []
    assert [body["page_size"] for body in bodies(hosts)] == [20]


def test_smaller_pages_than_asked_lose_nothing(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(*(article(number) for number in range(1, 46)), shrink_pages=10)
    found = [one.record for one in source_of(hosts).search("ultrasound", 1000)]
    assert found == [str(number) for number in range(1, 46)]


def search_of(total: int, window: int = 40, cursor: str | None = "c", repeats: bool = False) -> Script:
    """A search that shows so many results by page number, and goes on by cursor."""

    def script(seen: Seen) -> Reply:
        body, after = json.loads(seen.body), seen.headers.get("x-cursor")
        size = body["page_size"]
        first = (body.get("page", 1) - 1) * size if after is None else int(after.removeprefix("c"))
        if after is not None and "page" in body:
            return answer({"message": "A cursor goes without a page", "code": 422}, 422)
        if after is None and first >= window:
            return answer({"message": "offset must be at most 40", "code": 422}, 422)
        rows = [{"id": n, "title": "T"} for n in range(0 if repeats and after else first, min(first + size, total))]
        return answer(rows, 200, {"X-Cursor": f"{cursor}{first + size}"} if cursor else {})

    return script


def test_beyond_the_window_a_cursor_goes_on(origin: Origin, source_of: SourceOf, monkeypatch: Any) -> None:
    monkeypatch.setattr(figshare, "PAGE", 20)
    origin.serve(SEARCH, search_of(75))
    assert [one.record for one in source_of(origin).search("fetal", 1000)] == [str(n) for n in range(75)]
    cursors = [seen.headers.get("x-cursor") for seen in origin.seen]
    assert cursors == [None, None, None, "c40", "c60", "c80"]


@pytest.mark.parametrize("how", [{"cursor": None}, {"repeats": True, "total": 40}])
def test_a_window_without_a_way_on_is_reported(
    origin: Origin, source_of: SourceOf, monkeypatch: Any, how: dict[str, Any]
) -> None:
    monkeypatch.setattr(figshare, "PAGE", 20)
    origin.serve(SEARCH, search_of(**{"total": 75} | how))
    found: list[Candidate] = []
    with pytest.raises(SourceError, match="than the 40 it showed") as caught:
        found.extend(source_of(origin).search("fetal", 1000))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(found) == 40
    assert len(origin.seen) < 6


def test_a_cursor_that_never_changes_is_asked_anew(origin: Origin, source_of: SourceOf, monkeypatch: Any) -> None:
    monkeypatch.setattr(figshare, "PAGE", 10)
    pages = iter([range(10), range(10, 20), range(20, 25), range(0)])

    def script(seen: Seen) -> Reply:
        if json.loads(seen.body).get("page", 1) > 1:
            return answer({"code": 422}, 422)
        return answer([{"id": n, "title": "T"} for n in next(pages)], 200, {"X-Cursor": "same"})

    class Kept(dict[str, bytes]):
        def put(self, key: str, answer: bytes) -> None:
            self[key] = answer

    origin.serve(SEARCH, script)
    assert len(list(source_of(origin, answers=Kept()).search("fetal", 1000))) == 25


def test_a_record_on_two_pages_comes_once(origin: Origin, source_of: SourceOf) -> None:
    origin.serve(SEARCH, answer([{"id": 1}, {"id": 2}, {"id": 1}]))
    assert [one.record for one in source_of(origin).search("fetal", 10)] == ["1", "2"]


def test_a_query_that_is_refused_is_told_in_the_hosts_words(serve: Serve, source_of: SourceOf) -> None:
    with pytest.raises(SourceError, match="at least 3 characters"):
        list(source_of(serve(article())).search("us", 10))


@pytest.mark.parametrize("body", [{}, None, "x", {"code": 200}])
def test_another_shape_of_search_answer_is_told(origin: Origin, source_of: SourceOf, body: Any) -> None:
    origin.serve(SEARCH, answer(body))
    with pytest.raises(SourceError, match="expected a list") as caught:
        list(source_of(origin).search("fetal", 10))
    assert caught.value.state is SourceState.BAD_ANSWER


@pytest.mark.parametrize("odd", [None, {}, [], "x\0y", [None, {}, 7], 10**30, 1.5])
def test_odd_values_in_hits_are_survived(origin: Origin, source_of: SourceOf, odd: Any) -> None:
    rows = [odd, {"id": odd}, {"id": 3, "title": odd, "doi": odd, "published_date": odd, "description": odd}]
    origin.serve(SEARCH, answer(rows))
    (found,) = source_of(origin).search("fetal", 10)
    assert (found.record, found.published) == ("3", None)
    assert "\0" not in found.title


# --- one article


@pytest.mark.parametrize(
    "record",
    [
        "77",
        "10.6084/m9.figshare.77",
        "10.6084/M9.FIGSHARE.77",
        "https://doi.org/10.6084/m9.figshare.77",
        "https://figshare.com/articles/dataset/Fetal_heads_2019/77",
        "https://uni.figshare.com/articles/77?file=1",
        "https://api.figshare.com/v2/articles/77",
    ],
)
def test_an_article_is_described(serve: Serve, source_of: SourceOf, record: str) -> None:
    more = {"keywords": ("fetal",), "description": "<p>B-mode <b>&amp;</b> M</p>", "related": ("10.1/x",), "version": 3}
    found = source_of(serve(article(77, HostFile("a.zip", DATA), **more))).describe(ref(record))
    assert (found.record, found.version, found.concept) == ("77", "3", "10.6084/m9.figshare.77")
    assert (found.doi, found.url) == ("10.6084/m9.figshare.77.v3", "https://figshare.com/articles/dataset/_/77")
    assert found.description == "<p>B-mode <b>&amp;</b> M</p>"  # as given
    assert (found.licence_raw, found.licence_spdx, found.access) == ("CC BY 4.0", "CC-BY-4.0", "open")
    assert (found.keywords, found.published, found.related) == (("fetal",), "2026-01-05", ("10.1/x",))
    assert (found.total_bytes, found.files_listed) == (len(DATA), True)
    assert [(file.name, file.size) for file in found.files] == [("a.zip", len(DATA))]
    assert json.loads(found.raw)["tags"] == ["fetal"]


@pytest.mark.parametrize(
    "record",
    [
        "77/1",
        "10.6084/m9.figshare.77.v1",
        "10.25383/city.77.v1",
        "https://figshare.com/articles/dataset/Fetal/77/1",
        "https://api.figshare.com/v2/articles/77/versions/1",
    ],
)
def test_an_older_version_is_read(serve: Serve, source_of: SourceOf, record: str) -> None:
    old, new = HostRecord("figshare", "77.v1", "Old", files=(HostFile("old.zip", DATA),)), article(77, version=2)
    found = source_of(serve(old, new)).describe(ref(record))
    assert (found.record, found.version, found.title) == ("77/1", "1", "Old")
    assert [file.name for file in found.files] == ["old.zip"]


def test_an_older_version_with_more_files_than_shown_is_partial(serve: Serve, source_of: SourceOf) -> None:
    files = tuple(HostFile(f"{n}.png", b"x") for n in range(11))
    hosts = serve(HostRecord("figshare", "77.v1", "Old", files=files), article(77, version=2))
    with pytest.raises(SourceError, match=r"more files than the 10 .* newest version") as caught:
        source_of(hosts).describe(ref("77/1"))
    assert caught.value.state is SourceState.PARTIAL_LISTING


@pytest.mark.parametrize("wrong", ["", "seven", "10.5281/zenodo.77", "77/../8", "https://x.org/articles/77", "77.5"])
def test_a_wrong_record_id_is_a_mistake_of_the_manifest(source_of: SourceOf, origin: Origin, wrong: str) -> None:
    with pytest.raises(ConfigError, match="expects `record`: the article's number"):
        source_of(origin).describe(ref().model_copy(update={"record": wrong}))
    assert origin.seen == []


@pytest.mark.parametrize("record", ["10.6084/m9.figshare.c.55.v2", "c.55", "https://figshare.com/collections/Heads/55"])
def test_a_collection_names_its_articles(source_of: SourceOf, origin: Origin, record: str) -> None:
    origin.serve("/collections/55/articles", answer([{"id": 1}, {}, {"id": 2}]))
    with pytest.raises(SourceError, match=r"c\.55 is a collection of 2 articles: 1, 2\. Name the articles") as caught:
        source_of(origin).list_files(ref(record))
    assert caught.value.state is SourceState.MANUAL


def test_all_files_are_listed_not_the_ten_in_the_article(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(article(77, *(HostFile(f"{n}.png", b"x") for n in range(25))), shrink_pages=10)
    files = source_of(hosts).list_files(ref())
    assert [file.name for file in files] == [f"{n}.png" for n in range(25)]


def test_more_files_than_a_page_are_listed(serve: Serve, source_of: SourceOf) -> None:
    hosts = serve(article(77, *(HostFile(f"{n}.png", b"x") for n in range(1001))))
    assert len(source_of(hosts).list_files(ref())) == 1001
    assert len([request for request in hosts.requests if request.path.endswith("/files")]) == 2


def serve_article(origin: Origin, files: list[Any], **changes: Any) -> None:
    size = sum(file["size"] for file in files if type(file.get("size")) is int)
    origin.serve("/articles/77", answer({"id": 77, "title": "T", "version": 2, "size": size, "files": []} | changes))
    origin.serve("/articles/77/files", answer(files), answer([]))


def entry(id: int = 5, name: str = "a.zip", **changes: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "size": 9, "computed_md5": MD5, "supplied_md5": "0" * 32} | changes


@pytest.mark.parametrize(
    ("computed", "supplied", "found"),
    [(MD5, "0" * 32, MD5), ("", MD5.upper(), MD5), (None, "", None), ("deadbeef", {}, None), ([], 5, None)],
)
def test_the_digest_is_the_hosts_then_the_depositors(
    source_of: SourceOf, origin: Origin, computed: Any, supplied: Any, found: str | None
) -> None:
    serve_article(origin, [entry(computed_md5=computed, supplied_md5=supplied)])
    (file,) = source_of(origin).list_files(ref())
    assert file.checksum == (f"md5:{found}" if found else None)
    assert file.url == "https://ndownloader.figshare.com/files/5"


def test_files_elsewhere_carry_a_problem(serve: Serve, source_of: SourceOf) -> None:
    link = HostFile("https://drive.example/heads.zip?token=s3cr3t", b"")
    source = source_of(serve(article(77, HostFile("a.zip", DATA), link), article(78, link)))
    plain, linked = source.list_files(ref())
    assert plain.problem is None
    assert linked.problem == "figshare only links to it, at https://drive.example/heads.zip?[redacted]"
    assert (linked.size, linked.checksum) == (None, None)
    with pytest.raises(SourceError, match="expected an address like"):
        source.asks(linked)
    with pytest.raises(SourceError, match="only links to it, at https://drive") as caught:
        source.list_files(ref("78"))
    assert caught.value.state is SourceState.MANUAL
    assert "s3cr3t" not in str(caught.value)


def test_two_files_of_one_name_stay_apart(source_of: SourceOf, origin: Origin) -> None:
    serve_article(origin, [entry(5), entry(6), entry(7, "b.zip")])
    assert [file.name for file in source_of(origin).list_files(ref())] == ["5/a.zip", "6/a.zip", "b.zip"]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", None, "a\\..\\b"])
def test_a_hostile_file_name_is_refused(source_of: SourceOf, origin: Origin, name: Any) -> None:
    serve_article(origin, [entry(5, name)])
    with pytest.raises(SourceError, match="expected a relative path"):
        source_of(origin).list_files(ref())


@pytest.mark.parametrize(
    ("access", "said", "words"),
    [
        ("embargoed", "embargoed", "embargoed until 2099-01-01"),
        ("restricted", "restricted", "is restricted"),
        ("closed", "closed", "closed: a description without files"),
        ("terms", "restricted", "is restricted"),
    ],
)
def test_what_is_not_open_is_described_and_told(
    serve: Serve, source_of: SourceOf, access: str, said: str, words: str
) -> None:
    source = source_of(serve(article(77, HostFile("a.zip", DATA), access=access)))
    found = source.describe(ref())
    assert (found.access, found.files, found.licence_spdx) == (said, (), "CC-BY-4.0")
    with pytest.raises(SourceError, match=rf"{words}.*{TOKEN}") as caught:
        source.list_files(ref())
    assert caught.value.state is SourceState.RESTRICTED


def test_disabled_downloads_are_restricted(source_of: SourceOf, origin: Origin) -> None:
    serve_article(origin, [entry()], download_disabled=True)
    assert source_of(origin).describe(ref()).access == "restricted"


def test_refused_files_make_a_restricted_article(source_of: SourceOf, origin: Origin) -> None:
    serve_article(origin, [])
    origin.serve("/articles/77/files", answer({"message": "Forbidden", "code": 403}, 403))
    found = source_of(origin).describe(ref())
    assert (found.access, found.files) == ("restricted", ())


def test_a_token_may_open_what_is_listed(source_of: SourceOf, origin: Origin) -> None:
    serve_article(origin, [entry()], is_embargoed=True, embargo_date="2099-01-01")
    assert len(source_of(origin, environ={TOKEN: "s3cr3t"}).list_files(ref())) == 1
    with pytest.raises(SourceError, match="is embargoed"):
        source_of(origin).list_files(ref())


def test_an_open_article_without_files_is_told(serve: Serve, source_of: SourceOf) -> None:
    with pytest.raises(SourceError, match="holds no files"):
        source_of(serve(article())).list_files(ref())


@pytest.mark.parametrize("record", ["99", "77/9"])
def test_a_missing_article_may_be_one_that_wants_a_token(serve: Serve, source_of: SourceOf, record: str) -> None:
    with pytest.raises(SourceError, match=f"may not read: then set {TOKEN}") as caught:
        source_of(serve(article())).describe(ref(record))
    assert caught.value.state is SourceState.NOT_FOUND


def test_the_firewall_is_a_block(source_of: SourceOf, origin: Origin) -> None:
    origin.serve("/articles/77", WAF)
    with pytest.raises(SourceError) as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BLOCKED


@pytest.mark.parametrize("body", [[], {}, None, "x", {"id": "x77"}, {"id": 78}, {"id": 10**30}])
def test_another_shape_of_article_is_told(source_of: SourceOf, origin: Origin, body: Any) -> None:
    origin.serve("/articles/77", answer(body))
    with pytest.raises(SourceError, match="expected an article with that id") as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.BAD_ANSWER


def test_another_version_than_asked_is_told(source_of: SourceOf, origin: Origin) -> None:
    serve_article(origin, [])
    origin.serve("/articles/77/versions/1", answer({"id": 77, "version": 2}))
    with pytest.raises(SourceError, match="the host gave version 2"):
        source_of(origin).describe(ref("77/1"))


@pytest.mark.parametrize("odd", [None, {}, [], "x\0y", [None, {}, 7], 10**30, -1])
def test_odd_values_in_an_article_are_survived(source_of: SourceOf, origin: Origin, odd: Any) -> None:
    names = ("description", "license", "tags", "version", "size", "doi", "embargo_date", "is_embargoed", "files")
    rows = [odd, entry(size=odd, is_link_only=odd, mimetype=odd)]
    origin.serve("/articles/77", answer({"id": 77} | dict.fromkeys((*names, "related_materials"), odd)))
    origin.serve("/articles/77/files", answer(rows))
    (found,) = source_of(origin).list_files(ref())
    assert (found.name, found.size, found.problem) == ("a.zip", None, None)


def test_an_endless_list_of_files_ends(source_of: SourceOf, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figshare, "MAX_PAGES", 5)
    serve_article(origin, [])
    origin.serve("/articles/77/files", lambda seen: answer([entry(int(seen.query["page"]))]))
    with pytest.raises(SourceError) as caught:
        source_of(origin).describe(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING


# --- download


def test_a_file_comes_over_the_api_and_is_verified(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    hosts = serve(article(77, HostFile("Fötus (1).zip", DATA)), cut_after=1000, refuse_signed_first=1)
    source = source_of(hosts)
    (file,) = source.list_files(ref())
    got = source.fetch(file, tmp_path / "a.zip")
    assert got.sha256 == hashlib.sha256(DATA).hexdigest()
    assert {request.host for request in hosts.requests} == {"figshare", "storage"}
    with source.open(file, 10) as stream:
        assert stream.read() == DATA[10:]


def test_a_manifests_old_address_is_fetched_over_the_api(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    hosts = serve(article(77, HostFile("a.zip", DATA)))
    source = source_of(hosts)
    (file,) = source.list_files(ref())
    number = file.url.rpartition("/")[2]
    source.fetch(RemoteFile("a.zip", f"https://figshare.com/ndownloader/files/{number}"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert "figshare_web" not in {request.host for request in hosts.requests}


def test_the_token_goes_to_the_api_only(serve: Serve, source_of: SourceOf, tmp_path: Path) -> None:
    hosts = serve(article(77, HostFile("a.zip", DATA)))
    source = source_of(hosts, environ={TOKEN: "s3cr3t"})
    (file,) = source.list_files(ref())
    source.fetch(file, tmp_path / "a.zip")
    list(source.search("ultrasound", 10))
    logins = {(request.host, request.headers.get("authorization")) for request in hosts.requests}
    assert logins == {("figshare", "token s3cr3t"), ("storage", None)}
    api, download = source.asks(file)
    assert (api.token, download.token) == ("s3cr3t", None)


def test_a_token_is_withheld_from_a_strange_address(make_context: MakeContext) -> None:
    hosts = {"figshare": "https://collector.example/v2"}
    source = FigshareSource(make_context(hosts=hosts, environ={TOKEN: "s3cr3t"}))
    assert source.asks(RemoteFile("a", "https://ndownloader.figshare.com/files/5"))[0].token is None


def test_the_download_host_and_mirrors_help_out(
    origin: Origin, elsewhere: Origin, make_context: MakeContext, tmp_path: Path, fake_time: FakeTime
) -> None:
    hosts = {"figshare": origin.url, "figshare_download": f"{elsewhere.url}/nd"}
    source = FigshareSource(make_context(hosts=hosts, environ={TOKEN: "s3cr3t"}))
    mirror = elsewhere.serve("/mirror.zip", Reply(DATA))
    file = RemoteFile("a.zip", "https://ndownloader.figshare.com/files/5", len(DATA), f"md5:{MD5}", mirrors=(mirror,))
    origin.serve("/file/download/5", WAF)
    elsewhere.serve("/nd/files/5", Reply(DATA))
    source.fetch(file, tmp_path / "a.zip")
    assert [seen.path for seen in elsewhere.seen] == ["/nd/files/5"]
    elsewhere.serve("/nd/files/5", WAF)
    source.fetch(file, tmp_path / "b.zip")
    assert [seen.path for seen in elsewhere.seen] == ["/nd/files/5", "/nd/files/5", "/mirror.zip"]
    assert all("authorization" not in seen.headers for seen in elsewhere.seen)
    elsewhere.serve("/mirror.zip", WAF)
    with pytest.raises(SourceError) as caught:
        source.fetch(file, tmp_path / "c.zip")  # never an empty file
    assert caught.value.state is SourceState.BLOCKED
    assert fake_time.slept == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".zip") == ["a.zip", "b.zip"]
