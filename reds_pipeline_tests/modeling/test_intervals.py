from __future__ import annotations

import pytest

from reds_pipeline.modeling.intervals import wilson_interval


@pytest.mark.req("R-EXP-14")
def test_interval_of_the_reports_test_accuracy() -> None:
    low, high = wilson_interval(485, 500)
    assert (round(low, 3), round(high, 3)) == (0.951, 0.982)


@pytest.mark.parametrize(("correct", "total"), [(0, 10), (10, 10), (1, 1)])
def test_interval_stays_within_bounds(correct: int, total: int) -> None:
    """Unlike the normal approximation, which gives an interval of no width here."""
    low, high = wilson_interval(correct, total)
    assert 0 <= low < high <= 1
