"""What hides where a field ends: low gain, loss of depth, shadows, dark sides, no contact, and odd grey maps."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.textures import Grey, Real

Rng = np.random.Generator


def spoil(beams: Grey, rng: Rng, hard: bool = False) -> Grey:
    """A beam picture (D, L) uint8 with random faults and a random grey curve.

    Args:
        beams: the picture.
        rng: draws the faults.
        hard: also what training sees more of than tests: a black foot, very low gain, inverted or one single grey.
    """
    rows, columns = beams.shape
    if rng.random() < 0.5:
        beams = beams[:, ::-1]
    value: Real = beams.astype(np.float32)
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    lateral = np.linspace(-1, 1, columns, dtype=np.float32)[None]
    loss = np.zeros((rows, columns), np.float32)
    if rng.random() < 0.35:  # the deep part fades
        loss += rng.uniform(30, 170) * np.clip(depth - rng.uniform(0, 0.8), 0, 1)
    if rng.random() < 0.3:  # dark sides, or one of them
        side = lateral * (1 if rng.random() < 0.5 else -1) if rng.random() < 0.6 else np.abs(lateral)
        loss += rng.uniform(40, 400) * np.clip(side - rng.uniform(0.3, 0.95), 0, 1)
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):  # shadows behind ribs, gas or no contact
        centre, half = rng.uniform(-1.1, 1.1), rng.uniform(0.02, 0.3)
        soft = 1 / (1 + np.exp((np.abs(lateral - centre) - half) / 0.03))
        loss += rng.uniform(40, 200) * soft * (depth > rng.uniform(-0.2, 0.5))
    if rng.random() < 0.2:
        loss += rng.uniform(10, 90)
    value = np.clip(value - loss, 0, 255)
    value = 255 * (value / 255) ** float(rng.uniform(0.6, 1.5)) * rng.uniform(0.7, 1.15)
    if hard:
        value = _worse(value, depth, rng)
    hidden = float(np.mean(value > 6)) < 0.5  # so dark that nobody could tell where the field ends
    if hidden or rng.random() < 0.35:  # receiver noise that no gain takes away
        strength = rng.uniform(5, 11) if hidden else rng.uniform(0.5, 8)
        value = value + strength * np.abs(rng.standard_normal(value.shape, dtype=np.float32))
    if rng.random() < 0.25:  # the bright line of the skin
        value[: max(2, round(rows * rng.uniform(0.01, 0.04)))] += rng.uniform(40, 160)
    return np.asarray(np.clip(value, 0, 255), np.uint8)


def _worse(value: Real, depth: Real, rng: Rng) -> Real:
    draw = rng.random()
    if draw < 0.1:  # nothing comes back from below some depth, which hides at most the lower half
        value = value * np.clip((rng.uniform(0.5, 0.95) - depth) / rng.uniform(0.02, 0.2) + 0.5, 0, 1)
    elif draw < 0.2:  # low gain: only walls and fat show, as in hearts
        value = 255 * (value / 255) ** rng.uniform(1.5, 3.5)
    elif draw < 0.24:  # inverted greys
        value = 255 - value
    elif draw < 0.27:  # one grey, nearly
        flat = np.full_like(value, rng.uniform(25, 220))
        value = flat + rng.uniform(0.5, 4) * rng.standard_normal(value.shape, dtype=np.float32)
    return value
