"""Where blood moves and how fast, on the coarse grid on which devices measure it: vessels, chambers, flashes, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ultracurate.phantom.canvas import Point
from ultracurate.phantom.textures import Grey

Rng = np.random.Generator
Float = NDArray[np.float32]
Size = tuple[int, int]

STREAMS = ("vessels", "tree", "node", "scattered", "chamber", "jet", "flash")
"""A few vessels; one that splits; many that rise from a hilum; short pieces; a heart's chamber with eddies; a fast
narrow stream through an opening; a moved probe."""
_SHARES = (0.26, 0.13, 0.12, 0.22, 0.1, 0.09, 0.08)


@dataclass(frozen=True)
class Stream:
    """On a grid (h, w): `strength` 0..1 of the signal, and `speed`, -1..1 or more where it is faster than shown."""

    strength: Float
    speed: Float
    kind: str


def stream(shape: Size, rng: Rng) -> Stream:
    """Flow on a grid (h, w), with ragged borders and specks around it."""
    kind = str(rng.choice(STREAMS, p=_SHARES))
    strength, sign = _DRAW[kind](shape, rng)
    grain = smooth(shape, 0.9, rng)
    coarse = smooth(shape, 2.5, rng)
    rough = rng.uniform(0.06, 0.22) * grain + rng.uniform(0.0, 0.25) * coarse
    near = cv2.blur((strength > 0.1).astype(np.float32), (3, 3)) > 0.2
    strength = np.asarray(np.clip(strength + rough * near, 0, 1), np.float32)
    fast = {"jet": rng.uniform(1.2, 3.0), "flash": rng.uniform(0.2, 0.7)}.get(kind, rng.uniform(0.5, 1.1))
    if rng.random() < 0.2:
        fast *= rng.uniform(1.3, 2.2)
    speed = sign * strength * fast + rng.uniform(0.02, 0.12) * grain
    if kind == "jet" or rng.random() < 0.15:  # turbulence: neighbours differ
        speed = speed + rng.uniform(0.15, 0.6) * grain * (strength > 0.4)
    if rng.random() < 0.85:
        specks = _specks(shape, strength, rng)
        fresh = specks > strength
        # What passes the wall filter by chance has any direction.
        chance = smooth(shape, 0.7, rng)
        speed = np.where(fresh, np.sign(chance) * specks * rng.uniform(0.4, 1.3), speed)
        strength = np.maximum(strength, specks)
    return Stream(strength, np.asarray(speed, np.float32), kind)


def smooth(shape: Size, size: float, rng: Rng) -> Float:
    """Noise (h, w) of unit spread, correlated over `size` cells."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), size)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def _specks(shape: Size, strength: Float, rng: Rng) -> Float:
    """Weak cells and small groups of them, denser around the flow."""
    rate = np.full(shape, 10 ** rng.uniform(-3.4, -1.9), np.float32)
    if rng.random() < 0.6:
        around = cv2.GaussianBlur((strength > 0.2).astype(np.float32), (0, 0), 0.06 * max(shape) + 1)
        rate += rng.uniform(0.0, 0.05) * around
    seeds = (rng.random(shape) < rate).astype(np.uint8)
    grown = cv2.dilate(seeds, np.ones((2, 2), np.uint8)) if rng.random() < 0.45 else seeds
    if rng.random() < 0.4:  # some are short vessels
        bigger = seeds * (rng.random(shape) < 0.15)
        grown = np.maximum(grown, cv2.dilate(bigger.astype(np.uint8), np.ones((3, 4), np.uint8)))
    holes = rng.random(shape) < rng.uniform(0.75, 1.0)
    return np.asarray(grown * holes * rng.uniform(0.36, rng.uniform(0.45, 0.9), shape), np.float32)


def _vessels(shape: Size, rng: Rng) -> tuple[Float, Float]:
    tall, wide = shape
    strength, sign = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        tube = np.zeros(shape, np.uint8)
        a, b = rng.uniform(-0.25, 1.25, 2), rng.uniform(-0.25, 1.25, 2)
        _tube(tube, (wide * a[0], tall * b[0]), (wide * a[1], tall * b[1]), min(shape) * rng.uniform(0.04, 0.28), rng)
        part = _profile(tube) * np.float32(rng.uniform(0.6, 1.0))
        sign = np.where(part > strength, _way(rng), sign).astype(np.float32)
        strength = np.maximum(strength, part)
    return strength, sign


