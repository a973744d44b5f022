"""The members of an archive and of the archives in it, as one row of members with limits over all levels."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ultracurate.archives.joined import Piece, joined
from ultracurate.archives.member import MIB, UNKNOWN, ArchiveLimits, Budget, Member, exactly, measure
from ultracurate.archives.packed import compression, packed_member, unpack
from ultracurate.archives.reading import ARCHIVE_NAME, PACKED_NAME, anonymous, archive_kind, guarded, iter_members
from ultracurate.core.errors import MissingExtraError, RowError

IN_MEMORY = 64 * MIB
"""Bytes of a nested archive up to which no temporary file is made."""

_ROOM = "expected room for a copy of an archive in an archive in the folder of temporary files; make some. Found"


class _Level(NamedTuple):
    """One archive on the way from the outermost to the one being read."""

    file: BinaryIO
    name: str  # for messages: only the ending, because the names of members can hold those of patients
    at: int | None  # its first byte in the outermost file, if it lies there as it is
    trail: str  # path of the archive and "/", or ""
    depth: int


class _Rules(NamedTuple):
    budget: Budget
    scratch: Path
    closed: Callable[[str], bool]
    as_stored: Collection[str]


def walk_members(
    fileobj: BinaryIO,
    name: str,
    limits: ArchiveLimits,
    scratch: Path,
    closed: Callable[[str], bool] = lambda path: False,
    as_stored: Collection[str] = (),
) -> Iterator[Member]:
    """The members of an archive, with those of archives in it in their place, at `inner.zip/path`.

    A member is taken for an archive by its ending and its content. One that cannot be opened is a member with an
    `error`, after what it held before the damage; one at too great a depth is a member with a `problem`. A compressed
    member (`scan.nii.gz`) keeps its path and reads as its unpacked bytes. Offsets are those in `fileobj`, where the
    bytes lie there as they are. Every member is to be read before the next one is taken.

    Args:
        fileobj: seekable.
        name: of the file, for messages.
        limits: over all levels together.
        scratch: folder for temporary files, for nested archives that do not lie in their archive as they are.
        closed: whether the archive of this path is not to be opened, but a member like others.
        as_stored: paths of members that are neither opened nor unpacked.

    Raises:
        RowError: the archive itself is damaged, after the members that could be read.
        MissingExtraError: it is a 7z or rar and the optional package is missing.
    """
    rules = _Rules(Budget(limits, measure(fileobj)), scratch, closed, as_stored)
    return _walk(_Level(fileobj, name, 0, "", 1), rules)


def _walk(level: _Level, rules: _Rules) -> Iterator[Member]:
    before = rules.budget.members
    for member in iter_members(level.file, level.name, rules.budget.limits, rules.budget, level.trail):
        here = _seen_from_outside(member, level)
        is_archive = ARCHIVE_NAME.search(member.path)
        packed = is_archive or PACKED_NAME.search(member.path)
        if member.problem or not packed or here.path in rules.as_stored or (is_archive and rules.closed(here.path)):
            yield here
        elif not is_archive:
            yield _unpacked(member, level, rules.budget)
        elif level.depth >= rules.budget.limits.max_depth:
            yield from _refused(here, f"an archive in archives, deeper than {rules.budget.limits.max_depth}", rules)
        else:
            yield from _inside(member, here, level, rules)
    if level.depth > 1 and rules.budget.members == before:  # also one that an empty list of members was appended to
        here = _seen_from_outside(Member("", 0, None, None, lambda: iter(())), level)
        yield from _refused(here, "an archive without files", rules)


def _refused(here: Member, problem: str, rules: _Rules) -> Iterator[Member]:
    if rules.budget.names(problem):
        yield replace(here, problem=problem)


def _seen_from_outside(member: Member, level: _Level) -> Member:
    """The member as the outermost file sees it: its path, and where it lies."""
    path = f"{level.trail}{member.path}" if member.path else level.trail.removesuffix("/")
    if level.at is None:
        return replace(member, path=path, offset=None, deflate=None)
    offset = None if member.offset is None else level.at + member.offset
    deflate = None if member.deflate is None else (level.at + member.deflate[0], member.deflate[1])
    return replace(member, path=path, offset=offset, deflate=deflate)


def _inside(member: Member, here: Member, level: _Level, rules: _Rules) -> Iterator[Member]:
    try:
        with _opened(member, level, rules.scratch) as file:
            name = anonymous(member.path)
            if archive_kind(file, member.path) is not None:
                inner = _Level(file, name, here.offset, f"{here.path}/", level.depth + 1)
                yield from _walk(inner, rules)
            elif (size := measure(file)) > rules.budget.limits.max_member_bytes:
                most = rules.budget.limits.max_member_bytes
                yield from _refused(here, f"expected at most {most} bytes, found {size}", rules)
            else:
                yield replace(here, chunks=guarded(lambda: _again(file, size), "file", name))
    except (RowError, MissingExtraError) as exc:
        yield replace(here, error=exc)
    except OSError as exc:  # those of the archive itself are errors of its members
        yield replace(here, error=RowError(f"{_ROOM} no room, or no working disk ({type(exc).__name__})"))


def _again(file: BinaryIO, size: int) -> Iterator[bytes]:
    file.seek(0)
    return exactly(file.read, size)


@contextmanager
def _opened(member: Member, level: _Level, scratch: Path) -> Iterator[BinaryIO]:
    """A seekable reader of a member: in its archive where it is stored there as it is, else of a temporary copy."""
    if member.offset is not None:
        yield joined([Piece(level.file, member.offset, member.size)])
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(scratch)) as copy:
        written = 0
        for chunk in member.stream():
            written += len(chunk)
            size = max(member.size, written)
            if size > IN_MEMORY and size > (free := shutil.disk_usage(scratch).free // 2):
                raise RowError(f"{_ROOM} {size} bytes or more for it and {free} to use, half of what is free")
            copy.write(chunk)
        copy.seek(0)
        yield cast(BinaryIO, copy)


def _unpacked(member: Member, level: _Level, budget: Budget) -> Member:
    """A compressed member as its content; one that only looks so by its name stays as it is."""
    name = anonymous(member.path)
    if member.offset is not None:
        stored = joined([Piece(level.file, member.offset, member.size)])
        head = stored.read(6)
        if compression(head) is None:
            return _seen_from_outside(member, level)
        content = packed_member(stored, head, budget)
        deflate = content.deflate and (member.offset + content.deflate[0], content.deflate[1])
        content = replace(content, path=member.path, deflate=deflate, chunks=guarded(content.chunks, "packed", name))
        return _seen_from_outside(content, level)

    def chunks() -> Iterator[bytes]:
        pieces = member.stream()
        rest = next(pieces, b"")
        if compression(rest) is None:
            yield rest
            yield from pieces
            return
        head = rest

        def read(size: int) -> bytes:
            nonlocal rest
            rest = rest or next(pieces, b"")
            data, rest = rest[:size], rest[size:]
            return data

        yield from budget.meter(unpack(read, head, budget.limits.max_ratio))

    here = _seen_from_outside(member, level)
    return replace(here, size=UNKNOWN, offset=None, deflate=None, chunks=guarded(chunks, "packed", name))
