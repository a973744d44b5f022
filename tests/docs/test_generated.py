from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.docs.pages import ROOT, generator
from ultracurate.core.dataset import load_all
from ultracurate.core.resources import manifests_dir
from ultracurate.core.stage import chain


@pytest.mark.parametrize("name", ["stages.md", "datasets.md", "commands.md"])
def test_page_is_what_the_program_says_today(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == generator().PAGES[name](), f"docs/{name} is out of step: run `make docs` and commit the result"


def test_every_generated_page_is_checked() -> None:
    marked = {path.name for path in (ROOT / "docs").glob("*.md") if path.read_text().startswith(generator().HEAD)}
    assert marked == set(generator().PAGES)


def test_stages_page_names_every_setting_and_reason() -> None:
    page = (ROOT / "docs" / "stages.md").read_text()
    for stage in chain():
        section = page.split(f"\n## {stage.name}\n")[1].split("\n## ")[0]
        for word in (*stage.config.model_fields, *stage.reasons, *(f.name for f in stage.adds)):
            assert f"`{word}`" in section, f"{stage.name}: {word}"


def test_datasets_page_does_not_allow_more_than_a_licence_does() -> None:
    page = (ROOT / "docs" / "datasets.md").read_text()
    for slug, manifest in load_all(manifests_dir()).items():
        row = next(line for line in page.splitlines() if line.startswith(f"| [{slug}]"))
        may_share = row.split(" | ")[3] == "yes"
        assert may_share == (
            manifest.licence.terms.redistribution is True and manifest.licence.terms.derivatives is not False
        )


def test_table_cells_stay_in_one_cell() -> None:
    assert generator().table(("a", "b"), [("x|y", "two\nlines")]).splitlines()[2] == r"| x\|y | two lines |"


def test_picture_is_small_and_has_three_panels() -> None:
    path = generator().PICTURE
    assert path.stat().st_size < 300_000
    with Image.open(path) as image:
        assert image.size == (3 * 480 + 2 * 8, 360)


def test_picture_shows_the_invented_screen_and_no_other_data() -> None:
    with Image.open(generator().PICTURE) as image:
        before = np.asarray(image.convert("RGB"))[:, :480].astype(float)
    drawn = cv2.resize(generator().picture_case().image, (480, 360), interpolation=cv2.INTER_AREA)
    assert np.abs(before - drawn).mean() < 1.0


def test_every_panel_of_the_picture_is_a_method_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    case = generator().picture_case()
    monkeypatch.setattr(generator(), "SHOWN", ("none", "perfect"))
    drawn = generator().draw_picture(case)
    assert drawn.shape == (360, 3 * 480 + 2 * 8, 3)
    assert (drawn[:, :480] == drawn[:, 488:968]).all()
    assert (drawn[:, :480] != drawn[:, 976:]).any()
    told = generator().left_in_picture(case)
    marks = f"marks left, of {sum(mark.mask is not None for mark in case.marks)}"
    assert told["none"][marks] > 0
    assert told["perfect"][marks] == 0
