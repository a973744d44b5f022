"""Puts the report beside the shards it explains."""

from __future__ import annotations

from ultracurate.core.store import Store
from ultracurate.report.html import render
from ultracurate.report.model import RunTables


def write_report(store: Store, tables: RunTables) -> str:
    """Write the self-contained HTML page and return its path under the work directory."""
    path = f"reports/{tables.recipe}.html"
    store.write(path, render(tables).encode())
    return path
