"""What lies in the file of a row: itself, or the members of its archive, whatever it is packed in and cut into."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa

from ultracurate.archives.joined import Piece, joined, locate
from ultracurate.archives.member import MIB, ArchiveLimits, Member, exactly, measure
from ultracurate.archives.nested import walk_members
from ultracurate.archives.reading import DEFAULT_LIMITS, anonymous, archive_kind, is_archive
from ultracurate.archives.split_zip import unsplit_zip
from ultracurate.archives.volumes import VolumeSet, find_sets
from ultracurate.core.blobs import DEFLATE, Blobs
from ultracurate.core.context import Context
from ultracurate.core.errors import RowError, UltracurateError
from ultracurate.core.layout import match_path

Row = Mapping[str, Any]
Prepared = Mapping[str, Any]

MOST_BESIDE = 10_000
"""Header files times data files of a folder up to which each header gets all those files, if none has its name."""

MOST_NAMED = 1_000
"""Data files that are listed for one header file."""

_HEADERS = re.compile(r"\.(mhd|nhdr|hdr)$", re.IGNORECASE)
_DATA = re.compile(r"\.(raw|zraw|img|raw\.gz|img\.gz|gz)$", re.IGNORECASE)


def locate_parts(columns: pa.Table, ctx: Context) -> list[dict[str, str]]:
    """What else belongs to a file: for each file that is not alone, its `file_id` and `parts`, JSON to be prepared.

    Volumes of one archive: its owner gets the volumes in order and the missing ones, the others the owner's id. A
    header file without pixels (.mhd, .nhdr, .hdr) gets the files beside it that may hold them.

    Args:
        columns: `dataset`, `file_id`, `file_name`, `file_uri`, `file_sha256` and, if there, `host` and `record`.
        ctx: looks into numbered files (.001) whose names do not tell whether they are volumes.
    """
    records: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in columns.to_pylist():
        record = (row["dataset"], row.get("host"), row.get("record"))
        records.setdefault(record, {})[row["file_name"]] = row
    found: dict[str, dict[str, Any]] = {}
    for files in records.values():
        for volumes in find_sets(files):
            if volumes.certain or _begins_as_archive(files[volumes.names[0]]["file_uri"], ctx.blobs):
                _add_volumes(volumes, files, found)
        for name, beside in _companions(files):
            found.setdefault(files[name]["file_id"], {})["beside"] = [[other, *_blob(files[other])] for other in beside]
    return [{"file_id": id, "parts": json.dumps(parts, sort_keys=True)} for id, parts in sorted(found.items())]


def _add_volumes(volumes: VolumeSet, files: Mapping[str, Row], found: dict[str, dict[str, Any]]) -> None:
    owner = files[volumes.owner]["file_id"]
    blobs = [_blob(files[name]) for name in volumes.names]
    found[owner] = {"family": volumes.family, "volumes": blobs, "missing": list(volumes.missing)}
    for name in volumes.names:
        if name != volumes.owner:
            found[files[name]["file_id"]] = {"volume_of": owner}


def _blob(row: Row) -> list[str]:
    return [row["file_uri"], row["file_sha256"]]


def _begins_as_archive(uri: str, blobs: Blobs) -> bool:
    try:
        with blobs.open(uri) as file:
            head = file.read(512)
    except OSError:
        return False  # gone or unreadable since download: its row will say so
    return is_archive("", head) or head.startswith(b"PK\x07\x08")  # a split zip begins with that


def _companions(files: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Each header file with the data files of its folder: those that begin with its name, if there are any."""
    folders: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}  # path of a header without its ending -> data files
    headers = [name for name in sorted(files) if _HEADERS.search(name)]
    crowd = Counter(name.rpartition("/")[0] for name in headers)
    for name in sorted(files) if headers else ():
        if _DATA.search(name):
            folder, _, base = name.rpartition("/")
            folders.setdefault(folder, []).append(name)
            for dot in (at for at, char in enumerate(base) if char == "."):
                named.setdefault(name[: len(name) - len(base) + dot], []).append(name)
    for name in headers:
        folder = name.rpartition("/")[0]
        others = folders.get(folder, [])
        few = others if len(others) * crowd[folder] <= MOST_BESIDE else []
        if beside := named.get(name.rpartition(".")[0], few)[:MOST_NAMED]:
            yield name, beside


