"""A process of its own: what it may do, and what becomes of it and of its parent in every kind of trouble."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ultracurate.core import child
from ultracurate.core.child import Child, ChildError, bare_environment, borrowed, end_idle

SERVANT = """
import os, signal, sys, time
from ultracurate.core.child_side import Parent, confine, limit_memory

def spin():
    while True:
        pass

parent = Parent()
confine()
for kind, body in parent.requests():
    if kind == b"E":
        parent.answer(b"E", body, b"!")
    elif kind == b"A":
        parent.answer(b"A", b"+".join(parent.ask(bytes([n])) for n in body))
    elif kind == b"C":
        spin()
    elif kind == b"S":
        time.sleep(3600)
    elif kind == b"K":
        os.kill(os.getpid(), int(body))
    elif kind == b"Q":
        os._exit(int(body))
    elif kind == b"B":
        parent.answer(b"B", bytes(int(body)))
    elif kind == b"O":
        print("noise")
        os.write(1, b"more noise")
        tried = []
        for what in (lambda: open("/etc/passwd"), lambda: open("x", "w"), os.pipe, lambda: bytearray(1 << 40)):
            try:
                what()
                tried.append("done")
            except (OSError, MemoryError) as exc:
                tried.append(type(exc).__name__)
        parent.answer(b"O", " ".join(tried).encode())
    elif kind == b"M":
        limit_memory(int(body) if body else None)
        try:
            size = len(bytearray(600 << 20))
        except MemoryError:
            size = 0
        parent.answer(b"M", str(size).encode())
