"""One question to a host and its answer, as plain data; shown without tokens and queries."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from ultracurate.core.private import hide_private
from ultracurate.sources._urls import origin, redact


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """One request; shown without its parameters, headers and token."""

    url: str
    """Where to ask; also the lasting identity of a file that is fetched over changing addresses."""
    what: str
    """What is asked for, in words, for messages."""
    kind: str = ""
    """Class of the request for rate limits, such as `zenodo.search`."""
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """Body of a POST, as data; None makes it a GET."""
    token: str | None = None
    scheme: str = "Bearer"
    """Word before the token in the Authorization header: Bearer, Basic, token, ..."""
    accept: frozenset[int] = frozenset()
    """Statuses besides 200 that the caller handles itself."""
    no_retry: frozenset[int] = frozenset()
    """Statuses that are an answer here, not a hiccup."""
    resolve: Callable[[], Ask] | None = None
    """Asks the host for the address of now, where that is signed and expires; called again when it is refused."""
    check: Callable[[Any], None] | None = None
    """Raises for JSON that is an error in spite of its status, so that it is not kept as an answer."""
    empty: Any = None
    """What an empty body stands for, where that is an answer (no rows); None: it is a fault."""

    def __repr__(self) -> str:
        return f"Ask({self.what!r}, {redact(self.url)!r})"


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A parsed JSON body with its bytes as they came."""

    data: Any
    raw: bytes
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A page, a list in XML, a small text file."""

    text: str
    url: str
    """Where it came from in the end, after redirects; may be signed, never to be shown."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


class Credentials(requests.auth.AuthBase):
    """Sends our token or nothing; as an `auth` object it keeps requests from adding a login from ~/.netrc."""

    def __init__(self, token: str | None, scheme: str = "Bearer") -> None:
        self._value = f"{scheme} {token}" if token else None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value:
            request.headers["Authorization"] = self._value
        return request


KEPT_HEADERS = ("link", "x-cursor", "content-range")
"""What a kept answer needs besides its body to be read again: where the list goes on."""


def answer_key(host: str, ask: Ask) -> str:
    """Digest (64 hex digits) of what is asked, the same on every machine; tokens have no part in it."""
    asked = (sorted(ask.params.items()), ask.json, sorted(ask.headers.items()))
    parts = (host, origin(ask.url), urlsplit(ask.url).path, *asked)
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def pack_answer(answer: JsonAnswer) -> bytes:
    """An answer as it is kept: one line about it, then its body, without e-mail addresses and signatures."""
    headers = {name: hide_private(answer.headers[name]) for name in KEPT_HEADERS if name in answer.headers}
    body = hide_private(answer.raw.decode("utf-8", "replace"))
    return json.dumps({"status": answer.status, "headers": headers}).encode() + b"\n" + body.encode()


def unpack_answer(kept: bytes, url: str) -> JsonAnswer:
    """The answer that was kept."""
    line, _, raw = kept.partition(b"\n")
    about = json.loads(line)
    return JsonAnswer(whole_characters(json.loads(raw), raw), raw, url, about["headers"], about["status"])


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def whole_characters(data: Any, body: bytes) -> Any:
    """Parsed JSON without halves of characters, which can be written in JSON, but nowhere else."""
    if not _SURROGATE.search(body):
        return data
    return json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
