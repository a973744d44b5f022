"""Strip as a run does it: the same bytes on Dask as in one process, after kill -9, and after a retry."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.test_kill import build, computed_twice, finish, shards, start
from tests.stages.bench import manifest, png, resolved
from ultracurate.core.parts import read_table
from ultracurate.core.runner import RunResult, run
from ultracurate.core.spec import Spec
from ultracurate.core.store import Store
from ultracurate.execution.dask import DaskExecutor
from ultracurate.execution.serial import SerialExecutor
from ultracurate.imaging.constancy import grey_levels
from ultracurate.phantom.files import encode_video
from ultracurate.phantom.frame import make_frame

KEEP = {"index": {"keep_foreign": True}, "frames": {"keep_foreign": True}}
LAYOUT = [{"match": "clip_{n}.mp4", "kind": "clip", "fps": 6.0}, {"match": "{n}.png", "kind": "image"}]
STILLS, CLIPS, LENGTH = 30, 2, 20
MARKED = np.s_[60:64, 30:60]


def screen(seed: int) -> np.ndarray:
    """(144, 192) uint8 grey, with a mark that stays where it is."""
    image = make_frame("thyroid", "linear", "atlas", seed % 7, (144, 192), ("caliper", "insector_text")).image
    shaken = grey_levels(image) * (0.5 + 0.04 * (seed % 11)) + np.random.default_rng(seed).integers(0, 30, (144, 192))
    shaken[MARKED] = 200
    return np.asarray(np.clip(shaken, 0, 255), np.uint8)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Stills of one screen and clips: more frames than one part holds."""
    folder = tmp_path_factory.mktemp("data") / "toy"
    folder.mkdir()
    for n in range(STILLS):
        (folder / f"{n:02d}.png").write_bytes(png(screen(n)))
    for n in range(CLIPS):
        clip = np.stack([screen(100 * (n + 1) + k) for k in range(LENGTH)])
        (folder / f"clip_{n}.mp4").write_bytes(encode_video(clip, 6.0))
    return {"toy": str(folder.parent)}


def spec_of(roots: dict[str, str], method: str) -> Spec:
    stages = KEEP | {"strip": {"method": method, "audit": False}}
    return resolved(manifest(layout=LAYOUT), roots=roots, stages=stages)


def content(store: Store, result: RunResult) -> dict[str, tuple[str, str, Any]]:
    """Every part of strip: digests of its table and of its pack, and the verdicts."""
    found = {}
    for part in result.parts["strip"]:
        pack = f"{part.directory}/pack-{part.id}.tar"
        held = hashlib.sha256(store.read(pack)).hexdigest() if store.exists(pack) else ""
        found[part.id] = part.digest, held, part.errors_digest
    return found


def votes(store: Store) -> dict[str, bytes]:
    return {name: store.read(f"votes/{name}") for name in store.names("votes")}


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskExecutor]:
    executor = DaskExecutor(workers=2)
    yield executor
    executor.close()


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", ["default", "classic", "seed"])
def test_processes_of_dask_give_the_bytes_of_one_process(
    tmp_path: Path, roots: dict[str, str], cluster: DaskExecutor, method: str
) -> None:
    spec = spec_of(roots, method)
    alone, many = Store(tmp_path / "alone"), Store(tmp_path / "many")
    calm = run(alone, spec, SerialExecutor(), "strip")
    result = run(many, spec, cluster, "strip")
    assert len(calm.parts["strip"]) >= 3
    assert sum(part.rows for part in calm.parts["strip"]) > 24
    assert content(many, result) == content(alone, calm)
    assert votes(many) == votes(alone)
    assert len(votes(alone)) == (0 if method == "seed" else CLIPS + 1)


def test_what_is_stripped_again_after_an_error_is_what_a_calm_run_gives(tmp_path: Path, roots: dict[str, str]) -> None:
    """The pack with the frames of the clips is away for one run, then a retry sees just those rows."""
    spec = spec_of(roots, "classic")
    calm = Store(tmp_path / "calm")
    expected = run(calm, spec, SerialExecutor(), "strip")
    store = Store(tmp_path / "hurt")
    run(store, spec, SerialExecutor(), "frames")
    (pack,) = (tmp_path / "hurt").glob("frames/*/pack-*.tar")
    pack.rename(tmp_path / "away.tar")
    assert run(store, spec, SerialExecutor(), "strip").error_rows == CLIPS * LENGTH // 2  # 3 of 6 a second are taken
    (tmp_path / "away.tar").rename(pack)
    healed = run(store, spec, SerialExecutor(), "strip", retry="strip")
    assert healed.error_rows == 0
    assert masks(store, healed) == masks(calm, expected)
    assert votes(store) == votes(calm)


def masks(store: Store, result: RunResult) -> dict[str, tuple[str, str]]:
    parts = [read_table(store, part.path()).to_pylist() for part in result.parts["strip"]]
    return {row["sample_id"]: (row["clean_sha256"], row["mask_sha256"]) for part in parts for row in part}


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_killed_in_strip_loses_no_finished_part(tmp_path: Path, workers: int) -> None:
    recipe = build(tmp_path, datasets=1, pictures=90, strip={"method": "default", "audit": False})
    finish(recipe, tmp_path / "calm")
    work = tmp_path / "stormy"
    process = start(recipe, work, workers)
    try:
        while not (finished := parts(work)) and process.poll() is None:
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "the run was over before it could be killed"
    assert finished.keys() < parts(tmp_path / "calm").keys()
    finish(recipe, work, workers)
    assert finished.items() <= parts(work).items()
    assert parts(work) == parts(tmp_path / "calm")
    assert shards(work) == shards(tmp_path / "calm")
    assert computed_twice(work) == []


def parts(work: Path) -> dict[str, bytes]:
    """Finished tables of strip and what they refer to."""
    tables = sorted(work.glob("strip/*/part-*.parquet"))
    packs = [path.with_name(path.name.replace("part-", "pack-")).with_suffix(".tar") for path in tables]
    return {str(path.relative_to(work)): path.read_bytes() for path in (*tables, *packs) if path.exists()}
