"""Pictures whose horizontal axis is time: M-mode sweeps and spectral Doppler."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.textures import Float, Grey

SWEEPS = ("heart", "valve", "lung", "vessel")
WAVES = ("artery", "vein", "inflow", "umbilical", "continuous")


def m_mode(shape: tuple[int, int], kind: str, rng: np.random.Generator) -> Grey:
    """One beam over time, (H, W) uint8: layers that move with the beat or breath, speckle smeared along time."""
    height, width = shape
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    time = np.linspace(0, float(rng.uniform(2.0, 6.0)), width, dtype=np.float32)[None]
    beat = _beat(time + float(rng.random()), sharp=kind == "valve")
    reach = {"heart": 0.07, "valve": 0.1, "lung": 0.006, "vessel": 0.02}[kind] * float(rng.uniform(0.6, 1.3))
    place = np.repeat(depth, width, axis=1)
    if kind == "heart":  # opposite walls move against each other
        place = place + reach * beat * np.sin((depth - 0.15) * 2 * np.pi)
    else:
        place = place + reach * beat * np.clip(depth * 2, 0, 1)
    profile = _profile(height, kind, rng)
    moved = cv2.remap(
        np.repeat(profile[:, None], 8, axis=1),
        np.full(shape, 3, np.float32),
        (np.clip(place, 0, 1) * (height - 1)).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    if kind == "valve":  # a leaflet that opens and shuts
        path = 0.45 + 0.12 * beat + 0.02 * np.sin(time * 9)
        moved = np.maximum(moved, 0.9 * np.exp(-(((depth - path) / 0.012) ** 2)))
    grain = _grain(shape, rng, float(rng.uniform(3, 12)), 1.0)
    if kind == "lung":  # below the pleura nothing keeps its place: the sandy beach
        sand = _grain(shape, rng, 1.2, 1.2)
        grain = np.where(depth > 0.35, sand, grain)
    decibels = 20 * np.log10(np.maximum(moved * grain, 1e-4)) + float(rng.uniform(-6, 4))
    return np.asarray(np.clip((decibels + 46) / 46 * 255, 0, 255), np.uint8)


def spectrum(shape: tuple[int, int], kind: str, rng: np.random.Generator) -> tuple[Grey, int, Float]:
    """Speeds over time as brightness: (H, W) uint8, the row of the baseline, and the envelope's row per column (W,)."""
    height, width = shape
    baseline = round(height * float(rng.uniform(0.25, 0.85)))
    time = np.linspace(0, float(rng.uniform(2.0, 8.0)), width, dtype=np.float32) + float(rng.random())
    wave = _wave(time, kind, rng)
    wave = wave * (1 + 0.04 * np.sin(time * 2.1)) * (1 if rng.random() < 0.7 else -1)
    up, down = baseline - 2, height - baseline - 2
    room = min(up / max(float(wave.max()), 1e-3), down / max(float(-wave.min()), 1e-3))
    envelope = wave * room * float(rng.uniform(0.6, 0.95))
    rows = baseline - np.arange(height, dtype=np.float32)[:, None]
    reach = np.where(np.abs(envelope) < 1, 1, envelope)[None]
    share = rows / reach
    # Plug flow packs the power under the envelope; parabolic flow fills all speeds below it.
    plug = float(rng.uniform(0.0, 1.0))
    filled = np.clip(share, 0, 1)
    power = np.where((share > 0) & (share < 1), 0.35 + 0.65 * filled ** (1 + 3 * plug), 0)
    power = power * (np.abs(rows) > height * float(rng.uniform(0.005, 0.04)))  # the wall filter
    power = cv2.GaussianBlur(power.astype(np.float32), (0, 0), sigmaX=0.8, sigmaY=1.2)
    mirror = float(rng.uniform(0, 0.25)) if rng.random() < 0.4 else 0.0
    if mirror:
        flipped = np.zeros_like(power)
        span = min(baseline, height - baseline - 1)
        flipped[baseline - span : baseline + span] = power[baseline - span : baseline + span][::-1]
        power = power + mirror * flipped
    columns = cv2.resize(rng.uniform(0.5, 1.0, (1, max(8, width // 2))).astype(np.float32), (width, 1))
    grain = _grain(shape, rng, 0.9, 0.9)
    noise = float(rng.uniform(0.0, 0.07)) * _grain(shape, rng, 0.7, 0.7) ** 2
    level = np.sqrt(np.maximum(power * grain * columns, 0)) + noise
    return np.asarray(np.clip(level * float(rng.uniform(150, 260)), 0, 255), np.uint8), baseline, baseline - envelope


def ecg(width: int, rng: np.random.Generator) -> Float:
    """A heart's electric trace over `width` columns: -0.3..1 float32."""
    time = np.linspace(0, float(rng.uniform(2.0, 6.0)), width, dtype=np.float32) + float(rng.random())
    phase = time % 1.0
    trace = np.exp(-(((phase - 0.3) / 0.012) ** 2)) - 0.25 * np.exp(-(((phase - 0.335) / 0.015) ** 2))
    trace += 0.15 * np.exp(-(((phase - 0.15) / 0.03) ** 2)) + 0.25 * np.exp(-(((phase - 0.55) / 0.05) ** 2))
    return np.asarray(trace, np.float32)


def _beat(time: Float, sharp: bool) -> Float:
    phase = time % 1.0
    if sharp:  # opens early and again before the next beat
        return np.asarray(
            np.exp(-(((phase - 0.3) / 0.09) ** 2)) + 0.6 * np.exp(-(((phase - 0.8) / 0.06) ** 2)), np.float32
        )
    return np.asarray(np.sin(np.pi * np.clip(phase / 0.45, 0, 1)) ** 2, np.float32)


def _profile(height: int, kind: str, rng: np.random.Generator) -> Float:
    """Echo strength along the beam, (H,) float32, linear."""
    depth = np.linspace(0, 1, height, dtype=np.float32)
    level = np.full(height, float(rng.uniform(0.05, 0.25)), np.float32)
    if kind in ("heart", "valve"):
        for centre in (0.28, 0.68):
            level[np.abs(depth - centre - float(rng.uniform(-0.05, 0.05))) < 0.08] = 0.3
        level[(depth > 0.37) & (depth < 0.6)] = 0.012
    if kind == "vessel":
        level[np.abs(depth - 0.5) < float(rng.uniform(0.06, 0.15))] = 0.008
    for _ in range(int(rng.integers(4, 14))):
        centre, strength = float(rng.uniform(0.03, 0.95)), float(rng.uniform(0.3, 1.2))
        level += strength * np.exp(-(((depth - centre) / float(rng.uniform(0.003, 0.012))) ** 2))
    if kind == "lung":
        level += 1.2 * np.exp(-(((depth - 0.35) / 0.012) ** 2))
    texture = cv2.GaussianBlur(rng.uniform(0.3, 1.7, (height, 1)).astype(np.float32), (1, 0), sigmaX=0, sigmaY=1.5)
    return np.asarray(level * texture[:, 0] * np.exp(-1.5 * depth), np.float32)


def _wave(time: Float, kind: str, rng: np.random.Generator) -> Float:
    """Speed over time, about -0.4..1."""
    phase = time % 1.0

    def bump(centre: float, wide: float, tall: float) -> Float:
        away = np.minimum(np.abs(phase - centre), 1 - np.abs(phase - centre))
        return np.asarray(tall * np.exp(-((away / wide) ** 2)), np.float32)

    if kind == "artery":
        rest = float(rng.uniform(-0.05, 0.3))
        return np.asarray(rest + bump(0.2, 0.09, 1) + bump(0.42, 0.06, -0.35) + bump(0.6, 0.12, 0.2), np.float32)
    if kind == "umbilical":
        return np.asarray(0.3 + 0.7 * np.exp(-2.2 * phase) * np.clip(phase / 0.12, 0, 1), np.float32)
    if kind == "inflow":
        return np.asarray(
            bump(0.35, 0.09, 1) + bump(0.72, 0.06, float(rng.uniform(0.5, 0.9))) + bump(0.05, 0.08, -0.5), np.float32
        )
    if kind == "vein":
        return np.asarray(0.5 + bump(0.3, 0.15, 0.2) + bump(0.7, 0.12, 0.15) + 0.1 * np.sin(time * 1.3), np.float32)
    return np.asarray(0.6 + 0.08 * np.sin(time * 3), np.float32)


def _grain(shape: tuple[int, int], rng: np.random.Generator, along: float, across: float) -> Float:
    """Rayleigh-like speckle of mean 1, (H, W) float32; `along` time and `across` in pixels."""
    power = np.zeros(shape, np.float32)
    for _ in range(2):
        noise = rng.standard_normal(shape, dtype=np.float32)
        power += np.square(cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across))
    amplitude = np.sqrt(power)
    return np.asarray(amplitude / (amplitude.mean() + 1e-6), np.float32)
