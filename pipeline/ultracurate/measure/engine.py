"""What the engine costs beyond the stages' own work: per row, per part, and in memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ultracurate.measure import MEASURES, Measurement, Promise

MS_PER_ROW = 1.0
MS_PER_PART = 50.0
GROWTH = 1.15  # peak memory at four times the rows, relative
PART_ROWS = 1000
DATASET_ROWS = 5000


@MEASURES.register("engine")
def measure_engine(quick: bool = False) -> Measurement:
    """Run a pipeline that does nothing: every second is the engine's.

    The cost of a part comes from parts of one row each, that of a row from parts of 1,000. Stages `touch` (row by row)
    and `rank` (global) are both in it, planning and resume included. Each figure is a median of three runs; memory is
    the peak of a process of its own at n/4, n/2 and n rows.
    """
    rows, runs = (10_000, 1) if quick else (100_000, 3)
    wide = [_in_a_process(rows, DATASET_ROWS) for _ in range(runs)]
    narrow = [_in_a_process(100, 1) for _ in range(runs)]
    peaks = {n: _in_a_process(n, DATASET_ROWS)["peak_mb"] for n in (rows // 4, rows // 2)}
    peaks[rows] = statistics.median(run["peak_mb"] for run in wide)
    per_part = statistics.median(run["seconds"]["touch"] / run["parts"]["touch"] for run in narrow)
    per_part_global = statistics.median(run["seconds"]["rank"] / run["parts"]["rank"] for run in narrow)
    per_row = statistics.median((run["seconds"]["touch"] - per_part * run["parts"]["touch"]) / rows for run in wide)
    per_row_global = statistics.median(
        (run["seconds"]["rank"] - per_part_global * run["parts"]["rank"]) / rows for run in wide
    )
    growth = peaks[rows] / peaks[rows // 4]
    figures: dict[str, Any] = {
        "rows": rows,
        "columns": wide[0]["columns"],
        "ms per row, partition stage": per_row * 1000,
        "ms per row, global stage": per_row_global * 1000,
        "ms per part, partition stage": per_part * 1000,
        "ms per part, global stage": per_part_global * 1000,
        "seconds to find everything finished": statistics.median(run["resume"] for run in wide),
        **{f"peak MB at {n:,} rows": peak for n, peak in sorted(peaks.items())},
    }
    must = [
        Promise("ms per row", max(per_row, per_row_global) * 1000, MS_PER_ROW),
        Promise("ms per part", max(per_part, per_part_global) * 1000, MS_PER_PART),
        Promise("peak memory at n rows / at n/4 rows", growth, GROWTH),
    ]
    return Measurement(figures, None, must)


def _in_a_process(rows: int, dataset_rows: int) -> dict[str, Any]:
    """The figures of one run in a fresh process, so that its peak memory is its own."""
    code = f"from ultracurate.measure.engine import run_once; run_once({rows}, {dataset_rows})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_once(rows: int, dataset_rows: int) -> None:
    """One run in this process; writes its figures to standard output as one line of JSON."""
    from ultracurate.core.config import Recipe, parse
    from ultracurate.core.dataset import DatasetManifest
    from ultracurate.core.runner import run
    from ultracurate.core.spec import resolve
    from ultracurate.core.store import Store
    from ultracurate.execution.serial import SerialExecutor
    from ultracurate.measure._rows.stages import PACKAGE

    slugs = [f"d{n:05d}" for n in range(max(1, rows // dataset_rows))]
    known = {slug: parse(DatasetManifest, _manifest(slug), slug) for slug in slugs}
    recipe = {"name": "engine", "datasets": slugs, "stages": {"make": {"rows": min(rows, dataset_rows)}}}
    spec = resolve(parse(Recipe, recipe, "engine"), known, "", PACKAGE)
    with tempfile.TemporaryDirectory(prefix="ultracurate-engine-") as folder:
        watch = _Stopwatch()
        result = run(Store(folder), spec, SerialExecutor(), None, watch)
        began = time.perf_counter()
        run(Store(folder), spec, SerialExecutor())
        figures = {
            "seconds": watch.seconds,
            "parts": {name: len(parts) for name, parts in result.parts.items()},
            "columns": len(watch.columns),
            "resume": time.perf_counter() - began,
            "peak_mb": _peak_mb(),
        }
    sys.stdout.write(json.dumps(figures) + "\n")


def _peak_mb() -> float:
    """Peak memory of this process, MB.

    From /proc where there is one: `ru_maxrss` of a new process starts with the memory of the one that forked it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _manifest(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "title": slug,
        "licence": {"id": "CC0-1.0", "evidence": "made here"},
        "access": "open",
        "sources": [{"host": "local", "root": "none", "path": slug}],
    }


class _Stopwatch:
    """Wall seconds of each stage, planning included: from the end of one stage to the end of the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.columns: list[str] = []
        self._last = time.perf_counter()

    def stage_started(self, stage: Any, total: int, todo: int) -> None:
        """Not needed."""

    def part_done(self, stage: Any, outcome: Any) -> None:
        """Not needed."""

    def stage_done(self, stage: Any, parts: Any, published: str) -> None:
        """Note the time since the last stage ended."""
        now = time.perf_counter()
        self.seconds[stage.name], self._last = now - self._last, now
        self.columns += [field.name for field in stage.adds]
