"""What a stage is: a typed function over one table, with its columns, grain and settings declared.

A stage never sees the executor, the directory layout or other parts. It gets a table, its settings and a `Context`,
and returns a `Result`. `each` runs a function row by row and turns a bad row into an error row.
"""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import pyarrow as pa

from ultracurate.core.config import Settings
from ultracurate.core.context import Context, storable
from ultracurate.core.errors import ConfigError, ContractError, StorageError
from ultracurate.core.parts import PartRef
from ultracurate.core.private import hide_private
from ultracurate.core.registry import Registry
from ultracurate.core.schema import KEY, LINEAGE, REJECTS, Grain

Row = dict[str, Any]


class Scope(StrEnum):
    """Whether a stage sees one part at a time, or the narrow columns of all parts at once."""

    PARTITION = "partition"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Reject:
    """Why one row (or one member of it) was dropped on purpose."""

    reason: str
    detail: str = ""
    id: str | None = None  # the id of the dropped thing where that is not the input row, e.g. a member of an archive


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage makes of a table.

    `rows` has the stage's output columns (for a global stage: the key and the added columns of every kept row).
    `side` holds further tables by name, such as the edges of duplicates.
    """

    rows: pa.Table
    rejects: pa.Table = field(default_factory=REJECTS.empty_table)
    side: Mapping[str, pa.Table] = field(default_factory=dict)


StageFunction = Callable[[pa.Table, Any, Context], Result]
Prepare = Callable[[pa.Table, Any, Context], pa.Table]


@dataclass(frozen=True, slots=True)
class Stage:
    """The declaration of one stage; see design in docs/stages.md."""

    name: str
    version: int
    after: str | None
    grain_in: Grain
    grain_out: Grain
    needs: tuple[str, ...]
    adds: tuple[pa.Field, ...]
    config: type[Settings]
    scope: Scope
    function: StageFunction
    reasons: Mapping[str, str]
    parent: str  # output column that names the input row
    sections: tuple[str, ...] = ()  # fields of the dataset manifest that the stage reads
    prepare: Prepare | None = None  # narrow columns of all parts -> values by row key, before the map
    prepare_needs: tuple[str, ...] = ()
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # earlier stage -> columns, for a global stage
    group_rows: int | None = None  # at most this many input rows in one part
    group_weight: tuple[str, int] | None = None  # integer column and the sum at which a part is full
    part_by: str | None = None  # global: one output part for each value of this column
    ontology: bool = False  # the ontology's version is part of the fingerprint
    seeded: bool = False  # it draws at random or by hash, so the run's seed is part of the fingerprint
    watch: Callable[[Any, Mapping[str, str]], str] | None = (
        None  # first stage: what may change outside a dataset's manifest
    )
    extra_inputs: Callable[[Any], tuple[str, ...]] | None = None  # first stage: inputs besides the recipe's datasets
    versions: Callable[[Any], Mapping[str, str]] | None = None  # programs and weights that, changed, change its results
    publish: Callable[[Context, Any, tuple[PartRef, ...]], str] | None = None  # once, after all parts; says where

    @property
    def key_in(self) -> str:
        """Key column of an input row."""
        return KEY[self.grain_in]

    @property
    def key_out(self) -> str:
        """Key column of an output row."""
        return KEY[self.grain_out]

    @property
    def summary(self) -> str:
        """First sentence of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]


PIPELINE = "ultracurate.stages"
"""The package whose modules are the stages; a test or a measurement may bring its own."""


def pipeline(package: str = PIPELINE) -> Registry[Stage]:
    """The stages of one package."""
    return _registry(package)


@cache
def _registry(package: str) -> Registry[Stage]:
    return Registry("stage", package, "ultracurate.stages" if package == PIPELINE else None)


F = TypeVar("F", bound=StageFunction)


def stage(
    name: str,
    *,
    version: int,
    after: str | None,
    grain: tuple[Grain, Grain],
    needs: Iterable[str],
    adds: Iterable[pa.Field],
    config: type[Settings],
    reasons: Mapping[str, str] | None = None,
    scope: Scope = Scope.PARTITION,
    parent: str | None = None,
    package: str = PIPELINE,
    **options: Any,
) -> Callable[[F], F]:
    """Declare and register the decorated function as stage `name`.

    Args:
        name: What the command line calls it.
        version: Raise it when the code changes a result; it is part of the fingerprint.
        after: The stage whose parts it reads, None for the first.
        grain: What a row is before and after.
        needs: Input columns that it reads.
        adds: Columns that it adds to those of its input.
        config: Its settings model.
        reasons: Every reason for which it may reject, with a sentence for people.
        scope: One part at a time, or all parts' narrow columns at once.
        parent: Output column that names the input row; the key itself unless the stage fans out.
        package: The pipeline it belongs to.
        options: `sections`, `prepare`, `prepare_needs`, `reads`, `group_rows`, `group_weight`, `part_by`, `ontology`,
            `seeded`, `watch`, `extra_inputs`, `versions`, `publish` of `Stage`.
    """
    grain_in, grain_out = grain

    def declare(function: F) -> F:
        pipeline(package).register(name)(
            Stage(
                name,
                version,
                after,
                grain_in,
                grain_out,
                tuple(needs),
                tuple(adds),
                config,
                scope,
                function,
                dict(reasons or {}),
                parent or KEY[grain_in],
                **options,
            )
        )
        return function

    return declare


