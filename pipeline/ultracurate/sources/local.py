"""Files of a folder on this machine: listed and verified where they lie, never copied."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from ultracurate.core.blobs import ROOT, shown
from ultracurate.core.errors import ConfigError
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
from ultracurate.sources._digests import digest_file

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef


@source("local")
class LocalSource:
    """Folders that the recipe, the command line or the environment gives a name; nothing leaves the machine."""

    host: str

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Nothing: a folder does not describe itself."""
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        """The folder and its files; names stay in the local ledger, as they can hold names of patients."""
        name, folder = self._place(ref)
        url = f"{ROOT}{name}/{ref.path}" if ref.path else f"{ROOT}{name}"
        return Candidate(
            host="local",
            record=None,
            title=name,
            description="",
            url=url,
            access="open",
            files=tuple(_walk(name, self._context.root(name).resolve(), folder)),
        )

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """All files below the folder, sorted by name; hidden ones are skipped, unusable ones carry a `problem`."""
        found = self.describe(ref)
        return select_files(list(found.files), ref.files, found.url)

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Read and verify the file where it lies; `target` stays unused: the answer names the file itself."""
        path = self._find(file)
        try:
            digests = digest_file(path, file.checksum, file.size)
        except FileNotFoundError:
            raise SourceError(
                SourceState.NOT_FOUND,
                f"{_shown(file)} was listed and is gone",
                advice="Restore it, or run discover again.",
            ) from None
        except OSError as exc:  # the user's data, not the work directory: one file fails, not the run
            raise SourceError(
                SourceState.MANUAL,
                f"{_shown(file)} cannot be read: {exc.strerror}",
                advice="Give read permission, or move it away.",
            ) from None
        if problem := digests.problem(file.size):
            raise SourceError(
                SourceState.CHECKSUM_MISMATCH,
                f"{_shown(file)}: {problem}",
                advice="It changed since it was listed: restore it, or run discover again.",
            )
        return digests.fetched(path)

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file itself, from byte `start` on."""
        try:
            stream = self._find(file).open("rb")
        except OSError as exc:
            raise SourceError(
                SourceState.MANUAL,
                f"{_shown(file)} cannot be read: {exc.strerror}",
                advice="Give read permission, or restore it.",
            ) from None
        stream.seek(start)
        return stream

    def _find(self, file: RemoteFile) -> Path:
        """Where the file lies, never outside of its root."""
        if file.problem:
            what = f"{_shown(file)}: {file.problem}"
            raise SourceError(SourceState.MANUAL, what, advice="Repair it, or move it away.")
        name, _, rest = (file.uri or "").removeprefix(ROOT).partition("/")
        root = self._context.root(name).resolve()
        path = (root / rest).resolve()
        if not path.is_relative_to(root):
            what = f"{_shown(file)} leads out of its root"
            raise SourceError(SourceState.MANUAL, what, advice="Move it inside.")
        return path

    def _place(self, ref: SourceRef) -> tuple[str, Path]:
        """The root's name and the folder below it."""
        if not ref.root:
            raise ConfigError(
                "A local source expects `root`: the name of a folder that the recipe gives a place for; found none. "
                "Write `root: <name>` in the manifest and put the rest of the path in `path`."
            )
        root = self._context.root(ref.root).resolve()
        folder = root / (ref.path or "")
        inside = ".." not in PurePosixPath(ref.path or "").parts and folder.resolve().is_relative_to(root)
        if not inside:
            raise ConfigError(f"Path {ref.path!r} of the manifest leads out of root {ref.root!r}. Correct `path`.")
        if not folder.exists():
            raise ConfigError(
                f"Root {ref.root!r} is {root}, and there is no {ref.path!r} in it. "
                f"Correct `path` in the manifest, or point --root {ref.root}=FOLDER at the right folder."
            )
        return ref.root, folder


def _walk(name: str, root: Path, folder: Path) -> Iterator[RemoteFile]:
    """Files in the order of their names, the same on every machine."""
    if folder.is_file():
        yield _file(name, root, folder, folder.name)
        return
    found: list[tuple[str, Path]] = []
    for parent, folders, files in os.walk(folder, onerror=partial(_unreadable, name, root)):
        folders[:] = [entry for entry in folders if not entry.startswith(".")]
        links = [entry for entry in folders if Path(parent, entry).is_symlink()]  # os.walk does not enter these
        for entry in (*files, *links):
            if not entry.startswith("."):
                path = Path(parent, entry)
                found.append((path.relative_to(folder).as_posix(), path))
    for relative, path in sorted(found):
        yield _file(name, root, path, relative)


def _file(name: str, root: Path, path: Path, relative: str) -> RemoteFile:
    problem, size = None, None
    readable = relative.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    uri = f"{ROOT}{name}/{path.relative_to(root).as_posix()}"
    uri = uri.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
        if not real.is_relative_to(root):
            problem = "a link that leads out of the root folder"
        elif stat.S_ISDIR(mode):
            problem = "a link to a folder; folders are not followed through links"
        elif not stat.S_ISREG(mode):
            problem = "not a plain file"
        elif readable != relative or "\\" in relative:
            problem = "a file name that is not valid UTF-8, or holds a backslash"
        else:
            size = real.stat().st_size
    except (OSError, RuntimeError):  # RuntimeError: a loop of links
        problem = "a link that leads nowhere"
    return RemoteFile(readable, uri, size, uri=uri if problem is None else None, problem=problem)


def _unreadable(name: str, root: Path, exc: OSError) -> None:
    try:
        level = len(Path(exc.filename or root).relative_to(root).parts)
    except ValueError:
        level = 0
    raise SourceError(
        SourceState.MANUAL,
        f"A folder {level} levels below root {name!r} cannot be read: {exc.strerror}",
        advice="Give read permission, or move it away.",
    )


def _shown(file: RemoteFile) -> str:
    """The file without its name, which can be that of a patient."""
    size = "" if file.size is None else f" ({file.size} bytes)"
    return f"{shown(file.uri or file.url)}{size}"
