"""Strict settings: pydantic models read from YAML and `--set`, canonical JSON for fingerprints, helpful errors."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ultracurate.core.errors import ConfigError
from ultracurate.core.yaml_file import read_yaml_file


class Settings(BaseModel):
    """Base of every settings model: unknown keys are errors, nothing is coerced, nothing changes after loading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


M = TypeVar("M", bound=BaseModel)

RUNTIME: dict[str, Any] = {"fingerprint": False}
"""`Field(json_schema_extra=RUNTIME)`: a setting that cannot change the result (hosts, speed limits)."""


class DatasetEntry(Settings):
    """One dataset of a recipe, with this recipe's overrides of its manifest."""

    slug: str
    overrides: dict[str, Any] = Field(default_factory=dict)
    manifest: dict[str, Any] | None = Field(
        default=None, description="The whole manifest, for a dataset of your own: then one file holds everything"
    )


class Recipe(Settings):
    """What to build: which datasets, with which stage settings.

    The order of `datasets` is a priority: of two exact copies the earlier dataset keeps its image, so a dataset
    appended at the end never changes what was built before.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str = ""
    datasets: list[str | DatasetEntry]
    seed: int = 0
    manifests: list[str] = Field(default_factory=list, description="More folders of dataset manifests")
    roots: dict[str, str] = Field(default_factory=dict, description="Named folders of the `local` source")
    hosts: dict[str, str] = Field(default_factory=dict, description="Base URLs that replace the public hosts")
    limits: dict[str, float] = Field(
        default_factory=dict, description="Requests a minute, by host (zenodo), class (zenodo.search) or *; 0: no limit"
    )
    parallel: dict[str, int] = Field(
        default_factory=dict, description="Downloads at the same time, by host or *, over the host's own number; 0: all"
    )
    bandwidth: float | None = Field(
        default=None, gt=0, description="Megabytes a second for all downloads of one machine together"
    )
    stages: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Settings by stage name")

    @model_validator(mode="after")
    def _something_to_do(self) -> Recipe:
        if not self.datasets and not self.stages.get("discover", {}).get("queries"):
            raise ValueError("datasets: expected at least one, or queries of the discover stage. Name a dataset")
        return self

    @model_validator(mode="after")
    def _no_logins(self) -> Recipe:
        for name, address in self.hosts.items():
            if "@" in address.partition("://")[2].partition("/")[0] or "?" in address:
                # Not a ValueError: pydantic would put the value, and so the login, into its message.
                raise ConfigError(
                    f"hosts.{name}: expected https://host[:port][/path] without login or query. Remove them: tokens "
                    "come from the environment"
                )
        return self

    @property
    def entries(self) -> tuple[DatasetEntry, ...]:
        """The datasets in the recipe's order, each with its overrides."""
        return tuple(DatasetEntry(slug=d) if isinstance(d, str) else d for d in self.datasets)


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces: equal settings give equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def digest(*parts: Any) -> str:
    """Sha256 (64 hex digits) over the canonical JSON of `parts`."""
    # Names of local files may hold bytes that are not UTF-8; Python carries them as lone surrogates.
    return hashlib.sha256(canonical(list(parts)).encode("utf-8", "backslashreplace")).hexdigest()


def fingerprint_fields(settings: BaseModel) -> dict[str, Any]:
    """The settings that can change a result, as plain data."""
    dumped = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra
        value = getattr(settings, name)
        if isinstance(extra, dict) and extra.get("fingerprint") is False:
            dumped.pop(name)
        elif isinstance(value, BaseModel):
            dumped[name] = fingerprint_fields(value)
    return dumped


def parse(model: type[M], data: Any, where: str) -> M:
    """Validate `data` as `model`; a `ConfigError` names `where`, the field and the nearest known key."""
    try:
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as exc:
        lines = [_explain(error, model) for error in exc.errors()]
        raise ConfigError(f"{where} is not valid:\n" + "\n".join(f"  - {line}" for line in lines)) from None


