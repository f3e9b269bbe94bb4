from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.modeling.choose_c import FoldFits, fit_folds
from reds_pipeline.modeling.cross_validation import accuracy_of_values
from reds_pipeline.modeling.linear_svm import VALUE_ERROR, fit_squared_hinge
from reds_pipeline_tests.modeling.clouds import clouds

GRID = (1e-5, 1e-3, 1e-1)
FEATURES, LABELS = clouds(3, each=60, spread=2.5)
TARGETS = np.asarray(LABELS)[:, None] == np.unique(LABELS)
fold_of = np.where(np.arange(180) % 7 == 6, -1, np.arange(180) % 5).astype(np.int8)


@pytest.fixture(scope="module")
def fits() -> FoldFits:
    return fit_folds(FEATURES, TARGETS, fold_of, GRID, accuracy_of_values)


@cache
def _values(*left_out: int) -> NDArray[np.float64]:
    """Return (p, n, k), what a fit on its own without some folds says of all rows."""
    fitted_on = (fold_of >= 0) & ~np.isin(fold_of, left_out)
    return fit_squared_hinge(FEATURES, TARGETS, fitted_on[None], GRID).path_values(0, FEATURES)


def _accuracies(inner: int, *left_out: int) -> list[float]:
    """Return the accuracy on a fold with every penalty of the fit without it and others."""
    asked = fold_of == inner
    values = _values(*sorted({inner, *left_out}))
    return [accuracy_of_values(some[asked], TARGETS[asked]) for some in values]


# The fits that only choose stop early: one picture in a hundred may be answered otherwise.
ONE_PICTURE = 0.01


def test_the_choice_is_that_of_nested_cross_validation(fits: FoldFits) -> None:
    """Written out, fold by fold, without sharing a fit."""
    for outer in range(5):
        inner = [_accuracies(number, outer) for number in range(5) if number != outer]
        assert np.allclose(fits.inner_scores[outer], np.mean(inner, axis=0), atol=ONE_PICTURE)
        column = int(fits.inner_scores[outer].argmax())
        assert fits.fold_C[outer] == GRID[column]
        asked = fold_of == outer
        difference = fits.decisions[asked] - _values(outer)[column][asked]
        assert np.abs(difference).max() < 2 * VALUE_ERROR


def test_the_final_fit_has_the_best_c_over_the_folds(fits: FoldFits) -> None:
    scores = np.mean([_accuracies(number) for number in range(5)], axis=0)
    assert np.allclose(fits.final_scores, scores, atol=ONE_PICTURE)
    column = int(fits.final_scores.argmax())
    assert fits.final_C == GRID[column]
    difference = fits.final.decision_values(0, 0, FEATURES) - _values()[column]
    assert np.abs(difference).max() < 2 * VALUE_ERROR
    assert fits.converged


@pytest.mark.req("R-EXP-3")
def test_neither_the_fold_nor_the_test_has_a_say_in_its_own_c() -> None:
    """Spoiling the labels of a fold changes neither its C nor what is said of it; spoiling the
    test rows changes nothing at all."""
    plain = fit_folds(FEATURES, TARGETS, fold_of, GRID, accuracy_of_values)
    spoiled = TARGETS.copy()
    spoiled[fold_of == 2] = spoiled[fold_of == 2][:, [1, 2, 0]]
    features = FEATURES.copy()
    features[fold_of < 0] = np.inf
    again = fit_folds(features, spoiled, fold_of, GRID, accuracy_of_values)
    assert again.fold_C[2] == plain.fold_C[2]
    assert np.array_equal(again.inner_scores[2], plain.inner_scores[2])
    assert np.allclose(
        again.decisions[fold_of == 2], plain.decisions[fold_of == 2], atol=VALUE_ERROR
    )
    assert not np.array_equal(again.inner_scores[1], plain.inner_scores[1])
    assert np.isnan(again.decisions[fold_of < 0]).all()


def test_what_calibrates_a_fold_has_not_seen_it(fits: FoldFits) -> None:
    for outer in range(5):
        known = ~np.isnan(fits.inner_decisions[outer]).any(axis=1)
        assert np.array_equal(known, (fold_of >= 0) & (fold_of != outer))
        asked = fold_of == (outer + 1) % 5
        left_out = sorted((outer, (outer + 1) % 5))
        expected = _values(*left_out)[GRID.index(fits.fold_C[outer])][asked]
        assert np.allclose(fits.inner_decisions[outer][asked], expected, atol=0.05)
    known = ~np.isnan(fits.inner_decisions[5]).any(axis=1)
    assert np.array_equal(known, fold_of >= 0)


def test_of_equal_penalties_the_smallest_is_taken() -> None:
    """Clouds far apart are told apart with any."""
    features, labels = clouds(3, each=30, spread=0.1)
    targets = np.asarray(labels)[:, None] == np.unique(labels)
    fits = fit_folds(features, targets, np.arange(90) % 5, (1e-1, 1e-5, 1e-3), accuracy_of_values)
    assert fits.penalties == GRID
    assert set(fits.fold_C) == {1e-5}
    assert fits.final_C == 1e-5
    assert (fits.inner_scores == 1).all()


def test_one_penalty_is_no_choice() -> None:
    fits = fit_folds(FEATURES, TARGETS, fold_of, [0.02], accuracy_of_values)
    assert fits.fold_C == (0.02,) * 5
    assert fits.final_C == 0.02
    assert fits.inner_decisions.shape == (6, 180, 3)
