from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.dedup.graph import UnionFind, best, clusters


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    n = draw(st.integers(1, 20))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=30))


def flood(n: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Components by walking from every node, without any set structure of ours."""
    neighbours: dict[int, set[int]] = {i: {i} for i in range(n)}
    for i, j in pairs:
        neighbours[i].add(j)
        neighbours[j].add(i)
    found: set[tuple[int, ...]] = set()
    for start in range(n):
        reached, todo = {start}, [start]
        while todo:
            new = neighbours[todo.pop()] - reached
            reached |= new
            todo += new
        found.add(tuple(sorted(reached)))
    return [list(component) for component in sorted(found)]


@settings(deadline=None)
@given(graphs())
def test_clusters_are_the_connected_components(graph: tuple[int, list[tuple[int, int]]]) -> None:
    assert clusters(*graph) == flood(*graph)


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_neither_order_nor_direction_of_pairs_matters(
    graph: tuple[int, list[tuple[int, int]]], rng: random.Random
) -> None:
    n, pairs = graph
    shuffled = [pair if rng.random() < 0.5 else pair[::-1] for pair in pairs]
    rng.shuffle(shuffled)
    assert clusters(n, shuffled) == clusters(n, pairs)


@settings(deadline=None)
@given(graphs())
def test_the_root_of_a_set_is_its_smallest_member(graph: tuple[int, list[tuple[int, int]]]) -> None:
    n, pairs = graph
    sets = UnionFind(n)
    for i, j in pairs:
        sets.union(i, j)
    for component in flood(n, pairs):
        assert {sets.find(i) for i in component} == {component[0]}


def test_a_long_chain_needs_no_deep_recursion() -> None:
    n = 20_000
    assert clusters(n, [(i, i + 1) for i in reversed(range(n - 1))]) == [list(range(n))]


def test_nothing_has_no_clusters() -> None:
    assert clusters(0, []) == []
    assert clusters(3, []) == [[0], [1], [2]]


def test_the_smallest_rank_wins() -> None:
    ranks = {4: (1, "b"), 7: (0, "z"), 9: (1, "a")}
    assert best([4, 7, 9], ranks.__getitem__) == 7
