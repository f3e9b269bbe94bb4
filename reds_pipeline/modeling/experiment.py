"""One experiment: choice of C, folds, final fit, chances and where to abstain.

What belongs here: the order of these, so that nothing learns from what it is measured on. What
does not: the steps themselves, or logging them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.abstention import Answers, answer_threshold, answers
from reds_pipeline.modeling.calibration import (
    fit_temperature,
    probabilities,
)
from reds_pipeline.modeling.calibration_error import (
    CalibrationError,
    ReliabilityBin,
    calibration_error,
    reliability_bins,
)
from reds_pipeline.modeling.cross_validation import (
    CrossValidation,
    FinalFit,
    fit_split,
    measure_final,
    measure_folds,
)
from reds_pipeline.modeling.familiarity import Familiarity, fit_familiarity
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.modeling.splits import Split
from reds_pipeline.modeling.training_only import TrainingOnly, folded_rows


@dataclass(frozen=True, eq=False)
class Experiment:
    """What one split of one data set says of one kind of features.

    Attributes:
        folds: What the folds say.
        final: The final head, and what the test images say of it.
        temperature: Of the final head, fitted on the out-of-fold values at its C.
        chances: float64 (n, k), of the training images out of fold, each fold's under the
            temperature that its own training folds give, so that neither head nor temperature
            has seen it; NaN for test images.
        test_chances: float64 (test images, k), by the final head and ``temperature``.
        cv_calibration: Calibration error of the out-of-fold answers.
        test_calibration: Of the test answers.
        cv_reliability: Bins of the out-of-fold answers.
        test_reliability: Of the test answers.
        threshold: Chance from which the likeliest class is an answer to rely on; drawn through
            the out-of-fold chances.
        cv_answers: What it means for the out-of-fold answers, on which it was drawn.
        test_answers: What it means for the test images, which had no part in it.
        familiarity: What photos like the training images look like.
        test_familiar: bool (test images,), which of them it finds familiar.
        n_only_trained: How many images the final head learnt from that are in no number here.
    """

    folds: CrossValidation
    final: FinalFit
    temperature: float
    chances: NDArray[np.float64]
    test_chances: NDArray[np.float64]
    cv_calibration: CalibrationError
    test_calibration: CalibrationError
    cv_reliability: list[ReliabilityBin]
    test_reliability: list[ReliabilityBin]
    threshold: float
    cv_answers: Answers
    test_answers: Answers
    familiarity: Familiarity
    test_familiar: NDArray[np.bool_]
    n_only_trained: int = 0


def run_experiment(
    features: NDArray[np.floating[Any]],
    labels: Sequence[str],
    groups: Sequence[str],
    split: Split,
    parameters: HeadParameters,
    *,
    only_trained: TrainingOnly | None = None,
) -> Experiment:
    """Choose C inside the folds, cross-validate, fit, calibrate and draw the line for answers.

    Args:
        features: float (n, d), one row an image.
        labels: Class of each image.
        groups: Group of each image, for intervals that do not take images of one author for
            independent ones.
        split: As ``make_split`` gave it for these images.
        parameters: Of the head.
        only_trained: Further images to learn from, which are in no fold and no test.

    Raises:
        ValueError: A fold leaves a class out of the others, or a feature is not finite.
    """
    names = np.asarray(labels, dtype=str)
    units = np.asarray(groups, dtype=str)
    training = split.training
    extra = (
        None
        if only_trained is None
        else folded_rows(only_trained, np.unique(names).tolist(), split, groups)
    )
    fits = fit_split(features, labels, split, parameters, extra)
    folds = measure_folds(fits, labels, split)
    final = measure_final(fits, features, labels, split)
    temperature = _inner_temperature(folds, names, split.folds)
    chances = np.full_like(folds.decisions, np.nan)
    for fold in range(split.folds):
        asked = split.fold == fold
        chances[asked] = probabilities(
            folds.decisions[asked], _inner_temperature(folds, names, fold)
        )
    test_chances = probabilities(final.decisions, temperature)
    cv_highest, cv_correct = _answers(chances[training], names[training], folds.classes)
    test_highest, test_correct = _answers(test_chances, names[split.test], folds.classes)
    threshold = answer_threshold(cv_highest, cv_correct, parameters.answer_accuracy)
    familiarity = fit_familiarity(features, labels, groups, split, only_trained)
    seed = parameters.seed
    return Experiment(
        folds=folds,
        final=final,
        temperature=temperature,
        chances=chances,
        test_chances=test_chances,
        cv_calibration=calibration_error(
            cv_highest, cv_correct, units[training].tolist(), seed=seed
        ),
        test_calibration=calibration_error(
            test_highest, test_correct, units[split.test].tolist(), seed=seed
        ),
        cv_reliability=reliability_bins(cv_highest, cv_correct),
        test_reliability=reliability_bins(test_highest, test_correct),
        threshold=threshold,
        cv_answers=answers(cv_highest, cv_correct, threshold),
        test_answers=answers(test_highest, test_correct, threshold),
        familiarity=familiarity,
        test_familiar=familiarity.is_familiar(features[split.test]),
        n_only_trained=0 if extra is None else len(extra.fold),
    )


def _inner_temperature(folds: CrossValidation, names: NDArray[np.str_], choice: int) -> float:
    """Return the temperature of one fold's head, or of the final one, which comes last."""
    decisions = folds.inner_decisions[choice]
    known = ~np.isnan(decisions).any(axis=1)
    return fit_temperature(decisions[known], names[known].tolist(), folds.classes)


def _answers(
    chances: NDArray[np.float64], names: NDArray[np.str_], classes: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return each row's highest chance, and whether it is its own class's."""
    answered = np.asarray(classes)[chances.argmax(axis=1)]
    return chances.max(axis=1), np.asarray(answered == names)
