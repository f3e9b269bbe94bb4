from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from reds_pipeline.modeling.per_class import measures_per_class

CLASSES = ["cat", "dog", "owl"]
answers = st.lists(
    st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES), st.integers(0, 5)),
    min_size=1,
    max_size=40,
)


@pytest.mark.req("R-EXP-4", "R-EXP-14")
@settings(max_examples=25)
@given(answers)
def test_they_are_those_of_scikit_learn_and_lie_in_their_intervals(
    drawn: list[tuple[str, str, int]],
) -> None:
    labels = [label for label, _, _ in drawn]
    said = [answer for _, answer, _ in drawn]
    measured = measures_per_class(labels, said, [str(group) for _, _, group in drawn], CLASSES)
    expected = precision_recall_fscore_support(labels, said, labels=CLASSES, zero_division=np.nan)
    for row, measure in enumerate(measured):
        for values, share, interval in (
            (expected[0], measure.precision, measure.precision_interval),
            (expected[1], measure.recall, measure.recall_interval),
        ):
            if share is None:
                assert np.isnan(values[row])
            else:
                assert share == pytest.approx(values[row])
                assert interval is not None
                assert interval[0] - 1e-12 <= share <= interval[1] + 1e-12
        if measure.f1 is not None:
            assert measure.f1 == pytest.approx(np.nan_to_num(expected[2][row]))
            assert measure.f1_interval is not None
            assert 0 <= measure.f1_interval[0] <= measure.f1_interval[1] <= 1


def test_pictures_of_few_authors_leave_more_doubt() -> None:
    """The bootstrap draws whole groups, so the same answers by fewer people say less."""
    labels = ["cat", "dog"] * 50
    said = ["cat" if number % 4 else "dog" for number in range(100)]

    def width(groups: list[str]) -> float:
        interval = measures_per_class(labels, said, groups, ["cat", "dog"])[0].f1_interval
        assert interval is not None
        return interval[1] - interval[0]

    alone = width([str(number) for number in range(100)])
    together = width([str(number // 25 * 2 + number % 2) for number in range(100)])
    assert alone > 0
    assert together != alone


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="one group"):
        measures_per_class(["cat"], ["cat"], [], CLASSES)


@pytest.mark.req("R-EXP-14")
def test_no_mistake_of_few_authors_is_no_certainty() -> None:
    """The bootstrap finds no spread at all there, and two authors prove nothing."""
    labels = ["cat"] * 6 + ["dog"] * 6
    one, few = (
        measures_per_class(labels, labels, groups, ["cat", "dog"])[0]
        for groups in (["ada"] * 12, ["ada", "bea", "cyd"] * 4)
    )
    assert (one.f1, one.f1_interval) == (1.0, (0.0, 1.0))
    assert few.f1_interval == pytest.approx((3 / (3 + 3.8415), 1.0), abs=1e-4)
