from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.conftest import FakeTime
from ultracurate.sources import SourceContext
from ultracurate.sources._limits import TokenBucket, shared_bucket


@settings(max_examples=40, deadline=None)
@given(per_minute=st.integers(1, 200), idle=st.lists(st.floats(0, 90), min_size=30, max_size=120))
def test_no_minute_holds_more_than_the_limit(per_minute: int, idle: list[float]) -> None:
    time = FakeTime()
    bucket = TokenBucket(per_minute, time.clock, time.sleep)
    went: list[float] = []
    for pause in [*idle, *[0.0] * 300]:
        time.now += pause
        bucket.take()
        went.append(time.now)
    for first in range(len(went)):
        assert sum(went[first] <= moment < went[first] + 60 - 1e-6 for moment in went) <= per_minute


def test_a_few_requests_go_at_once() -> None:
    time = FakeTime()
    bucket = TokenBucket(30, time.clock, time.sleep)
    for _ in range(7):
        bucket.take()
    assert time.slept == []


def test_one_bucket_for_a_host_and_class() -> None:
    time = FakeTime()
    one = shared_bucket("h", "k", 30, time.clock, time.sleep)
    assert one is shared_bucket("h", "k", 30, time.clock, time.sleep)
    assert one is not shared_bucket("other", "k", 30, time.clock, time.sleep)


def test_limits_are_settings_from_narrow_to_wide() -> None:
    context = SourceContext(limits={"zenodo.search": 5, "zenodo": 0, "*": 7})
    assert context.limit("zenodo.search", 30) == 5
    assert context.limit("zenodo", 133) is None
    assert context.limit("http", 0) == 7
    assert SourceContext().limit("zenodo", 133) == 133
