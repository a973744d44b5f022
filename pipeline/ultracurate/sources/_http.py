"""Polite HTTP: retries with backoff, limits, redirects that keep credentials at home, bounded answers."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from ultracurate.core.log import event
from ultracurate.sources._answers import REDIRECTS, RETRY, WAITS, answer_error, looks_blocked, retry_after
from ultracurate.sources._ask import (
    Ask,
    Credentials,
    JsonAnswer,
    TextAnswer,
    answer_key,
    pack_answer,
    unpack_answer,
)
from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._bodies import NUMBER, read_json, read_text
from ultracurate.sources._connections import Connections, watched_adapter
from ultracurate.sources._context import SourceContext
from ultracurate.sources._limits import Pacer, shared_pacer
from ultracurate.sources._urls import hide_token, move, origin, redact, redact_text

NETWORK_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.HTTPError,
)
MAX_HOPS = 8
MAX_BACKOFF = 60.0
PATIENT = 3
"""Attempts after the first that make a failure to connect one of the place, not of a moment."""
DEAD_SECONDS = 300.0
"""For so long a place that could not be connected to is tried once only: a recipe has dozens of sets at one host."""
SIGNED_TRIES = 3
"""How often a refused storage address is asked for anew before the refusal is believed."""
T = TypeVar("T")


class _RedactQueries(logging.Filter):
    """Keeps signed addresses out of urllib3's debug log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(redact_text(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_RedactQueries())


class _RefusedAwayError(Exception):
    """A storage host refused an address that another host gave us: it may have expired."""

    def __init__(self, error: SourceError) -> None:
        super().__init__()
        self.error = error


