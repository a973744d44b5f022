"""Which frames of a clip or volume are taken: decided while it is decoded, frame by frame, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from ultracurate.core.config import Settings


class FramesConfig(Settings):
    """Settings of frames."""

    mode: Literal["fps", "every", "adaptive", "all"] = Field(
        default="fps",
        description="fps: OpenUS-46 takes 3 a second; every: EchoAtlas takes every 10th; adaptive: those that add most",
    )
    fps: float = Field(default=3.0, gt=0, description="Frames a second, where the clip's own times are known")
    every: int = Field(default=10, ge=1, description="Every n-th frame; also for clips of unknown rate")
    gain: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="adaptive: smallest change worth a frame, half of 1 - correlation of what moves",
    )
    slice_mm: float = Field(default=1.0, ge=0, description="Slices of a volume at least this far apart, where known")
    slice_every: int = Field(default=1, ge=1, description="Every n-th slice of a volume of unknown spacing")
    max_per_clip: int = Field(default=1000, ge=1)
    keep_foreign: bool = Field(default=False, description="Keep frames that do not look like ultrasound")


@dataclass(slots=True)
class Sampler:
    """Says for each frame in order whether it is taken, once `begin` has told where the pictures begin.

    Until then every frame is wanted: many clips start black, and only the pixels show where that ends. Afterwards one
    frame is taken for each step of time (or number): the first that is not more than half a frame early, so in a clip
    of constant rate the nearest one, and in one of varying rate the next that comes.

    Attributes:
        step: distance of two frames: seconds where `fps` is known, else frames.
        slack: half the distance of two frames of the file, same unit.
        fps: frames per second, for frames that carry no time; None: everything counts by number.
        at_most: frames to take in all.
    """

    step: float
    slack: float
    fps: float | None
    at_most: int
    taken: int = 0
    _start: float | None = None
    _next: float = field(default=-math.inf)

    @property
    def begun(self) -> bool:
        """Whether `begin` was called."""
        return self._start is not None

    def begin(self, number: int, time_s: float | None) -> None:
        """The pictures begin at this frame, which is taken."""
        self._start = self._position(number, time_s)
        self._take(self._start)

    def wanted(self, number: int, time_s: float | None) -> bool:
        """Whether this frame is taken; to be called once for each frame, in order."""
        if self._start is None:
            return True
        at = self._position(number, time_s)
        if self.taken >= self.at_most or at < self._next - self.slack:
            return False
        self._take(at)
        return True

    def _take(self, at: float) -> None:
        start = self._start or 0.0
        self.taken += 1
        # The grid goes on where it would have stood, but never nearer than half a step to the frame just taken.
        due = start + self.step * (math.floor((at - start + self.slack) / self.step + 1e-9) + 1)
        self._next = max(due, at + self.step / 2)

    def _position(self, number: int, time_s: float | None) -> float:
        if self.fps is None:
            return float(number)
        return time_s if time_s is not None else number / self.fps


def sampler(
    cfg: FramesConfig, media: str, frames: int, fps: float | None, spacing_z: float | None = None
) -> Sampler | None:
    """The rule for one file; None for the adaptive choice among the frames of a clip, which has to see them all.

    A clip or volume with more frames than `max_per_clip` is thinned evenly instead of being cut off.
    """
    if media == "stack":  # pictures that have nothing to do with each other
        return Sampler(1.0, 0.0, None, frames)
    if media == "volume":
        step = float(cfg.slice_every)
        if spacing_z:
            step = max(1.0, round(cfg.slice_mm / spacing_z))
        return _by_number(step, frames, cfg.max_per_clip)
    if cfg.mode == "adaptive":
        return None
    if cfg.mode == "fps" and fps:
        step = max(1.0 / cfg.fps, 1.0 / fps, frames / fps / cfg.max_per_clip)
        return Sampler(step, 0.5 / fps, fps, cfg.max_per_clip)
    return _by_number(1.0 if cfg.mode == "all" else float(cfg.every), frames, cfg.max_per_clip)


def chosen(rule: Sampler, frames: int, time_of: Callable[[int], float | None]) -> list[int]:
    """Numbers that a rule takes of `frames` frames of which none is black; for tests and estimates."""
    rule.begin(0, time_of(0))
    return [0, *(n for n in range(1, frames) if rule.wanted(n, time_of(n)))]


def _by_number(step: float, frames: int, at_most: int) -> Sampler:
    return Sampler(max(step, math.ceil(frames / at_most)), 0.0, None, at_most)
