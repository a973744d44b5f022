"""Reads zip and tar archives as hostile input: nothing is extracted to disk, and what looks wrong is named, not opened.

Members come one by one. A member with a `problem` (a path that escapes, a link, a device, encryption, a bomb, ...)
is yielded so that it can be counted, and its bytes can not be read. What other systems add on their own is skipped
silently, because it was never content: everything under `__MACOSX/`, `.DS_Store`, and AppleDouble files (`._name`).
Directories are skipped too. Nested archives are ordinary members: whoever reads them decides.
"""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ultracurate.core.archive_member import DEFAULT_LIMITS, ArchiveLimits, Member
from ultracurate.core.archive_tar import is_tar_header, tar_members
from ultracurate.core.archive_zip import zip_members
from ultracurate.core.errors import RowError

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits", "Member", "is_archive", "iter_members", "read_member"]


def is_archive(name: str, head: bytes) -> bool:
    """Whether a file is a zip or a tar that `iter_members` opens, by its first bytes (512 are enough).

    A bzip2 or xz block can be too long to look inside; only then does the ending of `name` (.tar.xz, .tbz2) decide
    whether a tar is in it. Office and EPUB documents are zips and are not archives here.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return not head[30:].startswith((b"[Content_Types].xml", b"mimetype"))
    if head.startswith(b"\x1f\x8b"):
        try:
            return is_tar_header(zlib.decompressobj(wbits=31).decompress(head, 512), _TAR_NAME.search(name))
        except zlib.error:
            return False
    if head.startswith((b"BZh", b"\xfd7zXZ\x00")):
        return _TAR_NAME.search(name) is not None
    return is_tar_header(head, None)


def iter_members(fileobj: BinaryIO, name: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Member]:
    """The members of an archive in the order they are stored, lazily.

    Args:
        fileobj: opened for reading at its first byte, seekable.
        name: file name, for messages.
        limits: what is refused.

    Raises:
        RowError: not an archive, or damaged or truncated: after the members that could be read.
    """
    head = fileobj.read(6)
    fileobj.seek(0)
    kind = "zip" if head.startswith(b"PK") else "tar"
    raw = zip_members(fileobj, limits) if kind == "zip" else tar_members(fileobj, head, limits)
    seen: set[str] = set()
    count = total = 0
    while True:
        try:
            member = next(raw, None)
        except RowError as exc:
            raise RowError(f"'{name}': {exc}") from exc
        except _DAMAGE as exc:
            raise RowError(_damaged(kind, name, exc)) from exc
        if member is None:
            return
        count += 1
        problem = member.problem or _path_problem(member.path)
        if count > limits.max_members:
            problem = f"expected at most {limits.max_members} members, found more; the rest was not looked at"
        elif not problem and member.size > limits.max_member_bytes:
            problem = f"expected at most {limits.max_member_bytes} bytes, found {member.size}"
        elif not problem and total + member.size > limits.max_total_bytes:
            problem = f"expected at most {limits.max_total_bytes} bytes in all, found more up to this member"
        elif not problem and member.path in seen:
            problem = "a second member of the same path"
        total += 0 if problem else member.size
        seen.add(member.path)
        yield Member(
            member.path, member.size, member.offset, problem, _guarded(member.reader, kind, name), member.deflate
        )
        if count > limits.max_members:
            return


def read_member(fileobj: BinaryIO, name: str, path: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> bytes:
    """The bytes of one member by its normalised path.

    Raises:
        RowError: no such member, a member with a problem, or a damaged archive.
    """
    for member in iter_members(fileobj, name, limits):
        if member.path == path:
            return member.read()
    raise RowError(f"'{name}': expected a member of the path asked for, found none; index the archive again")


_TAR_NAME = re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz)$", re.IGNORECASE)
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, OSError, ValueError, NotImplementedError, RuntimeError, IndexError, OverflowError,
)  # fmt: skip


def _damaged(kind: str, name: str, exc: Exception) -> str:
    # The exception's own words may quote member names, which can hold patient names: only its class is kept.
    return f"'{name}': damaged or truncated {kind} archive ({type(exc).__name__}); fetch the file again"


def _guarded(read: Callable[[], bytes], kind: str, name: str) -> Callable[[], bytes]:
    def call() -> bytes:
        try:
            return read()
        except _DAMAGE as exc:
            raise RowError(_damaged(kind, name, exc)) from exc

    return call


def _path_problem(path: str) -> str | None:
    if path.startswith("/") or re.match(r"[A-Za-z]:(/|$)", path):
        return "an absolute path"
    if ".." in path.split("/"):
        return "a path that leaves the archive ('..')"
    return "an empty path or one with a zero byte" if not path or "\0" in path else None
