from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.abstention import (
    LOWEST_THRESHOLD,
    NO_ANSWER,
    answer_threshold,
    answers,
)


def test_the_line_is_drawn_where_the_given_answers_are_right_often_enough() -> None:
    """By hand: from 0.8 on four of five are right, from 0.7 on four of six."""
    chances = np.array([0.99, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6])
    correct = np.array([True, True, False, True, True, False, False])
    assert answer_threshold(chances, correct, 0.8) == 0.8
    assert answer_threshold(chances, correct, 0.99) == 0.95
    given_answers = answers(chances, correct, 0.8)
    assert (given_answers.given, given_answers.total) == (5, 7)
    assert given_answers.coverage == pytest.approx(5 / 7)
    assert given_answers.accuracy == pytest.approx(0.8)
    assert given_answers.accuracy_interval is not None
    assert given_answers.accuracy_interval[0] < 0.8 < given_answers.accuracy_interval[1]


@given(
    st.lists(st.tuples(st.integers(1, 10), st.booleans()), min_size=1, max_size=60),
    st.floats(0.5, 0.99),
)
def test_no_lower_line_gives_the_wanted_share(drawn: list[tuple[int, bool]], wanted: float) -> None:
    """With ties, which are given together or not at all."""
    chances = np.array([tenths / 10 for tenths, _ in drawn])
    correct = np.array([right for _, right in drawn])
    threshold = answer_threshold(chances, correct, wanted)
    assert LOWEST_THRESHOLD <= threshold <= 1
    given_answers = answers(chances, correct, threshold)
    if given_answers.accuracy is not None:
        assert given_answers.accuracy >= wanted
    for lower in np.unique(chances[(chances >= LOWEST_THRESHOLD) & (chances < threshold)]):
        assert correct[chances >= lower].mean() < wanted


def test_an_answer_more_probably_wrong_than_right_is_withheld() -> None:
    """A picture of nothing that was learnt gets low chances, though the model makes no mistake."""
    chances = np.array([0.9, 0.8, 0.4])
    assert answer_threshold(chances, np.ones(3, bool), 0.95) == LOWEST_THRESHOLD


def test_where_no_line_helps_nothing_is_answered() -> None:
    chances = np.array([0.9, 0.8, 0.7])
    threshold = answer_threshold(chances, np.array([False, True, False]), 0.9)
    assert threshold == NO_ANSWER
    withheld = answers(chances, np.zeros(3, bool), threshold)
    assert (withheld.given, withheld.accuracy, withheld.accuracy_interval) == (0, None, None)


@pytest.mark.parametrize("correct", [np.zeros(0, bool), np.zeros(2, bool)])
def test_a_line_needs_one_chance_for_each_answer(correct: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one chance"):
        answer_threshold(np.zeros(0), correct, 0.9)


def test_where_nothing_is_answered_not_even_a_chance_of_one_is() -> None:
    """Rounding makes it one for a picture unlike all others, which is when to be silent."""
    chances = np.ones(4)
    wrong = np.array([True, False, False, False])
    assert answers(chances, wrong, answer_threshold(chances, wrong, 0.9)).given == 0
    assert answers(chances, ~wrong, answer_threshold(chances, ~wrong, 0.7)).given == 4
    surest = np.array([1.0, 1.0, 0.9, 0.9])
    right = np.array([True, True, False, False])
    assert answers(surest, right, answer_threshold(surest, right, 0.9)).given == 2
