from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.retraining.tag_drift import half_life, tag_drift
from reds_pipeline_tests.retraining.tagged_weeks import samples_of_weeks


@pytest.mark.req("R-IMP-5")
def test_where_nothing_changes_chance_is_not_taken_for_change() -> None:
    drift = tag_drift(samples_of_weeks(8, None), "lemma", seed=0)
    neighbours = [pair for pair in drift.pairs if pair.newer == pair.older + 1]
    raw = np.mean([pair.jaccard for pair in neighbours])
    assert raw < 0.7, "two samples of the same trends differ a lot"
    assert drift.last_retained is not None
    assert drift.last_retained > 0.93
    assert (drift.half_life_days, drift.half_life_high) == (None, None)
    assert drift.days_seen == 49


@pytest.mark.req("R-IMP-5")
@pytest.mark.parametrize("planned", [7, 14, 28])
def test_the_pace_of_made_up_trends_is_found(planned: float) -> None:
    """A few names at the top weigh much, so one town alone says little."""
    drifts = [
        tag_drift(samples_of_weeks(4, planned, seed=seed), "tag", seed=0) for seed in range(8)
    ]
    after_a_week = np.mean([drift.curve[0].retained for drift in drifts])
    assert after_a_week == pytest.approx(0.5 ** (7 / planned), abs=0.07)


def test_intervals_come_with_enough_samples_and_hold_what_was_planned() -> None:
    drift = tag_drift(samples_of_weeks(9, 14), "lemma", seed=0)
    assert drift.half_life_low is not None
    assert drift.half_life_high is not None
    assert drift.half_life_low <= 14 <= drift.half_life_high
    assert all(
        point.low is not None
        and point.high is not None
        and point.low - 1e-9 <= point.retained <= point.high + 1e-9
        for point in drift.curve
    )
    few = tag_drift(samples_of_weeks(3, 14), "lemma", seed=0)
    assert {point.low for point in few.curve} == {None}
    assert few.half_life_days is not None


def test_a_curve_never_rises_and_begins_below_one() -> None:
    drift = tag_drift(samples_of_weeks(8, 28), "lemma", seed=0)
    retained = [point.retained for point in drift.curve]
    assert retained == sorted(retained, reverse=True)
    assert retained[0] <= 1
    assert [point.pairs for point in drift.curve] == [7, 6, 5, 4, 3, 2, 1]


def test_one_sample_or_none_says_nothing_and_a_small_one_is_left_out() -> None:
    samples = samples_of_weeks(2, 14)
    for some in ([], samples[:1]):
        drift = tag_drift(some, "lemma", seed=0)
        assert (drift.curve, drift.half_life_days, drift.days_seen) == ((), None, None)
    (tiny,) = samples_of_weeks(1, None, posts=12, authors=4)
    assert tiny
    drift = tag_drift([tiny, *samples[1:]], "lemma", seed=0)
    assert (drift.samples, drift.left_out) == (1, 1)


@pytest.mark.parametrize(
    ("days", "retained", "expected"),
    [
        ([7, 14], [0.75, 0.25], 10.5),
        ([7, 14], [0.25, 0.2], 7 * 0.5 / 0.75),
        ([7, 14], [0.9, 0.6], None),
        ([7], [0.5], 7),
    ],
)
def test_a_half_life_lies_between_the_points(
    days: list[float], retained: list[float], expected: float | None
) -> None:
    found = half_life(np.array(days, float), np.array(retained, float))
    assert found == (None if expected is None else pytest.approx(expected))
