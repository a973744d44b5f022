from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.datasets import RECORDS, SEARCH_ONLY
from ultracurate.phantom.server import Faults, LocalZenodo
from ultracurate.phantom.truth import DemoTruth

BREAST = RECORDS["phantom_breast"]
KEY = "phantom_breast.zip"


def get(host: LocalZenodo, path: str, **more: Any) -> requests.Response:
    return requests.get(host.url + path, timeout=5, **more)


def content(host: LocalZenodo, **more: Any) -> requests.Response:
    return get(host, f"/api/records/{BREAST}/files/{KEY}/content", **more)


def test_search_pages_until_there_is_no_next(host: LocalZenodo) -> None:
    url, seen, total = f"{host.url}/api/records?q=ultrasound&size=3&type=dataset", [], 0
    while url:
        answer = requests.get(url, timeout=5).json()
        seen += [hit["id"] for hit in answer["hits"]["hits"]]
        total = answer["hits"]["total"]
        url = answer["links"].get("next")
        assert url is None or url.startswith(host.url)
    assert len(seen) == len(set(seen)) == total > 6
    assert set(RECORDS.values()) < set(seen)
    missing = ("deleted", "software", "older_version")
    assert not {SEARCH_ONLY[why] for why in missing} & set(seen)


def test_page_limit_answers_400_as_the_real_host(host: LocalZenodo) -> None:
    answer = get(host, "/api/records?size=26")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["messages"] == [
        "Page size cannot be greater than 25. Please use authenticated requests to increase the limit to 100."
    ]
    assert get(host, "/api/records?size=25&page=401").status_code == 400


@pytest.mark.parametrize(
    ("query", "hit", "missed"),
    [
        ("ultrasound AND breast", "phantom_breast", "phantom_dicom"),
        ('"lesion masks" OR kidney', "phantom_breast", "phantom_thyroid"),
        ("echocardiogra*", "phantom_cardiac", "phantom_breast"),
        ("title:abdominal", "phantom_dicom", "phantom_breast"),
        ("ultrasound NOT breast", "phantom_thyroid", "phantom_breast"),
    ],
)
def test_query_words(host: LocalZenodo, query: str, hit: str, missed: str) -> None:
    answer = get(host, "/api/records", params={"q": query, "size": 25}).json()
    found = {record["id"] for record in answer["hits"]["hits"]}
    assert RECORDS[hit] in found
    assert RECORDS[missed] not in found


@pytest.mark.parametrize("query", ["sea/ice", "!", "ultrasound &&", '"open'])
def test_unparsable_query_answers_500(host: LocalZenodo, query: str) -> None:
    assert get(host, "/api/records", params={"q": query}).status_code == 500


def test_record_and_concept(host: LocalZenodo) -> None:
    concept = RECORDS["phantom_thyroid"] + 100_000
    answer = get(host, f"/api/records/{concept}")
    assert answer.history[0].is_redirect
    assert answer.json()["id"] == RECORDS["phantom_thyroid"]
    older = get(host, f"/api/records/{SEARCH_ONLY['older_version']}").json()
    assert older["metadata"]["relations"]["version"][0]["is_last"] is False
    versions = get(host, f"/api/records/{SEARCH_ONLY['older_version']}/versions").json()
    assert versions["hits"]["total"] == 2


def test_restricted_record_is_a_success_without_files(host: LocalZenodo) -> None:
    number = SEARCH_ONLY["restricted"]
    answer = get(host, f"/api/records/{number}")
    assert answer.status_code == 200
    assert answer.json()["files"] == []
    assert answer.json()["metadata"]["access_right"] == "restricted"
    assert get(host, f"/api/records/{number}/files").status_code == 403


def test_missing_and_deleted_records(host: LocalZenodo) -> None:
    assert get(host, "/api/records/123").json()["status"] == 404
    gone = get(host, f"/api/records/{SEARCH_ONLY['deleted']}")
    assert gone.status_code == 410
    assert gone.json()["message"] == "Record deleted"
    assert "tombstone" in gone.json()


