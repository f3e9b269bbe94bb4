"""A model that learns from its own answers, week after week, must not look better for it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.modeling.experiment import Experiment, run_experiment
from reds_pipeline.modeling.heads import HeadParameters, decision_values
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.modeling.training_only import TrainingOnly
from reds_pipeline_tests.modeling.clouds import clouds

WEEKS, GIVEN_A_WEEK = 3, 80
CLASSES = 3
ALL_FEATURES, ALL_LABELS = clouds(CLASSES, each=150, spread=3.5, seed=5)
IS_AUTHORS = np.arange(len(ALL_LABELS)) % 150 < 60
FEATURES = ALL_FEATURES[IS_AUTHORS]
LABELS = np.asarray(ALL_LABELS)[IS_AUTHORS].tolist()
GROUPS = [f"author {row}" for row in range(len(LABELS))]
PARAMETERS = HeadParameters(C=1e-3)


def photos(week: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return new photos of the same classes, and what they really show."""
    order = np.random.default_rng(0).permutation(np.flatnonzero(~IS_AUTHORS))
    rows = order[week * GIVEN_A_WEEK : (week + 1) * GIVEN_A_WEEK]
    return ALL_FEATURES[rows], np.asarray(ALL_LABELS)[rows]


def accepted(experiment: Experiment, features: NDArray[np.float32]) -> list[str]:
    """Return what somebody called the photos who accepts whatever is suggested first."""
    values = decision_values(experiment.final.head.pipeline, features)
    return [experiment.folds.classes[column] for column in values.argmax(axis=1)]


@pytest.mark.req("R-IMP-6")
def test_a_loop_of_accepted_suggestions_does_not_flatter_the_model() -> None:
    """Counted as ordinary pictures they would: a model agrees with what it said itself."""
    groups = [f"upload {number}" for number in range(WEEKS * GIVEN_A_WEEK)]
    split = make_split(LABELS, GROUPS, protocol="grouped", seed=0, test_fraction=0.3)
    honest = naive = start = run_experiment(FEATURES, LABELS, GROUPS, split, PARAMETERS)
    features, truth = np.empty((0, FEATURES.shape[1]), np.float32), np.empty(0, str)
    labels: list[str] = []
    for week in range(WEEKS):
        new, shown = photos(week)
        labels += accepted(honest, new)
        features, truth = np.concatenate([features, new]), np.concatenate([truth, shown])
        count = len(labels)
        honest = run_experiment(
            FEATURES,
            LABELS,
            GROUPS,
            split,
            PARAMETERS,
            only_trained=TrainingOnly(features, labels, groups[:count], np.full(count, 0.5)),
        )
        mixed = np.concatenate([FEATURES, features]), [*LABELS, *labels]
        units = [*GROUPS, *groups[:count]]
        naive = run_experiment(
            *mixed, units, make_split(mixed[1], units, protocol="grouped", seed=0), PARAMETERS
        )
    wrong = np.mean(np.asarray(labels) != truth)
    assert wrong > 0.2, "the suggestions that were accepted have errors"
    # Measured on its own answers a model that learnt nothing true looks far better than it is.
    assert naive.folds.mean > start.folds.mean + 0.1
    # Measured on authors' pictures, the same ones every week, there is little to gain in the folds,
    # where a suggestion may carry on what a model learnt from them, and nothing in the test.
    assert honest.folds.mean < naive.folds.mean - 0.1
    assert abs(honest.final.test_accuracy - start.final.test_accuracy) < 0.06
    assert honest.final.confusion.sum() == start.final.confusion.sum() == split.test.sum()
    assert honest.n_only_trained == len(labels)
