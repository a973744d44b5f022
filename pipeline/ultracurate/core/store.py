"""The work directory: a local folder or any fsspec URL, where a file appears whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import fsspec

from ultracurate.core.errors import StorageError, storage_error

LEFTOVER = re.compile(r"[0-9a-f]{32}\.tmp")
"""What `create` calls an unfinished file."""

DAY = 24 * 3600.0
"""Seconds after which an unfinished file that nobody writes to is a killed process's."""


class Store:
    """Reads and atomic writes under one root; every path is relative to it, "/" separated."""

    def __init__(self, url: str | Path) -> None:
        self.fs: Any
        # Other processes write here too: a cached listing would hide their parts.
        self.fs, self._root = fsspec.core.url_to_fs(str(url), use_listings_cache=False)
        self.local = Path(self._root) if "file" in _protocols(self.fs) else None
        self.url = str(self.local) if self.local else self.fs.unstrip_protocol(self._root)

    def _full(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return self.local.joinpath(path).exists() if self.local else bool(self.fs.exists(self._full(path)))

    def names(self, folder: str) -> list[str]:
        """Sorted names in a folder; empty if there is none."""
        try:
            found = (
                [path.name for path in (self.local / folder).iterdir()]
                if self.local
                else [p.rsplit("/", 1)[-1] for p in self.fs.ls(self._full(folder), detail=False)]
            )
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(found)

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return int(self.fs.size(self._full(path)))

    def open(self, path: str) -> IO[bytes]:
        """A seekable binary reader."""
        if self.local:
            return (self.local / path).open("rb")
        reader: IO[bytes] = self.fs.open(self._full(path), "rb")
        return reader

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of a file, or of a range of it."""
        if length == 0:
            return b""  # object stores have no empty range
        if self.local:
            with (self.local / path).open("rb") as file:
                file.seek(offset)
                return file.read(-1 if length is None else length)
        end = None if length is None else offset + length
        return bytes(self.fs.cat_file(self._full(path), start=offset or None, end=end))

    def sha256(self, path: str) -> str:
        """Digest (64 hex digits) of a file of any size."""
        with self.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # any binary reader will do

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file: after a crash it is there complete, or not there."""
        with self.create(path) as file:
            file.write(data)

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        """A binary writer whose file appears under `path` only when the block ends without an error.

        Local: temporary name on the same disk, fsync, rename. Object stores publish an upload only when it is
        complete, so there the file is prepared on the local disk and put in one piece.
        """
        folder = self.scratch()
        temporary = folder / f"{uuid.uuid4().hex}.tmp"
        try:
            with self._clear_errors(path):
                with temporary.open("w+b") as file:
                    yield file
                    file.flush()
                    if self.local:
                        os.fsync(file.fileno())
                self.adopt(temporary, path)
        finally:
            with suppress(OSError):  # a disk that just failed must not hide why behind a second error
                temporary.unlink(missing_ok=True)

    def adopt(self, file: Path, path: str) -> None:
        """Move a finished local file to `path`, atomically."""
        if self.local:
            target = self.local / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                file.replace(target)
            except OSError as exc:
                if exc.errno != errno.EXDEV:
                    raise
                _fill(target, lambda beside: shutil.copyfile(file, beside))  # another file system
                file.unlink(missing_ok=True)
            return
        self.fs.makedirs(self._full(path).rsplit("/", 1)[0], exist_ok=True)
        self.fs.put_file(str(file), self._full(path))
        file.unlink(missing_ok=True)

    def link(self, source: str, path: str) -> None:
        """Make `path` show the bytes of `source`, in place of what was there: a hard link if possible, else a copy."""
        if not self.local:
            self.fs.makedirs(self._full(path).rsplit("/", 1)[0], exist_ok=True)
            self.fs.cp_file(self._full(source), self._full(path))
            return
        original = self.local / source

        def link_or_copy(beside: Path) -> None:
            try:
                beside.hardlink_to(original)
            except OSError:
                shutil.copyfile(original, beside)

        target = self.local / path
        with self._clear_errors(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            _fill(target, link_or_copy)

    def remove(self, path: str) -> None:
        """Delete a file; no error if there is none."""
        if self.local:
            (self.local / path).unlink(missing_ok=True)
        elif self.fs.exists(self._full(path)):
            self.fs.rm_file(self._full(path))

    def scratch(self) -> Path:
        """A local folder for unfinished files, on the work directory's own disk where that is local."""
        folder = self.local / "tmp" if self.local else own_temporary_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise storage_error(exc, str(folder)) or StorageError(f"Could not make {folder}: {exc.strerror}") from exc
        return folder

    def sweep(self, age: float = DAY) -> int:
        """Remove the unfinished files that killed processes left in the scratch folder; returns how many.

        Only what nobody has written to for `age` seconds, by the clock of the disk itself, and never what lies under
        `downloads/`: the next run goes on with those.
        """
        folder = self.scratch()
        with tempfile.TemporaryFile(dir=folder) as probe:
            now = os.fstat(probe.fileno()).st_mtime
        removed = 0
        for file in folder.iterdir():
            with suppress(OSError):  # another run sweeps too, or it belongs to somebody else
                if LEFTOVER.fullmatch(file.name) and now - file.lstat().st_mtime > age:
                    file.unlink()
                    removed += 1
        return removed

    def check_writable(self) -> None:
        """Fail early, with a clear message, if nothing can be written here."""
        probe = f"tmp-{uuid.uuid4().hex}.probe"
        self.write(probe, b"ultracurate")
        self.remove(probe)

    @contextmanager
    def _clear_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            if clear := storage_error(exc, f"{self.url}/{path}"):
                raise clear from exc
            raise


def own_temporary_folder() -> Path:
    """This user's folder on the machine's temporary disk, closed to others: one node of a cluster serves many people.

    A folder of that name that somebody else made, or can write to, is a `StorageError`: what lies in it could be a
    link to a file of ours.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"ultracurate-{user}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as exc:
        raise storage_error(exc, str(folder)) or StorageError(f"Could not make {folder}: {exc.strerror}") from exc
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and (found.st_uid != user or found.st_mode & 0o022)):
        raise StorageError(
            f"Expected {folder} to be a folder of yours alone, found one that others can change. "
            "Remove it, or set TMPDIR to another place."
        )
    return folder


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _fill(target: Path, fill: Callable[[Path], object]) -> None:
    """Make a file under a temporary name beside its target, so that the rename stays on one file system."""
    beside = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        fill(beside)
        beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # also after success: renaming one hard link over another leaves both names
