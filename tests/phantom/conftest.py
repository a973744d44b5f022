from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ultracurate.phantom.datasets import build_demo
from ultracurate.phantom.server import LocalZenodo
from ultracurate.phantom.truth import DemoTruth


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    folder = tmp_path_factory.mktemp("host")
    return folder, build_demo(folder, seed=0, scale=0.2)


@pytest.fixture
def host(small_demo: tuple[Path, DemoTruth]) -> Iterator[LocalZenodo]:
    with LocalZenodo(small_demo[0]) as running:
        yield running
