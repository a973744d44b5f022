"""The one method that separates what is computed from where it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from ultracurate.core.registry import Registry

J = TypeVar("J")
O = TypeVar("O", covariant=False)  # noqa: E741 - outcome


class Executor(Protocol):
    """Runs a top-level function over small jobs (names and paths, never pixels or tables), in any order."""

    def map(self, fn: Callable[[J], O], jobs: Iterable[J]) -> Iterator[O]:
        """Yield one outcome for each job, as they end."""
        ...

    def close(self) -> None:
        """Release workers."""
        ...


EXECUTORS: Registry[Callable[..., Executor]] = Registry("executor", "ultracurate.execution", "ultracurate.executors")
