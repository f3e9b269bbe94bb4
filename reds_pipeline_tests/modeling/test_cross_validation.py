from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from reds_pipeline.modeling.cross_validation import (
    CrossValidation,
    FinalFit,
    accuracy_of_values,
    fit_split,
    measure_final,
    measure_folds,
)
from reds_pipeline.modeling.heads import HeadParameters, decision_values, fit_head
from reds_pipeline.modeling.linear_svm import VALUE_ERROR
from reds_pipeline.modeling.splits import Split, make_split
from reds_pipeline_tests.modeling.clouds import clouds

FEATURES, LABELS = clouds(4, each=60, spread=1.6)
SPLIT = make_split(LABELS, [str(row) for row in range(len(LABELS))], protocol="grouped", seed=1)


FIXED = HeadParameters(C=1e-3)


def _folds(features: np.ndarray, labels: list[str], split: Split) -> CrossValidation:
    return measure_folds(fit_split(features, labels, split, FIXED), labels, split)


def _final(features: np.ndarray, labels: list[str], split: Split) -> FinalFit:
    return measure_final(fit_split(features, labels, split, FIXED), features, labels, split)


@pytest.fixture(scope="module")
def folds() -> CrossValidation:
    return _folds(FEATURES, LABELS, SPLIT)


@pytest.mark.req("R-EXP-4")
def test_accuracies_are_those_of_heads_that_had_not_seen_the_fold(folds: CrossValidation) -> None:
    names = np.asarray(LABELS)
    for fold, accuracy in enumerate(folds.fold_accuracy):
        held_out = SPLIT.fold == fold
        fitted_on = SPLIT.training & ~held_out
        head = fit_head(FEATURES[fitted_on], names[fitted_on].tolist(), FIXED)
        assert head.pipeline.score(FEATURES[held_out], names[held_out]) == pytest.approx(accuracy)
        expected = decision_values(head.pipeline, FEATURES[held_out])
        assert np.allclose(folds.decisions[held_out], expected, atol=2 * VALUE_ERROR)
    assert 0.6 < folds.mean < 1


@pytest.mark.req("R-EXP-3")
def test_test_images_have_no_part_in_it(folds: CrossValidation) -> None:
    """Spoiling them changes nothing, and they get no decision values."""
    spoiled = FEATURES.copy()
    spoiled[SPLIT.test] = 1e6
    again = _folds(spoiled, LABELS, SPLIT)
    assert again.fold_accuracy == folds.fold_accuracy
    assert np.isnan(folds.decisions[SPLIT.test]).all()
    assert np.isfinite(folds.decisions[SPLIT.training]).all()


def test_confusions_count_every_training_image_once(folds: CrossValidation) -> None:
    assert folds.fold_confusions.shape == (5, 4, 4)
    assert folds.fold_confusions.sum() == SPLIT.training.sum()
    assert len(folds.fit_seconds) == 5
    assert folds.converged


@pytest.mark.req("R-EXP-6")
def test_mean_confusion_averages_the_shares_of_the_folds() -> None:
    """A fold counts as much as another, however many images it holds."""
    confusions = np.array([[[8, 2], [0, 5]], [[1, 1], [1, 1]], [[4, 0], [0, 0]]])
    folds = CrossValidation(
        classes=("a", "b"),
        fold_accuracy=(0.9, 0.5, 1.0),
        fold_confusions=confusions,
        decisions=np.zeros((0, 2)),
        inner_decisions=np.zeros((4, 0, 2)),
        fit_seconds=(0, 0, 0),
        converged=True,
        fold_C=(1, 1, 1),
        penalties=(1,),
        inner_accuracy=np.zeros((3, 1)),
        choice_seconds=0,
    )
    expected = [[(0.8 + 0.5 + 1) / 3, (0.2 + 0.5) / 3], [0.25, 0.75]]
    assert np.allclose(folds.mean_confusion, expected)


@pytest.mark.req("R-EXP-5")
def test_both_variances(folds: CrossValidation) -> None:
    assert folds.var_ddof0 == pytest.approx(np.var(folds.fold_accuracy))
    assert folds.var_ddof1 == pytest.approx(np.var(folds.fold_accuracy, ddof=1))


@pytest.mark.req("R-EXP-4")
def test_final_fit_is_measured_on_the_test_images() -> None:
    final = _final(FEATURES, LABELS, SPLIT)
    names = np.asarray(LABELS)
    true = names[SPLIT.test]
    predicted = final.head.pipeline.predict(FEATURES[SPLIT.test])
    assert final.test_accuracy == pytest.approx(np.mean(true == predicted))
    assert final.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro"))
    assert list(final.recall.values()) == pytest.approx(recall_score(true, predicted, average=None))
    assert final.test_interval[0] < final.test_accuracy < final.test_interval[1]
    assert (final.n_train, final.n_test) == (SPLIT.training.sum(), SPLIT.test.sum())
    assert final.decisions.shape == (final.n_test, 4)


def test_a_class_without_test_images_has_no_recall() -> None:
    """A split made elsewhere may hold none; that is not a recall of zero."""
    names = np.asarray(LABELS)
    fold = np.where(names == "class 3", np.arange(len(names)) % 5, SPLIT.fold).astype(np.int8)
    final = _final(FEATURES, LABELS, Split(fold < 0, fold, "grouped", 0))
    assert final.recall["class 3"] is None
    assert final.recall["class 0"] is not None


def test_a_fold_that_would_train_without_a_class_is_an_error() -> None:
    names = np.asarray(LABELS)
    fold = np.where(names == "class 3", 0, SPLIT.fold).astype(np.int8)
    with pytest.raises(ValueError, match="fold 0 is trained without"):
        _folds(FEATURES, LABELS, Split(fold < 0, fold, "grouped", 0))


def test_two_classes_work_all_the_way() -> None:
    features, labels = clouds(2, each=40)
    groups = [str(row) for row in range(80)]
    split = make_split(labels, groups, protocol="report", seed=0)
    folds = _folds(features, labels, split)
    final = _final(features, labels, split)
    assert folds.decisions.shape == (80, 2)
    assert final.confusion.shape == (2, 2)
    assert folds.mean > 0.9


def test_accuracy_of_two_classes_needs_one_column_only() -> None:
    values = np.array([[0.3], [-0.2], [0.1], [-4.0]])
    targets = np.array([[True], [True], [False], [False]])
    assert accuracy_of_values(values, targets) == 0.5
    assert accuracy_of_values(np.hstack([-values, values]), np.hstack([~targets, targets])) == 0.5
