"""The dataset manifest: everything known about one public dataset, as data, checked when it is read."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ultracurate.core.config import canonical, parse
from ultracurate.core.errors import ConfigError, ContractError
from ultracurate.core.layout import LayoutRule, Strict, compile_pattern, template_fields
from ultracurate.core.licences import Licence
from ultracurate.core.source_ref import FileRef, SourceRef
from ultracurate.core.yaml_file import read_yaml_file

__all__ = ["DatasetManifest", "FileRef", "SourceRef", "json_schema", "load_all", "load_manifest", "schema_text"]

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
"""Name of a dataset: lower case, digits, underscores."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
"""Id of the ontology; whether it exists is checked where the ontology is known."""


class Expected(Strict):
    """Counts that somebody stated, to compare with what is found; absent: nobody did."""

    files: int | None = Field(default=None, ge=0)
    images: int | None = Field(default=None, ge=0)
    clips: int | None = Field(default=None, ge=0)
    volumes: int | None = Field(default=None, ge=0)
    masks: int | None = Field(default=None, ge=0)
    patients: int | None = Field(default=None, ge=0)
    source: str | None = None
    """Who states these counts."""


class TableJoin(Strict):
    """Columns of a table in the dataset that become fields of each file."""

    file: str = Field(min_length=1)
    """Pattern of the table's path."""
    key: str = Field(min_length=1)
    """Column that names the file or patient."""
    on: str = Field(min_length=1)
    """Template over fields whose value is looked up in `key`."""
    columns: list[str] = Field(min_length=1)
    """Columns to add as fields, and no others."""
    sheet: str | None = Field(default=None, min_length=1)
    """Name of the sheet of an .xlsx workbook; absent: its first one."""

    @field_validator("file")
    @classmethod
    def _pattern(cls, value: str) -> str:
        compile_pattern(value)
        return value


class LabelRule(Strict):
    """Labels given to every file whose fields fit; all rules that fit apply."""

    when: dict[str, str | list[str]] = Field(default_factory=dict)
    """Field and its value, or several of them; empty: always."""
    positive: list[Id] = Field(default_factory=list)
    """Anatomy that is in the picture."""
    negative: list[Id] = Field(default_factory=list)
    """Anatomy that the source says is not in the picture."""
    view: list[Id] = Field(default_factory=list)
    pathology: list[Id] = Field(default_factory=list)
    modality: Id | None = None
    """Modality of these files, over the dataset's own."""


class OfficialSplit(Strict):
    """The split that the dataset's authors made."""

    field: str = Field(min_length=1)
    map: dict[str, Literal["train", "val", "test"]] = Field(min_length=1)
    """Value of the field to split; values not named here have none."""


class Overlap(Strict):
    """Another dataset that holds some of the same pictures."""

    dataset: Slug
    status: Literal["confirmed", "suspected"]
    note: str | None = None


class Use(Strict):
    """A published corpus that lists this dataset, and what its paper says about it."""

    corpus: Slug
    row: int = Field(ge=1)
    """Row in the paper's table; two manifests share a row that we split."""
    name: str = Field(min_length=1)
    """Name as printed there."""
    images: int | None = Field(default=None, ge=0)
    cases: int | None = Field(default=None, ge=0)


class Confidence(Strict):
    """How the facts of a manifest were established; absent: they were not found, or read in the files themselves."""

    licence: Literal["primary", "atlas", "secondary", "conflict"] | None = None
    """The owner's own words, a dated per-dataset record, somebody else's list, or sources that disagree."""
    content: Literal["read", "inferred"] | None = None
    """inferred: organ, species, modality and media come from the title alone; a proposal to be checked."""


