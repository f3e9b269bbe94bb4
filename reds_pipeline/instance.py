"""The Dagster instance that belongs to a home.

What belongs here: the instance configuration that REDS ships and opening it. What does not:
definitions. An existing ``dagster.yaml`` is the operator's and is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.storage import atomic

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
    """Open the instance of a home, the same one that ``reds up`` shows."""
    directory = prepare_dagster_home(settings)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    with dg.DagsterInstance.from_config(str(directory)) as instance:
        yield instance


if __name__ == "__main__":
    # For services that find their instance through DAGSTER_HOME: docker/compose.yaml runs this
    # once before them.
    prepare_dagster_home(load_settings())
