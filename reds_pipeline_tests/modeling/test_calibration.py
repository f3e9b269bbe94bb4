from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.optimize import minimize

from reds_pipeline.modeling.calibration import fit_sigmoids, fit_temperature, probabilities, sigmoid


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
        elements=st.floats(-1e6, 1e6),
    ),
    st.floats(1e-3, 1e3),
)
def test_chances_add_up_and_keep_the_order(
    decisions: NDArray[np.float64], temperature: float
) -> None:
    chances = probabilities(decisions, temperature)
    assert np.isfinite(chances).all()
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances >= 0).all()
    best = decisions.argmax(axis=1)
    assert (chances[np.arange(len(best)), best] == chances.max(axis=1)).all()


def test_a_higher_temperature_is_less_sure() -> None:
    decisions = np.array([[2.0, 0.0, -1.0]])
    chances = [probabilities(decisions, temperature).max() for temperature in (0.1, 1, 10, 1000)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] == pytest.approx(1 / 3, abs=1e-2)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    generator = np.random.default_rng(11)
    decisions = generator.normal(size=(20_000, 4)) * 2
    chances = probabilities(decisions, temperature)
    drawn = (generator.random((len(chances), 1)) > chances.cumsum(axis=1)).sum(axis=1)
    labels = [str(column) for column in drawn]
    fitted = fit_temperature(decisions, labels, ["0", "1", "2", "3"])
    assert fitted == pytest.approx(temperature, rel=0.06)


def test_chances_mean_what_they_say() -> None:
    """Of the answers given with a chance of about 0.8, about eight in ten are right."""
    generator = np.random.default_rng(2)
    decisions = generator.normal(size=(30_000, 3))
    true = probabilities(decisions, 0.5)
    drawn = (generator.random((len(true), 1)) > true.cumsum(axis=1)).sum(axis=1)
    temperature = fit_temperature(decisions, [str(column) for column in drawn], ["0", "1", "2"])
    chances = probabilities(decisions, temperature)
    sure = (chances.max(axis=1) > 0.75) & (chances.max(axis=1) < 0.85)
    assert np.mean(chances.argmax(axis=1)[sure] == drawn[sure]) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("each", [5, 50, 500])
def test_no_mistakes_do_not_make_certainty(each: int) -> None:
    """With every image right a chance must still stay below one, the more so with few images."""
    decisions = np.tile(np.eye(2) * 2 - 1, (each, 1))
    temperature = fit_temperature(decisions, ["a", "b"] * each, ["a", "b"])
    surest = probabilities(decisions, temperature).max()
    assert surest == pytest.approx((2 * each + 1) / (2 * each + 2), abs=1e-3)


def test_more_classes_do_not_make_it_less_sure() -> None:
    """What is taken off for the mistake not yet seen is one image, not one for each class."""
    decisions = np.tile(np.eye(20) * 2 - 1, (10, 1))
    names = [str(column) for column in range(20)]
    surest = probabilities(decisions, fit_temperature(decisions, names * 10, names)).max()
    assert surest == pytest.approx(201 / 202, abs=1e-3)


def test_rows_without_values_are_refused() -> None:
    """Test images have none; leaving them in would make every chance NaN."""
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(np.array([[1.0, np.nan]]), ["a"], ["a", "b"])


def test_the_sigmoids_that_made_the_targets_are_found() -> None:
    """Column by column, whatever the scale of the values."""
    generator = np.random.default_rng(6)
    slopes, offsets = np.array([0.05, 1.0, 300.0]), np.array([-2.0, 0.0, 1.0])
    decisions = generator.normal(size=(20_000, 3)) / slopes
    targets = generator.random(decisions.shape) < sigmoid(decisions * slopes + offsets)
    slope, offset = fit_sigmoids(decisions, targets)
    assert slope == pytest.approx(slopes, rel=0.06)
    assert offset == pytest.approx(offsets, abs=0.08)


@pytest.mark.req("R-IMP-1")
def test_chances_of_tags_need_not_add_up_and_agree_with_another_solver() -> None:
    generator = np.random.default_rng(7)
    decisions = generator.normal(size=(400, 5))
    targets = generator.random(decisions.shape) < sigmoid(2 * decisions)
    slope, offset = fit_sigmoids(decisions, targets)
    positives = targets.sum(axis=0)
    wanted = np.where(targets, (positives + 1) / (positives + 2), 1 / (400 - positives + 2))
    for column in range(5):

        def surprise(parameters: NDArray[np.float64], column: int = column) -> float:
            scores = decisions[:, column] * parameters[0] + parameters[1]
            return float((np.logaddexp(0, scores) - wanted[:, column] * scores).sum())

        best = minimize(surprise, [0.0, 0.0], tol=1e-10)
        assert [slope[column], offset[column]] == pytest.approx(best.x, abs=1e-3)
    chances = sigmoid(decisions * slope + offset)
    assert not np.allclose(chances.sum(axis=1), 1, atol=0.1)


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.02), (1.0, 0.98, 1.0)])
def test_a_tag_that_none_or_all_have_is_no_failure(share: float, low: float, high: float) -> None:
    decisions = np.random.default_rng(8).normal(size=(100, 1))
    slope, offset = fit_sigmoids(decisions, np.full((100, 1), bool(share)))
    chances = sigmoid(decisions * slope + offset)
    assert ((chances >= low) & (chances <= high)).all()


def test_values_that_say_the_opposite_say_nothing() -> None:
    """Out of fold a rare tag may come out upside down; higher values must not mean less likely."""
    decisions = np.linspace(-1, 1, 200)[:, None]
    slope, offset = fit_sigmoids(decisions, decisions < 0)
    assert slope == [0]
    assert sigmoid(offset) == pytest.approx(0.5)


def test_separable_and_constant_values_have_finite_sigmoids() -> None:
    decisions = np.stack([np.repeat([-1e6, 1e6], 50), np.zeros(100)], axis=1)
    targets = np.repeat([[False], [True]], 50, axis=0).repeat(2, axis=1)
    slope, offset = fit_sigmoids(decisions, targets)
    chances = sigmoid(decisions * slope + offset)
    assert chances[0, 0] == pytest.approx(1 / 52, abs=1e-3)
    assert chances[-1, 0] == pytest.approx(51 / 52, abs=1e-3)
    assert chances[:, 1] == pytest.approx(0.5)


def test_sigmoids_need_values() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_sigmoids(np.array([[np.nan]]), np.array([[True]]))


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 100.0])
def test_the_scale_of_the_values_does_not_matter(scale: float) -> None:
    """A small C on few pictures of many classes makes values of thousandths: still as sure."""
    decisions = np.tile(np.eye(20) * 2 - 1, (10, 1))
    names = [str(column) for column in range(20)]
    usual = fit_temperature(decisions, names * 10, names)
    assert fit_temperature(decisions * scale, names * 10, names) == pytest.approx(usual * scale)
