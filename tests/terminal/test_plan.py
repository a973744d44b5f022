"""The plan of a recipe says what a person must do before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.lab import Lab
from ultracurate.arguments import open_spec
from ultracurate.core.store import Store
from ultracurate.terminal.plan import print_plan


@pytest.mark.parametrize(("recipe", "sets"), [("openus46", 46), ("echoatlas", 77)])
def test_a_recipe_of_the_papers_is_planned_before_there_is_a_work_directory(
    recipe: str, sets: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "not" / "there"
    spec = open_spec(recipe, None, None)
    print_plan(Store(work), spec, as_json=False)
    shown = capsys.readouterr().out
    assert f" of {sets} wait for a layout" in shown
    assert "KAGGLE_API_TOKEN" in shown
    assert "fill the request form" in shown
    assert "download by hand" in shown
    assert f"{sets} datasets: size of {sets} unknown." in shown
    assert not work.exists(), "a plan writes nothing"
    print_plan(Store(work), spec, as_json=True)
    plan = json.loads(capsys.readouterr().out)
    assert len(plan["datasets"]) == plan["summary"]["datasets"] == sets
    assert plan["bytes_known"] is None
    assert all(row["todo"] for row in plan["datasets"])


def test_the_known_part_of_the_size_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab(tmp_path)
    lab.describe(
        sources=[{"host": "local", "root": "lab", "files": [{"name": "a.png", "size": 1000}, {"name": "b.png"}]}]
    )
    print_plan(Store(lab.work), lab.spec(), as_json=False)
    assert "1 dataset: size of 1 unknown." in capsys.readouterr().out
    lab.describe(sources=[{"host": "local", "root": "lab", "files": [{"name": "a.png", "size": 5_000}]}])
    print_plan(Store(lab.work), lab.spec(), as_json=False)
    shown = capsys.readouterr().out
    assert "1 dataset: 5.0 KB known, size of none unknown." in shown
    assert "--root lab=PATH" not in shown, "the recipe says where it is, and it is there"
    assert "1 of 1 needs nothing" in shown


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab(tmp_path)
    lab.data.rmdir()
    print_plan(Store(lab.work), lab.spec(), as_json=True)
    plan = json.loads(capsys.readouterr().out)
    (todo,) = plan["datasets"][0]["todo"]
    assert todo.startswith(f"there is no {lab.data}")
    assert plan["summary"]["todo"] == {"folder": 1, "nothing": 0}


def test_a_reason_stands_once_however_many_runs_there_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab(tmp_path)
    lab.good(1)
    for fps in (1, 2, 4):
        lab.run(f"frames.fps={fps}")
    print_plan(Store(lab.work), lab.spec("frames.fps=8"), as_json=True)
    why = {step["stage"]: step["why"] for step in json.loads(capsys.readouterr().out)["stages"]}
    assert why["strip"] == "a stage before 'strip' changed"
    assert sorted(why["frames"].split("; ")) == [
        f"settings differ from an earlier run: fps: {fps} -> 8.0" for fps in ("1.0", "2.0", "4.0")
    ]
