"""Files that a GitHub repository keeps in Git LFS: found, read from their pointers, and asked for by the batch API.

Pointer and batch formats: https://github.com/git-lfs/git-lfs/blob/main/docs (spec.md, api/batch.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import translate
from urllib.parse import urlsplit

from ultracurate.sources._ask import Ask
from ultracurate.sources._base import RemoteFile, SourceError, SourceState
from ultracurate.sources._fields import obj, rows, text
from ultracurate.sources._http import Transport
from ultracurate.sources._urls import quote_path, redact_text

RAW = "https://raw.githubusercontent.com"
MEDIA = "https://media.githubusercontent.com"
POINTER_BYTES = 1024
"""A pointer is smaller than that."""
LFS_TYPE = "application/vnd.git-lfs+json"
_WORDS = "version https://git-lfs.github.com/spec/"
_PLACE = re.compile(
    rf"(?:{re.escape(RAW)}|{re.escape(MEDIA)}/media)/(?P<repo>[^/?#]+/[^/?#]+)/(?P<sha>[0-9a-f]{{40}})/(?P<path>[^?#]+)"
)
_STATES = {404: SourceState.NOT_FOUND, 410: SourceState.GONE, 422: SourceState.CHECKSUM_MISMATCH}
_QUOTA = "The owner's Git LFS allowance is used up: try again next month, or name a mirror in the manifest."


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a pointer file says of the file itself."""

    oid: str
    """sha256, 64 hex digits."""
    size: int
    """Bytes."""


def read_pointer(content: str) -> Pointer | None:
    """The pointer in a text; None if it is something else."""
    if not content.startswith(_WORDS) or len(content) > POINTER_BYTES:
        return None
    oid = re.search(r"^oid sha256:([0-9a-f]{64})$", content, re.MULTILINE)
    size = re.search(r"^size ([0-9]{1,18})$", content, re.MULTILINE)
    return Pointer(oid[1], int(size[1])) if oid and size else None


def is_media(url: str) -> bool:
    """Whether a public address is that of a file in LFS."""
    return url.startswith(f"{MEDIA}/media/")


def to_media(file: RemoteFile, pointer: Pointer | None) -> RemoteFile:
    """A raw file as the LFS file that it stands for."""
    url = f"{MEDIA}/media{file.url.removeprefix(RAW)}" if file.url.startswith(RAW) else file.url
    if pointer is None:
        return replace(file, url=url, size=None, checksum=None)
    stated = file.checksum if (file.checksum or "").startswith("sha256:") else None
    if stated and stated != f"sha256:{pointer.oid}":
        raise SourceError(
            SourceState.CHECKSUM_MISMATCH,
            f"GitHub file {file.name!r}: expected {stated}, its Git LFS pointer states sha256:{pointer.oid}",
        )
    pinned = stated or (file.checksum if (file.checksum or "").startswith("md5:") else None)
    if pinned and file.size not in (None, pointer.size):
        raise SourceError(
            SourceState.CHECKSUM_MISMATCH,
            f"GitHub file {file.name!r}: expected {file.size} bytes, its Git LFS pointer states {pointer.size}",
        )
    return replace(file, url=url, size=pointer.size, checksum=pinned or f"sha256:{pointer.oid}")


