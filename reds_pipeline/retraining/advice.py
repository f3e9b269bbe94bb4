"""The rule that says how long a model lasts, and whether a training is due now (R-IMP-5).

What belongs here: the rule, as a pure function. What does not: measuring the evidence, how soon
each change matters (``paces.py``), keeping the advice (``kept_advice.py``), the sentences
(``advice_words.py``), starting a training.

Everything that was measured says after how many days, at the pace seen, a change would have grown
as large as we let it grow. The soonest of these is the interval, held within the operator's limits.
A training is due when something has changed since the last one, the shortest interval allowed has
passed, and either the suggested one has passed as well or the model holds what it must not hold:
pictures that were withdrawn, or other classes than those to be learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reds_pipeline.retraining.advice_words import reasons
from reds_pipeline.retraining.evidence import Evidence, Limits
from reds_pipeline.retraining.paces import has_passed, paces

__all__ = ["Advice", "Evidence", "Limits", "advise", "is_due", "must_change"]


@dataclass(frozen=True)
class Advice:
    """What the rule says.

    Attributes:
        at: When, ISO 8601 in UTC.
        interval_days: Suggested time between trainings, within the limits.
        due: Whether a training is due now.
        reasons: Sentences for people, the most telling first.
        evidence: What was measured, by the names of ``Evidence``.
        classes_entered: See ``Evidence``.
        classes_left: See ``Evidence``.
    """

    at: str
    interval_days: float
    due: bool
    reasons: tuple[str, ...]
    evidence: Mapping[str, float | None]
    classes_entered: tuple[str, ...] = ()
    classes_left: tuple[str, ...] = ()


def advise(evidence: Evidence, limits: Limits) -> Advice:
    """Suggest an interval and say whether a training is due (R-IMP-5).

    Args:
        evidence: What was measured.
        limits: What the operator allows.
    """
    found = paces(evidence)
    interval = float(min(max(found.soonest, limits.min_days), limits.max_days))
    due = is_due(evidence, interval, limits)
    return Advice(
        at=evidence.at,
        interval_days=interval,
        due=due,
        reasons=reasons(evidence, limits, found, interval, due=due),
        evidence=evidence.numbers(),
        classes_entered=evidence.classes_entered,
        classes_left=evidence.classes_left,
    )


def is_due(evidence: Evidence, interval: float, limits: Limits) -> bool:
    """Say whether a training is due, given the interval that was suggested."""
    days = evidence.days_since_training
    if not evidence.pictures or (days is not None and not evidence.has_changed):
        return False
    if days is None:
        return True
    if not has_passed(days, limits.min_days):
        return False
    return must_change(evidence) or has_passed(days, interval)


def must_change(evidence: Evidence) -> bool:
    """Say whether the standing model holds what it must not, or lacks what it should know.

    Deletions travel into the model (R-SCR-11): with a picture withdrawn, the next training that
    the operator's shortest interval allows is due. No model at all is the same case.
    """
    return (
        not evidence.has_champion
        or evidence.withdrawn_pictures > 0
        or bool(evidence.classes_entered or evidence.classes_left)
    )
