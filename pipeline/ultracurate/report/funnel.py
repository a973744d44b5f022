"""Counts what every stage took, kept and lost, checks that the books balance, and draws them as bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.core.errors import ContractError
from ultracurate.core.schema import Grain
from ultracurate.report.markup import Html, Node, el, section
from ultracurate.report.model import RunTables, StageTables
from ultracurate.report.wording import count, of_grain, percent, readable


@dataclass(frozen=True)
class ReasonCount:
    """How many rows one stage lost for one reason."""

    reason: str  # reason of a reject, exception class of an error
    kind: str  # "reject" or "error"
    child: bool  # True: a child of a fan-out stage; False: a whole input
    count: int


@dataclass(frozen=True)
class FunnelRow:
    """The books of one stage: rows_in = kept + rejects + errors, and for a fan-out found = rows_out + child losses."""

    stage: str
    grain_in: Grain
    grain: Grain
    rows_in: int
    kept: int  # rows out, or opened inputs of a fan-out
    rejects: int
    errors: int
    rows_out: int
    child_rejects: int
    child_errors: int
    fan_out: bool
    reasons: tuple[ReasonCount, ...]  # largest first

    @property
    def found(self) -> int:
        """Children that a fan-out met: those it kept and those it lost."""
        return self.rows_out + self.child_rejects + self.child_errors


def funnel(tables: RunTables) -> list[FunnelRow]:
    """The books of every stage in order; a stage whose books do not balance is a ContractError."""
    return [_balance(stage) for stage in tables.stages]


def _balance(stage: StageTables) -> FunnelRow:
    reasons = [
        *_reasons(stage.rejects, "reason", "reject"),
        *_reasons(stage.errors, "exception", "error"),
    ]
    sums: Counter[tuple[str, bool]] = Counter()
    for reason in reasons:
        sums[reason.kind, reason.child] += reason.count
    fan_out = stage.parents is not None
    kept = _opened(stage) if fan_out else stage.rows
    rejects, errors = sums["reject", False], sums["error", False]
    if stage.rows_in != kept + rejects + errors:
        noun = "opened inputs" if fan_out else "rows out"
        raise ContractError(
            f"Stage {stage.name}: expected rows in = {noun} + rejects + errors, found "
            f"{stage.rows_in} in and {kept} + {rejects} + {errors} = {kept + rejects + errors}. "
            "Rows were lost or counted twice; run the stage again and report it if it stays."
        )
    return FunnelRow(
        stage=stage.name,
        grain_in=stage.grain_in,
        grain=stage.grain,
        rows_in=stage.rows_in,
        kept=kept,
        rejects=rejects,
        errors=errors,
        rows_out=stage.rows,
        child_rejects=sums["reject", True],
        child_errors=sums["error", True],
        fan_out=fan_out,
        reasons=tuple(sorted(reasons, key=lambda r: (-r.count, r.kind, r.reason, r.child))),
    )


def _opened(stage: StageTables) -> int:
    """Inputs of a fan-out that gave or lost children and have no loss of their own."""
    if len(stage.parents) != stage.rows:
        raise ContractError(
            f"Stage {stage.name}: expected one parent for each of its {stage.rows} rows, found {len(stage.parents)}. "
            "Read the parent column from the same parts as the rows."
        )
    opened = set(pc.unique(stage.parents).to_pylist())
    whole: set[str] = set()
    for losses in (stage.rejects, stage.errors):
        child = _of_child(losses)
        opened.update(pc.unique(losses.filter(child).column("parent_id")).to_pylist())
        whole.update(pc.unique(losses.filter(pc.invert(child)).column("parent_id")).to_pylist())
    return len(opened - whole)


def _of_child(losses: pa.Table) -> Any:
    """Which losses concern one child and not a whole input."""
    return pc.fill_null(pc.not_equal(losses.column("sample_id"), losses.column("parent_id")), False)


def _reasons(losses: pa.Table, name: str, kind: str) -> list[ReasonCount]:
    grouped = pa.table({"reason": losses.column(name), "child": _of_child(losses)}).group_by(["reason", "child"])
    return [
        ReasonCount(row["reason"] or "none given", kind, row["child"], row["count_all"])
        for row in grouped.aggregate([([], "count_all")]).to_pylist()
    ]


def funnel_section(tables: RunTables, rows: Sequence[FunnelRow]) -> Html:
    """The funnel as a list of bars; bars of one unit share one scale, so that the narrowing can be seen."""
    scale: Counter[Grain] = Counter()
    for row in rows:
        scale[row.grain_in] = max(scale[row.grain_in], row.rows_in)
        if row.fan_out:
            scale[row.grain] = max(scale[row.grain], row.found)
    items: list[Node] = []
    for place, row in enumerate(rows):
        if place and rows[place - 1].rows_out != row.rows_in:
            before = rows[place - 1]
            items.append(
                el(
                    "li",
                    f"{of_grain(before.rows_out, before.grain)} left {before.stage}, but "
                    f"{of_grain(row.rows_in, row.grain_in)} entered {row.stage}: this part of the run is not complete.",
                    class_="warning",
                )
            )
        items.append(_stage_item(tables, row, scale))
    return section(
        "funnel",
        "Where everything went",
        "Each bar is what a stage took in. In every stage rows in = kept + set aside + failed; "
        "a stage that opens archives or clips has a second bar for what it found inside.",
        _legend() if rows else None,
        el("ol", items, class_="funnel") if rows else el("p", "This run has no stages yet.", class_="empty"),
    )


def _legend() -> Html:
    keys = (("kept", "kept"), ("rejects", "set aside on purpose"), ("errors", "failed, can be retried"))
    return el("ul", [el("li", el("i", class_=f"key {key}"), text) for key, text in keys], class_="legend")


def _stage_item(tables: RunTables, row: FunnelRow, scale: Counter[Grain]) -> Html:
    bars = [_bar(row.rows_in, row.kept, row.rejects, row.errors, row.grain_in, scale[row.grain_in])]
    if row.fan_out:
        child = (row.found, row.rows_out, row.child_rejects, row.child_errors)
        bars.append(_bar(*child, row.grain, scale[row.grain], inside=True))
    chips = [
        el(
            "li",
            el(
                "a",
                readable(reason.reason) if reason.kind == "reject" else reason.reason,
                el("b", count(reason.count)),
                href="#losses",
                class_=f"chip {reason.kind}",
                title=tables.reasons.get(reason.reason),
                data_stage=row.stage,
                data_reason=reason.reason,
            ),
        )
        for reason in row.reasons
    ]
    return el(
        "li",
        el("h3", row.stage),
        el("div", bars, el("ul", chips, class_="chips") if chips else None),
        class_="stage",
    )


def _bar(total: int, kept: int, rejects: int, errors: int, grain: Grain, largest: int, *, inside: bool = False) -> Html:
    rects: list[Node] = []
    left = 0.0
    for number, name in ((kept, "kept"), (rejects, "rejects"), (errors, "errors")):
        # At least a hair's breadth: a loss of one in a million is still a loss that should be seen.
        width = max(100 * number / largest, 0.35) if number else 0.0
        rects.append(el("rect", x=left, y=0, width=width, height=10, class_=name) if number else None)
        left += width
    lost = f", {count(rejects)} set aside, {count(errors)} failed" if rejects or errors else ""
    return el(
        "div",
        el(
            "svg",
            el("rect", x=0, y=0, width=100, height=10, class_="track"),
            rects,
            viewBox="0 0 100 10",
            preserveAspectRatio="none",
            role="img",
            aria_label=f"{of_grain(total, grain)}: {count(kept)} kept{lost}",
        ),
        el(
            "p",
            el("span", "↳ ", aria_hidden="true") if inside else None,
            el("b", count(kept)),
            f" of {of_grain(total, grain)}" if kept != total else f" {grain}{'' if kept == 1 else 's'}",
            el("small", percent(kept / total)) if total and kept != total else None,
        ),
        class_="bar",
    )
