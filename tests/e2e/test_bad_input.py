"""Whatever is thrown at it: bad files cost themselves and say why, good files beside them reach the shards."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import resource
import shutil
import subprocess
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.e2e.lab import Lab, call, encode, picture, png
from ultracurate.core import log
from ultracurate.core.errors import ConfigError, StorageError
from ultracurate.phantom.packing import pack_tar, pack_zip

GOOD = ["good_0.png", "good_1.png", "good_2.png"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A dataset of three good pictures."""
    made = Lab(tmp_path)
    made.good(3)
    yield made
    log.open_log(None, "")


def the_error(lab: Lab, stage: str = "index", then: tuple[str, Callable[[], object]] | None = None) -> dict[str, Any]:
    """The one error row of the run, which is that stage's; the good files are in the shards."""
    result = lab.run(then=then)
    assert result.error_rows == 1
    (row,) = lab.rows(stage, "errors")
    return dict(row)


class Zoo:
    """One run over every kind of bad file at once, and what became of each."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        before = peak_memory()
        self.result = lab.run()
        self.memory = peak_memory() - before
        self.files = {row["file_id"]: row["file_name"] for row in lab.rows("download")}
        self.errors = lab.rows("index", "errors")
        self.rejects = lab.rows("index", "rejects")
        self.paths = lab.paths_in_shards()

    def messages(self, name: str) -> list[str]:
        """What the error rows of a file say; each names file, dataset and attempt."""
        rows = [row for row in self.errors if self.files[row["parent_id"]] == name]
        assert {(row["dataset"], row["attempt"], row["exception"]) for row in rows} == {("lab", 1, "RowError")}
        return sorted(row["message"] for row in rows)

    def reasons(self, name: str) -> list[tuple[str, str]]:
        """Reason and detail of the rejects of a file."""
        rows = [row for row in self.rejects if self.files[row["parent_id"]] == name]
        return sorted((row["reason"], row["detail"]) for row in rows)

    def kept(self, name: str) -> list[str]:
        """What of a file reached the shards."""
        return [path for path in self.paths if path == name or path.startswith(f"{name}/")]


def peak_memory() -> int:
    """Bytes that this process ever held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Every bad file beside three good ones, in one dataset."""
    lab = Lab(tmp_path_factory.mktemp("zoo"))
    lab.good(3)
    picture_png, picture_jpg = encode(picture(9)), encode(picture(10), "JPEG")
    lab.add("truncated.png", picture_png[: len(picture_png) // 2])
    lab.add("truncated.jpg", picture_jpg[: len(picture_jpg) // 2])
    lab.add("empty.png", b"")
    lab.add("text.png", b"Case 17: no image was taken.\n" * 40)
    lab.add("png_inside.jpg", encode(picture(11)))
    lab.add("jpg_inside.png", encode(picture(12), "JPEG"))
    lab.add("huge.png", png_of_zeros(30_000))
    for name, pack, seed in (
        ("truncated.zip", pack_zip, 20),
        ("truncated.tar", partial(pack_tar, compress=False), 30),
        ("truncated.tar.gz", pack_tar, 40),
    ):
        data = pack({f"m{n}.png": png(seed + n) for n in range(4)})
        lab.add(name, data[: len(data) * 2 // 3])
    for name in ("page.zip", "page.tar.gz", "PAGE.TGZ"):
        lab.add(name, b"<!doctype html><title>Please log in</title>")
    lab.add("half.zip", damaged_zip({f"m{n}.png": png(70 + n) for n in range(3)}, "m1.png"))
    lab.add("hostile.zip", hostile_zip())
    lab.add("hostile.tar", hostile_tar())
    lab.add("bomb.tar.gz", pack_tar({"bomb.png": bytes(64 * 2**20)}))
    nested = pack_zip({"deep.png": png(50)})
    for depth in range(30):
        nested = pack_zip({f"level_{depth}.zip": nested})
    lab.add("nested.zip", nested)
    found = Zoo(lab)
    log.open_log(None, "")
    return found


def png_of_zeros(side: int) -> bytes:
    """A valid grey PNG of any size: header and compressed zeros, without the picture in memory or time."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    lines = 300
    squeeze = zlib.compressobj(9, wbits=-15)
    # After a full flush the state is that of the beginning, so the same bytes stand for the next lines.
    block = squeeze.compress(b"\0" * (side + 1) * lines) + squeeze.flush(zlib.Z_FULL_FLUSH)
    adler = (side * (side + 1) % 65521 << 16) + 1
    body = b"\x78\xda" + block * (side // lines) + squeeze.flush() + adler.to_bytes(4, "big")
    header = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def damaged_zip(members: dict[str, bytes], hit: str) -> bytes:
    """A zip in which one byte of one stored member is flipped."""
    data = bytearray(pack_zip(members))
    data[data.find(members[hit]) + 200] ^= 0xFF
    return bytes(data)


def hostile_zip() -> bytes:
    """Members that climb out, absolute ones, one for another system, a link, and a good one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("../escape.png", "/etc/escape.png", "a/../../escape.png", "C:/escape.png", "..\\escape.png"):
            archive.writestr(name, png(60))
        link = zipfile.ZipInfo("link.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inside.png", png(61))
    return buffer.getvalue()


def hostile_tar() -> bytes:
    """Links, devices and a pipe, members that climb out, and a good one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        kinds = {"soft.png": tarfile.SYMTYPE, "hard.png": tarfile.LNKTYPE, "null.png": tarfile.CHRTYPE}
        for name, kind in {**kinds, "disk.png": tarfile.BLKTYPE, "pipe.png": tarfile.FIFOTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("../escape.png", "/escape.png", "inside.png"):
            info = tarfile.TarInfo(name)
            info.size = len(png(62))
            archive.addfile(info, io.BytesIO(png(62)))
    return buffer.getvalue()


# Single files


def test_good_files_among_bad_ones_reach_the_shards(zoo: Zoo) -> None:
    assert set(GOOD) < set(zoo.paths)
    assert zoo.result.error_rows == len(zoo.errors) > 10


@pytest.mark.parametrize("fmt", ["png", "jpg"])
def test_truncated_picture(zoo: Zoo, fmt: str) -> None:
    (message,) = zoo.messages(f"truncated.{fmt}")
    assert message.startswith(f"{fmt}: could not be decoded")
    assert "truncated" in message


def test_zero_bytes(zoo: Zoo) -> None:
    (message,) = zoo.messages("empty.png")
    assert "Expected a picture, found an empty file (0 bytes)" in message
    assert "Fetch it again" in message


def test_text_named_png(zoo: Zoo) -> None:
    (message,) = zoo.messages("text.png")
    assert "Expected png, as the file's name says, found other content" in message
    assert "Check the file" in message


@pytest.mark.parametrize("name", ["png_inside.jpg", "jpg_inside.png"])
def test_wrong_picture_ending_simply_works(zoo: Zoo, name: str) -> None:
    assert zoo.kept(name) == [name]


def test_huge_png_is_refused_before_it_is_decoded(zoo: Zoo) -> None:
    (message,) = zoo.messages("huge.png")
    assert "30000 x 30000" in message or "900000000 pixels" in message
    assert "limit" in message or "at most" in message
    assert zoo.memory < 500 * 2**20, "decoded, it would be 900 MB"


# Archives


def test_truncated_zip_keeps_nothing_but_says_so(zoo: Zoo) -> None:
    (message,) = zoo.messages("truncated.zip")
    assert message.startswith("'archive.zip': damaged or truncated zip archive"), "no name of a file in messages"
    assert "fetch the file again" in message
    assert zoo.kept("truncated.zip") == []


@pytest.mark.parametrize("name", ["truncated.tar", "truncated.tar.gz"])
def test_truncated_tar_keeps_the_members_before_the_damage(zoo: Zoo, name: str) -> None:
    messages = zoo.messages(name)
    assert all("truncated" in message for message in messages)
    assert any("again" in message for message in messages)
    assert zoo.kept(name)[:2] == [f"{name}/m0.png", f"{name}/m1.png"]
    assert f"{name}/m3.png" not in zoo.kept(name)


@pytest.mark.parametrize("name", ["page.zip", "page.tar.gz", "PAGE.TGZ"])
def test_web_page_instead_of_an_archive_is_an_error(zoo: Zoo, name: str) -> None:
    (message,) = zoo.messages(name)
    assert "Expected an archive, as the file's name says, found other content" in message
    assert "Fetch it again" in message


def test_one_damaged_member_costs_itself(zoo: Zoo) -> None:
    (message,) = zoo.messages("half.zip")
    assert "damaged or truncated zip archive" in message
    assert zoo.kept("half.zip") == ["half.zip/m0.png", "half.zip/m2.png"]


def test_hostile_zip(zoo: Zoo) -> None:
    details = ["a path that leaves the archive ('..')"] * 3 + ["a symbolic link"] + ["an absolute path"] * 2
    assert zoo.reasons("hostile.zip") == [("unsafe_member", detail) for detail in details]
    assert zoo.kept("hostile.zip") == ["hostile.zip/inside.png"]


def test_hostile_tar(zoo: Zoo) -> None:
    details = ["a device or another special file"] * 3
    details += ["a hard link", "a path that leaves the archive ('..')", "a symbolic link", "an absolute path"]
    assert zoo.reasons("hostile.tar") == [("unsafe_member", detail) for detail in details]
    assert zoo.kept("hostile.tar") == ["hostile.tar/inside.png"]


def test_nothing_is_ever_unpacked(zoo: Zoo) -> None:
    assert not [path for path in zoo.lab.home.parent.rglob("*") if path.name in ("escape.png", "inside.png")]


def test_archives_in_archives_are_followed_to_a_depth(zoo: Zoo) -> None:
    assert zoo.reasons("nested.zip") == [("unsafe_member", "an archive in archives, deeper than 3")]


def test_tar_gz_bomb_is_an_error_row(zoo: Zoo) -> None:
    assert any("compression ratio above 200" in message for message in zoo.messages("bomb.tar.gz"))
    assert zoo.kept("bomb.tar.gz") == []


def index_peak(lab: Lab) -> int:
    """Bytes of Python memory that index needed at most."""
    tracemalloc.start()
    try:
        lab.run(last="index")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_zip_bomb_is_refused_unopened(lab: Lab) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(64 * 2**20))
        archive.writestr("inside.png", png(31))
    lab.add("bomb.zip", bomb.getvalue())
    assert index_peak(lab) < 48 * 2**20, "the 64 MiB were unpacked"
    (row,) = lab.rows("index", "rejects")
    assert (row["reason"], row["detail"]) == ("unsafe_member", "a compression ratio above 200")
    assert len(lab.rows("index")) == 4


def test_zip_that_declares_less_than_it_holds_gives_no_more_than_declared(lab: Lab) -> None:
    """The header says 8 bytes, the stream holds 64 MiB: it must not be inflated to find out."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(64 * 2**20))
    data = bytearray(bomb.getvalue())
    size = (64 * 2**20).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (8).to_bytes(4, "little")
    lab.add("liar.zip", bytes(data))
    assert index_peak(lab) < 48 * 2**20
    (row,) = lab.rows("index", "errors")
    assert "damaged or truncated zip archive" in row["message"]
    assert len(lab.rows("index")) == 3


# Links in the folder


def test_links_out_of_the_folder_are_rejected(lab: Lab, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(50))
    (lab.data / "link.png").symlink_to(secret)
    (lab.data / "nowhere.png").symlink_to(tmp_path / "absent.png")
    (lab.data / "up").symlink_to(tmp_path)
    os.mkfifo(lab.data / "pipe.png")
    assert lab.run().error_rows == 0
    rejects = lab.rows("discover", "rejects")
    assert {row["reason"] for row in rejects} == {"refused_file"}
    assert len(rejects) == 4
    assert any("leads out of the root folder" in row["detail"] for row in rejects)
    assert lab.paths_in_shards() == GOOD


# Files that change under a run


def test_file_changed_after_indexing(lab: Lab) -> None:
    row = the_error(lab, "strip", ("frames", lambda: lab.add("good_1.png", png(77))))
    assert "expected sha256" in row["message"]
    assert "found" in row["message"]
    assert "restore it, or run again from download" in row["message"]
    assert lab.paths_in_shards() == ["good_0.png", "good_2.png"]


def test_file_gone_after_indexing_and_restored_for_retry(lab: Lab) -> None:
    kept = lab.data / "good_1.png"
    data = kept.read_bytes()
    row = the_error(lab, "strip", ("frames", kept.unlink))
    assert row["exception"] in ("FileNotFoundError", "RowError")
    kept.write_bytes(data)
    assert lab.paths_in_shards() == ["good_0.png", "good_2.png"]
    assert lab.run(retry="all").error_rows == 0
    assert lab.paths_in_shards() == GOOD


def test_file_gone_between_listing_and_download(lab: Lab) -> None:
    row = the_error(lab, "download", ("discover", (lab.data / "good_1.png").unlink))
    assert "was listed and is gone" in row["message"]
    assert "Restore it, or run discover again" in row["message"]
    assert lab.paths_in_shards() == ["good_0.png", "good_2.png"]


def test_archive_gone_before_its_tables_were_looked_for(lab: Lab) -> None:
    """The search for joined tables runs before the rows do; a lost file must not end the whole run there."""
    lab.add("set.zip", pack_zip({"a.png": png(31)}))
    lab.add("list.csv", b"file,patient\ngood_0,P1\ngood_1,P2\ngood_2,P3\n")
    lab.describe(
        layout=[{"match": "{file}.png", "kind": "image"}, {"match": "list.csv", "kind": "table"}],
        tables=[{"file": "list.csv", "key": "file", "on": "{file}", "columns": ["patient"]}],
        group="{patient}",
    )
    row = the_error(lab, then=("download", (lab.data / "set.zip").unlink))
    assert row["exception"] in ("FileNotFoundError", "RowError")
    assert lab.paths_in_shards() == GOOD


# Recipes, manifests, settings


def refused(lab: Lab, *args: str) -> str:
    """What the command line says when it ends with exit code 2 before anything ran."""
    ended = lab.cli("run", "all", *args)
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert not lab.work.exists(), "nothing was run"
    return " ".join(ended.err.split())


def test_unknown_key_in_a_recipe(lab: Lab) -> None:
    lab.recipe(root={"lab": "data"})
    text = refused(lab)
    assert "lab.yaml is not valid" in text
    assert "root: unknown key. Did you mean 'roots'?" in text


def test_unknown_stage_and_setting(lab: Lab) -> None:
    assert "Did you mean 'fps'?" in refused(lab, "--set", "frames.fsp=2")
    assert "Did you mean 'frames'?" in refused(lab, "--set", "frame.fps=2")
    assert "frames" in refused(lab, "--set", "frames.fps=many")
    assert "expected key=value" in refused(lab, "--set", "frames.fps")


def test_bad_licence_in_a_manifest(lab: Lab) -> None:
    path = lab.describe(licence={"id": "CC-BY-4", "evidence": "the page"})
    text = refused(lab)
    assert str(path) in text
    assert "licence.id" in text
    assert "CC-BY-4" in text
    assert "CC-BY-4.0" in text, "what was meant"


def test_unknown_dataset(lab: Lab) -> None:
    lab.recipe(datasets=["lab", "phantom_brest"])
    text = refused(lab)
    assert "names dataset 'phantom_brest', which has no manifest" in text
    assert "phantom_breast" in text


def test_missing_root_folder(lab: Lab) -> None:
    shutil.rmtree(lab.data)
    ended = lab.cli("run", "all")
    assert ended.code == 2
    assert "expects root 'lab'" in ended.err
    assert str(lab.data) in ended.err
    assert "--root lab=FOLDER" in ended.err
    assert "Traceback" not in ended.err


def test_root_without_a_place(lab: Lab) -> None:
    lab.recipe(roots={})
    ended = lab.cli("run", "all")
    assert ended.code == 2
    assert "--root lab=FOLDER" in ended.err
    lab.recipe(roots={})
    assert lab.cli("run", "all", "--root", f"lab={lab.data}").code == 0


def test_missing_tesseract_ends_the_run_once(lab: Lab, tmp_path: Path) -> None:
    lab.recipe(stages={})
    with mock.patch.dict("os.environ", {"PATH": str(tmp_path)}):
        ended = lab.cli("run", "all", "--set", "strip.method=seed")
    assert ended.code == 2
    assert "expected the program 'tesseract'" in ended.err
    assert "Install it" in ended.err
    assert "Traceback" not in ended.err
    assert not list((lab.work / "strip").rglob("errors-*"))


def test_missing_pytesseract_ends_the_run_once(lab: Lab) -> None:
    with mock.patch.dict("sys.modules", {"pytesseract": None}):
        ended = lab.cli("run", "all", "--set", "strip.method=seed")
    assert ended.code == 2
    assert "pip install 'ultracurate[ocr]'" in ended.err
    assert "strip.ocr=false" in ended.err
    assert not list((lab.work / "strip").rglob("errors-*"))


def test_missing_decoder_costs_only_the_members_that_need_it(lab: Lab) -> None:
    dicom = bytes(128) + b"DICM" + bytes(400)
    lab.add("mixed.zip", pack_zip({"a.dcm": dicom, "b.png": png(31)}))
    with mock.patch.dict("sys.modules", {"pydicom": None}):
        row = the_error(lab)
    assert row["exception"] == "MissingExtraError"
    assert "pip install 'ultracurate[dicom]'" in row["message"]
    assert lab.paths_in_shards() == [*GOOD, "mixed.zip/b.png"]


# The work directory


def test_work_directory_is_a_file(lab: Lab) -> None:
    lab.work.write_bytes(b"not a folder")
    for command in (["run", "all"], ["plan"], ["status"]):
        ended = lab.cli(*command)
        assert ended.code == 4, command
        assert "expected a folder, found a file" in ended.err
    assert lab.work.read_bytes() == b"not a folder"
    with pytest.raises(StorageError):
        lab.run()


def test_work_directory_below_a_file(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    lab.work = tmp_path / "file" / "work"
    ended = lab.cli("run", "all")
    assert ended.code == 4
    assert str(lab.work) in ended.err
    assert "Traceback" not in ended.err


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of its own under `folder`; the test is skipped where mounting is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        log.open_log(None, "")
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    log.open_log(None, "")
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run of the three good pictures publishes when nothing happens to it."""
    quiet = Lab(tmp_path_factory.mktemp("undisturbed"))
    quiet.good(3)
    quiet.run()
    return quiet.published()


@pytest.mark.parametrize("size", ["28k", "128k", "308k"])
def test_full_disk(lab: Lab, undisturbed: dict[str, bytes], size: str) -> None:
    with small_disk(lab.work, size):
        ended = lab.cli("run", "all")
        assert ended.code == 4
        assert "The disk is full" in ended.err
        assert "run the same command again" in ended.err
        assert "Traceback" not in ended.err
        finished = set(lab.work.rglob("part-*.parquet"))
        remount(lab.work, "size=8m")
        again = lab.cli("run", "all")
        assert again.code == 0, again.err
        assert lab.published() == undisturbed
        assert finished <= set(lab.work.rglob("part-*.parquet"))
        assert not list((lab.work / "tmp").iterdir()), "unfinished files are cleaned up"


def test_read_only_disk(lab: Lab, undisturbed: dict[str, bytes]) -> None:
    with small_disk(lab.work, "8m"):
        lab.run(last="frames")
        remount(lab.work, "ro")
        ended = lab.cli("run", "all")
        assert ended.code == 4
        assert "ead-only file system" in ended.err
        assert "Traceback" not in ended.err
        assert lab.cli("status").code == 0
        assert lab.cli("plan").code == 0
        remount(lab.work, "rw")
        assert lab.cli("run", "all").code == 0
        assert lab.published() == undisturbed


def failing(real: Callable[..., Any], code: int, after: int) -> Callable[..., Any]:
    """`real`, which fails with this errno from its call number `after` on."""
    calls = iter(range(1_000_000))

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) >= after:
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    return call


