from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ultracurate.core import log
from ultracurate.core.errors import RowError


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    log.open_log(None, "")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text().splitlines()]


def test_an_event_is_one_json_line(tmp_path: Path) -> None:
    log.open_log(tmp_path, "run1")
    log.event("part_started", part="p1", rows=3, path=tmp_path)
    log.event("odd", text='new\nline "quoted" é')
    first, second = lines(tmp_path)
    assert (first["event"], first["part"], first["rows"], first["level"]) == ("part_started", "p1", 3, "info")
    assert first["path"] == str(tmp_path)
    assert second["text"] == 'new\nline "quoted" é'
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first["time"])).total_seconds()) < 60


def test_a_failure_keeps_its_way_in_one_line_and_no_words_of_a_library(tmp_path: Path) -> None:
    patient = "DOE^JANE"
    log.open_log(tmp_path, "run1")
    try:
        try:
            try:
                dict[str, str]()[patient]
            except KeyError as exc:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), f"/data/{patient}.png") from exc
        except OSError:
            raise RowError("expected a picture, found none")  # noqa: B904 - its context is what is looked at
    except RowError:
        log.LOGGER.exception("part_failed", extra={"data": {"part": "p1"}})
    (line,) = lines(tmp_path)
    assert (line["level"], line["event"], line["part"]) == ("error", "part_failed", "p1")
    told = line["traceback"]
    assert told.startswith("Traceback")
    assert told.endswith("RowError: expected a picture, found none")
    places = [told.index(word) for word in ("KeyError: unforeseen", "FileNotFoundError: No such file", "RowError:")]
    assert places == sorted(places)
    assert 'test_log.py", line' in told
    assert "JANE" not in told


def test_each_process_has_its_own_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ultracurate.core import log; "
        "log.open_log(Path(sys.argv[1]), 'run1'); log.event('there')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    log.open_log(tmp_path, "run1")
    log.event("here")
    names = sorted(path.name for path in (tmp_path / "run1").iterdir())
    assert len(names) == 2
    assert any(f"-{os.getpid()}.jsonl" in name for name in names)
    assert sorted(line["event"] for line in lines(tmp_path)) == ["here", "there"]


def test_opening_again_neither_doubles_nor_loses_lines(tmp_path: Path) -> None:
    for run in ("run1", "run1", "run2", "run1"):
        log.open_log(tmp_path, run)
        log.event("e", run=run)
    assert [line["run"] for line in lines(tmp_path / "run1")] == ["run1"] * 3
    assert [line["run"] for line in lines(tmp_path / "run2")] == ["run2"]
    assert len(log.LOGGER.handlers) == 1


def test_without_a_folder_nothing_is_written_or_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    root: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            root.append(record)

    handler = Ear()
    logging.getLogger().addHandler(handler)
    log.open_log(None, "run1")
    log.event("quiet")
    log.LOGGER.error("quiet too")
    logging.getLogger().removeHandler(handler)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert root == []


def test_a_run_without_events_leaves_no_empty_file(tmp_path: Path) -> None:
    log.open_log(tmp_path, "run1")
    log.open_log(tmp_path, "run2")
    assert list((tmp_path / "run1").iterdir()) == []
