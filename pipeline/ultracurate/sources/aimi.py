"""Stanford AIMI: containers of an Azure blob store, opened by the link that the site shows after its agreement.

The link (a shared access signature, about a month old at most) is a secret in ULTRACURATE_AIMI_SAS; several links are
separated by blanks. A record is the name of a container. List format:
https://learn.microsoft.com/rest/api/storageservices/list-blobs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from ultracurate.core.errors import ConfigError
from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import (
    Candidate,
    Fetched,
    RemoteFile,
    SourceError,
    SourceState,
    select_files,
    source,
)
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count
from ultracurate.sources._urls import quote_path, safe_name
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

ACCOUNT = "https://aimistanforddatasets01.blob.core.windows.net"
VARIABLE = "ULTRACURATE_AIMI_SAS"
PAGE = "https://stanfordaimi.azurewebsites.net/"
BLOBS = 5_000
"""Blobs in one answer."""
MOST_PAGES = 200
_CONTAINER = r"[a-z0-9](?:-?[a-z0-9]){2,62}"
_RECORD = re.compile(rf"(?:(https://[a-z0-9]{{3,24}}\.blob\.core\.windows\.net)/)?({_CONTAINER})/?")
_BLOB = re.compile(rf"(https://[a-z0-9]{{3,24}}\.blob\.core\.windows\.net)/({_CONTAINER})/([^?#]+)")
_AGAIN = f"Open the dataset's page ({PAGE}), copy a new link there, and put it into {VARIABLE}."


@dataclass(frozen=True, slots=True, repr=False)
class _Link:
    """A link that opens one container; never shown."""

    account: str
    container: str
    params: dict[str, str | int] = field(default_factory=dict)

    def ends(self) -> datetime | None:
        """When it stops to work; None if that cannot be read."""
        try:
            moment = datetime.fromisoformat(str(self.params.get("se")))
        except ValueError:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


@source("aimi")
class AimiSource(WebSource):
    """The containers whose links the user has."""

    hosts = {"aimi": ACCOUNT}  # noqa: RUF012 - read only

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._links = {link.container: link for word in (self.token(VARIABLE) or "").split() if (link := _link(word))}

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Nothing: the store cannot be searched."""
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        """The container with its files; without a link that works, without them."""
        container = _container(ref)
        found = Candidate("aimi", container, container, "", PAGE, access="restricted")
        try:
            link = self._working(container, f"AIMI container {container}")
        except SourceError:
            return replace(found, raw=json.dumps({"container": container}).encode())
        files = tuple(self._blobs(link))
        raw = json.dumps({"container": container, "account": link.account, "files": len(files)}).encode()
        return replace(found, access="open", files=files, raw=raw)

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The container's files, or those the manifest names."""
        container = _container(ref)
        where = f"AIMI container {container}"
        files = list(self._blobs(self._working(container, where)))
        if not files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} holds no files")
        return select_files(files, ref.files, where)

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The blob, with the link's signature added when it is asked for; then its mirrors."""
        first, *mirrors = super().asks(file)
        match = _BLOB.fullmatch(file.url)
        if match is None:
            return [first, *mirrors]
        resolve = partial(self._signed, match[1], match[2], match[3], first.what)
        return [replace(first, url=f"{self._at(match[1])}/{match[2]}/{match[3]}", resolve=resolve), *mirrors]

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download and verify; a refusal says how to get a new link."""
        try:
            return super().fetch(file, target)
        except SourceError as exc:
            raise _advised(exc) from None

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file's bytes from `start` on, unverified."""
        try:
            return super().open(file, start)
        except SourceError as exc:
            raise _advised(exc) from None

    def _at(self, account: str) -> str:
        """Where an account is: the configured address stands for all of them."""
        base = self.base("aimi")
        return base if base != ACCOUNT else account

    def _signed(self, account: str, container: str, blob: str, what: str) -> Ask:
        link = self._working(container, what)
        return Ask(f"{self._at(account)}/{container}/{blob}", what, params=link.params)

    def _working(self, container: str, what: str) -> _Link:
        """The link for a container, unless its time is over: the host would only say that it is wrong."""
        link = self._links.get(container)
        if link is None:
            raise SourceError(
                SourceState.RESTRICTED,
                f"{what}: {VARIABLE} holds no link for it",
                advice=f"Accept the agreement on the dataset's page ({PAGE}), copy the link it shows, and put it into "
                f"{VARIABLE}.",
            )
        ends = link.ends()
        if ends is not None and ends <= datetime.now(UTC):
            raise SourceError(
                SourceState.RESTRICTED, f"{what}: its link in {VARIABLE} ended on {ends:%Y-%m-%d}", advice=_AGAIN
            )
        return link

    def _blobs(self, link: _Link) -> Iterator[RemoteFile]:
        what, marker = f"AIMI container {link.container}", ""
        for _ in range(MOST_PAGES):
            params = {**link.params, "restype": "container", "comp": "list", "maxresults": BLOBS}
            ask = Ask(
                f"{self._at(link.account)}/{link.container}",
                what,
                kind="aimi",
                params=params | ({"marker": marker} if marker else {}),
            )
            try:
                root = _parse(self.http.get_text(ask).text, what)
            except SourceError as exc:
                raise _advised(exc) from None
            for blob in root.iterfind("Blobs/Blob"):
                if (file := _file(link, blob)) is not None:
                    yield file
            following = (root.findtext("NextMarker") or "").strip()
            if not following:
                return
            if following == marker:
                break
            marker = following
        raise SourceError(SourceState.PARTIAL_LISTING, f"{what}: its list does not come to an end")


