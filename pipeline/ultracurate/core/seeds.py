"""Random draws that depend on what is drawn for, never on the order in which workers come to it."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_for(run_seed: int, stage: str, sample_id: str) -> int:
    """A 64-bit seed from (run seed, stage, sample id)."""
    text = f"{run_seed}\x1f{stage}\x1f{sample_id}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def rng_for(run_seed: int, stage: str, sample_id: str) -> np.random.Generator:
    """A generator seeded for this sample in this stage."""
    return np.random.default_rng(seed_for(run_seed, stage, sample_id))
