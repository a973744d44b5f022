"""What decoding costs: screens through index and frames, clips beside ffmpeg, and the memory of one worker."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.measure.engine import _peak_mb, _Stopwatch

IMAGES_PER_SECOND = 25.0
"""Screens of 800 x 600 through index and frames, looked at, on one core."""
RATIO = 1.0
"""Our seconds over ffmpeg's, both with two processes of one thread."""
PEAK_MB = 1500.0
"""Of one worker."""
FFMPEG_MISSING = "ffmpeg not installed"


@dataclass(frozen=True)
class Load:
    """How much of everything; no comparison begins a round that it would end after `patience` seconds."""

    screens: int
    clips: int
    seconds: float
    slices: int
    rounds: int
    patience: float


FULL = Load(screens=150, clips=4, seconds=5.0, slices=200, rounds=3, patience=60.0)
"""Two to three minutes on two idle cores, most of them for drawing 1080p clips and decoding them."""
QUICK = Load(screens=24, clips=2, seconds=2.0, slices=40, rounds=1, patience=20.0)


@MEASURES.register("decode")
def measure_decode(quick: bool = False) -> Measurement:
    """Decode, look at and digest pictures and clips as a run does, and say where the time goes.

    Images per second are those of one core: pictures over the processor seconds of a process that does nothing else
    (wall seconds beside them), without what each process pays once for its imports and weights, which has a figure of
    its own. Clips: our frames stage on two workers against ffmpeg's `fps=3` filter writing PNG,
    two processes of one thread each, in turns; ours also looks at each frame it takes. Medians over the rounds;
    memory is the peak of a process of its own that runs everything up to frames, the planning included.
    """
    load = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="ultracurate-decode-") as name:
        return _measure(Path(name), load)


def _measure(folder: Path, load: Load) -> Measurement:
    from ultracurate.measure._decode_corpora import write_clips, write_screens, write_volume

    write_screens(folder, load.screens)
    clips = write_clips(folder, load.clips, load.seconds)
    write_volume(folder, load.slices)
    figures: dict[str, Any] = {"screens": load.screens, "clips": load.clips, "seconds of each clip": load.seconds}
    must: list[Promise] = []
    peaks = {}
    for place in ("loose", "zipped"):
        runs = [_in_a_process(folder, [place]) for _ in _rounds(load)]
        assert all(run["frames"] == load.screens for run in runs), "every screen is a frame in the end"
        rate = statistics.median(load.screens / run["cpu"] for run in runs)
        figures[f"{place} screens: images/s of one core"] = rate
        figures[f"{place} screens: images/s by the wall"] = statistics.median(
            load.screens / run["wall"] for run in runs
        )
        figures[f"{place} screens: rounds"] = len(runs)
        figures["seconds that a process pays once"] = statistics.median(run["once"] for run in runs)
        must.append(Promise(f"{place} screens: seconds of one core per image", 1 / rate, 1 / IMAGES_PER_SECOND))
        peaks[f"{place} screens"] = max(run["peak_mb"] for run in runs)
        steps = _in_a_process(folder, [place], profile=True)
        for step, seconds in steps["steps"].items():
            figures[f"{place} screens: {step}, ms per image"] = 1000 * seconds / load.screens
    for name, datasets in (("clips", ["clips_0", "clips_1"]), ("volume", ["volume"])):
        peaks[name] = _in_a_process(folder, datasets)["peak_mb"]
    figures |= {f"peak MB of a worker, {name}": peak for name, peak in peaks.items()}
    must.append(Promise("peak MB of a worker", max(peaks.values()), PEAK_MB))
    beside = _beside_ffmpeg(folder, clips, load)
    figures |= beside
    if (ratio := beside.get("clips: ours / ffmpeg")) is not None:
        must.append(Promise("clips: ours / ffmpeg", ratio, RATIO))
    return Measurement(figures, "ffmpeg -vf fps=3, two processes of one thread" if ratio else FFMPEG_MISSING, must)


def _rounds(load: Load) -> Iterator[int]:
    """Numbers of the rounds: one at least, and no more than there is patience for."""
    began = time.perf_counter()
    for number in range(load.rounds):
        if number and (time.perf_counter() - began) * (number + 1) / number > load.patience:
            return
        yield number


