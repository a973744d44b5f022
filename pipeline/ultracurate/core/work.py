"""What a worker does: read the rows of one job, call the stage, check its promises, commit the part."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.core import log
from ultracurate.core.blobs import Blobs, PackWriter
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError, ContractError, StorageError, UltracurateError, storage_error, told
from ultracurate.core.parts import PartRef, check_conservation, commit, find, read_table
from ultracurate.core.private import hide_private
from ultracurate.core.schema import REJECTS
from ultracurate.core.spec import Spec, check_lineage, open_spec
from ultracurate.core.stage import Result, Scope, Stage, chain, columns_of, pipeline
from ultracurate.core.store import Store


@dataclass(frozen=True, slots=True)
class Input:
    """Rows `[start, stop)` of a Parquet file of the stage before."""

    path: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Job:
    """One part to compute: names and paths only, so that it costs a scheduler nothing."""

    work: str
    spec: str
    run_id: str
    stage: str
    directory: str
    id: str
    dataset: str | None
    inputs: tuple[Input, ...] = ()
    verdict: str | None = None  # table of prepared values or global verdicts for these rows
    retry_of: tuple[str, ...] = ()  # earlier attempts of this part, the newest last
    lineage: str = ""
    log_dir: str | None = None

    @property
    def attempt(self) -> int:
        """1 for the first time, then one more for each retry."""
        return len(self.retry_of) + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: a finished part, or why not; `fatal` ends the run (disk full, missing program)."""

    job_id: str
    ref: PartRef | None = None
    failure: str = ""
    fatal: UltracurateError | None = None


def run_job(job: Job) -> Outcome:
    """Compute and commit one part. Never raises for bad input: what went wrong is in the outcome."""
    from pathlib import Path

    log.open_log(Path(job.log_dir) if job.log_dir else None, job.run_id)
    try:
        ref = _compute(job)
    except (StorageError, ConfigError) as exc:
        log.LOGGER.error("part_stopped", extra={"data": {"stage": job.stage, "part": job.id, "message": str(exc)}})
        return Outcome(job.id, failure=hide_private(str(exc)), fatal=exc)
    except OSError as exc:
        clear = storage_error(exc, job.work)
        log.LOGGER.exception("part_failed", extra={"data": {"stage": job.stage, "part": job.id}})
        return Outcome(job.id, failure=hide_private(f"{type(exc).__name__}: {told(exc)}"), fatal=clear)
    except Exception as exc:
        log.LOGGER.exception("part_failed", extra={"data": {"stage": job.stage, "part": job.id}})
        return Outcome(job.id, failure=hide_private(f"{type(exc).__name__}: {told(exc)}"))
    log.event(
        "part_committed",
        run=job.run_id,
        stage=job.stage,
        part=job.id,
        rows=ref.rows,
        rejects=ref.rejects,
        errors=ref.errors,
        seconds=round(ref.seconds, 4),
    )
    return Outcome(job.id, ref)


def make_context(spec: Spec, store: Store, stage: Stage, part_id: str = "") -> Context:
    """A context with the run's settings and nothing of a part yet."""
    schema = columns_of(chain(stage.name, spec.pipeline))[stage.name]
    return Context(
        stage=stage.name,
        key_in=stage.key_in,
        schema=schema,
        recipe=spec.recipe,
        store=store,
        blobs=Blobs(store, spec.recipe.roots),
        manifests=spec.views(stage),
        part_id=part_id,
        seeded=stage.seeded,
    )


def _compute(job: Job) -> PartRef:
    started = time.perf_counter()
    store, spec = open_spec(job.work, job.spec)
    if (done := find(store, job.directory, job.id)) is not None:
        return done  # another run, or a worker that was lost later, has made it
    log.event("part_started", run=job.run_id, stage=job.stage, part=job.id, dataset=job.dataset, attempt=job.attempt)
    check_lineage(job.work, job.spec, job.stage, job.lineage)
    stage = pipeline(spec.pipeline).get(job.stage)
    part = _read_inputs(store, stage, job)
    if stage.part_by is not None:  # the input parts hold rows of other jobs too
        part = part.filter(pc.is_in(part[stage.key_in], value_set=read_table(store, job.verdict or "")[stage.key_in]))
    ctx = make_context(spec, store, stage, job.id)
    ctx.attempt = job.attempt
    if job.retry_of:
        part = _only_failed(store, stage, job, part)
    with _pack_file(store, job, ctx) as finish_pack:
        inside = time.perf_counter()
        if stage.scope is Scope.GLOBAL:
            result = _join_verdict(store, stage, job, part, ctx)
        else:
            if job.verdict:
                ctx.prepared = {row.pop(stage.key_in): row for row in read_table(store, job.verdict).to_pylist()}
            result = stage.function(part, spec.settings(stage), ctx)
        inside = time.perf_counter() - inside
        result = _finish(store, stage, job, part, result, ctx)
        if (done := find(store, job.directory, job.id)) is not None:
            return done  # the other one was faster: what is finished is never replaced, and this pack is dropped
        finish_pack()
    seconds = time.perf_counter() - started
    ref = PartRef(job.directory, job.id, job.dataset, 0, "")
    record = {
        "counters": dict(sorted(ctx.counters.items())),
        "seconds": seconds,
        "stage_seconds": inside,
        "rows_in": part.num_rows,
        "run": job.run_id,
        "attempt": job.attempt,
    }
    return commit(store, ref, result.rows, result.rejects, ctx.errors, result.side, record)


