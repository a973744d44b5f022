from __future__ import annotations

from collections.abc import Iterator

from ultracurate.execution.serial import SerialExecutor


def test_jobs_run_in_order_one_at_a_time() -> None:
    seen: list[str] = []

    def jobs() -> Iterator[int]:
        for n in range(3):
            seen.append(f"given {n}")
            yield n

    def work(n: int) -> int:
        seen.append(f"done {n}")
        return n * n

    outcomes = SerialExecutor(workers=8, scheduler="ignored").map(work, jobs())
    assert seen == [], "nothing before it is asked for"
    assert list(outcomes) == [0, 1, 4]
    assert seen == [f"{word} {n}" for n in range(3) for word in ("given", "done")]