def test_files_download_with_their_checksums(host: LocalZenodo) -> None:
    number = RECORDS["phantom_thyroid"]
    record = get(host, f"/api/records/{number}").json()
    keys = [entry["key"] for entry in record["files"]]
    assert any(" (" in key and "/" in key for key in keys)
    for entry in record["files"]:
        assert entry["links"]["self"].startswith(host.url)
        data = requests.get(entry["links"]["self"], timeout=5).content
        assert len(data) == entry["size"]
        assert "md5:" + hashlib.md5(data).hexdigest() == entry["checksum"]
    listing = get(host, f"/api/records/{number}/files").json()
    assert [entry["key"] for entry in listing["entries"]] == keys
    escaped = quote(keys[0], safe="")
    assert get(host, f"/records/{number}/files/{escaped}?download=1").status_code == 200


def test_answers_carry_the_rate_limit_headers_even_when_all_is_well(host: LocalZenodo) -> None:
    headers = get(host, "/api/records?q=ultrasound").headers
    assert headers["Retry-After"] == "59"
    assert headers["X-RateLimit-Limit"] == "30"
    assert get(host, f"/api/records/{BREAST}").headers["X-RateLimit-Limit"] == "133"


def test_range_requests(host: LocalZenodo) -> None:
    whole = content(host)
    assert whole.headers["Content-Length"] == str(len(whole.content))
    part = content(host, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole.content[10:20]
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.content)}"
    assert content(host, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    rest = content(host, headers={"Range": "bytes=100-", "If-Range": whole.headers["ETag"]})
    assert rest.content == whole.content[100:]
    stale = content(host, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, len(whole.content))
    beyond = content(host, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.content)}")


def test_head_has_the_length_and_no_body(host: LocalZenodo) -> None:
    answer = requests.head(f"{host.url}/api/records/{BREAST}/files/{KEY}/content", timeout=5)
    assert int(answer.headers["Content-Length"]) > 1000
    assert answer.content == b""


def test_static_files_stay_in_their_folder(small_demo: tuple[Path, DemoTruth], host: LocalZenodo) -> None:
    (small_demo[0] / "static").mkdir(exist_ok=True)
    (small_demo[0] / "static" / "note.txt").write_text("hello")
    assert get(host, "/static/note.txt").text == "hello"
    assert get(host, "/static/%2e%2e/truth.json").status_code == 404


def test_requests_are_logged(host: LocalZenodo) -> None:
    get(host, "/api/records?q=breast", headers={"User-Agent": "probe/1"})
    last = host.requests[-1]
    assert (last.method, last.path, last.query, last.status) == ("GET", "/api/records", {"q": ["breast"]}, 200)
    assert last.headers["user-agent"] == "probe/1"


@pytest.mark.parametrize("status", [429, 503])
def test_fault_fail_first(host: LocalZenodo, status: int) -> None:
    host.faults = Faults(only="content", fail_first=2, fail_status=status, retry_after="1")
    answers = [content(host) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert get(host, f"/api/records/{BREAST}").status_code == 200


def test_fault_cut_after_breaks_the_body_once_and_a_range_gets_the_rest(host: LocalZenodo) -> None:
    whole = content(host).content
    host.faults = Faults(cut_after=1000)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        content(host)
    assert content(host, headers={"Range": "bytes=1000-"}).content == whole[1000:]


def test_fault_ignore_range(host: LocalZenodo) -> None:
    host.faults = Faults(ignore_range=True)
    assert content(host, headers={"Range": "bytes=10-"}).status_code == 200


def test_fault_wrong_md5(host: LocalZenodo) -> None:
    true = get(host, f"/api/records/{BREAST}").json()["files"][0]["checksum"]
    host.faults = Faults(wrong_md5=frozenset({KEY}))
    assert get(host, f"/api/records/{BREAST}").json()["files"][0]["checksum"] != true
    assert get(host, f"/api/records/{BREAST}/files").json()["entries"][0]["checksum"] != true


def test_faults_that_answer_something_else(host: LocalZenodo) -> None:
    host.faults = Faults(html_instead=frozenset({KEY}))
    assert content(host).headers["Content-Type"].startswith("text/html")
    host.faults = Faults(empty_instead=frozenset({KEY}))
    assert (content(host).status_code, content(host).content) == (202, b"")
    host.faults = Faults(change_etag=True)
    assert content(host).headers["ETag"] != content(host).headers["ETag"]
    host.faults = Faults(no_length=True)
    assert "Content-Length" not in content(host).headers
    host.faults = Faults(block_agents=("python-requests/",))
    assert content(host).status_code == 403


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="build_demo"):
        LocalZenodo(tmp_path)
