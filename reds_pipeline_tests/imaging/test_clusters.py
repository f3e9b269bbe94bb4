from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.clusters import (
    connected_components,
    near_duplicate_clusters,
    smallest_names,
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


@pytest.mark.parametrize(
    ("sha256s", "hashes", "expected"),
    [
        pytest.param([], [], [], id="no images"),
        pytest.param(["b", "a"], [_digits(), _digits(*range(8))], ["a", "a"], id="at the radius"),
        pytest.param(["b", "a"], [_digits(), _digits(*range(9))], ["b", "a"], id="beyond it"),
        pytest.param(
            ["c", "b", "a"],
            [_digits(), _digits(*range(8)), _digits(*range(16))],
            ["a", "a", "a"],
            id="the ends of a chain",
        ),
        pytest.param(["b", "a"], [_digits(1), _digits(1)], ["a", "a"], id="equal hashes"),
        pytest.param(["b", "b"], ["", ""], ["b", "b"], id="same bytes without a hash"),
        pytest.param(["b", "a"], ["", ""], ["b", "a"], id="no hash is near to nothing"),
    ],
)
def test_clusters(sha256s: list[str], hashes: list[str], expected: list[str]) -> None:
    assert near_duplicate_clusters(sha256s, hashes, 8) == expected


@given(st.lists(st.integers(0, 2**10 - 1), max_size=25), st.integers(0, 3))
def test_images_within_the_radius_always_share_a_cluster(numbers: list[int], radius: int) -> None:
    names = [f"{index:02}" for index in range(len(numbers))]
    clusters = near_duplicate_clusters(names, [f"{number:016x}" for number in numbers], radius)
    for first, name in enumerate(clusters):
        members = [index for index, other in enumerate(clusters) if other == name]
        assert name == names[members[0]], "named after its smallest member"
        for second, number in enumerate(numbers):
            if (numbers[first] ^ number).bit_count() <= radius:
                assert clusters[second] == name
