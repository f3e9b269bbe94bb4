from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from reds_pipeline.modeling.calibration import fit_temperature, probabilities
from reds_pipeline.modeling.experiment import Experiment, run_experiment
from reds_pipeline.modeling.familiarity import Familiarity
from reds_pipeline.modeling.heads import HeadParameters, decision_values
from reds_pipeline.modeling.splits import make_split
from reds_pipeline_tests.modeling.clouds import clouds

FEATURES, LABELS = clouds(4, each=60, spread=1.6)
GROUPS = [str(row // 2) for row in range(len(LABELS))]
SPLIT = make_split(LABELS, GROUPS, protocol="grouped", seed=1)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return run_experiment(FEATURES, LABELS, GROUPS, SPLIT, HeadParameters())


def test_chances_and_answers_hang_together(experiment: Experiment) -> None:
    chances = experiment.chances[SPLIT.training]
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.isnan(experiment.chances[SPLIT.test]).all()
    decided = experiment.folds.decisions[SPLIT.training]
    assert np.array_equal(chances.argmax(axis=1), decided.argmax(axis=1))
    assert experiment.cv_answers.total == SPLIT.training.sum()
    assert experiment.test_answers.total == SPLIT.test.sum()
    assert experiment.cv_answers.threshold == experiment.threshold
    assert experiment.cv_calibration.answers == SPLIT.training.sum()
    assert sum(one.answers for one in experiment.test_reliability) == SPLIT.test.sum()
    assert experiment.cv_answers.accuracy is not None
    assert experiment.cv_answers.accuracy >= 0.95


def test_chances_mean_what_they_say_though_every_fold_chose_its_own_c(
    experiment: Experiment,
) -> None:
    """Values at different C have different scales; one temperature for all would be far off."""
    assert len(set(experiment.folds.fold_C)) > 1
    assert experiment.cv_calibration.low < 0.06


def test_the_final_temperature_is_for_the_final_c(experiment: Experiment) -> None:
    names = [label for label, kept in zip(LABELS, SPLIT.training, strict=True) if kept]
    decisions = experiment.folds.inner_decisions[-1][SPLIT.training]
    assert experiment.temperature == fit_temperature(decisions, names, experiment.folds.classes)
    values = decision_values(experiment.final.head.pipeline, FEATURES[SPLIT.test])
    expected = probabilities(values, experiment.temperature)
    assert np.allclose(experiment.test_chances, expected)


@pytest.mark.req("R-EXP-3")
def test_spoiled_test_images_change_nothing_but_the_test(experiment: Experiment) -> None:
    spoiled = FEATURES.copy()
    spoiled[SPLIT.test] = 1e6
    again = run_experiment(spoiled, LABELS, GROUPS, SPLIT, HeadParameters())
    for field in fields(Experiment):
        if not field.name.startswith("test_") and field.name not in ("folds", "final"):
            one, other = getattr(experiment, field.name), getattr(again, field.name)
            if isinstance(one, np.ndarray):
                assert np.array_equal(one, other, equal_nan=True)
            elif isinstance(one, Familiarity):
                assert all(np.array_equal(*pair) for pair in _parts(one, other))
            else:
                assert one == other
    assert again.folds.fold_accuracy == experiment.folds.fold_accuracy
    weights = [each.final.head.pipeline[-1].coef_ for each in (experiment, again)]
    assert np.array_equal(*weights)


def test_two_runs_are_the_same_to_the_bit(experiment: Experiment) -> None:
    again = run_experiment(FEATURES, LABELS, GROUPS, SPLIT, HeadParameters())
    assert np.array_equal(again.chances, experiment.chances, equal_nan=True)
    assert np.array_equal(again.test_chances, experiment.test_chances)
    assert again.temperature == experiment.temperature
    assert again.cv_calibration == experiment.cv_calibration


@pytest.mark.parametrize("classes", [2, 3])
def test_a_given_c_is_used_everywhere(classes: int) -> None:
    features, labels = clouds(classes, each=40)
    groups = [str(row) for row in range(len(labels))]
    split = make_split(labels, groups, protocol="report", seed=0)
    experiment = run_experiment(features, labels, groups, split, HeadParameters(C=0.01))
    assert experiment.folds.fold_C == (0.01,) * 5
    assert experiment.final.C == experiment.final.head.C == 0.01
    assert experiment.chances.shape == (len(labels), classes)
    assert experiment.folds.mean > 0.9


def test_the_number_of_threads_changes_no_bit_of_what_the_test_says() -> None:
    """Nor what is logged of it: a run is told from another by its numbers."""
    # The odd length and so many images are where the library shares its sums out otherwise.
    features, labels = clouds(5, each=120, dimension=2041, spread=3)
    groups = [str(number) for number in range(len(labels))]
    split = make_split(labels, groups, protocol="grouped", seed=0, test_fraction=0.3)
    said = []
    for threads in (1, 2):
        with ThreadpoolController().limit(limits=threads, user_api="blas"):
            found = run_experiment(features, labels, groups, split, HeadParameters(C=1e-3))
        said.append(found.test_chances.tobytes())
    assert said[0] == said[1]


def _parts(one: Familiarity, other: Familiarity) -> list[tuple[Any, Any]]:
    return [(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)]
