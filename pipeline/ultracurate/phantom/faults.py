"""What can go wrong at the local host, and the log of what it was asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Faults:
    """What goes wrong, for paths that contain `only` (empty: all).

    `cut_after` closes file bodies after that many bytes, the first `cut_times` times for each path. `fail_first`
    answers the first n requests for each path with `fail_status` and, if set, `retry_after`. `wrong_md5` names keys
    whose checksum in the metadata is wrong, `html_instead` keys that answer a web page, `empty_instead` keys that
    answer 202 without a body. `change_etag` gives every answer another ETag, `no_length` leaves out Content-Length.
    `block_agents` are User-Agent prefixes that are refused.
    """

    only: str = ""
    cut_after: int | None = None
    cut_times: int = 1
    fail_first: int = 0
    fail_status: int = 503
    retry_after: str | None = "0"
    ignore_range: bool = False
    no_length: bool = False
    change_etag: bool = False
    wrong_md5: frozenset[str] = frozenset()
    html_instead: frozenset[str] = frozenset()
    empty_instead: frozenset[str] = frozenset()
    block_agents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One request the server saw: `path` is decoded, without the query; `headers` have lower-case names."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    status: int


@dataclass
class HostState:
    """What the threads of one server share."""

    folder: Path
    faults: Faults
    requests: list[Request] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, counts: dict[str, int], path: str, limit: int) -> bool:
        """Whether the fault counted in `counts` still applies to `path`; counts this use."""
        if self.faults.only not in path:
            return False
        with self.lock:
            counts[path] = counts.get(path, 0) + 1
            return counts[path] <= limit
