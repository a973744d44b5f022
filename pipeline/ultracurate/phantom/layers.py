"""What many body regions share: plain tissue, skin, fibres."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.textures import Float, Mask, Points, band, inside, paint, ripple


def tissue(p: Points, level: float, loss: float = 8.0) -> tuple[Float, Float, Mask]:
    """Uniform `level` dB and `loss` dB per depth, and an empty target, all (D, L)."""
    shape = p.x.shape
    return (
        np.full(shape, level, np.float32),
        np.full(shape, loss, np.float32),
        np.zeros(shape, np.bool_),
    )


def skin(p: Points, level: Float, thick: float = 0.035) -> Float:
    """Bright probe contact and skin line, dark rim below it."""
    level = paint(level, inside(p.depth, thick, 0.006), -9.0)
    return paint(level, 0.8 * band(p.depth, thick + 0.012, 0.008), -34.0)


def fibres(p: Points, rng: np.random.Generator, slope: float, pitch: float) -> Float:
    """Thin bright fibres -1..1 that rise by `slope`, `pitch` depths apart."""
    wobble = 0.02 * ripple(p, rng, 0.5) + 0.006 * ripple(p, rng, 0.12)
    return np.asarray(np.cos((p.y + slope * p.x + wobble) / pitch * 2 * np.pi) ** 3, np.float32)
