"""What follows when the collections of a refresh have ended: a training, a measurement, or nothing.

What belongs here: the decision, as a pure function, and bringing together what it looks at. What
does not: reading runs (``spine.py``), whether a training is due (``retraining.advice``), or asking
for runs and telling people (``sensors.py``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import dagster as dg

from reds_pipeline.jobs import MEASURE_DRIFT, RETRAIN
from reds_pipeline.notices import APPROVAL, FAILURE
from reds_pipeline.resources import Platform
from reds_pipeline.retraining.advice import Advice
from reds_pipeline.spine import Progress, Spine, last_training

_SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True)
class Rules:
    """What the operator wants.

    Attributes:
        mode: As the setting ``retrain``.
        longest_days: As the setting ``retrain_max_days``.
    """

    mode: Literal["every_refresh", "auto", "ask"]
    longest_days: float


@dataclass(frozen=True)
class Notice:
    """What a person should be told once for each refresh.

    Attributes:
        kind: As in ``notices``.
        title: In one line.
        body: In sentences.
    """

    kind: str
    title: str
    body: str


@dataclass(frozen=True)
class Step:
    """What comes next.

    Attributes:
        why: In one sentence, without a full stop.
        job: What to start now; "" if nothing is.
        is_over: Whether nothing more follows from this refresh by itself.
        notices: What to tell.
    """

    why: str
    job: str = ""
    is_over: bool = False
    notices: tuple[Notice, ...] = ()


def step_after(instance: dg.DagsterInstance, platform: Platform, spine: Spine) -> Step:
    """Decide what follows from what Dagster and the home hold now."""
    from reds_pipeline.retraining.kept_advice import latest_advice

    settings = platform.settings
    rules = Rules(settings.retrain, settings.retrain_max_days)
    advice = None if rules.mode == "every_refresh" else latest_advice(platform.home)
    return next_step(spine, rules, advice, last_training(instance), time.time())


def next_step(
    spine: Spine, rules: Rules, advice: Advice | None, trained_at: float | None, now: float
) -> Step:
    """Decide what follows.

    Args:
        spine: How far the newest refresh is.
        rules: What the operator wants.
        advice: What was measured last, by whichever run.
        trained_at: When the newest training ended, in seconds since the epoch; None if there was
            none.
        now: Seconds since the epoch.
    """
    if spine.is_overtaken:
        return Step("a newer refresh is under way, and its classes are what counts")
    if spine.training is Progress.UNDER_WAY:
        return Step("the training after this refresh is under way")
    if spine.training.has_ended:
        return Step(f"the training after this refresh has {spine.training}", is_over=True)
    if waiting := [name for name, each in spine.collections.items() if not each.has_ended]:
        return Step(f"waiting for the collection of {', '.join(waiting)}")
    if Progress.SUCCEEDED not in spine.collections.values():
        return _nothing_collected(spine)
    if rules.mode == "every_refresh":
        step = Step("every class has ended", RETRAIN)
    else:
        step = _measure_first(spine, rules, advice, trained_at, now)
    return Step(step.why, step.job, step.is_over, (*_lost(spine), *step.notices))


def _nothing_collected(spine: Spine) -> Step:
    if not spine.collections:
        return Step("the newest refresh chose no classes that there still are", is_over=True)
    return Step(
        "no class could be collected, so there is nothing new to train with",
        is_over=True,
        notices=(_NOTHING_COLLECTED,),
    )


_NOTHING_COLLECTED = Notice(
    FAILURE,
    "No class could be collected",
    "The collection of every class failed or was canceled, so nothing is trained after this "
    "refresh and the model that serves stays. See why with `reds status`, and whether the host "
    "answers with `reds hosts probe`; the next refresh tries again.",
)


def _lost(spine: Spine) -> tuple[Notice, ...]:
    """Return what to tell of classes whose collection was canceled; failures tell themselves."""
    names = [name for name, progress in spine.collections.items() if progress is Progress.CANCELED]
    if not names:
        return ()
    return (
        Notice(
            FAILURE,
            "A collection was canceled",
            f"Nothing new was collected of {', '.join(names)}, because somebody canceled it; what "
            "was collected before is used. The next refresh collects again.",
        ),
    )


def _measure_first(
    spine: Spine, rules: Rules, advice: Advice | None, trained_at: float | None, now: float
) -> Step:
    if spine.measurement is Progress.MISSING:
        return Step("every class has ended; whether to train is measured first", MEASURE_DRIFT)
    if spine.measurement is Progress.UNDER_WAY:
        return Step("it is being measured whether a training is due")
    began, ended = spine.measured_at
    if trained_at is not None and trained_at > ended:
        return Step("a training was made since it was measured", is_over=True)
    if spine.measurement is Progress.SUCCEEDED and advice is not None and _at(advice) >= began:
        due, why = advice.due, " ".join(advice.reasons)
    else:
        due, why = _without_measurement(rules, trained_at, now)
    if not due:
        return Step(f"no training is due: {why}", is_over=True)
    if rules.mode == "auto":
        return Step(f"a training is due: {why}", RETRAIN)
    return Step(
        f"a training is due and waits for a person (`reds retrain`): {why}",
        is_over=True,
        notices=(_waits_for_a_person(why),),
    )


def _without_measurement(rules: Rules, trained_at: float | None, now: float) -> tuple[bool, str]:
    """Decide by the operator's longest interval alone."""
    failed = "It could not be measured whether a training is due"
    if trained_at is None:
        return True, f"{failed}, and there was none yet."
    days = (now - trained_at) / _SECONDS_PER_DAY
    return days >= rules.longest_days, f"{failed}; the last one was {days:.0f} days ago."


def _waits_for_a_person(why: str) -> Notice:
    return Notice(
        APPROVAL,
        "A training waits for you",
        f"{why} Start it with `reds retrain`, or launch the job `retrain` in Dagster; the model "
        "that serves stays until then.",
    )


def _at(advice: Advice) -> float:
    # Written with whole seconds, so it may seem to be a moment earlier than it was.
    return datetime.fromisoformat(advice.at).timestamp() + 1.0
