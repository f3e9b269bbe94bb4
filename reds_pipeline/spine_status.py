"""What runs by itself, as Dagster's records tell it: daemon, schedules, runs.

What belongs here: reading the instance, without starting or writing anything. What does not: what
it means for the operator (``verdict.py``), how far one refresh is (``spine.py``), and what
schedules and sensors do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reds_pipeline.freshness import unreadable_schedule
from reds_pipeline.settings import Settings
from reds_pipeline.storage.clock import as_text

if TYPE_CHECKING:
    import dagster as dg

    from reds_pipeline.daemons import Daemons

# Of each class the newest collection counts, and a class that is collected has one every refresh.
_COLLECTIONS_LOOKED_AT = 200
_PARTITION = "dagster/partition"
# Schedules may rest for months.
_LONGEST_INTERVAL = timedelta(days=800)

JOBS = (
    "weekly_refresh",
    "collect_class",
    "measure_drift",
    "retrain",
    "recheck_posts",
    "housekeeping",
)
"""Every job, in the order of one refresh."""


@dataclass(frozen=True)
class ScheduleStatus:
    """One schedule.

    Attributes:
        name: The schedule.
        stopped: Whether somebody switched it off on Dagster's page.
        next_at: When it ticks next, ISO 8601 in UTC; "" if it is stopped.
        last_at: When it ticked last; "" if it never did.
        last: What came of that: ``started``, ``skipped: <why>`` or ``failed: <why>``.
    """

    name: str
    stopped: bool
    next_at: str
    last_at: str
    last: str


@dataclass(frozen=True)
class RunStatus:
    """One run.

    Attributes:
        run_id: Its id.
        job: Its job.
        class_name: Whose collection it is; "" for other jobs.
        at: When it began, or when it was asked for.
    """

    run_id: str
    job: str
    class_name: str
    at: str


@dataclass(frozen=True)
class SpineStatus:
    """What runs by itself.

    Attributes:
        ran: Whether Dagster ever ran here.
        daemons: Of the instance; None if it never ran.
        schedules: Every one, the next to tick first.
        running: What is under way.
        queued: What waits.
        succeeded: Job to when it last succeeded, whoever started it.
        failed: Newest failures that nothing has made up for since: of each job and class at most
            one.
    """

    ran: bool = False
    daemons: Daemons | None = None
    schedules: tuple[ScheduleStatus, ...] = ()
    running: tuple[RunStatus, ...] = ()
    queued: tuple[RunStatus, ...] = ()
    succeeded: dict[str, str] = field(default_factory=dict)
    failed: tuple[RunStatus, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def spine_status(settings: Settings) -> SpineStatus:
    """Read what runs by itself in the installation of these settings.

    Raises:
        Exception: Whatever a damaged or unreachable database of Dagster raises.
    """
    directory = (settings.dagster_home or settings.home / "dagster").resolve()
    if not (directory / "dagster.yaml").exists():
        return SpineStatus(schedules=_schedules(settings, {}))
    import dagster as dg

    from reds_pipeline.daemons import daemons_of

    with dg.DagsterInstance.from_config(str(directory)) as instance:
        statuses = [dg.DagsterRunStatus(each) for each in (*_RUNNING, *_QUEUED)]
        unfinished = instance.get_run_records(dg.RunsFilter(statuses=statuses))
        return SpineStatus(
            ran=True,
            daemons=daemons_of(instance, directory),
            schedules=_schedules(settings, _last_ticks(instance)),
            running=tuple(_of_status(unfinished, _RUNNING)),
            queued=tuple(_of_status(unfinished, _QUEUED)),
            succeeded=_succeeded(instance),
            failed=tuple(_failed(instance)),
        )


_RUNNING = ("STARTING", "STARTED", "CANCELING")
_QUEUED = ("QUEUED", "NOT_STARTED")


def next_tick(cron: str, timezone: str) -> str:
    """Return when a schedule ticks next, ISO 8601 in UTC.

    Raises:
        RedsError: The schedule or the time zone cannot be read.
    """
    import dagster as dg

    # Dagster brings the reader of such texts, but offers it only as part of its partitions, of
    # which the last one, with the offset, is the one that has begun and not ended.
    try:
        ticks = dg.TimeWindowPartitionsDefinition(
            start=datetime.now(UTC) - _LONGEST_INTERVAL,
            fmt="%Y-%m-%d-%H:%M",
            cron_schedule=cron,
            timezone=timezone,
            end_offset=1,
        )
        window = ticks.get_last_partition_window()
    except Exception as error:
        raise unreadable_schedule(cron, timezone) from error
    return as_text(window.end) if window else ""


def _schedules(
    settings: Settings, known: dict[str, tuple[bool, float, str]]
) -> tuple[ScheduleStatus, ...]:
    crons = {
        "refresh_schedule": settings.refresh_cron,
        "recheck_schedule": settings.recheck_cron,
        **(
            {"housekeeping_schedule": settings.housekeeping_cron}
            if settings.housekeeping != "off"
            else {}
        ),
    }
    found = []
    for name, cron in crons.items():
        stopped, at, last = known.get(name, (False, 0.0, ""))
        found.append(
            ScheduleStatus(
                name=name,
                stopped=stopped,
                next_at="" if stopped else next_tick(cron, settings.timezone),
                last_at=_text(at),
                last=last,
            )
        )
    return tuple(sorted(found, key=lambda schedule: schedule.next_at or "~"))


def _last_ticks(instance: dg.DagsterInstance) -> dict[str, tuple[bool, float, str]]:
    """Return by schedule whether it is stopped, when it ticked last, and what came of that.

    A schedule that was served under another name of the code location is remembered as well; the
    one that ticked last counts.
    """
    found: dict[str, tuple[bool, float, str]] = {}
    for state in instance.all_instigator_state():
        if state.instigator_type.value != "SCHEDULE":
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        at, last = (ticks[0].timestamp, _outcome(ticks[0])) if ticks else (0.0, "")
        if at >= found.get(state.name, (False, -1.0, ""))[1]:
            found[state.name] = (not state.is_running, at, last)
    return found


def _outcome(tick: Any) -> str:
    status = tick.status.value
    if status == "SKIPPED":
        return f"skipped: {tick.skip_reason or 'nothing to do'}"
    if status == "FAILURE":
        return f"failed: {' '.join(tick.error.message.split()) if tick.error else 'unknown'}"
    return "started"


def _of_status(records: Iterable[dg.RunRecord], statuses: tuple[str, ...]) -> list[RunStatus]:
    return [_run(record) for record in records if record.dagster_run.status.value in statuses]


def _succeeded(instance: dg.DagsterInstance) -> dict[str, str]:
    """Return when each job last succeeded."""
    found = {}
    for job in JOBS:
        for record in _newest(instance, job, ["SUCCESS"], 1):
            found[job] = _text(record.end_time)
    return found


def _failed(instance: dg.DagsterInstance) -> Iterator[RunStatus]:
    """Yield failures after which the same job, of the same class, has not succeeded."""
    for job in JOBS:
        newest: dict[str, dg.RunRecord] = {}
        limit = _COLLECTIONS_LOOKED_AT if job == "collect_class" else 1
        for record in _newest(instance, job, ["SUCCESS", "FAILURE"], limit):
            newest.setdefault(record.dagster_run.tags.get(_PARTITION, ""), record)
        yield from _of_status(newest.values(), ("FAILURE",))


def _newest(
    instance: dg.DagsterInstance, job: str, statuses: Sequence[str], limit: int
) -> Sequence[dg.RunRecord]:
    """Return runs of a job, the newest first; daily ones must not hide what was long ago."""
    import dagster as dg

    wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus(each) for each in statuses])
    return instance.get_run_records(wanted, limit=limit)


def _run(record: dg.RunRecord) -> RunStatus:
    run = record.dagster_run
    return RunStatus(
        run_id=run.run_id,
        job=run.job_name,
        class_name=run.tags.get(_PARTITION, ""),
        at=_text(record.end_time or record.start_time) or as_text(record.create_timestamp),
    )


def _text(seconds: float | None) -> str:
    return as_text(datetime.fromtimestamp(seconds, UTC)) if seconds else ""
