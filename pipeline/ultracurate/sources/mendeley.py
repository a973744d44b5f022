"""Mendeley Data: found through DataCite, read one dataset at a time through its public API (https://data.mendeley.com).

The terms of the site (clause 3.5) bar programs from its pages without written permission, so its own search stays off
until ULTRACURATE_MENDELEY_SITE_SEARCH=1 says that the user has it; DataCite gives the same metadata to everybody (CC0).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import ConfigError
from ultracurate.sources import _datacite, _mendeley_files
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Access, Candidate, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, day, obj, packed, rows, text, texts
from ultracurate.sources._mendeley_files import PUBLIC, Version
from ultracurate.sources._values import licence, related
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

SITE_SEARCH = "ULTRACURATE_MENDELEY_SITE_SEARCH"
CLIENT, KIND = "bl.mendeley", "dataset"
PREFIX = "10.17632"
SITE_PAGE, SITE_WINDOW, SITE_QUERY = 500, 10_000, 255
"""Of the site's own search: records a page, records over all pages, characters of a query."""
_ID = r"(?P<id>[a-z0-9]{10})"
_FORMS = re.compile(
    rf"(?:(?:https?://(?:dx\.)?doi\.org/|doi:)?{re.escape(PREFIX)}/{_ID}(?:\.(?P<doi_version>[0-9]{{1,4}}))?"
    rf"|(?:https?://data\.mendeley\.com/(?:public-api/)?datasets/)?{_ID.replace('id', 'own', 1)}"
    r"(?:/(?P<version>[0-9]{1,4}))?/?)",
    re.IGNORECASE,
)
_CHANGING = frozenset({"download_expiry_time", "download_url", "view_url"})
"""Another value at each reading, or an address that may be signed: never kept."""


@source("mendeley")
class MendeleySource(WebSource):
    """Mendeley Data, and DataCite to find what is there."""

    hosts = {"mendeley": PUBLIC, "datacite": _datacite.PUBLIC}  # noqa: RUF012 - read only
    limits = {"mendeley": 60.0, "mendeley.datacite": 120.0}  # noqa: RUF012 - read only
    """Requests a minute; neither host states one, and the guard in front of Mendeley blocks those who hurry."""
    parallel = 2

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._base = self.base("mendeley")
        environ = os.environ if context.environ is None else context.environ
        self._site = environ.get(SITE_SEARCH) == "1"

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Datasets for a query, each version once, best first, without their files.

        Raises `SourceError` with state `partial_listing` after the last record when the host has more than it shows.
        """
        if limit <= 0:
            return
        seen: set[str | None] = set()
        for found in self._site_hits(query) if self._site else self._dois(query):
            if found.record not in seen:
                seen.add(found.record)
                yield found
                if len(seen) >= limit:
                    return

    def _dois(self, query: str) -> Iterator[Candidate]:
        for row in _datacite.DoiSearch(self.http, self.base("datacite"), CLIENT, KIND).find(query):
            attributes = obj(row.get("attributes"))
            place = _place(text(attributes.get("url"))) or _place(text(attributes.get("doi")))
            if place is None:  # a repository beside Mendeley Data that registers its DOIs under the same name
                continue
            id, version = place
            if version is None:  # the DOI of all versions: the newest it names stands for them
                version = _newest(id, attributes)
            raw = packed(row)
            facts = _datacite.described(attributes)
            facts["doi"] = facts["doi"] if version is None else f"{PREFIX}/{id}.{version}"
            yield self._candidate(id, version, files_listed=False, raw=raw, **facts)

    def _site_hits(self, query: str) -> Iterator[Candidate]:
        if len(query) > SITE_QUERY:
            raise ConfigError(
                f"Mendeley's own search expects a query of at most {SITE_QUERY} characters, found {len(query)}. "
                f"Shorten it, or unset {SITE_SEARCH} to search through DataCite."
            )
        shown = total = 0
        for page in range(1, SITE_WINDOW // SITE_PAGE + 1):
            params = {"query": query, "type": "DATASET", "page": page, "page_size": SITE_PAGE}
            ask = self._ask("/api/research-data/search", f"Mendeley search for {query!r}", params=params)
            data = obj(self.http.get_json(ask).data)
            counted = count(data.get("total_records"))
            if not isinstance(data.get("records"), list) or counted is None:
                raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected `records` and `total_records`")
            total = counted
            shown += len(data["records"])
            for row in rows(data["records"]):
                if obj(row.get("source")).get("external") is not True and (place := _place(text(row.get("id")))):
                    yield self._site_hit(place[0], row)
            if not data["records"] or shown >= total:
                break
        if shown < total:
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"Mendeley has {total} datasets for {query!r} and showed {shown} of them (its window is {SITE_WINDOW})",
            )

    def _site_hit(self, id: str, row: dict[str, Any]) -> Candidate:
        return self._candidate(
            id,
            None,
            title=text(row.get("title")) or "",
            description=text(row.get("description")) or "",
            doi=f"{PREFIX}/{id}",
            access=_access(text(row.get("access")), None),
            keywords=texts(row.get("categories")),
            published=day(row.get("publication_date")),
            files_listed=False,
            raw=packed(row),
        )

    def describe(self, ref: SourceRef) -> Candidate:
        """One version of a dataset, the newest if none is named; a folder that is too long shows the whole zip."""
        found, version, whole = self._read(ref)
        return found if whole else replace(found, files=(_mendeley_files.whole_zip(self.http, self._base, version),))

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files, or those the manifest names; where the host lists only a part, the zip of the whole version."""
        found, version, whole = self._read(ref)
        where = f"Mendeley dataset {found.record}"
        if found.access != "open" and not found.files:
            until = f" until {_embargo(obj(json.loads(found.raw)))}" if found.access == "embargoed" else ""
            raise SourceError(
                SourceState.RESTRICTED,
                f"{where} ({found.url}) is {found.access}{until}: it shows no files",
                advice="Ask its owner on that page, then add the files you get as a `local` source.",
            )
        named = {file.name for file in ref.files}
        if not whole and not (named and named <= {file.name for file in found.files}):
            found = replace(found, files=(_mendeley_files.whole_zip(self.http, self._base, version),))
        if not found.files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(list(found.files), ref.files, where)

    def _ask(self, path: str, what: str, **more: Any) -> Ask:
        return Ask(self._base + path, what, kind="mendeley", **more)

    def _read(self, ref: SourceRef) -> tuple[Candidate, Version, bool]:
        """The dataset with the files the host lists, the version that is, and whether those are all."""
        place = _place((ref.record or "").strip())
        if place is None:
            raise ConfigError(
                "A mendeley source expects `record`: the id with its version (abc123def4/1), the page's address or the "
                f"DOI; found {ref.record!r}. Correct it in the dataset's manifest."
            )
        id, asked = place
        data = self._record(f"/public-api/datasets/{id}", f"Mendeley dataset {id}")
        newest = _version(data, id)
        if asked not in (None, newest):
            _refuse_gone(data, id, str(asked))
            data = self._record(f"/public-api/datasets/{id}/snapshot/{asked}", f"Mendeley dataset {id}/{asked}")
            if _version(data, id) != asked:
                raise SourceError(
                    SourceState.BAD_ANSWER, f"Mendeley dataset {id}: asked for version {asked}, got another"
                )
        number = asked or newest
        _refuse_gone(data, id, number)
        version = Version(id, number, number == newest)
        found = self._described(data, version)
        if found.access != "open":
            return found, version, True
        try:
            files, whole = _mendeley_files.listing(self.http, self._base, version)
        except SourceError as exc:
            if exc.state is not SourceState.RESTRICTED:
                raise
            return replace(found, access="restricted"), version, True
        return replace(found, files=files), version, whole

    def _record(self, path: str, what: str) -> dict[str, Any]:
        return obj(_lasting(self.http.get_json(self._ask(path, what)).data))

    def _described(self, data: dict[str, Any], version: Version) -> Candidate:
        terms = data.get("data_licence") or data.get("licence")
        named = obj(terms)
        raw, spdx = licence(named.get("short_name"), named.get("url"), named.get("full_name"), terms)
        links, doi = rows(data.get("related_links")), data.get("doi")
        return self._candidate(
            version.id,
            version.number,
            title=text(data.get("name")) or "",
            description=text(data.get("description")) or "",
            doi=text(obj(doi).get("id")) or text(doi),
            licence_raw=raw,
            licence_spdx=spdx,
            access=_access("restricted" if data.get("is_metadata_only") is True else "open", _embargo(data)),
            keywords=tuple(word for row in rows(data.get("categories")) if (word := text(row.get("label")))),
            total_bytes=count(data.get("size")),
            published=day(data.get("publish_date")),
            related=(*related(links, "rel", "href"), *related(links, "relation_type", "href")),
            raw=packed(data),
        )

    def _candidate(self, id: str, version: str | None, **facts: Any) -> Candidate:
        record = id if version is None else f"{id}/{version}"
        url, concept = f"{PUBLIC}/datasets/{record}", f"{PREFIX}/{id}"
        return Candidate(host="mendeley", record=record, url=url, version=version, concept=concept, **facts)


