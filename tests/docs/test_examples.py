from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
import yaml
from typer.testing import CliRunner

from tests.docs.pages import ROOT, Block, blocks, pages, prose
from ultracurate.cli import app
from ultracurate.core.config import Recipe, load_recipe
from ultracurate.core.dataset import load_all, load_manifest
from ultracurate.core.layout import match_path
from ultracurate.core.resources import manifests_dir
from ultracurate.core.spec import resolve
from ultracurate.ontology.rules import check_manifest

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def command_lines() -> list[str]:
    found = []
    for block in blocks("bash"):
        found += [line for line in block.text.splitlines() if line.startswith("ultracurate ")]
    for page in pages():  # commands inside sentences, when they are whole: with an option or a known first word
        found += [text for text in re.findall(r"`(ultracurate [^`]*--[^`]*)`", prose(page)) if text.upper() != text]
    scripts = [ROOT / "docker" / "slurm" / "run.sbatch"]
    found += [line for path in scripts for line in path.read_text().splitlines() if line.startswith("ultracurate ")]
    return sorted({line for line in found if not re.search(r"\b(COMMAND|RECIPE|STAGE)\b", line)})


def check_command(line: str) -> None:
    """Parse one line as the command line itself would, without running it; raises on a wrong word or option."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        if words[0].startswith("-"):
            break  # an option of the program itself, such as --version
        assert words[0] in command.commands, f"no command {words[0]!r} in: {line}"
        command = command.commands[words.pop(0)]
    if "--help" in words or "--version" in words:
        return
    command.make_context("ultracurate", words)


@pytest.mark.parametrize("line", command_lines())
def test_command_is_valid(line: str) -> None:
    check_command(line)


@pytest.mark.parametrize(
    "line", ["ultracurate runn all", "ultracurate run all --recipe x --wrok y", "ultracurate run all"]
)
def test_a_wrong_command_would_be_noticed(line: str) -> None:
    with pytest.raises((AssertionError, Exception), match=r"no command|[Nn]o such option|[Mm]issing"):
        check_command(line)


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.name)
def test_links_resolve(page: Path) -> None:
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert file.is_relative_to(ROOT)
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in slugs, f"{page.name}: {target}"


def _is(block: Block, model: str) -> bool:
    data = yaml.safe_load(block.text)
    return isinstance(data, dict) and ("slug" in data) == (model == "manifest")


MANIFESTS = [block for block in blocks("yaml") if _is(block, "manifest")]
RECIPES = [block for block in blocks("yaml") if _is(block, "recipe")]


def write_manifest(block: Block, folder: Path) -> Path:
    path = folder / f"{yaml.safe_load(block.text)['slug']}.yaml"
    path.write_text(block.text)
    return path


def test_there_are_examples() -> None:
    assert {block.page for block in MANIFESTS} >= {"guide-own-dataset.md", "CONTRIBUTING.md"}
    assert {block.page for block in RECIPES} >= {"README.md", "guide-own-dataset.md"}
    assert {block.page for block in blocks("python")} >= {"README.md", "guide-first-run.md"}


@pytest.mark.parametrize("block", MANIFESTS, ids=lambda block: block.name)
def test_manifest_example_is_valid(block: Block, tmp_path: Path) -> None:
    manifest = load_manifest(write_manifest(block, tmp_path))
    assert check_manifest(manifest) == []
    assert manifest.slug not in load_all(manifests_dir()), "an example must not shadow a shipped dataset"


@pytest.mark.parametrize("block", RECIPES, ids=lambda block: block.name)
def test_recipe_example_is_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    for example in MANIFESTS:
        if example.page == block.page:
            write_manifest(example, tmp_path / "manifests")
    (tmp_path / "recipe.yaml").write_text(block.text)
    recipe: Recipe = load_recipe(tmp_path / "recipe.yaml")
    spec = resolve(recipe, load_all(manifests_dir(), tmp_path / "manifests"), "any")
    assert [problem for manifest in spec.manifests.values() for problem in check_manifest(manifest)] == []


def test_layout_of_the_guide_does_what_the_guide_says(tmp_path: Path) -> None:
    block = next(block for block in MANIFESTS if block.page == "guide-own-dataset.md")
    rules = load_manifest(write_manifest(block, tmp_path)).layout
    kinds = {
        "P001/left_1.png": "image",
        "P001/left_1.PNG": "image",
        "P001/left_1_mask.png": "mask",
        "P001/clip.mp4": "clip",
        "P001/day 2/clip.mp4": "clip",
        "findings.csv": "table",
        "notes/readme.txt": "ignore",
        "p001/left_1.png": None,
        "P001/top_1.png": None,
    }
    found = {path: match_path(rules, path) for path in kinds}
    assert {path: match and match.kind for path, match in found.items()} == kinds
    mask = found["P001/left_1_mask.png"]
    assert mask is not None
    assert mask.of == "P001/left_1.png"


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The README's own-data example, run over three pictures and a broken file: its folder, and what the run said."""
    import cv2

    from ultracurate.phantom.frame import make_frame

    folder = tmp_path_factory.mktemp("own")
    (folder / "clinic.yaml").write_text(next(block.text for block in RECIPES if block.page == "README.md"))
    for seed, name in enumerate(["benign/P001_1.png", "malignant/P002_1.png", "malignant/P003_1.png"]):
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = make_frame("thyroid", "linear", "plain", seed=seed, size=(96, 128), overlays=()).image
        cv2.imwrite(str(path), image)
    (folder / "images" / "benign" / "P004_1.png").write_bytes(b"")
    words = ["--recipe", str(folder / "clinic.yaml"), "--work", str(folder / "work")]
    done = CliRunner().invoke(app, ["run", "all", *words, "--set", "strip.method=none", "--json"])
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout)


def test_own_data_example_of_the_readme_runs(own_data: tuple[Path, Any]) -> None:
    folder, said = own_data
    assert (said["rows"]["shard"], said["error_rows"]) == (3, 1)
    shards = folder / "work" / "shards" / "clinic"
    checked = CliRunner().invoke(app, ["validate", "shards", str(shards)])
    assert checked.exit_code == 0, checked.output
    held = b"".join(path.read_bytes() for path in shards.iterdir())
    assert b"P002" not in held, "patient names must not reach the shards"


@pytest.mark.parametrize("block", list(blocks("python")), ids=lambda block: block.name)
def test_python_example_runs(block: Block, own_data: tuple[Path, Any]) -> None:
    work = own_data[0] / "work"
    tar = sorted(work.glob("shards/clinic/*.tar"))[0]
    text = block.text.replace("demo/work/shards/demo/demo-train-000000.tar", str(tar)).replace("demo/work", str(work))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("thyroid" if "webdataset" in text else "P004_1.png") in done.stdout
