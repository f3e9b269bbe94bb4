"""How far the newest refresh, and what follows from it, have come, read from Dagster's runs.

What belongs here: reading. What does not: what is started next (``next_step.py``), or asking for
it (``sensors.py``, ``schedules.py``). Runs that ``reds run`` drives are no part of the spine: it
does by itself what follows from its refresh.

Nothing is remembered between two looks: a daemon that was killed at any point goes on from what
its runs say.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import dagster as dg

from reds_pipeline.jobs import (
    COLLECT_CLASS,
    MEASURE_DRIFT,
    RETRAIN,
    SELECTION_TAG,
    TO_COLLECT,
    WEEKLY_REFRESH,
    is_driven_by_command_line,
)
from reds_pipeline.partitions import classes

PARTITION_TAG = "dagster/partition"
_RETRY_DECIDED_TAG = "dagster/will_retry"
_REFRESHES_LOOKED_AT = 20
_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
# Made, but not queued: the daemon was killed in between. Only if somebody asks for the same again
# does it queue that run; it makes no second one then, and else lets it lie for ever.
_LYING = dg.DagsterRunStatus.NOT_STARTED
UNFINISHED = [
    status for status in dg.DagsterRunStatus if status not in _FINISHED and status != _LYING
]
# Dagster starts a failed run anew within a minute, if it does; a daemon that is down does not.
_SECONDS_FOR_A_RETRY = 3600.0


class Progress(StrEnum):
    """How far one part of the spine is."""

    MISSING = "missing"
    UNDER_WAY = "under way"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in {Progress.MISSING, Progress.UNDER_WAY}


@dataclass(frozen=True)
class Spine:
    """The newest refresh that succeeded, and what follows from it.

    Attributes:
        refresh: Its run id, which every run that follows from it carries as ``SELECTION_TAG``.
        collections: How far the collection of each class is that it chose and that is still one.
        measurement: How far the measurement of drift is.
        measured_at: When that measurement began and ended, in seconds since the epoch.
        training: How far the training is.
        changed_at: When the last of all these runs began or ended, in seconds since the epoch.
        is_overtaken: Whether a newer refresh is queued or running.
    """

    refresh: str
    collections: Mapping[str, Progress]
    measurement: Progress
    measured_at: tuple[float, float]
    training: Progress
    changed_at: float
    is_overtaken: bool = False


def read_spine(instance: dg.DagsterInstance) -> Spine | None:
    """Return how far the newest refresh is; None before the first has succeeded."""
    now = time.time()
    refreshes = _own(
        instance.get_run_records(dg.RunsFilter(job_name=WEEKLY_REFRESH), limit=_REFRESHES_LOOKED_AT)
    )
    newer: list[Progress] = []
    for refresh in refreshes:
        progress = progress_of([refresh], now, retries=instance.run_retries_enabled)
        if progress is Progress.SUCCEEDED:
            return _spine_of(instance, refresh, now, is_overtaken=Progress.UNDER_WAY in newer)
        newer.append(progress)
    return None


def _spine_of(
    instance: dg.DagsterInstance, refresh: dg.RunRecord, now: float, *, is_overtaken: bool
) -> Spine:
    run = refresh.dagster_run
    records = instance.get_run_records(dg.RunsFilter(tags={SELECTION_TAG: run.run_id}))
    by_job: dict[tuple[str, str], list[dg.RunRecord]] = {}
    for record in _own(records):
        key = (record.dagster_run.job_name, record.dagster_run.tags.get(PARTITION_TAG, ""))
        by_job.setdefault(key, []).append(record)

    def progress(job: str, partition: str = "") -> Progress:
        found = by_job.get((job, partition), [])
        return progress_of(found, now, retries=instance.run_retries_enabled)

    measured = by_job.get((MEASURE_DRIFT, ""), [])
    collections = {name: progress(COLLECT_CLASS, name) for name in chosen_by(instance, run)}
    # What `reds run` let go of meanwhile is no partition any more, so nothing can be asked for it.
    there = set(instance.get_dynamic_partitions(str(classes.name)))
    return Spine(
        refresh=run.run_id,
        collections={
            name: each
            for name, each in collections.items()
            if name in there or each is not Progress.MISSING
        },
        measurement=progress(MEASURE_DRIFT),
        measured_at=(
            (measured[0].start_time or 0.0, measured[0].end_time or 0.0) if measured else (0.0, 0.0)
        ),
        training=progress(RETRAIN),
        changed_at=max(map(_changed_at, [refresh, *records])),
        is_overtaken=is_overtaken,
    )


def chosen_by(instance: dg.DagsterInstance, refresh: dg.DagsterRun) -> list[str]:
    """Return the classes that a refresh chose to be collected.

    They are read from what that run itself noted: the table of the home is rewritten by any later
    refresh, that of ``reds run`` among them.
    """
    run: dg.DagsterRun | None = refresh
    while run is not None:
        for entry in instance.all_logs(
            run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ):
            note = entry.asset_materialization
            if note is not None and TO_COLLECT in note.metadata:
                names = note.metadata[TO_COLLECT].value
                assert isinstance(names, list)
                return [str(name) for name in names]
        # A run that Dagster tries again does not repeat the steps that had succeeded.
        run = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return []


def progress_of(records: Sequence[dg.RunRecord], now: float, *, retries: bool) -> Progress:
    """Return how far one part is, by all runs that were ever asked for it.

    Args:
        records: Its runs, the newest first, those that tried again among them.
        now: Seconds since the epoch.
        retries: Whether Dagster tries runs again that failed outside of a step.
    """
    runs = [record.dagster_run for record in records]
    runs = [run for run in runs if run.status != _LYING]
    if not runs:
        return Progress.MISSING
    if any(run.status not in _FINISHED for run in runs):
        return Progress.UNDER_WAY
    if any(run.status == dg.DagsterRunStatus.SUCCESS for run in runs):
        return Progress.SUCCEEDED
    if retries and any(_is_tried_again(record, now) for record in records):
        return Progress.UNDER_WAY
    canceled = runs[0].status == dg.DagsterRunStatus.CANCELED
    return Progress.CANCELED if canceled else Progress.FAILED


def _is_tried_again(record: dg.RunRecord, now: float) -> bool:
    """Return whether Dagster still has to try a failed run again, or to decide about that.

    A run is marked as failed an instant before Dagster notes whether it is tried again.
    """
    run = record.dagster_run
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    is_pending = _RETRY_DECIDED_TAG not in run.tags or run.is_complete_and_waiting_to_retry
    return is_pending and now - (record.end_time or now) < _SECONDS_FOR_A_RETRY


def is_to_be_tried_again(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether Dagster tries a failed run again, or has done so."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.tags.get(_RETRY_DECIDED_TAG) == "true"


def unfinished_runs(instance: dg.DagsterInstance, *jobs: str) -> list[dg.DagsterRun]:
    """Return the runs of some jobs that are queued or running, ``reds run``'s not among them."""
    return [
        record.dagster_run
        for job in jobs
        for record in _own(
            instance.get_run_records(dg.RunsFilter(job_name=job, statuses=UNFINISHED))
        )
    ]


def last_training(instance: dg.DagsterInstance) -> float | None:
    """Return when the newest training ended that succeeded, whoever started it."""
    newest = instance.get_run_records(
        dg.RunsFilter(job_name=RETRAIN, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    return newest[0].end_time if newest else None


def _own(records: Iterable[dg.RunRecord]) -> list[dg.RunRecord]:
    return [record for record in records if not is_driven_by_command_line(record.dagster_run)]


def _changed_at(record: dg.RunRecord) -> float:
    return record.end_time or record.start_time or record.create_timestamp.timestamp()
