"""Specs of the toy pipeline, its runs, and what they gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.core.toy.stages import PACKAGE
from ultracurate.core.config import Recipe, apply_sets, parse
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.parts import read_table
from ultracurate.core.runner import RunResult, run
from ultracurate.core.spec import Spec, resolve
from ultracurate.core.store import Store
from ultracurate.execution.serial import SerialExecutor


def manifest(slug: str, **more: Any) -> DatasetManifest:
    data = {
        "slug": slug,
        "title": slug,
        "licence": {"id": "CC0-1.0", "evidence": "made here"},
        "access": "open",
        "sources": [{"host": "local", "root": "toy", "path": slug}],
    }
    return parse(DatasetManifest, data | more, slug)


def toy_spec(
    sets: Sequence[str] = (), datasets: Sequence[str] = ("a", "b"), more: Mapping[str, Any] | None = None
) -> Spec:
    data = apply_sets({"name": "toy", "datasets": list(datasets)} | dict(more or {}), sets)
    known = {slug: manifest(slug) for slug in datasets}
    return resolve(parse(Recipe, data, "toy recipe"), known, "none", PACKAGE)


def run_toy(store: Store, spec: Spec, **options: Any) -> RunResult:
    return run(store, spec, SerialExecutor(), **options)


def digests(result: RunResult) -> dict[str, list[tuple[str, str, str]]]:
    """Every part of a run by its id and the digests of its rows and errors."""
    return {stage: sorted((p.id, p.digest, p.errors_digest) for p in parts) for stage, parts in result.parts.items()}


def rows(store: Store, result: RunResult, stage: str) -> list[dict[str, Any]]:
    """All rows of a stage by key, with the bytes that `ref` names in place of where they lie."""
    found = [row for part in result.parts[stage] for row in read_table(store, part.path()).to_pylist()]
    for row in found:
        if "ref_uri" in row:
            uri, offset, length = (row.pop(f"ref_{name}") for name in ("uri", "offset", "length"))
            row["ref_bytes"] = store.read(uri, offset, length)
    return sorted(found, key=lambda row: str(row["file_id"]))


def events(store: Store, run_id: str, name: str) -> list[dict[str, Any]]:
    """Events of one name that one run logged."""
    assert store.local is not None
    found = [
        json.loads(line) for path in (store.local / "logs" / run_id).iterdir() for line in path.read_text().splitlines()
    ]
    return [event for event in found if event["event"] == name]


def files(store: Store) -> dict[str, bytes]:
    """Content of every file of a local work directory, but for clocks and logs."""
    assert store.local is not None
    return {
        str(path.relative_to(store.local)): path.read_bytes()
        for path in sorted(store.local.rglob("*"))
        if path.is_file() and not path.name.startswith("stats-") and not {"logs", "runs"} & set(path.parts)
    }
