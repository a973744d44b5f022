"""HDF5 in a process of its own: crashes, stops, bombs and early leavers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.decoding.array_files import frames, hdf5
from ultracurate.core.child import Child, _idle, end_idle
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._arrays import apart, wire
from ultracurate.decoding.arrays import iter_array, probe_array
from ultracurate.decoding.media import MediaInfo, Reading, Region

STACK = np.random.default_rng(0).integers(0, 255, (5, 40, 50), dtype=np.uint8)
FILE = hdf5({"a": STACK})


@pytest.fixture(autouse=True)
def _no_process_left_over() -> Iterator[None]:
    end_idle()
    yield
    end_idle()


def idle() -> list[Child]:
    """The processes that wait for work."""
    return _idle.get(apart.MODULE, [])


def child() -> int:
    """The number of the only one."""
    (process,) = idle()
    return process.process.pid


def children() -> set[int]:
    """The decoding processes of this one, also those at work."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            ours = int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid()
            if ours and b"hdf5_child" in (status.parent / "cmdline").read_bytes():
                found.add(int(status.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes through /proc")


def test_one_process_serves_file_after_file() -> None:
    info = probe_array(FILE, "hdf5", Reading(kind="clip", fps=10))
    assert (info.media, info.frames, info.width, info.height, info.fps) == ("clip", 5, 50, 40, 10)
    first = child()
    for _ in range(3):
        assert np.array_equal(np.stack(frames(FILE, "hdf5")), STACK)
    assert child() == first


def test_after_a_bad_file_the_next_one_gets_a_new_process() -> None:
    probe_array(FILE, "hdf5")
    first = child()
    with pytest.raises(RowError, match="expected an array of pictures"):
        probe_array(hdf5({"a": np.arange(9)}), "hdf5")
    assert not idle()
    with pytest.raises(RowError, match=r"hdf5: could not be decoded \(OSError"):
        probe_array(FILE[:700], "hdf5")
    assert np.array_equal(np.stack(frames(FILE, "hdf5")), STACK)
    assert child() != first


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
    assert len(idle()) == 2


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
    assert idle() == []
    assert len(frames(FILE, "hdf5")) == 5


@needs_proc
def test_a_stopped_process_is_ended_after_the_time_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def wanted(index: int, time_s: float | None) -> bool:
        for process in children():
            os.kill(process, signal.SIGSTOP)
        monkeypatch.setattr("ultracurate.core.child.PATIENCE", (0.5, 0.0))
        return True

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
        file.create_dataset("a", (200, 2000, 2000), "f8", chunks=(1, 500, 500), fillvalue=0.5)
    monkeypatch.setattr(apart, "FILE_SECONDS", 0.2)
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
    assert idle() == []


@needs_proc
def test_plug_ins_and_credentials_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "0123456789")
    monkeypatch.setenv("HDF5_PLUGIN_PATH", "/tmp")
    probe_array(FILE, "hdf5")
    environment = Path(f"/proc/{child()}/environ").read_bytes()
    assert b"KAGGLE_KEY" not in environment
    assert b"HDF5_PLUGIN_PATH" not in environment
    assert b"HDF5_PLUGIN_PRELOAD=::" in environment
    open_files = {str(link.readlink()) for link in Path(f"/proc/{child()}/fd").iterdir()}
    assert all(name == "/dev/null" or name.startswith("pipe:") for name in open_files)


@needs_proc
def test_a_file_is_forgotten_when_it_was_read() -> None:
    large = hdf5({"a": np.zeros((1, 8000, 8000), np.uint8)})
    assert probe_array(large, "hdf5").width == 8000
    small = held()
    frames(large, "hdf5")
    next(iter_array(large, "hdf5", lambda *_: True))
    assert held() < small + (32 << 20) < small + len(large)


def held() -> int:
    """Bytes that the waiting process has in memory."""
    lines = Path(f"/proc/{child()}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))


def test_what_comes_over_the_pipe_is_checked() -> None:
    info = MediaInfo(
        "dicom", "clip", 9, 8, 3, 2, 20.0, 0.1, regions=(Region((0, 0, 9, 8), "2d", "tissue", 0.1),), set_aside="mask"
    )
    assert wire.unpack_facts(wire.pack_facts(info)) == info
    for image in (STACK[0], np.stack([STACK[0]] * 3, axis=2)):
        body = b"".join(wire.pack_frame(3, None, image))
        index, seconds, found = wire.unpack_frame(body, "x")
        assert (index, seconds, np.array_equal(found, image)) == (3, None, True)
    for wrong in (body[:-1], body[:7], body.replace(b"\x28\0\0\0\x32\0\0\0", b"\xff\xff\xff\xff\x32\0\0\0", 1)):
        with pytest.raises(RowError):
            wire.unpack_frame(wrong, "x")
    error = apart._raised(json.dumps({"what": "Reading HDF5", "extra": "arrays"}).encode())
    assert isinstance(error, MissingExtraError)
    assert "ultracurate[arrays]" in str(error)
