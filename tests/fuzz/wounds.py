"""Cases that do on purpose what no decoder may do, to see whether the harness notices each of it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.corpus import Seed
from tests.fuzz.targets import Call


def _crash() -> None:
    ctypes.string_at(0)


def _foreign() -> None:
    raise KeyError("x")


def _write() -> None:
    Path("outside.txt").write_text("x")


def _memory() -> None:
    held = bytearray(1300 << 20)
    held[::4096] = b"x" * len(held[::4096])


WOUNDS: dict[str, Callable[[], None]] = {
    "crash": _crash,
    "foreign": _foreign,
    "written": _write,
    "memory": _memory,
}
"""Kind of finding to what causes it, in the order of the case numbers."""


class Cases:
    """In the place of the real cases: one wound for each number."""

    def __init__(self, run_seed: int, samples: Path | None = None) -> None:
        self.seeds = (Seed("wound", "x", "x", b"x"),)

    def make(self, case: int) -> tuple[int, bytes]:
        """Nothing to be decoded."""
        return 0, b"x"

    def calls(self, number: int, data: bytes, case: int | None = None) -> Iterator[Call]:
        """The wound of this number; none before the first case."""
        if case is not None:
            yield "wound", list(WOUNDS.values())[case]
