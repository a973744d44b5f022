"""Is the ontology sound: one parent one level up, unique names, known targets, well-formed codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ultracurate.ontology.nodes import LEVELS, AnatomyFile, Code, ModalityFile, Node, PathologyFile, ViewsFile

CODE_FORMAT = {
    "SCT": re.compile(r"\d{6,18}"),  # SNOMED CT identifiers, release file specification
    "RADLEX": re.compile(r"RID\d{1,6}"),
    "UBERON": re.compile(r"UBERON:\d{7}"),
    "FMA": re.compile(r"\d{1,7}"),
}


def find_problems(
    anatomy: AnatomyFile, views: ViewsFile, pathology: PathologyFile, modality: ModalityFile
) -> list[str]:
    """Everything that is wrong, one sentence each, in file order."""
    return [
        *_versions(anatomy, views, pathology, modality),
        *_tree(anatomy),
        *_names(anatomy.nodes),
        *_views(anatomy, views),
        *_twice("pathology id", (value.id for axis in pathology.axes for value in axis.values)),
        *_twice("pathology axis", (axis.id for axis in pathology.axes)),
        *_twice("modality", (item.id for item in modality.modalities)),
    ]


def _versions(*files: AnatomyFile | ViewsFile | PathologyFile | ModalityFile) -> Iterator[str]:
    versions = [file.version for file in files]
    if len(set(versions)) > 1:
        yield f"expected one version in all four files, found {versions}"


def _tree(anatomy: AnatomyFile) -> Iterator[str]:
    nodes = {node.id: node for node in anatomy.nodes}
    yield from _twice("anatomy id", (node.id for node in anatomy.nodes))
    for node in anatomy.nodes:
        rank = LEVELS.index(node.level)
        parent = nodes.get(node.parent) if node.parent is not None else None
        if rank == 0 and node.parent is not None:
            yield f"{node.id}: a region has no parent, found {node.parent!r}"
        elif rank > 0 and (parent is None or parent.level != LEVELS[rank - 1]):
            yield f"{node.id}: expected a parent at level {LEVELS[rank - 1]!r}, found {node.parent!r}"
        yield from (f"{node.id}: implies {x!r}, which is no node" for x in node.implies if x not in nodes)
        yield from _codes(node.id, node.codes, anatomy.sources.keys())
    for level in LEVELS:
        found = sum(node.level == level for node in anatomy.nodes)
        if found != anatomy.counts.get(level):
            yield f"counts: {level}: expected {anatomy.counts.get(level)} nodes, found {found}"
    for alias, targets in anatomy.region_aliases.items():
        yield from (f"region_aliases: {alias}: {x!r} is no node" for x in targets if x not in nodes)


def _names(nodes: Iterable[Node]) -> Iterator[str]:
    """Names and synonyms that two nodes of one level share: free text could not be told apart."""
    owners: dict[tuple[str, str], set[str]] = {}
    for node in nodes:
        for name in {node.name.casefold(), node.id.replace("_", " "), *(s.casefold() for s in node.synonyms)}:
            owners.setdefault((node.level, name), set()).add(node.id)
    for (level, name), ids in owners.items():
        if len(ids) > 1:
            yield f"{level}: the name {name!r} belongs to {sorted(ids)}; keep it at one of them"


def _views(anatomy: AnatomyFile, views: ViewsFile) -> Iterator[str]:
    nodes = {node.id for node in anatomy.nodes}
    yield from _twice("view", (view.id for view in views.views))
    for view in views.views:
        if view.group not in views.groups:
            yield f"view {view.id}: group {view.group!r} is not described under 'groups'"
        yield from (f"view {view.id}: implies {x!r}, which is no node" for x in view.implies if x not in nodes)
        yield from _codes(f"view {view.id}", view.codes, views.sources.keys())
    for node in anatomy.nodes:
        yield from (f"{node.id}: view group {x!r} is unknown" for x in node.view_groups if x not in views.groups)


def _codes(owner: str, codes: Iterable[Code], sources: Iterable[str]) -> Iterator[str]:
    known = set(sources)
    for code in codes:
        if not CODE_FORMAT[code.system].fullmatch(code.code):
            yield f"{owner}: {code.system} code {code.code!r} is not well formed"
        if code.source not in known:
            yield f"{owner}: code {code.code!r} names source {code.source!r}, which is not under 'sources'"


def _twice(what: str, ids: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} {name!r} is given {count} times" for name, count in Counter(ids).items() if count > 1)
