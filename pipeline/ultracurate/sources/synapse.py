"""Synapse (Sage Bionetworks): projects, folders, datasets and files through its REST services.

API: https://rest-docs.synapse.org/rest/. Everybody may look; to fetch, a personal access token is needed, and for many
files their conditions must have been accepted on the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ultracurate.core.errors import ConfigError
from ultracurate.core.licences import find_licence
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, Fetched, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, day, obj, packed, rows, text
from ultracurate.sources._synapse_api import BATCH, LOGIN_ADVICE, Entities, own_token
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

WEB = "https://www.synapse.org"
REPO = "https://repo-prod.prod.sagebase.org/repo/v1"
FILE = "https://file-prod.prod.sagebase.org/file/v1"
PAGE = 50
WINDOW = 10_000
"""Hits of a search that are paged through."""
MEASURED = 200
"""Files whose size and digest are asked for while listing; the others are asked for when they are fetched."""
_RECORD = re.compile(
    r"(?:https?://(?:www\.)?synapse\.org/(?:#!)?Synapse:|(?:https?://(?:dx\.)?doi\.org/)?10\.7303/)?"
    r"(syn\d{1,18})(?:\.(\d{1,9}))?(?:/.*)?",
    re.IGNORECASE,
)
_FILE = re.compile(rf"{re.escape(WEB)}/Synapse:(syn\d{{1,18}})(?:\.(\d{{1,9}}))?")


@source("synapse")
class SynapseSource(WebSource):
    """Synapse with or without a personal access token."""

    hosts = {"synapse": REPO, "synapse_file": FILE}  # noqa: RUF012 - read only
    limits = {"synapse": 120.0}  # noqa: RUF012

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._token = self.token("SYNAPSE_AUTH_TOKEN") or own_token(context, "synapse", REPO)
        file_token = self.token("SYNAPSE_AUTH_TOKEN", "synapse_file") or own_token(context, "synapse_file", FILE)
        self._entities = Entities(self.http, self.base("synapse"), self.base("synapse_file"), self._token, file_token)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Public projects and datasets, best first, each once; their files are not listed."""
        seen: set[str] = set()
        start = 0
        while len(seen) < limit:
            data = self._entities.search(query, start, PAGE)
            hits, total = rows(data.get("hits")), count(data.get("found")) or 0
            start += len(hits)
            for hit in hits:
                found = _candidate(hit)
                if found and found.record and found.record not in seen and len(seen) < limit:
                    seen.add(found.record)
                    yield found
            if len(seen) >= limit or start >= total:
                return
            if not hits or start >= WINDOW:
                raise SourceError(
                    SourceState.PARTIAL_LISTING, f"Synapse has {total} hits for {query!r} and showed {start} of them"
                )

    def describe(self, ref: SourceRef) -> Candidate:
        """The entity with all files below it; sizes and digests of the first 200, where a token shows them."""
        found, files = self._described(ref)
        if not self._token or not files:
            return replace(found, files=tuple(files))
        try:
            return replace(found, access="open", files=tuple(self._measured(files)))
        except SourceError as exc:
            if exc.state not in (SourceState.TERMS_REQUIRED, SourceState.RESTRICTED):
                raise
            return replace(found, access="restricted", files=tuple(files))

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files below the entity, or those the manifest names."""
        found, files = self._described(ref)
        where = f"Synapse entity {found.record}"
        if not self._token:
            raise SourceError(SourceState.RESTRICTED, f"{where} ({found.url}) wants a login", advice=LOGIN_ADVICE)
        wanted = {file.name for file in ref.files}
        chosen = [file for file in files if not wanted or file.name in wanted]
        if not found.files_listed and (not wanted or len(chosen) < len(wanted)):
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"{where} ({found.url}) is too large to be listed; {len(files)} files were seen",
                advice="Name a folder of it, or single files, as the source in the manifest.",
            )
        if not files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(self._measured(chosen) if chosen else files, ref.files, where)

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file, at the signed address of now; then its mirrors."""
        first, *mirrors = super().asks(file)
        match = _FILE.fullmatch(file.url)
        if match is None:
            return [first, *mirrors]
        return [replace(first, resolve=partial(self._address, match[1], match[2], first.what)), *mirrors]

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download and verify, by the digest that the host states now where the table has none."""
        match = _FILE.fullmatch(file.url)
        if match is not None and file.checksum is None:
            size, checksum = _stated(self._row(match[1], match[2], f"Synapse file {file.name!r}"))
            file = replace(file, size=size if file.size is None else file.size, checksum=checksum)
        return super().fetch(file, target)

    def _described(self, ref: SourceRef) -> tuple[Candidate, list[RemoteFile]]:
        number, version = _parse(ref)
        data, raw = self._entities.entity(number, version)
        found = _candidate(data)
        if found is None or found.record != number:
            raise SourceError(SourceState.BAD_ANSWER, f"Synapse entity {number}: expected its id, found another shape")
        entries, complete = self._entities.files(data)
        files, seen = [], set()
        for entry in entries:
            name = entry.name if entry.name not in seen else f"{entry.id}/{entry.name}"
            seen.add(name)
            files.append(RemoteFile(name, _page(entry.id, entry.version)))
        licence = self._entities.licence(number)
        versioned = text(data.get("versionNumber"))
        return replace(
            found,
            record=f"{number}.{version}" if version else number,
            version=versioned,
            concept=number if versioned else None,
            licence_raw=licence,
            licence_spdx=find_licence(licence) if licence else None,
            files_listed=complete,
            raw=raw,
        ), files

    def _measured(self, files: list[RemoteFile]) -> list[RemoteFile]:
        """The files, the first 200 of them with size and digest."""
        done: list[RemoteFile] = []
        for start in range(0, min(len(files), MEASURED), BATCH):
            part = files[start : start + BATCH]
            places = [_FILE.fullmatch(file.url) for file in part]
            handles = [self._entities.handle(place[1], place[2]) for place in places if place]
            answers = self._entities.batch(handles, signed=False)
            codes = {_code(row) for row in answers}
            if start == 0 and codes == {"UNAUTHORIZED"} and places[0]:
                raise _failure("UNAUTHORIZED", places[0][1], places[0][2], f"Synapse file {part[0].name!r}")
            for file, row in zip(part, answers, strict=True):
                size, checksum = _stated(row)
                done.append(replace(file, size=size, checksum=checksum))
        return done + files[len(done) :]

    def _row(self, number: str, version: str | None, what: str) -> dict[str, Any]:
        (row,) = self._entities.batch([self._entities.handle(number, version)], signed=True)
        if code := _code(row):
            raise _failure(code, number, version, what)
        return row

    def _address(self, number: str, version: str | None, what: str) -> Ask:
        url = text(self._row(number, version, what).get("preSignedURL")) or ""
        try:
            scheme = urlsplit(url).scheme
        except ValueError:
            scheme = ""
        if scheme != "https" and scheme != urlsplit(self.base("synapse_file")).scheme:
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a signed https address, found none")
        return Ask(self.http.local(url), what)


def _code(row: dict[str, Any]) -> str | None:
    """Why a file cannot be had: one word in capitals; another text is not repeated."""
    code = text(row.get("failureCode"))
    return code if code is None or re.fullmatch(r"[A-Z_]{1,40}", code) else "UNKNOWN"


def _failure(code: str, number: str, version: str | None, what: str) -> SourceError:
    page = _page(number, version)
    if code == "NOT_FOUND":
        return SourceError(SourceState.NOT_FOUND, f"{what}: {page} has no file any more")
    return SourceError(
        SourceState.RESTRICTED,
        f"{what}: the host refuses it ({code})",
        advice=f"Open {page} with the token's account: accept the conditions it shows, or ask the owner; the token "
        "needs the scope download.",
    )


def _page(number: str, version: str | None) -> str:
    return f"{WEB}/Synapse:{number}" + (f".{version}" if version else "")


def _stated(row: dict[str, Any]) -> tuple[int | None, str | None]:
    """Size and digest of a file handle; an external one states none."""
    handle = obj(row.get("fileHandle"))
    md5 = (text(handle.get("contentMd5")) or "").lower()
    return count(handle.get("contentSize")), f"md5:{md5}" if re.fullmatch(r"[0-9a-f]{32}", md5) else None


def _candidate(data: dict[str, Any]) -> Candidate | None:
    """An entity or a hit of a search, without files; None for a row without an id."""
    number = text(data.get("id")) or ""
    if not re.fullmatch(r"syn\d{1,18}", number):
        return None
    return Candidate(
        host="synapse",
        record=number,
        title=text(data.get("name")) or number,
        description=text(data.get("description")) or "",
        url=_page(number, None),
        files_listed=False,
        published=day(data.get("createdOn")) or _epoch_day(data.get("created_on")),
        raw=packed(data),
    )


def _epoch_day(value: Any) -> str | None:
    seconds = count(value)
    if seconds is None or seconds > 4_102_444_800:  # the year 2100
        return None
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _parse(ref: SourceRef) -> tuple[str, str | None]:
    match = _RECORD.fullmatch((ref.record or "").strip())
    if match is None:
        raise ConfigError(
            "A synapse source expects `record`: syn and a number (syn123, or syn123.4 for a version), or its page or "
            f"DOI; found {ref.record!r}. Correct it in the dataset's manifest."
        )
    return match[1].lower(), match[2]