"""


@pytest.fixture(autouse=True)
def servant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "servant.py").write_text(SERVANT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "lib"), *sys.path[1:]]))
    end_idle()
    yield
    end_idle()


def ask(kind: bytes, body: bytes = b"", seconds: float = 10) -> bytes:
    with borrowed("servant") as process:
        return process.ask(kind, body, seconds=seconds)[1]


def number() -> int:
    (process,) = child._idle["servant"]
    return process.process.pid


def test_it_answers_asks_back_and_is_used_again() -> None:
    assert ask(b"E", b"one") == b"one!"
    first = number()
    with borrowed("servant") as process:
        assert process.used
        assert process.ask(b"E", b"t", b"w", b"o", seconds=1) == (b"E", b"two!")
        assert process.ask(b"A", b"\x01\x02\x03", seconds=1, back=lambda n: b"<%d>" % n[0])[1] == b"<1>+<2>+<3>"
        assert process.ask(b"B", b"50000000", seconds=9, most=50_000_000)[1] == bytes(50_000_000)
        with borrowed("servant") as other:
            assert other.process.pid != first
    assert len(child._idle["servant"]) == 2


def test_it_opens_no_file_and_what_it_prints_goes_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask(b"O") == b"OSError OSError OSError MemoryError"
    assert list(tmp_path.iterdir()) == [tmp_path / "lib"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux bounds the address space")
def test_its_memory_is_bounded_while_it_works() -> None:
    assert ask(b"M", str(300 << 20).encode()) == b"0"
    assert ask(b"M") == str(600 << 20).encode()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")
def test_it_inherits_no_credentials_and_no_stray_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAGGLE_KEY", "0123456789")
    monkeypatch.setenv("HF_TOKEN", "0123456789")
    process = Child("servant", {"LC_ALL": "C.UTF-8"})
    assert process.ask(b"E", seconds=1) == (b"E", b"!")
    environment = Path(f"/proc/{process.process.pid}/environ").read_bytes()
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0")}
    process.end()
    assert names - {b"", b"LC_ALL"} == {name.encode() for name in bare_environment()}
    assert b"PATH" in names
    assert not {b"KAGGLE_KEY", b"HF_TOKEN"} & names


@pytest.mark.parametrize("status", [signal.SIGSEGV, signal.SIGABRT, 3, 0])
def test_a_crash_is_an_error_and_the_next_one_is_new(status: int) -> None:
    ask(b"E")
    first = number()
    with pytest.raises(ChildError, match="crashed the library"):
        ask(b"K" if isinstance(status, signal.Signals) else b"Q", str(int(status)).encode())
    assert not child._idle["servant"]
    assert ask(b"E") == b"!"
    assert number() != first


def test_one_that_is_killed_from_outside_may_have_been_short_of_memory() -> None:
    ask(b"E")
    with pytest.raises(ChildError, match="short of memory"):
        ask(b"K", b"9")


def test_endless_computing_ends_after_the_seconds_allowed_and_waiting_for_the_parent_is_none() -> None:
    ask(b"E")
    process = child._idle["servant"][0].process
    with pytest.raises(ChildError, match="took too long"):
        ask(b"C", seconds=0.05)
    assert process.returncode == -signal.SIGPROF
    with borrowed("servant") as patient:

        def back(asked: bytes) -> bytes:
            begun = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            while resource.getrusage(resource.RUSAGE_SELF).ru_utime - begun < 0.3:
                pass
            return asked

        assert patient.ask(b"A", b"a", seconds=0.2, back=back)[1] == b"a"
        assert 0 <= patient.spent < 0.2


def test_one_that_sleeps_or_was_stopped_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, body in ((b"S", b""), (b"E", bytes(1 << 22))):  # also when its pipe is full
        ask(b"E")
        if kind == b"E":
            os.kill(number(), signal.SIGSTOP)
        with monkeypatch.context() as impatient:
            impatient.setattr(child, "PATIENCE", (0.2, 0.0))
            with pytest.raises(ChildError, match="took too long"):
                ask(kind, body)


def test_more_than_expected_is_not_read() -> None:
    with pytest.raises(ChildError, match="gave 20000000 bytes where at most 16777216"):
        ask(b"B", b"20000000")
    assert ask(b"B", b"16") == bytes(16)


def test_an_error_of_the_caller_passes_and_ends_the_one_that_waits() -> None:
    def back(asked: bytes) -> bytes:
        raise LookupError

    with pytest.raises(LookupError), borrowed("servant") as process:
        process.ask(b"A", b"a", seconds=1, back=back)
    assert process.process.returncode is not None
    assert not child._idle["servant"]


def test_one_that_died_while_it_was_idle_is_replaced_without_a_word() -> None:
    ask(b"E")
    dead = child._idle["servant"][0].process
    dead.kill()
    dead.wait()
    assert ask(b"E") == b"!"
    assert number() != dead.pid


def test_one_that_cannot_start_says_so() -> None:
    with pytest.raises(ChildError, match="did not start"), borrowed("no_such_module") as process:
        process.ask(b"E", seconds=1)
    assert process.process.returncode == 1


def test_an_interrupt_of_the_run_is_the_parents_affair() -> None:
    ask(b"E")
    os.kill(number(), signal.SIGINT)
    assert ask(b"E") == b"!"


def _in_a_daemon(answer: Any) -> None:
    answer.send(ask(b"E"))
    end_idle()


@pytest.mark.slow
def test_it_works_in_a_daemonic_worker() -> None:
    here, there = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_in_a_daemon, args=(there,), daemon=True)
    worker.start()
    assert here.recv() == b"!"
    worker.join()
    assert worker.exitcode == 0


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes through /proc")


@needs_proc
@pytest.mark.parametrize("ending", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit()"])
def test_it_ends_with_its_parent(ending: str) -> None:
    code = (
        "import os, sys\nfrom ultracurate.core import child\n"
        "with child.borrowed('servant') as process: process.ask(b'E', seconds=1)\n"
        f"print(process.process.pid, flush=True)\n{ending}"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    grandchild = Path("/proc") / ended.stdout.strip()
    while grandchild.exists() and grandchild.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.02)


@needs_proc
def test_a_fork_leaves_it_to_its_parent() -> None:
    ask(b"E")
    mine = number()
    forked = os.fork()
    if not forked:
        os._exit(0 if not child._idle["servant"] and ask(b"E") == b"!" and number() != mine else 1)
    assert os.waitpid(forked, 0)[1] == 0
    assert ask(b"E") == b"!"
    assert number() == mine
