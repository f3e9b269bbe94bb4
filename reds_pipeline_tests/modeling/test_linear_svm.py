from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import ThreadpoolController, threadpool_info

from reds_pipeline.modeling.linear_svm import VALUE_ERROR, LinearProblem, fit_squared_hinge
from reds_pipeline_tests.modeling.clouds import clouds


def _reference(
    features: NDArray[np.float32],
    target: NDArray[np.bool_],
    penalty: float,
    sample_weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the decision values of scikit-learn, solved as far as it goes."""
    machine = LinearSVC(C=penalty, dual=False, tol=1e-10, max_iter=100_000)
    pipeline = make_pipeline(StandardScaler(), machine)
    exact = features.astype(np.float64)
    weights = {f"{step}__sample_weight": sample_weights for step, _ in pipeline.steps}
    return np.asarray(pipeline.fit(exact, target, **weights).decision_function(exact))


def _targets(labels: list[str]) -> NDArray[np.bool_]:
    names = np.asarray(labels)
    return names[:, None] == np.unique(names)


def _ordinary() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, labels = clouds(3, each=40, spread=2)
    return features, _targets(labels)


def _fewer_rows_than_features() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, labels = clouds(3, each=12, dimension=60, spread=3)
    return features, _targets(labels)


def _far_fewer_rows_than_features() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, labels = clouds(3, each=8, dimension=120, spread=3)
    return features, _targets(labels)


def _rows_thrice() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, targets = _ordinary()
    return features.repeat(3, axis=0), targets.repeat(3, axis=0)


def _features_thrice_and_a_constant() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, targets = _ordinary()
    features[:, 3] = 7.1
    return np.concatenate([features] * 3, axis=1), targets


def _separable() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, labels = clouds(2, each=40, spread=0.2)
    return features, _targets(labels)[:, 1:]


def _nothing_to_learn() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    generator = np.random.default_rng(4)
    return generator.normal(size=(150, 4)).astype(np.float32), generator.random((150, 3)) < 0.3


def _an_outlier() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, targets = _ordinary()
    features[0] = 1e5
    return features, targets


def _far_from_zero() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    generator = np.random.default_rng(5)
    features = (generator.normal(size=(150, 4)) + 1e4).astype(np.float32)
    return features, generator.random((150, 2)) < 0.5


@pytest.mark.req("R-EXP-1")
@pytest.mark.parametrize(
    "data",
    [
        _ordinary,
        _fewer_rows_than_features,
        _far_fewer_rows_than_features,
        _rows_thrice,
        _features_thrice_and_a_constant,
        _separable,
        _nothing_to_learn,
        _an_outlier,
        _far_from_zero,
    ],
)
def test_values_are_those_of_scikit_learn(
    data: Callable[[], tuple[NDArray[np.float32], NDArray[np.bool_]]],
) -> None:
    """At every penalty, up to one at which hardly any error is allowed."""
    features, targets = data()
    penalties = (1e-5, 1e-3, 1e-1, 100)
    fits = fit_squared_hinge(features, targets, np.ones((1, len(features)), bool), penalties)
    assert fits.converged.all()
    for column, penalty in enumerate(penalties):
        values = fits.decision_values(0, column, features)
        for number, target in enumerate(targets.T):
            expected = _reference(features, target, penalty)
            # The features are rounded to float32, which a value of hundreds shows.
            assert np.allclose(values[:, number], expected, rtol=1e-5, atol=VALUE_ERROR)


@pytest.mark.req("R-IMP-6")
# scikit-learn's weighted variance of a constant feature may come out below 0.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning")
@pytest.mark.parametrize(
    "data",
    [
        _ordinary,
        _fewer_rows_than_features,
        _far_fewer_rows_than_features,
        _features_thrice_and_a_constant,
        _an_outlier,
        _far_from_zero,
    ],
)
def test_weighted_values_are_those_of_scikit_learn(
    data: Callable[[], tuple[NDArray[np.float32], NDArray[np.bool_]]],
) -> None:
    """The weights count in the standardisation and in the loss."""
    features, targets = data()
    weights = np.random.default_rng(2).choice([0.1, 0.5, 1.0, 3.0], len(features))
    penalties = (1e-5, 1e-3, 1e-1)
    everything = np.ones((1, len(features)), bool)
    fits = fit_squared_hinge(features, targets, everything, penalties, sample_weights=weights)
    scaler = StandardScaler().fit(features.astype(np.float64), sample_weight=weights)
    assert np.allclose(fits.mean[0], scaler.mean_, rtol=1e-10)
    assert np.allclose(fits.scale[0], scaler.scale_, rtol=1e-6)
    for column, penalty in enumerate(penalties):
        values = fits.decision_values(0, column, features)
        for number, target in enumerate(targets.T):
            expected = _reference(features, target, penalty, weights)
            assert np.allclose(values[:, number], expected, rtol=1e-5, atol=VALUE_ERROR)


@pytest.mark.req("R-IMP-6")
def test_a_row_of_weight_three_counts_as_three_rows() -> None:
    features, targets = _ordinary()
    times = np.random.default_rng(3).integers(1, 4, len(features))
    weighted = fit_squared_hinge(
        features,
        targets,
        np.ones((1, len(features)), bool),
        [1e-3],
        sample_weights=times.astype(np.float64),
    )
    repeated = fit_squared_hinge(
        features.repeat(times, axis=0),
        targets.repeat(times, axis=0),
        np.ones((1, times.sum()), bool),
        [1e-3],
    )
    assert np.allclose(weighted.mean, repeated.mean, rtol=1e-12)
    assert np.allclose(
        weighted.decision_values(0, 0, features),
        repeated.decision_values(0, 0, features),
        atol=2 * VALUE_ERROR,
    )


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_means_nothing_is_refused(weight: float) -> None:
    features, targets = _ordinary()
    weights = np.ones(len(features))
    weights[7] = weight
    with pytest.raises(ValueError, match="above 0"):
        LinearProblem(features, targets, np.ones((1, len(features)), bool), sample_weights=weights)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(4, 40),
    dimension=st.integers(1, 60),
    penalty=st.floats(1e-6, 10),
    seed=st.integers(0, 1000),
    is_weighted=st.booleans(),
)
def test_the_gradient_is_zero_there(
    rows: int, dimension: int, penalty: float, seed: int, is_weighted: bool
) -> None:
    """What makes a point the minimum of a convex loss, whatever the data."""
    generator = np.random.default_rng(seed)
    weights = generator.uniform(0.1, 1, rows) if is_weighted else None
    features = generator.normal(size=(rows, dimension)).astype(np.float32)
    features *= generator.uniform(0.01, 100, dimension).astype(np.float32)
    targets = generator.random((rows, 2)) < 0.4
    subset = generator.random(rows) < 0.7
    subset[:2] = True
    fits = fit_squared_hinge(features, targets, subset[None], [penalty], sample_weights=weights)
    inside = features[subset].astype(np.float64)
    standardised = (inside - fits.mean[0]) / fits.scale[0]
    sides = np.where(targets[subset], 1, -1)
    values = standardised @ fits.coefficients[0, 0].T + fits.intercepts[0, 0]
    pull = 2 * penalty * np.maximum(1 - sides * values, 0) * sides
    if weights is not None:
        pull *= weights[subset, None]
    gradient = fits.coefficients[0, 0] - pull.T @ standardised
    lengths = np.linalg.norm(standardised, axis=1)
    assert np.linalg.norm(gradient, axis=1).max() * lengths.max() < 10 * VALUE_ERROR
    assert np.abs(fits.intercepts[0, 0] - pull.sum(axis=0)).max() < 10 * VALUE_ERROR


def test_each_subset_is_fitted_and_standardised_as_if_alone() -> None:
    """Rows outside it, however strange, leave no trace."""
    features, labels = clouds(3, each=40, spread=2)
    targets = _targets(labels)
    generator = np.random.default_rng(1)
    subsets = generator.random((4, len(features))) < 0.6
    strange = features.copy()
    strange[~subsets.any(axis=0)] = np.nan
    strange[subsets[1] & ~subsets[0]] += 1000
    together = fit_squared_hinge(strange, targets, subsets, [1e-4, 1e-2])
    alone = fit_squared_hinge(
        features[subsets[0]],
        targets[subsets[0]],
        np.ones((1, subsets[0].sum()), bool),
        [1e-4, 1e-2],
    )
    scaler = StandardScaler().fit(features[subsets[0]].astype(np.float64))
    assert np.allclose(together.mean[0], scaler.mean_, rtol=1e-12)
    assert np.allclose(together.scale[0], scaler.scale_, rtol=1e-9)
    for column in range(2):
        one, other = (fits.decision_values(0, column, features) for fits in (together, alone))
        assert np.abs(one - other).max() < 2 * VALUE_ERROR


def test_penalties_come_out_in_the_order_given() -> None:
    features, targets = _ordinary()
    everyone = np.ones((1, len(features)), bool)
    fits = fit_squared_hinge(features, targets, everyone, [1e-1, 1e-5, 1e-3])
    lengths = np.linalg.norm(fits.coefficients[0], axis=(1, 2))
    assert lengths[1] < lengths[2] < lengths[0]
    path = fits.path_values(0, features)
    for column in range(3):
        assert np.allclose(path[column], fits.decision_values(0, column, features))


@pytest.mark.parametrize("everyone_has_it", [True, False])
def test_a_target_that_all_or_none_have_is_no_failure(everyone_has_it: bool) -> None:
    """A tag may be missing from a subset of the pictures."""
    features, targets = _ordinary()
    targets[:, 1] = everyone_has_it
    fits = fit_squared_hinge(features, targets, np.ones((1, len(features)), bool), [1e-2])
    values = fits.decision_values(0, 0, features)[:, 1]
    assert ((values > 0) == everyone_has_it).all()


def test_many_targets_are_fitted_in_parts() -> None:
    """So that memory is bounded; each is fitted as if alone."""
    features, labels = clouds(2, each=300)
    generator = np.random.default_rng(0)
    targets = generator.random((len(labels), 50)) < generator.uniform(0.01, 0.5, 50)
    subsets = np.ones((1, len(labels)), bool)
    problem = LinearProblem(features, targets, subsets, most_cells=7 * len(labels))
    weights, reached = problem.solve([0], 1e-3)
    assert reached.all()
    at_once = fit_squared_hinge(features, targets, subsets, [1e-3])
    assert np.allclose(weights[0], at_once.weights[0, 0], atol=VALUE_ERROR)


def test_an_empty_subset_is_refused() -> None:
    features, targets = _ordinary()
    with pytest.raises(ValueError, match="one row at least"):
        fit_squared_hinge(features, targets, np.zeros((1, len(features)), bool), [1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(value: float) -> None:
    features, targets = _ordinary()
    features[3, 2] = value
    with pytest.raises(ValueError, match="finite"):
        fit_squared_hinge(features, targets, np.ones((1, len(features)), bool), [1])


def test_a_fit_short_of_the_minimum_is_told(caplog: pytest.LogCaptureFixture) -> None:
    features, targets = _ordinary()
    problem = LinearProblem(features, targets, np.ones((1, len(features)), bool))
    weights, reached = problem.solve([0], 1e-3)
    reached[0, 1] = False
    with caplog.at_level(logging.WARNING):
        fits = problem.fits(weights[:, None], reached[:, None], [0])
    assert not fits.converged.any()
    assert "1 of 3 linear SVMs did not converge" in caplog.text


def test_the_number_of_threads_changes_no_bit() -> None:
    """So that a training can be repeated wherever the same library is (issue 5)."""
    features, labels = clouds(4, each=250, dimension=300, spread=2)
    targets = _targets(labels)
    subsets = np.arange(len(labels)) % 3 != np.arange(3)[:, None]
    weights = []
    for threads in (1, 2, 2):
        with ThreadpoolController().limit(limits=threads, user_api="blas"):
            weights.append(fit_squared_hinge(features, targets, subsets, [1e-4, 1e-2]).weights)
            numbers = [library["num_threads"] for library in threadpool_info()]
            assert threads in numbers, "the number of threads is put back afterwards"
    assert np.array_equal(weights[0], weights[1])
    assert np.array_equal(weights[1], weights[2])
