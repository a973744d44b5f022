"""The insonated field of a frame, settled among its neighbours: the frames of its clip, and stills of one screen.

One frame alone can be dark in a corner; the frames around it were scanned with the same probe on the same screen.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from ultracurate.core.stage import Row

if TYPE_CHECKING:
    from ultracurate.imaging.sector import Sector

SETTLED = pa.schema(
    {name: pa.string() for name in ("sample_id", "sector", "sector_from", "sector_kind")}
    | {"sector_confidence": pa.float64()}
)
NEEDS = ("dataset", "parent_id", "media", "width", "height", "field", "field_kind", "field_confidence")

MIN_CLIP, MIN_GROUP = 3, 8
"""Frames of a clip, stills of one size in a dataset, from which on they decide together."""

AGREE = 0.9
"""Intersection over union from which on two fields are the same field."""

MAX_LOSS = 0.003
"""Share of its own field that a still gives up for its group's."""


def settle(columns: pa.Table) -> pa.Table:
    """For each frame its field: JSON polygons (null: everything is kept), who decided, its kind, and how sure that is.

    A clip's frames share the field that they vote for (`imaging.sector.combine`). A still takes the vote of its
    dataset's stills of the same size where its own field agrees with it, or where it is unsure and the group is not:
    then at least two thirds agree. Where a still is sure of another field, or the vote would cut some of its own, its
    own stays: sets mix machines and depths, and a neighbour may add what is dark here but take nothing away.
    """
    rows = columns.select(["sample_id", *NEEDS]).to_pylist()
    by_clip: dict[str, list[Row]] = defaultdict(list)
    by_screen: dict[tuple[str, int, int], list[Row]] = defaultdict(list)
    for row in rows:
        if row["media"] == "clip":
            by_clip[row["parent_id"]].append(row)
        elif row["media"] == "image":
            by_screen[(row["dataset"], row["width"], row["height"])].append(row)
    settled: dict[str, tuple[Sector, str]] = {row["sample_id"]: (_own(row), "frame") for row in rows}
    for members in by_clip.values():
        if len(members) >= MIN_CLIP:
            together = _together(members)
            settled |= {row["sample_id"]: (together, "clip") for row in members}
    for members in by_screen.values():
        if len(members) >= MIN_GROUP:
            settled |= _with_group(members)
    table = [
        {
            "sample_id": id,
            "sector": _text(sector),
            "sector_from": whose if sector.polygons else None,
            "sector_kind": sector.kind,
            "sector_confidence": sector.confidence,
        }
        for id, (sector, whose) in settled.items()
    ]
    return pa.Table.from_pylist(table, schema=SETTLED)


def _with_group(members: Sequence[Row]) -> dict[str, tuple[Sector, str]]:
    """The stills of one screen that take the field of all of them."""
    together = _together(members)
    if not together.polygons:
        return {}
    size = (members[0]["height"], members[0]["width"])
    own = {row["sample_id"]: _own(row) for row in members}
    likeness = {id: _likeness(sector, together, size) for id, sector in own.items() if sector.kind != "unsure"}
    agreeing = sum(like >= AGREE for like, _ in likeness.values())
    trusted = agreeing >= MIN_GROUP // 2 and agreeing >= 2 / 3 * len(likeness)

    def follows(id: str, sector: Sector) -> bool:
        if sector.kind == "unsure":
            return trusted
        like, loss = likeness[id]
        return like >= AGREE and loss <= MAX_LOSS

    return {id: (together, "group") for id, sector in own.items() if follows(id, sector)}


def _together(members: Sequence[Row]) -> Sector:
    from ultracurate.imaging.sector import combine

    ordered = sorted(members, key=lambda row: str(row["sample_id"]))
    return combine([_own(row) for row in ordered], (members[0]["height"], members[0]["width"]))


def _own(row: Row) -> Sector:
    from ultracurate.imaging.sector import Sector

    polygons = [[(int(x), int(y)) for x, y in polygon] for polygon in json.loads(row["field"] or "[]")]
    return Sector(polygons, row["field_confidence"] or 0.0, row["field_kind"] or "unsure")


def _likeness(own: Sector, group: Sector, size: tuple[int, int]) -> tuple[float, float]:
    """Intersection over union of two fields, and the share of the first that the second lacks."""
    from ultracurate.imaging.sector import mask

    one, other = mask(own, size), mask(group, size)
    both, union = int((one & other).sum()), int((one | other).sum())
    return both / max(1, union), 1 - both / max(1, int(one.sum()))


def _text(sector: Sector) -> str | None:
    return json.dumps([[list(point) for point in polygon] for polygon in sector.polygons]) if sector.polygons else None
