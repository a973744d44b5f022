"""What a search found: the funnel, the accepted records, and their draft manifests."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from ultracurate.core.errors import StorageError, printable
from ultracurate.core.parts import read_table
from ultracurate.core.resources import manifests_dir
from ultracurate.report.searches import search_funnel
from ultracurate.screening.propose import draft
from ultracurate.screening.verdicts import Screened, Verdict
from ultracurate.sources import Candidate, RemoteFile
from ultracurate.terminal import screen

if TYPE_CHECKING:
    from ultracurate.core.runner import RunResult
    from ultracurate.core.store import Store

SHOWN = 30
"""Accepted records on the screen, best first; the table holds all."""


def read_candidates(store: Store, result: RunResult) -> list[dict[str, Any]]:
    """Rows of the candidates table of a run, in the order in which they were found; empty if nobody could search."""
    return [row for path in _tables(result) for row in read_table(store, path).to_pylist()]


def _tables(result: RunResult) -> list[str]:
    """The table of the newest attempt: it judges what all attempts found."""
    return [ref.path("candidates") for ref in result.parts["discover"] if "candidates" in ref.side][-1:]


def print_search(
    store: Store, rows: Sequence[Mapping[str, Any]], result: RunResult, drafts: Sequence[Path], as_json: bool
) -> None:
    """The funnel, the best of the accepted records, and where everything lies."""
    counts = search_funnel(rows)
    tables = [screen.place(store, path) for path in _tables(result)]
    if as_json:
        screen.print_json(
            {
                "funnel": counts.as_dict(),
                "candidates": tables,
                "proposed": [str(path) for path in drafts],
                "error_rows": result.error_rows,
            }
        )
        return
    messages = _failures(store, result)
    for message in messages[:SHOWN]:
        screen.out.print(Text(f"Failed: {printable(message)}", style="red"))
    if messages and not rows:
        screen.out.print("No host could be searched. Check the network: ultracurate doctor --live")
        return
    for line in counts.lines():
        screen.out.print(Text(printable(line)))
    accepted = sorted(_accepted(rows), key=lambda row: -row["score"])
    if accepted:
        table = Table("score", Column("record", no_wrap=True), "title", "licence", "files", "size")
        for row in accepted[:SHOWN]:
            table.add_row(
                f"{row['score']:.1f}",
                Text(printable(f"{row['host']} {row['record']}")),
                Text(printable((row["title"] or "")[:90])),
                Text(printable(row["licence"] or "not stated")),
                str(row["files"]),
                screen.size(row["bytes"]),
            )
        screen.print_table(table)
    if len(accepted) > SHOWN:
        screen.out.print(f"... and {len(accepted) - SHOWN} more.")
    for place in tables:
        screen.out.print(f"All candidates, with reasons: {place}")
    if drafts:
        screen.out.print(f"{len(drafts)} draft manifests in {drafts[0].parent}")
    if result.error_rows:
        screen.out.print("Run the same command again to go on; what the hosts answered is kept.")


def _failures(store: Store, result: RunResult) -> list[str]:
    paths = [ref.path("errors") for ref in result.parts["discover"][-1:] if ref.errors]
    return [message for path in paths for message in read_table(store, path, ["message"])["message"].to_pylist()]


def _accepted(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["verdict"] == Verdict.AWAITS_MANIFEST.value]


def write_drafts(rows: Sequence[Mapping[str, Any]], folder: Path, read: datetime.date) -> list[Path]:
    """A manifest `<slug>.yaml` for each accepted record; one that is there already stays as it is."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = list(folder.glob("*.yaml"))
        known = {_record_of(path): path for path in there}
        taken = {path.stem for path in (*there, *manifests_dir().glob("*.yaml"))}
        made = []
        for row in _accepted(rows):
            one = _screened(row)
            path = known.get((one.candidate.host, one.candidate.record or ""))
            if path is None:
                text = draft(one, read=read, taken=taken)
                path = folder / f"{slug_of(text)}.yaml"
                path.write_text(text, encoding="utf-8")
                taken.add(path.stem)
            made.append(path)
    except OSError as exc:
        raise StorageError(f"Could not write drafts to {folder}: {exc.strerror}. Choose another --propose.") from exc
    return made


def slug_of(text: str) -> str:
    """The slug that a draft gives itself."""
    return next(line for line in text.splitlines() if line.startswith("slug:")).partition(":")[2].strip(" '\"")


def _record_of(path: Path) -> tuple[str, str]:
    """Host and record of a draft that lies there, so that a second search does not draft it again."""
    import yaml

    try:
        source = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"][0]
        return str(source["host"]), str(source["record"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, yaml.YAMLError):
        return "", path.name


def _screened(row: Mapping[str, Any]) -> Screened:
    """A row as the screening had it, as far as a draft needs it."""
    files = tuple(RemoteFile(name, "", size, checksum) for name, size, checksum in json.loads(row["listing"] or "[]"))
    candidate = Candidate(
        host=row["host"],
        record=row["record"],
        title=row["title"] or "",
        description="",
        url=row["url"] or "",
        doi=row["doi"],
        version=row["version"],
        licence_raw=row["licence"],
        licence_spdx=row["licence"],
        access=row["access"],
        files=files,
    )
    return Screened(candidate, Verdict(row["verdict"]), row["score"], row["why"] or "")
