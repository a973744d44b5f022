"""Data hosts that want to harm: wrong bytes under a right name, hangs, crashes of a whole search, poisoned answers."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sources.origin import Origin, Reply, ranged
from tests.stages.bench import Bench, manifest
from ultracurate.core.errors import RowError, UltracurateError
from ultracurate.core.source_ref import FileRef, SourceRef
from ultracurate.doctor.web import web_sources
from ultracurate.screening.passing import sentences
from ultracurate.screening.text import strip_html
from ultracurate.sources import RemoteFile, Source, SourceContext, SourceError, create_source
from ultracurate.sources import _bodies as bodies
from ultracurate.sources import _download as downloads
from ultracurate.sources._gdrive_pages import read_page
from ultracurate.sources._kaggle_files import unpack
from ultracurate.sources._urls import redact_text

JSON = {"Content-Type": "application/json"}
SHA = "a" * 40
MANY_DIGITS = "&#" + "9" * 5000 + ";"
"""A character reference that Python's `html.unescape` refuses: more digits than `int` reads."""
PATIENCE = 8.0
"""Seconds that a call may take whose own limit is one."""


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Origin()
    yield server
    server.close()


def source(name: str, url: str, **more: Any) -> Source:
    hosts = {host: url for web in web_sources() for host in web.hosts}
    environ = {"SYNAPSE_AUTH_TOKEN": "s3cr3t-t0ken"}
    settings: dict[str, Any] = {"environ": environ, "limits": {"*": 0}, "sleep": lambda _: None, "retries": 1}
    return create_source(name, SourceContext(hosts=hosts, **settings | more))


def said(data: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(data).encode(), status, JSON | headers)


def record(id: int, **about: Any) -> dict[str, Any]:
    plain = {"title": "Thyroid ultrasound images", "description": "B-mode images of patients", "access_right": "open"}
    return {"id": id, "metadata": plain | about, "files": [{"key": "a.png", "size": 3, "checksum": f"md5:{id:032x}"}]}


def hits(*records: dict[str, Any], total: int | None = None) -> Reply:
    return said({"hits": {"total": total or len(records), "hits": list(records)}})


