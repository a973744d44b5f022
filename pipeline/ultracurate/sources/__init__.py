"""Hosts that datasets can be had from: one file a host, found by name; nothing heavy is imported here."""

from __future__ import annotations

from ultracurate.core.private import hide_private
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
from ultracurate.sources._context import KeptAnswers, SourceContext, machine_folder
from ultracurate.sources._locks import held

__all__ = [
    "Candidate",
    "Fetched",
    "KeptAnswers",
    "RemoteFile",
    "Source",
    "SourceContext",
    "SourceError",
    "SourceState",
    "create_source",
    "held",
    "hide_private",
    "machine_folder",
    "source",
    "source_names",
]
