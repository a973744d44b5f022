"""The process in which hostile bytes are decoded: bounded memory, an alarm, and a watch on what it writes."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from ultracurate.core.errors import MissingExtraError, RowError

MEMORY = 2 << 30
"""Bytes of address space besides what the libraries take before the first case."""
SECONDS = 30
SLOW = 10.0
"""Processor seconds of one call on some kilobytes that are worth a look."""
PEAK = 1 << 30
"""Bytes that one case may take above what the process held before it."""
LONGEST = 800
"""Characters of an error: it must not quote the file."""

FORBIDDEN = frozenset(
    ["socket.connect", "os.system", "os.exec", "os.symlink", "os.link", "os.rename", "pickle.find_class"]
)
"""What no file may make us do, by the names of Python's audit events."""
PYTHON = Path(sys.executable).resolve()
"""The only program that may be started: decoders that need a process of their own run in it."""


class Late(BaseException):
    """The alarm; no `except Exception` may swallow it."""


def main() -> None:
    """Answer one line of JSON for each case number on standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    faulthandler.enable()
    run_seed, samples, module = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    cases = import_module(module).Cases(run_seed, Path(samples) if samples else None)
    warm_up(cases)
    room = MEMORY + _status("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _late)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        Path(folder, "tmp").mkdir()
        os.chdir(folder)
        tempfile.tempdir = str(Path(folder, "tmp"))
        os.environ["TMPDIR"] = os.environ["HOME"] = tempfile.tempdir
        written: list[str] = []
        sys.addaudithook(lambda event, args: _watch(event, args, folder, written))
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_case(cases, int(line), Path(folder), written)), file=answers, flush=True)


def warm_up(cases: Any) -> None:
    """Import what is needed and start what is kept, before memory is bounded."""
    done = set()
    for number, seed in enumerate(cases.seeds):
        if (seed.family, seed.kind) not in done:
            done.add((seed.family, seed.kind))
            for _, call in cases.calls(number, seed.data):
                with contextlib.suppress(RowError, MissingExtraError):
                    call()


def _late(*_: object) -> None:
    raise Late


def _watch(event: str, args: tuple[Any, ...], folder: str, written: list[str]) -> None:
    """Note every file that is made or changed anywhere but in the temporary folder, and every connection."""
    if event == "open":
        path, mode, flags = args
        if isinstance(path, int) or not (flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        place = os.path.realpath(os.fsdecode(path))
        if not place.startswith((f"{folder}/tmp/", "/dev/", "/proc/")):
            written.append(f"{event} {mode}")
    elif event in FORBIDDEN or (event == "subprocess.Popen" and Path(str(args[0])).resolve() != PYTHON):
        written.append(event)


def _case(cases: Any, case: int, folder: Path, written: list[str]) -> dict[str, Any]:
    number, data = cases.make(case)
    found: list[dict[str, Any]] = []
    counts = {"answer": 0, "error": 0}
    contained = 0
    slowest, highest = (0.0, ""), 0
    for name, call in cases.calls(number, data, case):
        before = memory_peak(reset=True)
        began, processor = time.perf_counter(), time.process_time()
        problem: dict[str, Any] | None = None
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        faulthandler.dump_traceback_later(SECONDS + 5, exit=True)  # C code that never looks at signals
        try:
            call()
            counts["answer"] += 1
        except (RowError, MissingExtraError) as exc:
            counts["error"] += 1
            contained += "crashed the library" in str(exc)
            if len(str(exc)) > LONGEST:
                problem = _problem("wordy", exc)
        except Late as exc:
            problem = _problem("hang", exc)
        except BaseException as exc:
            problem = _problem("foreign", exc)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
        spent = time.process_time() - processor
        slowest = max(slowest, (spent, name))
        if problem is None and spent > SLOW:
            problem = {"kind": "slow", "what": f"{spent:.1f} s"}
        peak = memory_peak() - before
        highest = max(highest, peak)
        if problem is None and peak > PEAK:
            problem = {"kind": "memory", "what": f"{peak >> 20} MiB"}
        if left := [path for path in (*folder.iterdir(), *(folder / "tmp").iterdir()) if path != folder / "tmp"]:
            written += [f"left {re.sub(r'[0-9a-z_]{6,}', '*', path.name)}" for path in left]
            for path in left:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if written:
            problem = problem or {"kind": "written", "what": ", ".join(sorted(set(written)))}
            written.clear()
        if problem:
            found.append(problem | {"entry": name, "seconds": round(time.perf_counter() - began, 2)})
    return {
        "case": case,
        "seed": number,
        "found": found,
        "contained": contained,
        "slowest": slowest,
        "peak": highest,
    } | counts


def _problem(kind: str, exc: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [frame for frame in frames if "/ultracurate/" in frame.filename] or frames[-1:]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
    what = f"{type(exc).__name__} in {place}"
    return {"kind": kind, "what": what, "trace": "".join(traceback.format_exception(exc, limit=-14))[-6000:]}


def memory_peak(reset: bool = False) -> int:
    """Bytes that this process held at once since the last reset; 0 where the system does not say."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return _status("VmHWM")


def _status(name: str) -> int:
    """One line of /proc/self/status in bytes; 0 where the system has none."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:")), 0)


if __name__ == "__main__":
    main()
