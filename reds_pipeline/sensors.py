"""What follows from what: collections from a refresh, a training from its collections, notices.

What belongs here: sensors. What does not: work, reading how far things are (``spine.py``), and
deciding what follows (``next_step.py``). A sensor looks at runs and tables alone and keeps no
memory, so a daemon that was killed anywhere goes on; every request carries a run key made of the
refresh it belongs to, so that what was asked for twice is done once. Runs that ``reds run`` drives
are left to it.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from reds_pipeline.freshness import freshness_window
from reds_pipeline.jobs import COLLECT_CLASS, SELECTION_TAG, collect_class, measure_drift, retrain
from reds_pipeline.next_step import step_after
from reds_pipeline.notices import FAILURE, STALE, notify, send_what_was_held, without_secrets
from reds_pipeline.resources import Platform
from reds_pipeline.schedules import note_schedules
from reds_pipeline.spine import (
    PARTITION_TAG,
    Progress,
    is_to_be_tried_again,
    last_training,
    read_spine,
)

_RUNNING = dg.DefaultSensorStatus.RUNNING
RUN_FAILURE = "run_failure"
_SECONDS_PER_DAY = 86400.0
# Such as `reds_pipeline.errors.RedsError: ` before a sentence.
_CLASS_BEFORE = re.compile(r"^(?:[a-z_]\w*\.)+[A-Z]\w*: ")
_NO_REFRESH = "no refresh has finished yet"


@dg.sensor(
    job=collect_class,
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="Starts one collection per class that the newest refresh chose.",
)
def collect_selected_classes(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the collections of the newest refresh that nobody has asked for yet."""
    spine = read_spine(context.instance)
    if spine is None:
        return dg.SkipReason(_NO_REFRESH)
    if spine.is_overtaken:
        return dg.SkipReason("a newer refresh is under way; the classes that it chooses count")
    if spine.training is not Progress.MISSING:
        return dg.SkipReason("the training after the newest refresh was asked for already")
    missing = [name for name, progress in spine.collections.items() if progress is Progress.MISSING]
    if not missing:
        return dg.SkipReason("the collection of every class was asked for")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"{spine.refresh}:{name}",
                partition_key=name,
                tags={SELECTION_TAG: spine.refresh},
            )
            for name in missing
        ]
    )


@dg.sensor(
    jobs=[retrain, measure_drift],
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="When every class of the newest refresh has ended: starts the training, or "
    "measures first whether one is due (REDS_RETRAIN).",
)
def retrain_when_collected(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for what follows from the collections of the newest refresh, once each."""
    spine = read_spine(context.instance)
    if spine is None:
        return dg.SkipReason(_NO_REFRESH)
    step = step_after(context.instance, platform, spine)
    for notice in step.notices:
        once = f"{notice.title}: {spine.refresh}"
        notify(platform, notice.kind, notice.title, notice.body, once=once)
    if not step.job:
        return dg.SkipReason(step.why)
    return dg.RunRequest(
        run_key=f"{spine.refresh}:{step.job}",
        job_name=step.job,
        tags={SELECTION_TAG: spine.refresh},
    )


@dg.run_failure_sensor(
    default_status=_RUNNING,
    description="Writes every failed run into the ledger, where `reds status` finds it, and tells "
    "the operator (REDS_NOTIFY).",
)
def record_failure(
    context: dg.RunFailureSensorContext, platform: dg.ResourceParam[Platform]
) -> None:
    """Keep the sentence of a failed run where an operator looks, and send it."""
    run = context.dagster_run
    if is_to_be_tried_again(context.instance, run.run_id):
        # Dagster does that by itself; if it fails too, that run is kept and told of.
        return
    sentence = without_secrets(_sentence(context), platform.settings)
    name = run.tags.get(PARTITION_TAG, "")
    # Dagster asks again for what it was told of just before its daemon was killed, which may have
    # been after this was kept and before it was told.
    if all(event["run_id"] != run.run_id for event in platform.ledger.events(RUN_FAILURE)):
        platform.ledger.append(
            RUN_FAILURE, run.job_name, {"run_id": run.run_id, "class": name, "message": sentence}
        )
    # What somebody materialises from the page of an asset has a name that is Dagster's own.
    job = "materialization" if run.job_name.startswith("__") else run.job_name
    what = f"{job} of {name}" if name else job
    consequence = " What was collected before is used." if job == COLLECT_CLASS else ""
    notify(
        platform,
        FAILURE,
        f"{job} failed",
        f"{what} failed: {sentence}{consequence} (Run {run.run_id[:8]} in Dagster.)",
        once=f"run {run.run_id}",
    )


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=_RUNNING,
    description="Tells the operator when no training has looked at the champion for too long, and "
    "sends notices that were held back or could not be sent.",
)
def watch_freshness(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.SkipReason:
    """Tell of staleness once, however long it lasts, and of what was not told yet."""
    note_schedules(platform)
    send_what_was_held(platform)
    trained = last_training(context.instance)
    since = trained or _oldest_run(context.instance)
    if since is None:
        return dg.SkipReason("nothing has run yet")
    age = (time.time() - since) / _SECONDS_PER_DAY
    longest = freshness_window(platform.settings).fail.total_seconds() / _SECONDS_PER_DAY
    if age <= longest:
        return dg.SkipReason(f"{age:.1f} days old; {longest:.0f} are allowed")
    day = datetime.fromtimestamp(since, UTC).date().isoformat()
    last = f"The last training ended on {day}" if trained else f"There was none since {day}"
    notify(
        platform,
        STALE,
        "No training for too long",
        f"{last}, and with these settings {longest:.0f} days are the most there should be. See "
        "with `reds status` what failed, and in Dagster (`reds up`) whether its daemon, the "
        "schedules and the sensors are on.",
        once=f"stale since {since:.0f}",
    )
    return dg.SkipReason(f"{age:.1f} days old, though {longest:.0f} are the most")


def _sentence(context: dg.RunFailureSensorContext) -> str:
    """Return why a run failed: the sentence of its step, or of what failed outside of any."""
    for event in context.get_step_failure_events():
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return data.user_failure_data.description
        if data.error is not None:
            return _plain(_reason(data.error).message)
    failure = context.failure_event.job_failure_data
    if failure.error is not None:
        return _plain(_reason(failure.error).message)
    return _plain(context.failure_event.message or "Dagster does not say why.")


def _reason(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """Return what Dagster wrapped: our own error where there is one, else the first of all."""
    while error.cause is not None:
        if error.cls_name == dg.RetryRequested.__name__:
            # Asked for because of this one, whose cause is no sentence any more.
            return error.cause
        error = error.cause
    return error


def _plain(message: str) -> str:
    """Return an error's message in one line, without the name of its class before it."""
    return _CLASS_BEFORE.sub("", " ".join(message.split()))


def _oldest_run(instance: dg.DagsterInstance) -> float | None:
    oldest = instance.get_run_records(limit=1, ascending=True)
    return oldest[0].create_timestamp.timestamp() if oldest else None


ALL = [collect_selected_classes, retrain_when_collected, record_failure, watch_freshness]
