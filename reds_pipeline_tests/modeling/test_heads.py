from __future__ import annotations

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

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


def test_two_fits_are_the_same_to_the_bit() -> None:
    features, labels = clouds(4, each=30)
    one, other = (fit_head(features, labels, HeadParameters()) for _ in range(2))
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


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.req("R-EXP-1")
def test_it_is_scikit_learns_linear_svm(classes: int) -> None:
    """Fitted by scikit-learn itself on the same C, the same pipeline says the same."""
    features, labels = clouds(classes, each=40, spread=2)
    exact = features.astype(np.float64)
    for penalty in (1e-4, 1e-2):
        head = fit_head(features, labels, HeadParameters(C=penalty))
        machine = LinearSVC(C=penalty, dual=False, tol=1e-10, max_iter=100_000)
        reference = make_pipeline(StandardScaler(), machine).fit(exact, labels)
        assert np.allclose(
            head.pipeline.decision_function(exact), reference.decision_function(exact), atol=1e-4
        )
        assert head.pipeline.predict(exact).tolist() == reference.predict(exact).tolist()
        assert head.pipeline.classes_.tolist() == list(head.classes)
        assert head.converged


def test_the_pipeline_is_an_ordinary_one_for_scikit_learn() -> None:
    """It can be cloned, saved and loaded as skops does, and then predicts the same."""
    features, labels = clouds(3, each=20)
    head = fit_head(features, labels, HeadParameters())
    data = skops.io.dumps(head.pipeline)
    assert skops.io.get_untrusted_types(data=data) == []
    loaded = skops.io.loads(data)
    assert np.array_equal(loaded.predict(features), head.pipeline.predict(features))
    again = clone(head.pipeline).fit(features, labels)
    assert again.predict(features).tolist() == head.pipeline.predict(features).tolist()


def test_one_class_is_refused() -> None:
    features, labels = clouds(1, each=20)
    with pytest.raises(ValueError, match="two classes"):
        fit_head(features, labels, HeadParameters())
