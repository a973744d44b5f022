"""The global half of the engine: one function over narrow columns of all parts, cut back into a slice for each part.

Both `prepare` (values before a map) and `scope="global"` (verdicts on every row) work this way. A slice is named by
the digest of its content, and a part's id holds the digest of its slice alone: a new dataset recomputes the verdicts,
but only the parts whose verdicts changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.core import log
from ultracurate.core.config import digest
from ultracurate.core.errors import ContractError
from ultracurate.core.parts import PartRef, encode, read_table
from ultracurate.core.spec import Spec
from ultracurate.core.stage import Scope, Stage
from ultracurate.core.store import Store
from ultracurate.core.work import Input, make_context

_PART = "_part"


@dataclass(frozen=True, slots=True)
class Slice:
    """Verdicts for the rows of one job: where they are stored, their digest, and the inputs that hold the rows."""

    value: str  # id of the input part, or the value of `part_by`
    path: str | None
    digest: str
    parts: tuple[int, ...]  # positions in the list of input parts


@dataclass(frozen=True, slots=True)
class Reduction:
    """All slices of one reduction, and the paths of its side tables."""

    slices: tuple[Slice, ...]
    side: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


def reduce_columns(
    store: Store,
    spec: Spec,
    stage: Stage,
    directory: str,
    parts: Sequence[PartRef],
    earlier: Mapping[str, Sequence[PartRef]],
    compute: bool = True,
) -> Reduction | None:
    """Run the stage's global function (or read its earlier result, if the inputs are the same).

    With `compute=False` only an earlier result is looked up; None says that there is none.
    """
    inputs = digest(
        [p.digest for p in parts],
        {name: [p.digest for p in earlier[name]] for name in stage.reads},
        spec.sections_digest(stage, None),
        spec.order,
        spec.recipe.name,
    )[:24]
    marker = f"{directory}/global-{inputs}.json"
    if store.exists(marker):
        return _load(json.loads(store.read(marker)))
    if not compute:
        return None
    log.event("global_started", stage=stage.name, inputs=inputs, parts=len(parts))
    reduction = _compute(store, spec, stage, directory, parts, earlier, inputs)
    plain = {
        "slices": [[s.value, s.path, s.digest, list(s.parts)] for s in reduction.slices],
        "side": dict(reduction.side),
        "counters": dict(reduction.counters),
    }
    store.write(marker, json.dumps(plain, sort_keys=True).encode())
    log.event("global_committed", stage=stage.name, inputs=inputs, slices=len(reduction.slices))
    return reduction


def _load(data: dict[str, Any]) -> Reduction:
    slices = tuple(Slice(value, path, digest, tuple(parts)) for value, path, digest, parts in data["slices"])
    return Reduction(slices, data["side"], data["counters"])


def _compute(
    store: Store,
    spec: Spec,
    stage: Stage,
    directory: str,
    parts: Sequence[PartRef],
    earlier: Mapping[str, Sequence[PartRef]],
    inputs: str,
) -> Reduction:
    key = stage.key_in
    is_global = stage.scope is Scope.GLOBAL
    wanted = stage.needs if is_global else stage.prepare_needs
    narrow = _read_columns(store, parts, dict.fromkeys((key, "dataset", *wanted)))
    owner = pa.table({key: narrow[key], _PART: narrow[_PART]})
    ctx = make_context(spec, store, stage)
    ctx.also = {
        name: _read_columns(store, earlier[name], dict.fromkeys(columns)).drop_columns([_PART])
        for name, columns in stage.reads.items()
    }
    settings = spec.settings(stage)
    side: dict[str, str] = {}
    if is_global:
        result = stage.function(narrow.drop_columns([_PART]), settings, ctx)
        verdict = _with_rejects(stage, owner, result.rows, result.rejects)
        for name, content in result.side.items():
            side[name] = f"{directory}/{name}-{inputs}.parquet"
            store.write(side[name], encode(content))
    else:
        if stage.prepare is None:
            raise ContractError(f"Stage {stage.name!r} has nothing to prepare")
        verdict = stage.prepare(narrow.drop_columns([_PART]), settings, ctx)
    slices = _cut(store, stage, directory, parts, owner, verdict)
    return Reduction(slices, side, dict(ctx.counters))


def _read_columns(store: Store, parts: Sequence[PartRef], columns: Mapping[str, None]) -> pa.Table:
    tables = []
    for position, part in enumerate(parts):
        table = read_table(store, part.path(), columns)
        tables.append(table.append_column(_PART, pa.array([position] * table.num_rows, pa.int32())))
    return (
        pa.concat_tables(tables)
        if tables
        else pa.table({name: pa.array([], pa.string()) for name in (*columns, _PART)})
    )


def _with_rejects(stage: Stage, owner: pa.Table, rows: pa.Table, rejects: pa.Table) -> pa.Table:
    """One table of kept and dropped rows; every input row must be in it exactly once."""
    key = stage.key_in
    names = [key, *(f.name for f in stage.adds)]
    kept = rows.select(names)
    for name in ("reject_reason", "reject_detail"):
        kept = kept.append_column(name, pa.nulls(kept.num_rows, pa.string()))
    columns = {
        key: rejects["sample_id"],
        "reject_reason": rejects["reason"],
        "reject_detail": rejects["detail"],
    }
    dropped = pa.table(
        {
            name: columns.get(name, pa.nulls(rejects.num_rows, kept.schema.field(name).type))
            for name in kept.schema.names
        }
    )
    verdict = pa.concat_tables([kept, dropped.cast(kept.schema)])
    if (
        verdict.num_rows != owner.num_rows
        or len(pc.unique(verdict[key])) != owner.num_rows
        or pc.any(pc.is_null(pc.index_in(verdict[key], value_set=owner[key]))).as_py()
    ):
        raise ContractError(
            f"Stage {stage.name!r}: gave {verdict.num_rows} verdicts for {owner.num_rows} rows; "
            "every row needs exactly one"
        )
    return verdict


def _cut(
    store: Store, stage: Stage, directory: str, parts: Sequence[PartRef], owner: pa.Table, verdict: pa.Table
) -> tuple[Slice, ...]:
    """Cut the verdicts by input part, or by the value of `part_by`; equal slices are stored once."""
    key = stage.key_in
    place = pc.index_in(verdict[key], value_set=owner[key])
    verdict = verdict.append_column(_PART, owner[_PART].take(place)).sort_by([(_PART, "ascending"), (key, "ascending")])
    slices: list[Slice] = []
    if stage.part_by is not None and verdict[stage.part_by].null_count:
        raise ContractError(
            f"Stage {stage.name!r}: every row needs a {stage.part_by!r} to be put in a part; none may be dropped"
        )
    if stage.part_by is None:
        of_row = verdict[_PART].to_numpy()
        starts, ends = (
            of_row.searchsorted(range(len(parts)), "left"),
            of_row.searchsorted(range(len(parts)), "right"),
        )
        groups = [
            (part.id, verdict.slice(start, end - start))
            for part, start, end in zip(parts, starts.tolist(), ends.tolist(), strict=True)
        ]
    else:
        groups = [
            (value, verdict.filter(pc.equal(verdict[stage.part_by], value)))
            for value in sorted(v for v in pc.unique(verdict[stage.part_by]).to_pylist() if v is not None)
        ]
    for position, (value, rows) in enumerate(groups):
        members = tuple(sorted(set(rows[_PART].to_pylist()))) if stage.part_by else (position,)
        rows = rows.drop_columns([_PART])
        if rows.num_rows == 0:
            slices.append(Slice(value, None, "", members))
            continue
        data = encode(rows)
        name = hashlib.sha256(data).hexdigest()
        path = f"{directory}/verdict-{name[:24]}.parquet"
        if not store.exists(path):
            store.write(path, data)
        slices.append(Slice(value, path, name, members))
    return tuple(slices)


def inputs_of(parts: Sequence[PartRef], members: Sequence[int]) -> tuple[Input, ...]:
    """The whole of the given input parts."""
    return tuple(Input(parts[i].path(), 0, parts[i].rows) for i in members)
