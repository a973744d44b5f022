"""From a finished run in a work directory to the plain tables that the report is made of."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ultracurate.core.annotations import read as read_annotations
from ultracurate.core.blobs import Blobs
from ultracurate.core.errors import ConfigError
from ultracurate.core.parts import PartRef, read_table
from ultracurate.core.plan import Planner, retry_id
from ultracurate.core.runner import RunResult
from ultracurate.core.schema import ERRORS, REJECTS
from ultracurate.core.spec import Spec
from ultracurate.core.stage import Stage, columns_of
from ultracurate.core.store import Store
from ultracurate.ontology.tree import Ontology
from ultracurate.report.model import EDGES, IDENTIFYING, DatasetLicence, RunTables, StageTables


def finished_run(store: Store, spec: Spec) -> RunResult:
    """The parts of a run that is complete; a `ConfigError` says which stage is not."""
    states = Planner(store, spec).look()
    for name, state in states.items():
        if state is None or not state.complete:
            raise ConfigError(
                f"Stage {name!r} of recipe {spec.recipe.name!r} is not finished in {store.url}. "
                "Run `ultracurate run all` first."
            )
    found = {name: state for name, state in states.items() if state is not None}
    result = RunResult("")
    result.states = found
    result.parts = {name: state.done for name, state in found.items()}
    return result


def load_tables(store: Store, spec: Spec, result: RunResult) -> RunTables:
    """Read the narrow tables of a finished run; pixels are fetched only when a picture is drawn."""
    planner = Planner(store, spec)
    schemas = columns_of(planner.stages)
    parts = result.parts
    blobs = Blobs(store, spec.recipe.roots)

    def rows(name: str) -> pa.Table:
        return _concat(store, [part.path() for part in parts[name] if part.rows], schemas[name])

    frames = rows("shard")
    ontology = Ontology.load()
    stages = [_stage(store, s, parts.get(s.after or "", ()), parts[s.name], schemas) for s in planner.stages]
    edges = result.states["dedup"].reduction
    return RunTables(
        recipe=spec.recipe.name,
        run_id=planner.spec_digest,
        stages=stages,
        files=rows("download"),
        samples=rows("index"),
        frames=frames,
        edges=read_table(store, edges.side["edges"]) if edges and "edges" in edges.side else EDGES.empty_table(),
        conflicts=frames.filter(frames["label_conflict"])["sample_id"].to_pylist(),
        pixels=lambda uri, offset, length: blobs.read_range(uri, offset, length),
        licences=_licences(spec),
        candidates=rows("dedup.hash"),
        searched=_searched(store, parts["discover"]),
        identifying=_identifying(store, parts["index"]),
        annotations=read_annotations(store, parts["index"]),
        own=frozenset(
            slug for slug, m in spec.manifests.items() if any(ref.host in ("local", "manual") for ref in m.sources)
        ),
        versions={"ontology": ontology.version},
        names={node.id: node.name for node in ontology.nodes.values()},
        parents={node.id: node.parent for node in ontology.nodes.values() if node.parent},
        reasons={reason: text for s in planner.stages for reason, text in s.reasons.items()},
    )


def _searched(store: Store, parts: Sequence[PartRef]) -> pa.Table | None:
    paths = [part.path("candidates") for part in parts if "candidates" in part.side]
    return read_table(store, paths[-1]) if paths else None  # a later attempt judges what all attempts found


def _identifying(store: Store, parts: Sequence[PartRef]) -> pa.Table:
    """What index met, of every file only what its last attempt counted."""
    tables = [read_table(store, part.path("identifying")) for part in parts if "identifying" in part.side]
    last = {file: place for place, table in enumerate(tables) for file in table["file_id"].to_pylist()}
    kept = [
        table.filter(pa.array([last[file] == place for file in table["file_id"].to_pylist()], pa.bool_()))
        for place, table in enumerate(tables)
    ]
    return pa.concat_tables(kept) if kept else IDENTIFYING.empty_table()


def _stage(
    store: Store, stage: Stage, before: Sequence[PartRef], parts: Sequence[PartRef], schemas: dict[str, pa.Schema]
) -> StageTables:
    rejects = _concat(store, [p.path("rejects") for p in parts if p.rejects], REJECTS)
    ids = {part.id for part in parts}
    still_failed = [p for p in parts if p.errors and retry_id(p) not in ids]  # a later attempt replaces its errors
    errors = _concat(store, [p.path("errors") for p in still_failed], ERRORS)
    common = {
        "name": stage.name,
        "rows": sum(part.rows for part in parts),
        "rejects": rejects,
        "errors": errors,
        "seconds": sum(part.seconds for part in parts),
        "bytes": sum(part.bytes + part.counters.get("pack_bytes", 0) for part in parts),
        "parts": len(parts),
        "grain_in": stage.grain_in,
        "grain": stage.grain_out,
    }
    if stage.parent == stage.key_out:
        return StageTables(rows_in=sum(part.rows for part in before), **common)
    # A stage that fans out keeps its books by input row: which of them gave rows, were rejected, or failed.
    parents = _concat(store, [p.path() for p in parts if p.rows], schemas[stage.name], [stage.parent])[stage.parent]
    if stage.after is None:
        rows_in = len({*parents.to_pylist(), *rejects["parent_id"].to_pylist(), *errors["parent_id"].to_pylist()})
    else:
        rows_in = sum(part.rows for part in before)
    return StageTables(rows_in=rows_in, parents=parents, **common)


def _concat(store: Store, paths: Sequence[str], schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    tables = [read_table(store, path, columns) for path in paths]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _licences(spec: Spec) -> dict[str, DatasetLicence]:
    found = {}
    for slug, manifest in spec.manifests.items():
        licence = manifest.licence
        found[slug] = DatasetLicence(
            dataset=slug,
            licence=licence.id,
            title=manifest.title,
            redistribution=licence.terms.redistribution,
            commercial=licence.terms.commercial,
            evidence=licence.evidence,
            read=licence.read.isoformat() if licence.read else None,
            note=licence.note,
        )
    return found
