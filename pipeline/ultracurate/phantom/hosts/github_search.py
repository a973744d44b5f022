"""The search syntax of GitHub's repositories: words, phrases, AND/OR/NOT and qualifiers such as `created:a..b`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ultracurate.phantom.hosts.records import HostRecord

_LENGTH = 256
_OPERATORS = 5
_PART = re.compile(r'(-?)(?:([a-z]+):)?("[^"]*"|\S+)')
_DAY = r"\d{4}-\d{2}-\d{2}"


class BadSearchError(ValueError):
    """A query that the host refuses."""


def search(records: Iterable[HostRecord], query: str) -> list[HostRecord]:
    """The open repositories that a query finds, in shelf order; raises `BadSearchError`."""
    if not query.strip():
        raise BadSearchError("missing")
    if len(query) > _LENGTH:
        raise BadSearchError(f"The search is longer than {_LENGTH} characters.")
    if len(re.findall(r"\b(?:AND|OR|NOT)\b", query)) > _OPERATORS:
        raise BadSearchError("More than five AND / OR / NOT operators were used.")
    choices = [_parts(choice) for choice in re.split(r"\s+OR\s+", query)]
    return [
        record
        for record in records
        if record.access == "open"
        and not record.deleted
        and any(all(_fits(record, *part) for part in choice) for choice in choices)
    ]


def _parts(query: str) -> list[tuple[bool, str, str]]:
    """(wanted, qualifier, value) of each part of a query."""
    text = re.sub(r"\bNOT\s+", "-", re.sub(r"\bAND\b", " ", query))
    return [(sign == "", name, value.strip('"')) for sign, name, value in _PART.findall(text)]


def _fits(record: HostRecord, wanted: bool, name: str, value: str) -> bool:
    if name == "created":
        found = _in_span(record.created, value)
    elif name == "topic":
        found = value.lower() in (word.lower().replace(" ", "-") for word in record.keywords)
    elif name == "license":
        found = value.lower() == (record.licence or "").lower()
    elif name in ("user", "org"):
        found = record.id.startswith(f"{value}/")
    elif name == "repo":
        found = record.id == value
    elif name:
        return True  # in:, sort:, fork:, ...: they leave out nothing here
    else:
        found = value.lower() in _text(record)
    return found == wanted


def _in_span(day: str, span: str) -> bool:
    """Whether a day lies in `a..b`, `>=a`, `<a`, or is `a`; an open end is "*"."""
    between = re.fullmatch(rf"({_DAY}|\*)\.\.({_DAY}|\*)", span)
    if between:
        first, last = between.groups()
        return (first == "*" or first <= day) and (last == "*" or day <= last)
    one = re.fullmatch(rf"(>=|<=|>|<|)({_DAY})", span)
    if one is None:
        raise BadSearchError(f'"{span}" is not a recognized date/time format.')
    edge = one[2]
    return {">=": day >= edge, "<=": day <= edge, ">": day > edge, "<": day < edge, "": day == edge}[one[1]]


@lru_cache(maxsize=32_768)
def _text(record: HostRecord) -> str:
    words = (record.id, record.title, record.description, *record.keywords)
    return " ".join(words).lower()