def _tree(shape: Size, rng: Rng) -> tuple[Float, Float]:
    tall, wide = shape
    tube = np.zeros(shape, np.uint8)
    start = (float(rng.uniform(0, wide)), float(rng.uniform(0.2, 0.8) * tall))
    thick = max(1.5, float(rng.uniform(0.03, 0.09)) * tall)
    _branch(tube, start, float(rng.uniform(0, 2 * np.pi)), 0.4 * max(shape), thick, 4, rng)
    return _profile(tube), np.full(shape, _way(rng), np.float32)


def _node(shape: Size, rng: Rng) -> tuple[Float, Float]:
    """A hilum along a line, from which short vessels leave to both sides and split."""
    tall, wide = shape
    strength = np.zeros(shape, np.float32)
    centre, turn = (wide * rng.uniform(0.2, 0.8), tall * rng.uniform(0.3, 0.7)), float(rng.normal(0, 0.4))
    long, reach = wide * float(rng.uniform(0.15, 0.45)), tall * float(rng.uniform(0.2, 0.5))
    thick = max(1.0, float(rng.uniform(0.02, 0.06)) * tall)
    for _ in range(int(rng.integers(6, 22))):
        tube = np.zeros(shape, np.uint8)
        along = float(rng.uniform(-1, 1)) * long
        at = (centre[0] + along * np.cos(turn), centre[1] + along * np.sin(turn))
        side = float(rng.choice([-1, 1])) * np.pi / 2 + 0.8 * along / max(long, 1) * float(rng.choice([-1, 0, 1]))
        _branch(tube, at, turn + side + float(rng.normal(0, 0.3)), reach * float(rng.uniform(0.3, 1)), thick, 2, rng)
        strength = np.maximum(strength, _profile(tube) * np.float32(rng.uniform(0.5, 1.0)))
    if rng.random() < 0.6:
        tube = np.zeros(shape, np.uint8)
        step = long * np.cos(turn), long * np.sin(turn)
        ends = (centre[0] - step[0], centre[1] - step[1]), (centre[0] + step[0], centre[1] + step[1])
        _tube(tube, ends[0], ends[1], 2 * thick, rng)
        strength = np.maximum(strength, _profile(tube))
    ways = np.sign(smooth(shape, 0.08 * max(shape) + 1, rng)) if rng.random() < 0.4 else np.full(shape, _way(rng))
    return strength, np.asarray(ways, np.float32)


def _scattered(shape: Size, rng: Rng) -> tuple[Float, Float]:
    """Short pieces of vessels that leave and enter the picture's plane."""
    tall, wide = shape
    strength, sign = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    for _ in range(int(rng.integers(2, 16))):
        tube = np.zeros(shape, np.uint8)
        x, y = wide * rng.uniform(0, 1), tall * rng.uniform(0, 1)
        long, turn = min(shape) * rng.uniform(0.0, 0.22), rng.uniform(0, np.pi)
        end = (x + long * np.cos(turn), y + long * np.sin(turn))
        _tube(tube, (x, y), end, max(1.0, min(shape) * rng.uniform(0.01, 0.09)), rng)
        part = _profile(tube) * np.float32(rng.uniform(0.4, 1.0))
        sign = np.where(part > strength, _way(rng), sign).astype(np.float32)
        strength = np.maximum(strength, part)
    return strength, sign


def _chamber(shape: Size, rng: Rng) -> tuple[Float, Float]:
    tall, wide = shape
    tube = np.zeros(shape, np.uint8)
    turn = np.linspace(0, 2 * np.pi, 40)
    wave = 1 + 0.25 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.12 * np.sin(5 * turn + rng.uniform(0, 6))
    xs = wide * (rng.uniform(0.15, 0.85) + rng.uniform(0.1, 0.45) * wave * np.cos(turn))
    ys = tall * (rng.uniform(0.15, 0.85) + rng.uniform(0.1, 0.4) * wave * np.sin(turn))
    cv2.fillPoly(tube, [np.round(np.stack([xs, ys], axis=1)).astype(np.int32).reshape(-1, 1, 2)], 255)
    # Eddies: the direction turns within a chamber.
    eddy = smooth(shape, rng.uniform(0.08, 0.25) * max(shape) + 1, rng)
    if rng.random() < 0.5:
        return _profile(tube), np.asarray(np.clip(1.5 * eddy, -1, 1) * _way(rng), np.float32)
    return _profile(tube), np.asarray(np.where(eddy > 0.6, -1, 1) * _way(rng), np.float32)


