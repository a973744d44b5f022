"""HTTP answers read as what they mean: how long to wait, whether to ask again, and which state a refusal is."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import urllib3

from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._connections import read_some
from ultracurate.sources._urls import hide_token, redact, redact_text

if TYPE_CHECKING:
    import requests

RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
WAITS = frozenset({429, 503})
"""Only these may carry a Retry-After that counts: Zenodo sends one with every 200."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ERROR_BYTES = 65536
"""How much of an error body is read at most."""
ERROR_SECONDS = 20.0
"""How long an error body is read at most."""

_STATES = {
    401: SourceState.RESTRICTED,
    402: SourceState.TERMS_REQUIRED,
    403: SourceState.RESTRICTED,
    404: SourceState.NOT_FOUND,
    408: SourceState.UNREACHABLE,
    410: SourceState.GONE,
    425: SourceState.UNREACHABLE,
    429: SourceState.QUOTA,
    451: SourceState.GONE,
}


def retry_after(response: requests.Response, waits: frozenset[int] = WAITS) -> float | None:
    """Seconds that one of these statuses asks to wait, from a number or an HTTP date; None when it asks nothing.

    Where a 403 may ask (GitHub), its X-RateLimit-Remaining of 0 asks to wait until X-RateLimit-Reset.
    """
    text = response.headers.get("Retry-After", "").strip()
    status = response.status_code
    if status not in waits:
        return None
    reset = response.headers.get("X-RateLimit-Reset", "")
    if not text and status == 403 and response.headers.get("X-RateLimit-Remaining") == "0" and reset.isascii():
        return max(1.0, int(reset[:18]) - time.time()) if reset.isdigit() else None
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def is_json(response: requests.Response) -> bool:
    """Whether the answer says it is JSON."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def looks_blocked(response: requests.Response) -> bool:
    """A 403 or 429 that the site's guard sent, not its programme: asking again makes it worse."""
    xml = "xml" in response.headers.get("Content-Type", "")  # a storage host's own refusal
    guarded = response.status_code in (403, 429) and not is_json(response) and not xml
    return guarded and "Retry-After" not in response.headers


def answer_error(response: requests.Response, what: str, asked: float | None = None) -> SourceError:
    """The error for an answer that is not what was asked for; `asked` says for how long the host asks to wait."""
    status = response.status_code
    said = _words(response)
    state = _STATES.get(status, SourceState.UNREACHABLE if status >= 500 else SourceState.BAD_ANSWER)
    if looks_blocked(response) or "x-amzn-waf-action" in response.headers:
        state = SourceState.BLOCKED
    if asked is not None or (status == 403 and "rate limit" in said.lower()):
        state = SourceState.QUOTA
    found = f"{what}: {redact(response.url)} answered {status}" + (f" ({said})" if said else "")
    return SourceError(state, found, status=status, retry_after=asked if asked is not None else retry_after(response))


def _words(response: requests.Response) -> str:
    """What the host says in its JSON error body, shortened, with tombstones spelled out; empty for a page."""
    if "xml" in response.headers.get("Content-Type", ""):
        code = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", _bytes_or_none(response))
        return code[1].decode() if code else ""
    if not is_json(response):
        return ""
    try:
        body: Any = json.loads(_first_bytes(response))
    except (OSError, ValueError, RecursionError, urllib3.exceptions.HTTPError):
        return ""
    if not isinstance(body, dict):
        return ""
    inner = body.get("error")  # Kaggle's newer host, and others behind the same gateway
    said = body.get("message") or (inner.get("message") if isinstance(inner, dict) else None)
    said = said or body.get("reason") or body.get("detail")  # Synapse; Grand Challenge
    parts = [str(said or "")]
    errors = body.get("errors")
    parts += [
        f"{error.get('field')}: {' '.join(_list_of_text(error.get('messages')))}"
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    tombstone = body.get("tombstone")
    if isinstance(tombstone, dict):
        reason = tombstone.get("removal_reason")
        parts.append(f"reason: {reason.get('id')}" if isinstance(reason, dict) else "")
        parts.append(str(tombstone.get("note") or ""))
        parts.append(f"removed {tombstone['removal_date']}" if tombstone.get("removal_date") else "")
    text = "; ".join(part.strip().rstrip(".") for part in parts if part.strip())
    return redact_text(_without_token(text, response)[:2000])[:400]


def _list_of_text(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _bytes_or_none(response: requests.Response) -> bytes:
    try:
        return _first_bytes(response)
    except (OSError, urllib3.exceptions.HTTPError):
        return b""


def _first_bytes(response: requests.Response) -> bytes:
    """The start of an error body, or what of it came in time: a host may send one byte a minute."""
    body, end = bytearray(), time.monotonic() + ERROR_SECONDS
    while len(body) < ERROR_BYTES and time.monotonic() < end:
        data = read_some(response, ERROR_BYTES - len(body), ERROR_SECONDS, decode=True)
        if not data:
            break
        body += data
    return bytes(body)


def _without_token(text: str, response: requests.Response) -> str:
    """The text without the token that was sent: some hosts say back what they were asked."""
    token = str(response.request.headers.get("Authorization", "")).rpartition(" ")[2]
    return hide_token(text, token)
