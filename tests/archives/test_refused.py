"""Archives of very many refused members: named up to a number, counted beyond it, and what is good is still read."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ultracurate.archives.member import REST, ArchiveLimits, Member
from ultracurate.archives.nested import walk_members
from ultracurate.archives.reading import iter_members
from ultracurate.archives.tar import _Header
from ultracurate.core.errors import RowError

LINK = tarfile.SYMTYPE


def tar(*members: tuple[str, bytes, bytes], mode: str = "w:gz") -> bytes:
    """Members by path, kind and content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for path, kind, content in members:
            info = tarfile.TarInfo(path)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd" if kind == LINK else ""
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def links(count: int) -> list[tuple[str, bytes, bytes]]:
    return [(f"d/{number}", LINK, b"") for number in range(count)]


def test_a_tar_of_20_000_links_gives_1_001_members_and_one_account() -> None:
    """Written by hand: tarfile would take longer to write than we to read it."""
    info = tarfile.TarInfo("d/00000000")
    info.type, info.linkname = LINK, "/etc/passwd"
    block = info.tobuf(tarfile.USTAR_FORMAT)
    own = sum(block[:148]) + sum(block[156:]) + 256
    blocks = bytearray()
    for number in range(20_000):
        name = b"d/%08d" % number
        checksum = own - sum(block[:10]) + sum(name)
        blocks += name + block[10:148] + b"%06o\0 " % checksum + block[156:]
    members = list(iter_members(io.BytesIO(bytes(blocks) + bytes(1024)), "x.tar"))
    assert len(members) == 1001
    assert {member.problem for member in members[:1000]} == {"a symbolic link"}
    assert members[1000].path == REST
    assert "expected at most 1000 members to be refused, found 19000 more: 19000 x a symbolic link" in told(members)
    with pytest.raises(RowError, match="refused"):
        members[1000].read()


def told(members: list[Member]) -> str:
    return str(members[-1].problem)


def test_good_members_come_before_among_and_behind_them() -> None:
    good = [("a.png", tarfile.REGTYPE, b"1"), ("b.png", tarfile.REGTYPE, b"2"), ("c.png", tarfile.REGTYPE, b"3")]
    data = tar(good[0], *links(30), good[1], ("../up", tarfile.REGTYPE, b""), *links(5)[:1], good[2])
    read, refused = {}, []
    for member in iter_members(io.BytesIO(data), "x.tar.gz", ArchiveLimits(max_refused=10)):
        if member.problem:
            refused.append(member)
        else:
            read[member.path] = member.read()
    assert read == {"a.png": b"1", "b.png": b"2", "c.png": b"3"}
    assert len(refused) == 11
    assert "found 22 more: 21 x a symbolic link, 1 x a path that leaves the archive" in told(refused)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(40):
            archive.writestr(f"../{number}", b"")
    return out.getvalue()


@pytest.mark.parametrize("make", [lambda: tar(*links(40)), lambda: tar(*links(40), mode="w"), zipped])
def test_it_is_the_same_for_every_kind(make: Callable[[], bytes]) -> None:
    members = list(iter_members(io.BytesIO(make()), "x", ArchiveLimits(max_refused=10)))
    assert [member.path == REST for member in members] == [False] * 10 + [True]
    assert "found 30 more: 30 x " in told(members)


def test_up_to_the_number_nothing_changes() -> None:
    members = list(iter_members(io.BytesIO(tar(*links(10))), "x", ArchiveLimits(max_refused=10)))
    assert [member.path for member in members] == [f"d/{number}" for number in range(10)]


def test_the_account_comes_also_where_the_archive_breaks_off_or_is_too_long() -> None:
    data = tar(*links(40), mode="w")
    found = []
    with pytest.raises(RowError, match="truncated"):  # noqa: PT012 - what came before it is looked at
        for member in iter_members(io.BytesIO(data[: 512 * 30]), "x.tar", ArchiveLimits(max_refused=10)):
            found.append(member)  # noqa: PERF402
    assert "found 20 more" in told(found)
    short = list(iter_members(io.BytesIO(data), "x.tar", ArchiveLimits(max_refused=10, max_members=30)))
    assert "at most 30 members" in str(short[-2].problem)
    assert "found 20 more: 20 x a symbolic link." in told(short)


