"""The HTTP side of the local hosts: one connection, files with ranges and validators, and everything that breaks."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import socket
import struct
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from ultracurate.phantom.hosts.faults import Faults, Uses, other_bytes
from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.wire import Answer, Request

_MODIFIED = 1_767_605_400  # 2026-01-05 09:30 UTC: fixed, so that answers repeat
_MULTIPART = 64 << 20  # an object store takes larger files in parts: their ETag is no md5
_BODY_LIMIT = 64 << 20
_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><form>Please sign in.</form></body></html>"
_XML = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
_BODILESS = (204, 304)


class Machine(Protocol):
    """What a connection needs of the server."""

    uses: Uses
    closing: Event

    def resolve(self, target: str) -> tuple[str, str]:
        """Host and path below it of a decoded request path; an unknown host is the empty string."""
        ...

    def reply(self, request: Request) -> Answer:
        """The answer of the host that was asked."""
        ...

    def failure(self, request: Request, faults: Faults) -> Answer:
        """What the host says when it fails."""
        ...

    def note(self, request: Request) -> None:
        """Keep a request that is about to be answered."""
        ...


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; the server gives it `machine`."""

    machine: Machine
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error quiet; `LocalHosts.requests` is the log."""

    def do_GET(self) -> None:
        """Answer a GET, HEAD or POST."""
        length = self.headers.get("Content-Length") or "0"
        chunked = "Transfer-Encoding" in self.headers
        if chunked or not length.isdigit() or int(length) > _BODY_LIMIT:
            self.close_connection = True
            self.send_error(411 if chunked else 413)
            return
        body = self.rfile.read(int(length))
        target, _, question = self.path.partition("?")
        host, path = self.machine.resolve(unquote(target))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(question, keep_blank_values=True)
        request = Request(self.command, host, path, query, headers, body, self.path)
        self.where = f"/{host}{path}"
        self.faults = self.machine.uses.faults.at(self.where)
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(request, self._fault(request) or self.machine.reply(request))
            return
        self.close_connection = True  # the client has gone

    do_HEAD = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815

    def _fault(self, request: Request) -> Answer | None:
        faults, agent = self.faults, request.headers.get("user-agent", "")
        if faults.block_agents and agent.startswith(faults.block_agents):
            return Answer(403, b"<html><h1>403 Forbidden</h1></html>", "application/octet-stream")
        if faults.fail_first and self.machine.uses.count("fail", self.where) <= faults.fail_first:
            extra = {} if faults.retry_after is None else {"Retry-After": faults.retry_after}
            own = self.machine.failure(request, faults)
            return replace(own, headers={**own.headers, **extra})
        if request.method == "HEAD" and faults.head_status:
            return Answer(faults.head_status, b"", "text/html")
        return None

    def _send(self, request: Request, answer: Answer) -> None:
        answer = self._instead(answer)
        if answer.file is not None:
            self._send_file(request, answer, answer.file)
            return
        head = {"Content-Type": answer.kind or "application/json", **answer.headers}
        if answer.status not in _BODILESS:
            head["Content-Length"] = str(len(answer.body))
        self._head(request, answer.status, head)
        if request.method != "HEAD" and answer.status not in _BODILESS:
            self.wfile.write(answer.body)

    def _instead(self, answer: Answer) -> Answer:
        faults, file = self.faults, answer.file
        if file is None:
            return answer
        if file.key in faults.html_instead:
            return Answer(200, _PAGE, "text/html; charset=utf-8")
        if file.key in faults.empty_instead:
            return Answer(202, b"", "text/html", {"x-amzn-waf-action": "challenge"})
        if file.key in faults.xml_error_instead:
            return Answer(200, _XML, "application/xml")
        if file.key in faults.lfs_pointer_instead:
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.sha256}\nsize {file.size}\n"
            return Answer(200, pointer.encode(), "text/plain; charset=utf-8")
        return answer

    def _send_file(self, request: Request, answer: Answer, file: HostFile) -> None:
        faults, modified = self.faults, _MODIFIED
        after = faults.change_file_after
        if after is not None and self.machine.uses.count("asked", self.where) > after:
            file, modified = other_bytes(file), _MODIFIED + 3600
            answer = replace(answer, etag=None)
        etag = self._etag(answer, file)
        head = {"Content-Type": answer.kind or "application/octet-stream"}
        if not faults.no_etag:
            head |= {"ETag": etag, "Last-Modified": formatdate(modified, usegmt=True)}
        if answer.ranges:
            head["Accept-Ranges"] = "bytes"
        head |= answer.headers
        start, stop, status = 0, file.size, 200
        asked = request.headers.get("range") if answer.ranges and not faults.ignore_range else None
        if asked and _still_valid(request.headers.get("if-range"), head):
            span = _span(asked, file.size)
            if span is None:
                self._head(request, 416, {"Content-Range": f"bytes */{file.size}", "Content-Length": "0"})
                return
            (start, stop), status = span, 206
            moved = 1 if faults.wrong_content_range else 0
            head["Content-Range"] = f"bytes {start + moved}-{stop - 1 + moved}/{file.size}"
        chunked = faults.no_length or faults.cut_chunked is not None or not answer.length
        head |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(stop - start)}
        self._head(request, status, head)
        if request.method != "HEAD":
            self._body(file, start, stop, chunked)

    def _etag(self, answer: Answer, file: HostFile) -> str:
        if answer.etag:
            etag = answer.etag.strip('"')
        elif file.size > _MULTIPART:
            parts = -(-file.size // _MULTIPART)
            etag = f"{hashlib.md5(f'{file.key} {file.size}'.encode(), usedforsecurity=False).hexdigest()}-{parts}"
        else:
            etag = file.md5
        if self.faults.multipart_etag:
            etag = f"{etag[-32:]}-14"
        if self.faults.change_etag:
            etag += f"-v{self.machine.uses.count('etag', self.where)}"
        return f'W/"{etag}"' if self.faults.weak_etag else f'"{etag}"'

    def _body(self, file: HostFile, start: int, stop: int, chunked: bool) -> None:
        cut = self.machine.uses.cut(self.where, start, stop)
        end = stop if cut is None else cut
        write: Callable[[bytes], Any] = self._chunk if chunked else self.wfile.write
        if isinstance(file.body, Path) and not chunked and self.faults.drip is None:
            with file.body.open("rb") as source:
                if end > start:
                    self.connection.sendfile(source, start, end - start)
        else:
            for piece in self._paced(file.pieces(start, end)):
                write(piece)
        if chunked and (cut is None or self.faults.clean_end):
            self.wfile.write(b"0\r\n\r\n")
        elif cut is not None:
            self.close_connection = True
            if self.faults.reset:
                self._reset_at_close()

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _paced(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        rate = self.faults.drip
        if rate is None:
            yield from pieces
            return
        step = max(1, rate // 20)
        for piece in pieces:
            for place in range(0, len(piece), step):
                if self.machine.closing.wait(step / rate):
                    raise ConnectionError
                yield piece[place : place + step]

    def _reset_at_close(self) -> None:
        """Have the coming close send RST, once everything written so far has left this machine."""
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            waiting = fcntl.ioctl(self.connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
            if struct.unpack("i", waiting) == (0,):
                break
            time.sleep(0.001)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _head(self, request: Request, status: int, head: dict[str, str]) -> None:
        self.machine.note(replace(request, status=status))
        line = f"HTTP/1.1 {status} {phrase(status)}\r\n".encode()
        names = {name.lower() for name in head}
        # A name of a file may hold a line break: it must not become a header.
        lines = [f"{name}: {' '.join(value.splitlines())}" for name, value in head.items()]
        if "date" not in names:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        rest = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        if self.faults.drip_header is None:
            self.wfile.write(line + rest)
            return
        for number in range(len(line)):
            self.wfile.write(line[number : number + 1])
            if self.machine.closing.wait(self.faults.drip_header):
                raise ConnectionError
        self.wfile.write(rest)


def phrase(status: int) -> str:
    """The usual words for a status; a plain word for one without any (520 of a proxy)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _still_valid(asked: str | None, head: dict[str, str]) -> bool:
    """Whether an If-Range header still fits (RFC 9110, 13.1.5: never with a weak ETag)."""
    if asked is None:
        return True
    return asked in (head.get("ETag"), head.get("Last-Modified")) and not asked.startswith("W/")


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The half-open byte span of a single-range header, or None if it cannot be satisfied."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    return (start, stop) if start < stop else None
