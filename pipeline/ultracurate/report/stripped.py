"""What cleaning did to each dataset, and the frames of which it is least certain, as they went on: cleaned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ultracurate.report import pictures
from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import RunTables
from ultracurate.report.wording import count, percent, readable, short_id

_SIDE = 256  # px of the longer side
_TITLE = "Least certain first"
_LEAD = (
    "What cleaning erased, and where it doubts itself. Pictures here are the cleaned ones, never those that came; "
    "frames that were set aside are counted and not shown. Shares are of the insonated field."
)
_COLUMNS = ("sample_id", "dataset", "verdict", "verdict_reason", "sector_kind", "sector_confidence",
            "invented_share", "zeroed_share", "strings_found", "strings_left", "strip_method", "clean_uri",
            "clean_offset", "clean_length")  # fmt: skip


def uncertainty(row: Mapping[str, Any]) -> tuple[bool, float, str]:
    """Sorts frames, least certain first: flagged ones, then by what was erased and how unsure the field is, then id."""
    erased = (row["invented_share"] or 0.0) + (row["zeroed_share"] or 0.0)
    doubt = min(1.0, erased / 0.1) + 1 - (row["sector_confidence"] or 0.0)
    return row["verdict"] != "flagged", -doubt, row["sample_id"]


def stripped_section(tables: RunTables, wanted: int) -> Html | None:
    """One line for each dataset and `wanted` pictures; None for a run whose frames have no verdict."""
    frames = tables.candidates if tables.candidates is not None else tables.frames
    if any(name not in frames.schema.names for name in _COLUMNS) or frames["verdict"].null_count == frames.num_rows:
        return None
    rows = frames.select(_COLUMNS).to_pylist()
    rejects = [stage.rejects for stage in tables.stages if stage.name == "strip"]
    heads = ("dataset", "method", "frames", "flagged", "set aside", "painted", "black", "read at first", "why")
    lines = _lines(rows, pa.concat_tables(rejects).to_pylist() if rejects else [])
    shown = sorted(rows, key=uncertainty)[: max(0, wanted)]
    return section(
        "stripped",
        _TITLE,
        _LEAD,
        data_table("Cleaning by dataset", heads, lines, numbers=(2, 3, 4, 5, 6, 7)),
        el("div", [_item(tables, row) for row in shown], class_="shots") if shown else None,
    )


def _lines(rows: list[dict[str, Any]], rejects: list[dict[str, Any]]) -> list[list[Node]]:
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    aside: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        of[row["dataset"] or ""].append(row)
    for row in rejects:
        aside[row["dataset"] or ""][row["reason"]] += 1
    lines: list[list[Node]] = []
    for dataset in sorted({*of, *aside}):
        own = of[dataset]
        why = aside[dataset] + Counter(row["verdict_reason"] for row in own if row["verdict_reason"])
        read = [row["strings_found"] for row in own if row["strings_found"] is not None]
        lines.append(
            [
                el("code", dataset or "no dataset"),
                ", ".join(sorted({row["strip_method"] or "unknown" for row in own})),
                count(len(own)),
                count(sum(row["verdict"] == "flagged" for row in own)),
                count(sum(aside[dataset].values())),
                _mean(own, "invented_share"),
                _mean(own, "zeroed_share"),
                count(sum(read)) if read else "not read",
                ", ".join(f"{readable(reason)} {count(number)}" for reason, number in sorted(why.items())),
            ]
        )
    return lines


def _mean(rows: list[dict[str, Any]], name: str) -> str:
    known = [row[name] for row in rows if row[name] is not None]
    return percent(sum(known) / len(known)) if known else "unknown"


def _item(tables: RunTables, row: Mapping[str, Any]) -> Html:
    name = f"Frame {short_id(row['sample_id'])} of {row['dataset'] or 'no dataset'}"
    picture = pictures.thumbnail(tables.pixels, row, _SIDE, "clean")
    why = f": {readable(row['verdict_reason'])}" if row["verdict_reason"] else ""
    shares = f"{percent(row['invented_share'])} painted, {percent(row['zeroed_share'])} black"
    said = f"{row['verdict'] or 'unknown'}{why}; {shares}; field {row['sector_kind'] or 'unknown'}"
    shot = el("span", picture.tag(f"{name} after cleaning"), el("small", said), class_="shot")
    return el("div", shot, el("span", el("b", row["dataset"] or "no dataset"), class_="caption"), class_="item")
