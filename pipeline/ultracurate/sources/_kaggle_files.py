"""What Kaggle's storage holds behind a download address, and a single file taken out of the zip it may come in."""

from __future__ import annotations

import json
import os
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ultracurate.archives.member import ArchiveLimits, normalise
from ultracurate.archives.reading import iter_members
from ultracurate.core.errors import RowError
from ultracurate.sources import _download as _downloads
from ultracurate.sources._answers import ERROR_BYTES, is_json
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Fetched, RemoteFile, SourceError, SourceState
from ultracurate.sources._connections import read_some
from ultracurate.sources._digests import CHUNK, Digests, digest_file
from ultracurate.sources._http import NETWORK_ERRORS, Transport
from ultracurate.sources._kaggle_records import refuse_error
from ultracurate.sources._locks import held, on_disk
from ultracurate.sources._partial import check_room
from ultracurate.sources._urls import hide_token, origin

if TYPE_CHECKING:
    import requests

LIMITS = ArchiveLimits(max_members=4, max_member_bytes=1 << 40, max_ratio=2000)
"""For a zip around one file: 2000 is beyond what deflate reaches, so only the stated size counts."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = (b"\x1f\x8b",)
_MAGIC = {".zip": _ZIP, ".gz": _GZIP, ".tgz": _GZIP}
_TEXTS = frozenset({".csv", ".tsv", ".json", ".jsonl", ".txt", ".xml", ".md"})


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """What an address leads to now; the address may be signed and is never shown."""

    url: str
    away: bool
    """Whether it is a storage host's, not Kaggle's own."""
    name: str
    """Last part of its path."""
    head: bytes
    """First four bytes, or fewer where they did not come."""

    def packed(self, file: RemoteFile) -> bool:
        """Whether the file comes in a zip of its own: its name there says so, or a text that starts as a zip."""
        base = PurePosixPath(file.name).name
        zipped = not self.head or self.head.startswith(_ZIP)
        return zipped and (
            self.name == f"{base}.zip" or (bool(self.head) and PurePosixPath(base.lower()).suffix in _TEXTS)
        )


def look(http: Transport, ask: Ask, file: RemoteFile) -> Offer:
    """Ask for a file and hang up after its first bytes; HEAD is not served. Raises what an error in JSON means."""
    with http.open(ask) as response:
        away = origin(response.url) != origin(ask.url)
        if not away and is_json(response):
            _refuse_json(_start(response, ERROR_BYTES), ask, file)
        head = _start(response, 4)
        name = unquote(urlsplit(response.url).path).rpartition("/")[2]
        offer = Offer(response.url, away, name, head)
    magic = _MAGIC.get(PurePosixPath(file.name.lower()).suffix)
    if head and magic and not head.startswith(magic) and not offer.packed(file):
        raise SourceError(
            SourceState.BAD_ANSWER,
            f"{ask.what}: expected what the name says, found {_kind(head)}",
            advice=_advice(head),
        )
    return offer


def unpack(archive: Path, file: RemoteFile, target: Path) -> Fetched:
    """Write the one file of `archive` to `target`, whole and verified, and remove the archive."""
    with held(target), on_disk(target):
        if (done := present(target, file)) is not None:
            archive.unlink(missing_ok=True)
            return done
        part = target.with_name(target.name + ".unpacked")
        try:
            digests = _copy(archive, file, part)
        except (RowError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as exc:
            part.unlink(missing_ok=True)
            archive.unlink(missing_ok=True)
            why = exc.found if isinstance(exc, SourceError) else "it is damaged"
            raise SourceError(
                SourceState.BAD_ANSWER, f"Kaggle packed file {file.name!r} into a zip of its own, and {why}"
            ) from None
        archive.unlink()
        if problem := digests.problem(file.size):
            part.unlink()
            raise SourceError(SourceState.CHECKSUM_MISMATCH, f"Kaggle file {file.name!r}, out of its zip: {problem}")
        part.replace(target)
        return digests.fetched(target)


def present(target: Path, file: RemoteFile) -> Fetched | None:
    """The file if it is here already and is what was stated; one of which nothing was stated is asked for again."""
    with on_disk(target):
        if (file.size is None and file.checksum is None) or not target.exists():
            return None
        digests = digest_file(target, file.checksum, file.size)
        return digests.fetched(target) if digests.problem(file.size) is None else None


def _copy(archive: Path, file: RemoteFile, part: Path) -> Digests:
    base = PurePosixPath(file.name).name
    with archive.open("rb") as packed:
        members = list(iter_members(packed, archive.name, LIMITS))
        if len(members) != 1 or members[0].problem or PurePosixPath(members[0].path).name != base:
            names = ", ".join(repr(member.path) for member in members[:3]) or "nothing"
            raise SourceError(SourceState.BAD_ANSWER, f"that holds {names} instead of {base!r} alone")
        if file.size is not None and members[0].size != file.size:
            found = members[0].size
            raise SourceError(SourceState.BAD_ANSWER, f"the file in it has {found} bytes; expected {file.size}")
        check_room(part, members[0].size)
        digests = Digests(file.checksum, file.size)
        with zipfile.ZipFile(packed) as opened, part.open("wb") as out:
            entry = next(info for info in opened.infolist() if normalise(info.filename) == members[0].path)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise SourceError(
                    SourceState.BAD_ANSWER, f"that is compressed in an unusual way ({entry.compress_type})"
                )
            with opened.open(entry) as inner:
                while data := inner.read(CHUNK):  # never more than the stated size; the CRC is checked at the end
                    out.write(data)
                    digests.add(data)
            out.flush()
            os.fsync(out.fileno())
    return digests


def _refuse_json(body: bytes, ask: Ask, file: RemoteFile) -> None:
    """An answer in JSON where a file was asked for: an error, unless the file itself is JSON."""
    try:
        data: Any = json.loads(hide_token(body.decode("utf-8", "replace"), ask.token))
    except (ValueError, RecursionError):
        data = None
    refuse_error(data, ask.what)
    if not file.name.lower().endswith(".json"):
        raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: answered JSON instead of the file")


def _start(response: requests.Response, most: int) -> bytes:
    """The first bytes of a body; fewer if the connection breaks, as the download itself will tell."""
    found, end = bytearray(), time.monotonic() + _downloads.STALL
    try:
        while len(found) < most and (data := read_some(response, most - len(found), _downloads.STALL)):
            found += data
            if time.monotonic() > end:
                break
    except (*NETWORK_ERRORS, OSError):
        pass
    return bytes(found)


def _kind(head: bytes) -> str:
    if head.startswith(_ZIP):
        return "a zip"
    return "a gzip (a tar.gz, by the kind of thing it is)" if head.startswith(_GZIP) else "neither zip nor gzip"


def _advice(head: bytes) -> str | None:
    ending = ".zip" if head.startswith(_ZIP) else ".tar.gz" if head.startswith(_GZIP) else None
    if ending is None:
        return None
    return f"If this is the archive of a whole dataset, name it <slug>{ending} in the manifest's `files`."
