"""Whether what a backbone sees changes with the time of posting (R-IMP-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.modeling.domain_shift import nearest_neighbours
from reds_pipeline.modeling.domain_shift_figure import answers_figure, drift_figure
from reds_pipeline.modeling.feature_drift import (
    FEWEST_IN_A_PERIOD,
    areas_under_curve,
    monthly_drift,
    old_against_new,
    wins_of_units,
)
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
    wins = wins_of_units(answers, is_new, unit, new_unit)
    drawn = generator.integers(0, 3, (2, 30))
    areas = areas_under_curve(wins, np.bincount(unit), new_unit, drawn)
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
