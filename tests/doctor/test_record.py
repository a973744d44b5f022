from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.conftest import RECORDS, context_for
from ultracurate.core.errors import StorageError
from ultracurate.doctor.questions import SCRIPTS
from ultracurate.doctor.record import MOST, record_answers
from ultracurate.doctor.web import web_sources
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.hosts.wire import Answer, Request

OURS = {"ZENODO_TOKEN": "0urZenodoTok3n", "GITHUB_TOKEN": "0urGithubTok3n", "KAGGLE_API_TOKEN": "0urKaggleTok3n"}
NEEDLES = [
    *OURS.values(),
    "p1anted",
    "wilhelmina",
    "quackenbush",
    "clinic-of-nowhere",
    "203.0.113",
    "4700:aa",
    "1415-9269",
]
HEADERS = {
    "Set-Cookie": "sid=p1anted0; Path=/",
    "Authorization": "Bearer p1anted1",
    "X-Request-Id": "p1anted2",
    "X-Amz-Security-Token": "p1anted3",
    "X-Forwarded-For": "203.0.113.77",
    "X-Served-By": "clinic-of-nowhere",
    "Link": "<https://api.example/x?page=2&token=p1anted4>; rel=next",
    "Server": "wilhelmina@clinic-of-nowhere.example",
    "Retry-After": "59",
}
PLANTED: dict[str, Any] = {
    "access_token": "p1anted5",
    "session": {"id": "p1anted6", "deep": ["p1anted7"]},
    "download_url": "https://s3.example/b/f.zip?X-Amz-Credential=p1anted8%2F2026&X-Amz-Signature=p1anted9&page=1",
    "mirror": "https://user:p1anted10@mirror.example/f.zip#access_token=p1anted11",
    "message": 'you sent {"Authorization": "Bearer p1anted12"} from 203.0.113.77 or 2606:4700:aa::1',
    "embedded": json.dumps({"apiKey": "p1anted13", "author": "Wilhelmina Quackenbush"}),
    "creators": [
        {"name": "Quackenbush, Wilhelmina", "orcid": "0000-0003-1415-9269", "affiliation": "Clinic-of-Nowhere"},
    ],
    "description": "Thanks to Wilhelmina's mother.",
    "subtitle": "by Wilhelmina Quackenbush (wilhelmina@clinic-of-nowhere.example)",
    "slug": "wilhelmina-quackenbush/frames",
    "wilhelmina@clinic-of-nowhere.example": "yes",
    "removed_by": {"user": "quackenbush"},
    "clientIp": "203.0.113.78",
}


def poison(data: Any) -> Any:
    if isinstance(data, dict):
        return {**{name: poison(one) for name, one in data.items()}, **PLANTED}
    return [poison(one) for one in data] if isinstance(data, list) else data


class Poisoned(LocalHosts):
    """Every answer of every host holds secrets and people, in its head and in each object of its body."""

    poisoned = 0

    def _reply(self, request: Request) -> Answer:
        answer = super()._reply(request)
        body = answer.body
        if body and answer.file is None:
            try:
                body = json.dumps(poison(json.loads(body))).encode()
            except ValueError:
                body += b"<p>wilhelmina@clinic-of-nowhere.example p1anted14</p>"
        self.poisoned += 1
        return Answer(**{**vars(answer), "body": body, "headers": {**HEADERS, **answer.headers}})


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text("ascii") for p in sorted(folder.rglob("*")) if p.is_file()}


def test_nothing_private_of_any_answer_is_ever_written(no_proxy: None, tmp_path: Path) -> None:
    server = Poisoned(RECORDS)
    with server:
        recorded = record_answers(context_for(server, **OURS), web_sources(), tmp_path)
        assert server.poisoned >= len([one for one in recorded if one.status]) > 25
        for request in server.requests:
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
    kept = files(tmp_path)
    assert len(kept) > 30
    found = {(name, needle) for name, text in kept.items() for needle in NEEDLES if needle.lower() in text.lower()}
    assert found == set()
    assert not [name for name in kept if any(needle in name for needle in NEEDLES)]
    # What is planted did arrive, and its shape is there: else this test would say nothing.
    record = json.loads(kept["zenodo/record.json"])
    assert set(record) >= {"access_token", "session", "download_url", "creators", "person@example.org"}
    assert record["metadata"]["creators"][0] == {
        "name": "person-1",
        "orcid": "0000-0002-1825-0097",
        "affiliation": record["metadata"]["creators"][0]["affiliation"],
    }
    assert record["download_url"].endswith("X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]&page=1")
    head = json.loads(kept["zenodo/record.http.json"])
    assert {"link", "retry-after", "server", "content-type"} <= set(head["headers"])
    assert {"set-cookie", "authorization", "x-request-id", "x-served-by"}.isdisjoint(head["headers"])


