"""What the doctor found, as tables for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from ultracurate.core.errors import printable
from ultracurate.terminal import screen

_COLOURS = {"ok": "green", "missing": "red", "blocked": "red", "unreachable": "red", "needs login": "yellow"}


def print_findings(found: dict[str, Any]) -> None:
    """The tables, then the warnings, then the verdict."""
    installed = Table("installed", "for", "version", "what to do", "without it")
    for part in found["installed"]:
        problem = part["problem"]
        row = (part["name"], part["group"], part["version"] or "missing", problem, part["stops"] if problem else "")
        installed.add_row(*_cells(row))
    screen.print_table(installed)
    machine = found["machine"]
    screen.out.print(
        f"{machine['cores']} cores, {screen.size(machine['memory_bytes'])} memory, "
        f"{screen.size(machine['free_bytes'])} free in this folder ({machine['system']})"
    )
    ways = Table("source", "credentials", "found", "notes")
    for row in found["credentials"]:
        there = "used" if row["used"] else "found" if row["found"] else "-"
        ways.add_row(*_cells((row["source"], row["where"], there, "; ".join(row["notes"]))))
    screen.print_table(ways)
    if found["without_credentials"]:
        screen.out.print(f"No credentials are needed for {', '.join(found['without_credentials'])}.")
    if found["settings"]:
        moved = Table("variable", "value", "note")
        for row in found["settings"]:
            moved.add_row(*_cells((row["variable"], row["value"], row["note"])))
        screen.print_table(moved)
    if found["live"]:
        _print_hosts(found["hosts"])
    else:
        screen.out.print("No host was asked. Add --live to see which of them answer.")
    if found["recorded"]:
        _print_recorded(found["recorded"])
    for warning in found["warnings"]:
        screen.out.print(Text(printable(f"Warning: {warning}"), style="yellow"))
    for missing in found["missing"]:
        screen.out.print(Text(printable(f"Missing: {missing}"), style="red"))
    if found["ok"]:
        screen.out.print("All that is needed is there.")


def _print_hosts(hosts: list[dict[str, Any]]) -> None:
    table = Table("host", "source", "state", "ms", "our clock ahead, s", "rate limit", "details")
    for row in hosts:
        numbers = ["" if row[name] is None else str(row[name]) for name in ("milliseconds", "clock_skew")]
        state = row["state"].replace("_", " ")
        table.add_row(*_cells((row["host"], row["source"], state, *numbers, row["rate_limit"], row["detail"])))
    screen.print_table(table)
    screen.out.print("Asked as a guest: no credential was sent.")


def _print_recorded(recorded: list[dict[str, Any]]) -> None:
    table = Table("source", "recorded", "status", "details")
    for row in recorded:
        status = "" if row["status"] is None else str(row["status"])
        table.add_row(*_cells((row["source"], row["name"], status, row["detail"])))
    screen.print_table(table)
    screen.out.print("Titles and file names are kept as they came: read the files before you give them to anybody.")


def _cells(values: tuple[str, ...]) -> list[Text]:
    """Texts of hosts and variables as they are: no markup, no control characters."""
    return [Text(printable(value), style=_COLOURS.get(value, "")) for value in values]
