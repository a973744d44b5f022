"""Chooses the frames worth a look, least certain first, and shows each before, with its mask, and after."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ultracurate.report import pictures
from ultracurate.report.markup import Html, Node, el, section
from ultracurate.report.model import RunTables, column
from ultracurate.report.wording import counted, percent, short_id, shown_id

_SIDE = 448  # px of the longer side: sharp enough when opened, small enough for one file

_FACTS = ("sample_id", "dataset", "width", "height", "media", "frame_no", "overlay_share", "strings_found", "sector")
_COLUMNS = (
    *_FACTS,
    "frame_format",
    *(f"{kind}_{part}" for kind in ("frame", "clean", "mask") for part in ("uri", "offset", "length")),
)


def choose(frames: pa.Table, wanted: int) -> list[int]:
    """Row numbers for the gallery: the first half by largest overlay_share, then in turn over the datasets by id.

    Ids are digests, so their order within a dataset is as good as a draw and stays the same between runs.
    """
    wanted = max(0, min(wanted, frames.num_rows))
    if not wanted:
        return []
    narrow = pa.table(
        {
            "share": pc.fill_null(column(frames, "overlay_share", pa.float64()), -1.0),
            "dataset": pc.fill_null(column(frames, "dataset"), ""),
            "id": column(frames, "sample_id"),
            "row": pa.array(range(frames.num_rows), pa.int64()),
        }
    )
    by_share = pc.select_k_unstable(narrow, (wanted + 1) // 2, [("share", "descending"), ("id", "ascending")])
    chosen = list(dict.fromkeys(narrow.column("row").take(by_share).to_pylist()))
    turns: list[list[int]] = []
    for dataset in sorted(pc.unique(narrow.column("dataset")).to_pylist()):
        own = narrow.filter(pc.equal(narrow.column("dataset"), dataset))
        first = pc.select_k_unstable(own, min(2 * wanted, own.num_rows), [("id", "ascending")])
        turns.append(own.column("row").take(first).to_pylist())
    for row in itertools.chain.from_iterable(itertools.zip_longest(*turns)):
        if len(chosen) >= wanted:
            break
        if row is not None and row not in chosen:
            chosen.append(row)
    return chosen


def gallery_section(tables: RunTables, wanted: int) -> Html:
    """The gallery; an item opens in place, without a script."""
    frames = tables.frames
    chosen = choose(frames, wanted)
    names = [name for name in _COLUMNS if name in frames.schema.names]
    rows: list[dict[str, Any]] = frames.select(names).take(pa.array(chosen, pa.int64())).to_pylist()
    lead = (
        "First the frames of which most was painted over, then some of every dataset. "
        "Open one to see it large: the frame as it came, what was marked, and what went on."
    )
    if not rows:
        return section("gallery", "Before and after", lead, el("p", "No frames to show.", class_="empty"))
    items = [_item(tables, row) for row in rows]
    return section(
        "gallery", "Before and after", lead, _caution(tables, rows), _legend(), el("div", items, class_="shots")
    )


def _caution(tables: RunTables, rows: list[dict[str, Any]]) -> Html:
    shown = sorted({row.get("dataset") or "" for row in rows})
    closed = [d for d in shown if d not in tables.licences or tables.licences[d].redistribution is not True]
    text: list[Node] = [
        el("b", "Before you pass this file on: "),
        "pictures marked “before” show burned-in text as it was published.",
    ]
    if closed:
        text.append(f" Not established as free to redistribute: {', '.join(closed)}.")
    return el("p", text, class_="note")


def _legend() -> Html:
    keys = [
        el("li", el("i", class_="key", style=f"background:rgb{colour}"), name)
        for name, _, colour in reversed(pictures.LAYERS)
    ]
    return el("ul", keys, el("li", el("i", class_="key line"), "edge of the sector"), class_="legend")


def _item(tables: RunTables, row: Mapping[str, Any]) -> Html:
    before, marked, after = _triplet(tables, row)
    name = f"Frame {short_id(row.get('sample_id'))} of {row.get('dataset') or 'no dataset'}"
    share = percent(row.get("overlay_share"))
    shots = (
        ("before", before.tag(f"{name} before cleaning")),
        ("marks", marked.tag(f"{name} with its mask: {share} painted over")),
        ("after", after.tag(f"{name} after cleaning")),
    )
    return el(
        "details",
        el(
            "summary",
            el("span", [el("span", tag, el("small", label), class_="shot") for label, tag in shots], class_="triplet"),
            el("span", el("b", row.get("dataset") or "no dataset"), el("span", share, " painted"), class_="caption"),
        ),
        el("dl", [el("div", el("dt", key), el("dd", value)) for key, value in _facts(row)], class_="facts"),
        class_="item",
        name="gallery",
    )


def _facts(row: Mapping[str, Any]) -> list[tuple[str, Node]]:
    facts: list[tuple[str, Node]] = [("id", el("code", shown_id(row.get("sample_id"))))]
    if row.get("width") and row.get("height"):
        facts.append(("size", f"{row['width']} × {row['height']} px"))
    if row.get("media"):
        frame = f", frame {row['frame_no']}" if row.get("frame_no") is not None and row["media"] != "image" else ""
        facts.append(("from", f"{row['media']}{frame}"))
    if row.get("strings_found") is not None:
        facts.append(("text found", counted(row["strings_found"], "string")))
    facts.append(("sector", "found" if row.get("sector") else "not found: the whole picture was kept"))
    return facts


def _triplet(tables: RunTables, row: Mapping[str, Any]) -> tuple[pictures.Picture, ...]:
    before = pictures.thumbnail(tables.pixels, row, _SIDE, "frame")
    after = pictures.thumbnail(tables.pixels, row, _SIDE, "clean")
    try:
        frame, mask = (pictures.load(tables.pixels, row, kind) for kind in ("frame", "mask"))
        marked = pictures.encode(pictures.paint(frame, mask, row.get("sector"), _SIDE))
    except Exception as exc:
        marked = pictures.absent(exc)
    return before, marked, after
