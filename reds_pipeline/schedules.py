"""When the spine, the sweep for deleted posts and housekeeping start by themselves.

What belongs here: schedules, and which of their ticks start nothing. What does not: what follows
from a refresh; that is ``sensors.py``. Schedules run by default, because a pipeline that silently
never starts looks like one that works.

Of the ticks that a daemon missed while it was down, Dagster makes up for the newest one alone,
because none of these jobs is scheduled by partition; a tick that was interrupted is asked again,
and the run key, the time of the tick, keeps it from starting a second run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg

from reds_pipeline.freshness import unreadable_schedule
from reds_pipeline.jobs import (
    AFTER_OTHERS,
    COLLECT_CLASS,
    HOUSEKEEPING,
    MEASURE_DRIFT,
    RECHECK_POSTS,
    RETRAIN,
    SELECTION_TAG,
    WEEKLY_REFRESH,
)
from reds_pipeline.next_step import step_after
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings
from reds_pipeline.spine import PARTITION_TAG, Spine, read_spine, unfinished_runs
from reds_pipeline.storage.workers import worker_at

_RUN_KEY_TAG = "dagster/run_key"
# What the ledger calls a schedule that was set anew.
SCHEDULE_CHANGE = "schedule_change"
# A tick that is later than this is made up for, not just a little slow.
_ON_TIME = timedelta(minutes=2)
# What sensors ask for they ask for within a minute, unless somebody stopped them.
_SECONDS_FOR_SENSORS = 3600.0

_REFRESHING_COMMANDS = ("reds run", "reds demo")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Hindrance = Callable[[dg.ScheduleEvaluationContext, Platform, str], str]


def refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of ``weekly_refresh`` as the operator set it.

    Raises:
        RedsError: The setting cannot be read.
    """
    return _schedule(
        "refresh_schedule", WEEKLY_REFRESH, settings.refresh_cron, settings, _refresh_at_work
    )


def recheck_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of ``recheck_posts``; a training has a sweep of its own before it.

    Raises:
        RedsError: The setting cannot be read.
    """
    return _schedule(
        "recheck_schedule",
        RECHECK_POSTS,
        settings.recheck_cron,
        settings,
        lambda context, _, key: _still_unfinished(context.instance, key, RECHECK_POSTS),
    )


def housekeeping_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of ``housekeeping``; it comes after whatever else is queued.

    Raises:
        RedsError: The setting cannot be read.
    """
    return _schedule(
        "housekeeping_schedule",
        HOUSEKEEPING,
        settings.housekeeping_cron,
        settings,
        lambda context, _, key: _still_unfinished(context.instance, key, HOUSEKEEPING),
        tags=AFTER_OTHERS,
    )


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return every schedule that these settings want.

    Raises:
        RedsError: A setting cannot be read.
    """
    wanted = [refresh_schedule(settings), recheck_schedule(settings)]
    if settings.housekeeping != "off":
        wanted.append(housekeeping_schedule(settings))
    return wanted


def cron_texts(settings: Settings) -> dict[str, str]:
    """Return by schedule when it ticks, as its text and time zone."""
    return {
        "refresh_schedule": f"{settings.refresh_cron} {settings.timezone}",
        "recheck_schedule": f"{settings.recheck_cron} {settings.timezone}",
        "housekeeping_schedule": f"{settings.housekeeping_cron} {settings.timezone}",
    }


def note_schedules(platform: Platform) -> dict[str, datetime]:
    """Note in the ledger which schedules were set anew; return since when each is as it is.

    Dagster remembers no more than when it last looked, and would take a tick of a new text that
    lies between then and now for one that was missed.
    """
    known = {event["subject"]: event for event in platform.ledger.events(SCHEDULE_CHANGE)}
    since = {}
    for name, text in cron_texts(platform.settings).items():
        if name not in known or known[name]["cron"] != text:
            known[name] = {"cron": text, "was": known.get(name, {}).get("cron", "")}
            platform.ledger.append(SCHEDULE_CHANGE, name, known[name])
            known[name]["at"] = datetime.now(UTC).isoformat()
        # What is noted for the first time has not changed.
        is_changed = bool(known[name]["was"])
        since[name] = datetime.fromisoformat(known[name]["at"]) if is_changed else _LONG_AGO
    return since


def _schedule(
    name: str,
    job: str,
    cron: str,
    settings: Settings,
    hindrance: Hindrance,
    *,
    tags: dict[str, str] | None = None,
) -> dg.ScheduleDefinition:
    def evaluate(
        context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(UTC)
        key = at.isoformat()
        since = note_schedules(platform)[name]
        if at < since and datetime.now(UTC) - at > _ON_TIME:
            return dg.SkipReason(
                f"the schedule was set anew at {since:%Y-%m-%d %H:%M} UTC, and this tick is older"
            )
        if reason := hindrance(context, platform, key):
            return dg.SkipReason(reason)
        return dg.RunRequest(run_key=key, tags=tags)

    try:
        return dg.schedule(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=settings.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )(evaluate)
    except (dg.DagsterInvalidDefinitionError, dg.DagsterInvariantViolationError) as error:
        raise unreadable_schedule(cron, settings.timezone) from error


def _refresh_at_work(
    context: dg.ScheduleEvaluationContext, platform: Platform, run_key: str
) -> str:
    """Say why a refresh must not start now: one that came before it is not through."""
    worker = worker_at(platform.home.lock("run"))
    # `reds retrain` works too, but refreshes nothing; whoever starts meanwhile waits for it.
    if worker is not None and any(name in worker.work for name in _REFRESHING_COMMANDS):
        return f"{worker.sentence_part()} is at work, and refreshes the classes itself"
    if reason := _still_unfinished(context.instance, run_key, WEEKLY_REFRESH):
        return reason
    for run in unfinished_runs(context.instance, COLLECT_CLASS, MEASURE_DRIFT, RETRAIN):
        # A training that somebody started by hand is no reason to lose a week's refresh.
        if SELECTION_TAG in run.tags:
            what = " ".join(filter(None, (run.job_name, run.tags.get(PARTITION_TAG))))
            return f"{what}, which follows from the refresh before, is still {_state(run)}"
    spine = read_spine(context.instance)
    if spine is not None and (step := _about_to_follow(context.instance, platform, spine)):
        return f"what follows from the refresh before has not ended: {step}"
    return ""


def _still_unfinished(instance: dg.DagsterInstance, run_key: str, job: str) -> str:
    for run in unfinished_runs(instance, job):
        # A tick that was interrupted finds the run that it has made itself.
        if run.tags.get(_RUN_KEY_TAG) != run_key:
            return f"the {job} before is still {_state(run)}"
    return ""


def _about_to_follow(instance: dg.DagsterInstance, platform: Platform, spine: Spine) -> str:
    """Return what the sensors will ask for next; "" if nothing, or if they do not get to it."""
    if datetime.now(UTC).timestamp() - spine.changed_at > _SECONDS_FOR_SENSORS:
        return ""
    step = step_after(instance, platform, spine)
    return "" if step.is_over or spine.is_overtaken else step.why


def _state(run: dg.DagsterRun) -> str:
    return "queued" if run.status == dg.DagsterRunStatus.QUEUED else "running"
