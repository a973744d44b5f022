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
    if found["installed"]:
        _print_installed(found["installed"])
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
    silent = [row for row in found["hosts"] if row["state"] == "unreachable" and row["milliseconds"] is None]
    said = {f"{row['host']}: {row['detail']}" for row in silent}  # one line for all of them, further down
    for warning in found["warnings"]:
        if warning not in said:
            screen.out.print(Text(printable(f"Warning: {warning}"), style="yellow"))
    for missing in found["missing"]:
        if missing not in said:
            screen.out.print(Text(printable(f"Missing: {missing}"), style="red"))
    if silent:
        _print_silent(silent, len(found["hosts"]))
    if found["ok"]:
        screen.out.print("All that is needed is there.")


def _print_installed(parts: list[dict[str, Any]]) -> None:
    table = Table("installed", "for", "version", "what to do", "without it")
    for part in parts:
        problem = part["problem"]
        row = (part["name"], part["group"], part["version"] or "missing", problem, part["stops"] if problem else "")
        table.add_row(*_cells(row))
    screen.print_table(table)


def _print_silent(hosts: list[dict[str, Any]], asked: int) -> None:
    """The hosts that gave no answer at all, in one line."""
    line = f"Unreachable: {', '.join(row['host'] for row in hosts)}"
    if len(hosts) == asked > 1:
        line = "No host answered: there is no network here, or a proxy is needed (set HTTPS_PROXY)"
    screen.out.print(Text(printable(line), style="red" if any(row["needed"] for row in hosts) else "yellow"))


def _print_hosts(hosts: list[dict[str, Any]]) -> None:
    table = Table("host", "source", "state", "ms", "our clock ahead, s", "rate limit", "details")
    for row in hosts:
        detail = row["detail"].removeprefix(f"Host {row['host']}: ")
        numbers = ["" if row[name] is None else str(row[name]) for name in ("milliseconds", "clock_skew")]
        state = row["state"].replace("_", " ")
        table.add_row(*_cells((row["host"], row["source"], state, *numbers, row["rate_limit"], detail)))
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
