from __future__ import annotations

import pytest

from reds_pipeline.modeling.intervals import wilson_interval, with_unseen_groups


@pytest.mark.req("R-EXP-14")
def test_interval_of_the_reports_test_accuracy() -> None:
    low, high = wilson_interval(485, 500)
    assert (round(low, 3), round(high, 3)) == (0.951, 0.982)


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