def volume_of(prepared: Prepared) -> str | None:
    """The id of the file that owns the set of volumes, if this row is one of its other volumes."""
    owner: str | None = parts_of(prepared).get("volume_of")
    return owner


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or one member of its archive.

    Attributes:
        path: what the layout rules see: the file's name, then "/" and the path in each archive.
        member: the path inside the file, None for the file itself (also a compressed one: it is its content).
        size: bytes; -1 where that is not known before reading.
        problem: why it is not to be read, or None.
        error: what failed when it was opened as an archive; what it held before the damage came already.
    """

    path: str
    member: str | None
    size: int
    problem: str | None
    error: UltracurateError | None
    _member: Member = field(repr=False)
    _where: Callable[[int, int], tuple[str, int] | None] = field(repr=False)

    def read(self) -> bytes:
        """The content, before the next entry is taken.

        Raises:
            RowError: refused, damaged, or more than the limits allow.
        """
        return self._member.read()

    def place(self) -> tuple[str, int, int] | None:
        """(uri, offset, length) where the content can be read again without a copy, else None; ask after `read`."""
        found = self._member.in_place()
        if found is None:
            return None
        offset, length, deflated = found
        blob = self._where(offset, length)
        return blob and (blob[0] + DEFLATE * deflated, blob[1], length)


def open_file(
    row: Row,
    ctx: Context,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    prepared: Prepared | None = None,
    as_stored: Collection[str] = (),
) -> Iterator[Entry]:
    """Everything in a file, in order and lazily: itself, or the members of its archive and of archives in that.

    An archive in an archive stays closed, as a member, where a layout rule of the dataset names it by its ending. Of a
    set of volumes the owner is all of it; ask `volume_of` first.

    Args:
        row: `dataset`, `file_name`, `file_uri`.
        ctx: for the blobs, the layout, and the folder of temporary files.
        limits: over all levels together.
        prepared: what `locate_parts` found for the file.
        as_stored: paths of members that are neither unpacked nor opened.

    Raises:
        RowError: a volume is missing, or the archive is damaged: after the members that could be read.
        MissingExtraError: 7z or rar without the optional package.
    """
    with ExitStack() as stack:
        source = _open(row, ctx.blobs, parts_of(prepared or {}), limits, stack)
        if source.family is None and archive_kind(source.file, row["file_name"]) is None:
            yield whole_file(source.file, row["file_name"], row["file_uri"], limits)
            return
        name = row["file_name"]
        closed = _closed(ctx.manifest(row["dataset"]).layout, name)
        stored = {path.removeprefix(f"{name}/") for path in as_stored}
        for member in walk_members(source.file, anonymous(name), limits, ctx.store.scratch(), closed, stored):
            path = f"{name}/{member.path}" if member.path else name
            yield Entry(path, member.path or None, member.size, member.problem, member.error, member, source.where)


class _Source(NamedTuple):
    file: BinaryIO
    where: Callable[[int, int], tuple[str, int] | None]  # a range of it -> uri and offset
    family: str | None  # of volumes; None for one file


def _open(row: Row, blobs: Blobs, parts: Mapping[str, Any], limits: ArchiveLimits, stack: ExitStack) -> _Source:
    if "volumes" not in parts:
        uri = row["file_uri"]
        return _Source(cast(BinaryIO, stack.enter_context(blobs.open(uri))), lambda offset, length: (uri, offset), None)
    if parts["missing"]:
        raise RowError(
            f"expected all volumes of this archive, found {len(parts['volumes'])}: missing "
            f"{', '.join('.' + ending for ending in parts['missing'])}. Add them to the dataset's files, or ignore "
            "the archive in the manifest"
        )
    uris = [uri for uri, _ in parts["volumes"]]
    files = [cast(BinaryIO, stack.enter_context(blobs.open(uri))) for uri in uris]
    volumes = [Piece(file, 0, measure(file)) for file in files]
    pieces = unsplit_zip(volumes, limits) if parts["family"] == "zip" else volumes

    def where(offset: int, length: int) -> tuple[str, int] | None:
        found = locate(volumes, offset, length)
        return found and (uris[found[0]], found[1])

    return _Source(joined(pieces), where, parts["family"])


def whole_file(file: BinaryIO, name: str, uri: str, limits: ArchiveLimits) -> Entry:
    """A file as its own entry; it is read only if it is within the limits."""
    size = measure(file)

    def chunks() -> Iterator[bytes]:
        if size > limits.max_member_bytes:
            raise RowError(
                f"Expected at most {limits.max_member_bytes} bytes (index.max_member_bytes), found {size}; the file "
                "was not read. Cut it into parts, or raise the limit"
            )
        file.seek(0)
        return exactly(file.read, size, 64 * MIB)

    return Entry(name, None, size, None, None, Member("", size, 0, None, chunks), lambda offset, length: (uri, offset))


def _closed(layout: Any, file_name: str) -> Callable[[str], bool]:
    """Whether the archive of a path is not to be opened: a rule is about it; one of everything (`**`) is not."""

    def closed(path: str) -> bool:
        full = f"{file_name}/{path}"
        match = match_path(layout, full)
        ending = PurePosixPath(full).suffix.lower()
        return match is not None and match.rule_index >= 0 and layout[match.rule_index].match.lower().endswith(ending)

    return closed


def parts_of(prepared: Prepared) -> dict[str, Any]:
    """What `locate_parts` found, or nothing."""
    parts: dict[str, Any] = json.loads(prepared.get("parts") or "{}")
    return parts
