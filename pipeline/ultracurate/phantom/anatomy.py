"""The invented anatomies by name, distinct enough that a small classifier can tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.deep import abdomen, fetal_head, heart_a4c, heart_psax, kidney, lung
from ultracurate.phantom.superficial import breast, muscle, thyroid
from ultracurate.phantom.textures import Echo, Points, ripple

Anatomy = Callable[[Points, np.random.Generator, float], Echo]
"""Echo map of the beam grid, from its points, the patient's random draws and the phase of motion 0..1."""

ANATOMIES: dict[str, Anatomy] = {
    "breast_normal": partial(breast, kind="normal"),
    "breast_benign": partial(breast, kind="benign"),
    "breast_cyst": partial(breast, kind="cyst"),
    "breast_malignant": partial(breast, kind="malignant"),
    "thyroid": thyroid,
    "heart_a4c": heart_a4c,
    "heart_psax": heart_psax,
    "kidney": kidney,
    "abdomen": abdomen,
    "lung": lung,
    "muscle": muscle,
    "fetal_head": fetal_head,
}


def echo_of(anatomy: str, points: Points, seed: int, phase: float = 0.0) -> Echo:
    """The echo map of `anatomy` on the beam grid, the same for the same `seed`, moved to `phase`."""
    if anatomy not in ANATOMIES:
        raise ConfigError(f"Expected an anatomy of {', '.join(ANATOMIES)}, found {anatomy!r}. Choose one of these.")
    rng = np.random.default_rng(seed)
    # Nothing in a body is a perfect ellipse: bend the plane a little before drawing in it.
    bent = Points(
        points.x + np.float32(0.014) * ripple(points, rng, 0.3) + np.float32(0.004) * ripple(points, rng, 0.09),
        points.y + np.float32(0.012) * ripple(points, rng, 0.3) + np.float32(0.004) * ripple(points, rng, 0.09),
        points.depth,
        points.lateral,
    )
    return ANATOMIES[anatomy](bent, rng, phase)
