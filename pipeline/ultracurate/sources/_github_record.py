"""Repositories of GitHub: how a manifest names them, how a search is cut by days, what an answer says of one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import ConfigError
from ultracurate.core.licences import find_licence
from ultracurate.sources._base import Candidate, SourceError, SourceState
from ultracurate.sources._fields import count, day, obj, text, texts

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

WEB = "https://github.com"
FIRST_DAY = date(2008, 1, 1)
"""The site opened in that year."""
PLACE = re.compile(
    r"(?:https?://(?:www\.)?github\.com/)?(?P<repo>[A-Za-z0-9_-]{1,60}/[A-Za-z0-9_.-]{1,100})"
    r"(?:(?:@|/commit/)(?P<ref>[^\s?#~^:\\*\[]{1,250})|/tree/(?P<tree>[^\s?#~^:\\*\[/]{1,250})"
    r"|(?:#releases/|/releases/tag/)(?P<tag>[^\s?#~^:\\*\[]{1,250}))?/?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, at a branch, tag or commit, or one of its releases."""

    repo: str
    ref: str | None
    tag: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """A search as it is asked; `plain` when its operators were taken out already."""

    text: str
    plain: bool = False
    days: tuple[date, date] | None = None
    """Only repositories created from the first day to the last, both included."""

    def q(self) -> str:
        """In the host's own syntax."""
        return self.text if self.days is None else f"{self.text} created:{self.days[0]}..{self.days[1]}"

    def halves(self) -> tuple[Query, Query] | None:
        """The query for each half of its days; None when it cannot be divided."""
        first, last = self.days or (FIRST_DAY, date.today() + timedelta(days=1))
        if first >= last or "created:" in self.text:
            return None
        middle = first + (last - first) // 2
        return replace(self, days=(first, middle)), replace(self, days=(middle + timedelta(days=1), last))


def candidate(data: dict[str, Any], raw: bytes) -> Candidate:
    """A repository as a search or its own address shows it, without files."""
    name = text(data.get("full_name")) or ""
    if not PLACE.fullmatch(name) or "@" in name:
        raise SourceError(SourceState.BAD_ANSWER, "GitHub answered a repository without a name")
    licence = text(obj(data.get("license")).get("spdx_id"))
    licence = None if licence == "NOASSERTION" else licence
    kilobytes = count(data.get("size"))
    origins = {text(obj(data.get(key)).get("full_name")) for key in ("parent", "source")} - {None}
    return Candidate(
        host="github",
        record=name,
        title=name.partition("/")[2],
        description=text(data.get("description")) or "",
        url=f"{WEB}/{name}",
        licence_raw=licence,
        licence_spdx=find_licence(licence) if licence else None,
        access="restricted" if data.get("private") is True else "open",
        keywords=texts(data.get("topics")),
        files_listed=False,
        total_bytes=kilobytes * 1024 if kilobytes is not None and kilobytes < 1 << 50 else None,
        concept=text(data.get("id")),
        published=day(data.get("created_at")),
        related=tuple(sorted(f"{WEB}/{origin}" for origin in origins)),
        raw=raw,
    )


def parse_place(ref: SourceRef) -> Place:
    """What a manifest's record means; another form is a `ConfigError`."""
    match = PLACE.fullmatch((ref.record or "").strip())
    repo = match["repo"].removesuffix(".git") if match else ""
    inner = (match["ref"] or match["tree"] or match["tag"] or "") if match else ""
    if match is None or repo.partition("/")[2] in ("", ".", "..") or ".." in inner.split("/"):
        raise ConfigError(
            "A github source expects `record`: owner/repository, owner/repository@commit or "
            f"owner/repository#releases/tag; found {ref.record!r}. Correct it in the dataset's manifest."
        )
    commit, tag = match["ref"] or match["tree"] or "", match["tag"] or ""
    return Place(repo, commit.rstrip("/") or None, tag.rstrip("/") or None)
