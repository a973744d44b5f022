"""Which candidates are the same thing twice: one record found again, another version of it, or the same files."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ultracurate.screening.contents import kind
from ultracurate.screening.likeness import Content, same_files
from ultracurate.screening.links import companions_of, copied_from, of_address, of_doi
from ultracurate.screening.text import content_words
from ultracurate.sources import Candidate, RemoteFile

Reason = Literal["duplicate_record", "duplicate_content"]
HOST_ORDER = ("zenodo", "mendeley", "figshare")
"""Of two uploads of one day, the original is at the earlier of these hosts, then at any other, then at Kaggle."""
_RELATED_LIKE = 0.5
"""Share of words that titles have in common before a stated relation counts: `derived from` is no copy."""
_PART = re.compile(
    r"\b(?:part|teil|partie|parte|vol(?:ume)?|batch|centre|center|site)\W{0,2}(\d{1,3}|[ivx]{1,4}|[a-z])\b", re.I
)
_NO_DAY = "9999"
_MAX_BUCKET = 40
"""Records that share a file are compared with each other up to this many; a licence text is shared by everybody."""


@dataclass(frozen=True, slots=True)
class Same:
    """A candidate is another one again."""

    of: int
    """Index of the one that is kept; it is never itself a duplicate."""
    reason: Reason
    why: str


def find_same(
    found: Sequence[Candidate],
    preference: Sequence[int] | None = None,
    inside: Sequence[Sequence[RemoteFile] | None] | None = None,
) -> dict[int, Same]:
    """The candidates that repeat another one, by index.

    Of versions of one record the newest is kept; of records with the same files the original: published first, then
    by host.

    Args:
        found: candidates of all hosts.
        inside: members of each one's archives, where somebody looked: some hosts unpack what others keep in a zip.
        preference: a number for each; a lower one is kept before a higher one, whatever their dates. None: all equal.
    """
    rank = list(preference or [0] * len(found))
    records = _Groups(len(found))
    _by_relation(found, records, _by_keys(found, records))
    files = _Groups(len(found))
    contents = [(n, Content.of(candidate)) for n, candidate in enumerate(found)]
    for n, packed in enumerate(inside or ()):
        if packed:
            loose = [file for file in found[n].files if kind(file.name) != "archive"]
            contents.append((n, Content.of(replace(found[n], files=(*loose, *packed)))))
    for a, b in _pairs([content for _, content in contents]):
        (one, mine), (other, theirs) = contents[a], contents[b]
        if records.root(one) != records.root(other) and files.root(one) != files.root(other):
            said = same_files(mine, theirs)
            if said:
                files.join(one, other, said)
    kept = {
        root: min(members, key=lambda n: (rank[n], *_newest_first(found[n]), n)) for root, members in records.sets()
    }
    days = {
        root: min((_day(found[n]) or _NO_DAY for n in members), default=_NO_DAY) for root, members in records.sets()
    }
    both = _Groups(len(found))
    for groups in (records, files):
        for one, other, said in groups.edges:
            both.join(one, other, said)
    made: dict[int, Same] = {}
    for _, members in both.sets():
        mains = sorted({kept[records.root(n)] for n in members})
        first = min(mains, key=lambda n: (rank[n], days[records.root(n)], _host_rank(found[n]), n))
        for n in members:
            if n != kept[records.root(n)]:
                made[n] = Same(first, "duplicate_record", records.why(n) or "the same record")
            elif n != first:
                made[n] = Same(first, "duplicate_content", files.why(n) or "a version of it has the same files")
    return made


def record_key(host: str, record: str | None) -> tuple[str, str] | None:
    """What all versions of a record share at its host, as far as its id shows; None without an id."""
    text = (record or "").strip().lower()
    if not text:
        return None
    link = of_doi(text) or (of_address(text) if "/" in text else None)
    if link is not None and link.host == host:
        text = link.record.lower()
    if host == "mendeley":
        text = re.split(r"[/.]", text)[0]
    elif host == "figshare":
        text = re.split(r"[/.v]", text)[0]
    elif host == "kaggle":
        text = re.sub(r"/versions?/\d{1,6}$", "", text)
    elif host == "zenodo":
        text = text.lstrip("0") or "0"
    return host, text


def keys(candidate: Candidate) -> list[tuple[str, str]]:
    """All that names this record: its id, DOI, address and concept; two records with one key in common are one."""
    made = [record_key(candidate.host, candidate.record)]
    stated = [of_doi(doi) for doi in (candidate.doi, candidate.concept) if doi]
    made += [record_key(link.host, link.record) for link in stated if link]
    if candidate.concept and not of_doi(candidate.concept):
        made.append(("concept of " + candidate.host, candidate.concept.strip().lower()))
    if candidate.url:
        link = of_address(candidate.url)
        if link is not None:
            made.append(record_key(link.host, link.record))
        elif "/" in (path := re.sub(r"^https?://(www\.)?", "", candidate.url.strip(), flags=re.I).rstrip("/")):
            made.append(("page", path))
    return list(dict.fromkeys(key for key in made if key is not None))


class _Groups:
    """Sets that grow together (union-find), each join with the words that say why."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))
        self.edges: list[tuple[int, int, str]] = []
        self._why: dict[int, str] = {}

    def root(self, n: int) -> int:
        while self._parent[n] != n:
            self._parent[n] = self._parent[self._parent[n]]
            n = self._parent[n]
        return n

    def join(self, one: int, other: int, said: str) -> None:
        a, b = self.root(one), self.root(other)
        if a != b:
            self._parent[max(a, b)] = min(a, b)
            self.edges.append((one, other, said))
            self._why.setdefault(one, said)
            self._why.setdefault(other, said)

    def why(self, n: int) -> str | None:
        return self._why.get(n)

    def sets(self) -> Iterator[tuple[int, list[int]]]:
        members: dict[int, list[int]] = defaultdict(list)
        for n in range(len(self._parent)):
            members[self.root(n)].append(n)
        yield from members.items()


