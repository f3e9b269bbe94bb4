"""How good a head is: over the folds, and on the test images it has never seen.

What belongs here: fitting heads along a split and measuring them (R-EXP-3 to R-EXP-6,
R-EXP-14). What does not: making the split, comparing backbones, drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.choose_c import FoldFits, fit_folds
from reds_pipeline.modeling.fold_tests import FoldStatistics, fold_statistics
from reds_pipeline.modeling.heads import (
    FittedHead,
    HeadParameters,
    decision_values,
    head_from_fits,
    one_against_rest,
    one_column_a_class,
)
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.modeling.splits import Split
from reds_pipeline.modeling.training_only import FoldedRows

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What the folds say.

    Attributes:
        classes: The k classes in the order of columns and rows below.
        fold_accuracy: Share of each fold's images whose class was right.
        fold_confusions: int64 (folds, k, k), true class by predicted class.
        decisions: float64 (n, k), each training image's decision values by the head that had
            not seen it; NaN for test images.
        inner_decisions: float64 (folds + 1, n, k), what temperatures are fitted on, see
            ``choose_c.FoldFits``.
        fit_seconds: Wall-clock time of each fold's fit.
        converged: Whether every fit converged.
        fold_C: C of each fold's fit, chosen without that fold where none was given.
        penalties: The p values of C that the choice was among.
        inner_accuracy: float64 (folds, p), mean accuracy of each C inside the training folds of
            each fold.
        choice_seconds: Wall-clock time of the choice.
    """

    classes: tuple[str, ...]
    fold_accuracy: tuple[float, ...]
    fold_confusions: NDArray[np.int64]
    decisions: NDArray[np.float64]
    inner_decisions: NDArray[np.float64]
    fit_seconds: tuple[float, ...]
    converged: bool
    fold_C: tuple[float, ...]  # noqa: N815 - C is its name in the field.
    penalties: tuple[float, ...]
    inner_accuracy: NDArray[np.float64]
    choice_seconds: float

    @property
    def statistics(self) -> FoldStatistics:
        """Mean and both variances of the folds' accuracies (R-EXP-5)."""
        return fold_statistics(self.fold_accuracy)

    @property
    def mean(self) -> float:
        """Mean of the folds' accuracies."""
        return self.statistics.mean

    @property
    def var_ddof0(self) -> float:
        """Variance of the folds' accuracies divided by their number."""
        return self.statistics.var_ddof0

    @property
    def var_ddof1(self) -> float:
        """Variance of the folds' accuracies divided by their number less one."""
        return self.statistics.var_ddof1

    @property
    def mean_confusion(self) -> NDArray[np.float64]:
        """float64 (k, k): each fold's row shares, averaged over the folds (R-EXP-6).

        A fold without images of a class has no shares for it and is left out of that row.
        """
        totals = self.fold_confusions.sum(axis=2, keepdims=True)
        shares = self.fold_confusions / np.maximum(totals, 1)
        present = (totals > 0).sum(axis=0)
        return np.asarray(shares.sum(axis=0) / np.maximum(present, 1))


@dataclass(frozen=True, eq=False)
class FinalFit:
    """The head fitted on all training images, and what the test images say of it.

    Attributes:
        head: The fitted head.
        test_accuracy: Share of the test images whose class was right.
        test_interval: Its 95 % Wilson interval (R-EXP-14).
        macro_f1: Mean over the classes, each counting the same, of their F1 on the test.
        recall: For each class the share of its test images found; None when it has none.
        confusion: int64 (k, k), true class by predicted class.
        decisions: float64 (test images, k), in the order of the images.
        n_train: Number of training images, those that only train not counted.
        n_test: Number of test images.
        C: Of the head.
        choice_accuracy: Mean accuracy over the folds with each C that was tried.
    """

    head: FittedHead
    test_accuracy: float
    test_interval: tuple[float, float]
    macro_f1: float
    recall: dict[str, float | None]
    confusion: NDArray[np.int64]
    decisions: NDArray[np.float64]
    n_train: int
    n_test: int
    C: float
    choice_accuracy: tuple[float, ...]


