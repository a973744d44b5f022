"""What the four ontology files hold, as strict models; nothing here knows about trees."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ultracurate.core.layout import Strict

Level = Literal["region", "organ", "structure"]
LEVELS: tuple[Level, ...] = ("region", "organ", "structure")


class Code(Strict):
    """The same thing in another terminology."""

    system: Literal["SCT", "RADLEX", "UBERON", "FMA"]
    code: str
    display: str
    match: Literal["exact", "narrow", "broad"]
    """Whether the code means the same, less or more than the node."""
    source: str
    """Key of `sources`: where the code was read."""
    where: str | None = None
    """Place in the source."""


class SeenAs(Strict):
    """A word that one source uses for this node; it may mean something else elsewhere."""

    term: str
    source: str


class Node(Strict):
    """One region, organ or structure."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    level: Level
    parent: str | None
    synonyms: list[str] = Field(default_factory=list)
    """Words that mean this node in any dataset."""
    seen_as: list[SeenAs] = Field(default_factory=list)
    codes: list[Code] = Field(default_factory=list)
    implies: list[str] = Field(default_factory=list)
    """Nodes outside the own line of ancestors that are in the picture too."""
    view_groups: list[str] = Field(default_factory=list)
    notes: str | None = None


class View(Strict):
    """One plane or window through which a body part is seen."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    name: str
    group: str
    synonyms: list[str] = Field(default_factory=list)
    seen_as: list[SeenAs] = Field(default_factory=list)
    codes: list[Code] = Field(default_factory=list)
    implies: list[str] = Field(default_factory=list)
    """Anatomy that this view shows."""
    subplanes: list[str] = Field(default_factory=list)
    notes: str | None = None


class Finding(Strict):
    """One value of a pathology axis."""

    id: str
    name: str
    synonyms: list[str] = Field(default_factory=list)


class PathologyAxis(Strict):
    """One label set for findings; where `exclusive`, a picture has at most one of its values."""

    id: str
    exclusive: bool
    seen_in: list[str]
    notes: str | None = None
    values: list[Finding]


class Modality(Strict):
    """One way to make an ultrasound picture."""

    id: str
    name: str
    synonyms: list[str] = Field(default_factory=list)
    notes: str | None = None


class AnatomyFile(Strict):
    """Content of anatomy.yaml."""

    name: str
    version: str
    rules: list[str]
    counts: dict[Level, int]
    sources: dict[str, str]
    region_aliases: dict[str, list[str]]
    notes: list[str]
    nodes: list[Node]


class ViewsFile(Strict):
    """Content of views.yaml."""

    version: str
    sources: dict[str, str]
    groups: dict[str, str]
    views: list[View]


class PathologyFile(Strict):
    """Content of pathology.yaml."""

    version: str
    axes: list[PathologyAxis]


class ModalityFile(Strict):
    """Content of modality.yaml."""

    version: str
    modalities: list[Modality]
    subjects: list[str]
    """What was scanned: human, phantom, ..."""
