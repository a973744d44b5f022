"""What all sources that speak HTTP share: their addresses, their limits, how a file is fetched and looked into."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, ClassVar

import requests
import urllib3

from ultracurate.core.log import event
from ultracurate.sources._answers import WAITS, answer_error
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Fetched, RemoteFile
from ultracurate.sources._connections import read_some
from ultracurate.sources._context import SourceContext
from ultracurate.sources._download import STALL, download_first
from ultracurate.sources._http import NETWORK_ERRORS, Transport, refuse, unreachable


class WebSource:
    """Base of the sources on the web. A subclass names its hosts and says how a file is asked for."""

    host: str
    hosts: ClassVar[Mapping[str, str]] = {}
    """Public address by name: `hosts: {name: URL}` in a recipe or ULTRACURATE_HOST_<NAME> replaces it. First: main."""
    limits: ClassVar[Mapping[str, float]] = {}
    """Requests a minute by class."""
    parallel: ClassVar[int] = 4
    """Downloads that the host takes at the same time."""
    waits: ClassVar[frozenset[int]] = WAITS
    """Statuses whose Retry-After is meant."""

    def __init__(self, context: SourceContext) -> None:
        self.context = context
        self.http = Transport(
            context, self.host, hosts=self.hosts, limits=self.limits, waits=self.waits, at_once=self.parallel
        )

    def base(self, name: str) -> str:
        """Where one of the source's hosts is configured to be, without a slash at the end."""
        return self.context.base_url(name, self.hosts[name]) or self.hosts[name]

    def token(self, variable: str, name: str | None = None) -> str | None:
        """A secret from the environment, if its host stands where its owner meant; else it is withheld."""
        name = name or next(iter(self.hosts))
        found = self.context.token_for(variable, name, self.hosts[name])
        if found is None and self.context.token(variable):
            event("source.token_withheld", host=self.host)
        return found

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """Where the file is asked for, best first; the token goes to the source's own hosts, never to a mirror."""
        what = f"{self.host} file {file.name!r}"
        return [Ask(self.http.local(url), what, kind=self.host) for url in (file.url, *file.mirrors) if url]

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download from the first address that gives the right bytes."""
        return download_first(
            self.http, self.asks(file), target, name=file.name, size=file.size, checksum=file.checksum
        )

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file's bytes from `start` on, unverified; a host that cannot start there raises `bad_answer`."""
        return open_stream(self.http, self.asks(file)[0], start)


def open_stream(transport: Transport, ask: Ask, start: int) -> IO[bytes]:
    """The bytes of one address from `start` on, as they come."""
    headers = {**ask.headers, "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    response = transport.open(replace(ask, headers=headers, accept=frozenset(range(200, 207)) | {416}))
    if response.status_code in (200, 206):
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        span = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
        begins = int(span[1]) if response.status_code == 206 and span else 0
        if begins == start and kind != "text/html":
            return io.BufferedReader(_Stream(response, ask), 1 << 16)
        response.close()
        refuse(ask, "sent a web page" if kind == "text/html" else f"cannot start at byte {start}")
    with response:
        raise answer_error(response, ask.what)


class _Stream(io.RawIOBase):
    """The body of an answer as a file object; a cut in it is a `SourceError`."""

    def __init__(self, response: requests.Response, ask: Ask) -> None:
        self._response = response
        self._ask = ask

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = read_some(self._response, len(buffer), STALL)
        except (*NETWORK_ERRORS, ConnectionError, TimeoutError, urllib3.exceptions.HTTPError) as exc:
            raise unreachable(exc, self._ask) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()
