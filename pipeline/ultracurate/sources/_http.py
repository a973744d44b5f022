"""Polite HTTP: retries with backoff, limits, redirects that keep credentials at home, JSON answers."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from ultracurate.core.log import event
from ultracurate.sources._answers import REDIRECTS, RETRY, answer_error, looks_blocked, retry_after
from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._context import SourceContext
from ultracurate.sources._limits import shared_bucket
from ultracurate.sources._urls import move, origin, redact, redact_text

NETWORK_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.HTTPError,
)
MAX_HOPS = 8
MAX_JSON = 64 << 20
"""Bytes of a JSON answer; a listing is never larger, an endless body would fill the memory."""
MAX_JSON_SECONDS = 300.0
"""For one JSON answer: a host that sends a byte a minute never meets the limit between two pieces."""
MAX_BACKOFF = 60.0
NUMBER = re.compile(r"[0-9]{1,18}")
"""A number in a header; `str.isdigit` also takes superscripts, and `int` refuses thousands of digits."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
T = TypeVar("T")


class _RedactQueries(logging.Filter):
    """Keeps signed addresses out of urllib3's debug log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(redact_text(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_RedactQueries())


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """One GET request; shown without its parameters, headers and token."""

    url: str
    what: str
    """What is asked for, in words, for messages."""
    kind: str = ""
    """Class of the request for rate limits, such as `zenodo.search`."""
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    accept: frozenset[int] = frozenset()
    """Statuses besides 200 that the caller handles itself."""
    no_retry: frozenset[int] = frozenset()
    """Statuses that are an answer here, not a hiccup."""

    def __repr__(self) -> str:
        return f"Ask({self.what!r}, {redact(self.url)!r})"


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A parsed JSON body with its bytes as they came."""

    data: Any
    raw: bytes
    url: str