def _read_inputs(store: Store, stage: Stage, job: Job) -> pa.Table:
    if stage.after is None:
        return pa.table({"dataset": pa.array([job.dataset], pa.string())})
    part = pa.concat_tables([read_table(store, i.path, None, i.start, i.stop) for i in job.inputs])
    missing = set(stage.needs) - set(part.schema.names)
    if missing:
        raise ContractError(
            f"Stage {stage.name!r} needs columns {sorted(missing)}; {job.inputs[0].path} does not hold them"
        )
    return part


def _only_failed(store: Store, stage: Stage, job: Job, part: pa.Table) -> pa.Table:
    """Of a retried part, the input rows whose errors the last attempt left."""
    errors = read_table(store, f"{job.directory}/errors-{job.retry_of[-1]}.parquet", ["parent_id"])
    return part.filter(pc.is_in(part[stage.key_in], value_set=errors["parent_id"]))


def _join_verdict(store: Store, stage: Stage, job: Job, part: pa.Table, ctx: Context) -> Result:
    """A global stage's verdicts joined back to the full rows: kept rows get the added columns, the others a reason."""
    key = stage.key_in
    verdict = read_table(store, job.verdict or "")
    verdict = verdict.take(pc.index_in(part[key], value_set=verdict[key]))
    kept = pc.is_null(verdict["reject_reason"])
    rows = part
    for added in stage.adds:
        rows = rows.append_column(added, verdict[added.name].combine_chunks().cast(added.type))
    dropped, why = part.filter(pc.invert(kept)), verdict.filter(pc.invert(kept))
    rejects = pa.table(
        {
            "sample_id": dropped[key],
            "parent_id": dropped[key],
            "dataset": dropped["dataset"],
            "reason": why["reject_reason"],
            "detail": why["reject_detail"],
        },
        schema=REJECTS,
    )
    return Result(rows.filter(kept), rejects)


def _finish(store: Store, stage: Stage, job: Job, part: pa.Table, result: Result, ctx: Context) -> Result:
    """Check what the stage returned against its declaration, fill the lineage, sort by key."""
    where = f"Stage {stage.name!r}, part {job.id}"
    rows, rejects = result.rows, result.rejects
    if set(rows.schema.names) != set(ctx.schema.names):
        differing = sorted(set(rows.schema.names) ^ set(ctx.schema.names))
        raise ContractError(f"{where}: returned columns {differing} differ from its declaration")
    rows = rows.select(ctx.schema.names).cast(ctx.schema)
    unknown = set(rejects["reason"].to_pylist()) - set(stage.reasons)
    if unknown:
        raise ContractError(
            f"{where}: rejects with undeclared reasons {sorted(unknown)}; add them to the stage's `reasons`"
        )
    fan_out = stage.parent != stage.key_out
    failed = [error["parent_id"] for error in ctx.errors]
    check_conservation(
        where,
        part[stage.key_in].to_pylist(),
        rows[stage.parent].to_pylist(),
        rejects["parent_id"].to_pylist(),
        failed,
        fan_out,
    )
    if job.retry_of:
        rows, rejects = _without_known(store, stage, job, rows, rejects)
    keys = rows[stage.key_out]
    if len(pc.unique(keys)) != len(keys):
        raise ContractError(f"{where}: two output rows share one {stage.key_out}")
    lineage = pa.array([job.lineage] * rows.num_rows, pa.string())
    rows = rows.set_column(rows.schema.get_field_index("lineage"), "lineage", lineage).sort_by(stage.key_out)
    ctx.errors.sort(key=lambda error: (error["parent_id"], error["sample_id"]))
    rejects = rejects.cast(REJECTS).sort_by([("sample_id", "ascending"), ("reason", "ascending")])
    return Result(rows, rejects, {name: result.side[name] for name in sorted(result.side)})


def _without_known(
    store: Store, stage: Stage, job: Job, rows: pa.Table, rejects: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """Of a retried fan-out, only what the earlier attempts did not give: good members are not doubled."""
    for earlier in job.retry_of:
        done = read_table(store, f"{job.directory}/part-{earlier}.parquet", [stage.key_out])[stage.key_out]
        rows = rows.filter(pc.invert(pc.is_in(rows[stage.key_out], value_set=done)))
        path = f"{job.directory}/rejects-{earlier}.parquet"
        if store.exists(path):
            known = read_table(store, path, ["sample_id"])["sample_id"]
            rejects = rejects.filter(pc.invert(pc.is_in(rejects["sample_id"], value_set=known)))
    return rows, rejects


@contextmanager
def _pack_file(store: Store, job: Job, ctx: Context) -> Iterator[Callable[[], None]]:
    """Gives the context a pack that is written on first use; the returned function publishes it, else it is dropped."""
    path = f"{job.directory}/pack-{job.id}.tar"
    with suppress(_UnfinishedError), ExitStack() as stack:
        opened: list[PackWriter] = []

        def start() -> PackWriter:
            opened.append(PackWriter(stack.enter_context(store.create(path)), path))
            return opened[0]

        def finish() -> None:
            while opened:
                opened.pop().close()
            stack.close()

        ctx.open_pack = start
        yield finish
        if opened:
            raise _UnfinishedError  # like any exception it leaves through the stack, which drops the file


class _UnfinishedError(Exception):
    """A pack was begun and is not wanted."""


def worker_setup() -> None:
    """One thread per worker: libraries that start their own would only fight over the cores."""
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "OPENCV_FOR_THREADS_NUM",
    ):
        os.environ.setdefault(name, "1")
