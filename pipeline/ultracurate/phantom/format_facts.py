"""What is written into a file beside its pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ultracurate.phantom.textures import Grey


@dataclass(frozen=True)
class Facts:
    """Spacing and timing, and the seed of whatever a format makes up (identities, unique ids).

    Attributes:
        spacing: (x, y, z) in mm; z is the distance of slices.
        fps: frames per second.
        times: seconds of each frame, for formats that know variable rates; they replace `fps`.
        seed: of invented identities.
    """

    spacing: tuple[float, float, float] | None = None
    fps: float | None = None
    times: tuple[float, ...] | None = None
    seed: int = 0


Writer = Callable[[Grey, Facts], dict[str, bytes]]
"""(F, H, W) or (F, H, W, 3) uint8 and facts to bytes by file ending."""
