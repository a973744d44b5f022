"""The same case for the same number: which valid file, which wounds, which entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.fuzz.corpus import Seed, made, real
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import Call, calls


class Cases:
    """All cases of one run, by number."""

    def __init__(self, run_seed: int, samples: Path | None = None, only: str = "") -> None:
        self.run_seed = run_seed
        self.seeds: tuple[Seed, ...] = made() + (real(samples) if samples else ())
        self.kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, seed in enumerate(self.seeds):
            if only in f"{seed.family} {seed.kind}":
                self.kinds[seed.family, seed.kind].append(number)
        self._order = sorted(self.kinds)

    def make(self, case: int) -> tuple[int, bytes]:
        """Number of the seed and the mutated bytes; every kind comes equally often."""
        rng = np.random.default_rng([self.run_seed, case])
        kind = self._order[case % len(self._order)]
        numbers = self.kinds[kind]
        number = numbers[int(rng.integers(len(numbers)))]
        seed = self.seeds[number]
        others = [self.seeds[other].data for other in numbers]
        words = seed.kind if seed.family == "decode" else seed.family
        return number, mutate(seed.data, words, others, rng)

    def calls(self, number: int, data: bytes, case: int = 0) -> Iterator[Call]:
        """The entries for one file."""
        return calls(self.seeds[number], data, np.random.default_rng([self.run_seed, case, 1]))
