"""7z and RAR, which a child process reads with libarchive: hostile ones, and a child that fails."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
from pathlib import Path

import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives.makers import (
    RAR5,
    make_7z,
    make_7z_of_names,
    make_7z_with,
    make_rar4,
    make_rar5,
    make_rar5_volumes,
    rar5_block,
    rar5_file,
    rar5_record,
    vint,
)
from tests.archives.test_formats import NOISE
from tests.archives.test_reading import read_all
from ultracurate.archives import system as archive_system
from ultracurate.archives.reading import ArchiveLimits, iter_members
from ultracurate.core.errors import MissingExtraError, RowError

FILES = {"a.png": b"1" * 400, "DOE_JANE.png": NOISE[:9000], "c.png": b"3"}


def test_encrypted_members_and_encrypted_lists() -> None:
    assert set(read_all(make_7z(FILES, password="secret")).values()) == {"encrypted"}
    assert read_all(make_7z(FILES, password="secret", header_encryption=True)) == {"": "encrypted"}
    lock = rar5_record(1, vint(0) + vint(0) + b"\x0f" + bytes(32))
    mixed = make_rar5({"ok": b"1"}, rar5_file("locked", bytes(16), extra=lock), rar5_file("last", b"2"))
    assert read_all(mixed) == {"ok": b"1", "locked": "encrypted", "last": b"2"}
    assert read_all(RAR5 + rar5_block(4, 0, vint(0) + vint(0) + b"\x0f" + bytes(16)) + bytes(99)) == {"": "encrypted"}


def redirect(kind: int, target: bytes = b"/etc/passwd") -> bytes:
    return rar5_record(5, vint(kind) + vint(0) + vint(len(target)) + target)


def test_links_devices_and_escapes_in_a_rar() -> None:
    blocks = [rar5_file(f"{kind}", b"", extra=redirect(kind)) for kind in range(1, 6)]
    blocks += [rar5_file("dev", b"", attributes=0o060644), rar5_file("pipe", b"", attributes=0o010644)]
    blocks += [rar5_file("../up", b"x"), rar5_file("/abs", b"x"), rar5_file("C:\\w", b"x"), rar5_file("good", b"y")]
    found = read_all(make_rar5({"good": b"1"}, *blocks))
    assert found == {
        **dict.fromkeys("123", "a symbolic link"),
        "4": "a hard link",
        "5": "a reference to another member",
        **dict.fromkeys(["dev", "pipe"], "a device or another special file"),
        "../up": "a path that leaves the archive ('..')",
        **dict.fromkeys(["/abs", "C:/w"], "an absolute path"),
        "good": "a second member of the same path",
    }


def test_links_devices_and_escapes_in_a_7z() -> None:
    names = ["aaa", "bbbb", "sym", "pipe", "dev", "__MACOSX/._x", "ok"]
    modes = {"sym": 0o120777, "pipe": 0o010644, "dev": 0o060644}
    data = make_7z_with(dict.fromkeys(names, b"4"), modes, {"aaa": "..\\", "bbbb": "/abs"})
    found = read_all(data)
    assert found["ok"] == b"4"
    assert found["sym"] == "a symbolic link"
    assert found["pipe"] == found["dev"] == "a device or another special file"
    assert "'..'" in str(found[".."])
    assert found["/abs"] == "an absolute path"
    assert set(found) == {"ok", "sym", "pipe", "dev", "..", "/abs"}


def test_members_are_read_in_order_and_once() -> None:
    for data in (make_7z(FILES), make_rar5(FILES)):
        members = list(iter_members(io.BytesIO(data), "x"))
        with pytest.raises(RowError, match="in order"):
            members[0].read()
        walk = iter_members(io.BytesIO(data), "x")
        first = next(walk)
        first.read()
        with pytest.raises(RowError, match="second time"):
            first.read()
        started = next(walk).stream()
        assert next(started)
        assert next(walk).read() == b"3", "what was begun is skipped"
        with pytest.raises(RowError, match="in order"):
            list(started)


def test_a_wrong_checksum_is_damage_of_that_member_alone() -> None:
    data = make_rar5({"ok": b"1"}, rar5_file("bad", b"22", crc=5), rar5_file("last", b"3"))
    answers = []
    for member in iter_members(io.BytesIO(data), "x"):
        try:
            answers.append(member.read())
        except RowError as exc:
            answers.append(b"checksum" if "checksum" in str(exc) else b"")
    assert answers == [b"1", b"checksum", b"3"]
    spoiled = bytearray(make_7z(FILES, filters=[{"id": py7zr.FILTER_COPY}]))
    spoiled[40] ^= 1
    walk = iter_members(io.BytesIO(spoiled), "x")
    with pytest.raises(RowError, match="damaged"):
        next(walk).read()


def test_bombs_end_before_they_unpack() -> None:
    solid = make_7z({"zeros": bytes(2_000_000), "more": bytes(2_000_000)})
    with pytest.raises(RowError, match="ratio"):
        read_all(solid)
    assert "at most 1000 bytes" in str(
        read_all(make_7z(FILES), limits=ArchiveLimits(max_member_bytes=1000))["DOE_JANE.png"]
    )
    few = read_all(make_7z(FILES), limits=ArchiveLimits(max_members=1))
    assert "at most 1 members" in str(few["DOE_JANE.png"])
    with pytest.raises(RowError, match="folders"):
        read_all(make_7z_of_names(3_000), limits=ArchiveLimits(max_members=1000))


def test_a_list_of_members_that_needs_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_7z_of_names(2_000_000)
    assert len(data) < 3000
    monkeypatch.setattr(archive_system, "MOST_MEMORY", 200 << 20)
    with pytest.raises(RowError):
        read_all(data)


def test_a_rar_of_endless_blocks() -> None:
    with pytest.raises(RowError, match="far more blocks"):
        read_all(make_rar5({}, rar5_block(3, 0, b"") * 2000), limits=ArchiveLimits(max_members=100))


def test_volumes_of_a_rar_that_are_not_there() -> None:
    volumes = make_rar5_volumes("big", NOISE, [20_000, 40_000])
    assert read_all(b"".join(volumes)) == {"big": NOISE}
    with pytest.raises(RowError, match="first volume"):
        read_all(b"".join(volumes[1:]))
    with pytest.raises(RowError, match="last volume"):
        list(iter_members(io.BytesIO(b"".join(volumes[:2])), "x"))


def test_a_compression_that_libarchive_does_not_know() -> None:
    walk = iter_members(io.BytesIO(make_7z({"a": NOISE}, filters=[{"id": py7zr.FILTER_BROTLI, "level": 4}])), "x")
    with pytest.raises(RowError, match="expected a compression that libarchive unpacks"):
        next(walk).read()


def test_a_child_that_dies_costs_the_archive_only(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def watched(*args: object, **options: object) -> subprocess.Popen[bytes]:
        children.append(real(*args, **options))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", watched)
    walk = iter_members(io.BytesIO(make_7z(FILES)), "x")
    member = next(walk)
    os.kill(children[0].pid, signal.SIGSEGV)
    with pytest.raises(RowError, match="had ended"):
        member.read()
    with pytest.raises(RowError, match="had ended"):
        next(walk)
    assert children[0].poll() is not None
    abandoned = iter_members(io.BytesIO(make_7z(FILES)), "x")
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]
    assert children[1].poll() is not None, "nobody waits for it any more"


def test_without_libarchive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBARCHIVE", "/nowhere/libarchive.so")
    with pytest.raises(RowError, match="expected the system's libarchive"):
        read_all(make_7z(FILES))
    monkeypatch.setattr(archive_system, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ultracurate\[archives\]"):
        read_all(make_7z(FILES))


def test_messages_do_not_quote_member_names() -> None:
    member = next(iter_members(io.BytesIO(make_rar5({}, rar5_file("DOE_JANE.png", b"22", crc=5))), "x.rar"))
    walk = iter_members(io.BytesIO(make_rar5({}, rar5_file("DOE_JANE.png", b"22", crc=5))), "x.rar")
    with pytest.raises(RowError, match="in order"):
        member.read()  # nothing holds its archive open
    with pytest.raises(RowError, match="checksum") as caught:
        next(walk).read()
    assert "DOE" not in str(caught.value)


ARCHIVES = [make_7z(FILES), make_7z(FILES, password="x"), make_rar5(FILES), make_rar4(FILES), make_7z_of_names(50)]


def attack(data: bytes) -> None:
    try:
        for path, content in read_all(data).items():
            assert isinstance(path, str)
            assert isinstance(content, bytes | str)
    except RowError:
        return


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(ARCHIVES), st.data())
def test_flipped_bytes_never_escape(data: bytes, draw: st.DataObject) -> None:
    spoiled = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 8))):
        spoiled[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attack(bytes(spoiled))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_spoiled_archives_never_escape() -> None:
    noise = random.Random(11)
    for _ in range(500):
        spoiled = bytearray(noise.choice(ARCHIVES))
        for _ in range(noise.randint(1, 12)):
            spoiled[noise.randrange(len(spoiled))] = noise.randrange(256)
        attack(bytes(spoiled[: noise.choice([len(spoiled), noise.randrange(len(spoiled))])]))


@pytest.mark.samples
def test_a_real_rar(samples: Path) -> None:
    with (samples / "fast-unet/Dataset/AC/AC_mask.rar").open("rb") as file:
        members = 0
        for member in iter_members(file, "AC_mask.rar"):
            data = member.read()
            assert (len(data), data[:4]) == (member.size, b"\x89PNG")
            members += 1
    assert members == 412