@pytest.mark.parametrize(("code", "after"), [(errno.ENOSPC, 2), (errno.EDQUOT, 25), (errno.EROFS, 45)])
def test_write_errors_without_a_mount(lab: Lab, undisturbed: dict[str, bytes], code: int, after: int) -> None:
    with mock.patch("os.fsync", failing(os.fsync, code, after)):
        ended = lab.cli("run", "all")
    assert ended.code == 4
    assert os.strerror(code) in ended.err
    assert "finished parts are kept, run the same command again" in ended.err
    assert "Traceback" not in ended.err
    done = lab.cli("status", "--json").json["stages"]
    assert any(stage["complete"] for stage in done) == (after > 2)
    assert lab.cli("run", "all").code == 0
    assert lab.published() == undisturbed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_log_that_cannot_be_written_is_no_traceback(lab: Lab) -> None:
    real = logging.FileHandler

    def full(*args: object, **options: object) -> logging.FileHandler:
        return real("/dev/full")

    with mock.patch("logging.FileHandler", full):
        ended = lab.cli("run", "index")
    log.open_log(None, "")
    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_full_disk_while_publishing(lab: Lab, undisturbed: dict[str, bytes]) -> None:
    """Where hard links are not possible the tars are copied, outside of any part."""
    no_links = mock.patch.object(Path, "hardlink_to", side_effect=OSError(errno.EPERM, "no links here"))
    full = mock.patch("shutil.copyfile", side_effect=OSError(errno.ENOSPC, "No space left on device"))
    with no_links, full:
        ended = lab.cli("run", "all")
    assert ended.code == 4
    assert "The disk is full" in ended.err
    assert "Traceback" not in ended.err
    assert lab.cli("run", "all").code == 0
    assert lab.published() == undisturbed


def test_unwritable_demo_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ended = call("demo", "--work", str(tmp_path / "file"))
    assert ended.code == 4
    assert "Choose another --work" in ended.err


def test_library_use_raises_the_same_errors(lab: Lab) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'fps'"):
        lab.run("frames.fsp=2")
