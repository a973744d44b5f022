"""Votes on the pixels that never change: who votes is decided over all rows, so no slicing into parts changes a vote.

A clip's frames, and the stills of one screen, share one vote. The first part that needs it computes it and leaves it
in the work directory under the digest of what voted; the parts of a clip lie scattered, and each would decode a dozen
frames again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ultracurate.core.blobs import PixelRef
from ultracurate.core.config import digest
from ultracurate.core.context import Context
from ultracurate.core.errors import RowError
from ultracurate.core.stage import Row, pipeline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vote = NDArray[np.bool_]

NEEDS = ("dataset", "parent_id", "media", "width", "height", "frame_no", "frame_uri", "frame_offset", "frame_length",
         "frame_sha256", "frame_format")  # fmt: skip

MOST_PIXELS = 96 << 20
"""Pixels of one group that are held at once to compare its frames; of larger frames fewer vote, or none."""

MOST_KEPT = 6
"""Votes that a part keeps in memory; it finds the others in the work directory."""


def voters(columns: pa.Table) -> pa.Array:
    """For each row the frames that vote for it, as JSON that `Votes.of` reads; null where too few could.

    Of a clip they are evenly spaced in time. Of the stills of one dataset and size they are those with the smallest
    ids: digests, so any would do, and a still that is added later seldom changes who votes.
    """
    from ultracurate.imaging.constancy import LEAST_FRAMES, MOST_FRAMES, spaced

    rows = columns.select(["sample_id", *NEEDS]).to_pylist()
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row["media"] == "clip":
            groups["clip", row["parent_id"], row["width"], row["height"]].append(place)
        elif row["media"] == "image":
            groups["screen", row["dataset"], row["width"], row["height"]].append(place)
    chosen: list[str | None] = [None] * len(rows)
    for (kind, _, wide, tall), members in groups.items():
        most = min(MOST_FRAMES, MOST_PIXELS // max(1, (wide or 1) * (tall or 1)))
        if not wide or not tall or min(len(members), most) < LEAST_FRAMES:
            continue
        if kind == "clip":
            members.sort(key=lambda place: (rows[place]["frame_no"], rows[place]["sample_id"]))
            voting = [members[number] for number in spaced(len(members), most)]
        else:
            voting = sorted(members, key=lambda place: str(rows[place]["sample_id"]))[:most]
        words = json.dumps([wide, tall, [_voter(rows[place]) for place in voting]], separators=(",", ":"))
        for place in members:
            chosen[place] = words
    return pa.array(chosen, pa.large_string())  # a million rows hold more than 2 GiB of it


def _voter(row: Row) -> list[Any]:
    return [row[name] for name in NEEDS[-5:]]


class Votes:
    """The votes that one part asks for."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._kept: dict[str, Vote | None] = {}

    def of(self, voters: str | None) -> Vote | None:
        """Pixels that these frames say are drawn, (H, W) bool; None if nobody votes or too few can be read.

        It depends on the frames alone, on no other row of the part. A frame that is gone, changed or damaged does not
        vote, and is told when its own turn comes; what the others say is then not left for other parts. What may
        fail for a moment, a disk or a network, is raised: the row is tried again, and is then what a calm run gives.
        """
        if voters is None:
            return None
        wide, tall, frames = json.loads(voters)
        name = self._name((tall, wide), frames)
        if name not in self._kept:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = self._found(name, (tall, wide), frames)
        return self._kept[name]

    def _name(self, size: tuple[int, int], frames: Iterable[list[Any]]) -> str:
        import cv2

        version = pipeline().get(self._ctx.stage).version
        return digest("vote", version, cv2.__version__, size, [[frame[3], frame[4]] for frame in frames])[:24]

    def _found(self, name: str, size: tuple[int, int], frames: list[list[Any]]) -> Vote | None:
        from ultracurate.decoding.decode import decode_image, encode_png
        from ultracurate.imaging.constancy import constant

        path = f"votes/{name}.png"
        if self._ctx.store.exists(path):
            try:
                known = decode_image(self._ctx.store.read(path), "png")
            except RowError:  # the disk damaged it
                known = None
            if known is not None and known.shape == size:
                return known > 0
        levels = [grey for frame in frames if (grey := self._grey(frame, size)) is not None]
        vote = constant(levels)
        if len(levels) < len(frames):
            self._ctx.count("voters_not_read", len(frames) - len(levels))
        elif vote is not None:
            self._ctx.store.write(path, encode_png(vote.astype("uint8") * 255))
        return vote

    def _grey(self, frame: list[Any], size: tuple[int, int]) -> NDArray[np.uint8] | None:
        from ultracurate.decoding.decode import decode_image
        from ultracurate.imaging.constancy import grey_levels

        uri, offset, length, sha256, form = frame
        try:
            image = decode_image(self._ctx.blobs.read(PixelRef(uri, offset, length, sha256)), form)
        except (RowError, FileNotFoundError):  # its own row says what; here it must cost nobody anything
            return None
        return grey_levels(image) if image.shape[:2] == size else None
