"""How soon each change that was measured will be as large as we let it grow.

What belongs here: the thresholds with their reasons, and days made of evidence. What does not: the
verdict (``advice.py``), and words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from reds_pipeline.retraining.evidence import Evidence

KEPT_TAGS = 0.75
"""Share of the top tags that should still be the same when the next training comes.

Classes are chosen from the top tags: with a quarter of them exchanged, a quarter of what could be
learnt now is not. A half, as in a half-life, would be a model that is out of date most of the time.
"""

NEW_SHARE = 0.2
"""New pictures, as a share of those learnt, that are worth a training by themselves.

Errors fall with a power of the number of pictures that lies between 0.07 and 0.5 (Hestness et al.
2017), so a fifth more takes at most a tenth off them; what less would take off cannot be told from
chance on tests as small as ours.
"""

TOLERATED_LOSS = 0.02
"""Accuracy that the standing model may have lost on new pictures.

Twice the margin by which a challenger must be better to be promoted, so that a training which wins
back what was lost can pass.
"""

TOLERATED_SHIFT = 0.5
"""How far new pictures may lie from those learnt, in standard deviations (Cohen's d).

0.5 is called medium, an effect visible to a careful eye (Cohen 1988). A domain classifier tells
such pictures apart with an area under the curve of 0.64 (Rice & Harris 2005). The size
of the effect decides and not a p-value, because with enough pictures any two weeks differ
significantly.
"""

SCHEDULE_JITTER_DAYS = 0.5
"""How much earlier than its interval a training may start, half of the interval at most.

A weekly schedule measures a few minutes more or less than a week after the last training ended; an
interval of seven days would otherwise be missed by minutes and become fourteen.
"""

_HIGHEST_AUC = 0.999
"""Beyond it the effect size grows without end while a few hundred pictures cannot tell."""


@dataclass(frozen=True)
class Paces:
    """After how many days each change will be as large as we let it grow, at the pace seen.

    Attributes:
        tags: Of the top tags.
        supply: Of the pictures there are to learn from.
        accuracy: Of the standing model's accuracy.
        shift: Of what the pictures look like.
    """

    tags: float = math.inf
    supply: float = math.inf
    accuracy: float = math.inf
    shift: float = math.inf

    @property
    def soonest(self) -> float:
        """The shortest; infinite if nothing changes or nothing is known."""
        return min(self.tags, self.supply, self.accuracy, self.shift)


def paces(evidence: Evidence) -> Paces:
    """Return after how many days each change is as large as we let it grow.

    Accuracy and looks are taken to change in proportion to time, tags by halves.
    """
    return Paces(
        tags=_tags(evidence),
        supply=_supply(evidence),
        accuracy=_accuracy(evidence),
        shift=_shift(evidence),
    )


def has_passed(days: float, interval: float) -> bool:
    """Say whether so many days are an interval, as exactly as a schedule can keep it."""
    return days + min(SCHEDULE_JITTER_DAYS, interval / 2) >= interval


def shift_in_deviations(auc: float, baseline: float) -> float:
    """Return an area under the curve as Cohen's d above that of the baseline; 0 if it is below.

    Of two normal distributions of equal spread d standard deviations apart, the curve's area is
    that of the normal distribution up to d over the square root of 2 (Rice & Harris 2005).
    """
    normal = NormalDist()
    highest = min(auc, _HIGHEST_AUC)
    above = normal.inv_cdf(max(highest, 0.5)) - normal.inv_cdf(min(max(baseline, 0.5), highest))
    return max(0.0, math.sqrt(2) * above) if highest > 0.5 else 0.0


def _tags(evidence: Evidence) -> float:
    if evidence.tag_half_life_days is None:
        return math.inf
    return evidence.tag_half_life_days * math.log2(1 / KEPT_TAGS)


def _supply(evidence: Evidence) -> float:
    days = evidence.days_since_training
    if not days or not evidence.new_pictures or not evidence.learnt_pictures:
        return math.inf
    return days * NEW_SHARE * evidence.learnt_pictures / evidence.new_pictures


def _accuracy(evidence: Evidence) -> float:
    loss, low = evidence.accuracy_loss, evidence.accuracy_loss_low
    if loss is None or low is None or evidence.champion_days is None or min(loss, low) <= 0:
        return math.inf
    return evidence.champion_days * TOLERATED_LOSS / loss


def _shift(evidence: Evidence) -> float:
    auc, low, chance = evidence.auc, evidence.auc_low, evidence.auc_chance
    if auc is None or low is None or chance is None or evidence.champion_days is None:
        return math.inf
    deviations = shift_in_deviations(auc, evidence.auc_baseline or 0.5)
    if auc <= chance or low <= (evidence.auc_baseline or 0.5) or deviations <= 0:
        return math.inf
    return evidence.champion_days * TOLERATED_SHIFT / deviations
