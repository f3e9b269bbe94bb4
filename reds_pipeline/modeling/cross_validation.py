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

from reds_pipeline.modeling.comparison import FoldStatistics, fold_statistics
from reds_pipeline.modeling.heads import FittedHead, HeadParameters, decision_values, fit_head
from reds_pipeline.modeling.splits import Split

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
        fit_seconds: Wall-clock time of each fold's fit.
        converged: Whether every fit converged.
    """

    classes: tuple[str, ...]
    fold_accuracy: tuple[float, ...]
    fold_confusions: NDArray[np.int64]
    decisions: NDArray[np.float64]
    fit_seconds: tuple[float, ...]
    converged: bool

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
        n_train: Number of training images.
        n_test: Number of test images.
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


def cross_validate(
    features: Features, labels: Sequence[str], split: Split, parameters: HeadParameters
) -> CrossValidation:
    """Fit one head a fold on the other folds and measure it on that fold.

    Args:
        features: (n, d), test images included; they are not looked at.
        labels: Class of each image.
        split: As ``make_split`` gave it for these images.
        parameters: Of the head.
    """
    names = np.asarray(labels, dtype=str)
    classes = tuple(str(name) for name in np.unique(names))
    decisions = np.full((len(names), len(classes)), np.nan)
    heads = []
    confusions = []
    for fold in range(split.folds):
        held_out = split.fold == fold
        fitted_on = split.training & ~held_out
        head = fit_head(features[fitted_on], names[fitted_on].tolist(), parameters)
        if head.classes != classes:
            raise ValueError(f"fold {fold} is trained without some class")
        decisions[held_out] = decision_values(head.pipeline, features[held_out])
        confusions.append(_confusion(names[held_out], decisions[held_out], classes))
        heads.append(head)
    return CrossValidation(
        classes=classes,
        fold_accuracy=tuple(_accuracy(confusion) for confusion in confusions),
        fold_confusions=np.stack(confusions),
        decisions=decisions,
        fit_seconds=tuple(head.seconds for head in heads),
        converged=all(head.converged for head in heads),
    )


def final_fit(
    features: Features, labels: Sequence[str], split: Split, parameters: HeadParameters
) -> FinalFit:
    """Fit on all training images and measure on the test images (R-EXP-4)."""
    names = np.asarray(labels, dtype=str)
    head = fit_head(features[split.training], names[split.training].tolist(), parameters)
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
        n_train=int(split.training.sum()),
        n_test=int(split.test.sum()),
    )


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson, JASA 22, 1927; R-EXP-14)."""
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


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