def search(work: Path, url: str, **settings: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of candidates and messages of errors of one search of Zenodo."""
    stages = {"discover": {"queries": [{"host": "zenodo", "q": "ultrasound"}]} | settings}
    hosts = dict.fromkeys(("zenodo", "kaggle", "mendeley", "tcia_collections", "tcia"), url)
    sources = [{"host": "zenodo", "record": "7"}]
    bench = Bench(work, manifest(sources=sources), hosts=hosts, limits={"*": 0.0}, stages=stages)
    result, ctx = bench.call("discover", [{"dataset": "search:0123456789ab"}])
    table = result.side.get("candidates")
    return table.to_pylist() if table is not None else [], [error["message"] for error in ctx.errors]


def test_a_pointer_in_place_of_a_file_does_not_undo_the_manifest_s_digest(origin: Origin, tmp_path: Path) -> None:
    good, other = b"the bytes of the manifest" * 40, b"other bytes" * 400
    oid = hashlib.sha256(other).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(other)}\n"
    origin.serve("/repos/a/b", said({"full_name": "a/b", "default_branch": "main"}))
    origin.serve("/repos/a/b/commits/main", Reply(SHA.encode()))
    tree = [{"path": "x.bin", "mode": "100644", "type": "blob", "sha": "b" * 40}]
    origin.serve(f"/repos/a/b/git/trees/{SHA}", said({"tree": tree}))
    origin.serve(f"/a/b/{SHA}/x.bin", ranged(pointer.encode()))
    grant = {"oid": oid, "size": len(other), "actions": {"download": {"href": f"{origin.url}/store"}}}
    origin.serve("/a/b.git/info/lfs/objects/batch", said({"objects": [grant]}))
    origin.serve("/store", ranged(other))
    pinned = FileRef(name="x.bin", size=len(good), checksum=f"md5:{hashlib.md5(good).hexdigest()}")
    github = source("github", origin.url)
    (file,) = github.list_files(SourceRef(host="github", record="a/b", files=[pinned]))
    with pytest.raises(SourceError):
        github.fetch(file, tmp_path / "x.bin")
    assert not (tmp_path / "x.bin").exists()


def test_answers_of_another_address_are_not_taken_for_the_host_s_own(origin: Origin, tmp_path: Path) -> None:
    many = [record(n, title="Planted ultrasound images") for n in range(1, 26)]
    origin.serve("/api/records", lambda seen: hits(*many, total=30) if seen.query["page"] == "1" else said({}, 400))
    assert len(search(tmp_path, origin.url)[0]) == 25  # the second page failed, so the first is kept
    honest = Origin()
    try:
        honest.serve("/api/records", hits(record(100)))
        rows, _ = search(tmp_path, honest.url)
    finally:
        honest.close()
    assert [row["record"] for row in rows] == ["100"]


# One record, one answer: never the whole search


def test_half_a_character_in_a_kept_answer_does_not_end_every_later_run(origin: Origin, tmp_path: Path) -> None:
    first = hits(*[record(n) for n in range(1, 26)], total=26).body.replace(b"Thyroid", b"\\ud800", 1)
    rest = [said({}, 400)]
    origin.serve("/api/records", lambda seen: Reply(first, 200, JSON) if seen.query["page"] == "1" else rest[-1])
    assert len(search(tmp_path, origin.url)[0]) == 25
    rest.append(hits(record(26), total=26))
    rows, errors = search(tmp_path, origin.url)
    assert (len(rows), errors) == (26, [])


def test_a_character_reference_of_many_digits_is_text(origin: Origin, tmp_path: Path) -> None:
    origin.serve("/api/records", hits(record(1), record(2, description=f"Ultrasound {MANY_DIGITS} images")))
    rows, errors = search(tmp_path, origin.url)
    assert (len(rows), errors) == (2, [])
    assert strip_html(f"a {MANY_DIGITS}").startswith("a ")
    read_page(f"<title>{MANY_DIGITS}</title>")


@pytest.mark.parametrize(
    "address", ["www.kaggle.com/datasets/a.b/c.d", "data.mendeley.com/datasets/abcdefg", "kaggle.com/c/a.b"]
)
def test_a_link_that_no_source_takes_costs_only_itself(origin: Origin, tmp_path: Path, address: str) -> None:
    text = record(2, description=f"Thyroid ultrasound images of patients, at https://{address} .")
    text["files"] = [{"key": "readme.txt", "size": 3}]
    origin.serve("/api/records", hits(record(1), text))
    rows, errors = search(tmp_path, origin.url, follow=["kaggle", "mendeley"])
    assert (len(rows), errors) == (2, [])


ODD_ERRORS = [
    said({"errors": [{"field": "q", "messages": 5}]}, 400),
    said({}, 503, **{"Retry-After": "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"}),
]


@pytest.mark.parametrize("reply", ODD_ERRORS, ids=["messages that are a number", "a time zone that is none"])
def test_an_odd_refusal_is_an_error_of_its_record(origin: Origin, reply: Reply) -> None:
    origin.serve("/api/records/7", reply)
    with pytest.raises(RowError):
        source("zenodo", origin.url).describe(SourceRef(host="zenodo", record="7"))


def test_a_page_that_no_parser_reads_is_a_page_without_anything() -> None:
    assert read_page("<![zz[").entries == []


@pytest.mark.parametrize(
    "about",
    [
        {"id": "syn1\0", "concreteType": "x.FileEntity"},
        {"id": "syn1", "concreteType": "x.Dataset", "items": [{"entityId": "syn1", "versionNumber": "12345678901"}]},
    ],
    ids=["an id with a zero byte", "a version of eleven digits"],
)
def test_an_odd_synapse_entity_is_an_error_of_its_record(origin: Origin, about: dict[str, Any]) -> None:
    for path in ("/entity/syn1", "/entity/syn1/version/12345678901"):
        origin.serve(path, said({"name": "f", "dataFileHandleId": "5", "versionNumber": 12345678901, **about}))
    synapse = source("synapse", origin.url)
    with pytest.raises(RowError):
        synapse.list_files(SourceRef(host="synapse", record="syn1"))


def test_a_size_beyond_every_disk_costs_its_own_file_only(origin: Origin, tmp_path: Path) -> None:
    origin.serve("/api/records/7/files/a.png/content", Reply(b"abc"))
    row = {"dataset": "toy", "host": "zenodo", "record": "7", "checksum": None}
    url = "https://zenodo.org/api/records/7/files/{}/content"
    rows = [
        row | {"file_id": name, "file_name": name, "url": url.format(name), "file_size": size}
        for name, size in (("a.png", 3), ("b.png", 1 << 60))
    ]
    toy = manifest(sources=[{"host": "zenodo", "record": "7"}])
    result, ctx = Bench(tmp_path, toy, hosts={"zenodo": origin.url}, limits={"*": 0.0}).call("download", rows)
    assert (result.rows.num_rows, len(ctx.errors)) == (1, 1)


# Hangs


def endless(piece: bytes, head: bytes, pause: float) -> tuple[str, Callable[[], None]]:
    """A server that sends a head and then one piece after the other; its address, and what ends it."""
    server, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head)
                while not over.wait(pause):
                    connection.sendall(piece)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def end() -> None:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}", end


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2"
ENDLESS = {
    "trailers": (b"a: b\r\n", CHUNKED + b"\r\n[]\r\n0\r\n", "zenodo"),
    "a chunk's extension": (b"a", CHUNKED + b";", "zenodo"),
    "a first answer": (b" ", b"Content-Length: 60000\r\n\r\n{", "kaggle"),
}
FILES = {
    "zenodo": "https://zenodo.org/api/records/7/files/a.png/content",
    "kaggle": "https://www.kaggle.com/api/v1/datasets/download/a/b/a.png",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_given_up(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_SECONDS", 1.0)
    monkeypatch.setattr(downloads, "STALL", 1.0)
    piece, head, host = ENDLESS[name]
    url, end = endless(piece, head, 0.1)
    outcome: list[object] = []

    def fetch() -> None:
        file = RemoteFile("a.png", FILES[host])
        try:
            outcome.append(source(host, url, retries=0).fetch(file, tmp_path / "a.png"))
        except UltracurateError as exc:
            outcome.append(exc)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    given_up = not thread.is_alive()
    end()
    thread.join(PATIENCE)
    assert given_up
    assert isinstance(outcome[0], RowError)


def test_cursors_that_never_end_are_given_up(origin: Origin) -> None:
    def page(_: object) -> Reply:
        asked = len(origin.seen)
        if asked > 3000:
            return said({}, 404)
        row = {"id": "10.17632/abcdefghij.1", "attributes": {"doi": "10.17632/abcdefghij.1"}}
        following = f"https://api.datacite.org/dois?page%5Bcursor%5D={asked}"
        return said({"data": [row], "meta": {"total": 10**15}, "links": {"next": following}})

    origin.serve("/dois", page)
    with pytest.raises(SourceError):
        list(source("mendeley", origin.url).search("ultrasound", 200))
    assert len(origin.seen) < 1000


SLOW: dict[str, Callable[[], object]] = {
    "question marks in a refusal": lambda: redact_text("?" * 20_000),
    "blanks in a description": lambda: list(sentences("a" + " " * 20_000 + "b", 800)),
    "open tags in a page": lambda: read_page("<a " * 7_000),
}


@pytest.mark.parametrize("what", SLOW)
def test_time_grows_with_the_length_of_a_text_and_not_with_its_square(what: str) -> None:
    start = time.process_time()
    SLOW[what]()
    assert time.process_time() - start < 0.5


def test_a_file_in_a_zip_of_its_own_leaves_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", bytes(64 << 20))
    (tmp_path / "list.csv.zip").write_bytes(packed.getvalue())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 << 20, total=1 << 30, used=0))
    with pytest.raises(UltracurateError):
        unpack(tmp_path / "list.csv.zip", RemoteFile("list.csv", FILES["kaggle"]), tmp_path / "list.csv")
