"""Pairs of 64-bit hashes within a small distance, found by banding instead of comparing all with all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

BITS = 64


def parse_hashes(texts: list[str]) -> Hashes:
    """16 hex digits each -> (N,) uint64."""
    return np.array([int(text, 16) for text in texts], dtype=np.uint64)


def distances(left: Hashes, right: Hashes) -> NDArray[np.uint8]:
    """Differing bits of each pair: two (N,) uint64 -> (N,) uint8, 0 to 64."""
    bits: NDArray[np.uint8] = np.bitwise_count(left ^ right)
    return bits


def close_pairs(hashes: Hashes, radius: int) -> tuple[Pairs, NDArray[np.uint8]]:
    """All pairs of positions whose hashes differ in at most `radius` bits, with their distances.

    The 64 bits are cut into `radius + 1` bands: two hashes that differ in at most `radius` bits agree in at least one
    band (pigeonhole), so looking only inside groups of equal bands loses none.

    Args:
        hashes: (N,) uint64.
        radius: Largest distance, 0 to 15 bits; a larger one would leave bands too narrow to help.

    Returns:
        (P, 2) int64 positions with the smaller first, sorted; and (P,) uint8 distances.
    """
    if not 0 <= radius <= 15:
        raise ValueError(f"radius must be 0 to 15 bits, found {radius}")
    edges = np.linspace(0, BITS, radius + 2).round().astype(int).tolist()
    masks = [np.uint64(((1 << (high - low)) - 1) << low) for low, high in pairwise(edges)]
    found = [_band_pairs(hashes, masks[: band + 1], radius) for band in range(len(masks))]
    pairs = np.concatenate(found)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs, distances(hashes[pairs[:, 0]], hashes[pairs[:, 1]])


def _band_pairs(hashes: Hashes, masks: list[np.uint64], radius: int) -> Pairs:
    """Pairs within the radius whose first common band is the last of `masks`: no pair comes from two bands."""
    *earlier, mask = masks
    band = hashes & mask
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    breaks = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    starts, ends = np.r_[0, breaks], np.r_[breaks, len(ordered)]
    shared = ends - starts > 1
    kept: list[Pairs] = [np.empty((0, 2), np.int64)]
    for start, end in zip(starts[shared].tolist(), ends[shared].tolist(), strict=True):
        members = order[start:end]  # rising, because the sort is stable
        for i in range(len(members) - 1):  # one row of the triangle at a time: memory stays linear in the group
            others = members[i + 1 :]
            differing = hashes[members[i]] ^ hashes[others]
            near = np.bitwise_count(differing) <= radius
            for seen in earlier:
                near &= (differing & seen) != 0
            others = others[near]
            if len(others):
                kept.append(np.column_stack([np.full(len(others), members[i]), others]).astype(np.int64))
    return np.concatenate(kept)
