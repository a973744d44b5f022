"""One process at a time for each unfinished file, and disk errors in words."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ultracurate.core.errors import storage_error

try:
    import fcntl
except ImportError:  # Windows: two runs on one work directory are up to the user there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Disk errors inside become the clear `StorageError` where there is one."""
    try:
        yield
    except OSError as exc:
        if clear := storage_error(exc, str(path)):
            raise clear from exc
        raise


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
