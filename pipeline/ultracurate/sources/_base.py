"""What every source offers and answers, the states a file can end in, and the registry of sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast, runtime_checkable

from ultracurate.core.errors import RowError
from ultracurate.core.private import hide_private
from ultracurate.core.registry import Registry

if TYPE_CHECKING:
    from ultracurate.core.dataset import FileRef, SourceRef
    from ultracurate.sources._context import SourceContext

Access = Literal["open", "restricted", "embargoed", "closed", "unknown"]


class SourceState(StrEnum):
    """How the work on one file or record ended; everything but `OK` is told to the user with what to do."""

    OK = "ok"
    RESTRICTED = "restricted"
    TERMS_REQUIRED = "terms_required"
    GONE = "gone"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    QUOTA = "quota"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    PARTIAL_LISTING = "partial_listing"
    MANUAL = "manual"
    UNREACHABLE = "unreachable"
    BAD_ANSWER = "bad_answer"

    @property
    def resumable(self) -> bool:
        """Whether the same command, run later, has a chance without anybody changing anything."""
        return self in (SourceState.QUOTA, SourceState.UNREACHABLE)


ADVICE = {
    SourceState.RESTRICTED: "Ask the owner for access on the record's page, then set the host's token variable.",
    SourceState.TERMS_REQUIRED: "Accept the terms on the dataset's page with the account whose token you use.",
    SourceState.GONE: "It was withdrawn: take the dataset out of the recipe, or name a mirror in its manifest.",
    SourceState.NOT_FOUND: "Check the record id and the file name in the manifest.",
    SourceState.BLOCKED: "The host refuses this machine or network: stop, wait some hours, write to the host.",
    SourceState.QUOTA: "Run `ultracurate retry` later; what was fetched is kept.",
    SourceState.CHECKSUM_MISMATCH: "The host serves other bytes than stated: compare its page with the manifest.",
    SourceState.PARTIAL_LISTING: "Narrow the query (for example with created:[2024-01-01 TO 2024-12-31]), or split it.",
    SourceState.MANUAL: "Fetch the file by hand, then add it as a `local` source.",
    SourceState.UNREACHABLE: "Check the network, then run `ultracurate retry`; what was fetched is kept.",
    SourceState.BAD_ANSWER: "Open the address in a browser to see what the host says.",
}


class SourceError(RowError):
    """A record or file cannot be had; `state` says why and the message ends with what to do."""

    def __init__(
        self,
        state: SourceState,
        found: str,
        *,
        advice: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        found = hide_private(found)  # hosts' words stand in it, and names of files
        super().__init__(f"{found.rstrip('.')}. {advice or ADVICE[state]}")
        self.state = state
        self.found = found
        self.advice = advice
        self.status = status
        """HTTP status, where there was one."""
        self.retry_after = retry_after
        """Seconds the host asked to wait, where it did."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuilt from its own arguments: errors travel between worker processes."""
        extra = {"advice": self.advice, "status": self.status, "retry_after": self.retry_after}
        return _rebuild_error, (self.state, self.found, extra)


