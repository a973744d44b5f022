"""What a stage function may use besides its table: settings of the run, pixels, its pack, its errors, its log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ultracurate.core.blobs import Blobs, PackWriter, PixelRef
from ultracurate.core.errors import ContractError, RowError, told
from ultracurate.core.private import hide_private
from ultracurate.core.seeds import rng_for
from ultracurate.core.store import Store

if TYPE_CHECKING:
    import numpy as np

    from ultracurate.core.config import Recipe
    from ultracurate.core.dataset import DatasetManifest


class ManifestView:
    """The fields of a dataset manifest that a stage declared it reads; another one is a `ContractError`.

    A part's id holds the digest of just these fields, so a changed label rule does not download anything again.
    """

    def __init__(self, manifest: DatasetManifest, sections: tuple[str, ...]) -> None:
        self._manifest = manifest
        self._sections = frozenset(sections) | {"slug"}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._sections:
            raise ContractError(
                f"The stage reads manifest field {name!r} but declares only sections={sorted(self._sections)}"
            )
        return getattr(self._manifest, name)


def storable(text: str) -> str:
    """The text as a table can hold it: halves of characters, from JSON or a file name, are written out."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(slots=True)
class Context:
    """Handed to a stage function for one part (or to a global one for all)."""

    stage: str
    key_in: str
    schema: pa.Schema  # of the output rows
    recipe: Recipe
    store: Store
    blobs: Blobs
    manifests: Mapping[str, ManifestView]
    part_id: str = ""
    attempt: int = 1
    seeded: bool = False
    prepared: Mapping[str, Any] = field(default_factory=dict)  # values of `prepare`, by row key
    also: Mapping[str, pa.Table] = field(default_factory=dict)  # columns of earlier stages, for a global stage
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("ultracurate"))
    counters: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)
    _pack: PackWriter | None = None
    open_pack: Callable[[], PackWriter] | None = None
    _pending: list[dict[str, Any]] = field(default_factory=list)

    def manifest(self, dataset: str) -> ManifestView:
        """The declared fields of a dataset's manifest."""
        return self.manifests[dataset]

    def rng(self, sample_id: str) -> np.random.Generator:
        """Random draws for this sample, the same on any executor."""
        if not self.seeded:
            raise ContractError(f"Stage {self.stage!r} draws at random but does not declare seeded=True")
        return rng_for(self.recipe.seed, self.stage, sample_id)

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter that is merged over all parts."""
        self.counters[name] += n

    def read(self, row: Mapping[str, Any], prefix: str) -> bytes:
        """The encoded bytes that a row refers to under `prefix`, checked by digest."""
        if row[f"{prefix}_uri"] is None:
            raise RowError(f"The row holds no {prefix} pixels")
        return self.blobs.read(PixelRef.of(row, prefix))

    def pack(self, name: str, data: bytes) -> PixelRef:
        """Write new encoded pixels to this part's pack."""
        if self._pack is None:
            if self.open_pack is None:
                raise ContractError(f"Stage {self.stage!r} writes pixels outside a part; only partition work may")
            self._pack = self.open_pack()
        self.count("pack_bytes", len(data))
        return self._pack.add(name, data)

    def table(self, rows: list[dict[str, Any]]) -> pa.Table:
        """Rows as a table of the stage's output columns; absent ones become null."""
        return pa.Table.from_pylist(rows, schema=self.schema)

    def error(self, row: Mapping[str, Any], exc: BaseException, id: str | None = None) -> None:
        """Record that a row (or one member of it, by its own id) failed, in words that `told` gives."""
        key = row[self.key_in]
        self.errors.append(
            {
                "sample_id": id or key,
                "parent_id": key,
                "dataset": row.get("dataset"),
                "exception": type(exc).__name__,
                "message": storable(hide_private(told(exc))),
                "attempt": self.attempt,
            }
        )

    def member_error(self, row: Mapping[str, Any], id: str, exc: BaseException) -> None:
        """Record that one member of the row being worked on failed; dropped again if the whole row fails."""
        self._pending.append({"row": row, "id": id, "exc": exc})

    @contextmanager
    def row(self, row: Mapping[str, Any]) -> Iterator[None]:
        """Scope of one row: member errors count only when the row itself does not fail."""
        self._pending = []
        yield
        for item in self._pending:
            self.error(item["row"], item["exc"], item["id"])
        self._pending = []
