"""The ontology in memory: lookup, ancestors, descendants, and the closure of positive and negative labels."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ultracurate.core.config import digest, parse
from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import ontology_dir
from ultracurate.core.yaml_file import read_yaml_file
from ultracurate.ontology.check import find_problems
from ultracurate.ontology.nodes import (
    LEVELS,
    AnatomyFile,
    Level,
    ModalityFile,
    Node,
    PathologyFile,
    View,
    ViewsFile,
)


class Closed(NamedTuple):
    """Positive and negative ids, each closed; unpacks as a pair."""

    positive: frozenset[str]
    negative: frozenset[str]

    @property
    def conflicts(self) -> frozenset[str]:
        """Ids that are both: the labels contradict each other, and nobody decides here which is right."""
        return self.positive & self.negative


class Ontology:
    """Anatomy tree with its three side axes: views, pathology, modality."""

    def __init__(
        self, anatomy: AnatomyFile, views: ViewsFile, pathology: PathologyFile, modality: ModalityFile
    ) -> None:
        self.anatomy, self.views_file, self.pathology_file, self.modality_file = (
            anatomy,
            views,
            pathology,
            modality,
        )
        self.version = anatomy.version
        self.nodes: dict[str, Node] = {node.id: node for node in anatomy.nodes}
        self.views: dict[str, View] = {view.id: view for view in views.views}
        self.axis_of: dict[str, str] = {value.id: axis.id for axis in pathology.axes for value in axis.values}
        self.modalities = frozenset(item.id for item in modality.modalities)
        self.subjects = frozenset(modality.subjects)
        self.digest = digest(*(part.model_dump(mode="json") for part in (anatomy, views, pathology, modality)))
        self._exclusive = frozenset(axis.id for axis in pathology.axes if axis.exclusive)
        self._children: dict[str, list[str]] = {}
        for node in anatomy.nodes:
            if node.parent is not None:
                self._children.setdefault(node.parent, []).append(node.id)

    @classmethod
    def load(cls, folder: Path | None = None) -> Ontology:
        """The ontology of a folder (default: the shipped one), checked; read once per process."""
        return _load((folder or ontology_dir()).resolve())

    @property
    def stamp(self) -> str:
        """Version and content, for fingerprints: `0.1.0+` and 12 hex digits."""
        return f"{self.version}+{self.digest[:12]}"

    def validate(self) -> list[str]:
        """Everything that is wrong with the content, one sentence each; empty when it is sound."""
        return find_problems(self.anatomy, self.views_file, self.pathology_file, self.modality_file)

    def node(self, node_id: str) -> Node:
        """The anatomy node with this id; ConfigError with the nearest id if there is none."""
        if node_id not in self.nodes:
            raise ConfigError(self.unknown(node_id, "anatomy", self.nodes))
        return self.nodes[node_id]

    def view(self, view_id: str) -> View:
        """The view with this id; ConfigError with the nearest id if there is none."""
        if view_id not in self.views:
            raise ConfigError(self.unknown(view_id, "views", self.views))
        return self.views[view_id]

    def unknown(self, wanted: str, axis: str, known: Iterable[str]) -> str:
        """The sentence for an id that an axis does not have, with the nearest one."""
        near = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"See ontology/{axis}.yaml."
        return f"expected an id of the {axis} axis (version {self.version}), found {wanted!r}. {hint}"

    def ancestors(self, node_id: str) -> tuple[str, ...]:
        """Ids above this node, nearest first, without itself."""
        found: list[str] = []
        parent = self.node(node_id).parent
        while parent is not None:
            found.append(parent)
            parent = self.node(parent).parent
        return tuple(found)

    def descendants(self, node_id: str) -> tuple[str, ...]:
        """Ids below this node, sorted, without itself."""
        found: list[str] = []
        todo = list(self._children.get(self.node(node_id).id, ()))
        while todo:
            child = todo.pop()
            found.append(child)
            todo += self._children.get(child, ())
        return tuple(sorted(found))

    def close(self, positive: Iterable[str], negative: Iterable[str] = ()) -> Closed:
        """Labels with all they entail, as in section 3.1 of the EchoCare/EchoAtlas paper.

        A positive adds its ancestors, what it implies, and theirs; a negative adds its descendants. `implies`
        never yields a negative. A node that ends up as both stays in both sets: see `Closed.conflicts`.
        """
        yes: set[str] = set()
        todo = list(positive)
        while todo:
            node = self.node(todo.pop())
            if node.id not in yes:
                yes.add(node.id)
                todo += [*node.implies, *([node.parent] if node.parent else [])]
        no = {below for node_id in negative for below in (node_id, *self.descendants(node_id))}
        return Closed(frozenset(yes), frozenset(no))

    def levels(self, ids: Iterable[str]) -> dict[Level, list[str]]:
        """The ids by level, each list sorted: columns region, organ and structure."""
        found: dict[Level, list[str]] = {level: [] for level in LEVELS}
        for node_id in sorted(set(ids)):
            found[self.node(node_id).level].append(node_id)
        return found

    def pathology_conflicts(self, ids: Iterable[str]) -> frozenset[str]:
        """Pathology ids that exclude each other: more than one value of an exclusive axis."""
        by_axis: dict[str, set[str]] = {}
        for value in ids:
            if value not in self.axis_of:
                raise ConfigError(self.unknown(value, "pathology", self.axis_of))
            by_axis.setdefault(self.axis_of[value], set()).add(value)
        clashes = (values for axis, values in by_axis.items() if axis in self._exclusive and len(values) > 1)
        return frozenset().union(*clashes)


@lru_cache(maxsize=8)
def _load(folder: Path) -> Ontology:
    ontology = Ontology(
        parse(AnatomyFile, read_yaml_file(folder / "anatomy.yaml"), f"Ontology {folder / 'anatomy.yaml'}"),
        parse(ViewsFile, read_yaml_file(folder / "views.yaml"), f"Ontology {folder / 'views.yaml'}"),
        parse(PathologyFile, read_yaml_file(folder / "pathology.yaml"), f"Ontology {folder / 'pathology.yaml'}"),
        parse(ModalityFile, read_yaml_file(folder / "modality.yaml"), f"Ontology {folder / 'modality.yaml'}"),
    )
    if problems := ontology.validate():
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"Ontology {folder} is not sound. Correct these places:\n{lines}")
    return ontology
