"""Downloads that survive cuts and catch what is not the file: resumed by range, digested while written."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import requests
import urllib3

from ultracurate.core.log import event
from ultracurate.sources._answers import answer_error
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Fetched, SourceError, SourceState
from ultracurate.sources._bodies import NUMBER
from ultracurate.sources._connections import read_some
from ultracurate.sources._digests import CHUNK, digest_file
from ultracurate.sources._http import Transport
from ultracurate.sources._limits import bandwidth_pacer, place
from ultracurate.sources._locks import held, on_disk
from ultracurate.sources._partial import SMALL, Arriving, Partial
from ultracurate.sources._urls import redact, strip_secrets

HEADWAY = 1 << 16
"""Bytes that count as progress: an attempt that brought fewer is a failed one."""
HEAD = 512
LOOK_EVERY = 64 << 20
"""Bytes between two looks at the free space, for a file that nobody stated the size of."""
STALL = 300.0
"""Seconds in which an answer has to make headway; one that drips is as good as cut."""
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_STARTS = {".zip": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"), ".gz": (b"\x1f\x8b",), ".tgz": (b"\x1f\x8b",)}


class _Unfit(Exception):  # noqa: N818 - a message between two functions here, no error of ours
    """The bytes are not those that were promised."""


def download(
    transport: Transport,
    ask: Ask,
    target: Path,
    *,
    name: str,
    size: int | None = None,
    checksum: str | None = None,
) -> Fetched:
    """Bring one file to `target`; it appears there whole and verified, or not at all.

    An existing target that fits is not fetched again. A wrong digest or size costs one clean second try, then raises
    with both values. Range requests follow RFC 9110, section 14.
    """
    small = size is not None and size <= SMALL  # two processes that bring it at once bring the same verified bytes
    with nullcontext() if small else held(target):
        with on_disk(target):
            if target.exists():
                digests = digest_file(target, checksum, size)
                if digests.problem(size) is None:
                    return digests.fetched(target)
                target.unlink()
        with place(transport.context, transport.host, transport.at_once):
            part = (Arriving if small else Partial)(target, strip_secrets(ask.url), size, checksum)
            return _fetch(transport, ask, part, name)


def _fetch(transport: Transport, ask: Ask, part: Arriving, name: str) -> Fetched:
    transferred = 0
    problem = ""
    for _ in range(2):
        fill = _Fill(transport, ask, part, name)
        try:
            fill.run()
            found = part.digests.problem(part.size)
        except _Unfit as exc:
            found = str(exc)
        transferred += fill.transferred
        if found is None:
            return part.publish(transferred)
        problem = found
        part.discard()
        event("source.unfit", url=redact(ask.url), problem=problem)
    raise SourceError(SourceState.CHECKSUM_MISMATCH, f"{ask.what} from {redact(ask.url)}, fetched twice: {problem}")


def download_first(
    transport: Transport,
    asks: Sequence[Ask],
    target: Path,
    *,
    name: str,
    size: int | None = None,
    checksum: str | None = None,
) -> Fetched:
    """`download` from the first address that works; when none does, the last error names all of them."""
    errors: list[SourceError] = []
    for ask in asks:
        try:
            return download(transport, ask, target, name=name, size=size, checksum=checksum)
        except SourceError as exc:
            errors.append(exc)
    if len(errors) == 1:
        raise errors[0]
    tried = "; ".join(exc.found for exc in errors)
    raise SourceError(errors[0].state, f"None of {len(errors)} addresses works: {tried}", status=errors[0].status)


class _Fill:
    """Fills one `Partial` to its end, over as many answers as it takes."""

    def __init__(self, transport: Transport, ask: Ask, part: Arriving, name: str) -> None:
        self.transport = transport
        self.ask = replace(ask, accept=frozenset(range(200, 207)) | {416})
        self.part = part
        self.name = name
        self.transferred = 0
        self._ranges = True  # until the host proves that its ranges cannot be trusted
        self._failures = 0

    def run(self) -> None:
        """Ask until all bytes are here; what came is kept when it has to give up."""
        part = self.part
        while part.done == 0 or part.expected is None or part.done < part.expected:
            with self.transport.open(self._request()) as response:
                if response.status_code == 416 and self._is_whole(response):
                    return
                if not self._accept(response):
                    part.discard()
                    self._ranges = False
                    self._failed("its byte ranges do not fit together")
                    continue
                before = part.done
                ended = self._copy(response)
            if part.expected is not None and part.done > part.expected:
                raise _Unfit(f"expected {part.expected} bytes, found more")
            if ended and (part.expected is None or part.done == part.expected):
                if part.done == 0 and part.size != 0:
                    raise SourceError(SourceState.BAD_ANSWER, f"{self.ask.what}: {redact(self.ask.url)} sent 0 bytes")
                return
            if part.done - before >= HEADWAY:
                self._failures = 0
            self._failed(f"the connection was cut after {part.done} of {part.expected or 'unknown'} bytes")

    def _request(self) -> Ask:
        part = self.part
        headers = {**self.ask.headers, "Accept-Encoding": "identity"}  # gzip breaks lengths and ranges
        if part.can_resume and self._ranges:
            headers["Range"] = f"bytes={part.done}-"
            if part.validator:
                headers["If-Range"] = part.validator
        return replace(self.ask, headers=headers)

    def _accept(self, response: requests.Response) -> bool:
        """Take the answer's terms: True to copy its body at the end of what is here, False to start over."""
        part = self.part
        if response.status_code == 206:
            fit = self._continues(response)
            if fit:
                part.check_space()
            return fit
        if response.status_code == 416:
            return False
        if response.status_code != 200:
            raise answer_error(response, f"{self.ask.what} (expected the file itself)")
        length = response.headers.get("Content-Length", "")
        plain = response.headers.get("Content-Encoding", "identity") == "identity"
        total = int(length) if NUMBER.fullmatch(length) and plain else None
        self._refuse_page(response)
        if part.size is not None and total is not None and total != part.size:
            raise _Unfit(f"expected {part.size} bytes, the host offers {total}")
        part.begin(_validator(response), total, None if part.checksum or not plain else _offered(response))
        return True

    def _continues(self, response: requests.Response) -> bool:
        part = self.part
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if match is None or not part.can_resume or int(match[1]) != part.done:
            return False
        total = None if match[3] == "*" else int(match[3])
        if total is not None and part.expected is not None and total != part.expected:
            return False
        now = _validator(response)
        if part.validator and now and now != part.validator and now[0] == part.validator[0]:
            return False  # same kind of validator, other value: the file changed between two answers
        part.total = part.total if total is None else total
        return True

    def _is_whole(self, response: requests.Response) -> bool:
        """A 416 for the byte after the last one: everything was here already."""
        said = response.headers.get("Content-Range", "").removeprefix("bytes */")
        return said == str(self.part.done) and self.part.size in (None, self.part.done)

    def _copy(self, response: requests.Response) -> bool:
        """Append the body; True if it ended by itself, False if the connection was cut."""
        part, head = self.part, bytearray()
        checked = part.done > 0
        clock = self.transport.context.clock
        since, mark = clock(), part.done
        looked = part.done
        bandwidth = bandwidth_pacer(self.transport.context)
        with part.appending() as file:
            while True:
                self.transport.check_stop(self.ask)
                try:
                    # read1 hands over what has arrived, so a cut loses nothing; raw bytes, as digests are of those
                    data = read_some(response, CHUNK, STALL)
                except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError):
                    return False
                if not data:
                    self._refuse_content(head, checked)
                    return True
                if not checked:
                    head += data[: HEAD - len(head)]
                    if len(head) >= HEAD:
                        self._refuse_content(head, checked)
                        checked = True
                part.append(file, data)
                self.transferred += len(data)
                if bandwidth:
                    bandwidth.take(len(data))
                if part.expected is None and part.done - looked >= LOOK_EVERY:
                    looked = part.done
                    part.check_space()
                if part.expected is not None and part.done > part.expected:
                    return True
                if part.done - mark >= HEADWAY:
                    since, mark = clock(), part.done
                elif clock() - since > STALL:
                    return False

    def _refuse_page(self, response: requests.Response) -> None:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml") and not self.name.lower().endswith(
            (".html", ".htm", ".xhtml")
        ):
            self._refuse("a web page")

    def _refuse_content(self, head: bytearray, checked: bool) -> None:
        """Raise when the first bytes are a page, an error text or a pointer in place of the file."""
        if checked or not head:
            return
        name, start = self.name.lower(), bytes(head).lstrip().lower()
        if not name.endswith((".html", ".htm", ".xhtml")) and start.startswith((b"<!doctype html", b"<html")):
            self._refuse("a web page")
        if not name.endswith(".xml") and start.startswith(b"<?xml") and b"<error" in start:
            self._refuse("an error text")
        if start.startswith(b"version https://git-lfs.github.com/spec/"):
            self._refuse("a Git LFS pointer")
        magic = _STARTS.get(Path(name).suffix)
        if magic and self.part.checksum is None and not bytes(head).startswith(magic):
            self._refuse(f"something that is no {Path(name).suffix} file")

    def _refuse(self, found: str) -> None:
        self.part.discard()
        raise SourceError(SourceState.BAD_ANSWER, f"{self.ask.what}: {redact(self.ask.url)} sent {found}, not the file")

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures > self.transport.context.retries:
            raise SourceError(SourceState.UNREACHABLE, f"{self.ask.what}: {redact(self.ask.url)}: {why}")
        event("source.resume", url=redact(self.ask.url), done=self.part.done, why=why)
        self.transport.pause(self._failures - 1)


def _validator(response: requests.Response) -> str | None:
    """A strong ETag, else Last-Modified; a weak ETag does not prove equal bytes."""
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        return str(etag)
    modified: str | None = response.headers.get("Last-Modified")
    return modified


_GOOGLE_MD5 = re.compile(r"(?:^|[,\s])md5=([A-Za-z0-9+/]{22}==)")


def _offered(response: requests.Response) -> str | None:
    """The md5 of the whole file that an answer carries: Content-MD5 (base64, or hex at Zenodo) or x-goog-hash."""
    stated = response.headers.get("Content-MD5", "").strip()
    if re.fullmatch(r"[0-9a-fA-F]{32}", stated):
        return f"md5:{stated.lower()}"
    google = _GOOGLE_MD5.search(response.headers.get("x-goog-hash", ""))
    code = google[1] if google else stated
    packed = response.headers.get("x-goog-stored-content-encoding", "identity") != "identity"
    if packed or not re.fullmatch(r"[A-Za-z0-9+/]{22}==", code):
        return None  # of a packed object the digest is that of the packed bytes
    return f"md5:{base64.b64decode(code).hex()}"
