"""A file on its way in: small ones in memory, others in `<target>.part` with a sidecar that says what it belongs to."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ultracurate.core.errors import StorageError
from ultracurate.sources._base import Fetched, SourceError, SourceState
from ultracurate.sources._digests import Digests, digest_file
from ultracurate.sources._locks import on_disk, part_of

SMALL = 1 << 18
"""Bytes up to which a file is held in memory, and fetched anew by the next process if this one dies."""
RESERVE = 1 << 30
"""Bytes that a file of unknown size leaves free on the disk."""


def check_room(target: Path, need: int) -> None:
    """`StorageError` if so many bytes find no room; `SourceError` if no disk of this size could ever hold them."""
    disk = shutil.disk_usage(target.parent)
    if need > disk.total > 0:
        raise SourceError(
            SourceState.BAD_ANSWER,
            f"A file of {need:,} bytes is stated, and the whole disk has {disk.total:,}",
            advice="Check the size on the record's page; for a file that is really so large, choose another --work.",
        )
    if need > disk.free:
        raise StorageError(
            f"Could not write {target}: expected room for {need:,} bytes, found {disk.free:,} free. "
            "Free some space, or choose another --work; what was fetched is kept, run the same command again."
        )


class Arriving:
    """What has come of one target so far, in memory: enough for a small file."""

    def __init__(self, target: Path, url: str, size: int | None, checksum: str | None) -> None:
        self.target = target
        self.url = url
        self.size = size
        self.checksum = checksum
        self.validator: str | None = None
        self.total: int | None = None
        self.offered: str | None = None
        """Checksum that came with the answer itself, where nobody stated one before."""
        self.digests = self._fresh()
        self._body = io.BytesIO()
        with on_disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)

    @property
    def done(self) -> int:
        """Bytes that are here."""
        return self.digests.size

    @property
    def expected(self) -> int | None:
        """Bytes of the whole file, if anybody said so."""
        return self.total if self.total is not None else self.size

    @property
    def can_resume(self) -> bool:
        """Whether more bytes may be added: a validator, or a digest at the end, proves that they belong together."""
        return self.done > 0 and (self.validator is not None or self.checksum is not None)

    def _fresh(self) -> Digests:
        return Digests(self.checksum or self.offered, self.size)

    def discard(self) -> None:
        """Forget everything that is here."""
        self._empty()
        self.validator = self.total = self.offered = None
        self.digests = self._fresh()

    def begin(self, validator: str | None, total: int | None, offered: str | None = None) -> None:
        """Start at byte 0 of an answer that has this validator, length and checksum."""
        self.discard()
        self.validator, self.total, self.offered = validator, total, offered
        self.digests = self._fresh()
        with on_disk(self.target):
            self.check_space()
            self._remember()

    def check_space(self) -> None:
        """Raise `StorageError` now rather than after hours, when the rest cannot fit on the disk."""
        check_room(self.target, RESERVE if self.expected is None else self.expected - self.done)

    def _empty(self) -> None:
        self._body = io.BytesIO()

    def _remember(self) -> None:
        """Write down what the bytes to come belong to; memory needs no note."""

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """Where more bytes go."""
        yield self._body

    def append(self, file: IO[bytes], data: bytes) -> None:
        """Write and digest more bytes."""
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        self.digests.add(data)

    def publish(self, transferred: int) -> Fetched:
        """Make the verified bytes appear as the target, whole or not at all."""
        beside = self.target.with_name(f"{self.target.name}.{os.getpid()}-{threading.get_ident()}.tmp")
        with on_disk(self.target):
            try:
                beside.write_bytes(self._body.getbuffer())
                beside.replace(self.target)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
        return self.digests.fetched(self.target, transferred)


class Partial(Arriving):
    """The unfinished bytes of one target on disk; they survive the process that began it. The caller holds the lock."""

    def __init__(self, target: Path, url: str, size: int | None, checksum: str | None) -> None:
        super().__init__(target, url, size, checksum)
        self.path = part_of(target)
        self.sidecar = target.with_name(target.name + ".part.json")
        with on_disk(target):
            self._load()

    def _load(self) -> None:
        try:
            note = json.loads(self.sidecar.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            note = None
        same_file = isinstance(note, dict) and note.get("size") == self.size and note.get("checksum") == self.checksum
        same_url = isinstance(note, dict) and note.get("url") == self.url
        # A mirror may go on where another address stopped, but only towards a known digest.
        if not self.path.exists() or not same_file or not (same_url or self.checksum):
            self.discard()
            return
        self.total = note.get("total")
        self.validator = note.get("validator") if same_url else None
        self.offered = note.get("offered")
        self.digests = digest_file(self.path, self.checksum or self.offered, self.size)
        if not self.can_resume or (self.expected is not None and self.done > self.expected):
            self.discard()

    def _empty(self) -> None:
        with on_disk(self.target):
            if self.path.exists():
                os.truncate(self.path, 0)  # not removed: the lock is on it
            self.sidecar.unlink(missing_ok=True)

    def _remember(self) -> None:
        note = {name: getattr(self, name) for name in ("url", "validator", "total", "size", "checksum", "offered")}
        temporary = self.sidecar.with_name(self.sidecar.name + ".tmp")
        temporary.write_text(json.dumps(note), encoding="utf-8")
        temporary.replace(self.sidecar)

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """The open file, positioned at its end."""
        with on_disk(self.target), self.path.open("ab", buffering=0) as file:
            yield file

    def publish(self, transferred: int) -> Fetched:
        """Make the verified bytes, safe on the disk, appear as the target."""
        with on_disk(self.target):
            if not self.path.exists():
                self.path.touch()  # a file of 0 bytes
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(self.target)
            self.sidecar.unlink(missing_ok=True)
        return self.digests.fetched(self.target, transferred)
