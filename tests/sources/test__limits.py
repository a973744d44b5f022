from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.conftest import FakeTime, MakeContext
from ultracurate.sources import SourceContext
from ultracurate.sources._limits import BURST, Pacer, bandwidth_pacer, place, shared_pacer


def minute_pacer(per_minute: float, now: FakeTime, file: Path | None = None) -> Pacer:
    context = SourceContext(clock=now.clock, sleep=now.sleep, shared=file)
    return shared_pacer(context, "h", "k", per_minute)


@settings(max_examples=40, deadline=None)
@given(per_minute=st.integers(1, 200), idle=st.lists(st.floats(0, 90), min_size=30, max_size=120))
def test_no_minute_holds_more_than_the_limit(per_minute: int, idle: list[float]) -> None:
    now = FakeTime()
    pacer = minute_pacer(per_minute, now)
    went: list[float] = []
    for pause in [*idle, *[0.0] * 300]:
        now.now += pause
        pacer.take()
        went.append(now.now)
    for first in range(len(went)):
        assert sum(went[first] <= moment < went[first] + 60 - 1e-6 for moment in went) <= per_minute


def test_a_few_requests_go_at_once() -> None:
    now = FakeTime()
    pacer = minute_pacer(30, now)
    for _ in range(int(30 * BURST)):
        pacer.take()
    assert now.slept == []


def test_one_pacer_for_a_host_and_class() -> None:
    now = FakeTime()
    context = SourceContext(clock=now.clock, sleep=now.sleep)
    one = shared_pacer(context, "h", "k", 30)
    assert one is shared_pacer(context, "h", "k", 30)
    assert one is not shared_pacer(context, "other", "k", 30)


def test_two_processes_share_one_limit(tmp_path: Path) -> None:
    """Two pacers over one folder, as two processes have them: together they stay under the limit."""
    now = FakeTime()
    pacers = [Pacer(0.5, 2, now.clock, now.sleep, tmp_path / "x") for _ in range(2)]
    for n in range(12):
        pacers[n % 2].take()
    assert now.now >= (12 - 2) / 0.5


def test_a_hold_counts_for_all_processes(tmp_path: Path) -> None:
    now = FakeTime()
    one, other = (Pacer(100, 50, now.clock, now.sleep, tmp_path / "x") for _ in range(2))
    one.hold(30)
    other.take()
    assert now.now == 30


def test_what_a_machine_wrote_before_its_restart_means_nothing(tmp_path: Path) -> None:
    now = FakeTime()
    (tmp_path / "x").write_text("90000000.0 90000000.0")
    Pacer(1, 1, now.clock, now.sleep, tmp_path / "x").take()
    assert now.slept == []
    (tmp_path / "x").write_text("12.")  # cut in the middle
    Pacer(1, 1, now.clock, now.sleep, tmp_path / "x").take()
    assert now.slept == []


def test_bytes_have_a_cap_over_all_hosts() -> None:
    now = FakeTime()
    pacer = bandwidth_pacer(SourceContext(bandwidth=2.0, clock=now.clock, sleep=now.sleep))
    assert pacer is not None
    for _ in range(80):
        pacer.take(250_000)
    assert 9 <= now.now <= 10  # 20 MB at 2 MB/s, a quarter of a second's worth ahead
    assert bandwidth_pacer(SourceContext()) is None


def _stay(folder: str, entered: str, seconds: float) -> None:
    with place(SourceContext(shared=Path(folder)), "zenodo", 1):
        Path(entered).touch()
        time.sleep(seconds)


def test_places_are_shared_by_processes_and_freed_by_a_kill(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_stay, args=(str(tmp_path / "s"), str(tmp_path / "in"), 60.0))
    process.start()
    try:
        end = time.monotonic() + 30
        while not (tmp_path / "in").exists() and time.monotonic() < end:
            time.sleep(0.02)
        got = threading.Event()

        def enter() -> None:
            with place(SourceContext(shared=tmp_path / "s"), "zenodo", 1):
                got.set()

        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        assert not got.wait(0.4)
        process.kill()
        assert got.wait(20)
        waiting.join(5)
    finally:
        process.kill()
        process.join()


def test_no_more_than_so_many_at_once_in_one_process(tmp_path: Path, make_context: MakeContext) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def visit(context: SourceContext) -> None:
        nonlocal inside, most
        with place(context, "kaggle", 9):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.03)
            with lock:
                inside -= 1

    context = SourceContext(parallel={"kaggle": 3}, shared=tmp_path)
    threads = [threading.Thread(target=visit, args=(context,)) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_limits_are_settings_from_narrow_to_wide() -> None:
    context = SourceContext(limits={"zenodo.search": 5, "zenodo": 0, "*": 7}, parallel={"zenodo": 0, "*": 3})
    assert context.limit("zenodo.search", 30) == 5
    assert context.limit("zenodo", 133) is None
    assert context.limit("http", 0) == 7
    assert SourceContext().limit("zenodo", 133) == 133
    assert (context.at_once("zenodo", 2), context.at_once("kaggle", 4), SourceContext().at_once("kaggle", 4)) == (
        None,
        3,
        4,
    )
