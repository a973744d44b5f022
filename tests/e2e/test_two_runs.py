"""Two runs over one work directory: a file comes once, and a killed run's bytes are gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

SIZE = 6 << 20
RECORD = HostRecord(
    "zenodo", "77", "Fetal ultrasound", files=(HostFile("a.bin", Blob(SIZE, 1)), HostFile("b.bin", Blob(SIZE, 2)))
)


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[tuple[Path, LocalHosts]]:
    manifest = {
        "title": "Two files",
        "licence": {"id": "CC0-1.0"},
        "access": "open",
        "sources": [{"host": "zenodo", "record": "77"}],
    }
    with LocalHosts([RECORD], Faults(drip=4 << 20, only="/content")) as server:
        data = {
            "name": "two",
            "datasets": [{"slug": "two_files", "manifest": manifest}],
            "hosts": {"zenodo": server.hosts["zenodo"]},
            "limits": {"*": 0.0},
        }
        path = tmp_path / "two.yaml"
        path.write_text(json.dumps(data))
        yield path, server


def start(recipe: Path) -> subprocess.Popen[str]:
    work = recipe.parent / "work"
    words = [sys.executable, "-m", "ultracurate", "run", "download", "-r", str(recipe), "-w", str(work), "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def asked(server: LocalHosts) -> list[str]:
    """Which files were asked for, and from which byte on."""
    seen = [r for r in server.requests if r.path.endswith("/content")]
    return sorted(f"{r.path.split('/')[-2]} {r.headers.get('range', 'bytes=0-')}" for r in seen)


@pytest.mark.cluster
def test_two_runs_bring_each_file_once(recipe: tuple[Path, LocalHosts]) -> None:
    path, server = recipe
    runs = [start(path), start(path)]
    for run in runs:
        _, said = run.communicate(timeout=90)
        assert run.returncode == 0, said
    assert asked(server) == ["a.bin bytes=0-", "b.bin bytes=0-"]


@pytest.mark.cluster
def test_a_killed_run_is_gone_on_with_by_the_next(recipe: tuple[Path, LocalHosts]) -> None:
    path, server = recipe
    first = start(path)
    parts = path.parent / "work" / "tmp" / "downloads"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if parts.is_dir() and sum(part.stat().st_size for part in parts.glob("*.part")) > 2 << 20:
            break
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    here = sum(part.stat().st_size for part in parts.glob("*.part"))
    server.faults = Faults()
    before = len(asked(server))
    second = start(path)
    _, said = second.communicate(timeout=90)
    assert second.returncode == 0, said
    later = asked(server)[before:] if before < len(asked(server)) else []
    assert here > 2 << 20
    assert later
    assert any("bytes=0-" not in line for line in asked(server)), "no file was gone on with"
    assert not list(parts.glob("*.part*"))
