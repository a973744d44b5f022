"""Google Drive: files and folders that their owner shared by link, read from the pages that a browser gets.

A record is the id of a file or folder, or its address. Drive states no digests: pin them in the manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests

from ultracurate.core.errors import ConfigError
from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._bodies import NUMBER, read_text
from ultracurate.sources._fields import clean_name
from ultracurate.sources._gdrive_pages import Page, read_page, stated_name
from ultracurate.sources._http import NETWORK_ERRORS, unreachable
from ultracurate.sources._urls import origin, redact_text
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

PUBLIC = "https://drive.google.com"
CUT = 50
"""Entries of a folder's view from which on it may be cut."""
MOST_FOLDERS = 300
MOST_FILES = 20_000
DEPTH = 16
STEPS = 3
"""Pages between the first address and the bytes."""
_ID = re.compile(r"[A-Za-z0-9_-]{10,100}")
_RECORD = re.compile(
    r"https?://(?:drive|docs)\.google\.com/(?:(?P<kind>file/d|drive/(?:u/\d+/)?folders)/|(?:open|uc)\?(?:[^#]*&)?id=)"
    r"(?P<id>[A-Za-z0-9_-]{10,100})(?:[/?&#].*)?"
)
_KEY = re.compile(r"[?&]resourcekey=([A-Za-z0-9_-]{1,100})")
_QUOTA = (
    "Run the same command again after a day; or copy the file to your own Drive, download it there, and add it as a "
    "`manual` or `local` source."
)
_PRIVATE = (
    "Ask the owner to share it with anyone who has the link, or download it by hand and add it as a local source."
)


@dataclass(frozen=True, slots=True)
class _Offer:
    """Where a file's bytes are now, and what the host says of them."""

    ask: Ask
    name: str | None
    size: int | None


