from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.retraining.rank_overlap import (
    PERSISTENCE,
    jaccard,
    overlaps,
    rank_biased_overlap,
    top,
)

rankings = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 4), min_size=1)


def ranking(names: str) -> dict[str, int]:
    return {name: len(names) - place for place, name in enumerate(names)}


def by_definition(one: str, other: str, p: float) -> float:
    """Return equation 30 of Webber et al. (2010) for lists of equal length without ties."""
    depth = len(one)
    agreement = [len(set(one[:d]) & set(other[:d])) / d for d in range(1, depth + 1)]
    return agreement[-1] * p**depth + (1 - p) / p * sum(
        share * p**d for d, share in enumerate(agreement, start=1)
    )


@pytest.mark.req("R-IMP-5")
@given(st.permutations("abcdefgh"), st.permutations("cdefghij"), st.floats(0.1, 0.99))
def test_rank_biased_overlap_is_the_published_one(
    one: list[str], other: list[str], p: float
) -> None:
    first, second = "".join(one), "".join(other)
    found = rank_biased_overlap(ranking(first), ranking(second), p)
    assert found == pytest.approx(by_definition(first, second, p))


@given(rankings, rankings)
def test_overlaps_are_shares_symmetric_and_whole_only_for_the_same(
    one: dict[str, int], other: dict[str, int]
) -> None:
    for measure in (rank_biased_overlap, lambda a, b: jaccard(a, b, 5)):
        assert 0 <= measure(one, other) <= 1 + 1e-12
        assert measure(one, other) == pytest.approx(measure(other, one))
        assert measure(one, one) == pytest.approx(1)
    if not one.keys() & other.keys():
        assert rank_biased_overlap(one, other) == jaccard(one, other, 5) == 0


def test_the_order_of_tied_names_is_not_made_up() -> None:
    """By name, both would have the same order, and two samples of nothing would agree."""
    first, second = dict.fromkeys("abcd", 1), dict.fromkeys("abwx", 1)
    assert rank_biased_overlap(first, second) == pytest.approx(0.5)
    assert top({"a": 3, "b": 1, "c": 1}, 2) == {"a", "b", "c"}
    assert jaccard({"a": 3, "b": 1, "c": 1}, {"a": 3, "b": 2, "d": 1}, 2) == pytest.approx(2 / 3)


def test_the_top_weighs_more_than_the_rest() -> None:
    names = "abcdefghij"
    assert rank_biased_overlap(ranking(names), ranking("xbcdefghij")) < rank_biased_overlap(
        ranking(names), ranking("abcdefghix")
    )


def test_the_first_twenty_ranks_carry_what_is_said_of_them() -> None:
    """Equation 21 of Webber et al. (2010)."""
    p, d = PERSISTENCE, 20
    tail = math.log(1 / (1 - p)) - sum(p**i / i for i in range(1, d))
    assert 1 - p ** (d - 1) + (1 - p) / p * d * tail == pytest.approx(0.853, abs=0.001)


def test_many_pairs_are_compared_as_each_alone() -> None:
    counts = np.random.default_rng(0).poisson(1.5, (2, 6, 12)) + np.eye(12, dtype=int)[0]
    together = overlaps(counts[0], counts[1])
    names = [f"n{number}" for number in range(12)]
    alone = [
        rank_biased_overlap(
            dict(zip(names, map(int, one), strict=True)),
            dict(zip(names, map(int, other), strict=True)),
        )
        for one, other in zip(*counts, strict=True)
    ]
    assert together == pytest.approx(alone)


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no names"):
        rank_biased_overlap({}, {"a": 1})
    with pytest.raises(ValueError, match="no names"):
        jaccard({}, {}, 5)
