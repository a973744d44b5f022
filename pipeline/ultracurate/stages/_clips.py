"""Takes frames out of one clip, volume or stack: decodes it once, looks at what it takes, writes it to the pack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ultracurate.core.context import Context
from ultracurate.core.schema import content_id
from ultracurate.core.stage import Reject, Row
from ultracurate.stages._sample import regions_of
from ultracurate.stages._sampling import FramesConfig, chosen, sampler

if TYPE_CHECKING:
    from ultracurate.decoding.decode import Frame
    from ultracurate.decoding.levels import U8
    from ultracurate.decoding.media import Reading, Region

EARLY = 5
"""Looked-at frames after which a clip of nothing but foreign pictures is given up."""


def take_frames(row: Row, cfg: FramesConfig, ctx: Context) -> list[Row | Reject]:
    """The rows of one clip, volume or stack, and why its other wanted frames were left out.

    Leading black frames are passed over, and counting begins after them; numbers and times stay those of the file.
    A clip most of whose frames are not fit (a photograph, a program's window) is rejected as a whole.
    """
    from ultracurate.decoding.media import PLAIN, Reading

    data = ctx.read(row, "raw")
    reading = Reading(**json.loads(row["reading"])) if row["reading"] else PLAIN
    taker = _Taker(row, cfg, ctx, regions_of(row))
    for number, time_s, image in _chosen(row, data, reading, cfg, taker):
        if taker.take(number, time_s, image):
            break
    return taker.verdict()


def _chosen(row: Row, data: bytes, reading: Reading, cfg: FramesConfig, taker: _Taker) -> Iterator[Frame]:
    """The frames that the mode asks for, with the black lead-in of a clip passed over."""
    from ultracurate.decoding.decode import VIDEOS, read_frames

    rule = sampler(cfg, row["media"], row["frames"], row["fps"], row["spacing_z"])
    if rule is None:
        yield from _adaptive(row, data, reading, cfg)
        return
    if row["format"] in VIDEOS:
        from ultracurate.decoding.video import video_times

        # The times stand in the container: then frames that no chosen one depends on need not be decoded.
        times = video_times(data, row["format"], reading)
        numbers = chosen(rule, len(times), lambda number: times[number]) if times else []
        frames = read_frames(data, row["format"], numbers, reading)
        first = next(frames, None)
        if first is not None and not _black(first[2]):
            yield first
            yield from frames
            return
        rule = sampler(cfg, row["media"], row["frames"], row["fps"], row["spacing_z"])
        assert rule is not None
    skipped = 0
    for number, time_s, image in read_frames(data, row["format"], rule.wanted, reading):
        if not rule.begun:
            if row["media"] == "clip" and _black(image):
                skipped += 1
                continue
            rule.begin(number, time_s)
            taker.skipped(skipped)
        yield number, time_s, image
    if not rule.begun:
        taker.skipped(skipped)


def _black(image: U8) -> bool:
    from ultracurate.imaging.look import EMPTY
    from ultracurate.imaging.quality import check

    problem = check(image)
    return problem is not None and problem.reason in EMPTY


def frame_row(row: Row, number: int, time_s: float | None) -> Row:
    """Id, parent, number and time of one frame."""
    sample_id = content_id(row["sample_id"], number)
    return {"sample_id": sample_id, "parent_id": row["sample_id"], "frame_no": number, "time_s": time_s}


@dataclass(slots=True)
class _Taker:
    """Looks at frames, writes those worth keeping, remembers why others are not."""

    row: Row
    cfg: FramesConfig
    ctx: Context
    regions: tuple[Region, ...]
    kept: list[Row] = field(default_factory=list)
    left: list[Reject] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    why: dict[str, str] = field(default_factory=dict)

    def skipped(self, count: int) -> None:
        """Note the black lead-in."""
        if count:
            last = f"frame {count - 1}" if count == 1 else f"frames 0 to {count - 1}"
            self.left.append(Reject("empty_frame", last, id=content_id(self.row["sample_id"], 0)))

    def take(self, number: int, time_s: float | None, image: U8) -> bool:
        """One frame that the rule wants; True: there is no use in going on."""
        from ultracurate.decoding.decode import encode_png
        from ultracurate.imaging.look import EMPTY, look
        from ultracurate.imaging.quality import Problem

        added = frame_row(self.row, number, time_s)
        seen = look(image, regions=self.regions, keep_foreign=self.cfg.keep_foreign)
        if isinstance(seen, Problem):
            volume = self.row["media"] == "volume"
            reason = ("empty_slice" if volume else "empty_frame") if seen.reason in EMPTY else seen.reason
            self.left.append(Reject(reason, f"frame {number}: {seen.detail}".removesuffix(": "), id=added["sample_id"]))
            if seen.reason not in EMPTY:
                self.problems[reason] += 1
                self.why[reason] = seen.detail
            return not self.kept and self.problems.total() >= EARLY and self.row["media"] != "stack"
        ref = self.ctx.pack(f"{added['sample_id']}.png", encode_png(image))
        self.kept.append(added | ref.columns("frame") | seen.columns() | {"frame_format": "png"})
        return False

    def verdict(self) -> list[Row | Reject]:
        """Rows and rejects of the whole file."""
        bad = self.problems.total()
        self.ctx.count("frames_not_sampled", max(0, self.row["frames"] - len(self.kept) - len(self.left)))
        if bad > len(self.kept) and self.row["media"] != "stack":
            ((reason, count),) = self.problems.most_common(1)
            detail = f"{count} of {bad + len(self.kept)} frames looked at: {self.why[reason]}"
            return [Reject(reason, detail)]
        return [*self.kept, *self.left]


def _adaptive(row: Row, data: bytes, reading: Reading, cfg: FramesConfig) -> Iterator[Frame]:
    """The frames that add the most: a first pass for thumbnails of all, a second for the chosen ones."""
    import numpy as np

    from ultracurate.decoding.decode import iter_frames, read_frames
    from ultracurate.imaging import cardiac, motion
    from ultracurate.imaging.quality import nonzero_pixels

    numbers: list[int] = []
    times: list[float | None] = []
    thumbs: list[motion.F32] = []
    for number, time_s, image in iter_frames(data, row["format"], reading):
        if thumbs or nonzero_pixels(image) >= EMPTY_BELOW:
            numbers.append(number)
            times.append(time_s)
            thumbs.append(motion.thumbnail(image))
    if not thumbs:
        return
    always: list[int] = []
    if row["fps"] and row["media"] == "clip":
        waves = _r_waves(row, data)
        known = all(time_s is not None for time_s in times)
        if waves and known:
            spans = cardiac.from_r_waves(waves, [time_s or 0.0 for time_s in times])
        else:
            found = cardiac.cycles(np.stack(thumbs), row["fps"])
            spans = found.spans if found else ()
        always = [end for span in spans for end in span]
    picked = {numbers[i] for i in motion.choose(thumbs, cfg.max_per_clip, cfg.gain, always)}
    yield from read_frames(data, row["format"], picked, reading)


def _r_waves(row: Row, data: bytes) -> tuple[float, ...]:
    if row["format"] != "dicom":
        return ()
    from ultracurate.decoding.dicom import cardiac_times

    return cardiac_times(data)


EMPTY_BELOW = 1000
"""Non-zero pixels below which EchoAtlas calls a frame empty."""
