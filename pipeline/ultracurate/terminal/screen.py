"""The screen itself: where tables and JSON go, and how paths and sizes are written on it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ultracurate.core.store import Store

out = Console(soft_wrap=True, highlight=False)
WIDE = 200
"""Columns of a table that goes into a file or a pipe, so that names stay in one piece for grep."""


def print_table(table: Table) -> None:
    """A table as wide as the terminal (or as COLUMNS says), and wide where there is none."""
    known = out.is_terminal or "COLUMNS" in os.environ
    (out if known else Console(soft_wrap=True, highlight=False, width=WIDE)).print(table)


def print_json(data: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(data, default=str) + "\n")


def place(store: Store, path: str) -> str:
    """A path of the work directory as people and scripts can open it."""
    return str(Path(store.local) / path) if store.local else f"{store.url}/{path}"


def size(n: int | None) -> str:
    """Bytes for people."""
    if n is None:
        return "unknown"
    amount, unit = float(n), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
