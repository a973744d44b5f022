"""An article of figshare read from the JSON of its API, and what a manifest may call it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import ConfigError
from ultracurate.sources._base import Access, Candidate
from ultracurate.sources._fields import count, day, obj, packed, rows, text, texts
from ultracurate.sources._values import licence, related

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

WEB = "https://figshare.com"
_ID = r"(?P<id>[0-9]{1,18})"
_NUMBER = re.compile(rf"(?P<c>c\.)?{_ID}(?:/(?P<v>[0-9]{{1,4}}))?")
_DOI = re.compile(
    rf"(?:https?://(?:dx\.)?doi\.org/|doi:)?10\.[0-9]{{4,9}}/(?:\S*?\.)?(?P<c>c\.)?{_ID}(?:\.v(?P<v>[0-9]{{1,4}}))?",
    re.IGNORECASE,
)
_PAGE_URL = re.compile(
    r"https?://(?:[\w-]+\.)*figshare\.com/(?:v2/)?(?:articles|(?P<c>collections))/(?:[^?#]*?/)??"
    rf"{_ID}(?:/(?:versions/)?(?P<v>[0-9]{{1,4}}))?/?(?:[?#].*)?"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")


@dataclass(frozen=True, slots=True)
class Place:
    """What a manifest's `record` names."""

    id: str
    version: str | None
    collection: bool


def place_of(ref: SourceRef) -> Place:
    """What `record` names: a number, a page's address or a DOI; anything else is a `ConfigError`."""
    written = (ref.record or "").strip()
    found = _NUMBER.fullmatch(written) or _PAGE_URL.fullmatch(written) or _DOI.fullmatch(written)
    # A DOI of somebody else ends in a number as well: this host's say figshare, or carry a version.
    if found is None or (found.re is _DOI and not found["v"] and "figshare." not in written.lower()):
        raise ConfigError(
            "A figshare source expects `record`: the article's number, with /<version> for an older one, its page's "
            f"address or its figshare DOI; found {ref.record!r}. Correct it in the dataset's manifest."
        )
    return Place(str(int(found["id"])), found["v"] and str(int(found["v"])), bool(found["c"]))


def number_of(row: Any) -> str | None:
    """The number of an article or file, as text."""
    number = count(obj(row).get("id"))
    return None if number is None else str(number)


def short(row: dict[str, Any]) -> Candidate:
    """What a search says of an article."""
    id, doi = str(number_of(row)), text(row.get("doi"))
    version = re.fullmatch(r"(\S+)\.v([0-9]{1,4})", doi or "")
    return Candidate(
        host="figshare",
        record=id,
        title=_plain(text(row.get("title"))),
        description=text(row.get("description")) or "",
        # Rebuilt, as portals give addresses of their own; this one leads to all of them.
        url=f"{WEB}/articles/dataset/_/{id}",
        doi=doi,
        version=version[2] if version else None,
        concept=version[1] if version else id,
        published=day(row.get("published_date")),
        files_listed=False,
        raw=packed(row),
    )


def full(data: dict[str, Any], raw: bytes, place: Place) -> Candidate:
    """What an article says of itself, still without files."""
    terms = obj(data.get("license"))
    written, spdx = licence(terms.get("name"), terms.get("url"))
    found = short(data)
    record = place.id if place.version is None else f"{place.id}/{place.version}"
    return replace(
        found,
        record=record,
        url=f"{WEB}/articles/dataset/_/{record}",
        version=text(data.get("version")) or found.version,
        licence_raw=written,
        licence_spdx=spdx,
        access=_access(data),
        keywords=texts(data.get("tags")),
        total_bytes=count(data.get("size")),
        related=tuple(related(rows(data.get("related_materials")), "relation", "identifier")),
        files_listed=True,
        raw=raw,
    )


_HUGE = re.compile(r"&#[0-9]{8,};?")
"""A character reference that Python refuses to read: more digits than a number may have."""


def _plain(title: str | None) -> str:
    """A title without the HTML it may hold."""
    return " ".join(html.unescape(_HUGE.sub("", _TAG.sub("", title or ""))).split())


def _access(data: dict[str, Any]) -> Access:
    if data.get("is_metadata_record") is True:
        return "closed"
    if data.get("is_embargoed") is True and day(data.get("embargo_date")):
        return "embargoed"
    if any(data.get(name) is True for name in ("is_embargoed", "is_confidential", "download_disabled")):
        return "restricted"
    return "open"
