"""The collection manager of the Cancer Imaging Archive's site: what it says of collections and of single downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ultracurate.core.licences import find_licence
from ultracurate.core.private import hide_private
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, RemoteFile, SourceError, SourceState
from ultracurate.sources._fields import clean_name, count, day, obj, packed, rows, text, texts
from ultracurate.sources._http import Transport
from ultracurate.sources._urls import move, strip_secrets

SITE = "https://cancerimagingarchive.net/api/v1"
PAGE = 100
MOST_PAGES = 50
_COLLECTION = (
    "id,slug,title,collection_title,collection_short_title,collection_doi,collection_summary,"
    "collection_page_accessibility,collection_downloads,data_types,cancer_locations,version_number,date_updated"
)
_DOWNLOAD = "id,download_title,download_url,download_requirements,download_access,data_license,date_updated,file_type"
ASPERA = "an Aspera package, which no HTTP client can fetch"
LIMITED = "controlled data"
SIGNED = "an address with a login or signature of its own, which must not be kept"
MANIFEST = "a list of series for NBIA's own program"


class Site:
    """Asks one collection manager."""

    def __init__(self, http: Transport, base: str) -> None:
        self._http = http
        self._base = base

    def collections(self, words: str) -> Iterator[dict[str, Any]]:
        """Collections that a search finds."""
        return self._table("collections", {"search": words, "_fields": _COLLECTION}, f"TCIA search for {words!r}")

    def collection(self, key: str) -> dict[str, Any] | None:
        """The collection whose slug, short title or DOI this is, in lower case."""
        for row in self.collections(key):
            names = (row.get(name) for name in ("slug", "collection_short_title", "collection_doi"))
            if key in {(text(name) or "").lower() for name in names}:
                return row
        return None

    def downloads(self, numbers: list[int]) -> list[dict[str, Any]]:
        """What the site says of these downloads."""
        found: list[dict[str, Any]] = []
        for start in range(0, min(len(numbers), PAGE * MOST_PAGES), PAGE):
            chosen = ",".join(map(str, numbers[start : start + PAGE]))
            found += self._table("downloads", {"include": chosen, "_fields": _DOWNLOAD}, "TCIA downloads")
        return found

    def download(self, number: str) -> dict[str, Any]:
        """One download by its id."""
        ask = Ask(f"{self._base}/downloads/{number}", f"TCIA download {number}", kind="tcia")
        return obj(self._http.get_json(ask).data)

    def file(self, row: Mapping[str, Any]) -> RemoteFile | None:
        """A download as a file, with what hinders its fetching; None for a row that offers nothing.

        Its size is unknown: the site states it rounded.
        """
        link = text(row.get("download_url")) or ""
        number = count(row.get("id"))
        title = clean_name(text(row.get("download_title")) or "") or f"download {number}"
        if (text(row.get("download_access")) or "").lower() == "limited":
            return RemoteFile(title, "", problem=LIMITED)
        try:
            parts = urlsplit(link)
        except ValueError:
            return None
        wants = f"{link} {text(row.get('download_requirements')) or ''}".lower()
        if "aspera" in wants or "faspex" in wants:
            return RemoteFile(title, move(link, self._base, SITE), problem=ASPERA)
        if parts.scheme != "https" and parts.scheme != urlsplit(self._base).scheme:
            return None
        name = clean_name(unquote(PurePosixPath(parts.path).name))
        if not parts.hostname or not name.strip("_"):
            return None
        problem = MANIFEST if name.lower().endswith(".tcia") else None
        if parts.username or hide_private(link) != link:
            return RemoteFile(name, strip_secrets(link), problem=SIGNED)
        return RemoteFile(name, move(link, self._base, SITE), problem=problem)

    def _table(self, name: str, params: dict[str, str | int], what: str) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            ask = Ask(
                f"{self._base}/{name}", what, kind="tcia", params={**params, "per_page": PAGE, "page": page}, empty=[]
            )
            answer = self._http.get_json(ask)
            if not isinstance(answer.data, list):
                raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a list, found another shape")
            yield from rows(answer.data)
            if not answer.data or 'rel="next"' not in answer.headers.get("link", ""):
                return
        raise SourceError(SourceState.PARTIAL_LISTING, f"{what}: the list goes on after {MOST_PAGES} pages")


def candidate(row: dict[str, Any]) -> Candidate | None:
    """A collection as the site describes it, without files; None for a row without a name."""
    slug = text(row.get("slug")) or ""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", slug):
        return None
    limited = (text(row.get("collection_page_accessibility")) or "").lower() == "limited"
    return Candidate(
        host="tcia",
        record=slug,
        title=text(row.get("collection_title")) or text(obj(row.get("title")).get("rendered")) or slug,
        description=text(row.get("collection_summary")) or "",
        url=f"https://www.cancerimagingarchive.net/collection/{slug}/",
        doi=text(row.get("collection_doi")),
        version=text(row.get("version_number")),
        access="restricted" if limited else "open",
        keywords=(*texts(row.get("data_types")), *texts(row.get("cancer_locations"))),
        files_listed=False,
        published=day(row.get("date_updated")),
        raw=packed(row),
    )


def one_licence(written: list[tuple[str | None, str | None]]) -> tuple[str | None, str | None]:
    """Licence text and SPDX id of (name, address) pairs; parts under different licences have no single id."""
    pairs = sorted({(name or uri or "", uri or "") for name, uri in written if name or uri})
    found = {find_licence(uri) or find_licence(name) for name, uri in pairs}
    shown = "; ".join(sorted({name for name, _ in pairs})) or None
    return shown, found.pop() if len(found) == 1 else None
