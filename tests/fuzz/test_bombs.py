"""Bombs end as error rows or rejects: nothing of them is kept, and no memory is lost to them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.bombs import BOMBS

MOST = 700 << 20
"""Bytes that a bomb may take above what the process held before; the largest legal picture takes 600 MB."""

MOST_TOLD = 2_100
"""Errors and rejects of one bomb: 2,000 members of a zip are told one by one up to 1,000, and each may fail."""


def explode(*names: str) -> list[dict[str, Any]]:
    """Each bomb through index and frames in one process of their own."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.bombs", *names], capture_output=True, text=True, cwd=root, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_own_row_and_nothing_else(name: str) -> None:
    (answer,) = explode(name)
    judge(answer)


@pytest.fixture(scope="module")
def quick() -> dict[str, dict[str, Any]]:
    names = ["header.png", "wide.tif", "wide.bmp", "wide.j2k", "wide.webp", "frames.dcm", "wide.dcm", "sparse.h5"]
    names += ["short.npy", "overlapping.zip", "long.tfrecord", "wide.mkv", "long.mp4"]
    return {answer["name"]: answer for answer in explode(*names)}


def test_the_quick_ones(quick: dict[str, dict[str, Any]]) -> None:
    for answer in quick.values():
        judge(answer)


def judge(answer: dict[str, Any]) -> None:
    """Nothing kept, at least one reason, bounded memory, no file left behind; the seconds are only told."""
    print(f"{answer['name']}: {answer['seconds']:.2f} s, {answer['peak'] >> 20} MiB")  # noqa: T201
    assert answer["rows"] == 0
    assert answer["lost"], "it vanished without a word"
    assert all(reason and "MemoryError" not in said for reason, said in answer["lost"])
    assert all(reason[0].islower() or reason in ("RowError", "MissingExtraError") for reason, _ in answer["lost"])
    assert answer["told"] <= MOST_TOLD, "a small file must not fill the tables"
    assert answer["peak"] < MOST
    assert not answer["left"]
