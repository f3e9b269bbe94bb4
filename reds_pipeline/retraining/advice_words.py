"""Why a training is due or not, in sentences with the numbers.

What belongs here: words. What does not: the rule (``advice.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reds_pipeline.retraining.evidence import Evidence, Limits
from reds_pipeline.retraining.paces import (
    NEW_SHARE,
    TOLERATED_LOSS,
    TOLERATED_SHIFT,
    Paces,
    has_passed,
    shift_in_deviations,
)


def reasons(
    evidence: Evidence, limits: Limits, found: Paces, interval: float, *, due: bool
) -> tuple[str, ...]:
    """Return sentences, the most telling first.

    Args:
        evidence: What was measured.
        limits: What the operator allows.
        found: How soon each change is as large as we let it grow.
        interval: The suggested one.
        due: Whether a training is due.
    """
    changes = sorted(
        (
            (found.accuracy, _accuracy(evidence, found)),
            (found.shift, _shift(evidence, found)),
            (found.tags, _tags(evidence, found)),
            (found.supply, _supply(evidence, found)),
        ),
        key=lambda change: change[0],
    )
    told = [sentence for _, sentence in changes]
    return (
        _verdict(evidence, limits, interval, due=due),
        *_must_change(evidence),
        _interval(found, limits, interval),
        *told,
        *_class_shares(evidence),
    )


def days_in_words(days: float) -> str:
    """Return a number of days as people say it."""
    shown = f"{days:.1f}".removesuffix(".0") if days < 10 else f"{days:.0f}"
    return f"{shown} day{'' if shown == '1' else 's'}"


def _verdict(evidence: Evidence, limits: Limits, interval: float, *, due: bool) -> str:
    if not evidence.pictures:
        return "No training is due: there are no pictures to learn from."
    if evidence.days_since_training is None:
        return "A training is due: nothing has been trained yet."
    return _verdict_after(evidence.days_since_training, evidence, limits, interval, due=due)


def _verdict_after(
    days: float, evidence: Evidence, limits: Limits, interval: float, *, due: bool
) -> str:
    ago = f"the last training was {days_in_words(days)} ago"
    if not evidence.has_changed:
        return f"No training is due: nothing to learn from has changed, and {ago}."
    if not has_passed(days, limits.min_days):
        return (
            f"No training is due: {ago}, and at least {days_in_words(limits.min_days)} must lie "
            "between two (REDS_RETRAIN_MIN_DAYS)."
        )
    if not due:
        return f"No training is due: {ago}, of the {days_in_words(interval)} suggested."
    if has_passed(days, interval):
        return f"A training is due: {ago}, and {days_in_words(interval)} are suggested."
    return f"A training is due, though {ago} and {days_in_words(interval)} are suggested."


def _must_change(evidence: Evidence) -> Iterator[str]:
    if not evidence.has_champion:
        yield "No model serves yet."
        return
    if evidence.withdrawn_pictures:
        yield (
            f"The model that serves has seen {_counted(evidence.withdrawn_pictures, 'picture')} "
            "withdrawn since, and only a training takes them out of it."
        )
    if evidence.classes_entered:
        yield f"It does not know {_listed(evidence.classes_entered)}, to be learnt now."
    if evidence.classes_left:
        yield f"It still knows {_listed(evidence.classes_left)}, not to be learnt any more."


def _interval(found: Paces, limits: Limits, interval: float) -> str:
    suggested = f"Suggested interval: {days_in_words(interval)}"
    if math.isinf(found.soonest):
        return (
            f"{suggested}, the longest allowed (REDS_RETRAIN_MAX_DAYS), because nothing that is "
            "known asks for less."
        )
    of_what = {
        found.supply: "the supply of new pictures",
        found.tags: "the change of the top tags",
        found.shift: "the change of what pictures look like",
        found.accuracy: "the loss of accuracy on new pictures",
    }[found.soonest]
    if limits.min_days <= found.soonest <= limits.max_days:
        return f"{suggested}, because of {of_what}."
    allowed = "shortest" if found.soonest < limits.min_days else "longest"
    return (
        f"{suggested}, the {allowed} allowed; {of_what} alone would ask for "
        f"{days_in_words(found.soonest)}."
    )


def _accuracy(evidence: Evidence, found: Paces) -> str:
    if evidence.accuracy_new is None:
        return (
            "Not known yet: how the standing model does on new pictures "
            f"({_counted(evidence.tested_new, 'picture')} that it can be tested on fairly)."
        )
    told = (
        f"The standing model is right on {_percent(evidence.accuracy_new)} of "
        f"{_counted(evidence.tested_new, 'new picture')} "
        f"({_interval_of(evidence.accuracy_new_low, evidence.accuracy_new_high)})"
    )
    if evidence.accuracy_before is None or evidence.accuracy_loss is None:
        return f"{told}; too few pictures of its own test are of their classes to compare with."
    told += f", and on {_percent(evidence.accuracy_before)} of its own test"
    loss = _points(evidence.accuracy_loss)
    span = f"{_points(evidence.accuracy_loss_low)} to {_points(evidence.accuracy_loss_high)}"
    if math.isinf(found.accuracy):
        return f"{told}: a loss cannot be seen ({loss} points, 95 % interval {span})."
    return (
        f"{told}: it lost {loss} points ({span}) in {_age(evidence.champion_days)}, at which pace "
        f"{_points(TOLERATED_LOSS)} points take {days_in_words(found.accuracy)}."
    )


def _shift(evidence: Evidence, found: Paces) -> str:
    if evidence.auc is None or evidence.auc_chance is None:
        return "Not known yet: whether new pictures look different from those learnt."
    told = (
        f"New pictures can be told from those learnt with an AUC of {evidence.auc:.2f} "
        f"(95 % interval {_decimal(evidence.auc_low)} to {_decimal(evidence.auc_high)}; random "
        f"splits of those learnt stay below {evidence.auc_chance:.2f} in 95 of 100 cases)"
    )
    if math.isinf(found.shift):
        return f"{told}: no change beyond chance."
    deviations = shift_in_deviations(evidence.auc, evidence.auc_baseline or 0.5)
    return (
        f"{told}: a shift of {deviations:.2f} standard deviations in "
        f"{_age(evidence.champion_days)}, at which pace {TOLERATED_SHIFT:g} take "
        f"{days_in_words(found.shift)}."
    )


def _tags(evidence: Evidence, found: Paces) -> str:
    seen, retention = evidence.tag_days_seen, evidence.tag_retention
    if evidence.tag_half_life_days is not None:
        return (
            f"Half of the top tags are others after {days_in_words(evidence.tag_half_life_days)}, "
            f"a quarter after {days_in_words(found.tags)}."
        )
    if seen is None or retention is None:
        return "Not known yet: how fast the top tags change (one kept sample is not enough)."
    return (
        f"The top tags last longer than the {days_in_words(seen)} seen: "
        f"{_percent(retention)} of them, beyond chance, were still there."
    )


def _supply(evidence: Evidence, found: Paces) -> str:
    if not evidence.learnt_pictures:
        return f"There are {_counted(evidence.pictures, 'picture')} to learn from."
    share = evidence.new_pictures / evidence.learnt_pictures
    told = (
        f"{_counted(evidence.new_pictures, 'picture')} are new since the last training, "
        f"{_percent(share)} of its {evidence.learnt_pictures}"
    )
    if math.isinf(found.supply):
        return f"{told}."
    return f"{told}; at this pace {_percent(NEW_SHARE)} take {days_in_words(found.supply)}."


def _class_shares(evidence: Evidence) -> Iterator[str]:
    if evidence.class_share_change is not None:
        yield (
            f"{_percent(evidence.class_share_change)} of the new pictures would have to be of "
            "another class for the classes to be as frequent as among those learnt."
        )


def _counted(number: float, thing: str) -> str:
    return f"{number:.0f} {thing}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.1f}"


def _decimal(number: float | None) -> str:
    return "?" if number is None else f"{number:.2f}"


def _interval_of(low: float | None, high: float | None) -> str:
    return f"95 % interval {_points(low)} to {_points(high)}"


def _age(days: float | None) -> str:
    return "?" if days is None else days_in_words(days)
