from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from reds_pipeline.modeling.comparison import compare_folds, compare_to_best, fold_statistics

VGG = [0.900, 0.912, 0.920, 0.921, 0.907]
VIT = [0.946, 0.956, 0.945, 0.940, 0.953]


@pytest.mark.req("R-EXP-8")
@pytest.mark.parametrize("turned", [False, True])
def test_the_reports_mann_whitney(turned: bool) -> None:
    """Their numbers, whichever of the two comes first."""
    lists = [("VGG16", VGG), ("ViT-B/16", VIT)]
    (first_name, first), (second_name, second) = lists[::-1] if turned else lists
    result = compare_folds(first_name, first, second_name, second)
    assert result.p_value == pytest.approx(0.00793651, abs=5e-9)
    assert result.u == 25
    assert result.sentence == (
        "ViT-B/16 is better than VGG16 (cross-validated accuracy 0.948 against 0.912, "
        "ahead in 25 of 25 pairs of folds, p = 0.00794: unlikely to be chance)."
    )


@pytest.mark.req("R-EXP-15")
@pytest.mark.parametrize(
    ("folds", "mean", "variance"),
    [
        pytest.param(VGG, 0.912, 6.28e-5, id="VGG16"),
        pytest.param(VIT, 0.948, 3.32e-5, id="ViT-B/16"),
    ],
)
def test_the_reports_means_and_variances(folds: list[float], mean: float, variance: float) -> None:
    statistics = fold_statistics(folds)
    assert statistics.mean == pytest.approx(mean, abs=1e-12)
    assert statistics.var_ddof0 == pytest.approx(variance, abs=1e-12)
    assert statistics.var_ddof1 == pytest.approx(variance * 5 / 4, abs=1e-12)


def test_variance_needs_two_folds() -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        fold_statistics([0.9])


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=5, unique=True),
    st.lists(st.floats(0, 1), min_size=3, max_size=5, unique=True),
)
def test_without_ties_it_is_the_textbook_test(first: list[float], second: list[float]) -> None:
    if set(first) & set(second):
        return
    expected = mannwhitneyu(first, second, method="exact")
    result = compare_folds("one", first, "other", second)
    assert result.p_value == pytest.approx(expected.pvalue)
    assert result.u == max(expected.statistic, len(first) * len(second) - expected.statistic)


def test_ties_count_a_half() -> None:
    result = compare_folds("one", [0.9, 0.9], "other", [0.9, 0.8])
    assert result.u == 3


def test_equal_folds_cannot_be_told_apart() -> None:
    result = compare_folds("one", VGG, "other", VGG)
    assert result.p_value == pytest.approx(1)
    assert "one and other cannot be told apart" in result.sentence


def test_no_folds_are_an_error() -> None:
    with pytest.raises(ValueError, match="no folds"):
        compare_folds("one", [], "other", VGG)


def test_the_best_is_set_against_each_other_one() -> None:
    folds = {"vgg16": VGG, "vit": VIT, "tiny": [float(value) - 0.2 for value in np.array(VGG)]}
    results = compare_to_best(folds)
    assert [(result.first, result.second) for result in results] == [
        ("vit", "vgg16"),
        ("vit", "tiny"),
    ]
    assert compare_to_best({"vit": VIT}) == []
