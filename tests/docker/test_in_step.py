from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from packaging.specifiers import SpecifierSet

from ultracurate.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
FILES = sorted(DOCKER.glob("*.Dockerfile"))
SBATCH = DOCKER / "slurm" / "run.sbatch"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def instructions(path: Path) -> list[tuple[str, str]]:
    """(instruction, arguments) in order, continued lines joined, comments dropped."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE))
    return [
        (word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def values(path: Path, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(path) if word == instruction]


def system_packages(path: Path) -> set[str]:
    runs = " && ".join(values(path, "RUN"))
    found = re.search(r"apt-get install (.*?) &&", runs)
    assert found
    return {word for word in found[1].split() if not word.startswith("-")}


def services() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return data


def service_command(name: str) -> list[str]:
    return [_DEFAULT.sub(r"\1", word) for word in services()[name]["command"]]


def check_words(words: list[str]) -> None:
    """The first word is an installed script; the rest parses as that program would parse it."""
    assert words[0] in {entry.name for entry in entry_points(group="console_scripts")}
    command: Any = typer.main.get_command(app)
    if words[0] == "dask":
        words = words[1:]
        command = {entry.name: entry for entry in entry_points(group="dask_cli")}[words[0]].load()
    rest = words[1:]
    while hasattr(command, "commands"):
        assert rest[0] in command.commands, f"no command {rest[0]!r}"
        command = command.commands[rest.pop(0)]
    command.make_context(words[0], rest)


def test_both_images_are_there() -> None:
    assert [path.name for path in FILES] == ["cpu.Dockerfile", "gpu.Dockerfile"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_base_is_pinned_to_a_patch_release(path: Path) -> None:
    for base in values(path, "FROM"):
        assert re.search(r":\d+\.\d+\.\d+", base), base


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_python_satisfies_the_project(path: Path) -> None:
    from_base = re.findall(r"^python:(\d+\.\d+\.\d+)", values(path, "FROM")[0])
    from_system = [
        f"{name.removeprefix('python')}.0" for name in system_packages(path) if re.fullmatch(r"python3\.\d+", name)
    ]
    versions = from_base + from_system
    assert versions
    assert all(version in SpecifierSet(PROJECT["requires-python"]) for version in versions)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_extras_exist_and_bring_the_stages(path: Path) -> None:
    asked = re.findall(r"pip install [^&]*'\.\[([^\]]+)\]'", " ".join(values(path, "RUN")))
    assert asked
    extras = set(asked[0].split(","))
    assert extras <= PROJECT["optional-dependencies"].keys()
    assert {"etl", "s3"} <= extras or extras == {"all"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_system_packages_are_those_of_the_makefile(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    target = makefile.split("\ntesseract:", 1)[1].split("\n\n", 1)[0]
    needed = set(re.findall(r"apt-get install -y -qq (\S+)", target))
    assert needed
    assert {name for name in system_packages(path) if not name.startswith("python3")} == needed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_last_user_is_not_root(path: Path) -> None:
    user = values(path, "USER")[-1]
    assert user not in ("root", "0")
    uid = re.search(rf"useradd --uid (\d+) .*\b{user}\b", " ".join(values(path, "RUN")))
    assert uid
    assert services()["run"]["user"] == f"${{RUN_AS:-{uid[1]}}}"
    assert [word for word, _ in instructions(path)].index("USER") > [word for word, _ in instructions(path)].index(
        "RUN"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_copied_is_there_and_enough_for_the_wheel(path: Path) -> None:
    copied = {name for rest in values(path, "COPY") for name in rest.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", *build["force-include"]}
    assert needed | {name.split("/")[0] for name in build["packages"]} == copied


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_default_command_is_valid(path: Path) -> None:
    assert values(path, "CMD") == ['["ultracurate", "--help"]']


def test_no_address_and_no_secret_is_written_down() -> None:
    for path in (*FILES, DOCKER / "compose.yaml", SBATCH):
        text = path.read_text()
        assert not re.search(r"https?://|--index-url|--extra-index-url|\bARG \w*(TOKEN|PASSWORD|KEY)", text), path.name
        assert not re.search(r"(TOKEN|SECRET|PASSWORD|KEY)\w*[:=] *[\"']?\w", text), path.name


@pytest.mark.parametrize("name", ["scheduler", "worker", "run"])
def test_service_command_is_valid(name: str) -> None:
    check_words(service_command(name))


def test_a_wrong_service_command_would_be_noticed() -> None:
    with pytest.raises(Exception, match=r"[Nn]o such option"):
        check_words(["dask", "worker", "tcp://scheduler:8786", "--nprocs", "1"])


def test_services_meet_at_one_scheduler_and_one_work_directory() -> None:
    port = service_command("scheduler")[service_command("scheduler").index("--port") + 1]
    assert f"tcp://scheduler:{port}" in service_command("worker")
    run = service_command("run")
    assert run[run.index("--scheduler") + 1] == f"tcp://scheduler:{port}"
    targets = {volume.rsplit("}:", 1)[1] for volume in services()["run"]["volumes"]}
    assert targets == {"/data:ro", run[run.index("--work") + 1]}
    assert run[run.index("--recipe") + 1].startswith("/data/")
    assert all(service["volumes"] == services()["run"]["volumes"] for service in services().values())


def test_compose_builds_a_file_that_exists() -> None:
    for service in services().values():
        context = (DOCKER / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()


def test_a_scheduler_of_ones_own_allows_as_many_lost_workers_as_ours() -> None:
    from ultracurate.execution.dask import ALLOWED_FAILURES

    name = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"
    assert services()["scheduler"]["environment"][name] == str(ALLOWED_FAILURES)
    assert f"export {name}={ALLOWED_FAILURES}\n" in SBATCH.read_text()
    assert f"export {name}={ALLOWED_FAILURES}\n" in (ROOT / "docs" / "guide-cluster.md").read_text()


def test_slurm_script_is_shell_and_its_commands_are_valid() -> None:
    subprocess.run(["bash", "-n", str(SBATCH)], check=True)
    lines = [line.removesuffix(" &").removeprefix("srun ") for line in SBATCH.read_text().splitlines()]
    found = [shlex.split(line) for line in lines if line.startswith(("dask ", "ultracurate "))]
    assert [words[:2] for words in found] == [["dask", "scheduler"], ["dask", "worker"], ["ultracurate", "run"]]
    for words in found:
        check_words([re.sub(r"^\$port$", "8786", word) for word in words])


def test_slurm_script_says_what_it_needs() -> None:
    done = subprocess.run(["bash", str(SBATCH)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "usage: sbatch run.sbatch RECIPE WORK" in done.stderr
