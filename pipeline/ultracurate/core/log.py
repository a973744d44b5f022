"""Structured logs: one JSON object a line, a file for each process, so that no two processes share a writer."""

from __future__ import annotations

import json
import logging
import os
import socket
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ultracurate.core.errors import told
from ultracurate.core.private import hide_private

LOGGER = logging.getLogger("ultracurate")
_LONGEST_CHAIN = 20
_opened: dict[str, logging.Handler] = {}


class JsonLines(logging.Formatter):
    """Formats a record with its `data` mapping as one JSON line."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object: time, level, event, and the event's own fields."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "data", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return hide_private(json.dumps(line, default=str))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is the library's
        """The ways through the code to an exception and to what caused it, without the words of libraries."""
        exc: BaseException | None = ei[1]
        parts: list[str] = []
        while exc is not None and len(parts) < _LONGEST_CHAIN:
            parts.append(f"{_way(exc.__traceback__)}{type(exc).__name__}: {told(exc)}")
            exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        return "\n\nwhich led to\n\n".join(reversed(parts))


def _way(to: TracebackType | None) -> str:
    return "".join(["Traceback (most recent call last):\n", *traceback.format_tb(to)])


class _FileHandler(logging.FileHandler):
    """A log on a full disk goes quiet; the run itself says clearly that the disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Say nothing."""


def open_log(folder: Path | None, run_id: str) -> None:
    """Send this process's events to `<folder>/<run id>/<host>-<pid>.jsonl`; without a folder they are dropped."""
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    key = f"{folder}/{run_id}/{os.getpid()}"
    if key in _opened:
        return
    for old in list(LOGGER.handlers):
        LOGGER.removeHandler(old)
        old.close()
    _opened.clear()
    handler: logging.Handler = logging.NullHandler()
    if folder is not None and _make(folder / run_id):
        handler = _FileHandler(
            folder / run_id / f"{socket.gethostname()}-{os.getpid()}.jsonl", encoding="utf-8", delay=True
        )
        handler.setFormatter(JsonLines())
    LOGGER.addHandler(handler)
    _opened[key] = handler


def _make(folder: Path) -> bool:
    """Make a run's folder of logs; not where there is no work directory, which a worker may not see."""
    try:
        if folder.parent.parent.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            return True
    except OSError:
        return False  # the job itself will say what is wrong with the work directory
    return False


def event(name: str, **data: object) -> None:
    """Log one event with its fields."""
    LOGGER.info(name, extra={"data": data})
