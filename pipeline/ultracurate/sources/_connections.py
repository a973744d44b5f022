"""Kept connections: one request at a time, no cookies, no logins from files, and heads of answers that come in time.

`requests` bounds the wait for the next byte only: a host that sends one header byte a minute never meets that.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3

STEP = 0.2
"""Seconds between two looks at who is late."""


class _Watch:
    """One thread for all connections of a process: it shuts the sockets whose time is up."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[float, socket.socket]] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, sock: socket.socket, seconds: float) -> int:
        """Watch a socket; the answer is the key to `done`."""
        self._waiting[id(sock)] = (time.monotonic() + seconds, sock)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # also in a forked child
                self._thread = threading.Thread(target=self._run, name="late-answers", daemon=True)
                self._thread.start()
        return id(sock)

    def done(self, key: int) -> bool:
        """The answer's head is here; False if its time was up before."""
        return self._waiting.pop(key, None) is not None

    def _run(self) -> None:
        while True:
            time.sleep(STEP)
            now = time.monotonic()
            for key, (end, sock) in list(self._waiting.items()):
                if now > end:
                    self._waiting.pop(key, None)
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)


_watch = _Watch()


class _Watched:
    """Mixin of urllib3's connections: status line and headers come in time, or the connection fails."""

    header_seconds = 120.0
    sock: socket.socket | None

    def getresponse(self) -> Any:
        if self.sock is None:
            return super().getresponse()  # type: ignore[misc]
        key = _watch.add(self.sock, self.header_seconds)
        try:
            answer = super().getresponse()  # type: ignore[misc]
        finally:
            in_time = _watch.done(key)
        answer.watched = self.sock  # for `read_some`
        if not in_time:  # half a head reads like a whole one
            answer.close()
            raise urllib3.exceptions.ReadTimeoutError(cast("Any", None), "", "the head of the answer took too long")
        return answer


def read_some(response: requests.Response, most: int, seconds: float, decode: bool = False) -> bytes:
    """What has arrived of a body, at most so many bytes; empty at its end.

    One read can be drawn out for ever by a host that drips what stands between the chunks of a body, or after them;
    so the connection is shut when it takes longer than `seconds`, which is a `ReadTimeoutError`.
    """
    sock = getattr(response.raw, "watched", None)
    if sock is None:
        return bytes(response.raw.read1(most, decode_content=decode))
    key = _watch.add(sock, seconds)
    try:
        data = bytes(response.raw.read1(most, decode_content=decode))
    finally:
        in_time = _watch.done(key)
    if not in_time:
        raise urllib3.exceptions.ReadTimeoutError(cast("Any", None), "", "the body took too long")
    return data


class Connections:
    """Sends single requests and keeps the connections; redirects are the caller's matter."""

    def __init__(self, adapter: requests.adapters.BaseAdapter, timeout: tuple[float, float]) -> None:
        self._adapter = adapter
        self._timeout = timeout
        # As a session of requests does it, but looked up once and not for every request.
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._proxies: dict[str, dict[str, str]] = {}

    def send(self, request: requests.Request) -> requests.Response:
        """The answer, its body still to be read; the exceptions are those of requests."""
        prepared = request.prepare()
        url = prepared.url or ""
        place = urlsplit(url).netloc
        if place not in self._proxies:
            self._proxies[place] = dict(requests.utils.get_environ_proxies(url, no_proxy=None))
        return self._adapter.send(
            prepared, stream=True, timeout=self._timeout, verify=self._verify, proxies=self._proxies[place]
        )

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()


def watched_adapter(seconds: float, pool: int = 8) -> requests.adapters.HTTPAdapter:
    """An adapter for `requests` whose connections fail when the head of an answer takes longer than `seconds`."""

    class Plain(_Watched, urllib3.connection.HTTPConnection):
        header_seconds = seconds

    class Secure(_Watched, urllib3.connection.HTTPSConnection):
        header_seconds = seconds

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Adapter(pool_connections=pool, pool_maxsize=pool)
