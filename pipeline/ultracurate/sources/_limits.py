"""Token buckets that keep requests under a host's known rate, shared by all sources of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable

BURST = 0.25
"""Share of a minute's requests that may go at once; the rest is spread, so no minute ever holds more than the limit."""


class TokenBucket:
    """Spreads requests so that any 60 seconds hold at most `per_minute` of them."""

    def __init__(self, per_minute: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.capacity = max(1.0, per_minute * BURST)
        self.rate = max(per_minute - self.capacity, per_minute * (1 - BURST) / 2) / 60  # tokens a second
        self._clock = clock
        self._sleep = sleep
        self._tokens = self.capacity
        self._seen = clock()
        self._not_before = self._seen
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until one more request may go; callers are served in their order of arrival."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self.capacity, self._tokens + (now - self._seen) * self.rate)
            self._seen = now
            self._tokens -= 1
            wait = max(-self._tokens / self.rate if self._tokens < 0 else 0.0, self._not_before - now)
        if wait > 0:
            self._sleep(wait)

    def hold(self, seconds: float) -> None:
        """Let nothing go for a while, because the host said that its limit is used up."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)


_buckets: dict[tuple[object, ...], TokenBucket] = {}
_lock = threading.Lock()


def shared_bucket(
    host: str, kind: str, per_minute: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> TokenBucket:
    """The bucket of this process for one class of requests to one host."""
    key = (host, kind, per_minute, clock, sleep)
    with _lock:
        if key not in _buckets:
            _buckets[key] = TokenBucket(per_minute, clock, sleep)
        return _buckets[key]
