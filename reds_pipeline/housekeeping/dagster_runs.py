"""Dagster's finished runs with their event logs and what their steps printed (pain point 8).

What belongs here: which runs may go, and removing them through the instance. What does not:
ticks of schedules and sensors, which Dagster's own retention removes (``dagster.yaml``), and
giving the space of databases back (``databases.py``).

A run goes with everything that Dagster knows of it. So those stay that hold the latest
materialisation of an asset or partition, or the latest outcome of a check: by them the page, the
freshness policies and the schedules know how things stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from reds_pipeline.housekeeping.chore import Chore
from reds_pipeline.housekeeping.disk_use import taken
from reds_pipeline.jobs import DRIVER_TAG, SELECTION_TAG
from reds_pipeline.partitions import classes
from reds_pipeline.storage.leftovers import LEFTOVER_SECONDS, is_old, remove

KIND = "runs"

_FINISHED = (
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
)
_AT_ONCE = 500
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What a database writes beside its file.
_BESIDE = ("", "-wal", "-shm", "-journal")

_SIZES = sa.text("SELECT run_id, SUM(LENGTH(event)) FROM event_logs GROUP BY run_id")
_RUNS_OF_CHECKS = sa.text("SELECT DISTINCT run_id FROM asset_check_executions")
_LATEST_CHECKS = sa.text(
    "SELECT run_id, partition FROM asset_check_executions WHERE id IN "
    # A run that was killed leaves a check that was planned and never came; the outcome before it
    # is still the latest one.
    "(SELECT MAX(id) FROM asset_check_executions "
    "GROUP BY asset_key, check_name, partition, execution_status)"
)
_DROP_CHECKS = sa.text("DELETE FROM asset_check_executions WHERE run_id = :run_id")


def chores(instance: dg.DagsterInstance, keep_days: float) -> Iterator[Chore]:
    """Yield what of Dagster's history may go.

    Args:
        instance: Whose history it is, on SQLite or Postgres.
        keep_days: ``REDS_KEEP_RUN_DAYS``.
    """
    # First, so that whatever it holds belongs to a run that is listed afterwards.
    history = _History(instance)
    records = list(_records(instance))
    before = datetime.now(UTC) - timedelta(days=keep_days)
    staying = runs_that_stay(records, before) | set(latest_of_assets(instance))
    old = [record.dagster_run.run_id for record in records]
    old = [run_id for run_id in old if run_id not in staying]
    if old:
        yield Chore(
            KIND,
            "finished runs of Dagster with their logs",
            len(old),
            sum(map(history.size, old)),
            f"ended more than {keep_days:g} days ago, and newer ones tell how things stand",
            lambda: _remove_runs(instance, history, old),
        )
    known = {record.dagster_run.run_id for record in records}
    lost = sorted(run_id for run_id in history.runs() if run_id not in known)
    if lost:
        yield Chore(
            KIND,
            "logs of runs that are no more",
            len(lost),
            sum(map(history.size, lost)),
            "the run was deleted",
            lambda: _remove_logs(history, lost),
        )


def runs_that_stay(records: Sequence[dg.RunRecord], before: datetime) -> set[str]:
    """Return the runs that stay whatever they hold.

    These are the ones that have not ended or not long ago, of each job the newest with each
    outcome, and the collections and trainings that belong to a refresh that stays: sensors look
    for them to know whether they still have to ask for one.

    Args:
        records: All runs, the newest first.
        before: When a run must have ended to be old.
    """
    staying = set()
    newest = set()
    for record in records:
        run = record.dagster_run
        place = (run.job_name, run.status, run.tags.get(DRIVER_TAG))
        if run.status not in _FINISHED or place not in newest or _ended(record) >= before:
            staying.add(run.run_id)
        newest.add(place)
    return staying | {
        record.dagster_run.run_id
        for record in records
        if record.dagster_run.tags.get(SELECTION_TAG) in staying
    }


def latest_of_assets(instance: dg.DagsterInstance) -> Iterator[str]:
    """Yield the runs that hold the latest event of an asset, of a partition or of a check."""
    partitions = set(instance.get_dynamic_partitions(str(classes.name)))
    storage: Any = instance.event_log_storage
    for key in instance.all_asset_keys():
        for fetch in (instance.fetch_materializations, instance.fetch_observations):
            yield from (record.run_id for record in fetch(key, limit=1).records)
        latest = storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        numbers = [number for name, number in latest.items() if name in partitions]
        for start in range(0, len(numbers), _AT_ONCE):
            wanted = dg.AssetRecordsFilter(key, storage_ids=numbers[start : start + _AT_ONCE])
            found = instance.fetch_materializations(wanted, limit=_AT_ONCE)
            yield from (record.run_id for record in found.records)
    with storage.index_connection() as connection:
        rows = connection.execute(_LATEST_CHECKS).fetchall()
    yield from (run_id for run_id, name in rows if name is None or name in partitions)


class _History:
    """What an instance holds of runs, wherever that is.

    Args:
        instance: On SQLite or Postgres; both are SQL, which the base class does not say.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._storage = cast("Any", instance.event_log_storage)
        with self._storage.index_connection() as connection:
            # Events that belong to no run, such as changes of freshness, have no id of one.
            self._sizes = {
                run_id: int(size) for run_id, size in connection.execute(_SIZES) if run_id
            }
            self._checked = {run_id for (run_id,) in connection.execute(_RUNS_OF_CHECKS) if run_id}

    def size(self, run_id: str) -> int:
        """Return the bytes that a run takes."""
        files = sum(taken(path) for path in (*self._logs(run_id), *self._printed(run_id)))
        return self._sizes.get(run_id, 0) + files

    def runs(self) -> set[str]:
        """Return every run of which something is there, new logs without a run left out."""
        found = self._sizes.keys() | self._checked
        places = [*self._directories()]
        for place in places:
            found |= {
                path.name.removesuffix(".db")
                for path in place.iterdir()
                if _RUN_ID.fullmatch(path.name.removesuffix(".db"))
                and is_old(path, LEFTOVER_SECONDS)
            }
        return found

    def remove(self, run_id: str) -> None:
        """Remove everything of a run, the run itself first; what a kill leaves is found again."""
        self._instance.delete_run(run_id)
        with self._storage.index_connection() as connection:
            connection.execute(_DROP_CHECKS, {"run_id": run_id})
        self._instance.compute_log_manager.delete_logs(prefix=[run_id])
        # SQLite keeps each run's events in a file of their own, which Dagster only empties.
        for path in self._logs(run_id):
            remove(path)

    def _logs(self, run_id: str) -> Iterable[Path]:
        if not isinstance(self._storage, SqliteEventLogStorage):
            return ()
        shard = Path(self._storage.path_for_shard(run_id))
        return (shard.with_name(shard.name + end) for end in _BESIDE)

    def _printed(self, run_id: str) -> Iterable[Path]:
        manager = self._instance.compute_log_manager
        if not isinstance(manager, LocalComputeLogManager):
            return ()
        return (_base(manager) / run_id,)

    def _directories(self) -> Iterator[Path]:
        if isinstance(self._storage, SqliteEventLogStorage):
            yield Path(self._storage.path_for_shard("any")).parent
        manager = self._instance.compute_log_manager
        if isinstance(manager, LocalComputeLogManager) and _base(manager).is_dir():
            yield _base(manager)


def _base(manager: LocalComputeLogManager) -> Path:
    return Path(manager.get_captured_local_path(["any"], "out")).parent


def _remove_runs(instance: dg.DagsterInstance, history: _History, run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id)
        # Nobody starts a finished run again; a daemon might since have retried it under this id.
        if run is None or run.status in _FINISHED:
            history.remove(run_id)


def _remove_logs(history: _History, run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        history.remove(run_id)


def _records(instance: dg.DagsterInstance) -> Iterator[dg.RunRecord]:
    """Yield every run, the newest first."""
    cursor = None
    while True:
        page = instance.get_run_records(limit=_AT_ONCE, cursor=cursor)
        yield from page
        if len(page) < _AT_ONCE:
            return
        cursor = page[-1].dagster_run.run_id


def _ended(record: dg.RunRecord) -> datetime:
    if record.end_time:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.update_timestamp.astimezone(UTC)
