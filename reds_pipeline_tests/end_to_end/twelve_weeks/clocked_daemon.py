"""Dagster's own daemon in this process, with a clock that somebody else moves.

What belongs here: one iteration after another of the scheduler, the sensors, the run queue, the
monitor and the freshness check, and jumping to where something is due. What does not: what is
scheduled, and what the world does meanwhile. Runs are executed where they are launched, so that
none costs the start of a process; all else is as `reds up` has it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import SupportsIndex

import dagster as dg
import time_machine
import yaml
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
from dagster._daemon.daemon import MonitoringDaemon
from dagster._daemon.freshness import FreshnessDaemon
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs
from dagster._time import get_current_datetime

from reds_pipeline.instance import CONFIGURATION

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# Longer than the least time between two evaluations of any sensor.
_BETWEEN_ITERATIONS = timedelta(seconds=31)
_LONG_SECONDS = 20.0
_TOO_MANY_ITERATIONS = 120
_LOGGER = logging.getLogger("dagster.daemon.clocked")


def prepare(directory: Path) -> None:
    """Write the configuration that REDS ships, with runs executed in this process."""
    configuration = yaml.safe_load(CONFIGURATION)
    configuration["run_launcher"] = {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    }
    configuration["compute_logs"] = {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    configuration["python_logs"] = {"python_log_level": "CRITICAL"}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "dagster.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")


@contextmanager
def sleeping_is_time(clock: time_machine.Traveller) -> Iterator[None]:
    """Let long waits of this thread, such as that before a retry, move the clock instead.

    Short ones are waited for: some of them wait for a clock that nobody can move.
    """
    sleep, thread = time.sleep, threading.get_ident()

    def move_or_sleep(seconds: float | SupportsIndex) -> None:
        if not isinstance(seconds, float | int):
            sleep(seconds)
        elif seconds >= _LONG_SECONDS and threading.get_ident() == thread:
            clock.shift(seconds)
        else:
            sleep(seconds)

    time.sleep = move_or_sleep
    try:
        yield
    finally:
        time.sleep = sleep


class ClockedDaemon:
    """The daemon, from when it is started until it is stopped; use it as a context manager.

    Args:
        directory: ``DAGSTER_HOME``, prepared.
        module: What to load, by name, and in it a function without arguments.
        attribute: That function.
        clock: What time it is.

    Attributes:
        instance: The instance that it works for.
        errors: What its iterations complained about.
    """

    def __init__(
        self, directory: Path, module: str, attribute: str, clock: time_machine.Traveller
    ) -> None:
        self._directory = directory
        self._origin = InProcessCodeLocationOrigin(
            LoadableTargetOrigin(
                executable_path=sys.executable, module_name=module, attribute=attribute
            ),
            location_name="reds",
        )
        self._clock = clock
        self._stack = ExitStack()
        self.errors: list[str] = []

    def __enter__(self) -> ClockedDaemon:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        self.instance = self._stack.enter_context(
            dg.DagsterInstance.from_config(str(self._directory))
        )
        self._context = self._stack.enter_context(
            WorkspaceProcessContext(self.instance, InProcessWorkspaceLoadTarget(self._origin))
        )
        self._queue = QueuedRunCoordinatorDaemon(interval_seconds=5)
        self._retries = EventLogConsumerDaemon()
        self._monitor = MonitoringDaemon(interval_seconds=120)
        self._freshness = FreshnessDaemon()
        self._iteration_times: dict[str, ScheduleIterationTimes] = {}
        self.iterate()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def iterate(self) -> None:
        """Let each of the daemons look once."""
        self._drain(
            launch_scheduled_runs(
                self._context,
                _LOGGER,
                end_datetime_utc=get_current_datetime(),
                iteration_times=self._iteration_times,
            )
        )
        self._drain(execute_sensor_iteration(self._context, _LOGGER, None, None))
        # One run at a time, as the queue has it; the daemon too would not wait for the sensors.
        while waiting := self._count(dg.DagsterRunStatus.QUEUED):
            self._drain(self._queue.run_iteration(self._context))
            if self._count(dg.DagsterRunStatus.QUEUED) == waiting:
                break
        # Says of failed runs whether they are tried again; what follows from them waits for that.
        self._drain(self._retries.run_iteration(self._context))

    def settle(self) -> None:
        """Let time pass until nothing follows from anything any more."""
        for _ in range(_TOO_MANY_ITERATIONS):
            before = self._state()
            # First, or sensors that looked just now would not look.
            self._clock.shift(_BETWEEN_ITERATIONS)
            self.iterate()
            if self._state() == before and not before[1]:
                self._drain(self._monitor.run_iteration(self._context))
                self._drain(self._freshness.run_iteration(self._context))
                return
        raise AssertionError(f"the daemon did not come to rest; errors: {self.errors}")

    def live_until(self, end: datetime, meanwhile: Callable[[], None]) -> None:
        """Go from tick to tick until a moment, and be there then.

        Args:
            end: Aware.
            meanwhile: Called after everything that a tick brought about has ended.
        """
        while (due := self._next_tick()) <= end:
            # What long runs took may have gone beyond the next tick already.
            self._move_to(due + timedelta(seconds=2))
            self.settle()
            meanwhile()
        self._move_to(end)

    def _move_to(self, moment: datetime) -> None:
        if moment > datetime.now(UTC):
            self._clock.move_to(moment)

    def _next_tick(self) -> datetime:
        now = datetime.now(UTC).timestamp()
        return min(
            next(iter(schedule.execution_time_iterator(now + 1))) for schedule in self._schedules()
        ).astimezone(UTC)

    def _schedules(self) -> Iterator:
        entries = self._context.create_request_context().get_code_location_entries().values()
        for entry in entries:
            assert entry.code_location is not None, entry.load_error
            for repository in entry.code_location.get_repositories().values():
                yield from repository.get_schedules()

    def _state(self) -> tuple[int, int]:
        return self._count(*dg.DagsterRunStatus), self._count(*UNFINISHED)

    def _count(self, *statuses: dg.DagsterRunStatus) -> int:
        return self.instance.get_runs_count(dg.RunsFilter(statuses=list(statuses)))

    def _drain(self, iteration: Iterable) -> None:
        self.errors += [str(each) for each in iteration if hasattr(each, "message")]
