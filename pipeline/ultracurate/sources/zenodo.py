"""Zenodo: search, records and files through its records API (https://developers.zenodo.org)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import ConfigError
from ultracurate.core.licences import find_licence
from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import (
    Access,
    Candidate,
    RemoteFile,
    SourceError,
    SourceState,
    select_files,
    source,
)
from ultracurate.sources._context import SourceContext
from ultracurate.sources._urls import quote_path, safe_name
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

PUBLIC = "https://zenodo.org"
TOKEN = "ZENODO_TOKEN"  # noqa: S105 - the name of a variable, not a secret
LIMITS = {"zenodo.search": 30.0, "zenodo": 133.0}
"""Requests a minute of a guest, as the site's own X-RateLimit headers say."""
PAGE_GUEST, PAGE_TOKEN = 25, 100
TYPES = ("dataset", "image", "video")
"""Types of records that hold pictures, the likeliest first; the host searches one at a time."""
FIRST_DAY = date(2013, 1, 1)
"""Zenodo opened in May 2013."""
WINDOW = 10_000
"""Results that a query can reach, over all its pages."""
_RECORD = re.compile(r"(?:(?:https?://(?:dx\.)?doi\.org/)?10\.\d+/zenodo\.|https?://[^/]+/records?/)?(\d+)/?")
_ACCESS: dict[str, Access] = {
    "open": "open",
    "restricted": "restricted",
    "embargoed": "embargoed",
    "closed": "closed",
}


@dataclass(frozen=True, slots=True)
class _Query:
    """A search as it is asked; `plain` when its operators were escaped already."""

    text: str
    size: int
    type: str
    plain: bool = False
    days: tuple[date, date] | None = None
    """Only records created from the first day to the last, both included."""

    def q(self) -> str:
        """In the host's own syntax."""
        if self.days is None:
            return self.text
        return f"({self.text}) AND created:[{self.days[0]} TO {self.days[1]}]"

    def halves(self) -> tuple[_Query, _Query] | None:
        """The query for each half of its days; None when it is one day already."""
        first, last = self.days or (FIRST_DAY, date.today() + timedelta(days=1))
        if first >= last:
            return None
        middle = first + (last - first) // 2
        return replace(self, days=(first, middle)), replace(self, days=(middle + timedelta(days=1), last))


