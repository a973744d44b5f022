from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.bench import Bench, manifest
from ultracurate.core.config import parse
from ultracurate.core.errors import ConfigError
from ultracurate.stages.split import SplitConfig, side_of

Rows = list[dict[str, Any]]


def frame(id: str, group: str, official: str | None = None, dataset: str = "toy") -> dict[str, Any]:
    return {"sample_id": id, "group_id": group, "official_split": official, "dataset": dataset}


def sides(bench: Bench, rows: Rows) -> dict[str, str]:
    result, _ = bench.call("split", rows)
    assert not result.rejects.num_rows
    return dict(zip(result.rows["sample_id"].to_pylist(), result.rows["split"].to_pylist(), strict=True))


def test_shares_are_kept_over_many_groups() -> None:
    counts = Counter(side_of(f"group {n}", 0, 0.05, 0.10) for n in range(20_000))
    assert counts["val"] / 20_000 == pytest.approx(0.05, abs=0.006)
    assert counts["test"] / 20_000 == pytest.approx(0.10, abs=0.008)


def test_another_seed_deals_anew() -> None:
    first, second = ([side_of(f"group {n}", seed, 0.3, 0.3) for n in range(500)] for seed in (0, 1))
    assert first != second
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 300


@pytest.mark.parametrize(("val", "test", "side"), [(0.0, 0.0, "train"), (1.0, 0.0, "val"), (0.0, 1.0, "test")])
def test_the_extremes(val: float, test: float, side: str) -> None:
    assert {side_of(f"group {n}", 0, val, test) for n in range(200)} == {side}


def test_a_larger_val_takes_from_train_only() -> None:
    for n in range(500):
        before, after = (side_of(f"group {n}", 0, val, 0.1) for val in (0.05, 0.2))
        assert after == before or (before, after) == ("train", "val")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from([None, "train", "val", "test"])), min_size=1, max_size=40),
    st.data(),
)
def test_groups_stay_whole_and_the_answer_of_one_never_depends_on_others(
    drawn: list[tuple[int, str | None]], data: st.DataObject
) -> None:
    bench = Bench("memory://bench", stages={"split": {"val": 0.3, "test": 0.3}})
    rows = [frame(f"s{n}", f"g{group}", official) for n, (group, official) in enumerate(drawn)]
    found = sides(bench, rows)
    of_group: dict[str, set[str]] = {}
    for row in rows:
        of_group.setdefault(row["group_id"], set()).add(found[row["sample_id"]])
    assert all(len(seen) == 1 for seen in of_group.values())
    keep = data.draw(st.sets(st.sampled_from(sorted(of_group))))
    fewer = [row for row in rows if row["group_id"] in keep]
    if fewer:
        assert sides(bench, fewer) == {row["sample_id"]: found[row["sample_id"]] for row in fewer}
    assert sides(bench, data.draw(st.permutations(rows))) == found


@pytest.mark.parametrize(
    ("officials", "side"),
    [(("train", "test"), "test"), (("val", "train"), "val"), (("val", "test", "train"), "test"), (("train",), "train")],
)
def test_a_torn_group_goes_to_the_strictest_side_it_touches(
    tmp_path: Path, officials: tuple[str, ...], side: str
) -> None:
    bench = Bench(tmp_path)
    rows = [frame(f"s{n}", "g", official) for n, official in enumerate((*officials, None))]
    result, ctx = bench.call("split", rows)
    assert set(result.rows["split"].to_pylist()) == {side}
    assert (ctx.counters["groups_torn_by_official_split"] > 0) is (len(officials) > 1)


def test_official_splits_can_be_ignored(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages={"split": {"official": False, "val": 0.0, "test": 0.0}})
    assert sides(bench, [frame("s", "g", "test")]) == {"s": "train"}


@pytest.mark.parametrize("official", [True, False])
def test_held_out_datasets_are_never_in_train(tmp_path: Path, official: bool) -> None:
    bench = Bench(
        tmp_path,
        manifest(),
        manifest("benchmark", held_out=["SomeBench"]),
        stages={"split": {"official": official, "val": 0.0, "test": 0.0}},
    )
    rows = [frame(f"h{n}", f"h{n}", side, "benchmark") for n, side in enumerate(["train", "val", "test", None])]
    found = sides(bench, [*rows, frame("mine", "mine")])
    assert found.pop("mine") == "train"
    assert set(found.values()) == {"test"}


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"val \+ test must not exceed 1"):
        parse(SplitConfig, {"val": 0.6, "test": 0.5}, "settings")