def _explain(error: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(step) for step in error["loc"]) or "(top level)"
    if error["type"] == "extra_forbidden":
        known = sorted(_known_keys(model, error["loc"][:-1]))
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{place}: unknown key.{hint} Known keys: {', '.join(known)}"
    if error["type"] in ("value_error", "assertion_error"):  # our own sentence; its input may be a whole section
        return f"{place}: {str(error['msg']).removeprefix('Value error, ')}"
    return f"{place}: {error['msg']}; found {_shorten(error.get('input'))}"


def _known_keys(model: type[BaseModel], loc: Sequence[Any]) -> set[str]:
    current: type[BaseModel] = model
    for step in loc:
        field = current.model_fields.get(str(step))
        inner = _inner_model(field.annotation) if field else None
        if inner is not None:
            current = inner
    return set(current.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in getattr(annotation, "__args__", ()) if (m := _inner_model(a))), None)


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_ROOT_VARIABLE = "ULTRACURATE_ROOT_"


def apply_sets(data: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """Merge `key=value` settings into recipe data: `frames.fps=2` means stage `frames`, `seed=1` the recipe itself."""
    merged: dict[str, Any] = json.loads(json.dumps(data, default=str))
    for item in sets:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {item!r}: expected key=value, for example --set frames.fps=2")
        node = merged
        path = _place(key)
        for step in path[:-1]:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise ConfigError(f"--set {item!r}: {step!r} is not a group of settings")
        try:
            node[path[-1]] = yaml.safe_load(text)
        except yaml.YAMLError as exc:
            problem = getattr(exc, "problem", None) or type(exc).__name__
            raise ConfigError(f"--set {item!r}: the value is not valid YAML: {problem}. Quote it") from None
    return merged


def _place(key: str) -> list[str]:
    head, _, rest = key.partition(".")
    if head in Recipe.model_fields and head != "stages":
        return [head, rest] if rest else [head]  # names may hold a dot: limits.zenodo.search
    stage, dot, name = key.removeprefix("stages.").rpartition(".")  # and so may stages: dedup.hash.crop
    if not dot:
        raise ConfigError(
            f"--set {key!r}: unknown recipe setting. "
            f"Use STAGE.SETTING=value, or one of: {', '.join(Recipe.model_fields)}"
        )
    return ["stages", stage, name]


def load_recipe(path: Path, sets: Sequence[str] = (), roots: Mapping[str, str] | None = None) -> Recipe:
    """A recipe file merged with `--set` and `--root`; relative roots and manifest folders become absolute.

    The place of a root is looked up in `roots` (--root), then ULTRACURATE_ROOT_<NAME>, then the recipe (there
    relative to its own file).
    """
    data = read_yaml_file(path)
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path} is not a recipe: expected a mapping with `name` and `datasets`, found {type(data).__name__}"
        )
    return recipe_of(data, path.parent, f"Recipe {path}", sets, roots)


def recipe_of(
    data: Mapping[str, Any], folder: Path, where: str, sets: Sequence[str] = (), roots: Mapping[str, str] | None = None
) -> Recipe:
    """Recipe data merged with `--set` and `--root`; relative folders are those of `folder`."""
    recipe = parse(Recipe, apply_sets(data, sets), where)
    places = {name: str((folder / place).resolve()) for name, place in recipe.roots.items()}
    spelled = {name.upper(): name for name in places}
    for variable, place in os.environ.items():
        name = variable.removeprefix(_ROOT_VARIABLE)
        if name != variable and name and place:  # a root that only a manifest names counts as well
            places[spelled.get(name, name.lower())] = str(Path(place).resolve())
    places |= {name: str(Path(place).resolve()) for name, place in (roots or {}).items()}
    folders = [str((folder / more).resolve()) for more in recipe.manifests]
    return recipe.model_copy(update={"roots": places, "manifests": folders})
