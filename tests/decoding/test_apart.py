"""A decoder in a process of its own: crashes, stops, bombs, early leavers, and who ends with whom."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.decoding.array_files import frames, hdf5
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding import _apart_child, _apart_wire, apart
from ultracurate.decoding.arrays import iter_array, probe_array
from ultracurate.decoding.media import MediaInfo, Reading, Region

STACK = np.random.default_rng(0).integers(0, 255, (5, 40, 50), dtype=np.uint8)
FILE = hdf5({"a": STACK})


@pytest.fixture(autouse=True)
def _no_process_left_over() -> Iterator[None]:
    apart._end_all()
    yield
    apart._end_all()


def child() -> int:
    """The number of the process that waits for work."""
    assert len(apart._idle) == 1
    return apart._idle[0].process.pid


def children() -> set[int]:
    """The decoding processes of this one, also those at work."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            ours = int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid()
            if ours and b"decoding.apart" in (status.parent / "cmdline").read_bytes():
                found.add(int(status.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes through /proc")


def test_one_process_serves_file_after_file() -> None:
    info = probe_array(FILE, "hdf5", Reading(kind="clip", fps=10))
    assert (info.media, info.frames, info.width, info.height, info.fps) == ("clip", 5, 50, 40, 10)
    first = child()
    for _ in range(3):
        assert np.array_equal(np.stack(frames(FILE, "hdf5")), STACK)
    with pytest.raises(RowError, match="expected an array of pictures"):
        probe_array(hdf5({"a": np.arange(9)}), "hdf5")
    with pytest.raises(RowError, match=r"hdf5: could not be decoded \(OSError"):
        probe_array(FILE[:700], "hdf5")
    assert child() == first


def test_frames_come_when_asked_for_and_whoever_leaves_early_leaves_it_free() -> None:
    asked: list[tuple[int, float | None]] = []

    def wanted(index: int, time_s: float | None) -> bool:
        asked.append((index, time_s))
        return index > 1

    got = iter_array(FILE, "hdf5", wanted, Reading(kind="clip", fps=2))
    index, seconds, image = next(got)
    assert (index, seconds) == (2, 1.0)
    assert np.array_equal(image, STACK[2])
    got.close()  # type: ignore[attr-defined]
    assert asked[-1] == (4, 2.0)
    first = child()
    assert len(frames(FILE, "hdf5")) == 5
    assert child() == first


def test_two_files_at_a_time_use_two_processes() -> None:
    pairs = zip(iter_array(FILE, "hdf5", lambda *_: True), iter_array(FILE, "hdf5", lambda *_: True), strict=True)
    for number, (one, two) in enumerate(pairs):
        assert np.array_equal(one[2], STACK[number])
        assert np.array_equal(two[2], STACK[number])
    assert len(apart._idle) == 2


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_a_row_error_and_the_next_file_is_read(number: signal.Signals) -> None:
    def wanted(index: int, time_s: float | None) -> bool:
        if index == 1:
            for process in children():
                os.kill(process, number)
        return True

    with pytest.raises(RowError, match=r"hdf5: reading it .*the process was ended"):
        list(iter_array(FILE, "hdf5", wanted))
    assert apart._idle == []
    assert len(frames(FILE, "hdf5")) == 5


def test_a_process_that_died_while_it_was_idle_is_replaced_without_a_word() -> None:
    probe_array(FILE, "hdf5")
    dead = apart._idle[0].process
    dead.kill()
    dead.wait()
    assert probe_array(FILE, "hdf5").frames == 5
    assert child() != dead.pid


@needs_proc
def test_a_stopped_process_is_ended_after_the_time_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def wanted(index: int, time_s: float | None) -> bool:
        for process in children():
            os.kill(process, signal.SIGSTOP)
        return True

    monkeypatch.setattr(apart, "SECONDS", 1)
    monkeypatch.setattr(apart, "_GRACE_SECONDS", 0)
    with pytest.raises(RowError, match="took too long"):
        list(iter_array(FILE, "hdf5", wanted))
    assert children() == set()


def test_a_file_that_takes_longer_than_allowed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:  # gigabytes of nothing, a few hundred bytes long
        file.create_dataset("a", (40, 5000, 5000), "f8", chunks=(1, 500, 500), fillvalue=0.5)
    monkeypatch.setattr(apart, "SECONDS", 1)
    with pytest.raises(RowError, match="hdf5: reading it took too long; the process was ended"):
        frames(out.getvalue(), "hdf5")


def test_all_answers_about_a_file_have_a_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("a", (400, 2000, 2000), "f8", chunks=(1, 500, 500), fillvalue=0.5)
    monkeypatch.setattr(apart, "FILE_SECONDS", 0)
    with pytest.raises(RowError, match="hdf5: reading it took too long; the process was ended"):
        frames(out.getvalue(), "hdf5")
    assert len(children()) == 0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux bounds the address space")
def test_a_bomb_meets_the_limit_of_memory() -> None:
    """One chunk says one megabyte and unpacks to forty gigabytes."""
    packer = zlib.compressobj(9)
    block = packer.compress(bytes(64 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(64 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        dataset = file.create_dataset("a", (1024, 1024), "u1", chunks=(1024, 1024), compression="gzip")
        dataset.id.write_direct_chunk((0, 0), block + again * 640)
    with pytest.raises(RowError, match=r"^hdf5: "):
        probe_array(out.getvalue(), "hdf5")
    assert np.array_equal(np.stack(frames(FILE, "hdf5")), STACK)


def test_an_error_of_the_caller_ends_the_process_that_waits_for_an_answer() -> None:
    def wanted(index: int, time_s: float | None) -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        list(iter_array(FILE, "hdf5", wanted))
    assert apart._idle == []


def _in_a_daemon(answer: Any) -> None:
    answer.send(probe_array(FILE, "hdf5").frames)


@pytest.mark.slow
def test_it_works_in_a_daemonic_worker() -> None:
    here, there = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_in_a_daemon, args=(there,), daemon=True)
    worker.start()
    assert here.recv() == 5
    worker.join()
    assert worker.exitcode == 0


@needs_proc
@pytest.mark.parametrize("ending", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit()"])
def test_it_ends_with_its_parent(ending: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(FILE)
    code = (
        "import os, sys\nfrom ultracurate.decoding import apart\n"
        f"apart.probe('hdf5', open({str(tmp_path / 'file')!r}, 'rb').read(), 'hdf5')\n"
        f"print(apart._idle[0].process.pid, flush=True)\n{ending}"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    grandchild = Path("/proc") / ended.stdout.strip()
    while grandchild.exists() and grandchild.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.02)


@needs_proc
def test_a_fork_leaves_the_process_to_its_parent() -> None:
    probe_array(FILE, "hdf5")
    mine = child()
    forked = os.fork()
    if not forked:
        os._exit(0 if not apart._idle and probe_array(FILE, "hdf5").frames == 5 and child() != mine else 1)
    assert os.waitpid(forked, 0)[1] == 0
    assert len(frames(FILE, "hdf5")) == 5
    assert child() == mine


@needs_proc
def test_credentials_of_the_environment_and_stray_modules_stay_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAGGLE_KEY", "0123456789")
    probe_array(FILE, "hdf5")
    environment = Path(f"/proc/{child()}/environ").read_bytes()
    assert b"KAGGLE_KEY" not in environment
    assert b"HDF5_PLUGIN_PRELOAD=::" in environment


def test_what_comes_over_the_pipe_is_checked() -> None:
    info = MediaInfo(
        "dicom", "clip", 9, 8, 3, 2, 20.0, 0.1, regions=(Region((0, 0, 9, 8), "2d", "tissue", 0.1),), set_aside="mask"
    )
    kind, body = _apart_wire.unpack(io.BytesIO(_apart_wire.pack_facts(info)).read)
    assert (kind, _apart_wire.unpack_facts(body)) == (_apart_wire.FACTS, info)
    for image in (STACK[0], np.stack([STACK[0]] * 3, axis=2)):
        _, body = _apart_wire.unpack(io.BytesIO(_apart_wire.pack_frame(3, None, image)).read)
        index, seconds, found = _apart_wire.unpack_frame(body, "x")
        assert (index, seconds, np.array_equal(found, image)) == (3, None, True)
    for wrong in (body[:-1], body[:7], body.replace(b"\x28\0\0\0\x32\0\0\0", b"\xff\xff\xff\xff\x32\0\0\0", 1)):
        with pytest.raises(RowError):
            _apart_wire.unpack_frame(wrong, "x")
    with pytest.raises(RowError, match="at most 9 bytes"):
        _apart_wire.unpack(io.BytesIO(_apart_wire.pack(b"X", bytes(10))).read, 9)
    error = _apart_child.raised(json.dumps({"what": "Reading HDF5", "extra": "arrays"}).encode())
    assert isinstance(error, MissingExtraError)
    assert "ultracurate[arrays]" in str(error)
