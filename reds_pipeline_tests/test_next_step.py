"""What follows from a refresh, for every state that its runs can be in (R-IMP-4, R-IMP-5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.jobs import MEASURE_DRIFT, RETRAIN
from reds_pipeline.next_step import Rules, next_step
from reds_pipeline.notices import APPROVAL, FAILURE
from reds_pipeline.retraining.advice import Advice, Evidence
from reds_pipeline.spine import Progress, Spine

pytestmark = pytest.mark.req("R-IMP-4")

NOW = 1_800_000_000.0

progress = st.sampled_from(list(Progress))
spines = st.builds(
    Spine,
    refresh=st.just("the refresh"),
    collections=st.dictionaries(st.sampled_from(["cat", "dog", "bird"]), progress),
    measurement=progress,
    measured_at=st.just((NOW - 100.0, NOW - 50.0)),
    training=progress,
    changed_at=st.just(NOW),
    is_overtaken=st.booleans(),
)
rules = st.builds(
    Rules, mode=st.sampled_from(["every_refresh", "auto", "ask"]), longest_days=st.just(28.0)
)
advices = st.none() | st.builds(
    Advice,
    at=st.sampled_from(["2027-01-15T07:58:30Z", "2026-01-01T00:00:00Z"]),
    interval_days=st.just(7.0),
    due=st.booleans(),
    reasons=st.just(("Tags move fast.",)),
    evidence=st.just(Evidence("").numbers()),
)
trainings = st.none() | st.sampled_from([NOW - 40 * 86400.0, NOW - 1000.0, NOW - 10.0])


@given(spines, rules, advices, trainings)
def test_nothing_starts_early_or_twice_and_every_state_says_why(
    spine: Spine, rule: Rules, advice: Advice | None, trained_at: float | None
) -> None:
    step = next_step(spine, rule, advice, trained_at, NOW)
    assert step.why
    assert not (step.job and step.is_over)
    if step.job:
        assert spine.training is Progress.MISSING
        assert not spine.is_overtaken
        assert all(each.has_ended for each in spine.collections.values())
        assert Progress.SUCCEEDED in spine.collections.values()
    if step.job == MEASURE_DRIFT:
        assert spine.measurement is Progress.MISSING
    if rule.mode == "ask":
        assert step.job != RETRAIN
    else:
        assert APPROVAL not in {notice.kind for notice in step.notices}
    if rule.mode == "every_refresh":
        assert step.job != MEASURE_DRIFT


@given(spines, rules, advices, trainings)
def test_a_state_in_which_nothing_can_change_any_more_is_over(
    spine: Spine, rule: Rules, advice: Advice | None, trained_at: float | None
) -> None:
    """Otherwise the next refresh would wait for it until its hour is up."""
    parts = [*spine.collections.values(), spine.measurement, spine.training]
    step = next_step(spine, rule, advice, trained_at, NOW)
    if not spine.is_overtaken and all(part.has_ended for part in parts):
        assert step.is_over


@given(spines, advices, trainings)
def test_a_class_that_could_not_be_collected_keeps_no_other_from_being_learnt(
    spine: Spine, advice: Advice | None, trained_at: float | None
) -> None:
    step = next_step(spine, Rules("every_refresh", 28.0), advice, trained_at, NOW)
    ended = all(each.has_ended for each in spine.collections.values())
    if ended and not spine.is_overtaken and spine.training is Progress.MISSING:
        some = Progress.SUCCEEDED in spine.collections.values()
        assert (step.job == RETRAIN) == some
        if spine.collections and not some:
            assert [notice.kind for notice in step.notices] == [FAILURE]
