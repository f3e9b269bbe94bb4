"""Pictures that only train: they must help, and must not be able to flatter (R-IMP-6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.modeling.experiment import Experiment, run_experiment
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.modeling.linear_svm import VALUE_ERROR
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.modeling.training_only import NOWHERE, TrainingOnly, folded_rows
from reds_pipeline_tests.modeling.clouds import clouds

FEATURES, LABELS = clouds(3, each=40, spread=2)
GROUPS = [f"group {row // 2}" for row in range(len(LABELS))]
SPLIT = make_split(LABELS, GROUPS, protocol="grouped", seed=1)
PARAMETERS = HeadParameters(C=1e-3)

pytestmark = pytest.mark.req("R-IMP-6")


def given_pictures(
    labels: list[str], groups: list[str], seed: int = 0, weight: float = 1.0
) -> TrainingOnly:
    generator = np.random.default_rng(seed)
    features = FEATURES[generator.integers(0, len(FEATURES), len(labels))]
    return TrainingOnly(features, labels, groups, np.full(len(labels), weight))


def experiment(only_trained: TrainingOnly | None = None) -> Experiment:
    return run_experiment(FEATURES, LABELS, GROUPS, SPLIT, PARAMETERS, only_trained=only_trained)


@given(st.lists(st.sampled_from([*GROUPS, *(f"stranger {n}" for n in range(30))]), max_size=40))
def test_no_head_learns_from_the_group_that_it_is_asked_about(groups: list[str]) -> None:
    folds = given_pictures(["class 0"] * len(groups), groups).folds(SPLIT, GROUPS)
    parts: dict[str, set[int]] = defaultdict(set)
    for group, fold in zip(GROUPS, SPLIT.fold.tolist(), strict=True):
        parts[group].add(fold)
    for group, fold in zip(groups, folds.tolist(), strict=True):
        assert parts.get(group, {fold}) == {fold}
        assert fold >= 0 or group in parts


def test_strangers_are_spread_over_all_folds_and_stay_where_they_are() -> None:
    """More contributions must not change what a head had learnt without."""
    strangers = [f"stranger {number}" for number in range(200)]
    few, many = (
        given_pictures(["class 0"] * count, strangers[:count]).folds(SPLIT, GROUPS)
        for count in (20, 200)
    )
    assert (few == many[:20]).all()
    assert np.bincount(many, minlength=SPLIT.folds).min() > 20


def test_a_group_in_several_folds_is_safe_nowhere() -> None:
    """So it is with the plain shuffle."""
    shuffled = make_split(LABELS, GROUPS, protocol="report", seed=0)
    torn = next(
        group
        for group in GROUPS
        if len({fold for own, fold in zip(GROUPS, shuffled.fold, strict=True) if own == group}) > 1
    )
    assert given_pictures(["class 0"], [torn]).folds(shuffled, GROUPS).tolist() == [NOWHERE]


def test_what_belongs_to_the_test_is_not_even_looked_at() -> None:
    """Its features are no numbers at all, which any fit would complain about."""
    tested = next(group for group, out in zip(GROUPS, SPLIT.test, strict=True) if out)
    leaking = given_pictures(["class 0"], [tested])
    leaking = replace(leaking, features=np.full_like(leaking.features, np.nan))
    found, without = experiment(leaking), experiment()
    assert found.n_only_trained == 0
    assert np.array_equal(found.test_chances, without.test_chances)


@pytest.mark.parametrize("number", range(SPLIT.folds))
def test_a_fold_is_answered_by_a_head_that_knows_none_of_its_groups(number: int) -> None:
    """A copy with a wrong label in its own group changes every answer but those of its fold."""
    row = int(np.flatnonzero(SPLIT.fold == number)[0])
    copy = TrainingOnly(FEATURES[row : row + 1], ["class 2"], [GROUPS[row]], np.full(1, 5.0))
    found, without = experiment(copy), experiment()
    for fold in range(SPLIT.folds):
        same = np.allclose(
            found.folds.decisions[SPLIT.fold == fold],
            without.folds.decisions[SPLIT.fold == fold],
            atol=2 * VALUE_ERROR,
        )
        assert same is (fold == number)


def test_it_is_neither_predicted_nor_counted() -> None:
    labels = [f"class {number % 3}" for number in range(30)]
    found = experiment(given_pictures(labels, [f"stranger {n}" for n in range(30)]))
    assert found.n_only_trained == 30
    assert found.folds.decisions.shape == (len(LABELS), 3)
    assert found.folds.fold_confusions.sum() + found.final.confusion.sum() == len(LABELS)
    assert (found.final.n_train, found.final.n_test) == (SPLIT.training.sum(), SPLIT.test.sum())


def test_without_any_nothing_changes_by_a_bit() -> None:
    nothing = TrainingOnly(FEATURES[:0], [], [], np.ones(0))
    found, without = experiment(nothing), experiment()
    assert np.array_equal(found.folds.decisions, without.folds.decisions, equal_nan=True)
    assert np.array_equal(found.final.decisions, without.final.decisions)
    assert found.temperature == without.temperature


def test_a_label_that_no_measured_picture_has_is_no_class() -> None:
    pictures = given_pictures(["class 9", "class 1"], ["a", "b"])
    rows = folded_rows(pictures, ["class 0", "class 1"], SPLIT, GROUPS)
    assert rows is not None
    assert rows.targets.tolist() == [[True]]
    assert folded_rows(given_pictures(["class 9"], ["a"]), ["class 0"], SPLIT, GROUPS) is None


def test_every_picture_has_everything() -> None:
    with pytest.raises(ValueError, match="one row of features"):
        TrainingOnly(FEATURES[:2], ["class 0"], ["a", "b"], np.ones(2))


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 1), st.integers(0, 100))
def test_a_smaller_weight_moves_the_head_less(weight: float, seed: int) -> None:
    """Wrong labels, the lighter the less harm."""
    labels = ["class 0"] * 20
    groups = [f"stranger {number}" for number in range(20)]
    plain = experiment().final.decisions
    light, heavy = (
        np.abs(
            experiment(given_pictures(labels, groups, seed, share)).final.decisions - plain
        ).mean()
        for share in (weight / 2, weight)
    )
    assert light < heavy
