"""A small web server on loopback whose faults are switched on one by one."""

from __future__ import annotations

import re
import socket
import struct
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    path: str  # unquoted
    query: dict[str, str]
    headers: dict[str, str]  # lower-case names
    raw: str  # the request target as sent
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """One answer; `cut` closes the connection after that many bytes of the body, `reset` does so rudely."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    linger: float = 0.0  # seconds between the last byte and the cut
    chunked: bool = False
    bare: bool = False  # neither length nor chunks: the end of the connection ends the body


Script = Callable[[Seen], Reply]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up early is part of the tests."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Origin:
    """Serves scripts by path; a list of replies is given out one by one, its last one for ever."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.seen: list[Seen] = []
        self.sent: dict[str, int] = defaultdict(int)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, path: str, *replies: Reply | Script) -> str:
        rest = list(replies)

        def script(seen: Seen) -> Reply:
            head = rest.pop(0) if len(rest) > 1 else rest[0]
            return head if isinstance(head, Reply) else head(seen)

        self.scripts[path] = script
        return self.url + path

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path]


def ranged(body: bytes, **changes: object) -> Script:
    """A well-behaved file: Range, If-Range, ETag, Last-Modified."""
    etag = str(changes.pop("etag", '"v1"'))

    def script(seen: Seen) -> Reply:
        headers = {"ETag": etag, "Content-Type": "application/octet-stream"}
        match = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        fresh = seen.headers.get("if-range", etag) == etag
        reply = Reply(body, headers=headers)
        if match and fresh:
            start = int(match[1])
            if start >= len(body):
                return Reply(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            reply = Reply(body[start:], 206, headers | {"Content-Range": span})
        return replace(reply, **changes)  # type: ignore[arg-type]

    return script


def _handler(origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each small answer waits 40 ms

        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            seen = Seen(unquote(parts.path), query, headers, self.path, self.command, body)
            origin.seen.append(seen)
            script = origin.scripts.get(seen.path)
            self._send(seen, script(seen) if script else Reply(b"nothing here", 404))

        def _send(self, seen: Seen, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif reply.bare:
                self.send_header("Connection", "close")
            elif "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            body = reply.body if reply.cut is None else reply.body[: reply.cut]
            origin.sent[seen.path] += len(body)
            if reply.chunked:
                for start in range(0, len(body), 4096):
                    piece = body[start : start + 4096]
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                if reply.cut is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(body)
            self.wfile.flush()
            if reply.cut is not None or reply.bare:
                self.close_connection = True
                time.sleep(reply.linger)
                if reply.reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    self.connection.shutdown(socket.SHUT_WR)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
