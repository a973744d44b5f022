from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.dedup.bands import close_pairs, distances, parse_hashes

WORD = st.integers(0, 2**64 - 1)


@st.composite
def clustered(draw: st.DrawFn) -> list[int]:
    """Some centres, and words that differ from them in a few bits: many distances near any radius."""
    centres = draw(st.lists(WORD, min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=18)
    words = draw(st.lists(st.tuples(st.sampled_from(centres), flips), max_size=25))
    found = []
    for word, bits in words:
        for bit in bits:
            word ^= 1 << bit
        found.append(word)
    return found


def brute_force(words: list[int], radius: int) -> dict[tuple[int, int], int]:
    found = {}
    for (i, a), (j, b) in itertools.combinations(enumerate(words), 2):
        if (a ^ b).bit_count() <= radius:
            found[i, j] = (a ^ b).bit_count()
    return found


def as_dict(words: list[int], radius: int) -> dict[tuple[int, int], int]:
    pairs, bits = close_pairs(np.array(words, dtype=np.uint64), radius)
    listed = [tuple(pair) for pair in pairs.tolist()]
    assert listed == sorted(set(listed)), "pairs must be sorted, each once"
    return dict(zip(listed, bits.tolist(), strict=True))


@settings(deadline=None)
@given(clustered(), st.integers(0, 15))
def test_clustered_hashes_equal_brute_force(words: list[int], radius: int) -> None:
    assert as_dict(words, radius) == brute_force(words, radius)


@settings(deadline=None)
@given(st.lists(WORD, max_size=40), st.integers(0, 15))
def test_random_hashes_equal_brute_force(words: list[int], radius: int) -> None:
    assert as_dict(words, radius) == brute_force(words, radius)


@settings(deadline=None)
@given(st.lists(st.integers(0, 255), max_size=40), st.integers(0, 15))
def test_hashes_that_share_all_but_eight_bits_equal_brute_force(words: list[int], radius: int) -> None:
    assert as_dict(words, radius) == brute_force(words, radius)


@pytest.mark.parametrize("radius", range(16))
def test_a_pair_at_the_radius_is_found_wherever_its_bits_lie(radius: int) -> None:
    rng = np.random.default_rng(radius)
    for _ in range(50):
        word = int(rng.integers(0, 2**63))
        at, beyond = word, word
        for bit in rng.permutation(64)[:radius].tolist():
            at ^= 1 << bit
        for bit in rng.permutation(64)[: radius + 1].tolist():
            beyond ^= 1 << bit
        assert as_dict([word, at], radius) == {(0, 1): radius}
        assert as_dict([word, beyond], radius) == {}


@pytest.mark.parametrize("radius", [0, 3, 15])
@pytest.mark.parametrize("words", [[], [7]])
def test_none_and_one_hash_have_no_pairs(words: list[int], radius: int) -> None:
    pairs, bits = close_pairs(np.array(words, dtype=np.uint64), radius)
    assert pairs.shape == (0, 2)
    assert len(bits) == 0


def test_equal_hashes_are_all_paired() -> None:
    assert as_dict([5] * 6, 3) == dict.fromkeys(itertools.combinations(range(6), 2), 0)


@pytest.mark.parametrize("radius", [-1, 16])
def test_a_radius_that_bands_cannot_serve_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="0 to 15"):
        close_pairs(np.zeros(2, np.uint64), radius)


def test_skewed_hashes_stay_quick() -> None:
    """Black-ish frames share most of their bits: one band may hold everything."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**16, 4000, dtype=np.uint64)  # 48 bits in common
    started = time.perf_counter()
    pairs, bits = close_pairs(words, 3)
    assert time.perf_counter() - started < 5
    assert bits.max() <= 3
    assert len(pairs) == sum(
        int((distances(np.repeat(words[i], len(words) - i - 1), words[i + 1 :]) <= 3).sum())
        for i in range(len(words) - 1)
    )


def test_many_equal_hashes_stay_quick() -> None:
    started = time.perf_counter()
    pairs, bits = close_pairs(np.full(1500, 5, np.uint64), 3)
    assert time.perf_counter() - started < 5
    assert len(pairs) == 1500 * 1499 // 2
    assert not bits.any()


def test_hashes_keep_their_highest_bit() -> None:
    texts = ["ffffffffffffffff", "8000000000000000", "0000000000000001"]
    assert parse_hashes(texts).tolist() == [2**64 - 1, 2**63, 1]
    assert parse_hashes([]).dtype == np.uint64
