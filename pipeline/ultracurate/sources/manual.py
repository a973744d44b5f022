"""Files that only a person may fetch: says what to do until they are here, then reads them where they lie."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ultracurate.core.blobs import ROOT
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
from ultracurate.sources.local import LocalSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

DEFAULT_ROOT = "manual"
UNFINISHED = (".part", ".crdownload", ".download", ".opdownload", ".partial")
"""Endings of browsers' and of our own unfinished downloads."""
_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_NAMES_SHOWN = 5


@source("manual")
class ManualSource:
    """Hosts behind forms, agreements and logins; a person brings the files into a folder that has a root's name."""

    host: str

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._local = LocalSource(context)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Nothing: no program may ask such a host."""
        yield from ()

    def describe(self, ref: SourceRef) -> Candidate:
        """What is in the folder; `SourceError` with state `manual` and the numbered steps while files are missing."""
        files = self._here(ref)
        root, path = place(ref)
        where = f"{ROOT}{root}/{path}" if path else f"{ROOT}{root}"
        return Candidate(
            host="manual",
            record=ref.record,
            title=ref.record or path or root,
            description="",
            url=ref.url or where,
            files=tuple(files),
            raw=json.dumps({"record": ref.record, "url": ref.url}).encode(),
        )

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files of the folder, or those the manifest names, as root:// addresses; raises as `describe` does."""
        return select_files(self._here(ref), ref.files, "The folder")

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Read and verify the file where it lies; `target` stays unused."""
        try:
            return self._local.fetch(file, target)
        except SourceError as exc:
            if exc.state is not SourceState.CHECKSUM_MISMATCH:
                raise
            raise SourceError(
                exc.state,
                exc.found,
                advice="Fetch this file by hand once more (a download that was cut looks so), then run the same "
                "command again; if nothing changes, the host has other bytes than the manifest says.",
            ) from None

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file itself, from byte `start` on."""
        return self._local.open(file, start)

    def _here(self, ref: SourceRef) -> list[RemoteFile]:
        """All files below the folder; a missing, unfinished or wrong one raises."""
        root, path = place(ref)
        base = self._base(root)
        if base is None:
            raise _todo(ref, f"no folder is set for root {root!r}", None, root)
        folder = base / path if path else base
        if not folder.exists() and folder.resolve().is_relative_to(base):
            above = f"root {root!r} is set to {base}, and there is no such folder yet"
            raise _todo(ref, f"there is no folder {folder} yet" if base.exists() else above, folder, root)
        files = list(self._local.describe(ref.model_copy(update={"root": root, "path": path})).files)
        unfinished = [file.name for file in files if file.name.lower().endswith(UNFINISHED)]
        by_name = {file.name: file for file in files}
        missing = [wanted.name for wanted in ref.files if wanted.name not in by_name]
        if missing:
            raise _todo(ref, f"{_names(missing)} {_are(missing)} not in {folder}", folder, root)
        if not files:
            raise _todo(ref, f"the folder {folder} is empty", folder, root)
        if unfinished and not ref.files:
            raise _todo(
                ref, f"{_names(unfinished)} in {folder} {_are(unfinished)} still being downloaded", folder, root
            )
        for wanted in ref.files:
            file = by_name[wanted.name]
            if wanted.size is not None and file.size is not None and wanted.size != file.size:
                raise SourceError(
                    SourceState.CHECKSUM_MISMATCH,
                    f"{wanted.name!r} in {folder} has {file.size} bytes; the manifest expects {wanted.size}",
                    advice="Fetch this file by hand once more (a download that was cut looks so), then run the same "
                    "command again; if nothing changes, the host has another file than the manifest says.",
                )
        return files

    def _base(self, root: str) -> Path | None:
        """Where the root is, there or not yet; None where nothing names a place for it."""
        found = self._context.roots.get(root) or self._context._variable(f"ULTRACURATE_ROOT_{root.upper()}")
        return Path(found).resolve() if found else None


def place(ref: SourceRef) -> tuple[str, str | None]:
    """Name of the root, and the folder below it: `path`, else the record where that can be the name of a folder."""
    path = ref.path or ref.record
    if ref.path is None and path is not None and not _FOLDER.fullmatch(path):
        path = None
    return ref.root or DEFAULT_ROOT, path


def _todo(ref: SourceRef, why: str, folder: Path | None, root: str) -> SourceError:
    """What a person has to do, step by step, down to the command to go on with."""
    steps = [f"Open {ref.url}"] if ref.url else []
    steps += [step.strip().rstrip(".") for step in ref.steps if step.strip()]
    if not steps:
        steps.append("Get the files as the dataset's description says")
    names = f" ({_names([file.name for file in ref.files])})" if ref.files else ""
    path = place(ref)[1]
    if folder is None:
        below = f", below it in {path}" if path else ""
        steps.append(f"Put the files{names} into a folder of your choice{below}, packed as they came")
        steps.append(
            f"Run the same command again with --root {root}=FOLDER (or ULTRACURATE_ROOT_{root.upper()}=FOLDER)"
        )
    else:
        steps.append(f"Put the files{names} into {folder}, packed as they came")
        steps.append("Run the same command again")
    numbered = "; ".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return SourceError(SourceState.MANUAL, f"A person has to fetch these files: {why}", advice=f"{numbered}.")


def _names(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