def chain(last: str | None = None, package: str = PIPELINE) -> tuple[Stage, ...]:
    """The stages in running order, up to and including `last`."""
    follower: dict[str | None, Stage] = {}
    for s in pipeline(package):
        if (other := follower.setdefault(s.after, s)) is not s:
            raise ContractError(
                f"Stages {other.name!r} and {s.name!r} both come after {s.after!r}; put one after the other."
            )
    ordered: list[Stage] = []
    current = follower.get(None)
    while current is not None:
        ordered.append(current)
        if current.name == last:
            return tuple(ordered)
        current = follower.get(current.name)
    if last is not None:
        pipeline(package).get(last)  # raises with the known names
    if unreached := sorted({s.name for s in pipeline(package)} - {s.name for s in ordered}):
        raise ContractError(f"No chain leads to stages {unreached}; correct their `after`.")
    return tuple(ordered)


def columns_of(stages: Iterable[Stage]) -> dict[str, pa.Schema]:
    """Output schema of each stage; a missing or doubled column is a `ConfigError` before anything runs."""
    fields: list[pa.Field] = list(LINEAGE)
    schemas: dict[str, pa.Schema] = {}
    for s in stages:
        have = {f.name for f in fields}
        if s.after is not None and (missing := set(s.needs) | set(s.prepare_needs) - have) - have:
            raise ConfigError(
                f"Stage {s.name!r} needs columns {sorted(missing - have)}, but {s.after!r} does not give them."
            )
        if doubled := have & {f.name for f in s.adds}:
            raise ConfigError(f"Stage {s.name!r} adds columns that exist already: {sorted(doubled)}.")
        fields += s.adds
        schemas[s.name] = pa.schema(fields)
    return schemas


def each(part: pa.Table, ctx: Context, function: Callable[[Row], Row | Reject | list[Row | Reject]]) -> Result:
    """Apply `function` to every row; what it returns is added to the row, what it raises costs that row only.

    The function returns the added columns (a dict), a `Reject`, or a list of both for a fan-out. A full or read-only
    disk is not the row's fault: it ends the run with a clear message, and the part is computed again next time.
    """
    rows: list[tuple[Row, Row]] = []  # input row, output row
    rejects: list[Row] = []
    declared = set(ctx.schema.names)
    for row in part.to_pylist():
        try:
            with ctx.row(row):
                answer = function(row)
                answers = answer if isinstance(answer, list) else [answer]
                made, dropped = [], []
                for item in answers:
                    if isinstance(item, Reject):
                        dropped.append(_reject_row(row, item, ctx))
                    elif item.keys() <= declared:
                        made.append(row | item)
                    else:
                        raise ContractError(
                            f"Stage {ctx.stage!r} gives undeclared columns {sorted(item.keys() - declared)}"
                        )
        except (StorageError, ConfigError, ContractError, KeyboardInterrupt):
            raise
        except Exception as exc:  # a bad input may raise anything; its row says what
            if is_full_disk(exc):
                raise
            ctx.error(row, exc)
        else:
            rows += [(row, item) for item in made]
            rejects += dropped
    return Result(_table(rows, ctx), pa.Table.from_pylist(rejects, schema=REJECTS))


def is_full_disk(exc: BaseException) -> bool:
    """Whether the work directory, not the row, is what failed."""
    return isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _table(rows: list[tuple[Row, Row]], ctx: Context) -> pa.Table:
    """The output rows as a table; one with a value that no column holds (a size of 30 digits) costs itself only."""
    try:
        return ctx.table([made for _, made in rows])
    except _UNFIT:
        fit = []
        for row, made in rows:
            try:
                ctx.table([made])
            except _UNFIT as exc:
                ctx.error(row, exc, made.get(KEY[Grain.SAMPLE]))
            else:
                fit.append(made)
        return ctx.table(fit)


_UNFIT = (pa.ArrowException, OverflowError, UnicodeError)


def _reject_row(row: Row, reject: Reject, ctx: Context) -> Row:
    key = row[ctx.key_in]
    return {
        "sample_id": reject.id or key,
        "parent_id": key,
        "dataset": row.get("dataset"),
        "reason": reject.reason,
        "detail": storable(hide_private(reject.detail)),
    }
