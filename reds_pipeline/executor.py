"""How runs that Dagster starts are executed: in one process, and alone on their home.

What belongs here: the executor of the code location. What does not: the lock (``storage.workers``);
``reds run``, which holds that lock itself and executes its jobs in its own process; and which runs
may be started (Dagster's queue, one at a time). The lock is the last guard: for a person who
starts ``reds run`` meanwhile, and for a second daemon.

A whole run holds the lock, not each step: between two steps a second worker would find a home that
is half done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import dagster as dg
from dagster._core.errors import raise_execution_interrupts

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import WorkerAtWork, at_work

_HOURS_TO_WAIT = 12.0
# What says that two runs answer one tick of a schedule, or one request of a sensor.
_SCHEDULE_TAGS = ("dagster/schedule_name", ".dagster/scheduled_execution_time")
_SENSOR_TAGS = ("dagster/sensor_name", "dagster/run_key")
_RETRY_TAG = "dagster/parent_run_id"
# What was canceled, or was made and never queued, does nothing; what failed is better done again.
_DOES_IT = {
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
}
_PARTITION_TAG = "dagster/partition"


def one_worker_executor(home: Home, jobs_beside: frozenset[str]) -> dg.ExecutorDefinition:
    """Return an executor that waits while somebody else works on ``home``, then runs in process.

    Args:
        home: What the runs work on.
        jobs_beside: Jobs that do no harm beside another worker and begin at once, because what
            they change has a lock of its own.
    """

    @dg.executor(
        name="one_worker",
        config_schema=dg.in_process_executor.config_schema.as_field(),
        requirements=[],
    )
    def one_worker(init_context: dg.InitExecutorContext) -> dg.Executor:
        in_process = dg.in_process_executor.executor_creation_fn
        assert in_process is not None
        return _OneWorker(in_process(init_context), home, jobs_beside)

    return one_worker


class _OneWorker(dg.Executor):
    """Executes a run when nobody else works on its home."""

    def __init__(self, inner: dg.Executor, home: Home, jobs_beside: frozenset[str]) -> None:
        self._inner = inner
        self._home = home
        self._jobs_beside = jobs_beside

    @property
    def retries(self) -> Any:
        """How steps are tried again, as Dagster calls it."""
        return self._inner.retries

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the run, alone on its home."""
        with ExitStack() as stack:
            if plan_context.job_name not in self._jobs_beside:
                # Whoever stops the run stops its waiting, too.
                with raise_execution_interrupts():
                    self._take_home(stack, plan_context)
                if _is_done(plan_context):
                    return
            yield from self._inner.execute(plan_context, execution_plan)

    def _take_home(self, stack: ExitStack, plan_context: Any) -> None:
        work = at_work(
            self._home.lock("run"),
            _name_of(plan_context.dagster_run),
            patience_seconds=_HOURS_TO_WAIT * 3600,
            waiting=plan_context.log.info,
        )
        try:
            stack.enter_context(work)
        except WorkerAtWork as error:
            raise RedsError(
                f"This run waited {_HOURS_TO_WAIT:g} hours and gave up: {error} If that hangs, "
                "stop it; the next tick of the schedule does what this run has not done."
            ) from error


def _name_of(run: dg.DagsterRun) -> str:
    partition = run.tags.get(_PARTITION_TAG, "")
    return f"Dagster's run {run.run_id[:8]} of {run.job_name}{partition and f' ({partition})'}"


def _is_done(plan_context: Any) -> bool:
    """Say whether another process has executed this run while this one waited.

    Two daemons on one instance may launch one run twice, or two runs for one tick.

    Raises:
        dagster.DagsterExecutionInterruptedError: The run has been stopped meanwhile, or it answers
            a tick that another run answers.
    """
    instance: dg.DagsterInstance = plan_context.instance
    run = instance.get_run_by_id(plan_context.run_id)
    assert run is not None
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return True
    if run.is_finished:
        raise dg.DagsterExecutionInterruptedError
    if twin := _earlier_twin(instance, run):
        plan_context.log.warning(
            f"Run {twin.run_id[:8]} answers the same tick, so this one does nothing. Two Dagster "
            "daemons seem to work on this instance; `reds status` says more."
        )
        instance.report_run_canceling(run)
        raise dg.DagsterExecutionInterruptedError
    return False


def _earlier_twin(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun | None:
    """Return a run that was asked for before this one, by the same tick, and does the same."""
    if _RETRY_TAG in run.tags:
        return None
    for names in (_SCHEDULE_TAGS, _SENSOR_TAGS):
        tags = {name: run.tags[name] for name in names if name in run.tags}
        if len(tags) < len(names):
            continue
        wanted = dg.RunsFilter(job_name=run.job_name, tags=tags)
        for record in instance.get_run_records(wanted, ascending=True):
            other = record.dagster_run
            if other.run_id == run.run_id:
                break
            if other.status in _DOES_IT and _RETRY_TAG not in other.tags:
                return other
    return None
