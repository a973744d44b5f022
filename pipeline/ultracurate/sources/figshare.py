"""Figshare: search, articles and files through its API, version 2 (https://docs.figshare.com)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ultracurate.sources._ask import Ask, JsonAnswer
from ultracurate.sources._base import Candidate, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, day, obj, rows, text
from ultracurate.sources._figshare_record import WEB, full, number_of, place_of, short
from ultracurate.sources._urls import redact, safe_name
from ultracurate.sources._values import apart, digest
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

PUBLIC, DOWNLOAD = "https://api.figshare.com/v2", "https://ndownloader.figshare.com"
TOKEN = "FIGSHARE_TOKEN"  # noqa: S105 - the name of a variable, not a secret
DATASET = 3
"""The host's number for items of this type."""
PAGE = 1000
MAX_PAGES = 1000
"""Of one list; a host may go on for ever."""
MAX_NAMED = 20
"""Articles of a collection that a message names."""
_FILE_URL = re.compile(r"https?://[^?#]+/(?:files|file/download)/([0-9]{1,18})/?(?:\?.*)?")


@source("figshare")
class FigshareSource(WebSource):
    """One figshare with all the portals of universities and publishers on it."""

    hosts = {"figshare": PUBLIC, "figshare_web": WEB, "figshare_download": DOWNLOAD}  # noqa: RUF012 - read only
    limits = {"figshare": 60.0}  # noqa: RUF012 - read only
    """Requests a minute: the host asks for no more than one a second."""
    parallel = 2

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._api = self.base("figshare")
        self._token = self.token(TOKEN)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Datasets for a query in the host's syntax, best first, each once, without files, licence and description.

        The host counts nothing. It shows some thousand results by page number and goes on with a cursor; raises
        `SourceError` with state `partial_listing` after the last record when it does not go on.
        """
        seen: set[str] = set()
        size = min(PAGE, max(limit, 10))
        for row in self._hits(query, size, seen) if limit > 0 else ():
            yield short(row)
            if len(seen) >= limit:
                return

    def _hits(self, query: str, size: int, seen: set[str]) -> Iterator[dict[str, Any]]:
        """All records, whose ids go into `seen` as they are given out."""
        cursor, more = "", True
        for page in range(1, MAX_PAGES):
            try:
                answer = self._page(query, size, {"page": page}, {})
            except SourceError as exc:
                if page == 1 or exc.status not in (400, 422):
                    raise
                break  # beyond the pages that it shows
            yield from _new(answer.data, seen)
            cursor, more = answer.headers.get("x-cursor", ""), len(answer.data) >= size
            if not more:  # the last page, or a host that gives smaller pages than asked: its cursor knows
                break
        for page in range(1, MAX_PAGES):
            if not cursor:
                break
            try:
                # The number makes each question another one, as the cursor may stay the same.
                answer = self._page(query, size, {}, {"X-Cursor": cursor, "X-Page": str(page)})
            except SourceError as exc:
                if exc.status not in (400, 404, 422):
                    raise
                break
            before = len(seen)
            yield from _new(answer.data, seen)
            if not answer.data:
                return
            if len(seen) == before:
                break
            cursor, more = answer.headers.get("x-cursor", ""), len(answer.data) >= size
        if more:
            raise SourceError(
                SourceState.PARTIAL_LISTING, f"figshare has more records for {query!r} than the {len(seen)} it showed"
            )

    def describe(self, ref: SourceRef) -> Candidate:
        """The article with all its files; a collection is an error that names its articles."""
        return self._read(ref)[0]

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The article's files, or those the manifest names; those it only links to carry a `problem`."""
        found, why = self._read(ref)
        where = f"figshare article {found.record}"
        if found.access != "open" and not (self._token and found.files):
            raise SourceError(
                SourceState.RESTRICTED,
                f"{where} ({found.url}) is {found.access}{why}",
                advice=f"Ask its owner for access on that page, then set {TOKEN} to a token of your account there.",
            )
        if not found.files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        files = select_files(list(found.files), ref.files, where)
        if all(file.problem for file in files):
            raise SourceError(SourceState.MANUAL, f"{where} ({found.url}), {files[0].name!r}: {files[0].problem}")
        return files

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file at the API, with the token; at the download host, without; then its mirrors.

        Never at figshare.com, whose firewall answers programs with 202 and no bytes.
        """
        number = _FILE_URL.fullmatch(file.url)
        what = f"figshare file {file.name!r}"
        mirrors = [Ask(self.http.local(url), what, kind="figshare") for url in file.mirrors]
        if number is None:
            if mirrors:
                return mirrors
            raise SourceError(
                SourceState.MANUAL,
                f"figshare file {file.name!r}: expected an address like {DOWNLOAD}/files/123, found {redact(file.url)}",
            )
        return [
            self._ask(f"{self._api}/file/download/{number[1]}", what),
            Ask(f"{self.base('figshare_download')}/files/{number[1]}", what, kind="figshare"),
            *mirrors,
        ]

    def _ask(self, url: str, what: str, **more: Any) -> Ask:
        return Ask(url, what, kind="figshare", token=self._token, scheme="token", **more)

    def _page(self, query: str, size: int, place: dict[str, int], headers: dict[str, str]) -> JsonAnswer:
        body = {"search_for": query, "item_type": DATASET, "page_size": size, **place}
        ask = self._ask(f"{self._api}/articles/search", f"figshare search for {query!r}", json=body, headers=headers)
        return self._list(ask)

    def _list(self, ask: Ask) -> JsonAnswer:
        answer = self.http.get_json(ask)
        if not isinstance(answer.data, list):
            raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected a list, found another shape")
        return answer

    def _read(self, ref: SourceRef) -> tuple[Candidate, str]:
        """The article with its files, and what to add when it is said not to be open."""
        place = place_of(ref)
        if place.collection:
            raise self._is_collection(place.id)
        url, what = f"{self._api}/articles/{place.id}", f"figshare article {place.id}"
        answer = self._article(url, what, place.id)
        data, pinned = obj(answer.data), place.version not in (None, text(obj(answer.data).get("version")))
        if pinned:
            url, what = f"{url}/versions/{place.version}", f"{what}, version {place.version}"
            answer = self._article(url, what, place.id)
            data = obj(answer.data)
            if text(data.get("version")) != place.version:
                raise SourceError(SourceState.BAD_ANSWER, f"{what}: the host gave version {count(data.get('version'))}")
        found = full(data, answer.raw, place)
        why = ""
        if found.access == "embargoed":
            why = f" until {day(data.get('embargo_date'))}"
        elif found.access == "closed":
            why = ": a description without files"
        try:
            files = self._files(f"{url}/files", what, data, pinned)
        except SourceError as exc:
            if exc.status not in (401, 403, 404) or exc.state is SourceState.BLOCKED:
                raise
            files = ()
            if found.access == "open" and exc.state is SourceState.RESTRICTED:
                found = replace(found, access="restricted")
        return replace(found, files=files), why

    def _article(self, url: str, what: str, id: str) -> JsonAnswer:
        try:
            answer = self.http.get_json(self._ask(url, what))
        except SourceError as exc:
            if exc.state is not SourceState.NOT_FOUND:
                raise
            advice = f"Check the id; the host says the same of what you may not read: then set {TOKEN}."
            raise SourceError(exc.state, exc.found, advice=advice, status=exc.status) from None
        if number_of(answer.data) != id:
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected an article with that id, found another shape")
        return answer

    def _files(self, url: str, what: str, data: dict[str, Any], pinned: bool) -> tuple[RemoteFile, ...]:
        """All files by pages: the article itself shows the first ten of them."""
        listed: dict[str, dict[str, Any]] = {}
        size, page_url = count(data.get("size")), f"{WEB}/articles/dataset/_/{number_of(data)}"
        for page in range(1, MAX_PAGES):
            try:
                ask = self._ask(url, f"{what}, its files", params={"page": page, "page_size": PAGE})
                found = rows(self._list(ask).data)
            except SourceError as exc:
                shown = rows(data.get("files"))
                if not pinned or page > 1 or exc.status != 404:
                    raise
                if size is None or _bytes(shown) < size:
                    raise SourceError(
                        SourceState.PARTIAL_LISTING,
                        f"{what} has more files than the {len(shown)} that the host lists for an older version",
                        advice="Name its newest version in the manifest.",
                    ) from None
                found = shown
            before = len(listed)
            listed |= {id: row for row in found if (id := number_of(row))}
            whole = bool(size) and _bytes(listed.values()) >= (size or 0)
            # A short page ends the list only if it adds up: hosts give smaller pages than they are asked for.
            if len(listed) == before or (whole and len(found) < PAGE):
                return apart((id, _file(what, page_url, id, row)) for id, row in listed.items())
        raise SourceError(SourceState.PARTIAL_LISTING, f"{what} has more than {len(listed)} files")

    def _is_collection(self, id: str) -> SourceError:
        """A collection is no dataset: its articles have a licence and a version each."""
        ask = self._ask(
            f"{self._api}/collections/{id}/articles", f"figshare collection {id}", params={"page_size": PAGE}
        )
        named = [found for row in rows(self._list(ask).data) if (found := number_of(row))]
        shown = ", ".join(named[:MAX_NAMED]) + (", ..." if len(named) > MAX_NAMED else "")
        return SourceError(
            SourceState.MANUAL,
            f"figshare record c.{id} is a collection of {len(named)} articles: {shown}",
            advice="Name the articles in the manifest, each as a source of its own, or a dataset for each.",
        )


def _file(what: str, page: str, id: str, row: dict[str, Any]) -> RemoteFile:
    name = text(row.get("name")) or ""
    if row.get("is_link_only") is True:
        link = redact(text(row.get("download_url")) or "")
        name = safe_name(name.partition("?")[0], what)  # often the end of the address, with whatever it carries
        return RemoteFile(name, page, problem=f"figshare only links to it, at {link}")
    md5 = digest("md5", row.get("computed_md5")) or digest("md5", row.get("supplied_md5"))
    name = safe_name(name, what)
    return RemoteFile(name, f"{DOWNLOAD}/files/{id}", size=count(row.get("size")), checksum=md5)


def _new(found: Any, seen: set[str]) -> Iterator[dict[str, Any]]:
    for row in rows(found):
        if (id := number_of(row)) and id not in seen:
            seen.add(id)
            yield row


def _bytes(files: Iterable[dict[str, Any]]) -> int:
    return sum(count(row.get("size")) or 0 for row in files)
