"""The members of a tar file, plain or compressed, read once from front to back."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ultracurate.archives.member import MIB, ArchiveLimits, Member, exactly, is_noise, normalise
from ultracurate.archives.packed import Unpacked, compression
from ultracurate.core.errors import RowError

MOST_HEADERS = 4 * MIB
"""Bytes of headers in front of one member."""


_OCTAL = re.compile(rb"[0-7]+")


class _Forgetful(dict[str, str]):
    """Keeps nothing: global PAX headers pile up over a whole tar, and hold nothing of use here."""

    def __setitem__(self, key: str, value: str) -> None:
        pass


class _Header(tarfile.TarInfo):
    """A header read for its name, size and kind alone, in half of tarfile's time: archives have 100,000s of them."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """One header block (POSIX.1-1988, ustar interchange format); what is odd is left to tarfile."""
        kind, stated = bytes(buf[156:157]), buf[148:156].strip(b" \0")
        plain = len(buf) == tarfile.BLOCKSIZE and kind != tarfile.GNUTYPE_SPARSE and _OCTAL.fullmatch(stated)
        # The checksum is the sum of all bytes, its own eight counted as blanks.
        if not plain or int(stated, 8) != sum(buf) - sum(buf[148:156]) + 256:
            return super().frombuf(buf, encoding, errors)
        header = cls(_text(buf[:100], encoding, errors))
        header.type, header.chksum = kind, int(stated, 8)
        header.size = tarfile.nti(buf[124:136])  # type: ignore[attr-defined] # bytes of base 256 above 8 GiB
        if kind == tarfile.AREGTYPE and header.name.endswith("/"):
            header.type = tarfile.DIRTYPE
        if header.isdir():
            header.name = header.name.rstrip("/")
        elif kind not in tarfile.GNU_TYPES and (prefix := _text(buf[345:500], encoding, errors)):
            header.name = f"{prefix}/{header.name}"
        return header


def _text(field: bytes | bytearray, encoding: str, errors: str) -> str:
    return field.partition(b"\0")[0].decode(encoding, errors)


class _Tape:
    """A tar's bytes, read forward with a step back of one block, metered against bombs."""

    def __init__(self, source: BinaryIO | Unpacked, limits: ArchiveLimits) -> None:
        self.source, self.limits = source, limits
        self.packed = source if isinstance(source, Unpacked) else None
        self.at = 0
        self.kept = b""  # the last bytes read, ending at `at`; tarfile looks back by one byte
        self.pending = b""  # bytes that were stepped back over
        self.last = b""  # the last block, to recognise the end marker
        self.headers = 0  # bytes of headers since the last member

    def tell(self) -> int:
        return self.at

    def seek(self, to: int) -> int:
        if not isinstance(self.source, Unpacked):
            self.at, self.kept = self.source.seek(to), b""
            return to
        while to > self.at:
            if not self.take(min(MIB, to - self.at)):
                break
        if to < self.at:
            if self.at - to > len(self.kept):
                raise RowError("a member of a compressed tar was read after the next one was taken; read it in order")
            self.kept, self.pending = self.kept[: len(self.kept) - (self.at - to)], self.kept[to - self.at :]
            self.at = to
        return self.at

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MIB:  # only a header that lies about its length asks for this much
            raise RowError("a tar header of more than 1 MiB")
        self.headers += size
        if self.headers > MOST_HEADERS:
            raise RowError(f"more than {MOST_HEADERS >> 20} MiB of tar headers for one member")
        self.last = self.take(size)
        return self.last

    def take(self, size: int) -> bytes:
        """Up to `size` bytes of the content of members."""
        data = self.pending[:size]
        self.pending = self.pending[size:]
        while len(data) < size and (more := self.source.read(size - len(data))):
            data += more
        self.at += len(data)
        self.kept = data[-1024:] if len(data) >= 1024 else (self.kept + data)[-1024:]
        if self.packed is not None:
            if self.at > self.limits.max_total_bytes:
                raise RowError(f"expected at most {self.limits.max_total_bytes} bytes once unpacked, found more")
            if self.at > MIB and self.at > self.limits.max_ratio * self.packed.packed:
                raise RowError(f"a compression ratio above {self.limits.max_ratio}; the rest was not read")
        return data


def tar_members(fileobj: BinaryIO, head: bytes, limits: ArchiveLimits) -> Iterator[Member | None]:
    """Members in order, None for a folder or a system file; offsets only from plain tars.

    Args:
        fileobj: at its first byte.
        head: the first bytes, which tell the compression.
        limits: what is refused.
    """
    kind = compression(head)
    tape = _Tape(Unpacked(fileobj.read, kind) if kind else fileobj, limits)
    archive = tarfile.open(  # type: ignore[call-overload]  # noqa: SIM115 - it owns nothing
        fileobj=tape, mode="r:", encoding="utf-8", errors="surrogateescape", pax_headers=_Forgetful(),
        tarinfo=_Header,
    )  # fmt: skip
    while (info := archive.next()) is not None:
        archive.members, tape.headers = [], 0  # tarfile would remember every member
        if info.size < 0:  # tarfile would follow it backwards, for ever
            raise RowError("a tar header with a negative size")
        path = normalise(info.name)
        if info.isdir() or is_noise(path):
            yield None
            continue
        problem = _tar_problem(info)
        plain = problem is None and tape.packed is None
        yield Member(path, info.size, info.offset_data if plain else None, problem, _tar_chunks(tape, info))
    if tape.packed is None:
        tape.seek(archive.offset)
        tape.read(tarfile.BLOCKSIZE)
    if tape.last != tarfile.NUL * tarfile.BLOCKSIZE:
        raise RowError("truncated tar archive: its end marker is missing; fetch the file again")


def _tar_problem(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "a symbolic link" if info.issym() else "a hard link"
    if info.issparse():
        return "a sparse file"
    return None if info.isreg() else "a device or another special file"


def _tar_chunks(tape: _Tape, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    at = info.offset_data

    def read(size: int) -> bytes:
        nonlocal at
        tape.seek(at)  # somebody else may have read elsewhere between two pieces
        data = tape.take(size)
        at += len(data)
        return data

    def chunks() -> Iterator[bytes]:
        nonlocal at
        at = info.offset_data
        return exactly(read, info.size)

    return chunks


def is_tar_header(block: bytes, named: re.Match[str] | None) -> bool:
    """A tar header by its magic or, for the oldest kind, by its checksum; a short block is decided by the name."""
    if block[257:262] == b"ustar":
        return True
    if len(block) < 512:
        return named is not None
    try:
        tarfile.TarInfo.frombuf(block[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
