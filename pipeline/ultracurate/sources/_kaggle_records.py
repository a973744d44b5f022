"""Kaggle's answers read as records: names of datasets, licences, dates, files, and errors inside a success."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ultracurate.core.errors import ConfigError, printable
from ultracurate.core.licences import RESTRICTED, UNKNOWN, find_licence
from ultracurate.sources._base import Access, Candidate, RemoteFile, SourceError, SourceState
from ultracurate.sources._fields import count, day, obj, packed, rows, text, texts
from ultracurate.sources._urls import quote_path, redact_text, safe_name

SITE = "https://www.kaggle.com"
PUBLIC = f"{SITE}/api/v1"
_NAME = r"[A-Za-z0-9_-]{1,200}"
_PAGE = r"(?:https?://(?:www\.)?kaggle\.com/)?"
_TAB = r"(?:/(?:data|code|discussion|overview|rules|leaderboard))?/?(?:[?#].*)?"
_DATASET = re.compile(rf"{_PAGE}(?:datasets/)?({_NAME})/({_NAME})(?:/versions/([1-9]\d{{0,5}}))?{_TAB}")
_COMPETITION = re.compile(rf"{_PAGE}(?:competitions|c)/({_NAME}){_TAB}")
_REF = re.compile(rf"{_NAME}/{_NAME}")
_DROPPED = re.compile(r"^files$|Nullable$|^has[A-Z]|^thumbnail")
"""Fields that are not kept: written twice more, or addresses that may be signed."""
_DOWNLOAD = re.compile(rf"/datasets/download/({_NAME}/{_NAME})|/competitions/data/download(?:-all)?/({_NAME})")
_NO_OWNER = frozenset({"datasets", "competitions", "c", "code", "organizations", "models", "api"})

_STATES = {
    401: SourceState.RESTRICTED,
    403: SourceState.RESTRICTED,
    404: SourceState.NOT_FOUND,
    410: SourceState.GONE,
    429: SourceState.QUOTA,
}
_LICENCES = {
    "cc0: public domain": "CC0-1.0",
    "gpl 2": "GPL-2.0-only",
    "gpl 3": "GPL-3.0-only",
    "gpl-3": "GPL-3.0-only",
    "gnu affero general public license 3.0": "AGPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "gnu lesser general public license 3.0": "LGPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "gnu free documentation license 1.3": "GFDL-1.3-only",
    "fdl-1.3": "GFDL-1.3-only",
    "odc-by": "ODC-By-1.0",
    "community data license agreement - permissive - version 1.0": "CDLA-Permissive-1.0",
    "community data license agreement - sharing - version 1.0": "CDLA-Sharing-1.0",
}
"""Licences in Kaggle's own words, where those are not the usual name.

"Database: Open Database, Contents: ..." is two licences, one of them often nobody's to give: that stays unknown.
"""


@dataclass(frozen=True, slots=True)
class Handle:
    """Name of a dataset, at one version or at its newest, or of a competition."""

    owner: str
    """`competitions` for a competition."""
    slug: str
    version: int | None = None

    @property
    def competition(self) -> bool:
        """Whether it is a competition: other addresses, no versions, rules to accept."""
        return self.owner == "competitions"

    @property
    def ref(self) -> str:
        """`owner/slug`, as Kaggle writes it."""
        return f"{self.owner}/{self.slug}"

    @property
    def page(self) -> str:
        """Where a person sees it."""
        return f"{SITE}/{self.ref}" if self.competition else f"{SITE}/datasets/{self.ref}"

    @property
    def what(self) -> str:
        """For messages."""
        return f"Kaggle competition {self.slug}" if self.competition else f"Kaggle dataset {self.ref}"

    def address(self, name: str | None, version: int | None) -> str:
        """Public address of one file, or of the archive of everything (None), at a version."""
        if self.competition:
            kind = "download-all" if name is None else "download"
            url = f"{PUBLIC}/competitions/data/{kind}/{self.slug}"
        else:
            url = f"{PUBLIC}/datasets/download/{self.ref}"
        url += "" if name is None else f"/{quote_path(name)}"
        return url if version is None else f"{url}?datasetVersionNumber={version}"


def handle_of(record: str | None) -> Handle:
    """What a manifest's `record` names; a wrong form is a `ConfigError` that says the right ones."""
    named = (record or "").strip()
    if match := _COMPETITION.fullmatch(named):
        return Handle("competitions", match[1])
    match = _DATASET.fullmatch(named)
    if match is None or match[1] in _NO_OWNER:
        hint = " A DOI of Kaggle leads to that page." if "10.34740/" in named else ""
        raise ConfigError(
            "A kaggle source expects `record` as owner/slug, owner/slug/versions/3, competitions/slug, or the address "
            f"of the page; found {record!r}. Correct it in the dataset's manifest.{hint}"
        )
    return Handle(match[1], match[2], int(match[3]) if match[3] else None)


