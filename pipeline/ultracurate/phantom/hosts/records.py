"""What the invented hosts hold: records in one neutral form, and files whose bytes may be made on demand."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

Access = Literal["open", "restricted", "embargoed", "closed", "terms"]
"""`terms`: the record is public, its files want an account that has accepted the terms."""
_BLOCK = 1 << 20
_TAG = re.compile(r"<[^<>]{0,2000}>")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")


@cache
def _block(seed: int) -> bytes:
    return hashlib.shake_256(str(seed).encode()).digest(_BLOCK)


@dataclass(frozen=True)
class Blob:
    """`size` bytes that depend on `seed` only and take no room: a file of 2 GiB without a disk."""

    size: int
    seed: int = 0
    hashed: bool = True
    """False: digests are invented from size and seed, for files that are listed by the terabyte and never fetched."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop)."""
        return b"".join(self.pieces(start, stop))

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes [start, stop) in pieces of at most 1 MiB."""
        end, block = self.size if stop is None else min(stop, self.size), _block(self.seed)
        while start < end:
            number, offset = divmod(start, _BLOCK)
            # Each block starts with its own number, so that no two places of a file can be confused.
            whole = number.to_bytes(8, "big") + block[8:]
            piece = whole[offset : offset + end - start]
            yield piece
            start += len(piece)


@dataclass(frozen=True)
class HostFile:
    """One file of a record: `key` is its "/" separated name; its bytes are here, on disk, or made on demand."""

    key: str
    body: bytes | Path | Blob = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        if isinstance(self.body, Path):
            return self.body.stat().st_size
        return self.body.size if isinstance(self.body, Blob) else len(self.body)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes [start, stop) in pieces of at most 1 MiB."""
        if isinstance(self.body, Blob):
            yield from self.body.pieces(start, stop)
            return
        if isinstance(self.body, bytes):
            yield self.body[start:stop]
            return
        with self.body.open("rb") as file:
            file.seek(start)
            left = self.size - start if stop is None else stop - start
            while left > 0 and (piece := file.read(min(left, _BLOCK))):
                left -= len(piece)
                yield piece

    @cached_property
    def md5(self) -> str:
        """Digest, 32 hex digits."""
        return self._digest("md5")

    @cached_property
    def sha256(self) -> str:
        """Digest, 64 hex digits."""
        return self._digest("sha256")

    def _digest(self, name: str) -> str:
        digest = hashlib.new(name, usedforsecurity=False)
        if isinstance(self.body, Blob) and not self.body.hashed:
            digest.update(f"{self.body.size} bytes of {self.body.seed}".encode())
            return digest.hexdigest()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


def words_of(text: str) -> str:
    """Text as a search index keeps it: lower-case words between single spaces; HTML and marks are gone.

    Each Chinese character is a word, so that a phrase finds it inside a longer run.
    """
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub(" ", text))
    return f" {' '.join(_WORD.findall(text.lower()))} "


@dataclass(frozen=True)
class HostRecord:
    """One record of one host, before it is put into that host's words."""

    host: str
    """zenodo, kaggle, mendeley, figshare, github, tcia, synapse, aimi, grand_challenge, gdrive or http."""
    id: str
    """As the host writes it: "8265464", "owner/slug", "abc123def4", "owner/repository", a collection, "syn123", ..."""
    title: str
    description: str = ""
    """May hold HTML where the host's does."""
    keywords: tuple[str, ...] = ()
    licence: str | None = "CC-BY-4.0"
    """SPDX id, or a text as depositors write it; each host puts it into its own words. None: nothing stated."""
    access: Access = "open"
    kind: str = "dataset"
    """dataset, image, software, publication, ..."""
    created: str = "2026-01-05"
    """YYYY-MM-DD."""
    version: int = 1
    """Number of this version, from 1."""
    concept: str | None = None
    """Id that all versions share; None makes one of its own."""
    doi: str | None = None
    """A DOI of somebody else (then the host gives none of its own)."""
    deleted: bool = False
    """Answers 410 with a tombstone where the host has them."""
    index: str = ""
    """Words that only the host's search knows, as from a file's full text."""
    related: tuple[str, ...] = ()
    """DOIs or addresses it states as its sources or copies."""
    files: tuple[HostFile, ...] = ()

    @cached_property
    def text(self) -> str:
        """What a search without a field looks through, as `words_of` makes it."""
        return words_of(" ; ".join((self.title, self.description, *self.keywords, self.index)))

    @cached_property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def file(self, key: str) -> HostFile | None:
        """The file with a key."""
        return next((file for file in self.files if file.key == key), None)


class Shelf:
    """All records of a server, by host and id."""

    def __init__(self, records: Iterable[HostRecord] = ()) -> None:
        self._hosts: dict[str, dict[str, HostRecord]] = {}
        self._concepts: dict[tuple[str, str], dict[str, HostRecord]] = {}
        self.changes = 0
        """Grows with every change: what was computed at an earlier number is stale."""
        for record in records:
            self.add(record)

    def add(self, record: HostRecord) -> None:
        """Put a record on the shelf, in place of one with the same host and id."""
        self.remove(record.host, record.id)
        self._hosts.setdefault(record.host, {})[record.id] = record
        if record.concept is not None:
            self._concepts.setdefault((record.host, record.concept), {})[record.id] = record

    def remove(self, host: str, id: str) -> None:
        """Take a record off the shelf, if it is there."""
        self.changes += 1
        old = self._hosts.get(host, {}).pop(id, None)
        if old is not None and old.concept is not None:
            del self._concepts[host, old.concept][id]

    def of(self, host: str) -> dict[str, HostRecord]:
        """Records of a host by id, in the order they came."""
        return self._hosts.setdefault(host, {})

    def concept(self, host: str, concept: str) -> list[HostRecord]:
        """All versions that state a concept, oldest first."""
        return sorted(self._concepts.get((host, concept), {}).values(), key=lambda record: record.version)

    def versions(self, record: HostRecord) -> list[HostRecord]:
        """All versions of a record's concept, oldest first."""
        return [record] if record.concept is None else self.concept(record.host, record.concept)

    def newest(self, record: HostRecord) -> HostRecord:
        """The newest version of a record's concept."""
        return self.versions(record)[-1]
