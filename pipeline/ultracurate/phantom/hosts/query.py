"""What the searches of the local hosts find: words, "phrases", prefix*, fields, date ranges, AND, OR, NOT, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

from ultracurate.phantom.hosts.records import HostRecord, words_of
from ultracurate.phantom.hosts.wire import World

Test = Callable[[HostRecord], bool]
_TOKEN = re.compile(
    r'\s*(?:(?P<open>\()|(?P<close>\))|(?P<term>-?(?:[\w.]+:)?(?:"[^"]*"|[\[{][^\]}]*[\]}]|(?:\\.|[^\s()"\[\]])+)))'
)
_RANGE = re.compile(r"[\[{]\s*(\S+)\s+TO\s+(\S+)\s*[\]}]")
_FIELDS: dict[str, Callable[[HostRecord], str]] = {
    "title": lambda record: words_of(record.title),
    "keywords": lambda record: words_of(" ; ".join(record.keywords)),
    "description": lambda record: words_of(record.description),
    "resource_type.type": lambda record: words_of(record.kind),
    "doi": lambda record: words_of(record.doi or ""),
}
_DATES = ("created", "publication_date", "updated", "metadata.publication_date", "published")
_DEPTH = 100  # brackets inside brackets


class BadQueryError(ValueError):
    """The query string cannot be parsed; a real host fails on it as well."""


def parse(query: str) -> Test:
    """A test for records from a query in a small part of the Lucene syntax; words side by side must all be there.

    Raises BadQueryError for what the real parser refuses: an unquoted slash, a lone exclamation mark, an open quote
    or bracket, a dangling operator.
    """
    bare = re.sub(r"\\.", "", query)
    dangling = re.search(r"(&&|\|\||\bAND|\bOR|\bNOT)\s*$|(^|\s)!(\s|$)", bare)
    if bare.count('"') % 2 or bare.count("(") > _DEPTH or dangling:
        raise BadQueryError(query)
    tokens: list[str] = []
    place, end = 0, len(query.rstrip())
    while place < end:
        found = _TOKEN.match(query, place)
        if found is None:
            raise BadQueryError(query)
        tokens.append(found[0].strip())
        place = found.end()
    return _Parser(tokens, query).whole()


class _Parser:
    def __init__(self, tokens: list[str], query: str) -> None:
        self._tokens, self._query = tokens[::-1], query

    def whole(self) -> Test:
        if not self._tokens:
            return lambda record: True
        test = self._either()
        if self._tokens:
            raise BadQueryError(self._query)
        return test

    def _either(self) -> Test:
        tests = [self._all()]
        while self._tokens and self._tokens[-1] in ("OR", "||"):
            self._tokens.pop()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _all(self) -> Test:
        tests: list[Test] = []
        while self._tokens and self._tokens[-1] not in (")", "OR", "||"):
            word = self._tokens.pop()
            if word in ("AND", "&&"):
                continue
            if word in ("NOT", "-") or word.startswith("-"):
                inner = _term(word[1:], self._query) if len(word) > 1 and word[0] == "-" else self._one()
                tests.append(_negate(inner))
            else:
                self._tokens.append(word)
                tests.append(self._one())
        if not tests:
            raise BadQueryError(self._query)
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _one(self) -> Test:
        if not self._tokens:
            raise BadQueryError(self._query)
        word = self._tokens.pop()
        if word != "(":
            return _term(word, self._query)
        test = self._either()
        if not self._tokens or self._tokens.pop() != ")":
            raise BadQueryError(self._query)
        return test


def _negate(test: Test) -> Test:
    return lambda record: not test(record)


def _term(word: str, query: str) -> Test:
    found = re.fullmatch(r"(?:([\w.]+):)?(.+)", word, re.DOTALL)
    if found is None or word == ")":
        raise BadQueryError(query)
    name, value = (found[1] or "").removeprefix("metadata."), found[2]
    if name in _DATES:
        return _dates(value, query)
    if "/" in value and not ('"' in value or "\\/" in value):
        raise BadQueryError(query)
    prefix = value.endswith("*") and not value.endswith(("\\*", '"*'))
    value = re.sub(r"\\(.)", r"\1", value)
    if value == "*":
        return lambda record: True
    wanted = words_of(value)
    if not wanted.strip() or (name and name not in _FIELDS):
        return lambda record: False
    if prefix:
        wanted = wanted[:-1]
    look = _FIELDS.get(name)
    if look is None:
        return lambda record: wanted in record.text
    return lambda record: wanted in look(record)


def _dates(value: str, query: str) -> Test:
    found = _RANGE.fullmatch(value)
    if found is None:
        day = value.strip('"')
        return lambda record: record.created.startswith(day)
    first, last = found[1].strip('"'), found[2].strip('"')
    if not all(re.fullmatch(r"\*|\d{4}(-\d\d){0,2}(T.*)?", side) for side in (first, last)):
        raise BadQueryError(query)
    low = "" if first == "*" else first[:10]
    high = "9999" if last == "*" else last[:10] + "~"  # "~" sorts after "-": 2024 holds all of its days
    return lambda record: low <= record.created <= high


def recall(world: World, key: Hashable, make: Callable[[], Any]) -> Any:
    """What `make` gives, kept for this server until a record changes: later pages of a search cost nothing."""
    stamp = world.shelf.changes
    kept = world.memo.get(key)
    if kept is None or kept[0] != stamp:
        kept = world.memo[key] = (stamp, make())
    return kept[1]
