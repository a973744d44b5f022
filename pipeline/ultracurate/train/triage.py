"""Fits the triage model and writes its weights: `python -m ultracurate.train.triage --shared FOLDER --out FILE`.

The folder holds `samples/` and `textures/`, the real frames named in `_triage_data.PERMITTED`. Everything is seeded;
the same packages and the same frames give the same file.
"""

from __future__ import annotations

import argparse
import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from ultracurate.imaging._features import features
from ultracurate.imaging.modality import KINDS, OTHERS, load_forest
from ultracurate.train._triage_data import Example, negatives, phantoms, real, real_others, styles

SEED = 1
PHANTOMS_PER_KIND, NEGATIVES_PER_VARIANT, REAL_FRAMES, OTHERS_EACH = 400, 55, 1500, 60
_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 10,
    "min_samples_leaf": 10,
    "l2_regularization": 1.0,
    "max_features": 0.15,
    "max_bins": 48,
    "early_stopping": False,
}
_MEMBERS = {"origin": 3, "kind": 2, "dual": 1}
"""Models of each head whose scores are averaged: what no training picture shows is judged more evenly."""

_ROUNDS = {"origin": 100, "kind": 120, "dual": 150}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Table:
    """Features (N, F) float32 and labels of N pictures; -1 where a label does not apply."""

    vectors: npt.NDArray[np.float32]
    origin: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    dual: npt.NDArray[np.int64]
    source: list[str]


def tabulate(examples: Iterable[Example]) -> Table:
    """Describe each picture; pictures themselves are not kept."""
    vectors, origin, kind, dual, source = [], [], [], [], []
    for example in examples:
        vectors.append(features(example.image))
        origin.append(0 if example.other is None else 1 + OTHERS.index(example.other))
        kind.append(-1 if example.kind is None else KINDS.index(example.kind))
        dual.append(-1 if example.dual is None else int(example.dual))
        source.append(example.source)
    return Table(np.stack(vectors), np.asarray(origin), np.asarray(kind), np.asarray(dual), source)


def fit(table: Table) -> bytes:
    """Fit the three heads and pack them into one npz file."""
    heads = []
    for name, labels in (("origin", table.origin), ("kind", table.kind), ("dual", table.dual)):
        known = labels >= 0
        models = [
            HistGradientBoostingClassifier(max_iter=_ROUNDS[name], random_state=SEED + turn, **_SETTINGS)
            for turn in range(_MEMBERS[name])
        ]
        heads.append([model.fit(table.vectors[known], labels[known]) for model in models])
    packed = _pack(heads)
    _compare(heads, packed, table.vectors[:: max(1, len(table.vectors) // 100)])
    return packed


def _pack(heads: list[list[HistGradientBoostingClassifier]]) -> bytes:
    """All trees of all heads as the flat arrays of `modality.Forest`."""
    columns: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots, output, baseline, ends = [], [], [], []
    at, first, depth = 0, 0, 0
    for models in heads:
        outputs = len(models[0]._baseline_prediction.ravel())
        baseline += np.mean([model._baseline_prediction.ravel() for model in models], axis=0).tolist()
        for trees in chain.from_iterable(model._predictors for model in models):
            for place, tree in enumerate(trees):
                nodes = tree.nodes
                leaf = nodes["is_leaf"].astype(bool)
                own = at + np.arange(len(nodes))
                columns["feature"].append(np.where(leaf, 0, nodes["feature_idx"]))
                columns["threshold"].append(_below(np.where(leaf, 0, nodes["num_threshold"])))
                columns["left"].append(np.where(leaf, own, at + nodes["left"]))
                columns["right"].append(np.where(leaf, own, at + nodes["right"]))
                columns["value"].append(np.where(leaf, nodes["value"] / len(models), 0))
                roots.append(at)
                output.append(first + place)
                at += len(nodes)
                depth = max(depth, int(nodes["depth"].max()))
        first += outputs
        ends.append(first)
    file = io.BytesIO()
    types = {"threshold": np.float32, "value": np.float32}
    arrays: dict[str, Any] = {
        name: np.concatenate(parts).astype(types.get(name, np.int32)) for name, parts in columns.items()
    }
    np.savez_compressed(
        file,
        **arrays,
        roots=np.asarray(roots, np.int32),
        output=np.asarray(output, np.int32),
        baseline=np.asarray(baseline, np.float32),
        ends=np.asarray(ends, np.int32),
        depth=np.asarray(depth),
    )
    return file.getvalue()


def _below(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The largest float32 not above each threshold: float32 features then fall to the same side as before."""
    short = threshold.astype(np.float32)
    return np.where(short > threshold, np.nextafter(short, np.float32(-np.inf)), short).astype(np.float32)


def _compare(
    heads: list[list[HistGradientBoostingClassifier]], packed: bytes, vectors: npt.NDArray[np.float32]
) -> None:
    """Stop unless the packed trees say what the library says."""
    forest = load_forest(packed)
    for vector in vectors:
        ours = forest.scores(vector)
        for models, name in zip(heads, forest.heads, strict=True):
            theirs = np.mean([model._raw_predict(vector[None].astype(np.float64)).ravel() for model in models], axis=0)
            if not np.allclose(theirs, ours[name], atol=1e-3):
                raise RuntimeError(f"the packed head '{name}' differs from the fitted one: {theirs} and {ours[name]}")


def main() -> None:
    """Generate, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with samples/ and textures/")
    parser.add_argument("--out", type=Path, required=True, help="the npz file to write")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    every = chain(
        phantoms(SEED, PHANTOMS_PER_KIND, styles(held_out=False), mixed=True),
        negatives(SEED, NEGATIVES_PER_VARIANT, held_out=False),
        real(asked.shared, SEED, REAL_FRAMES),
        real_others(asked.shared, SEED, OTHERS_EACH),
    )
    table = tabulate(every)
    log.info("%d pictures, %d features", *table.vectors.shape)
    asked.out.write_bytes(fit(table))


if __name__ == "__main__":
    main()
