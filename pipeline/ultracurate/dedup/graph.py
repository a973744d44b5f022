"""Clusters from pairs, and the one copy of each cluster that is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
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


class Crowd:
    """Equal things, of which any two of different sides are copies: linked by few of these pairs, not by all.

    Black frames or one picture copied thousands of times would else give a pair for each two of them. The links are
    pairs of copies themselves, and connect just what all pairs of copies would connect.
    """

    def __init__(self, members: Sequence[int], side: Callable[[int], Hashable]) -> None:
        self._members = members
        self._side = side
        first = members[0]
        other = next((m for m in members if side(m) != side(first)), None)
        self._ends = (first,) if other is None else (first, other)
        self._joined = other is not None or len(members) == 1

    def inner_links(self) -> Iterator[tuple[int, int]]:
        """Pairs within the crowd: everyone with the first member, those of its own side with one of another side."""
        if len(self._ends) == 1:
            return
        first, other = self._ends
        for member in self._members[1:]:
            yield (other if self._side(member) == self._side(first) else first), member

    def links_to(self, near: Crowd) -> Iterator[tuple[int, int]]:
        """Pairs between this crowd and another: one, or one for each member of a crowd that nothing joined yet."""
        for a in self._ends:
            for b in near._ends:
                if self._side(a) != self._side(b):
                    yield a, b
                    yield from ((member, b) for member in self._join() if member != a)
                    yield from ((a, member) for member in near._join() if member != b)
                    return

    def _join(self) -> Sequence[int]:
        """All members of a crowd that stands on one side, the first time that somebody asks; they become connected."""
        loose = () if self._joined else self._members
        self._joined = True
        return loose


def best(members: Sequence[int], rank: Callable[[int], Any]) -> int:
    """The member with the smallest rank."""
    return min(members, key=rank)