@source("zenodo")
class ZenodoSource(WebSource):
    """One Zenodo, or another host that speaks the same API."""

    hosts = {"zenodo": PUBLIC}  # noqa: RUF012 - read only
    limits = LIMITS
    parallel = 2
    """More than that drew blocks."""

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._base = self.base("zenodo")
        self._token = self.token(TOKEN)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Published datasets, then images and videos, for a query in OpenSearch syntax, best first, each record once.

        The host shows 10,000 results of a query; for more, it is asked by days of creation, newest first. Raises
        `SourceError` with state `partial_listing` after the last record when the host has more than it shows.
        """
        seen: set[str] = set()
        partial: SourceError | None = None
        slices = [_Query(query, PAGE_TOKEN if self._token else PAGE_GUEST, kind) for kind in reversed(TYPES)]
        while slices and len(seen) < limit:
            asked = slices.pop()
            hits, total, asked = self._page(asked, 1)
            if total > WINDOW and limit - len(seen) > WINDOW and (halves := asked.halves()):
                slices += halves
                continue
            try:
                yield from self._pages(asked, hits, total, limit, seen)
            except SourceError as exc:
                if exc.state is not SourceState.PARTIAL_LISTING:
                    raise
                partial = exc  # the other types and days are still worth asking for
        if partial is not None:
            raise partial

    def _pages(
        self, asked: _Query, hits: list[dict[str, Any]], total: int, limit: int, seen: set[str]
    ) -> Iterator[Candidate]:
        """All records of one query within the host's window, its first page given."""
        page, rows = 1, 0
        while True:
            rows += len(hits)
            for hit in hits:
                record = str(hit.get("id") or hit.get("recid") or "")
                if record in seen or len(seen) >= limit:
                    continue
                seen.add(record)
                yield self._candidate(hit, json.dumps(hit, ensure_ascii=False, sort_keys=True).encode())
            if len(seen) >= limit or rows >= total:
                return
            page += 1
            if not hits or page * asked.size > WINDOW:
                raise SourceError(
                    SourceState.PARTIAL_LISTING,
                    f"Zenodo has {total} records for {asked.text!r} and showed {rows} of them (its window is {WINDOW})",
                )
            hits, total, asked = self._page(asked, page)

    def describe(self, ref: SourceRef) -> Candidate:
        """The record; the id of a concept leads to its newest version, whose own id is in the answer."""
        record = _record_id(ref)
        answer = self.http.get_json(self._ask(f"{self._base}/api/records/{record}", f"Zenodo record {record}"))
        found = self._candidate(answer.data, answer.raw)
        if found.record != record:
            event("zenodo.concept", asked=record, record=found.record)
        return found

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The record's files, or those the manifest names; a restricted record is an error, not an empty list."""
        found = self.describe(ref)
        where = f"Zenodo record {found.record}"
        if not found.files and found.access in ("restricted", "embargoed", "closed"):
            raise SourceError(SourceState.RESTRICTED, f"{where} ({found.url}) is {found.access}: it shows no files")
        if not found.files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(list(found.files), ref.files, where)

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file at Zenodo, with the token; then its mirrors, without."""
        first, *mirrors = super().asks(file)
        return [replace(first, token=self._token), *mirrors]

    def _ask(self, url: str, what: str, **more: Any) -> Ask:
        return Ask(url, what, **{"kind": "zenodo", "token": self._token, **more})

    def _page(self, query: _Query, page: int) -> tuple[list[dict[str, Any]], int, _Query]:
        """One page of hits with the total, and the query as the host accepted it."""
        first_try = page == 1 and not query.plain
        ask = self._ask(
            f"{self._base}/api/records",
            f"Zenodo search for {query.text!r}",
            kind="zenodo.search",
            params={"q": query.q(), "type": query.type, "sort": "bestmatch", "size": query.size, "page": page},
            no_retry=frozenset({500}) if first_try else frozenset(),
        )
        try:
            data = self.http.get_json(ask).data
        except SourceError as exc:
            if exc.status == 400 and page == 1 and query.size > PAGE_GUEST:  # the token is not honoured
                return self._page(replace(query, size=PAGE_GUEST), page)
            if exc.status in (400, 500) and first_try:  # not a query in its syntax: ask for its words
                return self._page(replace(query, text=escape_query(query.text), plain=True), page)
            raise
        hits = data.get("hits") if isinstance(data, dict) else None
        if not isinstance(hits, dict) or not isinstance(hits.get("hits"), list):
            raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected `hits.hits`, found another shape")
        total = hits.get("total")
        rows = [hit for hit in hits["hits"] if isinstance(hit, dict) and hit]
        return rows, total if isinstance(total, int) else len(rows), query

    def _candidate(self, data: Any, raw: bytes) -> Candidate:
        if not isinstance(data, dict) or not str(data.get("id") or data.get("recid") or "").isdigit():
            raise SourceError(SourceState.BAD_ANSWER, "Zenodo answered a record without an id")
        record = str(data.get("id") or data.get("recid"))
        meta = data.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        licence = meta.get("license")
        licence = licence.get("id") if isinstance(licence, dict) else licence
        files, keywords = data.get("files"), meta.get("keywords")
        return Candidate(
            host="zenodo",
            record=record,
            title=str(meta.get("title") or data.get("title") or ""),
            description=str(meta.get("description") or ""),
            url=f"{PUBLIC}/records/{record}",
            doi=_text(meta.get("doi") or data.get("doi")),
            version=_text(meta.get("version")),
            licence_raw=_text(licence),
            licence_spdx=find_licence(str(licence)) if licence else None,
            access=_ACCESS.get(str(meta.get("access_right")), "unknown"),
            keywords=tuple(map(str, keywords if isinstance(keywords, list) else ())),
            files=tuple(
                self._file(record, entry)
                for entry in (files if isinstance(files, list) else ())
                if isinstance(entry, dict) and entry
            ),
            concept=_text(data.get("conceptdoi") or data.get("conceptrecid")),
            published=_day(meta.get("publication_date") or data.get("created")),
            related=tuple(_related(meta.get("related_identifiers"))),
            raw=raw,
        )

    def _file(self, record: str, entry: dict[str, Any]) -> RemoteFile:
        """A file in either shape: `key`, `size`, `md5:<hex>`; or, of October 2023, `filename`, `filesize`, bare hex."""
        key = safe_name(str(entry.get("key") or entry.get("filename") or ""), f"Zenodo record {record}")
        size = entry.get("size", entry.get("filesize"))
        checksum = _text(entry.get("checksum"))
        if checksum and ":" not in checksum:
            checksum = f"md5:{checksum}"
        known = bool(checksum and re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", checksum.lower()))
        return RemoteFile(
            name=key,
            # Rebuilt, as the links inside answers name the public host and may be unescaped.
            url=f"{PUBLIC}/api/records/{record}/files/{quote_path(key)}/content",
            size=size if type(size) is int and 0 <= size < 1 << 63 else None,
            checksum=checksum.lower() if checksum and known else None,
        )


def escape_query(query: str) -> str:
    """The words of a query with its operators taken literally (Lucene syntax); `<` and `>` cannot be escaped."""
    words = re.sub(r"[<>]", " ", query)
    words = re.sub(r"\b(AND|OR|NOT)\b", lambda match: match[0].lower(), words)
    return " ".join(re.sub(r'([+\-=&|!(){}\[\]^"~*?:\\/])', r"\\\1", words).split())


def _record_id(ref: SourceRef) -> str:
    match = _RECORD.fullmatch((ref.record or "").strip())
    if match is None:
        raise ConfigError(
            f"A zenodo source expects `record`: the number in the record's address or its DOI; found {ref.record!r}. "
            "Correct it in the dataset's manifest."
        )
    return match[1]


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _day(value: Any) -> str | None:
    """YYYY-MM-DD of a date as the host writes it; a year alone says too little."""
    match = re.match(r"\d{4}-\d{2}-\d{2}", str(value or ""))
    return match[0] if match else None


SAME = frozenset({"isidenticalto", "isversionof", "hasversion", "isderivedfrom", "isvariantformof", "isoriginalformof"})
"""Relations that make two records one set of data (DataCite's words, in lower case)."""


def _related(value: Any) -> Iterator[str]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and str(entry.get("relation")).lower() in SAME and entry.get("identifier"):
            yield str(entry["identifier"])
