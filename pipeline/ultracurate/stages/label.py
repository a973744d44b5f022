"""label: from a dataset's own words to nodes of the ontology, by the rules of its manifest."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.schema import LABELLED, Grain
from ultracurate.core.stage import Result, Row, each, stage
from ultracurate.ontology.rules import apply_rules
from ultracurate.ontology.tree import Ontology

COPIED = pa.schema([("sample_id", pa.string()), ("copies", pa.string()), ("conflict", pa.bool_())])


class LabelConfig(Settings):
    """Settings of label."""

    merge_copies: bool = True


def labels_of_copies(columns: pa.Table, cfg: LabelConfig, ctx: Context) -> pa.Table:
    """For each frame that stands for copies: what its exact copies are called, and whether any copies disagree.

    Labels are merged only from exact copies of the frame itself. Near copies are other pictures; but where one of
    them has exact copies with other labels than its own, the cluster is reported as a conflict all the same.
    """
    rows = []
    for row in columns.select(["sample_id", "aliases"]).to_pylist() if cfg.merge_copies else ():
        same_picture: dict[str, list[dict[str, Any]]] = {}
        for copy in map(json.loads, row["aliases"] or ()):
            same_picture.setdefault(copy["of"], []).append(_plain(ctx, copy["dataset"], copy["fields"]))
        mine = same_picture.pop(row["sample_id"], [])
        conflict = any(_differ(labels[0], other) for labels in same_picture.values() for other in labels[1:])
        if mine or conflict:
            text = json.dumps(mine, sort_keys=True)
            rows.append({"sample_id": row["sample_id"], "copies": text, "conflict": conflict})
    return pa.Table.from_pylist(rows, schema=COPIED)


@stage(
    "label",
    version=1,
    after="dedup",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("dataset", "fields", "aliases"),
    adds=LABELLED,
    config=LabelConfig,
    sections=("labels", "modality"),
    ontology=True,
    group_rows=20_000,
    prepare=labels_of_copies,
    prepare_needs=("aliases",),
    reasons={},
)
def label(part: pa.Table, cfg: LabelConfig, ctx: Context) -> Result:
    """Apply the manifest's label rules, close them over the ontology, and flag copies that disagree."""
    del cfg
    ontology = Ontology.load()
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def one(row: Row) -> Row:
        key = (row["dataset"], row["fields"] or "{}")
        if key not in known:  # a dataset has few different sets of fields
            known[key] = _plain(ctx, row["dataset"], json.loads(key[1]))
        mine = known[key]
        prepared = ctx.prepared.get(row["sample_id"], {})
        copies = json.loads(prepared.get("copies", "[]"))
        everyone = [mine, *copies]
        positive, negative, view, pathology = (
            sorted({id for labels in everyone for id in labels[axis]})
            for axis in ("positive", "negative", "view", "pathology")
        )
        levels = ontology.levels(positive)
        return {
            "positive": positive,
            "negative": sorted(set(negative) - set(positive)),
            "view": view,
            "pathology": pathology,
            "region": list(levels["region"]),
            "organ": list(levels["organ"]),
            "structure": list(levels["structure"]),
            "modality": mine["modality"],
            "label_conflict": bool(mine["conflicts"])
            or prepared.get("conflict", False)
            or any(_differ(mine, other) for other in copies),
        }

    return each(part, ctx, one)


def _plain(ctx: Context, dataset: str, fields: dict[str, str]) -> dict[str, Any]:
    labels = apply_rules(ctx.manifest(dataset), fields)
    return {
        "positive": list(labels.positive),
        "negative": list(labels.negative),
        "view": list(labels.view),
        "pathology": list(labels.pathology),
        "modality": labels.modality,
        "conflicts": list(labels.conflicts),
    }


def _differ(mine: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two copies say different things on an axis on which both say something."""
    if set(mine["positive"]) & set(other["negative"]) or set(mine["negative"]) & set(other["positive"]):
        return True
    return any(mine[axis] and other[axis] and mine[axis] != other[axis] for axis in ("view", "pathology"))