class _Credentials(requests.auth.AuthBase):
    """Sends our token or nothing; as an `auth` object it keeps requests from adding a login from ~/.netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Asks one host; made for one thread."""

    def __init__(
        self,
        context: SourceContext,
        host: str,
        *,
        public: str | None = None,
        base: str | None = None,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        self.context = context
        self.host = host
        self.public = public
        self.base = base
        self._limits = dict(limits or {})
        self._session = (context.session_factory or requests.Session)()
        self._session.headers["User-Agent"] = context.user_agent

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._session.close()

    def open(self, ask: Ask) -> requests.Response:
        """The streamed answer, after retries; the caller closes it. Refusals raise `SourceError`."""
        return self._attempt(ask, lambda response: response)

    def get_json(self, ask: Ask) -> JsonAnswer:
        """The parsed body, after retries; a partial list, a page or a broken body raises `SourceError`."""
        ask = replace(ask, headers={"Accept": "application/json", **ask.headers}, accept=ask.accept | {206})
        return self._attempt(ask, lambda response: _read_json(response, ask, self.context.clock))

    def pause(self, attempt: int) -> None:
        """Sleep before attempt number `attempt` + 1: exponential, with jitter."""
        self.context.sleep(self.backoff(attempt))

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after failed attempt `attempt` (from 0)."""
        longest: float = min(MAX_BACKOFF, self.context.backoff * 2 ** min(attempt, 10))
        return longest * random.uniform(0.5, 1.5)  # jitter, not science

    def _attempt(self, ask: Ask, read: Callable[[requests.Response], T]) -> T:
        attempt = 0
        while True:
            wait = self.backoff(attempt)
            status: int | None = None
            try:
                response = self._follow(ask)
                status = response.status_code
                if status == 200 or status in ask.accept:
                    return read(response)
                with response:
                    allowed = min(1, self.context.retries) if looks_blocked(response) else self.context.retries
                    if status not in RETRY or status in ask.no_retry or attempt >= allowed:
                        raise answer_error(response, ask.what)
                    asked = retry_after(response)
                    if asked is not None and asked > self.context.max_wait:
                        raise answer_error(response, f"{ask.what} (the host asks to wait {asked:.0f} s)")
                    wait = wait if asked is None else asked
            except NETWORK_ERRORS as exc:
                if attempt >= self.context.retries or isinstance(exc, requests.exceptions.SSLError):
                    raise unreachable(exc, ask) from None
            except (requests.RequestException, ValueError) as exc:  # not an address, a broken redirect, ...
                raise SourceError(
                    SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} failed: {type(exc).__name__}"
                ) from None
            event("source.retry", host=self.host, url=redact(ask.url), status=status, wait=round(wait, 1))
            self.context.sleep(wait)
            attempt += 1

    def _follow(self, ask: Ask) -> requests.Response:
        """One request through its redirects; the token goes to the first origin only."""
        url, params = ask.url, dict(ask.params)
        for _ in range(MAX_HOPS):
            token = ask.token if origin(url) == origin(ask.url) else None
            self._throttle(url, ask.kind)
            response = self._session.get(
                url,
                params=params,
                headers=dict(ask.headers),
                auth=_Credentials(token),
                stream=True,
                timeout=self.context.timeout,
                allow_redirects=False,
            )
            self._note_limit(response, url, ask.kind)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or not location:
                return response
            response.close()
            try:
                following = move(urljoin(response.url, location), self.public, self.base)
                target = urlsplit(following)
                usable = target.scheme in ("http", "https") and target.hostname and target.port != 0
            except ValueError:  # a broken IPv6 address, a port beyond 65535
                usable = False
            if not usable:
                _refuse(ask, "sends on to something that is not a web address")
            if urlsplit(url).scheme == "https" and target.scheme == "http":
                _refuse(ask, f"sends on from https to unencrypted http at {target.hostname}")
            url, params = following, {}
        raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} sends on more than {MAX_HOPS} times")

    def _throttle(self, url: str, kind: str) -> None:
        per_minute = self.context.limit(kind, self._limits.get(kind, 0))
        if per_minute is not None:
            shared_bucket(urlsplit(url).netloc, kind, per_minute, self.context.clock, self.context.sleep).take()

    def _note_limit(self, response: requests.Response, url: str, kind: str) -> None:
        per_minute = self.context.limit(kind, self._limits.get(kind, 0))
        reset = response.headers.get("X-RateLimit-Reset", "")
        if per_minute is None or response.headers.get("X-RateLimit-Remaining") != "0" or not NUMBER.fullmatch(reset):
            return
        wait = min(max(0.0, int(reset) - time.time()), self.context.max_wait)  # epoch seconds
        bucket = shared_bucket(urlsplit(url).netloc, kind, per_minute, self.context.clock, self.context.sleep)
        bucket.hold(wait)


def unreachable(exc: BaseException, ask: Ask) -> SourceError:
    """The network failed for good; the cause by its kind only, as its text holds whole addresses."""
    if isinstance(exc, requests.Timeout | urllib3.exceptions.TimeoutError):
        cause = "it did not answer in time"
    elif isinstance(exc, requests.exceptions.SSLError):
        cause = "its TLS certificate could not be verified"
    elif isinstance(exc, requests.exceptions.ProxyError):
        cause = "the proxy could not be used"
    else:
        cause = f"the connection failed ({type(exc).__name__})"
    return SourceError(SourceState.UNREACHABLE, f"{ask.what}: {redact(ask.url)}: {cause}")


def _refuse(ask: Ask, why: str) -> NoReturn:
    raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} {why}")


def _read_json(response: requests.Response, ask: Ask, clock: Callable[[], float]) -> JsonAnswer:
    with response:
        body, end = bytearray(), clock() + MAX_JSON_SECONDS
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            body += chunk
            if len(body) > MAX_JSON:
                _refuse(ask, f"answered more than {MAX_JSON >> 20} MiB of JSON")
            if clock() > end:
                raise requests.Timeout
        if ask.token:  # the answer is kept, and a host may say back what it was asked with
            body = body.replace(ask.token.encode(), b"[redacted]")
        if response.status_code == 206:
            span = response.headers.get("Content-Range", "a part of the list")
            raise SourceError(
                SourceState.PARTIAL_LISTING, f"{ask.what}: {redact(ask.url)} gave only {span}", status=206
            )
        try:
            data = json.loads(bytes(body))
            if _SURROGATE.search(body):  # half a character can be written in JSON, but nowhere else
                data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
            return JsonAnswer(data, bytes(body), response.url)
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "no content type")
            _refuse(ask, f"answered {len(body)} bytes of {kind}; expected JSON")
