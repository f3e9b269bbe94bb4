from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from reds_pipeline.modeling.calibration import fit_temperature, probabilities


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
    assert surest == pytest.approx((each + 1) / (each + 2), abs=1e-3)


def test_rows_without_values_are_refused() -> None:
    """Test images have none; leaving them in would make every chance NaN."""
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(np.array([[1.0, np.nan]]), ["a"], ["a", "b"])