def _by_keys(found: Sequence[Candidate], groups: _Groups) -> dict[tuple[str, str], int]:
    """Join records that share a key; the first record of each key comes back."""
    seen: dict[tuple[str, str], int] = {}
    for n, candidate in enumerate(found):
        for key in keys(candidate):
            first = seen.setdefault(key, n)
            if first != n:
                groups.join(first, n, f"both are {key[0]} {key[1]}"[:200])
    return seen


def _by_relation(found: Sequence[Candidate], groups: _Groups, place: dict[tuple[str, str], int]) -> None:
    """Records that a host, or their own words, call a copy or version of another, if their titles agree."""
    for n, candidate in enumerate(found):
        stated = [of_doi(text) or of_address(text) for text in candidate.related[:50]]
        apart = {record_key(link.host, link.record) for link in companions_of(candidate.description)}
        for link in (*stated, *copied_from(candidate.description)):
            key = record_key(link.host, link.record) if link else None
            if key in apart:
                continue
            other = place.get(key) if key else None
            if other is not None and other != n:
                mine, theirs = content_words(candidate.title), content_words(found[other].title)
                if _other_parts(candidate.title, found[other].title):
                    continue
                if mine and theirs and len(mine & theirs) >= _RELATED_LIKE * min(len(mine), len(theirs)):
                    groups.join(other, n, "the one is called a copy or version of the other")


def _other_parts(one: str, other: str) -> bool:
    """Whether the titles name different parts of one set; parts have nothing in common."""
    mine, theirs = (_PART.search(title[:400]) for title in (one, other))
    return mine is not None and theirs is not None and mine[1].lower() != theirs[1].lower()


def _pairs(contents: Sequence[Content]) -> Iterator[tuple[int, int]]:
    """Pairs that may have the same files: those that share one of a few telling files of each."""
    buckets: dict[object, list[int]] = defaultdict(list)
    for n, content in enumerate(contents):
        for mark in content.marks():
            buckets[mark].append(n)
    seen: set[tuple[int, int]] = set()
    for members in buckets.values():
        chosen: Iterable[tuple[int, int]] = (
            ((members[a], members[b]) for a in range(len(members)) for b in range(a + 1, len(members)))
            if len(members) <= _MAX_BUCKET
            else itertools.pairwise(members)
        )
        for pair in chosen:
            if pair not in seen:
                seen.add(pair)
                yield pair


def _newest_first(candidate: Candidate) -> tuple[int, int, str, int, bool]:
    """Sort key of versions, at one host: the number in id, DOI or version, then the date, then the id."""
    numbers = [0]
    for text, pattern in (
        (candidate.doi or "", r"\.v?(\d{1,4})$" if candidate.host in ("mendeley", "figshare") else r"(?!)"),
        (candidate.record or "", r"(?:/|\.)v?(\d{1,4})$" if candidate.host in ("mendeley", "figshare") else r"(?!)"),
        (candidate.version or "", r"^[vV]?(\d{1,4})(?:\.0)*$"),
    ):
        numbers += [int(match[1]) for match in [re.search(pattern, text.strip())] if match]
    own = candidate.record or ""
    day = _day(candidate)
    turned = "".join(chr(0x7F - ord(char)) for char in day) if day else "~"
    number = int(own) if re.fullmatch(r"[0-9]{1,15}", own) else 0
    return _host_rank(candidate), -max(numbers), turned, -number, not candidate.files


def _day(candidate: Candidate) -> str | None:
    text = (candidate.published or "")[:10]
    return text if re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text) else None


def _host_rank(candidate: Candidate) -> int:
    if candidate.host in HOST_ORDER:
        return HOST_ORDER.index(candidate.host)
    return len(HOST_ORDER) + (candidate.host == "kaggle")
