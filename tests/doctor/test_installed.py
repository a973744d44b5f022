from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from ultracurate.doctor import installed
from ultracurate.doctor.installed import STOPS, Part, look, machine, packages


def test_everything_this_checkout_needs_is_named_with_its_version() -> None:
    parts = {part.name: part for part in look() if part.needed}
    stated = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = {line.split(">")[0] for line in stated["dependencies"]}
    known = set(parts) - {"Python", "ultracurate"}
    assert known <= names  # one that was added since the last installation is not known to it yet
    assert {"numpy", "requests", "pyarrow"} <= known
    assert parts["numpy"] == Part(
        "numpy", "needed", version("numpy"), "", "ultracurate does not start, or fails on the way"
    )
    assert [part.problem for part in parts.values() if part.problem] == []


def test_every_extra_that_brings_packages_says_what_its_lack_stops() -> None:
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    bring = {name for name, lines in extras["optional-dependencies"].items() if not lines[0].startswith("ultracurate")}
    assert bring == set(STOPS)
    assert {part.group for part in look()} == bring | {"needed", "program"}


def test_a_missing_extra_says_how_to_get_it_and_is_not_needed() -> None:
    (part,) = packages(["no-such-package-at-all>=3; extra == 'dicom'"])
    assert (part.version, part.needed) == (None, False)
    assert part.problem == "missing: pip install 'ultracurate[dicom]'"
    assert "DICOM" in part.stops


def test_a_missing_dependency_is_needed_and_comes_first() -> None:
    parts = packages(["av>=14; extra == 'video'", "no-such-package-at-all>=3"])
    assert [(part.name, part.needed) for part in parts] == [("no-such-package-at-all", True), ("av", False)]
    assert parts[0].problem == "missing: pip install ultracurate"


@pytest.mark.parametrize(
    ("bound", "old"), [(">=9999", True), (">=2.1", False), ("", False), ("!=1.0,>=9999.1", True), ("==2.*", False)]
)
def test_a_package_older_than_we_ask_for_is_told(bound: str, old: bool) -> None:
    (part,) = packages([f"numpy{bound}"])
    assert bool(part.problem) == old
    assert ("newer" in part.problem) == old


def test_versions_compare_by_number_and_not_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "version", lambda name: "10.0")
    assert packages(["numpy>=9.2"])[0].problem == ""
    monkeypatch.setattr(installed, "version", lambda name: "3")
    assert packages(["numpy>=3.0.0"])[0].problem == ""


def script(folder: Path, text: str) -> None:
    file = folder / "tesseract"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "shown", "problem"),
    [
        ("echo 'tesseract v5.4.1-9'", "5.4.1-9", ""),
        ("echo 'tesseract 4.1' >&2", "4.1", ""),
        ("echo hello", "unknown version", ""),
        ("exit 7", None, "code 7"),
    ],
)
def test_a_program_is_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, shown: str | None, problem: str
) -> None:
    script(tmp_path, text)
    monkeypatch.setenv("PATH", str(tmp_path))
    part = next(part for part in look() if part.name == "tesseract")
    assert part.version == shown
    assert problem in part.problem
    assert bool(part.problem) == bool(problem)


def test_without_programs_it_says_what_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    parts = {part.name: part for part in look() if part.group == "program"}
    assert set(parts) == {"tesseract", "curl"}
    assert all(part.problem.startswith("missing: ") and part.stops and not part.needed for part in parts.values())


def test_the_machine_has_cores_memory_and_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine()
    assert found["cores"] >= 1
    assert found["free_bytes"] > 0
    limit = tmp_path / "memory.max"
    limit.write_text("1048576\n")
    monkeypatch.setattr(installed, "_LIMIT", limit)
    assert machine()["memory_bytes"] == 1 << 20  # a container's limit counts, not the machine's memory
    limit.write_text("max\n")
    assert machine()["memory_bytes"] > 1 << 20
