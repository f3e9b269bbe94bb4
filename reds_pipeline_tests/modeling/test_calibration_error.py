from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.calibration_error import (
    LEAST_IN_A_BIN,
    calibration_error,
    reliability_bins,
)


def _answers(count: int, excess: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return chances that are too high by ``excess``, and which answers were right."""
    generator = np.random.default_rng(seed)
    true = generator.uniform(0.3, 0.8, count)
    return true + excess, generator.random(count) < true


def test_the_error_is_the_mean_distance_by_hand() -> None:
    chances = np.repeat([0.6, 0.9], 50)
    correct = np.concatenate([np.arange(50) < 20, np.arange(50) < 45])
    measured = calibration_error(chances, correct, bins=2)
    assert measured.value == pytest.approx((0.2 + 0.0) / 2)
    assert measured.answers == 100


def test_chances_that_are_too_high_are_found_out() -> None:
    measured = calibration_error(*_answers(4000, 0.1))
    assert measured.low < 0.1 < measured.high
    assert measured.low > measured.by_chance


def test_right_chances_show_only_what_chance_shows() -> None:
    """And the interval says so: it begins below what chance shows."""
    values = [calibration_error(*_answers(300, 0.0, seed)) for seed in range(20)]
    assert np.mean([one.value for one in values]) == pytest.approx(
        np.mean([one.by_chance for one in values]), rel=0.15
    )
    assert np.mean([one.low < one.by_chance for one in values]) >= 0.95


def test_pictures_of_one_author_are_not_independent() -> None:
    """The same answers say less where ten at a time come from one hand."""
    generator = np.random.default_rng(3)
    chances = np.full(2000, 0.9)
    correct = np.repeat(generator.random(200) < 0.7, 10)
    groups = [str(number // 10) for number in range(2000)]
    alone, together = (calibration_error(chances, correct, some) for some in (None, groups))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    chances, correct = _answers(200, 0.05)
    assert calibration_error(chances, correct, seed=4) == calibration_error(
        chances, correct, seed=4
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300))
def test_bins_hold_every_answer_once_in_order(drawn: list[tuple[float, bool]]) -> None:
    chances = np.array([chance for chance, _ in drawn])
    correct = np.array([right for _, right in drawn])
    bins = reliability_bins(chances, correct)
    assert sum(one.answers for one in bins) == len(drawn)
    assert sum(one.correct * one.answers for one in bins) == pytest.approx(correct.sum())
    assert 1 <= len(bins) <= max(1, len(drawn) // LEAST_IN_A_BIN)
    for one in bins:
        assert one.lowest <= one.chance + 1e-12
        assert one.chance <= one.highest + 1e-12
        assert one.correct_interval[0] <= one.correct <= one.correct_interval[1]
    for one, following in pairwise(bins):
        assert one.highest < following.lowest


def test_there_must_be_one_chance_for_each_answer() -> None:
    with pytest.raises(ValueError, match="one chance"):
        calibration_error(np.zeros(3), np.zeros(2, bool))


@pytest.mark.parametrize("groups", [1, 2])
def test_one_author_says_nothing_of_others(groups: int) -> None:
    """All draws are alike then, and would give an interval of no width."""
    chances, correct = np.full(40, 0.9), np.arange(40) % 2 == 0
    measured = calibration_error(chances, correct, [str(row // 2 % groups) for row in range(40)])
    assert measured.value == pytest.approx(0.4)
    assert measured.low < 0.25
    assert measured.high > 0.75
