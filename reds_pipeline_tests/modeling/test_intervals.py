from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.intervals import (
    difference_of_shares,
    effective_number,
    wilson_interval,
    wilson_of_share,
    with_unseen_groups,
)


@pytest.mark.req("R-EXP-14")
def test_interval_of_the_reports_test_accuracy() -> None:
    low, high = wilson_interval(485, 500)
    assert (round(low, 3), round(high, 3)) == (0.951, 0.982)


@pytest.mark.req("R-EXP-14")
@given(st.integers(1, 100_000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_the_one_that_scipy_gives(
    total: int, data: st.DataObject, confidence: float
) -> None:
    from scipy.stats import binomtest

    correct = data.draw(st.integers(0, total))
    expected = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    low, high = wilson_interval(correct, total, confidence)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("correct", "total"), [(0, 10), (10, 10), (1, 1)])
def test_interval_stays_within_bounds(correct: int, total: int) -> None:
    """Unlike the normal approximation, which gives an interval of no width here."""
    low, high = wilson_interval(correct, total)
    assert 0 <= low < high <= 1


@pytest.mark.parametrize(
    ("low", "high", "value", "groups", "expected"),
    [
        (0.6, 0.8, 0.7, 50, (0.6, 0.8)),
        (-0.1, 1.2, 0.7, 50, (0.0, 1.0)),
        (1.0, 1.0, 1.0, 1, (0.0, 1.0)),
        (1.0, 1.0, 1.0, 20, (20 / (20 + 3.8415), 1.0)),
        (0.5, 0.5, 0.5, 20, (0.5 - 0.5 * 3.8415 / 23.8415, 0.5 + 0.5 * 3.8415 / 23.8415)),
    ],
)
def test_groups_that_agree_do_not_make_certainty(
    low: float, high: float, value: float, groups: int, expected: tuple[float, float]
) -> None:
    """Twenty authors without a mistake leave room for one in six who has some."""
    assert with_unseen_groups(low, high, value, groups) == pytest.approx(expected, abs=1e-4)


def test_a_difference_reaches_from_minus_one_to_one() -> None:
    low, high = with_unseen_groups(0.0, 0.0, 0.0, 76, lowest=-1.0)
    assert (low, high) == pytest.approx((-0.0481, 0.0481), abs=1e-4)


@pytest.mark.parametrize(("correct", "total"), [(0, 10), (90, 100), (485, 500), (7, 7)])
def test_the_interval_of_a_share_is_that_of_its_counts(correct: int, total: int) -> None:
    assert wilson_of_share(correct / total, total) == pytest.approx(wilson_interval(correct, total))


def test_the_difference_of_two_shares_is_the_published_one() -> None:
    """Newcombe (1998), table II, example (a), method 10."""
    one, other = (56 / 70, *wilson_of_share(56 / 70, 70)), (48 / 80, *wilson_of_share(48 / 80, 80))
    assert difference_of_shares(one, other) == pytest.approx((0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(
    ("groups", "number"), [("abcd", 4), ("aabb", 2), ("aaaa", 1), ("aab", 1.8)]
)
def test_pictures_of_one_group_count_as_one(groups: str, number: float) -> None:
    assert effective_number(list(groups)) == pytest.approx(number)
