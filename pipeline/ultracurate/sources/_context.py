"""What a source is made with: addresses, folders, limits, patience, and how to wait."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from ultracurate import __version__
from ultracurate.core.errors import ConfigError, StorageError
from ultracurate.core.store import own_temporary_folder
from ultracurate.sources._urls import origin

if TYPE_CHECKING:
    import requests

USER_AGENT = f"ultracurate/{__version__} (+https://github.com/ultracurate/ultracurate)"
"""Names the tool and a contact, as Zenodo asks; a nameless agent was blocked there."""


class KeptAnswers(Protocol):
    """Where the answers to a search are kept, so that a search that was killed goes on where it stopped."""

    def get(self, key: str) -> bytes | None:
        """What was kept under a key."""
        ...

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer; whole or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Settings of all sources of one run; none of them can change what a dataset holds."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    """Base URL by source name, over ULTRACURATE_HOST_<NAME> and the public address."""
    roots: Mapping[str, str | Path] = field(default_factory=dict)
    """Folder by root name, over ULTRACURATE_ROOT_<NAME>."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Requests a minute by class (`zenodo.search`), source (`zenodo`) or `*`; 0 switches the limit off."""
    parallel: Mapping[str, int] = field(default_factory=dict)
    """Downloads at the same time by source or `*`, over the source's own number; 0 switches the limit off."""
    bandwidth: float | None = None
    """Megabytes (10^6) a second for all downloads of this machine together; None is no cap."""
    shared: Path | None = None
    """Folder where the processes of this machine keep limits together; None: each process for itself."""
    answers: KeptAnswers | None = field(default=None, repr=False)
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    """Where tokens and ULTRACURATE_* are looked up; None is the environment of this process."""
    user_agent: str = USER_AGENT
    timeout: tuple[float, float] = (10.0, 60.0)
    """Seconds to connect, and between two pieces of an answer."""
    header_seconds: float = 120.0
    """Seconds for status line and headers of one answer, however they drip."""
    retries: int = 5
    """Further attempts after the first; for a file body: attempts in a row that made no headway."""
    backoff: float = 1.0
    """Seconds before the first retry; doubles each time, up to a minute, with jitter."""
    max_wait: float = 900.0
    """Longest Retry-After that is waited for; a longer one ends the call with state `quota`."""
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    stop: threading.Event | None = field(default=None, repr=False)
    """When set, whatever is under way ends soon, with what came kept for the next run."""
    adapter: requests.adapters.BaseAdapter | None = field(default=None, repr=False)
    """What carries the requests, in place of real connections."""

    def _variable(self, name: str) -> str | None:
        environ = os.environ if self.environ is None else self.environ
        return environ.get(name) or None

    def base_url(self, name: str, default: str | None) -> str | None:
        """Address of a source without a final slash: setting, then environment, then `default`."""
        variable = f"ULTRACURATE_HOST_{name.upper()}"
        found = self.hosts.get(name) or self._variable(variable) or default
        if found is None:
            return None
        parts = urlsplit(found)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ConfigError(
                f"The address of source {name!r} must look like https://host[:port][/path], without login or query. "
                f"Correct `hosts: {{{name}: ...}}` in the recipe or {variable}."
            )
        return found.rstrip("/")

    def root(self, name: str) -> Path:
        """Folder behind a named root; a missing one is a `ConfigError` that says how to set it."""
        variable = f"ULTRACURATE_ROOT_{name.upper()}"
        found = self.roots.get(name) or self._variable(variable)
        how = (
            f"Set it in one of three ways: `roots: {{{name}: FOLDER}}` in the recipe, --root {name}=FOLDER, "
            f"or the environment variable {variable}=FOLDER."
        )
        if not found:
            raise ConfigError(f"The local source expects a folder for root {name!r}, and none is set. {how}")
        if not Path(found).is_dir():
            raise ConfigError(f"The local source expects root {name!r} at {found}, and there is no such folder. {how}")
        return Path(found)

    def token(self, variable: str) -> str | None:
        """A secret from the environment; never stored, logged or shown."""
        return self._variable(variable)

    def token_for(self, variable: str, name: str, public: str) -> str | None:
        """The token, if source `name` is asked where its owner meant it to go: a recipe must not send it elsewhere.

        That is the public host, this machine, or the address in ULTRACURATE_HOST_<NAME>, which only the owner sets.
        """
        return self.token(variable) if self.trusts(name, public) else None

    def trusts(self, name: str, public: str) -> bool:
        """Whether source `name` is asked where its owner meant credentials to go."""
        base = self.base_url(name, public) or public
        meant = (public, self._variable(f"ULTRACURATE_HOST_{name.upper()}") or public)
        return _is_here(base) or origin(base) in [origin(address) for address in meant]

    def home(self) -> Path:
        """The user's home, where hosts' own programs keep their credentials."""
        return Path(self._variable("HOME") or "~").expanduser()

    def at_once(self, name: str, default: int) -> int | None:
        """Downloads at the same time from a source; None means no limit."""
        most = self.parallel.get(name, self.parallel.get("*", default))
        return most if most > 0 else None

    def limit(self, kind: str, default: float) -> float | None:
        """Requests a minute for a class such as `zenodo.search`; None means no limit."""
        for key in (kind, kind.partition(".")[0], "*"):
            if key in self.limits:
                default = self.limits[key]
                break
        return default if default > 0 else None


def machine_folder() -> Path | None:
    """Where the processes of this user on this machine meet, for limits; None where there is no safe place."""
    try:
        return own_temporary_folder() / "limits"
    except StorageError:
        return None


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
