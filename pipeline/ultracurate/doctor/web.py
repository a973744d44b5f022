"""The sources that are asked over the network, and which of them a person chose."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ultracurate.core.errors import ConfigError
from ultracurate.sources import SourceContext, source_names
from ultracurate.sources._base import SOURCES

_OWN = ("local", "http", "manual")
"""Sources without a host of their own."""


@dataclass(frozen=True, slots=True)
class Web:
    """One source with its hosts."""

    source: str
    hosts: Mapping[str, str]
    """Public address by name; the first is the main one."""
    chosen: tuple[str, ...]
    """Names of the hosts to look at."""

    @property
    def main(self) -> str:
        """Name of the host that credentials are for."""
        return next(iter(self.hosts))


def web_sources(names: Sequence[str] = ()) -> list[Web]:
    """The sources with hosts, or those that are named, each by its own name or by that of one of its hosts.

    Raises:
        ConfigError: a name is neither.
    """
    known: dict[str, Mapping[str, str]] = {}
    for name in source_names():
        hosts = getattr(SOURCES.get(name), "hosts", None)
        if name not in _OWN and hosts:
            known[name] = hosts
    every = {host for hosts in known.values() for host in hosts}
    if wrong := [name for name in names if name not in known and name not in every]:
        raise ConfigError(f"--host {wrong[0]!r} is no host. Known: {', '.join(sorted(every | set(known)))}")
    webs = [
        Web(name, hosts, tuple(host for host in hosts if not names or name in names or host in names))
        for name, hosts in known.items()
    ]
    return [web for web in webs if web.chosen]


def variable(name: str) -> str:
    """The variable that moves a host."""
    return f"ULTRACURATE_HOST_{name.upper()}"


def shown_origin(address: str) -> str:
    """Scheme, host and port of an address; nothing else of it can be shown."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "not an address"
    host = parts.hostname or ""
    plain = parts.scheme in ("http", "https") and re.fullmatch(r"[a-z0-9.:-]{1,253}", host)
    if not plain:
        return "not an address"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def environment(context: SourceContext) -> Mapping[str, str]:
    """The variables that the context looks at."""
    return os.environ if context.environ is None else context.environ


def settings(context: SourceContext) -> list[dict[str, Any]]:
    """Every ULTRACURATE_HOST_* and ULTRACURATE_ROOT_* in effect: hosts by their origin only, folders as they are."""
    names = {host for web in web_sources() for host in web.hosts} | {"http"}
    found = []
    for name, value in sorted(environment(context).items()):
        kind, _, rest = name.removeprefix("ULTRACURATE_").partition("_")
        if not name.startswith("ULTRACURATE_") or not rest or not value or kind not in ("HOST", "ROOT"):
            continue
        shown, note = value, ""
        if kind == "HOST":
            shown = shown_origin(value)
            if rest.lower() not in names:
                note = f"no host has this name, so it does nothing; names: {', '.join(sorted(names))}"
        elif not Path(value).is_dir():
            note = "there is no such folder"
        found.append({"variable": name, "value": shown, "note": note})
    return found
