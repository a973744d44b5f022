"""Archives that were made to lose rows, to fill memory or the disk, or to read what is not theirs."""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.archives.makers import make_7z
from tests.archives.test_formats import NOISE, named_zip
from tests.archives.test_nested import walk
from tests.archives.test_reading import make_tar, make_zip, read_all
from ultracurate.archives import nested as archive_nested
from ultracurate.archives.nested import walk_members
from ultracurate.archives.reading import ArchiveLimits, Member, iter_members
from ultracurate.core.errors import RowError

TWICE = "a second member of the same path"
EMPTY = "an archive without files"
END = b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_path_of_two_levels_is_given_once(make: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    inner = make_zip({"b.png": b"1"})
    for files, first in (({"a.zip": inner, "a.zip/b.png": b"2"}, b"1"), ({"a.zip/b.png": b"2", "a.zip": inner}, b"2")):
        seen = [(m.path, m.problem or m.read()) for m in walk_all(make(files), tmp_path)]
        assert seen == [("a.zip/b.png", first), ("a.zip/b.png", TWICE)]
    apart = walk(make({"a.zip": inner, "b.zip": inner, "b.png": b"3"}), tmp_path)
    assert apart == {"a.zip/b.png": b"1", "b.zip/b.png": b"1", "b.png": b"3"}


def walk_all(data: bytes, folder: Path) -> Iterator[Member]:
    return walk_members(io.BytesIO(data), "x", ArchiveLimits(), folder)


def test_an_archive_in_an_archive_that_shows_no_files_is_named(tmp_path: Path) -> None:
    hidden = make_zip({"scan.png": NOISE}) + END
    files = {
        "a.zip": END,
        "b.zip": hidden,
        "c.tar.gz": make_tar({}, "w:gz"),
        "d.zip": make_zip({"folder/": b"", "__MACOSX/x": b"1"}),
        "e.zip": make_zip({"f.zip": END}),
        "z": b"1",
    }
    expected = dict.fromkeys(["a.zip", "b.zip", "c.tar.gz", "d.zip", "e.zip/f.zip"], EMPTY)
    assert walk(make_zip(files), tmp_path) == {**expected, "z": b"1"}


def test_a_copy_takes_no_more_than_half_of_the_free_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_nested, "IN_MEMORY", 1000)
    inner = make_zip({"scan.bin": NOISE})
    data = make_zip({"a.zip": inner, "z": b"1"})
    assert walk(data, tmp_path) == {"a.zip/scan.bin": NOISE, "z": b"1"}
    for free in (2 * len(inner) + 2, 2 * len(inner) - 2):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        found = walk(data, tmp_path)
        assert found["z"] == b"1"
        if free < 2 * len(inner):
            assert f"Found {len(inner)} bytes or more for it and {free // 2} to use" in str(found["a.zip"])
        else:
            assert found["a.zip/scan.bin"] == NOISE


def test_a_disk_that_takes_no_more_costs_the_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_nested, "IN_MEMORY", 1000)
    data = make_zip({"a.zip": make_zip({"scan.bin": NOISE}), "z": b"1"})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (20_000, before[1])
    )  # the system refuses to write on, as a full disk does
    try:
        found = walk(data, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "Found no room, or no working disk (OSError)" in str(found["a.zip"])
    assert found["z"] == b"1"


def test_a_name_that_is_not_the_utf8_it_says_costs_no_other_member() -> None:
    assert read_all(named_zip(b"a\xffb.png", 0x800)) == {"a\\xffb.png": b"1"}
    names = {"é.png": b"1", "ÿ.png": b"2", "c.png": b"3"}
    spoiled = make_zip(names).replace("ÿ".encode(), b"\xc3\x28")
    assert read_all(spoiled) == {"é.png": b"1", "\\xc3(.png": b"2", "c.png": b"3"}
    assert read_all(spoiled[:-22] + spoiled[-22:-2] + b"\x05\0hello")["c.png"] == b"3", "behind it lies a comment"


def test_a_deflate_stream_that_goes_on_behind_the_declared_size() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.bin"), NOISE[:2600] + bytes(3 << 20), zipfile.ZIP_DEFLATED)
        info = archive.infolist()[0]
    data = out.getvalue()
    full, small = info.file_size.to_bytes(4, "little"), (2600).to_bytes(4, "little")
    checks = info.CRC.to_bytes(4, "little"), zlib.crc32(NOISE[:2600]).to_bytes(4, "little")
    assert data.count(full) == data.count(checks[0]) == 2, "in the local header and in the directory"
    (member,) = iter_members(io.BytesIO(data.replace(full, small).replace(*checks)), "x.zip")
    assert member.size == 2600
    tracemalloc.start()
    try:
        with pytest.raises(RowError, match="damaged"):
            member.read()
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


def pax(kind: bytes, records: bytes) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = kind, len(records)
    return info.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


def test_global_headers_of_a_tar_do_not_pile_up() -> None:
    tar, size = io.BytesIO(), 100_000
    for number in range(60):
        record = f"{size} key{number}=".encode()
        tar.write(pax(tarfile.XGLTYPE, record + b"v" * (size - len(record) - 1) + b"\n"))
        tar.write(make_tar({f"{number}": b"1"})[:1024])
    tar.write(bytes(1024))
    tracemalloc.start()
    try:
        assert sum(member.read() == b"1" for member in iter_members(tar, "x.tar")) == 60
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


def test_global_headers_are_not_copied_into_every_other_header() -> None:
    keys = pax(tarfile.XGLTYPE, b"".join(b"12 k%05d=v\n" % number for number in range(20_000)))
    tar = keys + pax(tarfile.XHDTYPE, b"6 a=b\n") * 100 + make_tar({"a": b"1"})
    tracemalloc.start()
    try:
        assert read_all(tar, "x.tar") == {"a": b"1"}
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.XGLTYPE, tarfile.XHDTYPE])
def test_headers_of_one_member_are_bounded(kind: bytes) -> None:
    header = pax(kind, b"1000000 key=" + b"v" * 999_987 + b"\n")
    rest = make_tar({"a": b"1"})
    assert read_all(header * 3 + rest, "x.tar") == {"a": b"1"}
    with pytest.raises(RowError, match="more than 4 MiB of tar headers"):
        read_all(header * 6 + rest, "x.tar")
    large = bytes(6 << 20)
    assert read_all(make_tar({"a": large, "b": b"1"})) == {"a": large, "b": b"1"}, "content is no header"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_process_that_reads_an_archive_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def watched(*args: object, **options: object) -> subprocess.Popen[bytes]:
        children.append(real(*args, **options))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", watched)
    monkeypatch.setenv("HF_TOKEN", "hf_credential")
    walk = iter_members(io.BytesIO(make_7z({"a": b"1"})), "x")
    assert next(walk).read() == b"1"
    environment = Path(f"/proc/{children[0].pid}/environ").read_bytes()
    assert b"LC_ALL=" in environment
    assert b"hf_credential" not in environment
    assert os.environ["HF_TOKEN"] == "hf_credential"
    walk.close()  # type: ignore[attr-defined]
