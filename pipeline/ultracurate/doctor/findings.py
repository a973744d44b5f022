"""Everything the doctor finds, as plain data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ultracurate.core.errors import ConfigError
from ultracurate.doctor import credentials, installed
from ultracurate.doctor.probe import SKEW, HostAnswer, ask_all
from ultracurate.doctor.record import Recorded, record_answers
from ultracurate.doctor.web import settings, web_sources
from ultracurate.sources import SourceContext


def findings(context: SourceContext, live: bool, record: Path | None, hosts: list[str]) -> dict[str, Any]:
    """Everything the doctor finds, as plain data; hosts are asked only where `live` says so.

    Args:
        context: addresses, and the environment that is looked at.
        live: ask the hosts.
        record: folder for redacted answers, or None; wants `live`.
        hosts: names of sources and hosts to look at; empty means all, and the packages as well.

    Raises:
        ConfigError: an unknown host, or `record` without `live`.
        StorageError: `record` cannot be written.
    """
    if record is not None and not live:
        raise ConfigError("--record writes what the hosts answer, so it expects --live. Add it.")
    webs = web_sources(hosts)
    parts = installed.look()
    ways, warnings = credentials.look(context, webs)
    moved = settings(context)
    warnings += [f"{row['variable']}: {row['note']}" for row in moved if row["note"]]
    missing = [f"{part.name}: {part.problem}" for part in parts if part.needed and part.problem]
    answers: list[HostAnswer] = []
    recorded: list[Recorded] = []
    if live:
        answers = ask_all(context, webs)
        for answer in answers:
            if answer.state in ("blocked", "unreachable"):
                (missing if answer.needed else warnings).append(f"{answer.host}: {answer.detail}")
        skewed = [a for a in answers if a.clock_skew is not None and abs(a.clock_skew) > SKEW]
        if skewed:
            warnings.append(
                f"{skewed[0].host}: our clock differs by {skewed[0].clock_skew} s, and signed addresses fail with a "
                "wrong one; set this machine's clock"
            )
    if record is not None:
        recorded = record_answers(context, webs, record)
    return {
        "ok": not missing,
        "live": live,
        "installed": [] if hosts else [asdict(part) | {"needed": part.needed} for part in parts],
        "machine": installed.machine(),
        "credentials": [asdict(way) | {"notes": [note.text for note in way.notes]} for way in ways],
        "without_credentials": [web.source for web in webs if web.source not in credentials.WAYS],
        "settings": moved,
        "hosts": [asdict(answer) for answer in answers],
        "recorded": [asdict(one) for one in recorded],
        "warnings": warnings,
        "missing": missing,
    }
