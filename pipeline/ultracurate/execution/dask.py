"""Jobs on Dask: a local cluster of processes, or a scheduler that is already running."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any, TypeVar

from ultracurate.core.errors import ConfigError, PartsFailedError
from ultracurate.core.executor import EXECUTORS
from ultracurate.core.work import Outcome, worker_setup

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - outcome

WINDOW_PER_THREAD = 3
"""Jobs in flight for each worker thread: one starves workers between jobs, an unbounded number floods the scheduler."""

ALLOWED_FAILURES = 20
"""Dask blames every task assigned to a lost worker; its default of 3 gives up on jobs that were only queued there."""

LOST_WORKER = "30 days"
"""When our own cluster forgets a worker: never within a run, else bad jobs can leave it with no worker at all."""

CONNECT_SECONDS = 10
"""How long to wait for a scheduler that somebody else started."""


@EXECUTORS.register("dask")
class DaskExecutor:
    """Submits jobs through a bounded window; a lost worker's jobs are run again elsewhere."""

    def __init__(self, workers: int = 2, scheduler: str | None = None) -> None:
        import dask
        from distributed import Client, LocalCluster

        self._cluster: Any = None
        if scheduler is None:
            # Dask gives a lost worker up for good if it happens to be starting again after this time.
            dask.config.set({"distributed.deploy.lost-worker-timeout": LOST_WORKER})
            self._cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # None would still take port 8787, which the next run then misses
                memory_limit=0,
            )
            self._client = Client(self._cluster)
        else:
            try:
                self._client = Client(scheduler, timeout=CONNECT_SECONDS)
            except (OSError, TimeoutError, ValueError) as exc:
                raise ConfigError(
                    f"No Dask scheduler answers at {scheduler}: {exc}. "
                    "Start one with `dask scheduler`, or leave --scheduler out."
                ) from None
            try:
                _check_versions(self._client, scheduler)
            except ConfigError:
                self._client.close()
                raise
        self._address = self._client.scheduler.address  # the client forgets it when the scheduler is gone
        self._client.run_on_scheduler(_be_patient)
        self._client.register_worker_callbacks(setup=worker_setup)  # also on workers that come later, after a loss

    def map(self, fn: Callable[[J], O], jobs: Iterable[J]) -> Iterator[O]:
        """Yield outcomes as they end; a job whose workers keep dying becomes a failed outcome.

        Raises:
            PartsFailedError: The scheduler went away or was started again; it no longer knows any job.
        """
        from distributed.client import ClosedClientError

        try:
            yield from self._outcomes(fn, jobs)
        except (OSError, CancelledError, ClosedClientError) as exc:  # what a job raises is an outcome, and not here
            logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it would tell the same with a traceback
            raise PartsFailedError(
                f"The Dask scheduler at {self._address} stopped, or was started again, in the middle of the run "
                f"({type(exc).__name__}). Finished parts are kept. Start the scheduler and its workers if they are "
                "gone, then run the same command again."
            ) from exc

    def _outcomes(self, fn: Callable[[J], O], jobs: Iterable[J]) -> Iterator[O]:
        from distributed import as_completed

        queue = iter(jobs)
        by_key: dict[str, J] = {}

        def submit(n: int) -> list[Any]:
            futures = []
            for job in islice(queue, n):
                future = self._client.submit(fn, job, pure=False, retries=2)
                by_key[future.key] = job
                futures.append(future)
            return futures

        first = submit(self._window())
        if not first:
            return
        running = as_completed(first, loop=self._client.loop)  # by default it asks whichever client was made last
        for future in running:
            job = by_key.pop(future.key)
            error = future.exception()
            if isinstance(error, CancelledError):
                raise error
            yield future.result() if error is None else _lost(job, error)
            future.release()
            for new in submit(max(self._window() - len(by_key), 0)):
                running.add(new)

    def _window(self) -> int:
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads) * WINDOW_PER_THREAD

    def close(self) -> None:
        """Close the client, and the cluster if it is ours."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _be_patient(dask_scheduler: Any = None) -> None:
    """Runs in the scheduler: also one that somebody else started must not give up on jobs too early."""
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, ALLOWED_FAILURES)


def _check_versions(client: Any, scheduler: str) -> None:
    """Processes that somebody else started must have this version, or they break on jobs or compute other bytes."""

    def version_there() -> str:  # a function made inside another travels by value, so it runs anywhere
        try:
            from ultracurate import __version__
        except ImportError:
            return "none"
        return __version__

    ours = version_there()
    found = {scheduler: client.run_on_scheduler(version_there)} | client.run(version_there)
    if wrong := [f"{place} has {version}" for place, version in sorted(found.items()) if version != ours]:
        raise ConfigError(
            f"Expected ultracurate {ours} in every process of the Dask cluster; {', '.join(wrong[:3])}"
            f"{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}. Install {ours} there and start them again."
        )


def _lost(job: Any, error: BaseException) -> Any:
    return Outcome(getattr(job, "id", "?"), failure=f"{type(error).__name__}: {error}")
