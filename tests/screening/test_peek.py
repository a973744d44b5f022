from __future__ import annotations

import io
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from tests.screening.made import candidate
from ultracurate.screening.peek import MAX_ARCHIVES, Limits, Look, look_into, peek
from ultracurate.sources import Candidate, Fetched, RemoteFile, SourceError, SourceState

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef


class Host:
    """A real server on loopback that serves ranges, and a source that reads them."""

    host = "zenodo"

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.sent = 0
        self.requests = 0
        self.refuse = self.ignore = False
        self.cut: int | None = None
        self.drip = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                outer.requests += 1
                blob = outer.blobs.get(self.path)
                if blob is None or outer.refuse:
                    self.send_error(404)
                    return
                start = 0 if outer.ignore else int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                self.send_response(200 if outer.ignore else 206)
                self.send_header("Content-Length", str(len(blob) - start))
                self.end_headers()
                body = blob[start : None if outer.cut is None else start + outer.cut]
                try:
                    step = 1 if outer.drip else 65536
                    for place in range(0, len(body), step):
                        self.wfile.write(body[place : place + step])
                        outer.sent += step
                        if outer.drip:
                            time.sleep(outer.drip)
                except OSError:
                    pass  # the reader has seen enough

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        ask = urllib.request.Request(file.url, headers={"Range": f"bytes={start}-"})
        try:
            answer = urllib.request.urlopen(ask, timeout=5)
        except urllib.error.HTTPError as exc:
            exc.close()
            raise SourceError(SourceState.NOT_FOUND, "no file at https://host.example/?sig=s3cret") from None
        if answer.status != 206:
            answer.close()
            raise SourceError(SourceState.BAD_ANSWER, "no ranges")
        opened: IO[bytes] = answer
        return opened

    def put(self, name: str, data: bytes, size: int | None = -1) -> RemoteFile:
        self.blobs[f"/{name}"] = data
        port = self._server.server_address[1]
        return RemoteFile(name, f"http://127.0.0.1:{port}/{name}", len(data) if size == -1 else size)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        raise NotImplementedError

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        raise NotImplementedError

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        raise NotImplementedError

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.close()


def packed(*names: str, padding: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("folder/", b"")
        for name in names:
            archive.writestr(name, b"x" * padding)
    return stream.getvalue()


def names(look: Look) -> tuple[str, ...]:
    assert look.members is not None
    return tuple(member.name for member in look.members)


def test_names_of_a_large_zip_cost_one_range(host: Host) -> None:
    file = host.put("a.zip", packed("d/1.png", "d/2.png", padding=3_000_000))
    look = look_into(host.open, file)
    assert names(look) == ("d/1.png", "d/2.png")
    assert [member.size for member in look.members or ()] == [3_000_000, 3_000_000]
    assert host.requests == 1
    assert "65536 bytes" in look.note or int(look.note.split()[-2]) <= 65536


def test_a_long_directory_is_read_in_few_requests(host: Host) -> None:
    listed = [f"images/{n:05d}.png" for n in range(5000)]
    file = host.put("a.zip", packed(*listed))
    assert names(look_into(host.open, file)) == tuple(listed)
    assert host.requests <= 4
    assert names(look_into(host.open, file, Limits(max_names=10))) == tuple(listed[:10])
    refused = look_into(host.open, file, Limits(max_bytes=100_000))
    assert refused.members is None
    assert "100000 bytes" in refused.note


@pytest.mark.parametrize("trouble", ["refuse", "ignore", "cut", "junk", "empty", "wrong size"])
def test_a_host_in_trouble_is_no_crash_and_tells_no_secret(host: Host, trouble: str) -> None:
    data = packed("1.png", padding=100_000)
    file = host.put("a.zip", b"\x00" * 99_000 if trouble == "junk" else data)
    if trouble == "wrong size":
        file = RemoteFile(file.name, file.url, len(data) + 70_000)
    if trouble == "empty":
        file = host.put("b.zip", b"", 50)
    host.refuse, host.ignore = trouble == "refuse", trouble == "ignore"
    host.cut = 10 if trouble == "cut" else None
    look = look_into(host.open, file)
    assert look.members is None
    assert look.note.startswith("could not look inside")
    assert "s3cret" not in look.note


def test_a_host_that_drips_is_left(host: Host) -> None:
    file = host.put("a.zip", packed("1.png", padding=50_000))
    host.drip = 0.02
    start = time.monotonic()
    look = look_into(host.open, file, Limits(seconds=0.3))
    assert look.members is None
    assert "seconds" in look.note
    assert time.monotonic() - start < 5


def test_what_is_not_asked_for(host: Host) -> None:
    for file in (host.put("a.7z", b"7z"), host.put("a.tar.gz", b"x"), host.put("a.zip", packed("1.png"), None)):
        look = look_into(host.open, file)
        assert look.members is None
        assert look.note
    assert host.requests == 0


def test_a_directory_that_lies_about_its_length(host: Host) -> None:
    data = bytearray(packed("1.png", padding=200_000))
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = (0xF0000000).to_bytes(4, "little")  # size of the directory
    assert look_into(host.open, host.put("a.zip", bytes(data))).members is None


def test_a_record_of_several_archives(host: Host) -> None:
    tables = host.put("t.zip", packed("a.csv", "b.xlsx"))
    pictures = host.put("p.zip", packed("1.png", "2.png", padding=1000))
    nested = host.put("n.zip", packed("inner.zip"))
    other = host.put("o.rar", b"Rar!")
    assert [member.name for member in peek(host, candidate(files=(tables,))) or ()] == ["a.csv", "b.xlsx"]
    assert peek(host, candidate(files=(tables, other))) is None  # the rar may hold images
    seen = peek(host, candidate(files=(tables, pictures, other)))
    assert seen is not None
    assert ("1.png", 1000) in [(member.name, member.size) for member in seen]
    assert peek(host, candidate(files=(nested,))) is None
    assert peek(host, candidate(files=())) is None
    assert peek(host, candidate(files=(tables,) * (MAX_ARCHIVES + 1))) is None
