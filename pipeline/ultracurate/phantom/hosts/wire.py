"""A request as it arrived, an answer as it goes out, and what a host must offer to stand behind the local server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, Shelf


@dataclass(frozen=True)
class Request:
    """One request the server saw; `path` is decoded, below the host's own base address, without the query."""

    method: str
    host: str
    """Which invented host was asked: zenodo, kaggle, ...; `storage` for the second port."""
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""
    raw: str = ""
    """The request target as it was sent."""
    status: int = 0
    """What was answered; 0 until it is."""

    def one(self, name: str, default: str = "") -> str:
        """Last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def number(self, name: str, default: int) -> int:
        """A query parameter as a whole number; `default` if it is none."""
        value = self.one(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else default

    def json(self) -> Any:
        """The JSON body; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def signed_in(self) -> bool | None:
        """Whether the credentials are good; None without any. Every token is good but those that start with `bad`."""
        word = self.headers.get("authorization", "").partition(" ")[2].strip()
        return None if not word else not word.startswith("bad")


@dataclass(frozen=True)
class Answer:
    """What goes back: either a body, or a file that the server sends with ranges, validators and faults."""

    status: int = 200
    body: bytes = b""
    kind: str | None = None
    """Content-Type; None: `application/json` for a body, `application/octet-stream` for a file."""
    headers: Mapping[str, str] = field(default_factory=dict)
    file: HostFile | None = None
    etag: str | None = None
    """Of the file, with its quotes; None lets the server make a strong one from its md5."""
    ranges: bool = True
    """Whether this place serves byte ranges at all (an archive made on the fly does not)."""
    length: bool = True
    """Whether it says how long the file is; False sends it in chunks."""


def json_answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(data, ensure_ascii=False).encode(), "application/json", headers or {})


def redirect(url: str, status: int = 302) -> Answer:
    """An answer without a body that sends the client elsewhere."""
    return Answer(status, b"", "text/html", {"Location": url})


class World(Protocol):
    """What a host may ask of the server it stands behind."""

    shelf: Shelf
    memo: dict[Any, Any]
    """Whatever a host wants to keep for this server; the key starts with the host's name."""

    @property
    def faults(self) -> Faults:
        """What is switched on to go wrong now."""
        ...

    def scratch(self) -> Path:
        """An empty folder of this server for what is too large for memory; gone at its end."""
        ...

    def url(self, host: str) -> str:
        """Base address of a host on this server, without a slash at the end; links inside answers start with it."""
        ...

    def signed(self, host: str, path: str, file: HostFile, *, seconds: float | None = None, **options: Any) -> str:
        """An address on the storage port that serves `file`, signed, good for `seconds` unless a fault shortens it.

        Asking there with credentials is an error that fails the test at the end; after the time it answers 403.
        `options` are fields of `Answer` (kind, headers, etag, ranges, length).
        """
        ...

    def stored(self, host: str, path: str, file: HostFile, **options: Any) -> str:
        """As `signed`, an address that needs no signature and lasts."""
        ...


class Host(Protocol):
    """One invented host behind one or more names; `server.HOSTS` says which module of this folder has it as `HOST`.

    It may also have `failure(request, faults) -> Answer`: what it answers for the fault `fail_first` in its own words.
    """

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request; none of it may depend on the clock or on chance."""
        ...
