"""Speckle and log-compressed B-mode pictures from an echogenicity map, in beam coordinates.

A picture is made the way a scanner makes it: echo strength per point, loss along the beam, coherent speckle,
logarithmic compression to grey. Speckle is a sum of many random phasors, so its amplitude is Rayleigh distributed
before compounding (Burckhardt, IEEE Trans. Sonics Ultrason. 1978, doi:10.1109/T-SU.1978.30978).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Real = NDArray[np.floating[Any]]
"""What numpy makes of float32 and a Python float; results are cast back to float32."""

DYNAMIC_RANGE_DB = 62.0
NOISE_FLOOR_DB = -64.0


@dataclass(frozen=True)
class Points:
    """Where each sample of the beam grid lies; all arrays (D, L) float32.

    `x`, `y` are plane coordinates in units of the picture's depth (y 0 at the skin, 1 at the deepest point, x 0 in the
    middle). `depth` 0..1 runs along the beam, `lateral` -1..1 across the beams.
    """

    x: Float
    y: Float
    depth: Float
    lateral: Float


@dataclass
class Echo:
    """What the tissue does to sound: `level` (D, L) dB echo strength, `loss` (D, L) dB per unit depth, one-way summed.

    A negative `loss` brightens what lies behind (posterior enhancement). `target` (D, L) bool marks the finding that a
    dataset would segment; all False when there is none.
    """

    level: Float
    loss: Float
    target: Mask


def speckle(shape: tuple[int, int], seed: int, looks: int = 2, axial: float = 1.1, lateral: float = 1.6) -> Float:
    """Unit-mean speckle amplitude (D, L) float32; `axial` and `lateral` are the resolution in samples."""
    rng = np.random.default_rng(seed)
    power = np.zeros(shape, np.float32)
    for _ in range(looks):
        for _ in ("real", "imaginary"):
            noise = rng.standard_normal(shape, dtype=np.float32)
            smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=lateral, sigmaY=axial), np.float32)
            power += np.square(smooth)
    power /= power.mean()
    return np.asarray(np.sqrt(power + 1e-6), np.float32)


def moving_speckle(shape: tuple[int, int], seed: int, phase: float, memory: float = 0.8) -> Float:
    """Speckle (D, L) that partly survives from frame to frame: `memory` of its power is the same at any `phase`."""
    still = speckle(shape, seed)
    if phase == 0.0:
        return still
    fresh = speckle(shape, seed * 7919 + 1 + round(phase * 997))
    return np.asarray(np.sqrt(memory * still**2 + (1.0 - memory) * fresh**2), np.float32)


def compress(echo: Echo, grain: Float, seed: int, gain_db: float = 0.0) -> Grey:
    """Grey picture (D, L) uint8: echo, loss along the beam, speckle `grain` and receiver noise, log-compressed."""
    rows = echo.level.shape[0]
    lost = np.cumsum(echo.loss, axis=0, dtype=np.float32) / np.float32(rows)
    amplitude = np.power(10.0, (echo.level - lost) / 20.0) * grain
    depth = np.linspace(0.0, 1.0, rows, dtype=np.float32)[:, None]
    floor = np.power(10.0, (NOISE_FLOOR_DB + 5.0 * depth) / 20.0)
    noise = speckle(echo.level.shape, seed + 104_729, looks=1, axial=0.8, lateral=0.8)
    decibels = 20.0 * np.log10(np.hypot(amplitude, floor * noise) + 1e-6) + gain_db
    grey = (decibels + DYNAMIC_RANGE_DB) / DYNAMIC_RANGE_DB
    return np.asarray(np.clip(grey * 255.0, 0, 255), np.uint8)


def ripple(points: Points, rng: np.random.Generator, scale: float, terms: int = 6) -> Float:
    """A smooth random field (D, L) of about -1..1 whose features are about `scale` picture depths wide."""
    rows, columns = points.x.shape
    step = max(1, int(scale * min(rows, columns) / 24))  # wide waves are drawn coarsely and enlarged
    x, y = points.x[::step, ::step], points.y[::step, ::step]
    field = np.zeros(x.shape, np.float32)
    for _ in range(terms):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = 2 * np.pi * rng.uniform(0.6, 1.4) / scale
        along = np.float32(wave * np.cos(angle)) * x + np.float32(wave * np.sin(angle)) * y
        field += np.cos(along + np.float32(phase))
    field /= np.float32(np.sqrt(terms))
    return np.asarray(cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def inside(distance: Float, edge: Real | float, softness: float = 0.02) -> Float:
    """Soft 0..1 membership of `distance` < `edge`, (D, L) float32."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip((distance - edge) / softness, -30, 30))), np.float32)


def band(value: Float, centre: Real | float, width: float) -> Float:
    """A Gaussian ridge of 0..1 where `value` is near `centre`, (D, L) float32."""
    return np.asarray(np.exp(-(((value - centre) / width) ** 2)), np.float32)


def ellipse(points: Points, x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Float:
    """Relative radius (D, L) of the ellipse at (x, y): below 1 inside, 1 on the edge; `angle` in radians."""
    dx, dy = points.x - x, points.y - y
    along = np.cos(angle) * dx + np.sin(angle) * dy
    across = -np.sin(angle) * dx + np.cos(angle) * dy
    return np.asarray(np.hypot(along / rx, across / ry), np.float32)


def paint(level: Float, share: Float, value: Float | float) -> Float:
    """Blend `value` dB into `level` by `share` 0..1, (D, L) float32."""
    return np.asarray(level * (1.0 - share) + value * share, np.float32)
