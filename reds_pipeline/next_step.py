"""What follows when the collections of a refresh have ended: a training, a measurement, or nothing.

What belongs here: the decision, as a pure function of what was read. What does not: reading
(``spine.py``), whether a training is due (``retraining.advice``), or asking for runs and telling
people (``sensors.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reds_pipeline.jobs import MEASURE_DRIFT, RETRAIN
from reds_pipeline.notices import APPROVAL, FAILURE
from reds_pipeline.retraining.advice import Advice
from reds_pipeline.spine import Progress, Spine

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
    if not spine.collections:
        return Step("the newest refresh chose no classes", is_over=True)
    if spine.training is Progress.UNDER_WAY:
        return Step("the training after this refresh is under way")
    if spine.training.has_ended:
        return Step(f"the training after this refresh has {spine.training}", is_over=True)
    waiting = [name for name, progress in spine.collections.items() if not progress.has_ended]
    if waiting:
        return Step(f"waiting for the collection of {', '.join(waiting)}")
    if Progress.SUCCEEDED not in spine.collections.values():
        return Step(
            "no class could be collected, so there is nothing new to train with",
            is_over=True,
            notices=(_NOTHING_COLLECTED,),
        )
    step = _train_or_measure(spine, rules, advice, trained_at, now)
    return Step(step.why, step.job, step.is_over, (*_lost(spine), *step.notices))


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


def _train_or_measure(
    spine: Spine, rules: Rules, advice: Advice | None, trained_at: float | None, now: float
) -> Step:
    if rules.mode == "every_refresh":
        return Step("every class has ended", RETRAIN)
    if spine.measurement is Progress.MISSING:
        return Step("every class has ended; whether to train is measured first", MEASURE_DRIFT)
    if spine.measurement is Progress.UNDER_WAY:
        return Step("it is being measured whether a training is due")
    began, ended = spine.measured_at
    if trained_at is not None and trained_at > ended:
        return Step("a training was made since it was measured", is_over=True)
    if spine.measurement is Progress.SUCCEEDED and advice is not None and _at(advice) >= began:
        why = " ".join(advice.reasons)
        due = advice.due
    else:
        # Without a measurement, only the operator's longest interval says anything.
        days = None if trained_at is None else (now - trained_at) / _SECONDS_PER_DAY
        due = days is None or days >= rules.longest_days
        why = "It could not be measured whether a training is due" + (
            ", and there was none yet." if days is None else f"; the last was {days:.0f} days ago."
        )
    if not due:
        return Step(f"no training is due: {why}", is_over=True)
    if rules.mode == "auto":
        return Step(f"a training is due: {why}", RETRAIN)
    return Step(
        f"a training is due and waits for a person (`reds retrain`): {why}",
        is_over=True,
        notices=(
            Notice(
                APPROVAL,
                "A training waits for you",
                f"{why} Start it with `reds retrain`, or launch the job `retrain` in Dagster; the "
                "model that serves stays until then.",
            ),
        ),
    )


def _at(advice: Advice) -> float:
    # Written with whole seconds, so it may seem to be a moment earlier than it was.
    return datetime.fromisoformat(advice.at).timestamp() + 1.0
