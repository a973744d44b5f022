"""Bodies of answers, read within bounds: a host may send bytes for ever, one a minute, or something else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import requests

from ultracurate.sources._ask import Ask, JsonAnswer, TextAnswer, whole_characters
from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._connections import read_some
from ultracurate.sources._urls import hide_token, redact

MAX_JSON = 64 << 20
"""Bytes of a JSON answer; a listing is never larger, an endless body would fill the memory."""
MAX_TEXT = 8 << 20
"""Bytes of a page or side file."""
MAX_SECONDS = 300.0
"""For one answer: a host that sends a byte a minute never meets the limit between two pieces."""
NUMBER = re.compile(r"[0-9]{1,18}")
"""A number in a header; `str.isdigit` also takes superscripts, and `int` refuses thousands of digits."""


def read_json(
    response: requests.Response, ask: Ask, clock: Callable[[], float], partial_is_answer: bool = False
) -> JsonAnswer:
    """The parsed body; `SourceError` for a part of a list (unless that is an answer), a page or a broken body."""
    with response:
        body = _bounded(response, ask, clock, MAX_JSON, "JSON")
        if ask.token:  # the answer is kept, and a host may say back what it was asked with
            body = hide_token(body.decode("utf-8", "surrogateescape"), ask.token).encode("utf-8", "surrogateescape")
        headers = _headers(response)
        if response.status_code == 206 and not partial_is_answer:
            span = headers.get("content-range", "a part of the list")
            raise SourceError(
                SourceState.PARTIAL_LISTING, f"{ask.what}: {redact(ask.url)} gave only {span}", status=206
            )
        if not body.strip() and ask.empty is not None:
            body = json.dumps(ask.empty).encode()
        try:
            data = whole_characters(json.loads(body), body)
            return JsonAnswer(data, body, response.url, headers, response.status_code)
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "no content type")
            raise SourceError(
                SourceState.BAD_ANSWER,
                f"{ask.what}: {redact(ask.url)} answered {len(body)} bytes of {kind}; expected JSON",
            ) from None


def read_text(response: requests.Response, ask: Ask, clock: Callable[[], float]) -> TextAnswer:
    """The body as text; what is not UTF-8 is replaced."""
    with response:
        body = _bounded(response, ask, clock, MAX_TEXT, "text")
        text = body.decode("utf-8", "replace")
        if ask.token:
            text = hide_token(text, ask.token)
        return TextAnswer(text, response.url, _headers(response))


def _headers(response: requests.Response) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _bounded(response: requests.Response, ask: Ask, clock: Callable[[], float], most: int, what: str) -> bytes:
    body, end = bytearray(), clock() + MAX_SECONDS
    while chunk := read_some(response, 1 << 16, MAX_SECONDS, decode=True):
        body += chunk
        if len(body) > most:
            raise SourceError(
                SourceState.BAD_ANSWER, f"{ask.what}: {redact(ask.url)} answered more than {most >> 20} MiB of {what}"
            )
        if clock() > end:
            raise requests.Timeout
    return bytes(body)
