from __future__ import annotations

from pathlib import Path

import pytest

from ultracurate.phantom.datasets import build_demo
from ultracurate.phantom.truth import DemoTruth


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    folder = tmp_path_factory.mktemp("host")
    return folder, build_demo(folder, seed=0, scale=0.2)