def test_archives_in_the_archive_share_one_account(tmp_path: Path) -> None:
    inner = tar(*links(8), ("good.png", tarfile.REGTYPE, b"1"))
    data = tar(*((f"{number}.tar.gz", tarfile.REGTYPE, inner) for number in range(5)), *links(3))
    members = list(walk_members(io.BytesIO(data), "x.tar.gz", ArchiveLimits(max_refused=10), tmp_path))
    kinds = Counter("rest" if member.path == REST else "bad" if member.problem else "good" for member in members)
    assert kinds == {"bad": 10, "good": 5, "rest": 1}
    assert "found 33 more: 33 x a symbolic link" in told(members)


def test_refused_archives_in_the_archive_are_counted_too(tmp_path: Path) -> None:
    empty, links_only = tar(), tar(*links(2))
    data = tar(*((f"{n}.tar.gz", tarfile.REGTYPE, empty if n % 2 else links_only) for n in range(40)))
    members = list(walk_members(io.BytesIO(data), "x.tar.gz", ArchiveLimits(max_refused=10), tmp_path))
    assert len(members) == 11
    assert "found 50 more: 33 x a symbolic link, 17 x an archive without files" in told(members)
    deep = tar(("a.tar", tarfile.REGTYPE, tar(("b.tar", tarfile.REGTYPE, links_only))))
    members = list(walk_members(io.BytesIO(deep), "x", ArchiveLimits(max_refused=0, max_depth=2), tmp_path))
    assert "found 1 more: 1 x an archive in archives, deeper than 2" in told(members)


def test_reasons_without_end_are_told_together() -> None:
    data = tar(*((f"{size}", tarfile.REGTYPE, bytes(2000 + size)) for size in range(30)))
    members = list(iter_members(io.BytesIO(data), "x", ArchiveLimits(max_refused=10, max_member_bytes=1000)))
    assert "found 20 more: 12 x other reasons, 1 x expected at most 1000 bytes, found 2010" in told(members)
    assert len(told(members)) < 1000


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_headers_are_read_as_tarfile_reads_them(form: int) -> None:
    kinds = [
        tarfile.REGTYPE,
        tarfile.AREGTYPE,
        tarfile.DIRTYPE,
        LINK,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.FIFOTYPE,
    ]
    names = ["a.png", "d/a b.png", "d/", "é.png", "x" * 99, "p" * 60 + "/" + "n" * 90, "d" * 120 + "/" + "f" * 130]
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.GNU_FORMAT if form == tarfile.USTAR_FORMAT else form
    ) as archive:
        for kind in kinds:
            for name in names:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "to"
                info.size = 700 if kind == tarfile.REGTYPE else 0
                archive.addfile(info, io.BytesIO(bytes(700)))
    facts = []
    for reader in (tarfile.TarInfo, _Header):
        out.seek(0)
        with tarfile.open(fileobj=out, tarinfo=reader) as archive:
            facts.append([(info.name, info.type, info.size, info.offset_data) for info in archive])
    assert facts[0] == facts[1]
    assert len(facts[0]) == len(kinds) * len(names)


def test_odd_headers_fail_as_in_tarfile() -> None:
    block = bytearray(tarfile.TarInfo("a.png").tobuf())
    big = tarfile.TarInfo("big")
    big.size = 9 << 30
    far = big.tobuf(tarfile.GNU_FORMAT)
    assert _Header.frombuf(far, "utf-8", "surrogateescape").size == 9 << 30
    for at in (0, 100, 124, 148, 150, 154, 156, 345):
        spoiled = bytearray(block)
        spoiled[at] ^= 0x55
        for reader in (tarfile.TarInfo, _Header):
            with pytest.raises(tarfile.HeaderError):
                reader.frombuf(bytes(spoiled), "utf-8", "surrogateescape")
    for wrong in (b"", bytes(512), bytes(block[:100])):
        with pytest.raises(tarfile.HeaderError):
            _Header.frombuf(wrong, "utf-8", "surrogateescape")