def _beside_ffmpeg(folder: Path, clips: Sequence[Path], load: Load) -> dict[str, Any]:
    """Seconds of our frames stage and of ffmpeg over the same clips, in turns."""
    there = shutil.which("ffmpeg") is not None
    rounds: list[dict[str, float]] = []
    taken: dict[str, int] = {}
    for _ in _rounds(load):
        run = _in_a_process(folder, ["clips_0", "clips_1"], workers=2)
        one, taken["ours"] = {"ours": run["stages"]["frames"]}, run["frames"]
        if there:
            one["ffmpeg"], taken["ffmpeg"] = _ffmpeg(clips, at_once=2, threads="1")
        rounds.append(one)
    found: dict[str, Any] = {
        f"clips: {name}, seconds": statistics.median(one[name] for one in rounds) for name in rounds[0]
    }
    found |= {f"clips: frames that {name} took": count for name, count in taken.items()}
    found["clips: rounds"] = len(rounds)
    if not there:
        return found | {"clips: baseline": FFMPEG_MISSING}
    found["clips: ffmpeg, all threads, one clip after the other, seconds"], _ = _ffmpeg(clips, at_once=1, threads="0")
    # Each round is one comparison: what else the machine did in it touched both.
    return found | {"clips: ours / ffmpeg": statistics.median(one["ours"] / one["ffmpeg"] for one in rounds)}


def _ffmpeg(clips: Sequence[Path], at_once: int, threads: str) -> tuple[float, int]:
    """Wall seconds in which ffmpeg takes three frames a second out of all clips and writes them as PNG; how many."""

    def take(job: tuple[Path, Path]) -> int:
        clip, out = job
        out.mkdir()
        asked = ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", threads, "-i", str(clip)]
        subprocess.run([*asked, "-vf", "fps=3", "-threads", threads, str(out / "%04d.png")], check=True)
        return len(list(out.iterdir()))

    with tempfile.TemporaryDirectory(prefix="ultracurate-ffmpeg-") as folder, ThreadPoolExecutor(at_once) as pool:
        began = time.perf_counter()
        frames = sum(pool.map(take, [(clip, Path(folder) / clip.stem) for clip in clips]))
        return time.perf_counter() - began, frames


def _in_a_process(folder: Path, datasets: list[str], profile: bool = False, workers: int = 0) -> dict[str, Any]:
    """One run up to frames in a fresh process; serial unless there are workers."""
    code = "from ultracurate.measure.decode import run_once; run_once()"
    task = {"folder": str(folder), "datasets": datasets, "profile": profile, "workers": workers}
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(task), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _warm(folder: Path) -> float:
    """Processor seconds of a process's first picture beyond those of its second: imports, weights, the net."""
    from ultracurate.stages._sample import describe

    spent, png = [], next((folder / "loose").rglob("*.png")).read_bytes()
    for _ in range(2):
        began = time.process_time()
        describe(png, "a.png", None, keep_foreign=False)
        spent.append(time.process_time() - began)
    return spent[0] - spent[1]


def run_once() -> None:
    """One run in this process: the task comes as JSON on standard input, the figures leave as a line."""
    from contextlib import nullcontext

    from ultracurate.core.executor import Executor
    from ultracurate.core.runner import run
    from ultracurate.core.store import Store
    from ultracurate.execution.dask import DaskExecutor
    from ultracurate.execution.serial import SerialExecutor
    from ultracurate.measure._decode_corpora import spec_of
    from ultracurate.measure._decode_steps import watched

    task = json.load(sys.stdin)
    folder = Path(task["folder"])
    spec = spec_of(folder, *task["datasets"])
    executor: Executor = DaskExecutor(task["workers"]) if task["workers"] else SerialExecutor()
    with tempfile.TemporaryDirectory(prefix="work-", dir=folder) as work:
        run(Store(work), spec, executor, "download")  # reading and digesting what is on the disk is not decoding
        once = 0.0 if task["workers"] else _warm(folder)
        watch = _Stopwatch()
        with watched() if task["profile"] else nullcontext() as clock:
            began, processor = time.perf_counter(), time.process_time()
            result = run(Store(work), spec, executor, "frames", watch)
            wall, cpu = time.perf_counter() - began, time.process_time() - processor
        figures: dict[str, Any] = {
            "once": once,
            "wall": wall,
            "cpu": cpu,
            "stages": watch.seconds,
            "frames": sum(part.rows for part in result.parts["frames"]),
            "errors": result.error_rows,
            "peak_mb": _peak_mb(),
        }
        if clock is not None:
            spent = dict(clock.seconds)
            figures["steps"] = spent | {"rest": cpu - sum(spent.values())}
        sys.stdout.write(json.dumps(figures) + "\n")
    executor.close()
