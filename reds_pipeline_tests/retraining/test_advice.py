from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.retraining.advice import Advice, Evidence, Limits, advise, must_change
from reds_pipeline.retraining.paces import (
    KEPT_TAGS,
    NEW_SHARE,
    TOLERATED_LOSS,
    TOLERATED_SHIFT,
    has_passed,
    paces,
    shift_in_deviations,
)

LIMITS = Limits(3, 28)
QUIET = Evidence(
    "2026-11-22T00:00:00Z",
    has_champion=True,
    pictures=800,
    days_since_training=10,
    champion_days=10,
    learnt_pictures=800,
)


def with_loss(loss: float) -> Evidence:
    return replace(
        QUIET,
        tested_new=100,
        accuracy_before=0.95,
        accuracy_new=0.95 - loss,
        accuracy_new_low=0.9 - loss,
        accuracy_new_high=1 - loss,
        accuracy_loss=loss,
        accuracy_loss_low=loss - 0.01,
        accuracy_loss_high=loss + 0.01,
    )


def with_shift(auc: float) -> Evidence:
    return replace(
        QUIET, auc=auc, auc_low=auc - 0.03, auc_high=auc + 0.03, auc_baseline=0.5, auc_chance=0.55
    )


days = st.floats(0, 400)
shares = st.floats(0, 1)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    maybe = st.none() | shares
    auc = draw(st.none() | st.floats(0.4, 1))
    loss = draw(st.none() | st.floats(-0.3, 0.5))
    return Evidence(
        "2026-11-22T00:00:00Z",
        has_champion=draw(st.booleans()),
        has_changed=draw(st.booleans()),
        pictures=draw(st.integers(0, 2000)),
        days_since_training=draw(st.none() | days),
        champion_days=draw(st.none() | days),
        learnt_pictures=draw(st.integers(0, 2000)),
        new_pictures=draw(st.integers(0, 2000)),
        withdrawn_pictures=draw(st.integers(0, 3)),
        classes_entered=tuple(draw(st.lists(st.sampled_from(["fox", "owl"]), max_size=1))),
        tag_half_life_days=draw(st.none() | st.floats(0.1, 400)),
        tag_days_seen=draw(st.none() | days),
        tag_retention=draw(maybe),
        tested_new=draw(st.integers(0, 100)),
        accuracy_before=draw(maybe),
        accuracy_new=draw(maybe),
        accuracy_new_low=draw(maybe),
        accuracy_new_high=draw(maybe),
        accuracy_loss=loss,
        accuracy_loss_low=None if loss is None else loss - draw(st.floats(0, 0.2)),
        accuracy_loss_high=None if loss is None else loss + draw(st.floats(0, 0.2)),
        auc=auc,
        auc_low=None if auc is None else auc - draw(st.floats(0, 0.1)),
        auc_high=None if auc is None else min(1.0, auc + 0.05),
        auc_baseline=draw(st.none() | st.floats(0.45, 0.55)),
        auc_chance=draw(st.none() | st.floats(0.5, 0.6)),
        class_share_change=draw(maybe),
    )


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    least, most = sorted((draw(days), draw(days)))
    return Limits(least, most)


@pytest.mark.req("R-IMP-5")
@given(evidences(), limits())
def test_the_interval_is_always_within_the_limits_and_has_its_reasons(
    evidence: Evidence, allowed: Limits
) -> None:
    advice = advise(evidence, allowed)
    assert allowed.min_days <= advice.interval_days <= allowed.max_days
    assert advice.reasons[0].startswith("A training is due" if advice.due else "No training is due")
    assert all(reason.endswith(".") and "None" not in reason for reason in advice.reasons)
    assert not any(word in " ".join(advice.reasons) for word in ("nan", "inf "))


def drifts_more(evidence: Evidence, amount: float) -> list[Evidence]:
    """Return the same evidence with more of each kind of drift."""
    more = [replace(evidence, new_pictures=evidence.new_pictures + int(100 * amount))]
    if evidence.tag_half_life_days:
        more.append(
            replace(evidence, tag_half_life_days=evidence.tag_half_life_days / (1 + amount))
        )
    if evidence.accuracy_loss is not None and evidence.accuracy_loss_low is not None:
        more.append(
            replace(
                evidence,
                accuracy_loss=evidence.accuracy_loss + amount,
                accuracy_loss_low=evidence.accuracy_loss_low + amount,
            )
        )
    if evidence.auc is not None and evidence.auc_low is not None:
        more.append(
            replace(
                evidence,
                auc=min(1.0, evidence.auc + amount),
                auc_low=min(1.0, evidence.auc_low + amount),
            )
        )
    return more


@given(evidences(), limits(), st.floats(0, 1))
def test_more_drift_never_lengthens_the_interval_nor_takes_back_that_a_training_is_due(
    evidence: Evidence, allowed: Limits, amount: float
) -> None:
    before = advise(evidence, allowed)
    for changed in drifts_more(evidence, amount):
        after = advise(changed, allowed)
        assert after.interval_days <= before.interval_days
        assert after.due or not before.due


