"""One member of an archive, how large archives may be, and how member paths are written."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ultracurate.core.errors import RowError, UltracurateError

MIB = 1 << 20
REST = "*"
"""Path of the one member that stands for those that were refused and are not named any more."""
MOST_REASONS = 8
"""Different reasons that are told apart among those."""
UNKNOWN = -1
"""Size of a member whose archive does not state it: a single compressed file, some RAR members."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold, over all levels of nesting; sizes in bytes.

    Attributes:
        max_members: also of the folders and system files that are skipped.
        max_member_bytes: of one member, which is read into memory.
        max_nested_bytes: of an archive inside an archive, which is copied to a temporary file if it must be.
        max_total_bytes: of all members.
        max_ratio: unpacked by packed size, of a member and of the whole; above 1 MiB, small files may be all zeros.
        max_depth: levels of archives: 1 opens none that lies in another.
        max_refused: refused members that are named one by one; what is refused beyond them is counted by its reason.
    """

    max_members: int = 200_000
    max_member_bytes: int = 2 << 30
    max_nested_bytes: int = 64 << 30
    max_total_bytes: int = 200 << 30
    max_ratio: int = 200
    max_depth: int = 3
    max_refused: int = 1_000


DEFAULT_LIMITS = ArchiveLimits()


class Budget:
    """What one file may still unpack to; shared by the archives that lie inside each other."""

    def __init__(self, limits: ArchiveLimits, packed: int) -> None:
        self.limits, self.packed = limits, packed  # packed: bytes of the outermost file
        self.members = self.skipped = self.total = 0
        self.seen: set[str] = set()  # paths of members, as the outermost file sees them
        self.refused = 0
        self.unnamed: Counter[str] = Counter()  # those beyond `max_refused`, by their reason

    def skip(self) -> None:
        """Count a folder or a system file; too many of them end the reading.

        Raises:
            RowError: more than `max_members`.
        """
        self.skipped += 1
        if self.skipped > self.limits.max_members:
            raise RowError(f"expected at most {self.limits.max_members} folders and system files, found more")

    def names(self, problem: str) -> bool:
        """Count a refused member; whether it is still to be named."""
        self.refused += 1
        if self.refused <= self.limits.max_refused:
            return True
        known = problem in self.unnamed or len(self.unnamed) < MOST_REASONS
        self.unnamed[problem if known else "other reasons"] += 1
        return False

    def rest(self) -> Member | None:
        """One member for all that were refused and not named; None where there are none."""
        if not self.unnamed:
            return None
        reasons = ", ".join(f"{count} x {problem}" for problem, count in self.unnamed.most_common())
        problem = (
            f"expected at most {self.limits.max_refused} members to be refused, found {self.unnamed.total()} more: "
            f"{reasons}. What is good in the archive was read; pack it anew without them"
        )
        self.unnamed.clear()
        return Member(REST, 0, None, problem, lambda: iter(()))

    def problem(self, size: int) -> str | None:
        """Why `size` more bytes are too many; None if they fit."""
        after = self.total + size
        if after > self.limits.max_total_bytes:
            return f"expected at most {self.limits.max_total_bytes} bytes in all, found more up to this member"
        if after > max(MIB, self.limits.max_ratio * self.packed):
            return f"a compression ratio above {self.limits.max_ratio} over all members up to this one"
        return None

    def meter(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks of a member of unknown size, counted as they come.

        Raises:
            RowError: the member, or the whole, is larger than the limits.
        """
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.limits.max_member_bytes:
                raise RowError(f"expected at most {self.limits.max_member_bytes} bytes, found more")
            if problem := self.problem(len(chunk)):
                raise RowError(problem)
            self.total += len(chunk)
            yield chunk


@dataclass(frozen=True, slots=True)
class Member:
    r"""One file in an archive.

    Attributes:
        path: "/" separated, NFC, without leading "./"; bytes that are not UTF-8 are written as "\xNN". "" stands for
            the file itself: the content of a single compressed file, or an archive whose list of files is encrypted.
        size: bytes, as the archive declares them; `UNKNOWN` if it does not.
        offset: absolute byte offset of the raw data in the archive if it is stored there as it is, else None.
        problem: why the member is refused, or None.
        chunks: starts reading; the chunks together are the content.
        deflate: (offset, length) of the member's raw deflate stream in the archive, where it is compressed that way.
        error: what failed when the member, an archive itself, was opened or read; what it held before came already.
        single: whether `deflate` is all of the content, which a gzip file tells only once it was read.
    """

    path: str
    size: int
    offset: int | None
    problem: str | None
    chunks: Callable[[], Iterator[bytes]] = field(repr=False, compare=False)
    deflate: tuple[int, int] | None = None
    error: UltracurateError | None = field(default=None, compare=False)
    single: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)

    def in_place(self) -> tuple[int, int, bool] | None:
        """(offset, length, whether deflated) where the content can be read in the archive; ask after reading it."""
        if self.offset is not None:
            return self.offset, self.size, False
        return (*self.deflate, True) if self.deflate is not None and self.single() else None

    def read(self) -> bytes:
        """The bytes; from a compressed tar, a 7z or a rar only until the next member is taken.

        Raises:
            RowError: the member has a problem, or its data is damaged or not of the declared size.
        """
        return b"".join(self.stream())

    def stream(self) -> Iterator[bytes]:
        """The bytes in pieces, for what should not lie in memory; as `read` otherwise."""
        if self.problem:
            raise RowError(f"archive member refused: {self.problem}")
        if self.error:
            raise self.error
        return self.chunks()


def normalise(raw: str) -> str:
    """A member path as `Member.path` promises it; a leading "/" and ".." are kept, to be refused by name."""
    text = raw.replace("\\", "/").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = unicodedata.normalize("NFC", text)
    parts = [part for part in text.split("/")[1:] if part not in ("", ".")]
    first = text.split("/")[0]
    return "/".join(([] if first == "." else [first]) + parts)


def is_noise(path: str) -> bool:
    """Whether a system added the member on its own: `__MACOSX/`, `.DS_Store`, AppleDouble `._name`."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1] == ".DS_Store" or parts[-1].startswith("._")


def exactly(read: Callable[[int], bytes], size: int, step: int = MIB) -> Iterator[bytes]:
    """`size` bytes in pieces, never more; a zip that holds more than it declares fails its checksum.

    Raises:
        RowError: there are fewer.
    """
    left = size
    while left and (chunk := read(min(step, left))):
        left -= len(chunk)
        yield chunk
    if left:
        raise RowError(f"archive member: expected {size} bytes, found {size - left}; the archive is truncated")


def measure(file: BinaryIO) -> int:
    """Bytes of a seekable file, which is left at its first byte."""
    size = file.seek(0, 2)
    file.seek(0)
    return size