def _rebuild_error(state: SourceState, found: str, extra: dict[str, Any]) -> SourceError:
    return SourceError(state, found, **extra)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file as its host offers it."""

    name: str
    """Path inside the record, "/" separated, never leading out of it."""
    url: str
    """Where it is offered, without token or signature."""
    size: int | None = None
    """Bytes, as the manifest or the host says."""
    checksum: str | None = None
    """`md5:<hex>`, `sha256:<hex>` or `sha1_git:<hex>` (of a git blob), as the manifest or the host says."""
    uri: str | None = None
    """`root://<root>/<path>` of a file that is already here and is not copied."""
    mirrors: tuple[str, ...] = ()
    """More addresses of the same bytes, tried in order."""
    problem: str | None = None
    """Why this file cannot be used (a link out of the root, ...); such a file is listed but never opened."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record as its host describes it today."""

    host: str
    record: str | None
    title: str
    description: str
    """As the host gives it; may hold HTML."""
    url: str
    doi: str | None = None
    version: str | None = None
    licence_raw: str | None = None
    licence_spdx: str | None = None
    access: Access = "unknown"
    keywords: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    files_listed: bool = True
    """False: this answer says nothing of files (a search at Kaggle, figshare or DataCite); `describe` lists them."""
    total_bytes: int | None = None
    """Size of everything, where the host states it without listing files."""
    concept: str | None = None
    """What all versions of the record share at its host: a concept DOI or id; None where there are no versions."""
    published: str | None = None
    """YYYY-MM-DD, as the host says."""
    related: tuple[str, ...] = ()
    """DOIs and addresses that the host's own fields call the same as, a version, a copy or the source of this one."""
    raw: bytes = field(default=b"", repr=False)
    """The host's JSON answer, to be kept."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, verified file on this disk."""

    path: Path
    size: int
    """Bytes."""
    sha256: str
    transferred: int = 0
    """Bytes that came over the network in this call; 0 when the file was already here."""


@runtime_checkable
class Source(Protocol):
    """One host. Made with a `SourceContext`; holds connections, so one object a thread."""

    host: str

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Up to `limit` records for a query, best first; a host without a search yields nothing."""
        ...

    def describe(self, ref: SourceRef) -> Candidate:
        """The record today; a restricted one is described too, with `access` saying so."""
        ...

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files to fetch; a record whose files cannot be had raises `SourceError`."""
        ...

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Bring one file to `target`, resuming and verifying; a file that has a `uri` stays where it is."""
        ...

    def open(self, file: RemoteFile, start: int = 0) -> IO[bytes]:
        """The file's bytes from `start` on, as they come and unverified: to look into an archive before fetching it.

        A host that cannot start in the middle raises `SourceError` with state `bad_answer`. The caller closes it.
        """
        ...


SOURCES: Registry[Callable[[SourceContext], Source]] = Registry("source", "ultracurate.sources", "ultracurate.sources")
S = TypeVar("S", bound=type)


def source(name: str) -> Callable[[S], S]:
    """Class decorator that makes a source known under `name` and writes it to its `host` attribute."""

    def add(cls: S) -> S:
        cast("Any", cls).host = name
        SOURCES.register(name)(cast("Callable[[SourceContext], Source]", cls))
        return cls

    return add


def source_names() -> tuple[str, ...]:
    """Names of all sources, sorted."""
    return SOURCES.names()


def create_source(name: str, context: SourceContext) -> Source:
    """The source called `name`; an unknown name is a `ConfigError` that lists the known ones."""
    return SOURCES.get(name)(context)


def select_files(offered: list[RemoteFile], wanted: list[FileRef], where: str) -> list[RemoteFile]:
    """The offered files that the manifest names (all if it names none), with the manifest's size and digest on top.

    The manifest's statement wins, so a file that changed at the host fails its check instead of slipping in.
    """
    if not wanted:
        return offered
    by_name = {file.name: file for file in offered}
    chosen = []
    for ref in wanted:
        file = by_name.get(ref.name)
        if file is None:
            raise SourceError(SourceState.NOT_FOUND, f"{where} has no file {ref.name!r}; it has {len(offered)} others")
        stated = {"size": (ref.size, file.size), "checksum": (ref.checksum, file.checksum)}
        for what, (ours, theirs) in stated.items():
            comparable = what == "size" or str(ours).partition(":")[0] == str(theirs).partition(":")[0]
            if ours is not None and theirs is not None and comparable and ours != theirs:
                raise SourceError(
                    SourceState.CHECKSUM_MISMATCH,
                    f"{where}, file {ref.name!r}: the manifest expects {what} {ours}, the host states {theirs}",
                )
        chosen.append(
            replace(
                file,
                size=file.size if ref.size is None else ref.size,
                checksum=ref.checksum or file.checksum,
                mirrors=file.mirrors or tuple(ref.mirrors),
            )
        )
    return chosen
