from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from reds_pipeline.modeling.comparison import (
    PairedComparison,
    adjusted_for_number,
    compare_predictions,
    mcnemar,
)

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9)), min_size=1)


def _compare(
    first_only: int, second_only: int, both: int = 0, neither: int = 0, *, each: int = 1
) -> PairedComparison:
    """Compare so many pictures; ``each`` of them make a group."""
    first = np.repeat([True, False, True, False], [first_only, second_only, both, neither])
    second = np.repeat([False, True, True, False], [first_only, second_only, both, neither])
    groups = (np.arange(len(first)) // each).tolist()
    return compare_predictions("new", first, "old", second, groups)


@pytest.mark.req("R-EXP-9")
@pytest.mark.parametrize(
    ("first_only", "second_only", "p_value"),
    [
        pytest.param(0, 0, 1.0, id="they never differ"),
        pytest.param(3, 3, 1.0, id="evenly"),
        pytest.param(5, 0, 0.0625, id="five to nothing: 2 / 32"),
        pytest.param(1, 9, 22 / 1024, id="one to nine: 2 (1 + 10) / 1024"),
    ],
)
def test_mcnemar_by_hand(first_only: int, second_only: int, p_value: float) -> None:
    assert mcnemar(first_only, second_only) == pytest.approx(p_value)
    assert _compare(first_only, second_only, 7).mcnemar_p == pytest.approx(p_value)


def test_the_bootstrap_is_the_one_of_scipy() -> None:
    """Drawing kinds of groups instead of groups gives the same interval, sooner."""
    random = np.random.default_rng(0)
    units = random.integers(0, 60, 300)
    first, second = random.random(300) < 0.9, random.random(300) < 0.8
    found = compare_predictions("a", first, "b", second, units.tolist())
    sums = np.bincount(units, weights=first.astype(float) - second)
    sizes = np.bincount(units)

    def mean(sums: np.ndarray, sizes: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(sums.sum(axis) / sizes.sum(axis))

    expected = bootstrap(
        (sums, sizes), mean, paired=True, method="percentile", n_resamples=9999, rng=1
    ).confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.006)
    assert found.high == pytest.approx(expected.high, abs=0.006)


def test_pictures_that_fall_together_prove_less() -> None:
    """Twenty pictures of two authors are not twenty pictures."""
    alone, together = _compare(20, 0, 80), _compare(20, 0, 80, each=10)
    assert together.low < alone.low < alone.difference < alone.high < together.high


def test_one_group_says_nothing_of_others() -> None:
    found = _compare(10, 0, each=10)
    assert (found.low, found.high) == (-1, 1)
    assert found.better is None


@given(PAIRS)
def test_turned_round_it_says_the_same(pairs: list[tuple[bool, bool, int]]) -> None:
    first, second = np.array([one for one, _, _ in pairs]), np.array([one for _, one, _ in pairs])
    groups = [group for _, _, group in pairs]
    one = compare_predictions("a", first, "b", second, groups)
    other = compare_predictions("b", second, "a", first, groups)
    assert one.low <= one.difference <= one.high
    assert one.difference == pytest.approx(-other.difference)
    assert one.difference == pytest.approx(one.first_accuracy - one.second_accuracy)
    assert one.mcnemar_p == other.mcnemar_p
    assert one.better in (None, "a" if first.sum() > second.sum() else "b")
    assert one == compare_predictions("a", first, "b", second, groups)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Forty made-up data sets of 80 authors, one model 10 points better than the other."""
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(40):
        units = np.repeat(np.arange(80), random.integers(1, 6, 80))
        author = random.normal(0, 0.08, 80)[units]
        first = random.random(len(units)) < 0.85 + author
        second = random.random(len(units)) < 0.75 + author
        found = compare_predictions("a", first, "b", second, units.tolist())
        covered += found.low <= 0.1 <= found.high
    assert binomtest(covered, 40, 0.95).pvalue > 0.001


@pytest.mark.parametrize(
    ("comparison", "sentence"),
    [
        pytest.param(
            _compare(60, 10, 30),
            "new is better than old: right on 90.0 % of the same 100 unseen pictures against "
            "40.0 %, a difference of 50.0 points (95 % interval 37.0 to 63.0, p < 0.0001), "
            "more than chance explains.",
            id="clear",
        ),
        pytest.param(
            _compare(10, 60, 30),
            "old is better than new: right on 90.0 % of the same 100 unseen pictures against "
            "40.0 %, a difference of 50.0 points (95 % interval 37.0 to 63.0, p < 0.0001), "
            "more than chance explains.",
            id="the other way round",
        ),
        pytest.param(
            _compare(12, 8, 180),
            "new and old cannot be told apart: new is right on 96.0 % of the same 200 unseen "
            "pictures against 94.0 %, a difference of 2.0 points (95 % interval -2.5 to 6.5, "
            "p = 0.503).",
            id="not clear",
        ),
    ],
)
def test_a_person_reads(comparison: PairedComparison, sentence: str) -> None:
    assert comparison.sentence == sentence


def test_both_the_interval_and_the_test_have_to_be_sure() -> None:
    clear = _compare(60, 10, 30)
    assert clear.better == "new"
    assert replace(clear, adjusted_p=0.05).better is None
    assert replace(clear, low=-0.01).better is None


def test_holm_by_hand() -> None:
    """Smallest p times three, the next times two and not below the one before, the last as is."""
    p_values = [0.03, 0.01, 0.04]
    comparisons = [replace(_compare(3, 2, 95), mcnemar_p=p_value) for p_value in p_values]
    adjusted = [comparison.adjusted_p for comparison in adjusted_for_number(comparisons, 3)]
    assert adjusted == pytest.approx([0.06, 0.03, 0.06])
    assert adjusted_for_number([], 0) == []


@pytest.mark.parametrize(("first", "second", "groups"), [(0, 0, 0), (2, 1, 2), (2, 2, 1)])
def test_other_pictures_cannot_be_compared(first: int, second: int, groups: int) -> None:
    with pytest.raises(ValueError, match="same pictures"):
        compare_predictions("a", np.ones(first, bool), "b", np.ones(second, bool), ["x"] * groups)


def test_two_models_without_a_mistake_are_not_shown_to_be_equal() -> None:
    """What 76 pictures have not shown may still happen with one in twenty."""
    found = _compare(0, 0, 76)
    assert (found.low, found.high) == pytest.approx((-0.048, 0.048), abs=1e-3)
    assert found.better is None


def test_who_was_chosen_by_the_same_numbers_is_one_of_more() -> None:
    """The best of three is found by looking at three pairs, though two are shown."""
    comparisons = [replace(_compare(3, 2, 95), mcnemar_p=p_value) for p_value in (0.02, 0.04)]
    adjusted = [each.adjusted_p for each in adjusted_for_number(comparisons, 3)]
    assert adjusted == pytest.approx([0.06, 0.08])