@source("gdrive")
class GoogleDriveSource(WebSource):
    """Google Drive without an account; it has no search."""

    hosts = {"gdrive": PUBLIC, "gdrive_content": "https://drive.usercontent.google.com"}  # noqa: RUF012 - read only
    limits = {"gdrive": 60.0}  # noqa: RUF012
    parallel = 2

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Nothing: shared files cannot be searched for."""
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        """The file, or the folder with all files below it; a private one without files."""
        number, key, kind = _parse(ref)
        found = Candidate(host="gdrive", record=number, title="", description="", url=_page_url(number, key, kind))
        try:
            if kind != "file":
                try:
                    return self._folder(found, number, key)
                except SourceError as exc:
                    if kind == "folder" or exc.status not in (400, 404):
                        raise
            offer = self._offer(number, key, f"Google Drive file {number}")
        except SourceError as exc:
            if exc.state is not SourceState.RESTRICTED:
                raise
            return replace(found, access="restricted", raw=_raw(found))
        name = clean_name(offer.name or "") or number
        file = RemoteFile(name, _page_url(number, key, "file"), offer.size)
        found = replace(found, title=name, url=file.url, access="open", files=(file,))
        return replace(found, raw=_raw(found))

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """All files below the folder, or those the manifest names; a view that may be cut is an error."""
        found = self.describe(ref)
        where = f"Google Drive record {found.record}"
        if found.access == "restricted":
            raise SourceError(SourceState.RESTRICTED, f"{where} ({found.url}) wants a login", advice=_PRIVATE)
        files = [file for file in found.files if not file.problem]
        known = {file.name for file in files}
        if not found.files_listed and (not ref.files or any(file.name not in known for file in ref.files)):
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"{where} ({found.url}) shows {len(files)} files, and a folder's view ends after {CUT} entries",
                advice="Give each file or sub folder as a source of its own, or download the folder by hand and add "
                "it as a `manual` or `local` source.",
            )
        if not files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(files, ref.files, where)

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file, at an address that is asked for each time; then its mirrors."""
        first, *mirrors = super().asks(file)
        match, key = _RECORD.fullmatch(file.url), _KEY.search(file.url)
        if match is None:
            return [first, *mirrors]
        what = first.what

        def resolve() -> Ask:
            return self._offer(match["id"], key[1] if key else None, what).ask

        return [replace(first, resolve=resolve), *mirrors]

    def _offer(self, number: str, key: str | None, what: str) -> _Offer:
        """Follow the pages until one byte of the file arrives."""
        params: dict[str, str | int] = {"id": number, "export": "download"}
        ask = Ask(f"{self.base('gdrive')}/uc", what, kind="gdrive", params=params | _keyed(key))
        for _ in range(STEPS):
            probe = replace(
                ask,
                headers={"Range": "bytes=0-0", "Accept-Encoding": "identity"},
                accept=frozenset({206, 416}),
            )
            response = self.http.open(probe)
            with response:
                html = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
                disposition = response.headers.get("Content-Disposition", "")
                if response.status_code == 416 or disposition or not html:
                    return _Offer(replace(ask, kind=""), stated_name(disposition), _size(response))
                page_url = response.url
                try:
                    page = read_page(read_text(response, probe, self.context.clock).text)
                except NETWORK_ERRORS as exc:
                    raise unreachable(exc, probe) from None
            self._refuse_page(page, page_url, what)
            ask = self._onward(ask, page, page_url)
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: after {STEPS} pages there is still no file")

    def _refuse_page(self, page: Page, url: str, what: str) -> None:
        parts = urlsplit(url)
        if parts.hostname == "accounts.google.com" or re.search(r"/(?:signin|ServiceLogin)\b", parts.path):
            raise SourceError(SourceState.RESTRICTED, f"{what} wants a login", advice=_PRIVATE)
        if "quota" in page.title.lower() or "too many users" in page.error.lower():
            raise SourceError(SourceState.QUOTA, f"{what}: too many people fetched it today", advice=_QUOTA)
        if page.error:
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: the host says {redact_text(page.error)!r}")

    def _onward(self, ask: Ask, page: Page, page_url: str) -> Ask:
        """The address behind the warning that nobody looked for viruses in so large a file."""
        link = page.action or page.confirm
        url = self.http.local(urljoin(page_url, link)) if link else ""
        ours = [origin(self.base(name)) for name in self.hosts]
        if not url or urlsplit(url).scheme not in ("http", "https") or origin(url) not in ours:
            raise SourceError(
                SourceState.BAD_ANSWER, f"{ask.what}: expected the file or a download form, found another web page"
            )
        return replace(ask, url=url, params=dict(page.inputs) if page.action else {})

    def _folder(self, found: Candidate, number: str, key: str | None) -> Candidate:
        files: dict[str, RemoteFile] = {}
        seen = {number}
        todo: list[tuple[str, str, str | None, int]] = [("", number, key, 0)]
        complete, title, asked = True, "", 0
        while todo:
            prefix, folder, folder_key, depth = todo.pop()
            if asked >= MOST_FOLDERS or len(files) >= MOST_FILES or depth > DEPTH:
                complete = False
                break
            page = self._view(folder, folder_key)
            asked += 1
            title = title or page.title
            complete = complete and len(page.entries) < CUT
            for entry in page.entries:
                name = prefix + (clean_name(entry.name) or entry.id)
                if entry.kind == "folder":
                    if entry.id not in seen:  # a shortcut may lead back up
                        seen.add(entry.id)
                        todo.append((f"{name}/", entry.id, entry.key, depth + 1))
                    continue
                if name in files:  # one folder may hold two files of a name
                    name = f"{name} ({entry.id[:100]})"
                problem = "a Google document: it has no bytes of its own" if entry.kind == "other" else None
                url = PUBLIC if problem else _page_url(entry.id, entry.key, "file")
                files[name] = RemoteFile(name, url, problem=problem)
        if not complete:
            event("gdrive.cut", record=number, files=len(files))
        described = replace(
            found,
            title=title,
            url=_page_url(number, key, "folder"),
            access="open",
            files=tuple(files.values()),
            files_listed=complete,
        )
        return replace(described, raw=_raw(described))

    def _view(self, number: str, key: str | None) -> Page:
        ask = Ask(
            f"{self.base('gdrive')}/embeddedfolderview",
            f"Google Drive folder {number}",
            kind="gdrive",
            params={"id": number, **_keyed(key)},
        )
        answer = self.http.get_text(ask)
        page = read_page(answer.text)
        self._refuse_page(page, answer.url, ask.what)
        return page


def _keyed(key: str | None) -> dict[str, str | int]:
    return {"resourcekey": key} if key else {}


def _page_url(number: str, key: str | None, kind: str | None) -> str:
    place = f"drive/folders/{number}" if kind == "folder" else f"file/d/{number}/view"
    return f"{PUBLIC}/{place}" + (f"?resourcekey={key}" if key else "")


def _size(response: requests.Response) -> int | None:
    """Size of the whole file by an answer to a request for its first byte."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code == 200:
        total = response.headers.get("Content-Length", "")
    return int(total) if NUMBER.fullmatch(total) else None


def _raw(found: Candidate) -> bytes:
    """Drive has no record in JSON: what its pages said, in our words."""
    files = [{"name": file.name, "url": file.url, "size": file.size} for file in found.files]
    return json.dumps({"id": found.record, "title": found.title, "access": found.access, "files": files}).encode()


def _parse(ref: SourceRef) -> tuple[str, str | None, str | None]:
    """Id, resource key and kind (file, folder, None where the id alone is given)."""
    record = (ref.record or "").strip()
    match, key = _RECORD.fullmatch(record), _KEY.search(record)
    if match:
        kind = None if match["kind"] is None else "file" if match["kind"].startswith("file") else "folder"
        return match["id"], key[1] if key else None, kind
    if _ID.fullmatch(record):
        return record, None, None
    raise ConfigError(
        "A gdrive source expects `record`: the id of a shared file or folder, or its address "
        f"(https://drive.google.com/file/d/ID or /drive/folders/ID); found {ref.record!r}. "
        "Correct it in the dataset's manifest."
    )
