"""Where manifests, recipes and ontology lie: in the checkout first, else inside the installed package.

An editable install copies data files once and the copies go stale, so a checkout always wins.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ultracurate.core.errors import ConfigError

PROJECT = "ultracurate"


def manifests_dir() -> Path:
    """Folder of the shipped dataset manifests, one `<slug>.yaml` each."""
    return data_root() / "manifests" / "datasets"


def recipes_dir() -> Path:
    """Folder of the shipped recipes, one `<name>.yaml` each."""
    return data_root() / "manifests" / "recipes"


def ontology_dir() -> Path:
    """Folder of the shipped ontology: anatomy, views, pathology, modality."""
    return data_root() / "ontology"


def data_root(package: Path | None = None) -> Path:
    """Folder that holds `manifests/` and `ontology/`, for this package folder (default: our own)."""
    folder = package if package is not None else Path(str(resources.files(PROJECT)))
    if checkout := _find_checkout(folder):
        return checkout
    shipped = folder / "_data"
    if (shipped / "manifests").is_dir():
        return shipped
    raise ConfigError(
        f"Expected the manifests in a checkout of {PROJECT} above {folder} or in {shipped}, found neither. "
        f"Install the package again: pip install --force-reinstall {PROJECT}"
    )


def _find_checkout(folder: Path) -> Path | None:
    """The nearest folder above with `manifests/` beside a pyproject.toml of this project."""
    for parent in folder.resolve().parents:
        project_file = parent / "pyproject.toml"
        if not (parent / "manifests").is_dir() or not project_file.is_file():
            continue
        try:
            if _project_name(project_file.read_bytes()) == PROJECT:
                return parent
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError):
            continue  # somebody else's broken project above us is not our business
    return None


@lru_cache(maxsize=8)
def _project_name(text: bytes) -> str | None:
    """The name in a pyproject.toml; parsing it takes longer than all else that a command looks up."""
    name = tomllib.loads(text.decode("utf-8")).get("project", {}).get("name")
    return str(name) if name else None
