"""Lists everything that was set aside or failed, as one table that can be filtered in the browser."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ultracurate.report.markup import Html, el, section
from ultracurate.report.model import RunTables
from ultracurate.report.wording import HELD_BACK, count, counted, readable, shown_detail, shown_ending, shown_id

SHOWN = 5000
"""Rows in the page; the rest is counted, and lies in the Parquet files."""

ENDINGS = frozenset({"no_layout_rule", "unsupported_format"})
"""Reasons whose detail is the ending of a file's name."""

FETCHING = frozenset({"discover", "download"})
"""Stages whose messages name the file: fine for what a host shows to everybody, not for files of this machine."""

_WORDS = {"reject": "set aside", "error": "failed"}


@dataclass(frozen=True)
class Loss:
    """One reject or error, as it may be shown."""

    stage: str
    kind: str  # "reject" or "error"
    reason: str
    dataset: str
    sample_id: str
    detail: str


def losses(tables: RunTables, limit: int = SHOWN) -> list[Loss]:
    """At most `limit` losses in the order of the stages; when they are too many, rare reasons keep all of theirs."""
    groups: dict[tuple[int, str, str], pa.Table] = {}
    for place, stage in enumerate(tables.stages):
        for kind, table, name in (("error", stage.errors, "exception"), ("reject", stage.rejects, "reason")):
            reasons = table.column(name).to_pylist()
            rows: dict[str, list[int]] = defaultdict(list)
            for row, reason in enumerate(reasons):
                rows[reason or "none given"].append(row)
            for reason in sorted(rows):
                groups[place, kind, reason] = table.take(rows[reason])
    quota = _share_out({key: table.num_rows for key, table in groups.items()}, limit)
    found: list[Loss] = []
    for key, table in groups.items():
        place, kind, reason = key
        ordered = table.sort_by([("dataset", "ascending"), ("sample_id", "ascending")]).slice(0, quota[key])
        found += [
            Loss(
                tables.stages[place].name,
                kind,
                reason,
                row["dataset"] or "",
                shown_id(row["sample_id"]),
                _detail(tables, tables.stages[place].name, kind, reason, row),
            )
            for row in ordered.to_pylist()
        ]
    return found


def _detail(tables: RunTables, stage: str, kind: str, reason: str, row: Mapping[str, Any]) -> str:
    """What is said about a loss, unless it may name a file or a person."""
    if kind == "reject":
        return shown_ending(row["detail"]) if reason in ENDINGS else shown_detail(row["detail"])
    if stage in FETCHING and row["dataset"] in tables.own:
        return HELD_BACK
    return shown_detail(row["message"])


def _share_out(sizes: dict[tuple[int, str, str], int], limit: int) -> dict[tuple[int, str, str], int]:
    """How many of each group to show: small groups whole, large ones an equal share of what is left."""
    quota: dict[tuple[int, str, str], int] = {}
    left = limit
    for done, (key, number) in enumerate(sorted(sizes.items(), key=lambda item: (item[1], item[0]))):
        quota[key] = min(number, left // (len(sizes) - done))
        left -= quota[key]
    return quota


def losses_section(tables: RunTables) -> Html:
    """The filters and the table; without a script the whole table is there, only the filters are not."""
    total = sum(stage.rejects.num_rows + stage.errors.num_rows for stage in tables.stages)
    shown = losses(tables)
    lead = (
        f"{counted(total, 'row')} left the run. “Set aside” is on purpose; “failed” can be tried again "
        "with ultracurate retry. File names are not shown: they can hold patient names."
    )
    if not shown:
        return section("losses", "Every loss", lead, el("p", "Nothing was lost.", class_="empty"))
    more = None
    if total > len(shown):
        more = el(
            "p",
            f"{count(len(shown))} of {count(total)} are listed here, some of every reason. All of them are in the "
            "rejects-*.parquet and errors-*.parquet files beside the parts of each stage, in the work directory.",
            class_="note",
        )
    return section("losses", "Every loss", lead, more, _filters(shown), _table(shown, len(shown)))


def _filters(shown: list[Loss]) -> Html:
    return el(
        "form",
        el(
            "label",
            "Text",
            el("input", type="search", id="f-text", placeholder="id, reason, words", autocomplete="off"),
        ),
        _choice("stage", "Stage", [loss.stage for loss in shown], keep_order=True),
        _choice("reason", "Reason", [loss.reason for loss in shown]),
        _choice("dataset", "Dataset", [loss.dataset for loss in shown]),
        el("button", "Clear", type="reset"),
        el("output", counted(len(shown), "row"), id="f-count", role="status", aria_live="polite"),
        id="filters",
        class_="filters",
        hidden=True,
    )


def _choice(name: str, label: str, found: Iterable[str], keep_order: bool = False) -> Html:
    tally = Counter(found)
    ordered = list(tally) if keep_order else sorted(tally, key=lambda each: (-tally[each], each))
    options = [el("option", f"{each or 'none'} ({count(tally[each])})", value=f"={each}") for each in ordered]
    return el("label", label, el("select", el("option", "all", value=""), options, id=f"f-{name}"))


def _table(shown: list[Loss], number: int) -> Html:
    rows = [
        el(
            "tr",
            el("td", loss.stage),
            el("td", el("span", _WORDS[loss.kind], class_=f"chip {loss.kind}")),
            el("td", readable(loss.reason) if loss.kind == "reject" else loss.reason),
            el("td", loss.dataset),
            el("td", el("code", loss.sample_id)),
            el("td", loss.detail),
            data_reason=loss.reason,
        )
        for loss in shown
    ]
    heads = ("stage", "what", "reason", "dataset", "id", "detail")
    return el(
        "div",
        el(
            "table",
            el("caption", f"Rows set aside or failed, {count(number)} listed"),
            el("thead", el("tr", [el("th", head, scope="col") for head in heads])),
            el("tbody", rows, id="loss-rows"),
        ),
        class_="scroll tall",
        tabindex=0,
        role="region",
        aria_label="Rows set aside or failed",
    )