def _link(word: str) -> _Link | None:
    """A link as the site shows it; what is no link is left out without being shown."""
    try:
        parts = urlsplit(word)
        params = dict(parse_qsl(parts.query))
    except ValueError:
        parts, params = urlsplit(""), {}
    container = unquote(parts.path).rstrip("/").rpartition("/")[2]
    if parts.scheme not in ("http", "https") or not params.get("sig") or not re.fullmatch(_CONTAINER, container):
        event("aimi.no_link", variable=VARIABLE)
        return None
    host = (parts.hostname or "").lower()
    account = f"https://{host}" if re.fullmatch(r"[a-z0-9]{3,24}\.blob\.core\.windows\.net", host) else ACCOUNT
    return _Link(account, container, dict(params))


def _parse(content: str, what: str) -> ElementTree.Element:
    if re.search(r"<!(?:doctype|entity)", content, re.IGNORECASE):
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a plain list in XML, found one with definitions")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - bounded, and without definitions
    except (ElementTree.ParseError, ValueError, RecursionError):
        root = None
    if root is None or root.tag != "EnumerationResults":
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a list in XML, found something else")
    return root


def _file(link: _Link, blob: ElementTree.Element) -> RemoteFile | None:
    """One blob; None for a folder of a store that has such."""
    if blob.findtext("Properties/ResourceType") == "directory":
        return None
    try:
        name = safe_name(blob.findtext("Name") or "", f"AIMI container {link.container}")
    except SourceError as exc:
        event("aimi.bad_name", container=link.container, problem=exc.found)  # one odd name costs one file
        return None
    try:
        md5 = base64.b64decode(blob.findtext("Properties/Content-MD5") or "", validate=True).hex()
    except (binascii.Error, ValueError):
        md5 = ""
    return RemoteFile(
        name,
        f"{link.account}/{link.container}/{quote_path(name)}",
        count(blob.findtext("Properties/Content-Length")),
        f"md5:{md5}" if len(md5) == 32 else None,  # large blobs often have none
    )


def _advised(exc: SourceError) -> SourceError:
    """A refusal with how to get a new link."""
    if exc.status not in (401, 403):
        return exc
    return SourceError(SourceState.RESTRICTED, exc.found, advice=_AGAIN, status=exc.status)


def _container(ref: SourceRef) -> str:
    match = _RECORD.fullmatch((ref.record or "").strip())
    if match is None:  # the record is not shown: somebody may have pasted the whole link
        raise ConfigError(
            "An aimi source expects `record`: the name of a container such as echonetdynamic-2, found something else. "
            f"Correct it in the dataset's manifest; the link itself belongs into {VARIABLE}."
        )
    return match[2]
