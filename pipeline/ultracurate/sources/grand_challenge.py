"""Grand Challenge: images of its archives, through the REST API (https://grand-challenge.org/api/v1/).

A record is the slug of an archive, or its page; the page of a challenge leads to steps for a person, as its data sits
behind a form to join, and mostly elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ultracurate.core.errors import ConfigError
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, obj, packed, rows, text
from ultracurate.sources._urls import quote_path, safe_name
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

PUBLIC = "https://grand-challenge.org"
API = f"{PUBLIC}/api/v1"
TOKEN = "GRAND_CHALLENGE_AUTHORIZATION"  # noqa: S105 - the name of a variable, not a secret
PAGE = 100
MOST_ITEMS = 20_000
_RECORD = re.compile(rf"(?:{re.escape(PUBLIC)}/archives/)?([a-z0-9][a-z0-9_-]{{0,199}})/?", re.IGNORECASE)
_CHALLENGE = re.compile(r"https?://([a-z0-9-]{1,63})\.grand-challenge\.org(?:/.*)?", re.IGNORECASE)
_PK = re.compile(r"[0-9a-f-]{1,36}")
_IMAGE = re.compile(r"/cases/images/([0-9a-f-]{1,36})/?$")
_FILE = re.compile(rf"{re.escape(PUBLIC)}/cases/images/([0-9a-f-]{{1,36}})/(.+)")


@source("grand_challenge")
class GrandChallengeSource(WebSource):
    """Grand Challenge with a personal token; most of its data needs the owner's leave as well."""

    hosts = {"grand_challenge": API}  # noqa: RUF012 - read only
    limits = {"grand_challenge": 60.0}  # noqa: RUF012
    parallel = 2

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        # People paste the whole header, as the site shows it.
        self._token = re.sub(r"^bearer\s+", "", (self.token(TOKEN) or "").strip(), flags=re.IGNORECASE) or None

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Archives whose title or description holds all words; without a token the host shows none."""
        words = query.lower().split()
        found = 0
        if limit < 1:
            return
        if not self._token:
            raise SourceError(
                SourceState.RESTRICTED,
                "Grand Challenge shows its archives to accounts only",
                advice=f"Set {TOKEN} to a token of yours.",
            )
        for row in self._rows("archives/", {}, "Grand Challenge archives"):
            candidate = _candidate(row)
            if candidate and all(word in f"{candidate.title} {candidate.description}".lower() for word in words):
                yield candidate
                found += 1
                if found >= limit:
                    return

    def describe(self, ref: SourceRef) -> Candidate:
        """The archive with the files of all its images; one that we may not read is described without them."""
        slug = _slug(ref)
        where = f"Grand Challenge archive {slug}"
        archive = next(self._rows("archives/", {"slug": slug}, where), None)
        found = _candidate(archive) if archive else None
        if archive is None or found is None:
            raise SourceError(SourceState.NOT_FOUND, f"{where} is not there, or not for this token")
        try:
            files = tuple(self._files(str(archive.get("pk")), where))
        except SourceError as exc:
            if exc.status != 403:
                raise
            return replace(found, access="restricted", files=(), files_listed=True)
        return replace(found, access="open", files=files, files_listed=True)

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files of the archive's images; an archive with a form to fill raises `terms_required`."""
        found = self.describe(ref)
        where = f"Grand Challenge archive {found.record}"
        if found.access == "restricted":
            raise SourceError(
                SourceState.TERMS_REQUIRED,
                f"{where} is not open to this account",
                advice=f"Ask for access at {found.url} with the account whose token you use; its owner has to agree.",
            )
        if not found.files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(list(found.files), ref.files, where)

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file, at the signed address that its image states when it is asked; then its mirrors."""
        first, *mirrors = super().asks(file)
        match = _FILE.fullmatch(file.url)
        if match is None:
            return [first, *mirrors]
        return [replace(first, resolve=partial(self._address, match[1], unquote(match[2]), first.what)), *mirrors]

    def _address(self, image: str, name: str, what: str) -> Ask:
        for address in self._addresses(image, what):
            if _last_part(address) == name:
                return Ask(self.http.local(address), what)
        raise SourceError(SourceState.NOT_FOUND, f"{what}: its image has no file {name!r} any more")

    def _addresses(self, image: str, what: str) -> list[str]:
        data = obj(self._get(f"cases/images/{image}/", {}, what))
        return [found for row in rows(data.get("files")) if (found := text(row.get("file"))) and _last_part(found)]

    def _files(self, pk: str, where: str) -> Iterator[RemoteFile]:
        names: set[str] = set()
        images: set[str] = set()
        for item in self._rows("archives/items/", {"archive": pk}, where):
            for value in rows(item.get("values")):
                link = _IMAGE.search(text(value.get("image")) or "")
                image = link[1] if link else ""
                if not image or image in images:
                    continue
                images.add(image)
                if len(images) > MOST_ITEMS:
                    raise SourceError(SourceState.PARTIAL_LISTING, f"{where}: it names more than {MOST_ITEMS} images")
                for address in self._addresses(image, f"{where}, image {image}"):
                    last = _last_part(address)
                    # Names repeat between images (`1.mha`), so each image keeps a folder of its own.
                    name = safe_name(f"{image}/{last}", where)
                    if name not in names:
                        names.add(name)
                        yield RemoteFile(name, f"{PUBLIC}/cases/images/{image}/{quote_path(last)}")

    def _rows(self, path: str, params: dict[str, str | int], what: str) -> Iterator[dict[str, Any]]:
        """All rows of a list; its `next` link is only taken as a sign that there is more."""
        offset = 0
        while True:
            data = obj(self._get(path, {**params, "limit": PAGE, "offset": offset}, what))
            if not isinstance(data.get("results"), list):
                raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected `results`, found another shape")
            yield from rows(data["results"])
            offset += len(data["results"])
            if not data.get("next"):
                return
            if not data["results"] or offset >= MOST_ITEMS:
                total = count(data.get("count"))
                raise SourceError(
                    SourceState.PARTIAL_LISTING, f"{what}: the list ended after {offset} of {total or 'unknown'} rows"
                )

    def _get(self, path: str, params: dict[str, str | int], what: str) -> Any:
        ask = Ask(
            f"{self.base('grand_challenge')}/{path}", what, kind="grand_challenge", params=params, token=self._token
        )
        try:
            return self.http.get_json(ask).data
        except SourceError as exc:
            if exc.status != 401:
                raise
            advice = f"Make a token at {PUBLIC}/settings/api-tokens/ and set {TOKEN}."
            raise SourceError(SourceState.RESTRICTED, exc.found, advice=advice, status=401) from None


def _candidate(row: dict[str, Any]) -> Candidate | None:
    slug = text(row.get("slug"))
    if slug is None or not _RECORD.fullmatch(slug) or not _PK.fullmatch(str(row.get("pk"))):
        return None
    return Candidate(
        host="grand_challenge",
        record=slug,
        title=text(row.get("title")) or slug,
        description=text(row.get("description")) or "",
        url=f"{PUBLIC}/archives/{slug}/",
        files_listed=False,
        raw=packed(row),
    )


def _last_part(address: str) -> str:
    """File name in an address; empty when there is none to use."""
    try:
        name = unquote(PurePosixPath(urlsplit(address).path).name)
    except ValueError:
        return ""
    return "" if "/" in name or "\\" in name or "\0" in name or name in (".", "..") else name


def _slug(ref: SourceRef) -> str:
    record = (ref.record or "").strip()
    challenge = _CHALLENGE.fullmatch(record)
    if challenge and challenge[1].lower() != "www":
        page = f"https://{challenge[1].lower()}.grand-challenge.org/"
        raise SourceError(
            SourceState.TERMS_REQUIRED,
            f"The data of the challenge at {page} is behind its form to join",
            advice=f"Join at {page}, download what it offers, and add it as a `manual` or `local` source.",
        )
    match = _RECORD.fullmatch(record)
    if match is None:
        raise ConfigError(
            f"A grand_challenge source expects `record`: the slug of an archive, or {PUBLIC}/archives/SLUG/; "
            f"found {ref.record!r}. Correct it in the dataset's manifest."
        )
    return match[1].lower()