def _jet(shape: Size, rng: Rng) -> tuple[Float, Float]:
    """Fast and wide with distance from its opening."""
    tall, wide = shape
    tube = np.zeros(shape, np.uint8)
    x, y, turn = wide * rng.uniform(0.2, 0.8), tall * rng.uniform(0.1, 0.9), rng.uniform(0, 2 * np.pi)
    step, size = max(shape) * rng.uniform(0.01, 0.025), max(1.0, min(shape) * rng.uniform(0.02, 0.06))
    for _ in range(int(rng.integers(12, 36))):
        cv2.circle(tube, (round(x), round(y)), max(1, round(size)), 255, -1)
        turn += float(rng.normal(0, 0.08))
        x, y, size = x + step * float(np.cos(turn)), y + step * float(np.sin(turn)), size * rng.uniform(0.98, 1.1)
    return _profile(tube), np.full(shape, _way(rng), np.float32)


def _flash(shape: Size, rng: Rng) -> tuple[Float, Float]:
    """Moved tissue: weak colour in broad patches that end nowhere in particular."""
    field = smooth(shape, rng.uniform(0.05, 0.2) * max(shape) + 1, rng)
    turns = smooth(shape, rng.uniform(0.05, 0.2) * max(shape) + 1, rng)
    strength = np.clip(0.3 + 0.3 * (field - rng.uniform(-0.8, 0.8)), 0, 1) * rng.uniform(0.7, 1.0)
    return np.asarray(strength, np.float32), np.asarray(np.clip(2 * turns, -1, 1), np.float32)


_DRAW = {
    "vessels": _vessels,
    "tree": _tree,
    "node": _node,
    "scattered": _scattered,
    "chamber": _chamber,
    "jet": _jet,
    "flash": _flash,
}


def _way(rng: Rng) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _tube(tube: Grey, start: Point, end: Point, thick: float, rng: Rng) -> None:
    """Draw a vessel that bends, swells, and tapers off where it leaves the plane; at times in pieces."""
    share = np.linspace(0, 1, 40)
    long = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    bow = rng.uniform(-0.2, 0.2) * long * np.sin(np.pi * share * rng.integers(1, 4))
    across = np.array([-(end[1] - start[1]), end[0] - start[0]]) / max(long, 1e-6)
    xs = start[0] + share * (end[0] - start[0]) + bow * across[0]
    ys = start[1] + share * (end[1] - start[1]) + bow * across[1]
    taper = np.minimum(1, np.minimum(share / rng.uniform(0.02, 0.3), (1 - share) / rng.uniform(0.02, 0.3)))
    sizes = (
        thick * np.sqrt(np.clip(taper, 0.05, 1)) * (1 + 0.25 * np.sin(rng.uniform(4, 20) * share + rng.uniform(0, 6)))
    )
    gaps = rng.random(40) < (rng.uniform(0.05, 0.3) if rng.random() < 0.3 else 0)
    for i in range(39):
        if not gaps[i]:
            a, b = (round(float(xs[i])), round(float(ys[i]))), (round(float(xs[i + 1])), round(float(ys[i + 1])))
            cv2.line(tube, a, b, 255, max(1, round(float(sizes[i]))))


def _profile(tube: Grey) -> Float:
    """Strength 0..1 across a drawn vessel: strong in its middle, weak at the wall."""
    far = cv2.distanceTransform(tube, cv2.DIST_L2, 3)
    most = max(float(far.max()), 1.0)
    return np.asarray(np.where(tube > 0, 0.25 + 0.75 * np.sqrt(far / most), 0), np.float32)


def _branch(tube: Grey, at: Point, turn: float, long: float, thick: float, depth: int, rng: Rng) -> None:
    """Draw a vessel that bends and splits."""
    x, y = at
    for _ in range(6):
        turn += float(rng.normal(0, 0.25))
        nx, ny = x + long / 6 * float(np.cos(turn)), y + long / 6 * float(np.sin(turn))
        cv2.line(tube, (round(x), round(y)), (round(nx), round(ny)), 255, max(1, round(thick)))
        x, y = nx, ny
        if depth and rng.random() < 0.5:
            side = turn + float(rng.choice([-1, 1]) * rng.uniform(0.4, 1.1))
            _branch(tube, (x, y), side, rng.uniform(0.3, 0.65) * long, 0.65 * thick, depth - 1, rng)
