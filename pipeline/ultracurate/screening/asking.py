"""How a screening asks the hosts, and what their answers are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ultracurate.core.errors import ConfigError, RowError
from ultracurate.screening.links import Link
from ultracurate.sources import Candidate, RemoteFile

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""The built-in `map`, or that of a pool of threads."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How hosts are asked; each may raise a `RowError`, and is called through `map_`."""

    describe: Callable[[Candidate], Candidate]
    peek: Callable[[Candidate], list[RemoteFile] | None]
    follow: Callable[[Link], Candidate | None]
    map_: Map = map


def quietly(ask: Callable[[Any], Any], what: object) -> Any:
    """The answer, or None where the host gives none."""
    try:
        return ask(what)
    except (RowError, ConfigError):  # ConfigError: a record that its own source does not take
        return None


def with_search(candidate: Candidate, described: Candidate) -> Candidate:
    """The described record with what the search said where the description is silent."""
    return replace(
        described,
        keywords=described.keywords or candidate.keywords,
        description=described.description or candidate.description,
        published=described.published or candidate.published,
    )
