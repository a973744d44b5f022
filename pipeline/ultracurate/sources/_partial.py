"""A file on its way in: `<target>.part` with a sidecar that says what the bytes belong to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ultracurate.core.errors import StorageError, storage_error
from ultracurate.sources._base import Fetched

try:
    import fcntl
except ImportError:  # Windows: two runs on one work directory are up to the user there
    fcntl = None  # type: ignore[assignment]

CHUNK = 1 << 18
SMALL = 1 << 18
"""Bytes up to which a file is simply fetched anew by the next process; its sidecar would cost more."""
RESERVE = 1 << 30
"""Bytes that a file of unknown size leaves free on the disk."""


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Disk errors inside become the clear `StorageError` where there is one."""
    try:
        yield
    except OSError as exc:
        if clear := storage_error(exc, str(path)):
            raise clear from exc
        raise


class Digests:
    """Size and digests of the bytes seen so far: sha256 always, and the one that a stated checksum needs."""

    def __init__(self, checksum: str | None = None, expected: int | None = None) -> None:
        self.size = 0
        self._checksum = checksum.lower() if checksum else None
        self._sha256 = hashlib.sha256()
        self._stated: Any = None
        name = (self._checksum or "").partition(":")[0]
        if name == "md5":
            self._stated = hashlib.md5(usedforsecurity=False)  # what Zenodo and figshare state
        elif name == "sha1_git":
            # A blob's digest covers its length too (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
            self._stated = hashlib.sha1(f"blob {expected}\0".encode(), usedforsecurity=False)

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return self._sha256.hexdigest()

    def add(self, data: bytes) -> None:
        """Count and digest more bytes."""
        self.size += len(data)
        self._sha256.update(data)
        if self._stated is not None:
            self._stated.update(data)

    def problem(self, size: int | None) -> str | None:
        """What does not fit the expected size and the stated checksum; None if all fits."""
        if size is not None and self.size != size:
            return f"expected {size} bytes, found {self.size}"
        if self._checksum is not None:
            name = self._checksum.partition(":")[0]
            found = f"{name}:{(self._stated or self._sha256).hexdigest()}"
            if found != self._checksum:
                return f"expected {self._checksum}, found {found}"
        return None

    def fetched(self, path: Path, transferred: int = 0) -> Fetched:
        """The account of a whole file at `path`."""
        return Fetched(path, self.size, self.sha256, transferred)


def digest_file(path: Path, checksum: str | None = None, size: int | None = None) -> Digests:
    """Size and digests of a file on disk; `checksum` and `size` are what is stated of it."""
    digests = Digests(checksum, size)
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digests.add(data)
    return digests


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Only one process at a time works on `target`; the kernel lets go when it dies. A thread may hold it twice.

    The lock is on the `.part` file itself, so that it leaves nothing behind.
    """
    part = part_of(target)
    mine: set[Path] = _mine.__dict__.setdefault("parts", set())
    if part in mine:
        yield
        return
    with on_disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(part)
    mine.add(part)
    try:
        yield
    finally:
        mine.discard(part)
        if _is_at(lock, part) and os.fstat(lock).st_size == 0:
            part.unlink()
        os.close(lock)


_mine = threading.local()


def _lock(part: Path) -> int:
    """A descriptor of the file that is at `part` now, locked."""
    while True:
        lock = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, part):
            return lock
        os.close(lock)  # who held it before has published or removed it


def _is_at(lock: int, part: Path) -> bool:
    try:
        there = part.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(lock))


def part_of(target: Path) -> Path:
    """Where the unfinished bytes of a target lie."""
    return target.with_name(target.name + ".part")


class Partial:
    """The unfinished bytes of one target; survives the process that began it."""

    def __init__(self, target: Path, url: str, size: int | None, checksum: str | None) -> None:
        self.target = target
        self.path = part_of(target)
        self.sidecar = target.with_name(target.name + ".part.json")
        self.url = url
        self.size = size
        self.checksum = checksum
        self.validator: str | None = None
        self.total: int | None = None
        self.offered: str | None = None
        """Checksum that came with the answer itself, where nobody stated one before."""
        self.digests = self._fresh()
        with on_disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._load()

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

    def discard(self) -> None:
        """Forget everything that is here."""
        with on_disk(self.target):
            if self.path.exists():
                os.truncate(self.path, 0)  # not removed: the lock is on it
            self.sidecar.unlink(missing_ok=True)
        self.validator = self.total = self.offered = None
        self.digests = self._fresh()

    def begin(self, validator: str | None, total: int | None, offered: str | None = None) -> None:
        """Start at byte 0 of an answer that has this validator, length and checksum."""
        self.discard()
        self.validator, self.total, self.offered = validator, total, offered
        self.digests = self._fresh()
        note = {"url": self.url, "validator": validator, "total": total, "size": self.size, "checksum": self.checksum}
        note["offered"] = offered
        with on_disk(self.target):
            self.check_space()
            if self.expected is not None and self.expected <= SMALL:
                return
            temporary = self.sidecar.with_name(self.sidecar.name + ".tmp")
            temporary.write_text(json.dumps(note), encoding="utf-8")
            temporary.replace(self.sidecar)

    def check_space(self) -> None:
        """Raise `StorageError` now rather than after hours, when the rest cannot fit on the disk."""
        free = shutil.disk_usage(self.target.parent).free
        need = RESERVE if self.expected is None else self.expected - self.done
        if need > free:
            raise StorageError(
                f"Could not write {self.target}: expected room for {need:,} bytes, found {free:,} free. "
                "Free some space, or choose another --work; what was fetched is kept, run the same command again."
            )

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """The open file, positioned at its end."""
        with on_disk(self.target), self.path.open("ab", buffering=0) as file:
            yield file

    def append(self, file: IO[bytes], data: bytes) -> None:
        """Write and digest more bytes."""
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        self.digests.add(data)

    def publish(self, transferred: int) -> Fetched:
        """Make the verified bytes appear as the target; those of a large file are safe on the disk before."""
        with on_disk(self.target):
            if not self.path.exists():
                self.path.touch()  # a file of 0 bytes
            if self.done > SMALL:  # of small ones the caller makes many safe at once
                with self.path.open("rb") as file:
                    os.fsync(file.fileno())
            self.path.replace(self.target)
            self.sidecar.unlink(missing_ok=True)
        return self.digests.fetched(self.target, transferred)
