from __future__ import annotations

from pathlib import Path

import pytest

from ultracurate.core import resources
from ultracurate.core.errors import ConfigError


def checkout(folder: Path, name: str = "ultracurate") -> Path:
    package = folder / "pipeline" / "ultracurate"
    package.mkdir(parents=True)
    (folder / "manifests").mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n', encoding="utf-8")
    return package


def with_data(package: Path) -> Path:
    (package / "_data" / "manifests").mkdir(parents=True)
    return package / "_data"


def test_the_checkout_goes_before_installed_data(tmp_path: Path) -> None:
    package = checkout(tmp_path)
    with_data(package)
    assert resources.data_root(package) == tmp_path


def test_an_installed_package_uses_its_own_data(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "ultracurate"
    package.mkdir(parents=True)
    shipped = with_data(package)
    assert resources.data_root(package) == shipped


def test_a_foreign_project_around_the_package_is_not_our_checkout(tmp_path: Path) -> None:
    package = checkout(tmp_path, name="another")
    shipped = with_data(package)
    assert resources.data_root(package) == shipped
    (tmp_path / "pyproject.toml").write_text("[project\nbroken", encoding="utf-8")
    assert resources.data_root(package) == shipped


def test_the_nearest_checkout_wins(tmp_path: Path) -> None:
    checkout(tmp_path)
    inner = checkout(tmp_path / "work" / "copy")
    assert resources.data_root(inner) == tmp_path / "work" / "copy"


def test_neither_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Install the package again"):
        resources.data_root(tmp_path / "ultracurate")


def test_the_real_folders_exist() -> None:
    assert (resources.manifests_dir() / "busi.yaml").is_file()
    assert (resources.recipes_dir() / "samples.yaml").is_file()
    assert (resources.ontology_dir() / "anatomy.yaml").is_file()
