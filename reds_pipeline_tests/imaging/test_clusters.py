from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.clusters import (
    Components,
    connected_components,
    smallest_names,
    spanning_edges,
)


def _digits(*bits: int) -> str:
    return f"{sum(1 << bit for bit in bits):016x}"


@pytest.mark.parametrize(
    ("count", "edges", "expected"),
    [
        pytest.param(0, [], [], id="nothing"),
        pytest.param(3, [], ["a", "b", "c"], id="nobody is joined"),
        pytest.param(3, [(2, 0)], ["a", "b", "a"], id="one pair"),
        pytest.param(4, [(3, 2), (2, 1)], ["a", "b", "b", "b"], id="joined through another"),
        pytest.param(2, [(0, 1), (1, 0), (0, 1)], ["a", "a"], id="the same edge again"),
    ],
)
def test_components(count: int, edges: list[tuple[int, int]], expected: list[str]) -> None:
    labels = connected_components(count, np.array(edges, dtype=np.int64).reshape(-1, 2))
    assert smallest_names(labels, "abcd"[:count]) == expected


@given(
    st.integers(1, 30),
    st.lists(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=8), max_size=6),
    st.integers(0, 10),
)
def test_pairs_that_come_in_parts_give_the_components_of_all_of_them(
    count: int, parts: list[list[tuple[int, int]]], kept: int
) -> None:
    """Also when only so few pairs fit into memory that they are reduced over and over."""
    edges = [np.array(part, dtype=np.int64).reshape(-1, 2) % count for part in [*parts, []]]
    growing = Components(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reds_pipeline.imaging.clusters._PAIRS_KEPT", kept)
        for part in edges:
            growing.add(part)
    names = [f"{node:02}" for node in range(count)]
    at_once = connected_components(count, np.concatenate(edges))
    assert smallest_names(growing.labels(), names) == smallest_names(at_once, names)


def test_spanning_edges_are_one_a_node_and_give_the_same_components() -> None:
    labels = np.array([7, 3, 7, 3, 5])
    edges = spanning_edges(labels)
    assert edges.tolist() == [[0, 0], [1, 1], [2, 0], [3, 1], [4, 4]]
    assert smallest_names(connected_components(5, edges), "abcde") == [*"abab", "e"]
