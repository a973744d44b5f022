"""DataCite's DOI search (https://support.datacite.org/docs/api), for hosts that offer no search to programs.

Pages by number come best first and reach 10,000 results; a cursor reaches all of them, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Access, SourceError, SourceState
from ultracurate.sources._fields import count, day, obj, rows, text
from ultracurate.sources._http import Transport
from ultracurate.sources._values import licence, related
from ultracurate.sources.zenodo import escape_query

PUBLIC = "https://api.datacite.org"
PAGE = 100
WINDOW = 10_000
"""Results that page numbers reach."""
MAX_CURSOR = 2000
"""Characters of a cursor; it goes into an address."""
_RIGHTS = "info:eu-repo/semantics/"
_ACCESS: dict[str, Access] = {
    "openaccess": "open",
    "restrictedaccess": "restricted",
    "embargoedaccess": "embargoed",
    "closedaccess": "closed",
}


class DoiSearch:
    """The datasets of one repository at DataCite."""

    def __init__(self, http: Transport, base: str, client: str, kind: str) -> None:
        self._http, self._base, self._client, self._kind = http, base, client, kind

    def find(self, query: str) -> Iterator[dict[str, Any]]:
        """All DOIs for a query in OpenSearch syntax, as the host describes them, each once, best first.

        Raises `SourceError` with state `partial_listing` after the last one when the host counts more than it shows.
        """
        seen: set[str] = set()
        total, page = 0, 1
        while page * PAGE <= WINDOW:
            query, found, total, _ = self._page(query, {"page[number]": page}, first=page == 1)
            yield from _new(found, seen)
            if not found or len(seen) >= total:
                break
            page += 1
        if len(seen) < total:  # beyond the window, or equally good ones changed places between two pages
            yield from self._by_cursor(query, seen, total)
        if len(seen) < total:
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"DataCite has {total} datasets of {self._client} for {query!r} and showed {len(seen)} of them",
            )

    def _by_cursor(self, query: str, seen: set[str], total: int) -> Iterator[dict[str, Any]]:
        cursor, used, idle = "1", set[str](), 0
        while cursor and cursor not in used and len(seen) < total:
            used.add(cursor)
            query, found, _, cursor = self._page(query, {"page[cursor]": cursor}, first=False)
            before = len(seen)
            yield from _new(found, seen)
            idle = 0 if len(seen) > before else idle + 1
            if not found or idle > IDLE_PAGES:
                return

    def _page(
        self, query: str, place: Mapping[str, str | int], *, first: bool
    ) -> tuple[str, list[dict[str, Any]], int, str]:
        """The query as the host accepted it, one page of DOIs, their number over all pages, the next cursor."""
        ask = Ask(
            f"{self._base}/dois",
            f"DataCite search for {query!r}",
            kind="mendeley.datacite",
            params={
                "query": query,
                "client-id": self._client,
                "resource-type-id": self._kind,
                "page[size]": PAGE,
                **place,
            },
            no_retry=frozenset({500}) if first else frozenset(),
        )
        try:
            data = obj(self._http.get_json(ask).data)
        except SourceError as exc:
            plain = escape_query(query)
            if first and exc.status in (400, 500) and plain != query:  # not a query in its syntax: ask for its words
                return self._page(plain, place, first=False)
            raise
        total = count(obj(data.get("meta")).get("total"))
        if not isinstance(data.get("data"), list) or total is None:
            raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected `data` and `meta.total`, found neither")
        return query, rows(data["data"]), total, _cursor(obj(data.get("links")).get("next"))


IDLE_PAGES = 100
"""Pages in a row without a new record, about the window that was read by page numbers; then there is nothing more."""


def _new(found: list[dict[str, Any]], seen: set[str]) -> Iterator[dict[str, Any]]:
    for row in found:
        doi = (text(row.get("id")) or "").lower()
        if doi and doi not in seen:
            seen.add(doi)
            yield row


def _cursor(link: Any) -> str:
    """The cursor in a link to the next page; the link itself names the public host and is not followed."""
    try:
        found = parse_qs(urlsplit(text(link) or "").query).get("page[cursor]", [""])[-1]
    except ValueError:  # not an address, or too many fields
        return ""
    return found if len(found) <= MAX_CURSOR else ""


def described(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What a DOI's `attributes` say, under the names that `Candidate` has for it."""
    abstracts = _those(attributes, "descriptions", "descriptionType", "Abstract")
    issued = _those(attributes, "dates", "dateType", "Issued")
    rights = rows(attributes.get("rightsList"))
    words = [text(row.get("rightsUri")) or "" for row in rights]
    opened = [word.removeprefix(_RIGHTS).lower() for word in words if word.startswith(_RIGHTS)]
    terms = [row for row, word in zip(rights, words, strict=True) if not word.startswith(_RIGHTS)]
    raw, spdx = licence(*(row.get(name) for name in ("rightsIdentifier", "rightsUri", "rights") for row in terms))
    return {
        "title": next(_texts(attributes.get("titles"), "title"), ""),
        "description": "\n\n".join(_texts(abstracts, "description")),
        "doi": text(attributes.get("doi")),
        "keywords": tuple(_texts(attributes.get("subjects"), "subject")),
        "licence_raw": raw,
        "licence_spdx": spdx,
        "access": next((_ACCESS[word] for word in opened if word in _ACCESS), "unknown"),
        "published": next(filter(None, (day(row.get("date")) for row in issued)), day(attributes.get("created"))),
        "related": tuple(related(rows(attributes.get("relatedIdentifiers")), "relationType", "relatedIdentifier")),
    }


def _those(attributes: Mapping[str, Any], name: str, field: str, kind: str) -> list[dict[str, Any]]:
    return [row for row in rows(attributes.get(name)) if row.get(field) == kind]


def _texts(listed: Any, field: str) -> Iterator[str]:
    return (found for row in rows(listed) if (found := text(row.get(field))))
