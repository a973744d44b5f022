"""What people see: lines and bars while a run goes on, tables before and after."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.e2e.lab import Lab
from ultracurate.core.parts import PartRef
from ultracurate.core.stage import chain
from ultracurate.core.store import Store
from ultracurate.core.work import Outcome
from ultracurate.terminal import screen
from ultracurate.terminal.datasets import dataset_row, print_datasets
from ultracurate.terminal.plan import print_plan
from ultracurate.terminal.progress import Progress
from ultracurate.terminal.results import print_stages
from ultracurate.terminal.screen import place, size

STAGE = chain("discover")[0]
PART = PartRef("discover/x", "p", "lab", 3, "", rejects=2, errors=1)


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1_234_567, "1.2 MB"),
        (5 * 10**9, "5.0 GB"),
        (2 * 10**15, "2000.0 TB"),
    ],
)
def test_size(n: int | None, text: str) -> None:
    assert size(n) == text


def go_through(progress: Progress, failure: str = "") -> None:
    """One stage of four parts, of which one is left."""
    with progress:
        progress.stage_started(STAGE, 4, 1)
        progress.part_done(STAGE, Outcome("p", None if failure else PART, failure))
        progress.stage_done(STAGE, [PART, PART], "")


def test_progress_is_a_line_for_each_stage_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    go_through(Progress())
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:10] == ["discover", "6", "rows", "4", "rejected", "2", "errors", "1", "of", "4"]


def test_progress_says_a_failure_at_once_and_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    go_through(Progress(), "expected [/b] found [red]")
    assert "part p failed: expected [/b] found [red]" in capsys.readouterr().out


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    go_through(Progress(quiet=True), "it failed")
    assert capsys.readouterr() == ("", "")


def test_progress_is_a_bar_with_a_rate_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown_on = io.StringIO()
    monkeypatch.setattr(screen, "out", Console(file=shown_on, force_terminal=True, width=100))
    go_through(Progress())
    shown = shown_on.getvalue()
    assert "discover" in shown
    assert "4/4" in shown, "three parts were there before, one was computed"
    assert "parts/s" in shown


def test_bar_is_taken_away_when_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    shown_on = io.StringIO()
    monkeypatch.setattr(screen, "out", Console(file=shown_on, force_terminal=True, width=100))
    progress = Progress()
    with pytest.raises(RuntimeError, match="stop"), progress:
        stop_in_the_middle(progress)
    assert shown_on.getvalue().endswith("\x1b[?25h"), "the cursor is back"


def stop_in_the_middle(progress: Progress) -> None:
    progress.stage_started(STAGE, 4, 4)
    raise RuntimeError("stop")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


HOSTILE = "Liver [/bold] [red]and[/red] :smile: [link=x]"


def test_titles_are_shown_as_they_are_written(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest is data: what looks like markup in it neither breaks the table nor colours it."""
    lab.describe(title=HOSTILE)
    manifests = lab.spec().manifests
    print_datasets(manifests, as_json=False)
    shown = capsys.readouterr().out
    assert HOSTILE in shown
    print_plan(Store(lab.work), lab.spec(), as_json=False)
    assert HOSTILE in capsys.readouterr().out


def test_tables_in_a_pipe_keep_names_whole(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lab.describe(title="A long title " * 8, doi="10.5281/zenodo.1")
    print_datasets(lab.spec().manifests, as_json=False)
    assert any("lab" in line and "restricted" in line for line in capsys.readouterr().out.splitlines())
    monkeypatch.setenv("COLUMNS", "60")
    print_stages(chain(), as_json=False)
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 60


def test_bytes_of_a_dataset_are_known_only_if_all_its_files_are(lab: Lab) -> None:
    def row(*sizes: int | None) -> Any:
        files = [{"name": f"{n}.zip"} | ({} if s is None else {"size": s}) for n, s in enumerate(sizes)]
        lab.describe(sources=[{"host": "local", "root": "lab", "files": files}])
        return dataset_row(lab.spec().manifests["lab"])["bytes"]

    assert row(10, 20) == 30
    assert row(10, None) is None
    assert row() is None


def test_plan_warns_when_the_files_do_not_fit(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.describe(sources=[{"host": "local", "root": "lab", "files": [{"name": "a.zip", "size": 10**18}]}])
    print_plan(Store(lab.work), lab.spec(), as_json=False)
    assert "do not fit on this disk" in capsys.readouterr().out


def test_plan_of_a_remote_work_directory_knows_no_disk(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(Store("memory://plan"), lab.spec(), as_json=False)
    shown = capsys.readouterr().out
    assert "free in the work directory" not in shown
    assert "not run yet" in shown


def test_place_is_what_one_can_open(tmp_path: Path) -> None:
    assert place(Store(tmp_path), "reports/a.html") == str(tmp_path / "reports" / "a.html")
    assert place(Store("memory:///run"), "reports/a.html") == "memory:///run/reports/a.html"
