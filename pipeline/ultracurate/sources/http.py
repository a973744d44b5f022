"""Plain files on the web, exactly as a manifest lists them: address, mirrors, size, digest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, RemoteFile, SourceError, SourceState, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._urls import redact, safe_name
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import FileRef, SourceRef


@source("http")
class HttpSource(WebSource):
    """Files by their address. `hosts: {http: URL}` sends every request to one server, which keeps the paths."""

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._base = context.base_url("http", None)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Nothing: the web at large has no search."""
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        """What the manifest says; nothing is asked."""
        files = tuple(self._file(file) for file in ref.files)
        return Candidate(
            host="http",
            record=ref.record,
            title="",
            description="",
            url=files[0].url if files else "",
            files=files,
        )

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files of the manifest; a file without an address must be fetched by hand."""
        if not ref.files:
            raise SourceError(
                SourceState.MANUAL,
                "An http source expects `files`, and the manifest lists none",
                advice="List each file with name, url, size and checksum in the manifest.",
            )
        if missing := [file.name for file in ref.files if not file.url and not file.mirrors]:
            raise SourceError(SourceState.MANUAL, f"No address is known for {', '.join(missing)}")
        return [self._file(file) for file in ref.files]

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The address, then each mirror."""
        return [Ask(self._moved(url), f"File {file.name!r}", kind="http") for url in (file.url, *file.mirrors)]

    def _file(self, ref: FileRef) -> RemoteFile:
        addresses = [url for url in (ref.url, *ref.mirrors) if url]
        for url in addresses:
            if urlsplit(url).scheme not in ("http", "https"):
                raise SourceError(
                    SourceState.MANUAL, f"File {ref.name!r}: {redact(url)} is no http address, so it is not fetched"
                )
        name = safe_name(ref.name, "The manifest")
        first, *others = addresses or [""]
        return RemoteFile(name, first, ref.size, ref.checksum, mirrors=tuple(others))

    def _moved(self, url: str) -> str:
        if self._base is None:
            return url
        parts = urlsplit(url)
        return self._base + parts.path + (f"?{parts.query}" if parts.query else "")
