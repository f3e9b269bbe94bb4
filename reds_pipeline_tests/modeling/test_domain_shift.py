"""How near the photographs are to what a backbone knows, and whether they drift (R-IMP-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.modeling import domain_shift
from reds_pipeline.modeling.domain_shift import (
    FEWEST_IN_A_PERIOD,
    MOST_ASKED,
    monthly_drift,
    nearest_neighbours,
    old_against_new,
    zero_shot,
)
from reds_pipeline.modeling.domain_shift_figure import answers_figure, drift_figure
from reds_pipeline_tests.figure_checks import assert_readable
from reds_pipeline_tests.modeling.clouds import clouds

pytestmark = pytest.mark.req("R-IMP-8")

DIMENSION = 16


@dataclass(frozen=True, eq=False)
class PostedPictures:
    features: NDArray[np.float32]
    labels: list[str]
    groups: list[str]
    created_at: list[str]

    @property
    def all(self) -> tuple[NDArray[np.float32], list[str], list[str], list[str]]:
        return self.features, self.labels, self.groups, self.created_at


def posted(
    shift: float = 0.0, *, authors: int = 90, each: int = 4, days: int = 180, habit: float = 0.5
) -> PostedPictures:
    """Pictures of two classes by authors with a style of their own, who post at one time each.

    Over the days the first feature of everything grows by ``shift``, and the share of the second
    class from a fifth to four fifths, which is no drift.
    """
    generator = np.random.default_rng(5)
    author = np.repeat(np.arange(authors), each)
    day = generator.permutation(np.linspace(0, days - 1, authors).astype(int))[author]
    is_second = generator.random(len(author)) < 0.2 + 0.6 * day / days
    features = generator.normal(size=(len(author), DIMENSION))
    features += habit * generator.normal(size=(authors, DIMENSION))[author]
    features[:, 1] += np.where(is_second, 4.0, -4.0)
    features[:, 0] += shift * day / days
    first = date(2026, 1, 1)
    return PostedPictures(
        features.astype(np.float32),
        ["second" if second else "first" for second in is_second],
        [f"author {number}" for number in author],
        [f"{first + timedelta(days=int(number))}T00:00:00Z" for number in day],
    )


def test_neighbours_separate_what_is_separate_and_nothing_else() -> None:
    features, labels = clouds(3, 60, spread=0.4)
    fold = np.arange(len(labels)) % 5
    apart = nearest_neighbours(features, labels, fold, seed=0)
    noise = np.random.default_rng(0).normal(size=(10, *features.shape))
    chance = [nearest_neighbours(each, labels, fold, seed=0).accuracy for each in noise]
    assert apart.accuracy > 0.8
    assert np.mean(chance) == pytest.approx(1 / 3, abs=0.06)
    assert apart.low <= apart.accuracy <= apart.high


def test_neighbours_of_the_same_fold_have_no_say() -> None:
    """Another copy of the picture is in the same fold, and would answer for it."""
    generator = np.random.default_rng(2)
    once = generator.normal(size=(100, DIMENSION))
    labels = [str(number) for number in generator.integers(0, 2, 100)] * 2
    fold = np.tile(np.arange(100) % 5, 2)
    copies = nearest_neighbours(np.concatenate([once, once]), labels, fold, seed=0)
    assert copies.low < 0.5 < copies.high


def test_of_many_pictures_a_sample_is_asked() -> None:
    features, labels = clouds(2, MOST_ASKED, dimension=4)
    asked = nearest_neighbours(features, labels, np.arange(len(labels)) % 5, seed=0)
    assert asked.pictures == MOST_ASKED


def test_the_own_head_answers_by_the_sum_over_kinds() -> None:
    """Three kinds of dog at .2 each outweigh one cat at .3."""
    logits = np.log([[0.3, 0.2, 0.2, 0.2, 0.1], [0.6, 0.1, 0.1, 0.1, 0.1]])
    head = (np.eye(5, dtype=np.float32), np.zeros(5, np.float32))
    kinds = {"cat": [0], "dog": [1, 2, 3], "fedi": []}
    found = zero_shot(logits, ["dog", "dog"], head, kinds)
    assert found is not None
    assert (found.share.right, found.share.pictures) == (1, 2)
    assert found.mass == pytest.approx((0.6 + 0.3) / 2)
    assert found.left_out == ("fedi",)


def test_pictures_of_classes_imagenet_lacks_are_not_counted() -> None:
    head = (np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    features = np.array([[5.0, 0.0], [0.0, 5.0], [5.0, 0.0]])
    found = zero_shot(features, ["cat", "dog", "fedi"], head, {"cat": [0], "dog": [1], "fedi": []})
    assert found is not None
    assert (found.share.right, found.share.pictures) == (2, 2)
    assert zero_shot(features, ["cat"] * 3, head, {"cat": [0], "fedi": []}) is None


def test_months_that_differ_by_their_classes_alone_do_not_drift() -> None:
    still = posted(0.0)
    periods = monthly_drift(*still.all, seed=0)
    assert len(periods) == 6
    assert sum(period.distance > period.chance for period in periods) <= 1
    times = old_against_new(*still.all, seed=0)
    assert times is not None
    assert times.low < 0.5 < times.high


def test_a_drift_is_seen_at_both_ends_and_by_the_classifier() -> None:
    moved = posted(4.0)
    periods = monthly_drift(*moved.all, seed=0)
    assert periods[0].distance > periods[0].chance
    assert periods[-1].distance > periods[-1].chance
    assert min(periods, key=lambda period: period.distance) in periods[2:4]
    times = old_against_new(*moved.all, seed=0)
    assert times is not None
    assert times.low > 0.7
    assert times.p_value < 0.001


def test_people_are_not_taken_for_times() -> None:
    """Each posts at one time in a style of their own: known again, they would tell the time."""
    times = old_against_new(*posted(0.0, authors=40, each=12, habit=3.0).all, seed=0)
    assert times is not None
    assert times.low < 0.5 < times.high


def test_the_auc_of_all_pictures_is_that_of_scikit_learn() -> None:
    """Counted over pairs of authors, because the bootstrap draws authors."""
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(4)
    unit = np.repeat(np.arange(30), 3)
    new_unit = generator.random(30) < 0.4
    is_new = new_unit[unit]
    answers = np.round(generator.normal(size=90) + is_new, 1)
    wins = domain_shift._wins(answers, is_new, unit, new_unit)
    drawn = generator.integers(0, 3, (2, 30))
    areas = domain_shift._areas(wins, np.bincount(unit), new_unit, drawn)
    for times, area in zip(drawn, areas, strict=True):
        expected = roc_auc_score(is_new, answers, sample_weight=times[unit])
        assert area == pytest.approx(expected)


def test_too_few_authors_are_not_compared() -> None:
    assert old_against_new(*posted(4.0, authors=24, each=20).all, seed=0) is None


def test_small_months_are_joined_and_one_month_is_no_drift() -> None:
    few = posted(0.0, authors=15, each=5)
    periods = monthly_drift(*few.all, seed=0)
    assert all(period.pictures >= FEWEST_IN_A_PERIOD for period in periods)
    assert sum(period.pictures for period in periods) == 75
    assert periods[0].first == "2026-01" < periods[0].last
    assert periods[0].name == f"2026-01 to {periods[0].last}"
    assert monthly_drift(*posted(0.0, days=20).all, seed=0) == ()


def test_the_same_seed_gives_the_same_numbers() -> None:
    pictures = posted(1.0)
    assert monthly_drift(*pictures.all, seed=3) == monthly_drift(*pictures.all, seed=3)
    assert old_against_new(*pictures.all, seed=3) == old_against_new(*pictures.all, seed=3)


def test_figures_are_drawn_with_and_without_a_drift() -> None:
    features, labels = clouds(2, 30)
    share = nearest_neighbours(features, labels, np.arange(60) % 5, seed=0)
    answers = {"vgg16": {"linear SVM": share, "neighbours": share}, "tiny": {"linear SVM": share}}
    assert_readable(answers_figure(answers, "What each backbone answers rightly"))
    periods = monthly_drift(*posted(2.0).all, seed=0)
    assert_readable(drift_figure({"vgg16": periods, "tiny": ()}, "Months"))
    assert_readable(drift_figure({"tiny": ()}, "Months"))