def _place(written: str | None) -> tuple[str, str | None] | None:
    """Id and version of a dataset, from its id, its page's address or its DOI; None for anything else."""
    found = _FORMS.fullmatch(written or "")
    if found is None:
        return None
    version = found["doi_version"] or found["version"]
    return (found["id"] or found["own"]).lower(), version and str(int(version))


def _newest(id: str, attributes: dict[str, Any]) -> str | None:
    """The highest version of a dataset among the identifiers that its DOI is related to."""
    links = [_place(text(link.get("relatedIdentifier"))) for link in rows(attributes.get("relatedIdentifiers"))]
    named = [int(link[1]) for link in links if link and link[0] == id and link[1]]
    return str(max(named)) if named else None


def _version(data: dict[str, Any], id: str) -> str:
    number = count(data.get("version"))
    if text(data.get("id")) != id or number is None or number > 9999:
        raise SourceError(SourceState.BAD_ANSWER, f"Mendeley dataset {id}: expected that `id` and a `version` number")
    return str(number)


def _refuse_gone(data: dict[str, Any], id: str, version: str) -> None:
    """Raise for a version that was withdrawn."""
    listed = [row for row in rows(data.get("versions")) if text(row.get("version")) == version]
    mine = text(data.get("version")) == version
    if any(row.get("available") is False for row in (*listed, *([data] if mine else []))):
        raise SourceError(SourceState.GONE, f"Version {version} of Mendeley dataset {id} was withdrawn")


def _embargo(data: dict[str, Any]) -> str | None:
    """The day an embargo ends, if that is still to come."""
    until = day(data.get("embargo_date"))
    return until if until and until > date.today().isoformat() else None


def _access(stated: str | None, embargo: str | None) -> Access:
    if stated == "open":
        return "embargoed" if embargo else "open"
    return "restricted" if stated == "restricted" else "embargoed" if stated == "embargoed" else "unknown"


def _lasting(data: Any) -> Any:
    """The answer without what changes at each reading; done in place, and without recursion, as depth is the host's."""
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            for name in _CHANGING & value.keys():
                del value[name]
            left += value.values()
        elif isinstance(value, list):
            left += value
    return data
