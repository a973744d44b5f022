"""Where credentials may come from, which were found, and what is wrong with them; never any part of their values."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from ultracurate.core.errors import ConfigError
from ultracurate.doctor.web import Web, shown_origin, variable
from ultracurate.sources import SourceContext, create_source

SOON = timedelta(days=3)
"""A link that ends this soon is worth a warning: a large download may take longer."""
_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Way:
    """One way to give a host its credentials."""

    shown: str
    """As a person writes it: the names of variables, or a file."""
    variables: tuple[str, ...] = ()
    """All of these, in the environment."""
    file: str = ""
    """Or a file below the home folder."""
    holds: str = ""
    """What the file must hold to count, as a pattern."""


WAYS = {
    "zenodo": (Way("ZENODO_TOKEN", ("ZENODO_TOKEN",)),),
    "kaggle": (
        Way("KAGGLE_API_TOKEN", ("KAGGLE_API_TOKEN",)),
        Way("~/.kaggle/access_token", file=".kaggle/access_token", holds=r"\S"),
        Way("~/.kaggle/access_token.txt", file=".kaggle/access_token.txt", holds=r"\S"),
        Way("KAGGLE_USERNAME with KAGGLE_KEY", ("KAGGLE_USERNAME", "KAGGLE_KEY")),
        Way("kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle", file=".kaggle/kaggle.json"),
    ),
    "figshare": (Way("FIGSHARE_TOKEN", ("FIGSHARE_TOKEN",)),),
    "github": (Way("GITHUB_TOKEN", ("GITHUB_TOKEN",)), Way("GH_TOKEN", ("GH_TOKEN",))),
    "synapse": (
        Way("SYNAPSE_AUTH_TOKEN", ("SYNAPSE_AUTH_TOKEN",)),
        Way("~/.synapseConfig", file=".synapseConfig", holds=r"(?mi)^\s*authtoken\s*[=:]\s*\S"),
    ),
    "aimi": (Way("ULTRACURATE_AIMI_SAS", ("ULTRACURATE_AIMI_SAS",)),),
    "grand_challenge": (Way("GRAND_CHALLENGE_AUTHORIZATION", ("GRAND_CHALLENGE_AUTHORIZATION",)),),
}
"""By source, in the order in which they are looked for; a source that is not here takes none."""


class Note(NamedTuple):
    """Something to know about a way; most are warnings."""

    text: str
    warns: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """One way, as it stands on this machine."""

    source: str
    where: str
    found: bool
    used: bool
    """It is the first of its source that was found, and it is sent."""
    notes: tuple[Note, ...] = ()


def look(context: SourceContext, webs: list[Web], now: datetime | None = None) -> tuple[list[Found], list[str]]:
    """Every way of these sources in order, and warnings; `now` is the moment that ends of links are compared with."""
    rows: list[Found] = []
    for web in webs:
        first = True
        for way in WAYS.get(web.source, ()):
            there, notes = _state(context, way, now or datetime.now(UTC))
            sent = there and first
            if sent and not _sent(context, web):
                notes.append(Note("withheld: its host is configured elsewhere, and not by a variable of yours"))
                sent = False
            elif sent and (moved := _moved(context, web)):
                notes.append(Note(f"sent to {moved}, as {variable(web.main)} says"))
            first = first and not there
            rows.append(Found(web.source, way.shown, there, sent, tuple(notes)))
    warnings = [f"{row.where}: {note.text}" for row in rows for note in row.notes if note.warns]
    return rows, warnings + [problem for web in webs for problem in _unusable(context, web)]


def _state(context: SourceContext, way: Way, now: datetime) -> tuple[bool, list[Note]]:
    if way.variables:
        there = [name for name in way.variables if context.token(name)]
        if there and len(there) < len(way.variables):
            absent = ", ".join(name for name in way.variables if name not in there)
            return False, [Note(f"{absent} is not set: both are needed")]
        return bool(there), list(_variable_notes(context, way.variables[0], now)) if there else []
    path = context.home() / way.file
    if way.file.endswith("kaggle.json") and (folder := context.token("KAGGLE_CONFIG_DIR")):
        path = Path(folder) / "kaggle.json"
    return _file_state(path, way)


def _file_state(path: Path, way: Way) -> tuple[bool, list[Note]]:
    try:
        if not path.is_file():
            return False, []
        notes = list(_mode(path))
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError as exc:
        return False, [Note(f"it cannot be read: {exc.strerror}")]
    if way.holds and not re.search(way.holds, text):
        return False, [Note("it is there, and holds no token")]
    return True, notes


def _mode(path: Path) -> Iterator[Note]:
    """A warning for a file that other users of this machine can open."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        yield Note(f"other users may open this file (mode {mode:03o}): make it yours alone with chmod 600")


def _variable_notes(context: SourceContext, name: str, now: datetime) -> Iterator[Note]:
    value = (context.token(name) or "").strip()
    if not value:
        yield Note("it is blank")
    elif name == "KAGGLE_API_TOKEN":
        path = context.home() / value[2:] if value.startswith("~/") else Path(value)
        try:
            yield from _mode(path) if path.is_file() else ()
        except (OSError, ValueError):  # a token, not a path
            return
    elif name == "ULTRACURATE_AIMI_SAS":
        links = value.split()
        for number, link in enumerate(links, 1):
            said = _ends(link, now)
            yield Note(f"link {number} {said.text}" if len(links) > 1 else said.text, said.warns)


def _ends(link: str, now: datetime) -> Note:
    """When a shared access signature ends, by its field `se`; nothing else of the link is shown."""
    try:
        said = parse_qs(urlsplit(link).query).get("se", [""])[-1]
        end = datetime.fromisoformat(said)
    except ValueError:
        return Note("states no time at which it ends (`se`): copy the whole link from the dataset's page")
    try:
        end = (end if end.tzinfo else end.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return Note("ends at no possible time: copy a new link from the dataset's page")
    shown = end.strftime("%Y-%m-%d %H:%M UTC")
    if end <= now:
        return Note(f"expired at {shown}: copy a new link from the dataset's page")
    return Note(f"ends soon, at {shown}") if end - now < SOON else Note(f"good until {shown}", warns=False)


def _sent(context: SourceContext, web: Web) -> bool:
    """Whether a credential would go to where this source's host is configured to be."""
    # The rule is the context's own; a made-up credential shows what it says without touching a real one.
    trial = replace(context, environ={variable(web.main): context.token(variable(web.main)) or "", "TRIAL": "yes"})
    try:
        return trial.token_for("TRIAL", web.main, web.hosts[web.main]) is not None
    except ConfigError:
        return False


def _moved(context: SourceContext, web: Web) -> str:
    """Where the credential goes instead of the public host; empty if it goes there."""
    base = context.base_url(web.main, web.hosts[web.main]) or ""
    there = shown_origin(base)
    return "" if there == shown_origin(web.hosts[web.main]) else there


def _unusable(context: SourceContext, web: Web) -> Iterator[str]:
    """What the source itself says against its settings."""
    try:
        create_source(web.source, context)
    except ConfigError as exc:  # its message never holds any of the value
        yield f"{web.source}: {exc}"
