"""Specs of the toy pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.core.toy.stages import PACKAGE
from ultracurate.core.config import Recipe, apply_sets, parse
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.spec import Spec, resolve


def manifest(slug: str, **more: Any) -> DatasetManifest:
    data = {
        "slug": slug,
        "title": slug,
        "licence": {"id": "CC0-1.0", "evidence": "made here"},
        "access": "open",
        "sources": [{"host": "local", "root": "toy", "path": slug}],
    }
    return parse(DatasetManifest, data | more, slug)


def toy_spec(sets: Sequence[str] = (), datasets: Sequence[str] = ("a", "b"), more: Mapping[str, Any] | None = None) -> Spec:
    data = apply_sets({"name": "toy", "datasets": list(datasets)} | dict(more or {}), sets)
    known = {slug: manifest(slug) for slug in datasets}
    return resolve(parse(Recipe, data, "toy recipe"), known, "none", PACKAGE)
