"""One stage on a small table, with a real context over a work directory of its own, but without the engine."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from ultracurate.core.blobs import PackWriter
from ultracurate.core.config import Recipe, parse
from ultracurate.core.context import Context
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.parts import check_conservation
from ultracurate.core.runner import RunResult, run
from ultracurate.core.spec import Spec, resolve
from ultracurate.core.stage import PIPELINE, Result, Row, Scope, chain, columns_of, pipeline
from ultracurate.core.store import Store
from ultracurate.core.work import make_context
from ultracurate.execution.serial import SerialExecutor
from ultracurate.ontology.tree import Ontology

SCHEMAS = columns_of(chain(package=PIPELINE))


def manifest(slug: str = "toy", **fields: Any) -> DatasetManifest:
    """A manifest of a folder, with whatever fields a test is about."""
    plain = {
        "slug": slug,
        "title": slug,
        "licence": {"id": "CC0-1.0"},
        "access": "open",
        "sources": [{"host": "local", "root": "toy", "path": slug}],
    }
    return parse(DatasetManifest, plain | fields, f"manifest of the test, {slug}")


def resolved(*manifests: DatasetManifest, **recipe: Any) -> Spec:
    """The spec of a recipe over these manifests."""
    plain = {"name": "toy", "datasets": [m.slug for m in manifests]} | recipe
    return resolve(parse(Recipe, plain, "recipe of the test"), {m.slug: m for m in manifests}, Ontology.load().stamp)


class Bench:
    """Calls stages as a worker does: same context, same columns, a pack that can be read afterwards."""

    def __init__(self, folder: Path | str, *manifests: DatasetManifest, **recipe: Any) -> None:
        self.store = Store(folder)
        self.spec = resolved(*(manifests or (manifest(),)), **recipe)
        self._packs = 0

    def context(self, stage: str) -> Context:
        return make_context(self.spec, self.store, pipeline(PIPELINE).get(stage))

    def put(self, name: str, data: bytes, dataset: str = "toy") -> Row:
        """A downloaded file as the row that `index` gets."""
        sha256 = hashlib.sha256(data).hexdigest()
        uri = f"files/{sha256[:2]}/{sha256}"
        self.store.write(uri, data)
        return {
            "dataset": dataset,
            "file_id": f"{dataset}/{name}",
            "file_name": name,
            "file_uri": uri,
            "file_sha256": sha256,
            "file_bytes": len(data),
            "licence": "CC0-1.0",
        }

    def call(
        self,
        stage: str,
        rows: Iterable[Mapping[str, Any]],
        prepared: Mapping[str, Any] | None = None,
        also: Mapping[str, list[dict[str, Any]]] | None = None,
    ) -> tuple[Result, Context]:
        """The stage's answer for rows of the stage before it; absent columns are null."""
        declared = pipeline(PIPELINE).get(stage)
        before = pa.schema([("dataset", pa.string())]) if declared.after is None else SCHEMAS[declared.after]
        part = pa.Table.from_pylist(list(rows), schema=before)
        ctx = self.context(stage)
        if declared.prepare is not None:
            table = declared.prepare(part, self.spec.settings(declared), ctx)
            ctx.prepared = {row.pop(declared.key_in): row for row in table.to_pylist()} | dict(prepared or {})
        ctx.also = {name: pa.Table.from_pylist(content, schema=SCHEMAS[name]) for name, content in (also or {}).items()}
        self._packs += 1
        uri, buffer = f"pack-{self._packs}.tar", io.BytesIO()
        opened: list[PackWriter] = []

        def start() -> PackWriter:
            opened.append(PackWriter(buffer, uri))
            return opened[0]

        ctx.open_pack = start
        result = declared.function(part, self.spec.settings(declared), ctx)
        if opened:
            opened[0].close()
            self.store.write(uri, buffer.getvalue())
        if declared.scope is Scope.PARTITION:
            check_conservation(
                stage,
                part[declared.key_in].to_pylist(),
                result.rows[declared.parent].to_pylist(),
                result.rejects["parent_id"].to_pylist(),
                [error["parent_id"] for error in ctx.errors],
                declared.parent != declared.key_out,
            )
            assert set(result.rejects["reason"].to_pylist()) <= set(declared.reasons)
        return result, ctx


def run_folder(work: Path, spec: Spec, last: str | None = None, retry: str | None = None) -> RunResult:
    """A real run, one job after the other."""
    return run(Store(work), spec, SerialExecutor(), last, None, retry)


def by_path(result: Result) -> dict[str, Row]:
    """Rows of `index` by the path that the layout saw."""
    return {row["path"]: row for row in result.rows.to_pylist()}


def fields(row: Row) -> dict[str, str]:
    """The layout's and tables' fields of a row."""
    found: dict[str, str] = json.loads(row["fields"])
    return found


def picture(seed: int, height: int = 64, width: int = 80) -> np.ndarray:
    """A smooth grey pattern (H, W) uint8 that differs from those of other seeds in its perceptual hash too."""
    coarse = np.random.default_rng(seed).integers(20, 235, (8, 8), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def png(array: np.ndarray, level: int = 6) -> bytes:
    """Encoded by Pillow; another level gives other bytes of the same pixels."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG", compress_level=level)
    return out.getvalue()
