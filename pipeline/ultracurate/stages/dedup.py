"""dedup: perceptual hashes of the cleaned frames, clusters of copies, one best copy kept, every edge written down."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.licences import TERMS
from ultracurate.core.schema import DEDUPED, HASHED, REJECTS, Grain
from ultracurate.core.stage import Result, Row, Scope, each, stage
from ultracurate.dedup.bands import Hashes, close_pairs, distances, parse_hashes
from ultracurate.dedup.graph import Crowd, best, clusters

EDGES = pa.schema([("a", pa.string()), ("b", pa.string()), ("kind", pa.string()), ("distance", pa.float64())])
"""Side table: pairs of copies with their differing hash bits, enough of them to connect every cluster."""


class HashConfig(Settings):
    """Settings of dedup.hash."""

    inside_sector: bool = Field(
        default=True, description="Hash the sector's bounding box, where one was found: device screens look alike"
    )


@stage(
    "dedup.hash",
    version=1,
    after="strip",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=("clean_uri", "sector"),
    adds=HASHED,
    config=HashConfig,
    group_rows=512,
    reasons={},
)
def hash_frames(part: pa.Table, cfg: HashConfig, ctx: Context) -> Result:
    """Hash every cleaned frame: the heavy half of dedup, part by part."""
    from ultracurate.decoding.decode import decode_image, pixel_digest
    from ultracurate.imaging.hashing import phash

    def one(row: Row) -> Row:
        image = decode_image(ctx.read(row, "clean"), "png")
        box = _box(row["sector"]) if cfg.inside_sector else None
        return {"phash": phash(image, box), "clean_pixel_sha256": pixel_digest([image])}

    return each(part, ctx, one)


def _box(sector: str | None) -> tuple[int, int, int, int] | None:
    """Bounding box (x0, y0, x1, y1), half-open pixels, of the polygons of a sector."""
    points = [point for polygon in json.loads(sector or "[]") for point in polygon]
    if not points:
        return None
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


class DedupConfig(Settings):
    """Settings of dedup."""

    radius: int = Field(default=3, ge=0, le=15, description="Bits of 64; 3 is a similarity of 95 %")
    within_group: bool = Field(
        default=False,
        description="Compare frames of one patient or clip too; sweep frames are alike without being copies",
    )


@stage(
    "dedup",
    version=2,
    after="dedup.hash",
    grain=(Grain.FRAME, Grain.FRAME),
    needs=(
        "phash",
        "clean_pixel_sha256",
        "group_id",
        "parent_id",
        "pixel_sha256",
        "raw_sha256",
        "licence",
        "width",
        "height",
        "overlay_share",
        "fields",
        "media",
        "official_split",
        "format",
    ),
    adds=DEDUPED,
    config=DedupConfig,
    scope=Scope.GLOBAL,
    reads={"index": ("sample_id", "dataset", "pixel_sha256", "raw_sha256", "fields", "media")},
    sections=("held_out",),
    reasons={"near_duplicate": "Another frame shows the same picture and is the better copy."},
)
def dedup(columns: pa.Table, cfg: DedupConfig, ctx: Context) -> Result:
    """Cluster frames by perceptual hash and keep the best of each cluster."""
    rows = columns.to_pylist()
    hashes = parse_hashes([row["phash"] for row in rows])
    linked = _links(rows, hashes, cfg)
    ends = np.array(linked, np.int64).reshape(-1, 2)
    edges = []
    for (i, j), bits in zip(linked, distances(hashes[ends[:, 0]], hashes[ends[:, 1]]).tolist(), strict=True):
        same = rows[i]["clean_pixel_sha256"] == rows[j]["clean_pixel_sha256"]
        edges.append(_edge(rows[i], rows[j], "exact_pixels" if same else "phash", bits))
    held_out = {slug for slug, manifest in ctx.manifests.items() if manifest.held_out}
    order = {entry.slug: place for place, entry in enumerate(ctx.recipe.entries)}
    exact = _exact_copies(rows, ctx.also["index"])
    kept, dropped = [], []
    for members in clusters(len(rows), linked):
        winner = rows[best(members, lambda i: _rank(rows[i], order, held_out))]
        losers = [rows[i] for i in members if rows[i] is not winner]
        aliases = [_alias(row, row, "phash") for row in losers]
        aliases += [alias for i in members for alias in exact[rows[i]["sample_id"]]]
        kept.append(
            {
                "sample_id": winner["sample_id"],
                "cluster_id": min(rows[i]["sample_id"] for i in members),
                "cluster_size": len(members),
                "aliases": sorted(json.dumps(alias, sort_keys=True) for alias in aliases),
            }
        )
        for row in losers:
            detail = f"copy of {winner['sample_id']} of {winner['dataset']}"
            dropped.append(
                {
                    "sample_id": row["sample_id"],
                    "parent_id": row["sample_id"],
                    "dataset": row["dataset"],
                    "reason": "near_duplicate",
                    "detail": detail,
                }
            )
    for row in rows:
        edges += [_edge(row, {"sample_id": alias["sample_id"]}, alias["kind"], 0) for alias in exact[row["sample_id"]]]
    edges.sort(key=lambda edge: (edge["a"], edge["b"]))
    schema = pa.schema([("sample_id", pa.string()), *DEDUPED])
    return Result(
        pa.Table.from_pylist(kept, schema=schema),
        pa.Table.from_pylist(dropped, schema=REJECTS),
        {"edges": pa.Table.from_pylist(edges, schema=EDGES)},
    )


def _links(rows: list[Row], hashes: Hashes, cfg: DedupConfig) -> list[tuple[int, int]]:
    """Pairs of copies that connect all copies: of equal hashes, and of equal pixels, only as many as that takes.

    Frames of one group may look alike without being copies; frames with equal pixels are copies unless they come from
    one clip. The links do not depend on the order of the rows.
    """
    by_hash: dict[int, list[int]] = defaultdict(list)
    by_pixels: dict[str, list[int]] = defaultdict(list)
    for i in sorted(range(len(rows)), key=lambda i: rows[i]["sample_id"]):
        by_hash[int(hashes[i])].append(i)
        by_pixels[rows[i]["clean_pixel_sha256"]].append(i)
    crowds = {
        word: Crowd(by_hash[word], lambda i: i if cfg.within_group else rows[i]["group_id"]) for word in sorted(by_hash)
    }
    linked = {link for crowd in crowds.values() for link in crowd.inner_links()}
    distinct = np.array(list(crowds), np.uint64)
    for a, b in close_pairs(distinct, cfg.radius)[0].tolist():
        linked.update(crowds[int(distinct[a])].links_to(crowds[int(distinct[b])]))
    for members in by_pixels.values():
        linked.update(Crowd(members, lambda i: i if cfg.within_group else rows[i]["parent_id"]).inner_links())
    return sorted({(min(link), max(link)) for link in linked})


STRICTEST = {"test": 0, "val": 1}
LOSSY = frozenset({"jpg", "mp4", "avi"})


def _rank(row: Row, order: dict[str, int], held_out: set[str]) -> tuple[Any, ...]:
    """Smaller is better: freer licence, more pixels, no lossy coding, less overlay, earlier dataset, then the id.

    Before all that comes the side of the split: of a benchmark's image and its copy in a training set the benchmark's
    own must stay, or the test image would go on to train under another name.
    """
    return (
        row["dataset"] not in held_out,
        STRICTEST.get(row["official_split"] or "", 2),
        _openness(row["licence"]),
        -row["width"] * row["height"],
        row["format"] in LOSSY,
        row["overlay_share"] or 0.0,
        order[row["dataset"]],
        row["sample_id"],
    )


def _openness(licence: str) -> int:
    """0 for a licence that allows everything, up to 3 where nothing is allowed for sure."""
    terms = TERMS.get(licence)
    return (
        3
        if terms is None
        else sum(allowed is not True for allowed in (terms.redistribution, terms.commercial, terms.derivatives))
    )


def _exact_copies(rows: list[Row], index: pa.Table) -> dict[str, list[dict[str, str]]]:
    """For each frame: the index rows whose pixels equal those of its still or clip, which `frames` dropped."""
    by_pixels: dict[str, list[Row]] = defaultdict(list)
    for sample in index.to_pylist():
        by_pixels[sample["pixel_sha256"]].append(sample)
    copies: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        for sample in by_pixels[row["pixel_sha256"]]:
            if sample["sample_id"] != row["parent_id"]:
                kind = "exact_bytes" if sample["raw_sha256"] == row["raw_sha256"] else "exact_pixels"
                copies[row["sample_id"]].append(_alias(sample, row, kind))
    return copies


def _alias(row: Row, of: Row, kind: str) -> dict[str, Any]:
    """What is said about a copy; `of` is the frame whose picture it shows exactly, so that labels can be compared."""
    fields = json.loads(row["fields"] or "{}")
    return {
        "dataset": row["dataset"],
        "fields": fields,
        "kind": kind,
        "of": of["sample_id"],
        "sample_id": row["sample_id"],
    }


def _edge(a: Row, b: Row, kind: str, distance: int) -> dict[str, Any]:
    first, second = sorted((a["sample_id"], b["sample_id"]))
    return {"a": first, "b": second, "kind": kind, "distance": float(distance)}
