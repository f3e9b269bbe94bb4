from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, wilcoxon

from reds_pipeline.modeling.fold_tests import compare_folds, fold_statistics

VGG = [0.900, 0.912, 0.920, 0.921, 0.907]
VIT = [0.946, 0.956, 0.945, 0.940, 0.953]

ACCURACIES = st.lists(st.integers(0, 900), min_size=5, max_size=5).map(
    lambda correct: [number / 900 for number in correct]
)


@pytest.mark.req("R-EXP-8")
@pytest.mark.parametrize("turned", [False, True])
def test_the_reports_mann_whitney(turned: bool) -> None:
    """Their numbers, whichever of the two comes first."""
    result = compare_folds(*((VGG, VIT) if turned else (VIT, VGG)))
    assert result.mann_whitney_p == pytest.approx(0.00793651, abs=5e-9)
    assert result.u == 25


@pytest.mark.req("R-EXP-9")
def test_the_paired_tests_on_the_reports_folds() -> None:
    result = compare_folds(VIT, VGG)
    assert result.wilcoxon_p == 0.0625
    assert result.corrected_t == pytest.approx(4.13, abs=0.005)
    assert result.corrected_t_p == pytest.approx(0.0144, abs=5e-5)


@pytest.mark.req("R-EXP-5")
@pytest.mark.parametrize(
    ("folds", "variance"),
    [pytest.param([0.9, 0.9], 0.0, id="equal"), pytest.param([0.8, 0.9, 1.0], 0.01, id="apart")],
)
def test_both_variances_are_named(folds: list[float], variance: float) -> None:
    statistics = fold_statistics(folds)
    assert statistics.var_ddof1 == pytest.approx(variance)
    assert statistics.var_ddof0 == pytest.approx(variance * (len(folds) - 1) / len(folds))


def test_variance_needs_two_folds() -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        fold_statistics([0.9])


@settings(max_examples=25)
@given(ACCURACIES, ACCURACIES)
def test_without_ties_they_are_the_textbook_tests(first: list[float], second: list[float]) -> None:
    result = compare_folds(first, second)
    if len({*first, *second}) == 10:
        expected = mannwhitneyu(first, second, method="exact")
        assert result.mann_whitney_p == pytest.approx(expected.pvalue)
        assert result.u == max(expected.statistic, 25 - expected.statistic)
    differences = np.round(np.subtract(first, second), 12)
    if len(set(np.abs(differences))) == 5 and differences.all():
        expected = wilcoxon(differences, method="exact")
        assert result.wilcoxon_p == pytest.approx(expected.pvalue)


@settings(max_examples=25)
@given(ACCURACIES, ACCURACIES)
def test_which_comes_first_turns_the_sign_and_nothing_else(
    first: list[float], second: list[float]
) -> None:
    one, other = compare_folds(first, second), compare_folds(second, first)
    assert one.u == other.u
    assert one.mann_whitney_p == pytest.approx(other.mann_whitney_p)
    assert one.wilcoxon_p == pytest.approx(other.wilcoxon_p)
    assert one.corrected_t_p == pytest.approx(other.corrected_t_p)
    if one.corrected_t is not None and other.corrected_t is not None:
        assert one.corrected_t == pytest.approx(-other.corrected_t)


def test_ties_count_a_half() -> None:
    assert compare_folds([0.9, 0.9], [0.9, 0.8]).u == 3


def test_equal_folds_say_nothing() -> None:
    result = compare_folds(VGG, VGG)
    assert result.mann_whitney_p == pytest.approx(1)
    assert result.wilcoxon_p == 1
    assert result.corrected_t_p is None


def test_folds_that_differ_by_the_same_leave_no_spread_to_judge_by() -> None:
    """A t that is infinite would read as certainty; 0.9 - 0.8 is not 0.8 - 0.7 in binary."""
    assert compare_folds([0.9, 0.8, 0.7], [0.8, 0.7, 0.6]).corrected_t is None


def test_a_larger_share_of_common_pictures_asks_for_more() -> None:
    """Nadeau and Bengio: the variance of the mean grows by 1/k + 1/(k - 1), not 1/k."""
    plain = np.mean(np.subtract(VIT, VGG)) / np.sqrt(np.var(np.subtract(VIT, VGG), ddof=1) / 5)
    assert compare_folds(VIT, VGG).corrected_t == pytest.approx(plain / np.sqrt(1 + 5 / 4))


@pytest.mark.parametrize(("first", "second"), [([], VGG), ([0.9], [0.8]), (VGG[:3], VGG)])
def test_other_folds_cannot_be_compared(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="the same folds"):
        compare_folds(first, second)
