"""Reads archives as hostile input: nothing is extracted to disk, and what looks wrong is named, not opened.

zip, tar (plain or compressed), 7z, rar, TFRecord, single compressed files, and archives in archives. Members come one
by one. A member with a `problem` (a path that escapes, a link, a device, encryption, a bomb, ...) is yielded so that it
can be counted, and its bytes can not be read. What other systems add on their own is skipped silently, because it was
never content: everything under `__MACOSX/`, `.DS_Store`, and AppleDouble files (`._name`). Directories are skipped too.

7z and rar need the extra `archives` and the system's libarchive, the only maintained reader of both that is free.
"""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from ultracurate.archives.member import DEFAULT_LIMITS, ArchiveLimits, Budget, Member, measure
from ultracurate.archives.packed import Unpacked, compression, packed_member
from ultracurate.archives.system import system_members
from ultracurate.archives.tar import is_tar_header, tar_members
from ultracurate.archives.tfrecord import is_tfrecord, tfrecord_members
from ultracurate.archives.zip import zip_members
from ultracurate.core.errors import RowError

__all__ = [
    "ARCHIVE_NAME",
    "DEFAULT_LIMITS",
    "PACKED_NAME",
    "ArchiveLimits",
    "Budget",
    "Member",
    "anonymous",
    "archive_kind",
    "guarded",
    "is_archive",
    "iter_members",
    "read_member",
]

ARCHIVE_NAME = re.compile(r"\.(zip|7z|rar|tar(\.(gz|bz2|xz|zst))?|tgz|tbz2?|txz|tzst)$", re.IGNORECASE)
"""Endings of archives; what lies in a file is told by its bytes."""

PACKED_NAME = re.compile(r"\.(gz|bz2|xz|zst)$", re.IGNORECASE)
"""Endings of compressed files, those of compressed tars among them."""

_TAR_NAME = re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz|tzst)$", re.IGNORECASE)
_MAGIC = {
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07\x00": "rar", b"Rar!\x1a\x07\x01\x00": "rar",
}  # fmt: skip
_DOCUMENTS = (b"[Content_Types].xml", b"mimetype")  # the first member of Office and of EPUB documents
_OWN_FORMAT = re.compile(r"\.(npz|docx|xlsx|pptx|od[tsp]|epub|jar|apk|whl|mlx)$", re.IGNORECASE)  # zips underneath
HEAD = 512


def is_archive(name: str, head: bytes) -> bool:
    """Whether a file is an archive that `iter_members` opens, by its first bytes (512 are enough).

    A compressed block can be too long to look inside; only then does the ending of `name` (.tar.xz, .tbz2) decide
    whether a tar is in it. Single compressed files are no archives, nor are formats that are zips underneath, such as
    NumPy's .npz and Office documents.
    """
    if kind := next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None):
        return kind != "zip" or not (head[30:].startswith(_DOCUMENTS) or _OWN_FORMAT.search(name))
    packing = compression(head)
    if packing == "gzip":
        try:
            return is_tar_header(zlib.decompressobj(wbits=31).decompress(head, HEAD), _TAR_NAME.search(name))
        except zlib.error:
            return False
    return _TAR_NAME.search(name) is not None if packing else is_tar_header(head, None)


def archive_kind(file: BinaryIO, name: str) -> str | None:
    """zip, tar, 7z, rar, tfrecord, packed for a single compressed file, or None; the file is back at its first byte.

    Unlike `is_archive` it has the whole file to look into.
    """
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    packing = compression(head)
    if packing is None:
        if not is_archive(name, head):
            return "tfrecord" if is_tfrecord(head, measure(file)) else None
        return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "tar")
    try:
        stream, begin = Unpacked(file.read, packing), b""
        while len(begin) < HEAD and (more := stream.read(HEAD - len(begin))):
            begin += more
    except DAMAGE:
        begin = b""
    finally:
        file.seek(0)
    named = _TAR_NAME.search(name)
    # An empty tar is zeros, and so is the black corner of a compressed picture.
    empty = len(begin) == HEAD and not any(begin) and (named or not PACKED_NAME.search(name))
    return "tar" if empty or is_tar_header(begin, named) else "packed"


def iter_members(
    fileobj: BinaryIO,
    name: str,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    budget: Budget | None = None,
    trail: str = "",
) -> Iterator[Member]:
    """The members of an archive in the order they are stored, lazily; an archive in it is a member like others.

    A single compressed file has one member without a path: it is the same file, only unpacked, and keeps its name
    (`scan.nii.gz`), so that the layout rules of a dataset see one name whether a host packed its files or not.

    Beyond `limits.max_refused`, refused members are not given but counted, in the problem of a last one (`REST`).

    Args:
        fileobj: opened for reading at its first byte, seekable.
        name: file name, for messages.
        limits: what is refused.
        budget: of the file that this archive lies in, if it does.
        trail: path of this archive in that file, and "/": one path is given once, whatever levels it comes from.

    Raises:
        RowError: not an archive, or damaged or truncated: after the members that could be read.
        MissingExtraError: 7z or rar without the optional package.
    """
    budget = budget or Budget(limits, measure(fileobj))
    kind = archive_kind(fileobj, name) or ("zip" if fileobj.read(2) == b"PK" else "tar")
    fileobj.seek(0)
    raw = _raw_members(fileobj, kind, budget)
    try:
        try:
            yield from _judged(raw, kind, name, budget, trail)
        except RowError:
            yield from _rest(budget, trail)
            raise
        yield from _rest(budget, trail)
    finally:
        raw.close()  # type: ignore[attr-defined] # a generator


