"""The Dagster instance that belongs to a home.

What belongs here: the instance configuration that REDS ships and opening it. What does not:
definitions. An existing ``dagster.yaml`` is the operator's and is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml

from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.storage import atomic

_COMMAND_LINE_FILE = "dagster-command-line.yaml"

# SQLite event logs lock up under many writers, so one run at a time works and the next waits;
# slots of a run that was killed are freed, and old ticks do not pile up for ever.
CONFIGURATION = """\
# Written by REDS on first use; edit it as you like, it is never overwritten.
nux:
  enabled: false
telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
  pools:
    default_limit: 1
    granularity: op
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  free_slots_after_run_end_seconds: 300
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 90
      success: 90
freshness:
  enabled: true
"""


def prepare_dagster_home(settings: Settings) -> Path:
    """Return Dagster's directory, with a configuration in it."""
    directory = (settings.dagster_home or settings.home / "dagster").resolve()
    if not (directory / "dagster.yaml").exists():
        atomic.write_text(directory / "dagster.yaml", CONFIGURATION)
    return directory


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a home, the same one that ``reds up`` shows, for one process's use.

    All is as the operator configured it, but what steps print goes to the terminal as it comes.
    Dagster would capture it through two more processes a step, and progress bars, which then see
    no terminal, would hide.
    """
    directory = prepare_dagster_home(settings)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    configuration = yaml.safe_load((directory / "dagster.yaml").read_text(encoding="utf-8")) or {}
    configuration["compute_logs"] = {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    note = "# Written anew for every `reds run` from dagster.yaml; edit that one.\n"
    atomic.write_text(directory / _COMMAND_LINE_FILE, note + yaml.safe_dump(configuration))
    with dg.DagsterInstance.from_config(str(directory), _COMMAND_LINE_FILE) as instance:
        yield instance


@contextmanager
def open_complete_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a home as its daemon does, with what steps of earlier runs printed."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(settings))) as instance:
        yield instance


def close_interrupted_runs(
    instance: dg.DagsterInstance, belongs: Callable[[dg.DagsterRun], bool]
) -> None:
    """End the runs of a process that is gone; the caller knows that none of them can be alive.

    Left open, such a run would hold its pool slots and its place in the daemon's queue for ever.
    What the daemon had started counts as failed, so that it is tried again and goes on where it
    was; what a person was about to stop, or had started from a terminal, is not.

    Args:
        instance: Where the runs are recorded.
        belongs: Whether a run that looks unfinished was that process's.
    """
    unfinished = dg.RunsFilter(
        statuses=[
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ]
    )
    message = "What executed this run was stopped before it ended."
    for run in filter(belongs, instance.get_runs(unfinished)):
        if run.status == dg.DagsterRunStatus.CANCELING or run.remote_job_origin is None:
            instance.report_run_canceled(run, message)
        else:
            instance.report_run_failed(run, message)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


if __name__ == "__main__":
    # The pipeline service of docker/compose.yaml runs this before anything else: runs live and
    # die with that service, so those that look alive now are not.
    with open_instance(load_settings()) as _instance:
        close_interrupted_runs(_instance, lambda _run: True)
