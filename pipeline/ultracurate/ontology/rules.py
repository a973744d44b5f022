"""Label rules of a manifest applied to the fields of one file, closed over the ontology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ultracurate.core.dataset import LabelRule
from ultracurate.ontology.tree import Ontology

if TYPE_CHECKING:
    from ultracurate.core.context import ManifestView
    from ultracurate.core.dataset import DatasetManifest


@dataclass(frozen=True, slots=True)
class Labels:
    """Ids on each axis, sorted; anatomy is closed. What is neither positive nor negative is unknown."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    view: tuple[str, ...]
    pathology: tuple[str, ...]
    modality: str | None
    conflicts: tuple[str, ...]  # ids that are positive and negative, or exclude each other


def apply_rules(
    manifest: DatasetManifest | ManifestView, fields: Mapping[str, str], ontology: Ontology | None = None
) -> Labels:
    """Labels of a file with these fields: all rules that fit add up; of several modalities the last one holds.

    A view adds the anatomy that it implies. Reads only `labels` and `modality` of the manifest.
    """
    ontology = ontology or Ontology.load()
    fitting = [rule for rule in manifest.labels if fits(rule, fields)]
    view = {name for rule in fitting for name in rule.view}
    pathology = {name for rule in fitting for name in rule.pathology}
    positive = {name for rule in fitting for name in rule.positive}
    positive |= {node for name in view for node in ontology.view(name).implies}
    closed = ontology.close(positive, {name for rule in fitting for name in rule.negative})
    stated = [manifest.modality, *(rule.modality for rule in fitting)]
    return Labels(
        positive=tuple(sorted(closed.positive)),
        negative=tuple(sorted(closed.negative)),
        view=tuple(sorted(view)),
        pathology=tuple(sorted(pathology)),
        modality=next((name for name in reversed(stated) if name is not None), None),
        conflicts=tuple(sorted(closed.conflicts | ontology.pathology_conflicts(pathology))),
    )


def fits(rule: LabelRule, fields: Mapping[str, str]) -> bool:
    """Whether every field that the rule asks for has one of the values it names; an absent field never fits."""
    return all(
        field in fields and fields[field] in ([wanted] if isinstance(wanted, str) else wanted)
        for field, wanted in rule.when.items()
    )


def check_manifest(manifest: DatasetManifest, ontology: Ontology | None = None) -> list[str]:
    """Ids in a manifest that the ontology does not have, one sentence each, with place and nearest id."""
    ontology = ontology or Ontology.load()
    uses: list[tuple[str, str, str | None]] = [("modality", "modality", manifest.modality)]
    uses += [("species", "modality", name) for name in manifest.species]
    for n, rule in enumerate(manifest.labels):
        uses += [(f"labels.{n}.positive", "anatomy", name) for name in rule.positive]
        uses += [(f"labels.{n}.negative", "anatomy", name) for name in rule.negative]
        uses += [(f"labels.{n}.view", "views", name) for name in rule.view]
        uses += [(f"labels.{n}.pathology", "pathology", name) for name in rule.pathology]
        uses.append((f"labels.{n}.modality", "modality", rule.modality))
    known = {
        "anatomy": ontology.nodes.keys(),
        "views": ontology.views.keys(),
        "pathology": ontology.axis_of.keys(),
        "modality": ontology.modalities,
    }
    problems = []
    for place, axis, name in uses:
        allowed = ontology.subjects if place == "species" else known[axis]
        if name is not None and name not in allowed:
            problems.append(f"{manifest.slug}: {place}: {ontology.unknown(name, axis, allowed)}")
    return problems
