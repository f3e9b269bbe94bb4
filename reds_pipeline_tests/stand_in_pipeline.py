"""A code location with the real jobs, schedules and sensors over assets that do no work.

What belongs here: assets under the names that the jobs select, told by a file what becomes of
them, and a daemon over them. What does not: any stage; only the order of runs is looked at.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import time_machine
import yaml

from reds_pipeline import sensors
from reds_pipeline.housekeeping_job import housekeeping_job
from reds_pipeline.jobs import (
    CLEAN,
    COLLECT,
    DISCOVER,
    REPORT,
    TO_COLLECT,
    TRAIN,
    collect_class,
    measure_drift,
    recheck_posts,
    retrain,
    weekly_refresh,
)
from reds_pipeline.partitions import classes
from reds_pipeline.resources import Platform
from reds_pipeline.retraining.advice import Advice, Evidence
from reds_pipeline.retraining.kept_advice import append
from reds_pipeline.schedules import schedules
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.clock import utc_now
from reds_pipeline_tests.end_to_end.twelve_weeks.clocked_daemon import ClockedDaemon, prepare

MONDAY = datetime(2026, 11, 16, 3, 0, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
# Longer than the least time between two evaluations of a sensor.
BETWEEN_LOOKS = timedelta(seconds=31)
SCRIPT = "script.json"
_GROUPS = {
    "trending_tags": DISCOVER,
    "raw_posts": COLLECT,
    "raw_images": COLLECT,
    "clean_images": CLEAN,
    "recheck": CLEAN,
    "contributed_images": CLEAN,
    "picture_features": CLEAN,
    "curated_dataset": CLEAN,
    "image_tensors": TRAIN,
    "embeddings_tiny": TRAIN,
    "champion_model": TRAIN,
    "dataset_report": REPORT,
}
_BY_CLASS = {"raw_posts", "raw_images", "clean_images"}


def write_script(home: Path, **acts: Any) -> None:
    """Say what is chosen (``classes``), what fails (``failing``) and what is ``due``."""
    home.mkdir(parents=True, exist_ok=True)
    (home / SCRIPT).write_text(json.dumps(acts), encoding="utf-8")


def _script(platform: Platform) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((platform.home.root / SCRIPT).read_text(encoding="utf-8"))
    return {"classes": ["cat", "dog"], "failing": [], "due": True, **told}


def _stand_in(name: str, group: str) -> dg.AssetsDefinition:
    @dg.asset(name=name, group_name=group, partitions_def=classes if name in _BY_CLASS else None)
    def stand_in(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        me = f"{name}:{context.partition_key}" if context.has_partition_key else name
        if me in _script(platform)["failing"]:
            raise dg.Failure(
                f"{me} could not be had from http://ada:secret1@pix.example/p/ada/1?token=abc.",
                allow_retries=False,
            )
        return dg.MaterializeResult()

    return stand_in


@dg.asset(group_name=DISCOVER)
def class_selection(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    names = _script(platform)["classes"]
    assert classes.name is not None
    context.instance.add_dynamic_partitions(classes.name, names)
    return dg.MaterializeResult(metadata={TO_COLLECT: dg.MetadataValue.json(names)})


@dg.asset(group_name=TRAIN)
def retraining_advice(platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    due = _script(platform)["due"]
    if due is None:
        raise dg.Failure("Nothing can be measured.", allow_retries=False)
    advice = Advice(
        utc_now(),
        7.0,
        due,
        ("Tags move fast.",) if due else ("All is calm.",),
        Evidence("").numbers(),
    )
    append(platform.home, advice, model_version="1", training_key="")
    return dg.MaterializeResult()


def definitions() -> dg.Definitions:
    """Return the code location of the home that the environment names."""
    return dg.Definitions(
        assets=[
            *(_stand_in(name, group) for name, group in _GROUPS.items()),
            class_selection,
            retraining_advice,
        ],
        jobs=[
            *(weekly_refresh, collect_class, measure_drift, retrain, recheck_posts),
            housekeeping_job,
        ],
        schedules=schedules(load_settings()),
        sensors=sensors.ALL,
        # Runs find what was loaded for an earlier test of this process, so it must not name a home.
        resources={"platform": dg.ResourceDefinition(lambda _: Platform(load_settings()))},
        executor=dg.in_process_executor,
    )


class Life:
    """A home with its daemon, and a clock that the test moves.

    Args:
        home: REDS_HOME; the environment names it too.
        clock: What time it is.
    """

    def __init__(self, home: Path, clock: time_machine.Traveller) -> None:
        self.home = home
        self._clock = clock

    @contextmanager
    def daemon(self) -> Iterator[ClockedDaemon]:
        """Start the daemon, which looks once, and stop it without a word at the end."""
        directory = self.home / "dagster"
        with ClockedDaemon(directory, __name__, "definitions", self._clock) as running:
            yield running

    def go_to(self, moment: datetime) -> None:
        """Let it be a moment."""
        self._clock.move_to(moment)

    def passes(self, daemon: ClockedDaemon, times: int) -> None:
        """Let the daemon look so many times, each half a minute after the last."""
        for _ in range(times):
            self._clock.shift(BETWEEN_LOOKS)
            daemon.iterate()


@contextmanager
def life(home: Path, since: datetime) -> Iterator[Life]:
    """Begin a life at a moment."""
    prepare(home / "dagster")
    _use_one_database(home / "dagster")
    if not (home / SCRIPT).exists():
        write_script(home)
    with time_machine.travel(since, tick=True) as clock:
        yield Life(home, clock)


def _use_one_database(directory: Path) -> None:
    """Keep the events of all runs in one SQLite file, instead of making a file for each run."""
    base = {"base_dir": str(directory / "history")}
    storages = {
        "run_storage": ("dagster._core.storage.runs", "SqliteRunStorage"),
        "schedule_storage": ("dagster._core.storage.schedules", "SqliteScheduleStorage"),
        "event_log_storage": (
            "dagster._core.storage.event_log",
            "ConsolidatedSqliteEventLogStorage",
        ),
    }
    configuration = yaml.safe_load((directory / "dagster.yaml").read_text(encoding="utf-8"))
    for name, (module, kind) in storages.items():
        configuration[name] = {"module": module, "class": kind, "config": base}
    (directory / "dagster.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")


def runs_of(daemon: ClockedDaemon, job: str) -> list[dg.DagsterRun]:
    """Return the runs of a job, oldest first."""
    records = daemon.instance.get_run_records(dg.RunsFilter(job_name=job), ascending=True)
    return [record.dagster_run for record in records]


def ticks_of(daemon: ClockedDaemon, schedule: str) -> list[tuple[str, str]]:
    """Return status and reason of a schedule's ticks, oldest first."""
    [state] = [
        state
        for state in daemon.instance.all_instigator_state()
        if state.instigator_name == schedule
    ]
    ticks = daemon.instance.get_ticks(state.instigator_origin_id, state.selector_id)
    return [(tick.status.value, tick.skip_reason or "") for tick in reversed(ticks)]
