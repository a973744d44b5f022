"""Kaggle: search, datasets and competitions through its classic REST API (https://www.kaggle.com/docs/api)."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import (
    Access,
    Candidate,
    Fetched,
    RemoteFile,
    SourceError,
    SourceState,
    select_files,
    source,
)
from ultracurate.sources._context import SourceContext
from ultracurate.sources._download import download, download_first
from ultracurate.sources._http import refuse
from ultracurate.sources._kaggle_auth import find_login
from ultracurate.sources._kaggle_client import KaggleClient
from ultracurate.sources._kaggle_files import Offer, look, present, unpack
from ultracurate.sources._kaggle_records import (
    PUBLIC,
    SITE,
    Handle,
    candidate,
    handle_of,
    page_of,
    ref_of,
    remote_files,
    short,
    version_of,
)
from ultracurate.sources._web import WebSource, open_stream

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

LIMITS = {"kaggle.search": 60.0, "kaggle": 60.0, "kaggle.download": 30.0}
"""Requests a minute. Kaggle publishes none; some hundred single files in a row drew blocks of hours."""
LAST_PAGE = 500
"""A search shows 10,000 results, 20 on a page; later pages are empty."""
MOST_BYTES = 1 << 50
SLICES = 200
"""Ranges of sizes that one search is split into at most: a host that fills every one would never end."""
FILE_PAGES = 1000
"""Pages of 200 files that a listing may have."""
NO_ACCESS = (SourceState.TERMS_REQUIRED, SourceState.RESTRICTED)
_Span = tuple[int, int]


@source("kaggle")
class KaggleSource(WebSource):
    """Datasets that anybody may see, and with a login those whose terms it has accepted."""

    hosts = {"kaggle": PUBLIC}  # noqa: RUF012 - read only
    limits = LIMITS
    parallel = 2

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._client = KaggleClient(self.http, self.base("kaggle"), find_login(context, PUBLIC))

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Public datasets for some words, best first, each once, without their files.

        The host shows 10,000 results of a query; for more, it is asked by ranges of size. Raises `SourceError` with
        state `partial_listing` after the last record when it has more than it shows even so.
        """
        seen: set[str] = set()
        if not (yield from self._walk(query, None, limit, seen)):
            return
        spans, partial, asked = list(_halves((0, MOST_BYTES))), False, 0
        while spans and len(seen) < limit:
            span = spans.pop()
            asked += 1
            full = bool(self._page(query, LAST_PAGE, span))
            if full and asked + len(spans) < SLICES and span[0] < span[1]:
                spans += _halves(span)
                continue
            partial |= yield from self._walk(query, span, limit, seen)
        if partial and len(seen) < limit:
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"Kaggle has more datasets for {query!r} than it shows; {len(seen)} were found",
                advice="Split the query into several, with more words in each.",
            )

    def describe(self, ref: SourceRef) -> Candidate:
        """The dataset with the files in it, each by name and size: what it holds, not what is fetched (`list_files`).

        One whose files are closed to this account is described without them, with access `restricted`.
        """
        handle = handle_of(ref.record)
        view = self._view(handle)
        info = self._info(handle)
        access: Access | None = None
        files: list[RemoteFile] | None = None
        try:
            files = self._files(handle, handle.version or version_of(view))
        except SourceError as exc:
            if exc.state not in NO_ACCESS:
                raise
            access = "restricted"
        return candidate(handle, view, info, files, access)

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """What to fetch: the one archive `<slug>.zip` of everything, as single files run into limits soon.

        It is pinned to a version; its size and digest are not known before Kaggle has packed it. A manifest that names
        files gets those instead; `<slug>.zip` and `<slug>.tar.gz` name the archive, which can be either.
        """
        handle = handle_of(ref.record)
        version = handle.version or version_of(self._view(handle))
        bundles = [
            RemoteFile(f"{handle.slug}{ending}", handle.address(None, version)) for ending in (".zip", ".tar.gz")
        ]
        names = {file.name for file in ref.files}
        if names - {file.name for file in bundles}:
            return select_files(self._files(handle, version) + bundles, ref.files, handle.what)
        rows, _ = self._files_page(handle, version, "")  # closed or empty datasets are told now, not after hours
        if not rows and not handle.competition:
            raise SourceError(SourceState.NOT_FOUND, f"{handle.what} ({handle.page}) holds no files")
        return select_files(bundles, ref.files, handle.what) if names else bundles[:1]

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file at Kaggle, with the login; then its mirrors, without."""
        first, *mirrors = super().asks(file)
        return [self._client.signed(replace(first, kind="kaggle.download")), *mirrors]

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download and verify; a single file that comes in a zip of its own is taken out of it."""
        if (done := present(target, file)) is not None:
            return done
        ask, *mirrors = self.asks(file)
        try:
            return self._client.patiently(lambda: self._download(ask, file, target), ask.what, page_of(file.url))
        except SourceError as exc:
            if not mirrors:
                raise
            problem = exc
        try:
            return download_first(self.http, mirrors, target, name=file.name, size=file.size, checksum=file.checksum)
        except SourceError as exc:
            raise SourceError(problem.state, f"{problem.found}; {exc.found}", status=problem.status) from None

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file's bytes from `start` on; one that comes in a zip of its own raises `bad_answer`."""
        ask = self.asks(file)[0]

        def opened() -> IO[bytes]:
            offer = look(self.http, ask, file)
            if offer.packed(file):
                refuse(ask, "is sent in a zip of its own, which cannot be looked into")
            return open_stream(self.http, self._from(offer, ask), start)

        return self._client.patiently(opened, ask.what, page_of(file.url))

    def _download(self, ask: Ask, file: RemoteFile, target: Path) -> Fetched:
        offer = look(self.http, ask, file)
        ask = self._from(offer, ask)
        if not offer.packed(file):
            return download(self.http, ask, target, name=file.name, size=file.size, checksum=file.checksum)
        archive = target.with_name(target.name + ".zip")
        came = download(self.http, ask, archive, name=f"{file.name}.zip")
        return replace(unpack(archive, file, target), transferred=came.transferred)

    def _from(self, offer: Offer, ask: Ask) -> Ask:
        """The same question, put to the storage address that is known already; later ones go to Kaggle again."""
        known = [Ask(offer.url, ask.what)] if offer.away else []
        return replace(ask, resolve=lambda: known.pop() if known else ask)

    def _walk(self, query: str, span: _Span | None, limit: int, seen: set[str]) -> Generator[Candidate, None, bool]:
        """New records of one search, page by page; returns whether the host has more than its window shows."""
        first = rows = 0
        for page in range(1, LAST_PAGE + 1):
            if len(seen) >= limit:
                return False
            found = self._page(query, page, span)
            first, rows = first or len(found), len(found)
            if not found:  # a short page alone proves nothing: the host drops rows after it has cut its pages
                return False
            for row in found:
                ref = ref_of(row)
                if ref is None or ref in seen or len(seen) >= limit:
                    continue
                seen.add(ref)
                yield candidate(handle_of(ref), row)
        return rows >= first and len(seen) < limit

    def _page(self, query: str, page: int, span: _Span | None) -> list[Any]:
        """One page of a search; with a span, of sets from its first to its last byte, both included."""
        sizes: dict[str, str | int] = {}
        if span and span[0] > 0:
            sizes["minSize"] = span[0] - 1  # one more on both sides: whether the host includes its bounds is not said
        if span and span[1] < MOST_BYTES:
            sizes["maxSize"] = span[1] + 1
        params = {"search": query, "page": page, "sortBy": "relevance", "group": "public", **sizes}
        what = f"Kaggle search for {query!r}"
        data = self._client.get("datasets/list", what, f"{SITE}/datasets", params, "kaggle.search")
        if isinstance(data, dict):
            data = data.get("datasets")  # as the newer API wraps it
        if not isinstance(data, list):
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a list of datasets, found another shape")
        return data

    def _view(self, handle: Handle) -> dict[str, Any]:
        if not handle.competition:
            data = self._client.get(f"datasets/view/{handle.ref}", handle.what, handle.page)
            if not isinstance(data, dict) or not (ref_of(data) or data.get("title")):
                raise SourceError(SourceState.BAD_ANSWER, f"{handle.what}: expected a dataset, found another shape")
            return data
        data = self._client.get("competitions/list", handle.what, handle.page, {"search": handle.slug})
        data = data.get("competitions") if isinstance(data, dict) else data
        for row in data if isinstance(data, list) else ():
            if isinstance(row, dict) and str(row.get("ref") or "").rstrip("/").rpartition("/")[2] == handle.slug:
                return row
        return {"title": handle.slug}  # a search need not find it; its files will tell whether it is there

    def _info(self, handle: Handle) -> dict[str, Any] | None:
        """The metadata with the licence's machine name, or nothing: the view says the rest."""
        if handle.competition:
            return None
        try:
            data = self._client.get(f"datasets/metadata/{handle.ref}", f"{handle.what}, metadata", handle.page)
        except SourceError as exc:
            if exc.state not in (*NO_ACCESS, SourceState.NOT_FOUND, SourceState.BAD_ANSWER):
                raise
            event("source.no_metadata", host=self.host, record=handle.ref, state=exc.state)
            return None
        info = data.get("info") if isinstance(data, dict) else None
        return info if isinstance(info, dict) else None

    def _files(self, handle: Handle, version: int | None) -> list[RemoteFile]:
        found: dict[str, RemoteFile] = {}
        token, used = "", {""}
        for _ in range(FILE_PAGES):
            rows, token = self._files_page(handle, version, token)
            for file in remote_files(handle, version, rows):
                found.setdefault(file.name, file)
            if not token:
                return list(found.values())
            if token in used:
                raise SourceError(SourceState.BAD_ANSWER, f"{handle.what}: the list of its files goes round in circles")
            used.add(token)
        raise SourceError(
            SourceState.PARTIAL_LISTING,
            f"{handle.what} lists more than {len(found)} files",
            advice="Name no single files in the manifest: the archive of everything is taken then.",
        )

    def _files_page(self, handle: Handle, version: int | None, token: str) -> tuple[list[Any], str]:
        """Rows of one page of files, and the token of the next; an empty one ends the list."""
        params: dict[str, str | int] = {"pageSize": 200}
        if token:
            params["pageToken"] = token
        if version is not None and not handle.competition:
            params["datasetVersionNumber"] = version
        path = f"competitions/data/list/{handle.slug}" if handle.competition else f"datasets/list/{handle.ref}"
        what = f"{handle.what}, list of files"
        data = self._client.get(path, what, handle.page, params)
        rows = data.get("files" if handle.competition else "datasetFiles") if isinstance(data, dict) else data
        following = data.get("nextPageToken") if isinstance(data, dict) else None
        if not isinstance(rows, list) or not isinstance(following, str | None):
            raise SourceError(
                SourceState.BAD_ANSWER,
                f"{what}: expected rows and a text `nextPageToken`, found {short(str(type(rows)))}",
            )
        return rows, following or ""


def _halves(span: _Span) -> tuple[_Span, _Span]:
    """Two ranges of sizes with about as many datasets each: sizes spread over magnitudes, not over bytes."""
    middle = isqrt((span[0] + 1) * (span[1] + 1)) - 1
    return (span[0], middle), (middle + 1, span[1])
