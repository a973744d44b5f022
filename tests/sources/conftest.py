from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sources.origin import Origin
from ultracurate.sources import SourceContext


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def elsewhere(origin: Origin) -> Iterator[Origin]:
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


MakeContext = Callable[..., SourceContext]


@pytest.fixture
def make_context(fake_time: FakeTime) -> MakeContext:
    def make(**changes: Any) -> SourceContext:
        settings: dict[str, Any] = {
            "limits": {"*": 0},
            "environ": {},
            "sleep": fake_time.sleep,
            "clock": fake_time.clock,
            "timeout": (2.0, 2.0),
        }
        return SourceContext(**settings | changes)

    return make