@given(evidences(), limits())
def test_a_training_is_due_exactly_when_the_rule_says_so(
    evidence: Evidence, allowed: Limits
) -> None:
    advice = advise(evidence, allowed)
    since = evidence.days_since_training
    if not evidence.pictures:
        expected = False
    elif since is None:
        expected = True
    else:
        may = evidence.has_changed and has_passed(since, allowed.min_days)
        expected = may and (must_change(evidence) or has_passed(since, advice.interval_days))
    assert advice.due == expected


def due(evidence: Evidence, allowed: Limits = LIMITS) -> bool:
    return advise(evidence, allowed).due


@pytest.mark.parametrize(
    ("evidence", "is_due", "says"),
    [
        (Evidence("now"), False, "no pictures"),
        (Evidence("now", pictures=500), True, "nothing has been trained yet"),
        (QUIET, False, "of the 28 days suggested"),
        (replace(QUIET, days_since_training=28), True, "28 days are suggested"),
        (replace(QUIET, days_since_training=60, has_changed=False), False, "nothing to learn from"),
        (replace(QUIET, withdrawn_pictures=1), True, "withdrawn since"),
        (replace(QUIET, withdrawn_pictures=1, days_since_training=2), False, "MIN_DAYS"),
        (replace(QUIET, classes_entered=("fox",)), True, "does not know fox"),
        (replace(QUIET, classes_left=("owl",)), True, "still knows owl"),
        (replace(QUIET, has_champion=False), True, "No model serves"),
        (replace(QUIET, new_pictures=160), True, "20.0 % take 10 days"),
        (replace(QUIET, new_pictures=80), False, "20.0 % take 20 days"),
        (with_loss(0.04), True, "lost 4.0 points"),
        (with_loss(0.005), False, "a loss cannot be seen"),
        (with_shift(0.70), True, "a shift of 0.74 standard deviations"),
        (with_shift(0.53), False, "no change beyond chance"),
        (replace(QUIET, tag_half_life_days=14.0), True, "a quarter after 5.8 days"),
        (replace(QUIET, tag_days_seen=70.0, tag_retention=0.8), False, "longer than the 70 days"),
    ],
)
def test_each_kind_of_evidence_decides_and_says_so(
    evidence: Evidence, is_due: bool, says: str
) -> None:
    advice = advise(evidence, LIMITS)
    assert advice.due is is_due
    assert says in " ".join(advice.reasons)


def test_the_change_that_asks_for_the_shortest_interval_comes_first() -> None:
    both = replace(with_loss(0.04), tag_half_life_days=60.0)
    told = advise(both, LIMITS).reasons
    assert "the loss of accuracy" in told[1]
    assert told[2].startswith("The standing model is right on 91.0 %")
    assert told[3].startswith("Half of the top tags")


def test_thresholds_are_what_their_names_say() -> None:
    assert paces(replace(QUIET, new_pictures=round(800 * NEW_SHARE))).supply == pytest.approx(10)
    assert paces(with_loss(TOLERATED_LOSS)).accuracy == pytest.approx(10)
    half_life = paces(replace(QUIET, tag_half_life_days=1.0)).tags
    assert 0.5**half_life == pytest.approx(KEPT_TAGS)
    assert paces(QUIET).soonest == math.inf
    assert shift_in_deviations(0.638, 0.5) == pytest.approx(TOLERATED_SHIFT, abs=0.005)


@pytest.mark.parametrize(
    ("auc", "deviations"), [(0.556, 0.2), (0.638, 0.5), (0.714, 0.8), (0.5, 0.0), (0.3, 0.0)]
)
def test_an_area_under_the_curve_is_an_effect_size(auc: float, deviations: float) -> None:
    """The pairs of Rice & Harris (2005), table 1."""
    assert shift_in_deviations(auc, 0.5) == pytest.approx(deviations, abs=0.005)


def test_a_weekly_schedule_does_not_miss_a_week_by_minutes() -> None:
    evidence = replace(QUIET, days_since_training=6.99, champion_days=6.99, new_pictures=160)
    assert paces(evidence).supply < 7
    assert due(replace(evidence, days_since_training=6.6), Limits(3, 7))
    assert due(evidence, Limits(7, 28)), "nor where a week is the shortest interval allowed"
    assert not due(replace(evidence, days_since_training=0.1), Limits(0.25, 28))


@pytest.mark.parametrize(
    ("days", "interval", "expected"),
    [(6.4, 7, False), (6.5, 7, True), (0.1, 0.25, False), (0.125, 0.25, True), (0, 0, True)],
)
def test_an_interval_has_passed_half_a_day_early_at_most(
    days: float, interval: float, expected: bool
) -> None:
    assert has_passed(days, interval) is expected


def test_limits_that_hold_no_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="no interval"):
        Limits(5, 4)


def test_advice_holds_the_evidence_as_numbers() -> None:
    advice: Advice = advise(with_loss(0.04), LIMITS)
    assert advice.evidence["accuracy_loss"] == 0.04
    assert advice.evidence["has_champion"] == 1.0
    assert advice.evidence["auc"] is None