class Transport:
    """Asks one host, and those that its answers lead to; made for one thread."""

    def __init__(
        self,
        context: SourceContext,
        host: str,
        *,
        hosts: Mapping[str, str] | None = None,
        limits: Mapping[str, float] | None = None,
        waits: frozenset[int] = WAITS,
        at_once: int = 4,
    ) -> None:
        self.context = context
        self.host = host
        self._routes = [
            (public, context.base_url(name, public) or public) for name, public in (hosts or {}).items() if public
        ]
        self._routes.sort(key=lambda route: len(route[0]), reverse=True)  # the narrowest address wins
        self._limits = dict(limits or {})
        self._waits = waits
        self.at_once = at_once
        """Downloads that this host takes at the same time, unless a setting says otherwise."""
        self._connections = Connections(context.adapter or watched_adapter(context.header_seconds), context.timeout)

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._connections.close()

    def local(self, url: str) -> str:
        """A public address moved to where its host is configured to be; any other stays as it is."""
        for public, base in self._routes:
            if (moved := move(url, public, base)) != url:
                return moved
        return url

    def open(self, ask: Ask) -> requests.Response:
        """The streamed answer, after retries; the caller closes it. Refusals raise `SourceError`."""
        return self._attempt(ask, lambda response: response)

    def get_json(self, ask: Ask) -> JsonAnswer:
        """The parsed body, after retries; a partial list, a page or a broken body raises `SourceError`."""
        kept, key = self.context.answers, ""
        if kept is not None:
            key = answer_key(self.host, ask)
            if (known := kept.get(key)) is not None:
                return unpack_answer(known, ask.url)
        partial_is_answer = 206 in ask.accept
        full = replace(ask, headers={"Accept": "application/json", **ask.headers}, accept=ask.accept | {206})
        answer = self._attempt(full, lambda response: read_json(response, ask, self.context.clock, partial_is_answer))
        if ask.check is not None:
            ask.check(answer.data)
        if kept is not None:
            kept.put(key, pack_answer(answer))
        return answer

    def get_text(self, ask: Ask) -> TextAnswer:
        """The body as text, after retries; no more than a few MiB of it."""
        return self._attempt(ask, lambda response: read_text(response, ask, self.context.clock))

    def check_stop(self, ask: Ask) -> None:
        """Raise when somebody asked for an end."""
        if self.context.stop is not None and self.context.stop.is_set():
            raise SourceError(SourceState.UNREACHABLE, f"{ask.what}: stopped")

    def pause(self, attempt: int) -> None:
        """Sleep before attempt number `attempt` + 1: exponential, with jitter."""
        self.context.sleep(self.backoff(attempt))

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after failed attempt `attempt` (from 0)."""
        longest: float = min(MAX_BACKOFF, self.context.backoff * 2 ** min(attempt, 10))
        return longest * random.uniform(0.5, 1.5)  # jitter, not science

    def _attempt(self, ask: Ask, read: Callable[[requests.Response], T]) -> T:
        attempt = refused = 0
        while True:
            self.check_stop(ask)
            wait = self.backoff(attempt)
            status: int | None = None
            try:
                response = self._follow(ask)
                status = response.status_code
                if status == 200 or status in ask.accept:
                    return read(response)
                with response:
                    wait = self._wait_after(response, ask, attempt, wait)
            except _RefusedAwayError as exc:
                refused += 1
                if refused >= SIGNED_TRIES:
                    raise exc.error from None
                event("source.resolve_again", host=self.host, url=redact(ask.url), status=exc.error.status)
                attempt -= 1  # not a failed attempt of the host itself
                wait = self.backoff(refused - 1)
            except NETWORK_ERRORS as exc:
                tries = 0 if _is_dead(ask.url) else self.context.retries
                if attempt >= tries or isinstance(exc, requests.exceptions.SSLError):
                    if attempt >= PATIENT:
                        _note_dead(ask.url, exc)
                    raise unreachable(exc, ask) from None
            except (requests.RequestException, ValueError) as exc:  # not an address, a broken redirect, ...
                raise SourceError(
                    SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} failed: {type(exc).__name__}"
                ) from None
            event("source.retry", host=self.host, url=redact(ask.url), status=status, wait=round(wait, 1))
            self.context.sleep(wait)
            attempt += 1

    def _wait_after(self, response: requests.Response, ask: Ask, attempt: int, wait: float) -> float:
        """Seconds before asking again after a hiccup; anything else raises what it means."""
        status = response.status_code
        asked = retry_after(response, self._waits)
        hiccup = (status in RETRY and status not in ask.no_retry) or (status in self._waits and asked is not None)
        blocked = looks_blocked(response) and asked is None
        allowed = min(1, self.context.retries) if blocked else self.context.retries
        if not hiccup or attempt >= allowed:
            raise answer_error(response, ask.what, asked if hiccup else None)
        if asked is not None and asked > self.context.max_wait:
            raise answer_error(response, f"{ask.what} (the host asks to wait {asked:.0f} s)", asked)
        return wait if asked is None else asked

    def _follow(self, ask: Ask) -> requests.Response:
        """One request through its redirects; the token goes to the first origin only."""
        first = ask.resolve() if ask.resolve else ask
        url, params, json = first.url, dict(first.params), first.json
        for _ in range(MAX_HOPS):
            at_home = origin(url) == origin(first.url)
            headers = {**first.headers, **(ask.headers if ask.resolve else {})} if at_home else dict(ask.headers)
            self._throttle(url, ask.kind)
            response = self._connections.send(
                requests.Request(
                    "GET" if json is None else "POST",
                    url,
                    params=params,
                    json=json,
                    headers={"User-Agent": self.context.user_agent, **headers},
                    auth=Credentials(first.token if at_home else None, first.scheme),
                )
            )
            _hide_said_back(response)
            self._note_limit(response, url, ask.kind)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or not location:
                away = origin(url) != origin(ask.url)
                if away and response.status_code in (400, 401, 403) and response.status_code not in ask.accept:
                    with response:
                        raise _RefusedAwayError(answer_error(response, f"{ask.what} at its storage host"))
                return response
            response.close()
            following = self._next(ask, url, urljoin(response.url, location))
            if json is not None and response.status_code in (307, 308) and origin(following) != origin(url):
                refuse(ask, "sends a question with a body on to another host")
            json = json if response.status_code in (307, 308) else None
            url, params = following, {}
        raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} sends on more than {MAX_HOPS} times")

    def _next(self, ask: Ask, url: str, location: str) -> str:
        try:
            following = self.local(location)
            target = urlsplit(following)
            usable = target.scheme in ("http", "https") and target.hostname and target.port != 0
        except ValueError:  # a broken IPv6 address, a port beyond 65535
            usable = False
        if not usable:
            refuse(ask, "sends on to something that is not a web address")
        if urlsplit(url).scheme == "https" and target.scheme == "http":
            refuse(ask, f"sends on from https to unencrypted http at {target.hostname}")
        return following

    def _pacer(self, url: str, kind: str) -> Pacer | None:
        per_minute = self.context.limit(kind, self._limits.get(kind, 0))
        return None if per_minute is None else shared_pacer(self.context, urlsplit(url).netloc, kind, per_minute)

    def _throttle(self, url: str, kind: str) -> None:
        if pacer := self._pacer(url, kind):
            pacer.take()

    def _note_limit(self, response: requests.Response, url: str, kind: str) -> None:
        reset = response.headers.get("X-RateLimit-Reset", "")
        if response.headers.get("X-RateLimit-Remaining") != "0" or not NUMBER.fullmatch(reset):
            return
        if pacer := self._pacer(url, kind):
            pacer.hold(min(max(0.0, int(reset) - time.time()), self.context.max_wait))  # epoch seconds


_dead: dict[str, float] = {}


def _is_dead(url: str) -> bool:
    """Whether this process has just tried in vain, for as long as it is patient, to connect to that place."""
    return time.monotonic() < _dead.get(urlsplit(url).netloc, 0.0)


def _note_dead(url: str, exc: BaseException) -> None:
    if isinstance(exc, requests.ConnectionError) and not isinstance(exc, requests.ReadTimeout):
        _dead[urlsplit(url).netloc] = time.monotonic() + DEAD_SECONDS


def _hide_said_back(response: requests.Response) -> None:
    """Take the token out of the answer's headers: some end in a message, others in a note beside a file."""
    token = str(response.request.headers.get("Authorization", "")).rpartition(" ")[2]
    for name, value in list(response.headers.items()):
        if token and name != "Location":
            response.headers[name] = hide_token(value, token)


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


def refuse(ask: Ask, why: str) -> NoReturn:
    """Raise that the host's answer is not what it should be."""
    raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} {why}")