def _rest(budget: Budget, trail: str) -> Iterator[Member]:
    """At the end of the outermost archive, the one member for those that were refused and not named."""
    if not trail and (rest := budget.rest()) is not None:
        yield rest


def anonymous(name: str) -> str:
    """A name for messages that keeps nothing but the ending: file names can hold those of patients."""
    ending = ARCHIVE_NAME.search(name) or PACKED_NAME.search(name)
    return f"archive{ending[0].lower() if ending else ''}"


def read_member(fileobj: BinaryIO, name: str, path: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> bytes:
    """The bytes of one member by its normalised path.

    Raises:
        RowError: no such member, a member with a problem, or a damaged archive.
    """
    for member in iter_members(fileobj, name, limits):
        if member.path == path:
            return member.read()
    raise RowError(f"'{name}': expected a member of the path asked for, found none; index the archive again")


DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, OSError, ValueError, NotImplementedError, RuntimeError, IndexError, OverflowError,
)  # fmt: skip
"""What the libraries raise on damaged archives."""


def _raw_members(fileobj: BinaryIO, kind: str, budget: Budget) -> Iterator[Member | None]:
    if kind == "zip":
        yield from zip_members(fileobj, budget.limits)
    elif kind in ("7z", "rar"):
        yield from system_members(fileobj, kind, budget.limits)
    elif kind == "tfrecord":
        yield from tfrecord_members(fileobj, budget.limits)
    else:
        head = fileobj.read(6)
        fileobj.seek(0)
        if kind == "packed":
            yield packed_member(fileobj, head, budget)
        else:
            yield from tar_members(fileobj, head, budget.limits)


def _judged(raw: Iterator[Member | None], kind: str, name: str, budget: Budget, trail: str) -> Iterator[Member]:
    """The members with what the limits say about them, and with readers that raise only `RowError`."""
    limits = budget.limits
    while True:
        try:
            member = next(raw, _END)
            if member is None:
                budget.skip()
                continue
        except RowError as exc:
            raise RowError(f"'{name}': {exc}") from exc
        except DAMAGE as exc:
            raise RowError(_damaged(kind, name, exc)) from exc
        if member is _END:
            return
        budget.members += 1
        whole = not member.path and kind in ("packed", "7z", "rar")
        problem = member.problem or (None if whole else _path_problem(member.path))
        most = limits.max_nested_bytes if ARCHIVE_NAME.search(member.path) else limits.max_member_bytes
        if budget.members > limits.max_members:
            problem = f"expected at most {limits.max_members} members, found more; the rest was not looked at"
        elif not problem and member.size > most:
            problem = f"expected at most {most} bytes, found {member.size}"
        elif not problem and trail + member.path in budget.seen:
            problem = "a second member of the same path"
        elif not problem and member.size > 0:
            problem = budget.problem(member.size)
            budget.total += 0 if problem else member.size
        budget.seen.add(trail + member.path)
        if problem and budget.members <= limits.max_members and not budget.names(problem):
            continue
        chunks = member.chunks if member.size >= 0 or kind == "packed" else _metered(member.chunks, budget)
        yield replace(member, problem=problem, chunks=guarded(chunks, kind, name))
        if budget.members > limits.max_members:
            return


_END = Member("", 0, None, None, lambda: iter(()))


def _metered(chunks: Callable[[], Iterator[bytes]], budget: Budget) -> Callable[[], Iterator[bytes]]:
    return lambda: budget.meter(chunks())


def _damaged(kind: str, name: str, exc: Exception) -> str:
    # The exception's own words may quote member names, which can hold patient names: only its class is kept.
    return f"'{name}': damaged or truncated {kind} archive ({type(exc).__name__}); fetch the file again"


def guarded(chunks: Callable[[], Iterator[bytes]], kind: str, name: str) -> Callable[[], Iterator[bytes]]:
    """The same reader, but damage is a `RowError`."""

    def call() -> Iterator[bytes]:
        try:
            yield from chunks()
        except DAMAGE as exc:
            raise RowError(_damaged(kind, name, exc)) from exc

    return call


def _path_problem(path: str) -> str | None:
    if path.startswith("/") or re.match(r"[A-Za-z]:(/|$)", path):
        return "an absolute path"
    if ".." in path.split("/"):
        return "a path that leaves the archive ('..')"
    return "an empty path or one with a zero byte" if not path or "\0" in path else None