class Patterns:
    """The `filter=lfs` lines of a repository's .gitattributes files."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, re.Pattern[str], bool, bool]] = []

    def add(self, folder: str, content: str) -> None:
        """Take in the file of a folder ("" for the root); the deeper one must come later, as it wins."""
        for line in content.splitlines()[:10_000]:
            words = line.split()
            if len(words) < 2 or words[0].startswith(("#", "[attr]")) or len(words[0]) > 500:
                continue
            filters = [word for word in words[1:] if word.lstrip("-!").partition("=")[0] == "filter"]
            if filters and words[0].count("*") <= 8:  # more would only cost time
                pattern = words[0].removeprefix("/")
                whole = "/" in words[0]
                rule = re.compile(translate(pattern.replace("**/", "*") if whole else pattern))
                self._rules.append((folder, rule, whole, filters[-1] == "filter=lfs"))

    def fits(self, path: str) -> bool:
        """Whether a file is kept in LFS by the last rule that speaks of it."""
        for folder, rule, whole, lfs in reversed(self._rules):
            inside = f"{folder}/" if folder else ""
            if path.startswith(inside) and rule.fullmatch(path[len(inside) :] if whole else path.rpartition("/")[2]):
                return lfs
        return False


class Lfs:
    """Asks one GitHub for pointers and for the addresses of their files."""

    def __init__(self, http: Transport, web: str, raw_token: str | None, web_token: str | None) -> None:
        self._http = http
        self._web = web
        self._raw_token = raw_token
        self._web_token = web_token

    def pointer(self, file: RemoteFile) -> Pointer | None:
        """What lies in git under this name, if that is a pointer; its digest is checked where one is stated."""
        place = _PLACE.fullmatch(file.url)
        if place is None:
            return None
        url = self._http.local(f"{RAW}/{place['repo']}/{place['sha']}/{place['path']}")
        ask = Ask(
            url,
            f"Git LFS pointer of {file.name!r}",
            kind="github.file",
            headers={"Range": f"bytes=0-{POINTER_BYTES}", "Accept-Encoding": "identity"},
            token=self._raw_token,
            accept=frozenset({206}),
        )
        content = self._http.get_text(ask).text
        found = read_pointer(content)
        if found and (file.checksum or "").startswith("sha1_git:"):
            blob = content.encode()
            digest = hashlib.sha1(f"blob {len(blob)}\0".encode() + blob, usedforsecurity=False).hexdigest()
            if file.checksum != f"sha1_git:{digest}":
                raise SourceError(
                    SourceState.CHECKSUM_MISMATCH,
                    f"{ask.what}: expected {file.checksum}, found sha1_git:{digest}",
                )
        return found

    def read(self, files: Iterable[RemoteFile], suspects: set[str], most: int) -> list[RemoteFile]:
        """The files, with the first `most` suspects replaced by what their pointers say; the rest stays unmeasured."""
        done, left = [], most
        for file in files:
            if file.name not in suspects:
                done.append(file)
                continue
            left -= 1
            pointer = self.pointer(file) if left >= 0 else None
            done.append(file if pointer is None and left >= 0 else to_media(file, pointer))
        return done

    def address(self, file: RemoteFile) -> Ask:
        """Where an LFS file can be fetched now, by the batch API."""
        place = _PLACE.fullmatch(file.url)
        known = re.fullmatch(r"sha256:([0-9a-f]{64})", file.checksum or "")
        pointer = Pointer(known[1], file.size) if known and file.size is not None else self.pointer(file)
        what = f"Git LFS object of {file.name!r}"
        if place is None or pointer is None:
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a pointer in git, found none")
        ask = Ask(
            f"{self._web}/{place['repo']}.git/info/lfs/objects/batch",
            what,
            kind="github.file",
            headers={"Accept": LFS_TYPE, "Content-Type": LFS_TYPE},
            json={
                "operation": "download",
                "transfers": ["basic"],
                "objects": [{"oid": pointer.oid, "size": pointer.size}],
            },
            token=self._web_token,
            scheme="Basic",
        )
        try:
            answer = obj(self._http.get_json(ask).data)
        except SourceError as exc:
            if "quota" in exc.found.lower():
                raise SourceError(SourceState.QUOTA, exc.found, advice=_QUOTA, status=exc.status) from None
            raise
        for row in rows(answer.get("objects")):
            if row.get("oid") == pointer.oid:
                return self._granted(row, what)
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: the batch answer does not mention the object asked for")

    def _granted(self, row: dict[str, object], what: str) -> Ask:
        error = obj(row.get("error"))
        if error:
            code, said = error.get("code"), redact_text(str(error.get("message")))[:200]
            state = _STATES.get(code, SourceState.BAD_ANSWER) if isinstance(code, int) else SourceState.BAD_ANSWER
            quota = "quota" in said.lower()
            raise SourceError(
                SourceState.QUOTA if quota else state,
                f"{what}: the LFS server answers {str(code)[:10]} ({said})",
                advice=_QUOTA if quota else None,
            )
        download = obj(obj(row.get("actions")).get("download"))
        href = text(download.get("href")) or ""
        try:
            scheme = urlsplit(href).scheme
        except ValueError:
            scheme = ""
        if scheme != "https" and scheme != urlsplit(self._web).scheme:  # a test server is the only one without TLS
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: the LFS server gives no https address")
        granted = {
            name: value
            for name, value in list(obj(download.get("header")).items())[:20]
            if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) and not re.search(r"[\r\n]", value)
        }
        return Ask(self._http.local(href), what, headers=granted)


def raw_url(repo: str, sha: str, path: str) -> str:
    """The lasting public address of a file in git."""
    return f"{RAW}/{repo}/{sha}/{quote_path(path)}"
