"""HTTP answers read as what they mean: how long to wait, whether to ask again, and which state a refusal is."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import urllib3

from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._urls import redact, redact_text

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


def retry_after(response: requests.Response) -> float | None:
    """Seconds that a 429 or 503 asks to wait, from a number or an HTTP date; None when it asks nothing."""
    text = response.headers.get("Retry-After", "").strip()
    if response.status_code not in WAITS or not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def is_json(response: requests.Response) -> bool:
    """Whether the answer says it is JSON."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def looks_blocked(response: requests.Response) -> bool:
    """A 403 or 429 that the site's guard sent, not its programme: asking again makes it worse."""
    guarded = response.status_code in (403, 429) and not is_json(response)
    return guarded and "Retry-After" not in response.headers


def answer_error(response: requests.Response, what: str) -> SourceError:
    """The error for an answer that is not what was asked for."""
    status = response.status_code
    said = _words(response)
    state = _STATES.get(status, SourceState.UNREACHABLE if status >= 500 else SourceState.BAD_ANSWER)
    if looks_blocked(response) or "x-amzn-waf-action" in response.headers:
        state = SourceState.BLOCKED
    found = f"{what}: {redact(response.url)} answered {status}" + (f" ({said})" if said else "")
    return SourceError(state, found, status=status, retry_after=retry_after(response))


def _words(response: requests.Response) -> str:
    """What the host says in its JSON error body, shortened, with tombstones spelled out; empty for a page."""
    if not is_json(response):
        return ""
    try:
        body: Any = json.loads(_first_bytes(response))
    except (OSError, ValueError, RecursionError, urllib3.exceptions.HTTPError):
        return ""
    if not isinstance(body, dict):
        return ""
    parts = [str(body.get("message") or "")]
    errors = body.get("errors")
    parts += [
        f"{error.get('field')}: {' '.join(map(str, error.get('messages') or []))}"
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
    return redact_text(_without_token(text, response))[:400]


def _first_bytes(response: requests.Response) -> bytes:
    """The start of an error body, or what of it came in time: a host may send one byte a minute."""
    body, end = bytearray(), time.monotonic() + ERROR_SECONDS
    while len(body) < ERROR_BYTES and time.monotonic() < end:
        data = response.raw.read1(ERROR_BYTES - len(body), decode_content=True)
        if not data:
            break
        body += data
    return bytes(body)


def _without_token(text: str, response: requests.Response) -> str:
    """The text without the token that was sent: some hosts say back what they were asked."""
    token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
    return text.replace(token, "[redacted]") if token else text
