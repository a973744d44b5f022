"""Gives case numbers to child processes, notices when one dies or falls silent, keeps what was found for replay."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from tests.fuzz.child import SECONDS

GRACE = 30
"""Seconds beyond the child's own alarms: one case makes several calls, and the machine may be busy."""
KEEP = 3
"""Files that are kept of one and the same finding."""
FRESH = 1000
"""Cases after which a child is replaced."""
CALLS = 8
"""Calls that one case makes at most, each with an alarm of its own."""


@dataclass
class Report:
    """What one run came to; `slowest` is processor seconds, entry and case, `peak` bytes of one call."""

    cases: int = 0
    answers: int = 0
    errors: int = 0
    contained: int = 0
    slowest: tuple[float, str, int] = (0.0, "", -1)
    peak: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)

    def counted(self) -> Counter[str]:
        """Findings by entry, kind and what happened."""
        return Counter(f"{one['entry']}: {one['kind']}: {one['what']}" for one in self.findings)


class Child:
    """One child process and its pipes."""

    def __init__(self, run_seed: int, samples: Path | None, module: str) -> None:
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        root = Path(__file__).resolve().parents[2]
        settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child", str(run_seed), str(samples or ""), module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=os.environ | settings,
            cwd=root,
            start_new_session=True,
            text=True,
        )
        if self.line(300) != "ready":
            raise RuntimeError(f"the fuzzing child did not start: {self.end()}")

    def line(self, seconds: float) -> str | None:
        """The next line, or None when it died or said nothing for so long."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        return self.process.stdout.readline().strip() or None

    def ask(self, case: int) -> dict[str, Any] | None:
        """The answer to one case; None: it died or hangs."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{case}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.line(SECONDS * CALLS + GRACE)
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def end(self) -> str:
        """Kill it with all its own children; the last that it said on its error stream."""
        if self.log.closed:  # ended before
            return ""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.log.seek(0)
        said = self.log.read()[-4000:].decode("utf-8", "replace")
        self.log.close()
        return said


def fuzz(
    run_seed: int,
    *,
    seconds: float | None = None,
    numbers: range | list[int] | None = None,
    samples: Path | None = None,
    keep: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
    module: str = "tests.fuzz.cases",
) -> Report:
    """Run the cases of a module until the time is over or the numbers are through; findings go to `keep`."""
    cases = import_module(module).Cases(run_seed, samples)
    report, seen = Report(), Counter[str]()
    child = Child(run_seed, samples, module)
    stop = time.monotonic() + seconds if seconds else None
    case = -1
    try:
        todo = iter(numbers) if numbers is not None else iter(range(1 << 60))
        for case in todo:
            if stop and time.monotonic() > stop:
                break
            answer = child.ask(case)
            if answer is None:
                said = child.end()
                hangs = child.process.returncode == 1 and "Timeout (" in said
                kind, what = ("hang", "in C code") if hangs else ("crash", _name(child.process.returncode))
                number, _ = cases.make(case)
                entry = f"{cases.seeds[number].family} {cases.seeds[number].kind}"
                answer = {"found": [{"entry": entry, "kind": kind, "what": what, "trace": said}], "seed": number}
                child = Child(run_seed, samples, module)
            elif any("MemoryError" in one["what"] for one in answer["found"]) or report.cases % FRESH == FRESH - 1:
                child.end()  # what it still holds must not be blamed on the cases that follow
                child = Child(run_seed, samples, module)
            report.cases += 1
            report.answers += answer.get("answer", 0)
            report.errors += answer.get("error", 0)
            report.contained += answer.get("contained", 0)
            report.slowest = max(report.slowest, (*answer.get("slowest", (0.0, "")), case))
            report.peak = max(report.peak, answer.get("peak", 0))
            for one in answer["found"]:
                _note(one | {"case": case, "run_seed": run_seed}, answer["seed"], cases, report, seen, keep, tell)
    finally:
        child.end()
    return report


def _name(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def _note(
    one: dict[str, Any],
    number: int,
    cases: Any,
    report: Report,
    seen: Counter[str],
    keep: Path | None,
    tell: Callable[[str], None],
) -> None:
    report.findings.append(one)
    key = f"{one['entry']}: {one['kind']}: {one['what']}"
    seen[key] += 1
    if seen[key] > KEEP:
        return
    tell(f"case {one['case']}: {key}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        name = f"{one['entry'].replace(' ', '-')}-{one['kind']}-{one['run_seed']}-{one['case']}".replace("/", "_")
        (keep / f"{name}.json").write_text(json.dumps(one | {"name": cases.seeds[number].name}, indent=1))
        (keep / f"{name}.bin").write_bytes(cases.make(one["case"])[1])
