"""What strip knows about a frame from its neighbours: the settled field, and the pixels that never change."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ultracurate.core.context import Context
from ultracurate.core.errors import RowError
from ultracurate.core.stage import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ultracurate.imaging.sector import Sector

    Vote = NDArray[np.bool_] | None

PAINTED_BIT = 2 | 4
"""Bits of a mask (`imaging.cleaning.Bit`) of what is not real any more inside the field: INVENTED, ZEROED."""

MOST_PIXELS = 96 << 20
"""Pixels of one group that are held at once to compare its frames; larger frames are compared in fewer copies."""


def settled_sector(polygons: str | None, row: Row) -> Sector:
    """The field on which `prepare` settled; a frame that is all field differs from one of which none is known."""
    from ultracurate.imaging.sector import Sector

    kind, confidence = row.get("field_kind") or "unsure", row.get("field_confidence") or 0.0
    if polygons is None:
        return Sector([], confidence, "full") if kind == "full" else Sector([], 0.0, "unsure")
    corners = [[(int(x), int(y)) for x, y in polygon] for polygon in json.loads(polygons)]
    # A frame that took its neighbours' field keeps its own confidence, which sorts it to where a person looks first.
    return Sector(corners, confidence, "dual" if len(corners) > 1 else "linear" if kind in ("full", "unsure") else kind)


def votes(part: pa.Table, ctx: Context) -> dict[str, tuple[Vote, Vote]]:
    """For each frame of a clip, and each still of a screen with enough others in this part, the pixels that stay.

    Returns:
        sample_id -> (the same in most stills of one dataset and size, the same over a clip), each (H, W) bool or None.
    """
    from ultracurate.imaging.constancy import LEAST_FRAMES, MOST_FRAMES, constant, spaced

    clips: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    screens: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in part.to_pylist():
        if row["media"] == "clip":
            clips[row["parent_id"], row["width"], row["height"]].append(row)
        elif row["media"] == "image":
            screens[row["dataset"], row["width"], row["height"]].append(row)
    found: dict[str, tuple[Vote, Vote]] = {}
    for groups, moving in ((clips, True), (screens, False)):
        for key, rows in groups.items():
            held = min(MOST_FRAMES, MOST_PIXELS // max(1, (key[-1] or 1) * (key[-2] or 1)))
            if min(len(rows), held) < LEAST_FRAMES:
                continue
            rows.sort(key=lambda row: str(row["sample_id"]))
            levels = [grey for number in spaced(len(rows), held) if (grey := _grey(rows[number], ctx)) is not None]
            mask = constant(levels)
            found |= {row["sample_id"]: (None, mask) if moving else (mask, None) for row in rows}
    return found


def _grey(row: Row, ctx: Context) -> NDArray[np.uint8] | None:
    """A frame's grey levels, or None: what cannot be read is told when its own turn comes."""
    from ultracurate.decoding.decode import decode_image
    from ultracurate.imaging.constancy import grey_levels

    try:
        image = decode_image(ctx.read(row, "frame"), row["frame_format"])
    except RowError:  # a storage that fails must not change the masks of the neighbours
        return None
    return grey_levels(image) if image.shape[:2] == (row["height"], row["width"]) else None
