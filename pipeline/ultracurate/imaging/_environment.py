"""What a decoding process inherits of the environment: where programs and libraries lie, and no credentials."""

from __future__ import annotations

import os

_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


def bare_environment() -> dict[str, str]:
    """The variables that a Python process needs to start; a token for a host of datasets is not among them."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
