from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from ultracurate.core.errors import StorageError
from ultracurate.core.store import Store, own_temporary_folder


@pytest.fixture(params=["local", "memory", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A work directory of each kind; temporary files of the remote ones under `tmp_path`."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    if request.param == "local":
        return Store(tmp_path / "work")
    if request.param == "memory":
        return Store(f"memory://{uuid.uuid4().hex}/work")
    return Store(request.getfixturevalue("s3"))


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_back_whole_and_in_ranges(any_store: Store) -> None:
    any_store.write("a/b/x.bin", b"0123456789")
    assert any_store.read("a/b/x.bin") == b"0123456789"
    assert any_store.read("a/b/x.bin", 3) == b"3456789"
    assert any_store.read("a/b/x.bin", 3, 4) == b"3456"
    assert any_store.read("a/b/x.bin", 0, 2) == b"01"
    assert any_store.read("a/b/x.bin", 8, 100) == b"89"
    assert any_store.size("a/b/x.bin") == 10
    assert any_store.sha256("a/b/x.bin") == hashlib.sha256(b"0123456789").hexdigest()
    with any_store.open("a/b/x.bin") as file:
        file.seek(-2, 2)
        assert file.read() == b"89"


def test_an_empty_range_is_empty(any_store: Store) -> None:
    any_store.write("x", b"0123456789")
    assert any_store.read("x", 0, 0) == b""
    assert any_store.read("x", 4, 0) == b""


def test_names_exists_remove(any_store: Store) -> None:
    assert any_store.names("a") == []
    assert not any_store.exists("a/2")
    for name in ("a/2", "a/1", "a/b/3", "c"):
        any_store.write(name, b"")
    assert any_store.names("a") == ["1", "2", "b"]
    assert any_store.exists("a/2")
    assert any_store.exists("a/b"), "a folder counts"
    any_store.remove("a/2")
    any_store.remove("a/2")
    assert not any_store.exists("a/2")
    assert any_store.names("a") == ["1", "b"]
    assert any_store.names("a/1") in ([], ["1"]), "a file has no names below it"


def test_a_second_write_replaces_the_first(any_store: Store) -> None:
    any_store.write("a/x", b"one, the longer one")
    any_store.write("a/x", b"two")
    assert any_store.read("a/x") == b"two"
    assert any_store.names("a") == ["x"]


def write_half(store: Store, path: str) -> None:
    with store.create(path) as file:
        file.write(b"half")
        raise RuntimeError("half way")


def test_an_exception_while_writing_leaves_nothing(any_store: Store, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"):
        write_half(any_store, "a/x")
    assert not any_store.exists("a/x")
    assert any_store.names("a") == []
    assert everything(tmp_path) == []


def test_an_exception_while_replacing_keeps_the_old_file(any_store: Store) -> None:
    any_store.write("x", b"old")
    with pytest.raises(RuntimeError, match="half way"):
        write_half(any_store, "x")
    assert any_store.read("x") == b"old"


def test_nothing_is_seen_before_the_block_ends(any_store: Store) -> None:
    with any_store.create("a/x") as file:
        file.write(b"half")
        file.flush()
        assert not any_store.exists("a/x")
        assert any_store.names("a") == []
    assert any_store.read("a/x") == b"half"


def test_no_temporary_file_stays(any_store: Store, tmp_path: Path) -> None:
    any_store.write("a/x", b"1")
    any_store.link("a/x", "a/y")
    any_store.check_writable()
    assert [name for name in everything(tmp_path) if "tmp" in Path(name).name or name.endswith(".probe")] == []
    assert any_store.names("a") == ["x", "y"]


def test_link_shows_the_bytes_and_replaces(any_store: Store) -> None:
    any_store.write("a/x", b"one")
    any_store.write("b/y", b"old")
    any_store.link("a/x", "b/y")
    any_store.link("a/x", "b/y")  # again, onto itself
    any_store.link("a/x", "new/z")
    assert any_store.read("b/y") == any_store.read("new/z") == b"one"
    any_store.write("a/x", b"two")
    assert any_store.read("b/y") == b"one", "a later write of the source does not reach through the link"
    assert any_store.names("b") == ["y"]


def test_adopt_moves_a_finished_file(any_store: Store) -> None:
    file = any_store.scratch() / "big.tmp"
    file.write_bytes(b"data")
    any_store.adopt(file, "raw/data")
    assert any_store.read("raw/data") == b"data"
    assert not file.exists()


def test_the_url_opens_the_same_store(any_store: Store) -> None:
    any_store.write("a/x", b"1")
    again = Store(any_store.url)
    assert again.read("a/x") == b"1"
    assert again.url == any_store.url


def test_what_another_writer_adds_is_seen_at_once(any_store: Store) -> None:
    """Workers write, the planner lists: a cached listing would make it compute finished parts again."""
    any_store.write("a/1", b"")
    assert any_store.names("a") == ["1"]
    assert not any_store.exists("a/2")
    if any_store.local:
        (any_store.local / "a" / "2").write_bytes(b"")
    else:  # a client of its own, as in another process
        other, root = fsspec.core.url_to_fs(any_store.url, skip_instance_cache=True)
        other.pipe_file(f"{root}/a/2", b"")
    assert any_store.exists("a/2")
    assert any_store.names("a") == ["1", "2"]


def test_a_relative_work_directory_is_where_the_command_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("work")
    monkeypatch.chdir("/")
    store.write("x", b"1")
    assert (tmp_path / "work" / "x").read_bytes() == b"1"
    assert store.url == str(tmp_path / "work")


def test_scratch_is_on_the_disk_of_the_work_directory(store: Store) -> None:
    assert store.local is not None
    assert store.scratch().is_relative_to(store.local)


def test_a_file_where_the_work_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("I am a file")
    with pytest.raises(StorageError, match="work"):
        Store(tmp_path / "work").check_writable()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_problem_is_told_clearly_and_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(number, os.strerror(number))

    store.write("a/old", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StorageError, match="finished parts are kept") as caught:
            store.write("a/x", b"data")
    assert f"{store.url}/a/x" in str(caught.value)
    assert store.local is not None
    assert everything(store.local) == ["a/old"]


def test_other_system_errors_keep_their_own_name(store: Store) -> None:
    store.write("a", b"a file")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        store.write("a/x", b"below a file")
    assert store.local is not None
    assert everything(store.local) == ["a"]


def test_a_folder_in_the_way_leaves_no_temporary_file(store: Store) -> None:
    store.write("a/x/inside", b"")
    with pytest.raises(OSError, match="x"):
        store.write("a/x", b"")
    with pytest.raises(OSError, match="x"):
        store.link("a/x/inside", "a/x")
    assert store.local is not None
    assert everything(store.local) == ["a/x/inside"]


def test_another_file_system_is_copied_to_and_still_atomic(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tmp/` may be a mount of its own: the rename then fails with EXDEV, and only then a copy is right."""
    replaced: list[tuple[str, str]] = []
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replaced.append((str(source), str(target)))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    store.write("a/x", b"data")
    assert store.read("a/x") == b"data"
    assert [Path(target).name for _, target in replaced] == ["x"]
    assert store.local is not None
    assert everything(store.local) == ["a/x"]


def test_a_full_disk_during_that_copy_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(source: Any, target: Any) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def copyfile(source: Any, target: Any) -> None:
        Path(target).write_bytes(b"par")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(StorageError, match="disk is full"):
        store.write("a/x", b"part of this")
    assert store.local is not None
    assert everything(store.local) == []


def test_without_hard_links_a_link_is_a_copy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    store.write("x", b"one")
    store.link("x", "a/y")
    assert store.read("a/y") == b"one"
    assert store.local is not None
    assert (store.local / "a" / "y").stat().st_ino != (store.local / "x").stat().st_ino


def test_a_link_costs_no_disk(store: Store) -> None:
    store.write("x", b"one")
    store.link("x", "a/y")
    assert store.local is not None
    assert (store.local / "a" / "y").stat()[stat.ST_INO] == (store.local / "x").stat()[stat.ST_INO]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_really_full_disk(small_disk: Path) -> None:
    store = Store(small_disk / "work")
    store.write("a/fits", b"x" * 300_000)
    with pytest.raises(StorageError, match=r"disk is full\. Free some space"):
        store.write("a/too-much", os.urandom(2_000_000))
    assert everything(small_disk) == ["work/a/fits"]
    store.write("a/fits too", b"x" * 300_000)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_really_read_only_disk(small_disk: Path) -> None:
    store = Store(small_disk / "work")
    store.write("a/x", b"1")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match=r"read-only\. Choose a --work"):
        store.check_writable()
    with pytest.raises(StorageError, match="read-only"):
        Store(small_disk / "other").check_writable()
    assert store.read("a/x") == b"1"


def test_a_sweep_takes_only_what_a_killed_process_left(any_store: Store) -> None:
    scratch = any_store.scratch()
    (scratch / "downloads").mkdir()
    old = [f"{n:032x}.tmp" for n in range(3)]
    kept = [f"{9:032x}.tmp", "notes.tmp", "downloads/x.part", f"downloads/{1:032x}.tmp"]
    for name in (*old, *kept):
        (scratch / name).write_bytes(b"1")
        if name != kept[0]:  # that one is being written now
            os.utime(scratch / name, (0, 0))
    assert any_store.sweep() == 3
    assert sorted(str(p.relative_to(scratch)) for p in scratch.rglob("*") if p.is_file()) == sorted(kept)
    assert any_store.sweep() == 0


def test_a_temporary_folder_that_others_can_change_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = own_temporary_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(StorageError, match="others can change"):
        own_temporary_folder()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="others can change"):
        own_temporary_folder()
