"""A run that is killed again and again ends with the same bytes, and no finished part is computed twice."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.lab import encode, picture

DATASETS, PICTURES = 8, 72


def build(
    home: Path, datasets: int = DATASETS, pictures: int = PICTURES, strip: Mapping[str, Any] | None = None
) -> Path:
    """Several small datasets, their manifests and a recipe; `strip` are the settings of that stage."""
    (home / "manifests").mkdir(parents=True)
    slugs = [f"ward_{n}" for n in range(datasets)]
    for n, slug in enumerate(slugs):
        (home / "data" / slug).mkdir(parents=True)
        for k in range(pictures):
            image = picture(1000 * n + k, side=192).copy()
            image[8:12, 20 : 60 + k] = 255  # something to strip
            (home / "data" / slug / f"{k:03d}.png").write_bytes(encode(image))
        manifest = {
            "slug": slug,
            "title": slug,
            "licence": {"id": "restricted", "evidence": "made for this test"},
            "access": "manual",
            "sources": [{"host": "local", "root": "lab", "path": slug}],
        }
        (home / "manifests" / f"{slug}.yaml").write_text(yaml.safe_dump(manifest))
    recipe = {
        "name": "lab",
        "datasets": slugs,
        "manifests": ["manifests"],
        "roots": {"lab": "data"},
        "stages": {
            "index": {"keep_foreign": True},  # blotches are no ultrasound
            "strip": dict(strip or {"ocr": False}),
            "shard.plan": {"samples": 40},
        },
    }
    (home / "lab.yaml").write_text(yaml.safe_dump(recipe))
    return home / "lab.yaml"


def start(recipe: Path, work: Path, workers: int) -> subprocess.Popen[bytes]:
    """The real command, in a process group of its own so that its workers die with it."""
    command = [sys.executable, "-m", "ultracurate", "run", "all", "--recipe", str(recipe), "--work", str(work)]
    command += ["--workers", str(workers)] if workers else []
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def finish(recipe: Path, work: Path, workers: int = 0) -> None:
    process = start(recipe, work, workers)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err.decode()


def shards(work: Path) -> dict[str, str]:
    """Digest of every published file."""
    folder = work / "shards" / "lab"
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def computed_twice(work: Path) -> list[str]:
    """Parts that were started although an earlier event says that they were committed."""
    events = []
    for path in sorted((work / "logs").rglob("*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                continue  # the line that the killed process was writing
    parts = [e for e in events if e["event"] in ("part_started", "part_committed")]
    assert any(e["event"] == "part_committed" for e in parts)
    committed: dict[str, str] = {}
    twice = []
    for e in sorted(parts, key=lambda e: (e["time"], e["event"] == "part_started")):
        name = f"{e['stage']}/{e['part']}"
        if e["event"] == "part_committed":
            committed.setdefault(name, e["time"])
        elif name in committed:
            twice.append(name)
    return twice


def kill_until(recipe: Path, work: Path, kills: int, rng: random.Random) -> tuple[int, int]:
    """Start and kill with changing numbers of workers; the kills done, and runs that ended before their kill."""
    done, ended = 0, 0
    while done < kills:
        workers = rng.choice([0, 1, 2, 3])
        process = start(recipe, work, workers)
        # Wait until it computes, then let it go on for a random moment: a kill at start-up would prove nothing.
        deadline = time.monotonic() + (6.0 if workers else 2.0) + rng.uniform(0.0, 1.5)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            done += 1
        else:
            ended += 1
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), err.decode()
        if ended > 3:
            break
    return done, ended


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_three_kills_with_changing_workers(tmp_path: Path) -> None:
    recipe = build(tmp_path, datasets=4, pictures=48)
    finish(recipe, tmp_path / "calm")
    kill_until(recipe, tmp_path / "stormy", 3, random.Random(7))
    finish(recipe, tmp_path / "stormy", workers=2)
    assert shards(tmp_path / "stormy") == shards(tmp_path / "calm")
    assert computed_twice(tmp_path / "stormy") == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_over_one_run(tmp_path: Path) -> None:
    recipe = build(tmp_path, datasets=24, pictures=96)
    finish(recipe, tmp_path / "calm")
    kills, ended = kill_until(recipe, tmp_path / "stormy", 20, random.Random(2026))
    assert kills == 20, f"the run ended before all kills were done: {kills} kills, {ended} runs ended"
    finish(recipe, tmp_path / "stormy", workers=3)
    assert shards(tmp_path / "stormy") == shards(tmp_path / "calm")
    assert computed_twice(tmp_path / "stormy") == []


def test_the_check_would_see_a_part_computed_twice(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "run" / "host-1.jsonl"
    log.parent.mkdir(parents=True)
    events = [("part_started", "1"), ("part_committed", "2"), ("part_started", "3")]
    log.write_text(
        "".join(json.dumps({"event": e, "time": t, "stage": "strip", "part": "x"}) + "\n" for e, t in events)
    )
    assert computed_twice(tmp_path) == ["strip/x"]
