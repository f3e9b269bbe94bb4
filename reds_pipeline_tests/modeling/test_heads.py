from __future__ import annotations

import logging

import numpy as np
import pytest

from reds_pipeline.modeling.heads import HeadParameters, decision_values, fit_head
from reds_pipeline_tests.modeling.clouds import clouds


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_one_column_a_class_and_the_largest_is_the_answer(classes: int) -> None:
    features, labels = clouds(classes, each=30)
    head = fit_head(features, labels, HeadParameters())
    values = decision_values(head.pipeline, features)
    assert values.shape == (len(labels), classes)
    assert values.dtype == np.float64
    predicted = [head.classes[column] for column in values.argmax(axis=1)]
    assert predicted == head.pipeline.predict(features).tolist()
    assert np.mean(np.asarray(predicted) == np.asarray(labels)) > 0.95


def test_classes_are_sorted_whatever_order_they_come_in() -> None:
    features, labels = clouds(3, each=20)
    head = fit_head(features[::-1], labels[::-1], HeadParameters())
    assert head.classes == ("class 0", "class 1", "class 2")


def test_the_same_seed_gives_the_same_bits() -> None:
    features, labels = clouds(4, each=30)
    one, other = (fit_head(features, labels, HeadParameters(seed=5)) for _ in range(2))
    assert np.array_equal(one.pipeline[-1].coef_, other.pipeline[-1].coef_)


def test_the_scale_of_the_features_does_not_matter() -> None:
    """So that one C serves every backbone."""
    features, labels = clouds(3, each=30)
    plain = fit_head(features, labels, HeadParameters())
    grown = fit_head(features * 1000, labels, HeadParameters())
    first = decision_values(plain.pipeline, features)
    assert np.allclose(first, decision_values(grown.pipeline, features * 1000), atol=1e-4)


def test_a_constant_feature_is_harmless() -> None:
    features, labels = clouds(3, each=20)
    features[:, 4] = 7
    head = fit_head(features, labels, HeadParameters())
    assert np.isfinite(decision_values(head.pipeline, features)).all()


def test_no_convergence_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    features, labels = clouds(3, each=60, spread=4)
    with caplog.at_level(logging.WARNING):
        hasty = fit_head(features, labels, HeadParameters(C=10, max_iterations=2))
    assert not hasty.converged
    assert "did not converge" in caplog.text
    assert fit_head(features, labels, HeadParameters()).converged
