"""Finds the folder of real samples, which is never part of the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def samples_folder() -> Path:
    """The folder, or a skip that says how to provide it."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
    folder = Path(os.environ.get("ULTRACURATE_ROOT_SAMPLES", default))
    if not folder.is_dir():
        pytest.skip(f"no real samples at {folder}; set ULTRACURATE_ROOT_SAMPLES to their folder")
    return folder
