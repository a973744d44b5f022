"""Fixtures that more than one room uses."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

from tests.core.toy.build import toy_spec
from ultracurate.core import dataset, resources
from ultracurate.core.spec import Spec
from ultracurate.core.store import Store

for name in ("COLUMNS", "LINES"):  # said to the processes of a test run, and commands would take it for their screen
    os.environ.pop(name, None)
# No test fails by the clock: a busy machine may stop it anywhere for seconds.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


@pytest.fixture(scope="session", autouse=True)
def _shipped_manifests_are_read_once() -> Iterator[None]:
    """Each command reads all of them, which is most of what a command over three pictures costs; they are frozen."""
    shipped, read = resources.manifests_dir(), dataset.load_manifest
    once = functools.cache(read)

    def load(path: Path) -> dataset.DatasetManifest:
        return once(path) if path.parent == shipped else read(path)

    with mock.patch.object(dataset, "load_manifest", load):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty work directory on the local disk."""
    return Store(tmp_path / "work")


@pytest.fixture
def spec() -> Spec:
    """The toy pipeline over two datasets of ten numbers."""
    return toy_spec()


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files; the test is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "samples"
    folder = Path(os.environ.get("ULTRACURATE_ROOT_SAMPLES", beside))
    if not (folder / "index.csv").is_file():
        pytest.skip(f"no real samples at {folder}; set ULTRACURATE_ROOT_SAMPLES to the folder with index.csv")
    return folder