class DatasetManifest(Strict):
    """One dataset. What is not known stays absent; nothing is guessed."""

    slug: Slug
    title: str = Field(min_length=1)
    aliases: list[str] = Field(default_factory=list)
    version: str | None = None
    status: Literal["ready", "needs_layout"] = "ready"
    """needs_layout: known, but nobody has looked at its files yet."""
    licence: Licence
    citation: str | None = None
    doi: str | None = Field(default=None, pattern=r"^10\.\d{4,9}/\S+$")
    access: Literal["open", "registration", "request", "manual"] | None = None
    """How the files are had; may be absent only while the status is needs_layout."""
    sources: list[SourceRef] = Field(min_length=1)
    media: list[Literal["image", "clip", "volume"]] = Field(default_factory=list)
    modality: Id | None = None
    """Modality of the whole dataset, where it has one."""
    species: list[Annotated[str, Field(pattern=r"^[a-z_]+$")]] = Field(default_factory=list)
    """human, porcine, phantom, synthetic."""
    annotations: list[Literal["class", "mask", "box", "landmark", "value", "report"]] = Field(default_factory=list)
    """What the authors provide beside the pictures, as far as known."""
    patient_key: bool | None = None
    """Whether the files say which picture is of which patient."""
    expected: Expected | None = None
    layout: list[LayoutRule] = Field(default_factory=list)
    """First rule that matches decides; without rules every file with a picture ending is an image."""
    tables: list[TableJoin] = Field(default_factory=list)
    group: str | None = Field(default=None, min_length=1)
    """Template over fields for what must stay on one side of a split: patient, else video, else volume."""
    labels: list[LabelRule] = Field(default_factory=list)
    split: OfficialSplit | None = None
    overlaps: list[Overlap] = Field(default_factory=list)
    held_out: list[str] = Field(default_factory=list)
    """Benchmarks that test on this dataset: never in train."""
    used_in: list[Use] = Field(default_factory=list)
    confidence: Confidence | None = None
    remarks: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _ready_is_reachable(self) -> DatasetManifest:
        if self.status == "ready" and self.access is None:
            raise ValueError("access: found none. Say how the files are had: open, registration, request or manual")
        return self

    @model_validator(mode="after")
    def _fields_exist(self) -> DatasetManifest:
        known = self.known_fields()
        captured = frozenset(name for rule in self.layout for name in rule.fields())
        uses: list[tuple[str, frozenset[str], frozenset[str]]] = [("group", template_fields(self.group or ""), known)]
        uses += [(f"tables.{n}.on", template_fields(join.on), captured) for n, join in enumerate(self.tables)]
        uses += [(f"labels.{n}.when", frozenset(rule.when), known) for n, rule in enumerate(self.labels)]
        if self.split is not None:
            uses.append(("split.field", frozenset({self.split.field}), known))
        for place, names, allowed in uses:
            for name in sorted(names - allowed):
                close = difflib.get_close_matches(name, allowed, n=1)
                todo = f"Did you mean '{close[0]}'?" if close else f"Known fields: {sorted(allowed) or 'none'}."
                raise ValueError(f"{place} uses field '{name}', which no layout rule captures or sets. {todo}")
        return self

    def known_fields(self) -> frozenset[str]:
        """Fields that some rule captures or sets, or some table adds."""
        rules = (name for rule in self.layout for name in rule.fields())
        return frozenset(rules) | {column for join in self.tables for column in join.columns}

    def section_digest(self, *names: str) -> str:
        """Sha256 over the canonical JSON of only these top-level fields (all of them if none is named).

        Values equal to their default count as absent, so a field added to the model later does not change the
        digest of manifests that do not use it.
        """
        if wrong := set(names) - type(self).model_fields.keys():
            raise ContractError(f"section_digest: {sorted(wrong)} are not fields of a manifest")
        include = set(names) or set(type(self).model_fields)
        content = self.model_dump(mode="json", include=include, exclude_defaults=True)
        return hashlib.sha256(canonical(content).encode()).hexdigest()


def load_manifest(path: Path) -> DatasetManifest:
    """One manifest; ConfigError that names the file and every wrong field."""
    where = f"Manifest {path}"
    try:
        manifest = parse(DatasetManifest, read_yaml_file(path), where)
    except ConfigError as exc:
        raise exc if str(path) in str(exc) else ConfigError(f"{where}: {exc}") from None
    if manifest.slug != path.stem:
        raise ConfigError(
            f"Manifest {path}: slug: expected {path.stem!r}, as the file name says, found {manifest.slug!r}. "
            "Rename one of them"
        )
    return manifest


def load_all(*folders: Path) -> dict[str, DatasetManifest]:
    """All manifests of these folders by slug, sorted; a slug may be defined only once over all folders."""
    found: dict[str, DatasetManifest] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(f"{folder}: expected a folder of dataset manifests, found none. Check the path")
            continue
        for path in sorted(folder.glob("*.yaml")):
            try:
                manifest = load_manifest(path)
            except ConfigError as exc:
                problems.append(str(exc))
                continue
            if manifest.slug in found:
                problems.append(
                    f"{path}: slug '{manifest.slug}' is taken by {origin[manifest.slug]}. Choose another name"
                )
                continue
            found[manifest.slug], origin[manifest.slug] = manifest, path
    if problems:
        raise ConfigError("\n".join(problems))
    return dict(sorted(found.items()))


def json_schema() -> dict[str, Any]:
    """JSON schema of a manifest, for editors; `manifests/_schema.json` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **DatasetManifest.model_json_schema()}


def schema_text() -> str:
    """Text of `manifests/_schema.json`, byte for byte."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
