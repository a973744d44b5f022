from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.sources import RemoteFile, SourceContext, SourceError, SourceState
from ultracurate.sources.local import LocalSource

REF = SourceRef(host="local", root="sets", path="busi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sets" / "busi"
    (made / "benign").mkdir(parents=True)
    for name in ("b.png", "a.png", "benign/c (1).png", "Z.png"):
        (made / name).write_bytes(name.encode())
    return made


@pytest.fixture
def local(folder: Path) -> LocalSource:
    return LocalSource(SourceContext(roots={"sets": folder.parent}, environ={}))


def test_files_are_listed_sorted_and_by_reference(local: LocalSource) -> None:
    files = local.list_files(REF)
    assert [file.name for file in files] == ["Z.png", "a.png", "b.png", "benign/c (1).png"]
    assert files[-1].uri == "root://sets/busi/benign/c (1).png"
    assert [file.size for file in files] == [5, 5, 5, 16]
    assert all(file.problem is None for file in files)


def test_hidden_files_and_folders_are_skipped(local: LocalSource, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x.png").touch()
    (folder / ".DS_Store").touch()
    assert len(local.list_files(REF)) == 4


def test_a_file_is_verified_where_it_lies(local: LocalSource, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "unused"
    got = local.fetch(local.list_files(REF)[1], target)
    assert got.path == folder.resolve() / "a.png"
    assert got.sha256 == hashlib.sha256(b"a.png").hexdigest()
    assert (got.size, got.transferred) == (5, 0)
    assert not target.exists()


def test_the_manifest_picks_and_pins_files(local: LocalSource) -> None:
    pin = FileRef(name="a.png", size=5, checksum="sha256:" + hashlib.sha256(b"other").hexdigest())
    (file,) = local.list_files(REF.model_copy(update={"files": [pin]}))
    with pytest.raises(SourceError, match="restore it") as caught:
        local.fetch(file, Path("unused"))
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert hashlib.sha256(b"a.png").hexdigest() in str(caught.value)


def test_a_file_the_manifest_names_must_be_there(local: LocalSource) -> None:
    with pytest.raises(SourceError, match=r"has no file 'd\.png'"):
        local.list_files(REF.model_copy(update={"files": [FileRef(name="d.png")]}))


def test_links_out_of_the_root_are_reported_not_followed(local: LocalSource, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "x.png").write_bytes(b"x")
    (folder / "l1.png").symlink_to(outside / "x.png")
    (folder / "l2").symlink_to(outside)
    (folder / "l3.png").symlink_to(folder / "gone.png")
    (folder / "l4.png").symlink_to(folder / "a.png")
    (folder / "l5").symlink_to(folder)
    (folder / "l6.png").symlink_to("l6.png")
    by_name = {file.name: file for file in local.list_files(REF)}
    assert {name for name, file in by_name.items() if file.problem} == {"l1.png", "l2", "l3.png", "l5", "l6.png"}
    assert by_name["l4.png"].uri == "root://sets/busi/l4.png"
    with pytest.raises(SourceError, match="leads out of the root"):
        local.fetch(by_name["l1.png"], Path("unused"))


def test_a_link_swapped_in_after_listing_is_refused(local: LocalSource, tmp_path: Path, folder: Path) -> None:
    file = local.list_files(REF)[1]
    (tmp_path / "secret").write_bytes(b"a.png")
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError, match="leads out"):
        local.fetch(file, Path("unused"))
    with pytest.raises(SourceError, match="leads out"):
        local.fetch(RemoteFile("x", "", uri="root://sets/../secret"), Path("unused"))


def test_a_pipe_is_reported_not_read(local: LocalSource, folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert [file.problem for file in local.list_files(REF) if file.name == "pipe.png"] == ["not a plain file"]


def test_a_name_that_is_not_utf8_is_reported(local: LocalSource, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(b"x")
    (file,) = [file for file in local.list_files(REF) if file.problem]
    assert "UTF-8" in str(file.problem)
    file.name.encode()
    file.url.encode()


def test_a_changed_file_is_told(local: LocalSource, folder: Path) -> None:
    file = local.list_files(REF)[1]
    (folder / "a.png").write_bytes(b"longer than before")
    with pytest.raises(SourceError, match="expected 5 bytes, found 18"):
        local.fetch(file, Path("unused"))
    (folder / "a.png").unlink()
    with pytest.raises(SourceError, match="is gone") as caught:
        local.fetch(file, Path("unused"))
    assert caught.value.state is SourceState.NOT_FOUND


def test_no_error_says_the_name_of_a_file_or_folder(
    local: LocalSource, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of files and folders can be those of patients; what stands in the manifest is its author's own."""
    said: list[str] = []

    def provoke(act: Callable[[], object]) -> None:
        with pytest.raises(SourceError) as caught:
            act()
        said.append(str(caught.value))

    path = folder / "DOE_JANE" / "DOE_JANE.png"
    path.parent.mkdir()
    path.write_bytes(b"12345")
    (file,) = [file for file in local.list_files(REF) if "DOE" in file.name]
    path.write_bytes(b"changed")
    provoke(lambda: local.fetch(file, tmp_path))
    path.unlink()
    provoke(lambda: local.fetch(file, tmp_path))
    provoke(lambda: local.open(file))
    path.symlink_to(tmp_path / "DOE_JANE.png")
    (tmp_path / "DOE_JANE.png").write_bytes(b"1")
    provoke(lambda: local.fetch(file, tmp_path))
    (linked,) = [file for file in local.list_files(REF) if "DOE" in file.name]
    provoke(lambda: local.fetch(linked, tmp_path))
    path.unlink()
    path.mkdir()
    provoke(lambda: local.fetch(file, tmp_path))

    def unreadable(folder: Any, onerror: Callable[[OSError], None]) -> Iterator[Any]:
        onerror(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent)))
        yield from ()

    monkeypatch.setattr("os.walk", unreadable)
    provoke(lambda: local.list_files(REF))
    assert not [text for text in said if "DOE" in text or str(tmp_path) in text]
    assert all("root 'sets'" in text for text in said)
    assert said[0].startswith("a .png file of root 'sets' (5 bytes): expected 5 bytes, found 7")
    assert said[-1].startswith("A folder 2 levels below root 'sets' cannot be read: Permission denied")


def test_one_file_can_be_the_place(local: LocalSource) -> None:
    (file,) = local.list_files(SourceRef(host="local", root="sets", path="busi/a.png"))
    assert (file.name, file.uri) == ("a.png", "root://sets/busi/a.png")


def test_a_link_as_path_does_not_leave_the_root(local: LocalSource, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (folder.parent / "way").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigError, match="leads out of root"):
        local.list_files(SourceRef(host="local", root="sets", path="way"))


def test_a_wrong_path_names_the_root_that_was_searched(local: LocalSource, folder: Path) -> None:
    with pytest.raises(ConfigError, match="--root sets=FOLDER") as caught:
        local.list_files(SourceRef(host="local", root="sets", path="buis"))
    assert str(folder.parent) in str(caught.value)


def test_a_source_without_root_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match="expects `root`"):
        LocalSource(SourceContext(environ={})).list_files(SourceRef(host="local", path="/data"))
