"""Clusters from pairs, and the one copy of each cluster that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class UnionFind:
    """Disjoint sets of positions 0 to n - 1, with path halving."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, i: int) -> int:
        """Smallest-rooted representative of the set of `i`."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def union(self, i: int, j: int) -> None:
        """Join the sets of `i` and `j`; the smaller root stays root, so the order of pairs does not matter."""
        a, b = self.find(i), self.find(j)
        if a != b:
            self._parent[max(a, b)] = min(a, b)


def clusters(n: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components of `n` positions, each sorted, ordered by their smallest member."""
    sets = UnionFind(n)
    for i, j in pairs:
        sets.union(i, j)
    members: dict[int, list[int]] = {}
    for i in range(n):
        members.setdefault(sets.find(i), []).append(i)
    return [members[root] for root in sorted(members)]


def best(members: Sequence[int], rank: Callable[[int], Any]) -> int:
    """The member with the smallest rank."""
    return min(members, key=rank)
