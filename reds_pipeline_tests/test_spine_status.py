"""What runs by itself, read from a real instance of Dagster without starting anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.daemons import daemon_processes, daemons_of
from reds_pipeline.errors import RedsError
from reds_pipeline.instance import open_instance
from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.spine_status import next_tick, spine_status


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", refresh_cron="0 3 * * 1", timezone="Europe/Berlin")


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


def run(
    instance: dg.DagsterInstance, name: str, partition: str = "", *, fails: bool = False
) -> str:
    @dg.op
    def work() -> None:
        assert not fails

    @dg.job(name=name)
    def job() -> None:
        work()

    tags = {"dagster/partition": partition} if partition else {}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


def test_where_dagster_never_ran_only_the_plan_is_known(settings: Settings) -> None:
    status = spine_status(settings)
    assert not status.ran
    assert status.daemons is None
    assert {schedule.name for schedule in status.schedules} == {
        "refresh_schedule",
        "recheck_schedule",
        "housekeeping_schedule",
    }
    assert not settings.home.exists(), "looking makes nothing"


@pytest.mark.parametrize(
    ("cron", "zone", "hour", "weekday"),
    [
        ("0 3 * * 1", "UTC", 3, 0),
        ("30 22 * * *", "Asia/Tokyo", 13, None),
        ("0 5 1 1 *", "UTC", 5, None),
    ],
)
def test_the_next_tick_is_the_first_one_to_come(
    cron: str, zone: str, hour: int, weekday: int | None
) -> None:
    tick = datetime.fromisoformat(next_tick(cron, zone))
    assert tick > datetime.now(UTC)
    assert tick.hour == hour
    assert weekday is None or (tick.weekday() == weekday and (tick - datetime.now(UTC)).days < 7)


@pytest.mark.parametrize(("cron", "zone"), [("hello", "UTC"), ("0 3 * * 1", "Europe/Nowhere")])
def test_a_schedule_that_cannot_be_read_is_told_in_a_sentence(cron: str, zone: str) -> None:
    with pytest.raises(RedsError, match=f"{re.escape(cron)}.*{zone}.*write it as five fields"):
        next_tick(cron, zone)


def test_runs_are_told_by_what_became_of_them(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run(instance, "weekly_refresh")
    run(instance, "collect_class", "cat", fails=True)
    made_up_for = run(instance, "collect_class", "dog", fails=True)
    run(instance, "collect_class", "dog")
    waiting = instance.create_run_for_job(dg.GraphDefinition("retrain", node_defs=[]).to_job())
    status = spine_status(settings)
    assert status.ran
    assert set(status.succeeded) == {"weekly_refresh", "collect_class"}
    assert [(failed.job, failed.class_name) for failed in status.failed] == [
        ("collect_class", "cat")
    ], f"{made_up_for} was made up for"
    assert [queued.run_id for queued in status.queued] == [waiting.run_id]
    assert status.running == ()


def test_what_was_long_ago_is_known_however_often_other_jobs_ran(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run(instance, "retrain")
    run(instance, "weekly_refresh", fails=True)
    for number in range(250):
        instance.add_run(
            dg.DagsterRun(
                job_name="recheck_posts",
                run_id=str(uuid.UUID(int=number)),
                status=dg.DagsterRunStatus.SUCCESS,
            )
        )
    status = spine_status(settings)
    assert status.succeeded["retrain"], "without it nobody would be told that it is too old"
    assert [failed.job for failed in status.failed] == ["weekly_refresh"]


def heartbeats(instance: dg.DagsterInstance, *names: str, seconds_ago: float = 0.0) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    kinds = sorted(instance.get_required_daemon_types())
    for kind, name in zip(kinds, names, strict=False):
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, kind, name, []))


def test_a_daemon_that_was_heard_of_lately_is_alive(
    settings: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    assert not daemons_of(instance, tmp_path).alive
    heartbeats(instance, "one", "one", "one", seconds_ago=600)
    daemons = daemons_of(instance, tmp_path)
    assert not daemons.alive
    assert daemons.last_heard_at
    heartbeats(instance, "two", "two", "two")
    daemons = daemons_of(instance, tmp_path)
    assert daemons.alive
    assert not daemons.several, "the one before has ended"
    heartbeats(instance, "two", "three", "two")
    assert daemons_of(instance, tmp_path).several


def test_daemons_of_this_machine_are_told_by_their_home(tmp_path: Path) -> None:
    program = "import time; print(1, flush=True); time.sleep(600)"
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, "dagster-daemon", "run"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        if not Path("/proc").exists():
            pytest.skip("this system does not show processes")
        assert daemon_processes(tmp_path) == (process.pid,)
        assert daemon_processes(tmp_path / "other") == ()
    finally:
        process.kill()
        process.wait()
    assert daemon_processes(tmp_path) == ()