def page_of(url: str) -> str:
    """Page of the dataset or competition that a download address belongs to."""
    match = _DOWNLOAD.search(url)
    if match is None:
        return SITE
    return f"{SITE}/datasets/{match[1]}" if match[1] else f"{SITE}/competitions/{match[2]}"


def refuse_error(data: Any, what: str) -> None:
    """Raise what an error in a JSON body means, in either of Kaggle's shapes: it may come with any status."""
    if not isinstance(data, dict):
        return
    inner = data.get("error")
    body = inner if isinstance(inner, dict) else data
    code = body.get("code")
    if isinstance(code, str) and re.fullmatch("[45][0-9][0-9]", code):
        code = int(code)
    if type(code) is int and 400 <= code < 600:
        said = short(body.get("message"))
        state = _STATES.get(code, SourceState.UNREACHABLE if code >= 500 else SourceState.BAD_ANSWER)
        raise SourceError(state, f"{what}: answered {code}" + (f" ({said})" if said else ""), status=code)
    if said := short(data.get("errorMessage")):
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: answered {said!r}")


def short(value: Any) -> str:
    """Words of the host as they may stand in a message."""
    return redact_text(printable(" ".join(value.split())))[:300].rstrip(".") if isinstance(value, str) else ""


def ref_of(row: Any) -> str | None:
    """`owner/slug` of a row of a search; None for a row that is none."""
    ref = row.get("ref") if isinstance(row, dict) else None
    named = isinstance(ref, str) and _REF.fullmatch(ref) and ref.partition("/")[0] not in _NO_OWNER
    return ref if named else None


def version_of(data: dict[str, Any]) -> int | None:
    """Number of the newest version."""
    number = data.get("currentVersionNumber")
    return number if type(number) is int and 0 < number < 10**6 else None


def candidate(
    handle: Handle,
    data: dict[str, Any],
    info: dict[str, Any] | None = None,
    files: list[RemoteFile] | None = None,
    access: Access | None = None,
) -> Candidate:
    """A record from a row of the list or a view, with its metadata and files where they were asked for."""
    newest = version_of(data)
    version = handle.version or newest
    raw_licence, spdx = _licence(data, info or {})
    kept = {name: value for name, value in data.items() if not _DROPPED.search(name)}
    closed = bool(data.get("isPrivate")) or handle.competition
    return Candidate(
        host="kaggle",
        record=handle.ref,
        title=text(data.get("title")) or text(obj(info).get("title")) or "",
        description="\n\n".join(
            found
            for name in ("subtitle", "description")
            if (found := text(data.get(name)) or text(obj(info).get(name)))
        ),
        url=handle.page,
        version=str(version) if version else None,
        licence_raw=raw_licence,
        licence_spdx=spdx,
        access=access or ("restricted" if closed else "open"),
        keywords=tuple(dict.fromkeys(_keywords(data, obj(info)))),
        files=tuple(files or ()),
        files_listed=files is not None,
        total_bytes=count(data.get("totalBytes")) if version == newest else None,
        concept=handle.ref,
        published=min(_days(data), default=None),
        raw=packed({"view": kept, "metadata": info} if info else kept),
    )


def remote_files(handle: Handle, version: int | None, listed: Any) -> Iterator[RemoteFile]:
    """The files of one page of a listing; rows that name nothing are skipped. Kaggle states no checksums."""
    for row in rows(listed):
        if name := text(row.get("name")) or text(row.get("ref")):
            name = safe_name(name, handle.what)
            yield RemoteFile(name, handle.address(name, version), count(row.get("totalBytes")))


def find_kaggle_licence(written: str) -> str | None:
    """The SPDX id behind a display text ("CC0: Public Domain") or machine name; None if unsure."""
    known = _LICENCES.get(written.strip().lower()) or find_licence(written)
    if known is None and (inner := re.search(r"\(((?:CC|ODC|PDDL)[^()]*)\)\s*$", written)):
        known = _LICENCES.get(inner[1].strip().lower()) or find_licence(inner[1])
    return None if known in (UNKNOWN, RESTRICTED) else known


def _licence(data: dict[str, Any], info: dict[str, Any]) -> tuple[str | None, str | None]:
    """As shown, and as SPDX id: the machine name of the metadata where it is one, else the text."""
    names = [found for entry in rows(info.get("licenses")) if (found := text(entry.get("name")))]
    shown = text(data.get("licenseName")) or "; ".join(names)
    spdx = find_kaggle_licence(names[0]) if len(names) == 1 else None
    if spdx is None and len(names) < 2:
        spdx = find_kaggle_licence(shown)
    return shown or None, spdx


def _keywords(data: dict[str, Any], info: dict[str, Any]) -> Iterator[str]:
    for tag in rows(data.get("tags")):
        if word := text(tag.get("name")) or text(tag.get("ref")):
            yield word
    yield from texts(info.get("keywords"))


def _days(data: dict[str, Any]) -> Iterator[str]:
    """Days of all versions; of the last change where versions are not told."""
    days = [found for row in rows(data.get("versions")) if (found := day(row.get("creationDate")))]
    yield from days or filter(None, [day(data.get("lastUpdated"))])