def test_every_source_is_asked_for_a_search_a_record_its_files_and_one_byte(local: LocalHosts, tmp_path: Path) -> None:
    recorded = record_answers(context_for(local), web_sources(), tmp_path)
    by_source: dict[str, dict[str, int | None]] = {}
    for one in recorded:
        by_source.setdefault(one.source, {})[one.name] = one.status
    everything = {"search": 200, "record": 200, "files": 200, "file": 206}
    for name in ("zenodo", "kaggle", "mendeley", "figshare", "github"):
        assert everything.items() <= by_source[name].items(), name
    assert by_source["tcia"] == {"search": 200, "body_parts": 200, "files": 200, "file": 200}
    assert by_source["grand_challenge"] == {"search": 401}
    assert by_source["gdrive"] == {"": None}
    for one in recorded:
        if one.file:
            assert json.loads((tmp_path / one.file).read_text())["status"] == one.status
    first = json.loads((tmp_path / "kaggle" / "file.http.json").read_text())
    assert first["headers"]["content-range"].startswith("bytes 0-0/")
    assert first["answered_by"] == local.storage_url
    assert not (tmp_path / "kaggle" / "file.json").exists()
    assert json.loads((tmp_path / "zenodo" / "search.json").read_text())["hits"]["total"] == 1


def test_scripts_are_for_sources_that_exist() -> None:
    assert set(SCRIPTS) <= {web.source for web in web_sources()}


class Strange(LocalHosts):
    """Answers whatever it is told to."""

    answers: Any = None

    def _reply(self, request: Request) -> Answer:
        return Answer(200, self.answers, "application/json")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        7,
        "x",
        [None, [], "x", 7, {}],
        {"hits": {"hits": {"id": 1}}, "data": 7, "items": {}, "results": "x"},
        {"hits": {"hits": [{"id": "../../x", "files": [{"key": "../x"}]}]}},
        [{"ref": "../..", "id": "../x", "slug": "a/../b"}],
        [{"ref": 10**30, "id": 10**30, "slug": None}],
        {"data": [{"id": "10.17632/../../x"}], "items": [{"full_name": "../.."}], "results": [{"pk": "../x"}]},
    ],
    ids=repr,
)
def test_strange_answers_end_a_script_early(no_proxy: None, tmp_path: Path, data: Any) -> None:
    server = Strange(RECORDS)
    with server:
        server.answers = json.dumps(data).encode()
        record_answers(context_for(server), web_sources(), tmp_path)
        asked = [request.raw for request in server.requests]
    assert not [raw for raw in asked if ".." in raw]
    assert len(asked) <= MOST * len(SCRIPTS)
    assert len(asked) >= len(SCRIPTS)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"<html>"])
def test_a_broken_body_is_not_kept_and_told(no_proxy: None, tmp_path: Path, body: bytes) -> None:
    server = Strange(RECORDS)
    with server:
        server.answers = body
        (one,) = record_answers(context_for(server), web_sources(["zenodo"]), tmp_path)
    assert "not kept" in one.detail
    assert list(files(tmp_path)) == ["zenodo/search.http.json"]


def test_a_host_that_fails_is_told_and_the_next_one_asked(local: LocalHosts, tmp_path: Path) -> None:
    local.faults = Faults(only="/zenodo/", fail_first=99, fail_status=503)
    environ = {"ULTRACURATE_HOST_FIGSHARE": "https://user:s3cr3t@x"}
    context = context_for(local, **environ)
    done = record_answers(context, web_sources(["zenodo", "figshare", "tcia"]), tmp_path)
    by_source = {one.source: one for one in done}
    assert by_source["zenodo"].status == 503
    assert by_source["figshare"].status is None
    assert by_source["figshare"].detail.startswith("not asked: The address")
    assert by_source["tcia"].status == 200
    assert "s3cr3t" not in repr(done)


def test_a_folder_that_cannot_be_written_is_told(local: LocalHosts, tmp_path: Path) -> None:
    (tmp_path / "zenodo").write_text("in the way")
    with pytest.raises(StorageError, match="another folder for --record"):
        record_answers(context_for(local), web_sources(["zenodo"]), tmp_path)
