"""Fixtures that more than one room uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.toy.build import toy_spec
from ultracurate.core.spec import Spec
from ultracurate.core.store import Store


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
