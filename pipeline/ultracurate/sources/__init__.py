"""Hosts that datasets can be had from: one file a host, found by name; nothing heavy is imported here."""

from __future__ import annotations

from ultracurate.sources._base import (
    Candidate,
    Fetched,
    RemoteFile,
    Source,
    SourceError,
    SourceState,
    create_source,
    source,
    source_names,
)
from ultracurate.sources._context import SourceContext

__all__ = [
    "Candidate",
    "Fetched",
    "RemoteFile",
    "Source",
    "SourceContext",
    "SourceError",
    "SourceState",
    "create_source",
    "source",
    "source_names",
]
