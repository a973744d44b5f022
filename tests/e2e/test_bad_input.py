"""Whatever is thrown at it: bad files cost themselves and say why, good files beside them reach the shards."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
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


def the_error(lab: Lab, stage: str = "index") -> dict[str, Any]:
    """The one error row of the run, which is that stage's; the good files are in the shards."""
    result = lab.run()
    assert result.error_rows == 1
    (row,) = lab.rows(stage, "errors")
    return dict(row)


# Single files


@pytest.mark.parametrize("fmt", ["PNG", "JPEG"])
def test_truncated_picture(lab: Lab, fmt: str) -> None:
    data = encode(picture(9), fmt)
    name = {"PNG": "bad.png", "JPEG": "bad.jpg"}[fmt]
    lab.add(name, data[: len(data) // 2])
    row = the_error(lab)
    assert row["exception"] == "RowError"
    assert "could not be decoded" in row["message"]
    assert "truncated" in row["message"]
    assert row["message"].startswith({"PNG": "png:", "JPEG": "jpg:"}[fmt])
    assert lab.paths_in_shards() == GOOD


def test_error_row_names_the_file_it_is_about(lab: Lab) -> None:
    lab.add("bad.png", b"")
    row = the_error(lab)
    (file,) = (f for f in lab.rows("download") if f["file_name"] == "bad.png")
    assert (row["sample_id"], row["dataset"], row["attempt"]) == (file["file_id"], "lab", 1)


def test_zero_bytes(lab: Lab) -> None:
    lab.add("bad.png", b"")
    row = the_error(lab)
    assert "found an empty file (0 bytes)" in row["message"]
    assert "Fetch it again" in row["message"]
    assert lab.paths_in_shards() == GOOD


def test_text_named_png(lab: Lab) -> None:
    lab.add("bad.png", b"Case 17: no image was taken.\n" * 40)
    row = the_error(lab)
    assert "Expected png" in row["message"]
    assert "found other content" in row["message"]
    assert "Check the file" in row["message"]
    assert lab.paths_in_shards() == GOOD


@pytest.mark.parametrize(("name", "fmt"), [("png_inside.jpg", "PNG"), ("jpg_inside.png", "JPEG")])
def test_wrong_picture_ending_simply_works(lab: Lab, name: str, fmt: str) -> None:
    lab.add(name, encode(picture(9), fmt))
    assert lab.run().error_rows == 0
    assert lab.paths_in_shards() == sorted([*GOOD, name])


def test_huge_png_is_refused_before_it_is_decoded(lab: Lab) -> None:
    lab.add("bad.png", png_of_zeros(30_000))
    lab.run(last="download")
    tracemalloc.start()
    row = the_error(lab)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "found 30000 x 30000" in row["message"]
    assert "expected at most" in row["message"]
    assert "not decoded" in row["message"]
    assert peak < 200 * 2**20, "decoded, it would be 900 MB"
    assert lab.paths_in_shards() == GOOD


def png_of_zeros(side: int) -> bytes:
    """A valid grey PNG of any size: header and compressed zeros, without the picture in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    squeeze = zlib.compressobj(9)
    lines = b"\0" * (side + 1) * 100
    body = b"".join(squeeze.compress(lines) for _ in range(side // 100)) + squeeze.flush()
    header = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


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


# Archives


def test_truncated_zip_keeps_nothing_but_says_so(lab: Lab) -> None:
    data = pack_zip({f"m{n}.png": png(20 + n) for n in range(4)})
    lab.add("bad.zip", data[: len(data) * 2 // 3])
    row = the_error(lab)
    assert "bad.zip" in row["message"]
    assert "damaged or truncated zip archive" in row["message"]
    assert "fetch the file again" in row["message"]
    assert lab.paths_in_shards() == GOOD


@pytest.mark.parametrize("compress", [False, True], ids=["tar", "tar.gz"])
def test_truncated_tar_keeps_the_members_before_the_damage(lab: Lab, compress: bool) -> None:
    data = pack_tar({f"m{n}.png": png(20 + n) for n in range(4)}, compress=compress)
    name = "bad.tar.gz" if compress else "bad.tar"
    lab.add(name, data[: len(data) * 2 // 3])
    row = the_error(lab)
    assert "truncated" in row["message"]
    assert "again" in row["message"]
    assert lab.paths_in_shards()[:2] == [f"{name}/m0.png", f"{name}/m1.png"]
    assert set(GOOD) < set(lab.paths_in_shards())


@pytest.mark.parametrize("name", ["bad.zip", "bad.tar.gz", "BAD.TGZ"])
def test_web_page_instead_of_an_archive_is_an_error(lab: Lab, name: str) -> None:
    lab.add(name, b"<!doctype html><title>Please log in</title>")
    row = the_error(lab)
    assert "Expected an archive" in row["message"]
    assert "found other content" in row["message"]
    assert lab.paths_in_shards() == GOOD


def test_one_damaged_member_costs_itself(lab: Lab) -> None:
    members = {"m0.png": png(20), "m1.png": png(21), "m2.png": png(22)}
    data = bytearray(pack_zip(members))
    at = data.find(members["m1.png"]) + 200
    data[at] ^= 0xFF
    lab.add("half.zip", bytes(data))
    row = the_error(lab)
    assert "half.zip" in row["message"]
    assert lab.paths_in_shards() == [*GOOD, "half.zip/m0.png", "half.zip/m2.png"]


def test_hostile_zip(lab: Lab, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("../escape.png", "/etc/escape.png", "a/../../escape.png", "C:/escape.png", "..\\escape.png"):
            archive.writestr(name, png(30))
        link = zipfile.ZipInfo("link.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inside.png", png(31))
    lab.add("hostile.zip", buffer.getvalue())
    assert lab.run().error_rows == 0
    rejects = [row for row in lab.rows("index", "rejects") if row["reason"] == "unsafe_member"]
    found = sorted(row["detail"] for row in rejects)
    assert found == sorted(
        ["an absolute path"] * 2 + ["a path that leaves the archive ('..')"] * 3 + ["a symbolic link"]
    )
    assert lab.paths_in_shards() == [*GOOD, "hostile.zip/inside.png"]
    assert not list(tmp_path.rglob("escape*")), "nothing is ever unpacked"


def test_hostile_tar(lab: Lab, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        kinds = {"soft.png": tarfile.SYMTYPE, "hard.png": tarfile.LNKTYPE, "null.png": tarfile.CHRTYPE}
        for name, kind in {**kinds, "disk.png": tarfile.BLKTYPE, "pipe.png": tarfile.FIFOTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("../escape.png", "/escape.png", "inside.png"):
            data = png(31)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    lab.add("hostile.tar", buffer.getvalue())
    assert lab.run().error_rows == 0
    found = sorted(row["detail"] for row in lab.rows("index", "rejects"))
    assert found == sorted(
        ["a symbolic link", "a hard link", *["a device or another special file"] * 3]
        + ["a path that leaves the archive ('..')", "an absolute path"]
    )
    assert lab.paths_in_shards() == [*GOOD, "hostile.tar/inside.png"]
    assert not list(tmp_path.rglob("escape*"))


def test_zip_bomb_is_refused_unopened(lab: Lab) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("bomb.png", "w") as member:
            for _ in range(64):
                member.write(bytes(2**20))
        archive.writestr("inside.png", png(31))
    lab.add("bomb.zip", bomb.getvalue())
    tracemalloc.start()
    lab.run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (row,) = (row for row in lab.rows("index", "rejects") if row["reason"] == "unsafe_member")
    assert row["detail"] == "a compression ratio above 200"
    assert peak < 48 * 2**20, "the 64 MiB were unpacked"
    assert lab.paths_in_shards() == [*GOOD, "bomb.zip/inside.png"]


def test_zip_that_declares_less_than_it_holds_gives_no_more_than_declared(lab: Lab) -> None:
    """The header says 8 bytes, the stream holds 64 MiB: neither reading nor the later range read may inflate it."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb.png", bytes(64 * 2**20))
    data = bytearray(bomb.getvalue())
    size = (64 * 2**20).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (8).to_bytes(4, "little")
    lab.add("liar.zip", bytes(data))
    tracemalloc.start()
    row = the_error(lab)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "liar.zip" in row["message"]
    assert peak < 48 * 2**20
    assert lab.paths_in_shards() == GOOD


def test_archives_in_archives_are_not_followed(lab: Lab) -> None:
    data = pack_zip({"deep.png": png(31)})
    for depth in range(30):
        data = pack_zip({f"level_{depth}.zip": data})
    lab.add("nested.zip", data)
    assert lab.run().error_rows == 0
    (row,) = lab.rows("index", "rejects")
    assert (row["reason"], row["detail"]) == ("no_layout_rule", "zip")
    assert lab.paths_in_shards() == GOOD


def test_tar_gz_bomb_is_an_error_row(lab: Lab) -> None:
    lab.add("bomb.tar.gz", pack_tar({"bomb.png": bytes(64 * 2**20)}))
    row = the_error(lab)
    assert "bomb.tar.gz" in row["message"]
    assert "compression ratio above 200" in row["message"]
    assert lab.paths_in_shards() == GOOD


# Files that change under a run


def test_file_changed_after_indexing(lab: Lab) -> None:
    lab.run(last="frames")
    lab.add("good_1.png", png(77))
    row = the_error(lab, "strip")
    assert "expected sha256" in row["message"]
    assert "found" in row["message"]
    assert "restore it, or run again from download" in row["message"]
    assert lab.paths_in_shards() == ["good_0.png", "good_2.png"]


def test_file_gone_after_indexing_and_restored_for_retry(lab: Lab) -> None:
    lab.run(last="frames")
    kept = lab.data / "good_1.png"
    data = kept.read_bytes()
    kept.unlink()
    row = the_error(lab, "strip")
    assert row["exception"] in ("FileNotFoundError", "RowError")
    assert lab.paths_in_shards() == ["good_0.png", "good_2.png"]
    kept.write_bytes(data)
    assert lab.run(retry="all").error_rows == 0
    assert lab.paths_in_shards() == GOOD


def test_file_gone_between_listing_and_download(lab: Lab) -> None:
    lab.run(last="discover")
    (lab.data / "good_1.png").unlink()
    row = the_error(lab, "download")
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
    lab.run(last="download")
    (lab.data / "set.zip").unlink()
    row = the_error(lab)
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


@pytest.fixture
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run of the three good pictures publishes when nothing happens to it."""
    quiet = Lab(tmp_path_factory.mktemp("undisturbed"))
    quiet.good(3)
    quiet.run()
    return quiet.published()


@pytest.mark.parametrize("size", ["28k", "128k", "248k", "308k"])
def test_full_disk(lab: Lab, undisturbed: dict[str, bytes], size: str) -> None:
    with small_disk(lab.work, size):
        ended = lab.cli("run", "all")
        assert ended.code == 4
        assert "The disk is full" in ended.err
        assert "run the same command again" in ended.err
        assert "Traceback" not in ended.err
        finished = {path for path in lab.work.rglob("part-*.parquet")}
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


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("after", [5, 25])
def test_write_errors_without_a_mount(lab: Lab, undisturbed: dict[str, bytes], code: int, after: int) -> None:
    with mock.patch("os.fsync", failing(os.fsync, code, after)):
        ended = lab.cli("run", "all")
    assert ended.code == 4
    assert os.strerror(code) in ended.err
    assert "finished parts are kept, run the same command again" in ended.err
    assert "Traceback" not in ended.err
    done = lab.cli("status", "--json").json["stages"]
    assert any(stage["complete"] for stage in done) == (after > 5)
    assert lab.cli("run", "all").code == 0
    assert lab.published() == undisturbed


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
