"""What a process that reads a stranger's file inherits: where programs and libraries lie, and no credentials."""

from __future__ import annotations

import os

_INHERITED = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "SYSTEMROOT", "TMPDIR", "LIBARCHIVE",
)  # fmt: skip


def bare_environment() -> dict[str, str]:
    """The variables that a Python process needs to start; a token for a host of datasets is not among them."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
