"""Follows a run: a bar on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from ultracurate.core.errors import printable
from ultracurate.terminal import screen

if TYPE_CHECKING:
    from ultracurate.core.parts import PartRef
    from ultracurate.core.stage import Stage
    from ultracurate.core.work import Outcome


class Progress:
    """Listens to a run: a bar with rate and remaining time on a terminal, one plain line for each stage elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: RichProgress | None = None
        self._task: Any = None
        self._started = 0.0
        self._todo = 0
        self._total = 0
        if not quiet and screen.out.is_terminal:
            columns = (
                TextColumn("{task.description:<12}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
            )
            self._bar = RichProgress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=screen.out)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def stage_started(self, stage: Stage, total: int, todo: int) -> None:
        """Show a new bar, or remember the time."""
        self._started, self._todo, self._total = time.monotonic(), todo, total
        if self._bar:
            self._task = self._bar.add_task(stage.name, total=total, completed=total - todo, rate="")

    def part_done(self, stage: Stage, outcome: Outcome) -> None:
        """Move the bar; say a failure at once."""
        if outcome.failure and not self._quiet:
            said = printable(f"{stage.name}: part {outcome.job_id} failed: {outcome.failure}")
            screen.out.print(said, markup=False)
        if self._bar:
            done = self._bar.tasks[self._task].completed - (self._total - self._todo) + 1
            rate = done / max(time.monotonic() - self._started, 1e-3)
            self._bar.update(self._task, advance=1, rate=f"{rate:.1f} parts/s")

    def stage_done(self, stage: Stage, parts: Sequence[PartRef], published: str) -> None:
        """A plain line, where there is no bar."""
        if self._quiet or self._bar:
            return
        from ultracurate.core.runner import open_errors

        rows, rejects = (sum(getattr(p, n) for p in parts) for n in ("rows", "rejects"))
        errors = open_errors(parts)
        seconds = time.monotonic() - self._started
        screen.out.print(
            f"{stage.name:<11} {rows:>7} rows  {rejects:>6} rejected  {errors:>4} errors  "
            f"{self._todo:>4} of {self._total} parts computed  {seconds:6.1f} s",
            markup=False,
        )
