"""From a label as somebody wrote it to an anatomy id: exact names only, likenesses are mere proposals."""

from __future__ import annotations

import difflib
import re

from ultracurate.ontology.nodes import Level
from ultracurate.ontology.tree import Ontology


def match_label(text: str, ontology: Ontology, level: Level | None = None, source: str | None = None) -> str | None:
    """The one node that this text names, else None.

    A name or id goes before a synonym. Words that only one dataset uses count when `source` names that dataset,
    and then go first. Where two nodes fit equally well the answer is None: ask with a `level`.
    """
    wanted = fold(text)
    ranks: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for node in ontology.nodes.values():
        if level is not None and node.level != level:
            continue
        if source is not None and any(
            fold(seen.term) == wanted and fold(source) in fold(seen.source) for seen in node.seen_as
        ):
            ranks[0].add(node.id)
        if wanted in (fold(node.id), fold(node.name)):
            ranks[1].add(node.id)
        if wanted in {fold(synonym) for synonym in node.synonyms}:
            ranks[2].add(node.id)
    best = next((ids for ids in ranks if ids), set())
    return next(iter(best)) if len(best) == 1 else None


def propose(text: str, ontology: Ontology, count: int = 3) -> list[tuple[str, float]]:
    """Nodes whose names look like this text, with a likeness from 0 to 1, best first; a person decides."""
    wanted = fold(text)
    likeness: dict[str, float] = {}
    for node in ontology.nodes.values():
        names = {fold(name) for name in (node.id, node.name, *node.synonyms)}
        likeness[node.id] = max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)
    ranked = sorted(likeness.items(), key=lambda item: (-item[1], item[0]))
    return [(node_id, round(score, 3)) for node_id, score in ranked[:count] if score >= 0.5]


def fold(text: str) -> str:
    """Text without case, underscores, hyphens and doubled blanks."""
    return re.sub(r"[\s_\-]+", " ", text).strip().casefold()
