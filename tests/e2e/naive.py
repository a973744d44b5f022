"""A client as it is written in a notebook, ours beside it, and the hosts that both of them ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import requests

from tests.sources.conftest import FakeTime
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.phantom.hosts.faults import NONE, Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, Source, SourceContext, SourceError, create_source

CAUGHT: dict[str, list[Callable[..., None]]] = {}
"""Tests by the name of the trap that they prove to be caught."""
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
Test = TypeVar("Test", bound=Callable[..., None])


def trap(*names: str) -> Callable[[Test], Test]:
    """Note that a test proves these traps."""

    def mark(test: Test) -> Test:
        for name in names:
            CAUGHT.setdefault(name, []).append(test)
        return test

    return mark


class Notebook:
    """Follows links, saves bodies, trusts the status, goes on by size, waits as long as it is told to."""

    def __init__(self) -> None:
        self.told_to_wait: list[float] = []
        """Seconds of each Retry-After that it would have slept."""
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, url: str, **more: Any) -> requests.Response:
        """One answer, whatever it is."""
        response = self._session.get(url, **{"timeout": 5, **more})
        if "Retry-After" in response.headers:
            self.told_to_wait.append(float(response.headers["Retry-After"]))
        return response

    def json(self, url: str, **more: Any) -> Any:
        """The parsed body, whatever its status."""
        return self.get(url, **more).json()

    def post(self, url: str, data: Any) -> requests.Response:
        """The answer to a question in JSON."""
        return self._session.post(url, json=data, timeout=5)

    def head(self, url: str) -> requests.Response:
        """A look whether a file is there, and how large it is."""
        return self._session.head(url, timeout=5, allow_redirects=True)

    def save(self, url: str, path: Path, **more: Any) -> Path:
        """The body in a file; one that is there already is not fetched again."""
        if path.exists():
            return path
        with self.get(url, stream=True, **more) as response:
            response.raise_for_status()
            with path.open("wb") as file:
                for piece in response.iter_content(10_000):
                    file.write(piece)
        return path

    def go_on(self, url: str, path: Path, times: int = 3) -> Path:
        """The rest of a file behind what is there of it, until an answer ends without an error."""
        for _ in range(times):
            done = path.stat().st_size if path.exists() else 0
            with suppress(*BROKEN), self.get(url, headers={"Range": f"bytes={done}-"}, stream=True) as response:
                with path.open("ab") as file:
                    for piece in response.iter_content(10_000):
                        file.write(piece)
                break
        return path

    def close(self) -> None:
        """Close its connections."""
        self._session.close()


class Duel:
    """Context manager: local hosts with some records and faults, for a naive client first and for ours then.

    Leaving it fails unless both have asked something: a trap that only one of them met proves nothing.
    """

    def __init__(self, *records: HostRecord, faults: Faults = NONE, **settings: Any) -> None:
        self.faults, self._settings = faults, settings
        self.clock = FakeTime()
        self.hosts = LocalHosts(records, faults)
        self.naive = Notebook()
        self._asked_before: int | None = None

    def __enter__(self) -> Duel:
        self.hosts.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.naive.close()
        total, before = len(self.hosts.requests), self._asked_before
        self.hosts.__exit__(kind, error, trace)
        if kind is None and not (before and total > before):
            raise RuntimeError(f"Expected that both clients ask; found {before} requests before ours, {total} in all")

    def url(self, host: str, path: str = "") -> str:
        """An address on a host."""
        return self.hosts.hosts[host] + path

    def offences(self) -> list[str]:
        """What the naive client gave away; forgiven with this call."""
        found = list(self.hosts.offences)
        self.hosts.offences.clear()
        return found

    def ours(self, host: str, **more: Any) -> Source:
        """Our source for a host, its waits counted and not slept; all faults are fresh from here on."""
        self.hosts.faults = self.faults
        if self._asked_before is None:
            self._asked_before = len(self.hosts.requests)
        settings: dict[str, Any] = {"limits": {"*": 0}, "environ": {}, "timeout": (2.0, 2.0), "retries": 3}
        settings |= {"hosts": self.hosts.hosts, "sleep": self.clock.sleep, "clock": self.clock.clock}
        return create_source(host, SourceContext(**settings | self._settings | more))

    def asked_by_ours(self) -> Iterator[Any]:
        """What ours has asked so far."""
        yield from self.hosts.requests[self._asked_before :]


def zenodo(*files: HostFile, id: str = "77", **more: Any) -> HostRecord:
    """A record at Zenodo."""
    return HostRecord("zenodo", id, more.pop("title", "Fetal ultrasound"), files=files, **more)


def ref(host: str, record: str, *names: str) -> SourceRef:
    """What a manifest says of a source."""
    return SourceRef(host=host, record=record, files=[FileRef(name=name) for name in names])


def bare(file: RemoteFile) -> RemoteFile:
    """A file as a table gives it back, on another day."""
    return RemoteFile(file.name, file.url, file.size, file.checksum)


def body(file: HostFile) -> bytes:
    """All bytes of a host's file."""
    return b"".join(file.pieces())


def refusal(take: Callable[[], object]) -> SourceError:
    """The error that ours ends with; an end without one is a failure."""
    try:
        take()
    except SourceError as exc:
        return exc
    raise AssertionError("expected a SourceError, found none")