def fit_split(
    features: Features,
    labels: Sequence[str],
    split: Split,
    parameters: HeadParameters,
    only_trained: FoldedRows | None = None,
) -> FoldFits:
    """Fit everything that the split asks for; where no C is given, choose it inside the folds.

    Args:
        features: (n, d), test images included; they are not looked at.
        labels: Class of each image.
        split: As ``make_split`` gave it for these images.
        parameters: Of the head.
        only_trained: Further images to fit on, which are neither predicted nor scored.

    Raises:
        ValueError: A fold leaves a class out of the others.
    """
    names = np.asarray(labels, dtype=str)
    classes, targets = one_against_rest(labels)
    for fold in range(split.folds):
        fitted_on = split.training & (split.fold != fold)
        if len(np.unique(names[fitted_on])) < len(classes):
            raise ValueError(f"fold {fold} is trained without some class")
    penalties = parameters.penalties if parameters.C is None else (parameters.C,)
    return fit_folds(
        features, targets, split.fold, penalties, accuracy_of_values, only_trained=only_trained
    )


def accuracy_of_values(values: NDArray[np.float64], targets: NDArray[np.bool_]) -> float:
    """Return the share of rows whose largest decision value is their own class's.

    Args:
        values: float64 (m, k), or (m, 1) for the second of two classes.
        targets: bool of that shape.
    """
    if values.shape[1] == 1:
        return float(((values > 0) == targets).mean())
    return float(targets[np.arange(len(values)), values.argmax(axis=1)].mean())


def measure_folds(fits: FoldFits, labels: Sequence[str], split: Split) -> CrossValidation:
    """Measure each fold's head on its fold."""
    names = np.asarray(labels, dtype=str)
    classes = tuple(np.unique(names).tolist())
    decisions = one_column_a_class(fits.decisions)
    confusions = [
        _confusion(names[split.fold == fold], decisions[split.fold == fold], classes)
        for fold in range(split.folds)
    ]
    return CrossValidation(
        classes=classes,
        fold_accuracy=tuple(_accuracy(confusion) for confusion in confusions),
        fold_confusions=np.stack(confusions),
        decisions=decisions,
        inner_decisions=one_column_a_class(fits.inner_decisions),
        fit_seconds=fits.fold_seconds,
        converged=fits.converged,
        fold_C=fits.fold_C,
        penalties=fits.penalties,
        inner_accuracy=fits.inner_scores,
        choice_seconds=fits.choice_seconds,
    )


def measure_final(
    fits: FoldFits, features: Features, labels: Sequence[str], split: Split
) -> FinalFit:
    """Measure the head fitted on all training images on the test images (R-EXP-4)."""
    names = np.asarray(labels, dtype=str)
    classes = tuple(np.unique(names).tolist())
    n_train = int(split.training.sum())
    head = head_from_fits(
        fits.final, classes, penalty=fits.final_C, seconds=fits.final_seconds, images=n_train
    )
    with one_blas_thread():
        decisions = decision_values(head.pipeline, features[split.test])
    confusion = _confusion(names[split.test], decisions, head.classes)
    correct = int(np.trace(confusion))
    totals = confusion.sum(axis=1)
    found = np.diagonal(confusion)
    return FinalFit(
        head=head,
        test_accuracy=_accuracy(confusion),
        test_interval=wilson_interval(correct, int(totals.sum())),
        macro_f1=_macro_f1(confusion),
        recall={
            name: float(found[row] / totals[row]) if totals[row] else None
            for row, name in enumerate(head.classes)
        },
        confusion=confusion,
        decisions=decisions,
        n_train=n_train,
        n_test=int(split.test.sum()),
        C=fits.final_C,
        choice_accuracy=tuple(fits.final_scores.tolist()),
    )


def _confusion(
    names: NDArray[np.str_], decisions: NDArray[np.float64], classes: tuple[str, ...]
) -> NDArray[np.int64]:
    from sklearn.metrics import confusion_matrix

    predicted = np.asarray(classes)[decisions.argmax(axis=1)]
    matrix = confusion_matrix(names, predicted, labels=list(classes))
    return np.asarray(matrix, np.int64)


def _accuracy(confusion: NDArray[np.int64]) -> float:
    return float(np.trace(confusion) / confusion.sum())


def _macro_f1(confusion: NDArray[np.int64]) -> float:
    """Return the mean F1 of the classes that the test holds or that were predicted."""
    found = np.diagonal(confusion)
    true_or_predicted = confusion.sum(axis=1) + confusion.sum(axis=0)
    seen = true_or_predicted > 0
    return float((2 * found[seen] / true_or_predicted[seen]).mean())
