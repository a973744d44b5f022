"""The reference executor: one job after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ultracurate.core.executor import EXECUTORS

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - outcome


@EXECUTORS.register("serial")
class SerialExecutor:
    """Runs jobs in order; the one to debug with, and the one that every other must equal byte for byte."""

    def __init__(self, workers: int = 1, scheduler: str | None = None) -> None:
        del workers, scheduler  # the same signature as the others

    def map(self, fn: Callable[[J], O], jobs: Iterable[J]) -> Iterator[O]:
        """Yield the outcome of each job, in order."""
        return (fn(job) for job in jobs)

    def close(self) -> None:
        """Nothing to release."""
