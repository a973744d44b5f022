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
    assert "--root lab=PATH" in shown
