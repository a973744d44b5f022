"""One member of an archive, how large archives may be, and how member paths are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from ultracurate.core.errors import RowError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold; sizes in bytes. The ratio only counts above 1 MiB: small files may be all zeros."""

    max_members: int = 200_000
    max_member_bytes: int = 2 << 30
    max_total_bytes: int = 200 << 30
    max_ratio: int = 200


DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True, slots=True)
class Member:
    r"""One file in an archive.

    Attributes:
        path: "/" separated, NFC, without leading "./"; bytes that are not UTF-8 are written as "\xNN".
        size: bytes, as the archive declares them.
        offset: absolute byte offset of the raw data in the archive if it is stored there as it is, else None.
        problem: why the member is refused, or None.
        deflate: (offset, length) of the member's raw deflate stream in the archive, where it is compressed that way.
    """

    path: str
    size: int
    offset: int | None
    problem: str | None
    reader: Callable[[], bytes] = field(repr=False, compare=False)
    deflate: tuple[int, int] | None = None

    def read(self) -> bytes:
        """The bytes; from a tar, only until the next member is taken.

        Raises:
            RowError: the member has a problem, or its data is damaged or not of the declared size.
        """
        if self.problem:
            raise RowError(f"archive member refused: {self.problem}")
        return self.reader()


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


def read_exactly(read: Callable[[int], bytes], size: int, step: int = MIB) -> bytes:
    """Never more than the declared size; a zip that holds more than it declares fails its checksum."""
    out = bytearray()
    while len(out) < size and (chunk := read(min(step, size - len(out)))):
        out += chunk
    if len(out) != size:
        raise RowError(f"archive member: expected {size} bytes, found {len(out)}; the archive is truncated")
    return bytes(out)
